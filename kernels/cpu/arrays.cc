#include "kernels/cpu/arrays.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/index_args.h"

namespace equiv::cpu {
namespace {
constexpr std::int64_t kBlock = 1 << 16;

Array FilledWith(KernelContext& ctx, const Shape& shape, const Array& scalar) {
  if (scalar.dtype() == DType::kString)
    return Array::Strings(
        shape, std::vector<std::string>(static_cast<std::size_t>(shape.num_elements()), scalar.strings().at(0)));
  RequireFixedSize(ctx, scalar.dtype());
  Array out(scalar.dtype(), shape);
  const std::size_t size = SizeOf(scalar.dtype());
  auto fill = [&]<class Bits>() {
    Bits value;
    std::memcpy(&value, scalar.raw(), sizeof value);
    auto* p = reinterpret_cast<Bits*>(out.raw());
    ctx.pool().ParallelRanges(shape.num_elements(), kBlock,
                              [&](std::int64_t begin, std::int64_t end) { std::fill(p + begin, p + end, value); });
  };
  if (size == 1)
    fill.operator()<std::uint8_t>();
  else if (size == 2)
    fill.operator()<std::uint16_t>();
  else if (size == 4)
    fill.operator()<std::uint32_t>();
  else if (size == 8)
    fill.operator()<std::uint64_t>();
  else
    for (std::int64_t i = 0; i < shape.num_elements(); ++i)
      std::memcpy(out.raw() + static_cast<std::size_t>(i) * size, scalar.raw(), size);
  return out;
}
// 0 or 1 of any dtype.
Array ScalarOf(KernelContext& ctx, DType dtype, int value) {
  switch (dtype) {
    case DType::kFloat32:
      return Array::Scalar(static_cast<float>(value));
    case DType::kFloat64:
      return Array::Scalar(static_cast<double>(value));
    case DType::kFloat16:
      return Array::Scalar(Float16(static_cast<float>(value)));
    case DType::kBFloat16:
      return Array::Scalar(BFloat16(static_cast<float>(value)));
    case DType::kBool:
      return Array::Scalar(value != 0);
    case DType::kInt8:
      return Array::Scalar(static_cast<std::int8_t>(value));
    case DType::kInt16:
      return Array::Scalar(static_cast<std::int16_t>(value));
    case DType::kInt32:
      return Array::Scalar(std::int32_t{value});
    case DType::kInt64:
      return Array::Scalar(std::int64_t{value});
    case DType::kUInt8:
      return Array::Scalar(static_cast<std::uint8_t>(value));
    case DType::kUInt16:
      return Array::Scalar(static_cast<std::uint16_t>(value));
    case DType::kUInt32:
      return Array::Scalar(static_cast<std::uint32_t>(value));
    case DType::kUInt64:
      return Array::Scalar(static_cast<std::uint64_t>(value));
    case DType::kComplex64:
    case DType::kComplex128: {
      Array pair(dtype, Shape{});
      std::memset(pair.raw(), 0, SizeOf(dtype));
      if (dtype == DType::kComplex64)
        *reinterpret_cast<float*>(pair.raw()) = static_cast<float>(value);
      else
        *reinterpret_cast<double*>(pair.raw()) = value;
      return pair;
    }
    default:
      UnsupportedDType(ctx, dtype);
  }
}
}  // namespace

void Const(KernelContext& ctx) { ctx.set_output(0, ctx.attrs().Get<Array>("value")); }
void Placeholder(KernelContext& ctx) {
  const auto& shape = ctx.attrs().Get<PartialShape>("shape");
  throw InvalidArgumentError(fmt::format("{}You must feed a value for placeholder tensor '{}' with dtype {}{}",
                                         ctx.Where(), ctx.node_name(), DataTypeString(ctx.output_dtype(0)),
                                         shape.has_rank() ? " and shape " + shape.ToString() : ""));
}
void NoOp(KernelContext&) {}
void Identity(KernelContext& ctx) { ctx.set_output(0, ctx.input(0)); }
void Fill(KernelContext& ctx) {
  if (ctx.input(1).rank() != 0)
    throw InvalidArgumentError(ctx.Where() + "value must be a scalar, got shape " + ctx.input(1).shape().ToString());
  ctx.set_output(0, FilledWith(ctx, CheckedShape(FailOf(ctx), ctx.input(0).AsInt64Vector()), ctx.input(1)));
}
void ZerosLike(KernelContext& ctx) {
  ctx.set_output(0, FilledWith(ctx, ctx.input(0).shape(), ScalarOf(ctx, ctx.input(0).dtype(), 0)));
}
void OnesLike(KernelContext& ctx) {
  ctx.set_output(0, FilledWith(ctx, ctx.input(0).shape(), ScalarOf(ctx, ctx.input(0).dtype(), 1)));
}
void ShapeOf(KernelContext& ctx) {
  const Shape shape = ctx.input(0).shape();
  Array& out = ctx.Allocate(0, Shape{shape.rank()});
  for (int i = 0; i < shape.rank(); ++i) {
    if (out.dtype() == DType::kInt32)
      out.mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(shape[i]);
    else
      out.mutable_data<std::int64_t>()[i] = shape[i];
  }
}

Shape ReshapedShape(KernelContext& ctx, std::int64_t elements, const std::vector<std::int64_t>& wanted) {
  std::vector<std::int64_t> dims = wanted;
  std::int64_t known = 1;
  int unknown = -1;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == -1) {
      if (unknown >= 0)
        throw InvalidArgumentError(
            fmt::format("{}Only one input size may be -1, not both {} and {}", ctx.Where(), unknown, i));
      unknown = static_cast<int>(i);
    } else if (dims[i] < 0) {
      throw InvalidArgumentError(fmt::format("{}Size {} must be non-negative, not {}", ctx.Where(), i, dims[i]));
    } else {
      known = CheckedMul(FailOf(ctx), known, dims[i]);
    }
  }
  if (unknown >= 0) {
    if (known == 0)
      throw InvalidArgumentError(ctx.Where() +
                                 "reshape cannot infer the missing input size for an empty tensor unless all specified "
                                 "input sizes are non-zero");
    if (elements % known != 0)
      throw InvalidArgumentError(fmt::format(
          "{}Input to reshape is a tensor with {} values, but the requested shape requires a multiple of {}",
          ctx.Where(), elements, known));
    dims[static_cast<std::size_t>(unknown)] = elements / known;
    known *= elements / known;
  }
  if (known != elements)
    throw InvalidArgumentError(fmt::format(
        "{}Input to reshape is a tensor with {} values, but the requested shape has {}", ctx.Where(), elements, known));
  return CheckedShape(FailOf(ctx), dims);
}
void Reshape(KernelContext& ctx) {
  ctx.set_output(0,
                 ctx.input(0).Reshaped(ReshapedShape(ctx, ctx.input(0).num_elements(), ctx.input(1).AsInt64Vector())));
}
void Squeeze(KernelContext& ctx) {
  const Shape shape = ctx.input(0).shape();
  const auto& axes = ctx.attrs().Get<std::vector<std::int64_t>>("squeeze_dims");
  std::array<bool, kMaxRank> drop{};
  for (std::int64_t axis : axes) drop[static_cast<std::size_t>(AxisOf(ctx, axis, shape.rank()))] = true;
  std::vector<std::int64_t> dims;
  for (int i = 0; i < shape.rank(); ++i) {
    const bool named = drop[static_cast<std::size_t>(i)];
    if (named && shape[i] != 1)
      throw InvalidArgumentError(
          fmt::format("{}Can not squeeze dim[{}], expected a dimension of 1, got {}", ctx.Where(), i, shape[i]));
    if (named || (axes.empty() && shape[i] == 1)) continue;
    dims.push_back(shape[i]);
  }
  ctx.set_output(0, ctx.input(0).Reshaped(CheckedShape(FailOf(ctx), dims)));
}
void ExpandDims(KernelContext& ctx) {
  std::vector<std::int64_t> dims = ctx.input(0).shape().vector();
  const int at = AxisOf(ctx, IntScalar(ctx, 1), static_cast<int>(dims.size()) + 1);
  dims.insert(dims.begin() + at, 1);
  ctx.set_output(0, ctx.input(0).Reshaped(CheckedShape(FailOf(ctx), dims)));
}

namespace {
// Joins the n inputs from `values` on.
void ConcatInputs(KernelContext& ctx, int values, int n, int axis_input) {
  const Shape first = ctx.input(values).shape();
  const int axis = AxisOf(ctx, IntScalar(ctx, axis_input), first.rank());
  const DType dtype = ctx.input(values).dtype();
  std::vector<std::int64_t> dims = first.vector();
  std::int64_t along = 0, outer = 1, inner = static_cast<std::int64_t>(RequireFixedSize(ctx, dtype));
  for (int i = 0; i < n; ++i) {
    const Shape& shape = ctx.input(values + i).shape();
    bool fits = shape.rank() == first.rank();
    for (int d = 0; fits && d < first.rank(); ++d) fits = d == axis || shape[d] == first[d];
    if (!fits)
      throw InvalidArgumentError(
          fmt::format("{}Dimension mismatch: shape[0] = {} vs. shape[{}] = {}; all but dimension {} must agree",
                      ctx.Where(), first.ToString(), i, shape.ToString(), axis));
    along += shape[axis];
  }
  dims[static_cast<std::size_t>(axis)] = along;
  for (int d = 0; d < axis; ++d) outer *= first[d];
  for (int d = axis + 1; d < first.rank(); ++d) inner *= first[d];
  Array& out = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims));
  if (out.num_elements() == 0) return;
  const std::int64_t row = along * inner;
  ctx.pool().ParallelRanges(outer, std::max<std::int64_t>(1, kBlock * 4 / std::max<std::int64_t>(1, row)),
                            [&](std::int64_t begin, std::int64_t end) {
                              for (std::int64_t r = begin; r < end; ++r) {
                                std::byte* to = out.raw() + r * row;
                                for (int i = values; i < values + n; ++i) {
                                  const std::int64_t bytes = ctx.input(i).shape()[axis] * inner;
                                  if (bytes)
                                    std::memcpy(to, ctx.input(i).raw() + r * bytes, static_cast<std::size_t>(bytes));
                                  to += bytes;
                                }
                              }
                            });
}

}  // namespace
void ConcatV2(KernelContext& ctx) { ConcatInputs(ctx, 0, ctx.num_inputs() - 1, ctx.num_inputs() - 1); }
void Concat(KernelContext& ctx) { ConcatInputs(ctx, 1, ctx.num_inputs() - 1, 0); }

namespace {
void PadWith(KernelContext& ctx, const Array& value) {
  const Array in = ctx.input(0);
  const Shape shape = in.shape();
  const std::vector<std::int64_t> pads = ctx.input(1).AsInt64Vector();
  if (static_cast<int>(pads.size()) != 2 * shape.rank() || ctx.input(1).rank() != 2)
    throw InvalidArgumentError(
        fmt::format("{}The first dimension of paddings must be the rank of inputs: got paddings {} for inputs {}",
                    ctx.Where(), ctx.input(1).shape().ToString(), shape.ToString()));
  std::vector<std::int64_t> dims = shape.vector();
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (pads[2 * d] < 0 || pads[2 * d + 1] < 0)
      throw InvalidArgumentError(
          fmt::format("{}Paddings must be non-negative: {} {}", ctx.Where(), pads[2 * d], pads[2 * d + 1]));
    dims[d] = CheckedAdd(FailOf(ctx), CheckedAdd(FailOf(ctx), dims[d], pads[2 * d]), pads[2 * d + 1]);
  }
  const Shape padded = CheckedShape(FailOf(ctx), dims);
  Array out = FilledWith(ctx, padded, value);
  const std::size_t size = SizeOf(in.dtype());
  if (shape.rank() == 0) {
    out = in;
  } else if (in.num_elements() > 0) {
    const int last = shape.rank() - 1;
    const std::int64_t width = shape[last];
    for (std::int64_t r = 0; r < in.num_elements() / width; ++r) {
      std::int64_t rest = r, at = 0, step = padded[last];
      for (int d = last - 1; d >= 0; --d) {
        at += (rest % shape[d] + pads[static_cast<std::size_t>(2 * d)]) * step;
        rest /= shape[d];
        step *= padded[d];
      }
      std::memcpy(out.raw() + static_cast<std::size_t>(at + pads[static_cast<std::size_t>(2 * last)]) * size,
                  in.raw() + static_cast<std::size_t>(r * width) * size, static_cast<std::size_t>(width) * size);
    }
  }
  ctx.set_output(0, std::move(out));
}
}  // namespace
void Pad(KernelContext& ctx) { PadWith(ctx, ScalarOf(ctx, ctx.input(0).dtype(), 0)); }
void PadV2(KernelContext& ctx) {
  if (ctx.input(2).rank() != 0)
    throw InvalidArgumentError(ctx.Where() +
                               "constant_values must be a scalar. Found: " + ctx.input(2).shape().ToString());
  PadWith(ctx, ctx.input(2));
}

void Transpose(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const Shape shape = in.shape();
  const std::vector<std::int64_t> perm = ctx.input(1).AsInt64Vector();
  const int rank = shape.rank();
  std::array<bool, kMaxRank> seen{};
  std::vector<std::int64_t> dims;
  for (std::int64_t p : perm) {
    if (p < 0 || p >= rank || seen[static_cast<std::size_t>(p)])
      throw InvalidArgumentError(
          fmt::format("{}perm [{}] is no permutation of [0, {})", ctx.Where(), fmt::join(perm, ","), rank));
    seen[static_cast<std::size_t>(p)] = true;
    dims.push_back(shape[static_cast<int>(p)]);
  }
  if (static_cast<int>(perm.size()) != rank)
    throw InvalidArgumentError(
        fmt::format("{}transpose expects a vector of size {}. But input(1) is a vector of size {}", ctx.Where(), rank,
                    perm.size()));
  RequireFixedSize(ctx, in.dtype());
  std::array<std::int64_t, kMaxRank> strides{};
  std::int64_t step = 1;
  for (int d = rank - 1; d >= 0; --d) {
    strides[static_cast<std::size_t>(d)] = step;
    step *= shape[d];
  }
  const Shape out_shape(dims);
  Array& out = ctx.Allocate(0, out_shape);
  const std::size_t size = SizeOf(in.dtype());
  for (std::int64_t i = 0; i < out.num_elements(); ++i) {
    std::int64_t rest = i, from = 0;
    for (int d = rank - 1; d >= 0; --d) {
      from += rest % out_shape[d] * strides[static_cast<std::size_t>(perm[static_cast<std::size_t>(d)])];
      rest /= out_shape[d];
    }
    std::memcpy(out.raw() + static_cast<std::size_t>(i) * size, in.raw() + static_cast<std::size_t>(from) * size, size);
  }
}

void Diag(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const std::size_t size = RequireFixedSize(ctx, in.dtype()), n = static_cast<std::size_t>(in.num_elements());
  if (in.rank() < 1) throw InvalidArgumentError(ctx.Where() + "Input must be at least rank 1, got 0");
  std::vector<std::int64_t> dims = in.shape().vector();
  dims.insert(dims.end(), in.shape().dims().begin(), in.shape().dims().end());
  Array& out = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims));
  if (out.num_bytes()) std::memset(out.raw(), 0, out.num_bytes());
  for (std::size_t i = 0; i < n; ++i) std::memcpy(out.raw() + i * (n + 1) * size, in.raw() + i * size, size);
}
void DiagPart(KernelContext& ctx) {
  const Array in = ctx.input(0);
  RequireFixedSize(ctx, in.dtype());
  const std::span<const std::int64_t> dims = in.shape().dims(), half = dims.first(dims.size() / 2);
  if (dims.size() % 2 != 0 || dims.empty() ||
      !std::equal(half.begin(), half.end(), dims.begin() + static_cast<std::ptrdiff_t>(half.size())))
    throw InvalidArgumentError(
        ctx.Where() + "The rank of the tensor should be even and positive, both halves of its shape equal, got shape " +
        in.shape().ToString());
  Array& out = ctx.Allocate(0, Shape(half));
  const std::size_t size = SizeOf(in.dtype()), n = static_cast<std::size_t>(out.num_elements());
  for (std::size_t i = 0; i < n; ++i) std::memcpy(out.raw() + i * size, in.raw() + i * (n + 1) * size, size);
}
}  // namespace equiv::cpu
