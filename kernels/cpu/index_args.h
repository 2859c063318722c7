// kernels/cpu/index_args.h - checked axes and scalars among a kernel's inputs.
#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/base/kernel.h"
#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {

// `axis` counted from the front; InvalidArgumentError when it is not in [-rank, rank).
inline int AxisOf(KernelContext& ctx, std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    throw InvalidArgumentError(fmt::format("{}axis {} is out of range [{}, {})", ctx.Where(), axis, -rank, rank));
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

// Input `i`, one integer; InvalidArgumentError for any other number of elements.
inline std::int64_t IntScalar(KernelContext& ctx, int i) {
  const Array& a = ctx.input(i);
  if (a.num_elements() != 1)
    throw InvalidArgumentError(
        fmt::format("{}input {} must be a scalar, got shape {}", ctx.Where(), i, a.shape().ToString()));
  return a.AsInt64Vector()[0];
}

// The same for a shape of no dimensions; `name` for the message.
inline std::int64_t RankZeroInt(KernelContext& ctx, int i, const char* name) {
  const Array& a = ctx.input(i);
  if (a.rank() != 0)
    throw InvalidArgumentError(
        fmt::format("{}{} should be a scalar, not shape {}", ctx.Where(), name, a.shape().ToString()));
  return a.AsInt64Vector()[0];
}

// Elements in dimensions [begin, end).
inline std::int64_t Product(const Shape& shape, int begin, int end) {
  std::int64_t n = 1;
  for (int d = begin; d < end; ++d) n *= shape[d];
  return n;
}
// Bytes of an element; UnimplementedError when they have no fixed size.
inline std::size_t RequireFixedSize(KernelContext& ctx, DType dtype) {
  if (SizeOf(dtype) == 0) UnsupportedDType(ctx, dtype);
  return SizeOf(dtype);
}
// "2,1": where element `at` of `shape` is.
inline std::string Position(const Shape& shape, std::int64_t at) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()));
  for (int d = shape.rank() - 1; d >= 0; --d) {
    index[static_cast<std::size_t>(d)] = at % shape[d];
    at /= shape[d];
  }
  return fmt::format("{}", fmt::join(index, ","));
}
// Writes an integer to an output of any integer type.
inline void PutInt(Array& out, std::int64_t i, std::int64_t value) {
  switch (out.dtype()) {
    case DType::kInt16:
      out.mutable_data<std::int16_t>()[i] = static_cast<std::int16_t>(value);
      break;
    case DType::kUInt16:
      out.mutable_data<std::uint16_t>()[i] = static_cast<std::uint16_t>(value);
      break;
    case DType::kInt32:
      out.mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(value);
      break;
    default:
      out.mutable_data<std::int64_t>()[i] = value;
  }
}

}  // namespace equiv::cpu
