// kernels/cpu/index_args.h - checked axes and scalars among a kernel's inputs.
#pragma once
#include <fmt/format.h>

#include <cstdint>

#include "kernels/base/error.h"
#include "kernels/base/kernel.h"

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

}  // namespace equiv::cpu
