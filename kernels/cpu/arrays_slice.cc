#include "kernels/cpu/arrays_slice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/index_args.h"
#include "kernels/cpu/slice_geometry.h"
#include "kernels/cpu/view.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;

Ints VectorOf(KernelContext& ctx, int i, int length) {
  const Array& a = ctx.input(i);
  if (a.rank() != 1 || a.num_elements() != length)
    throw InvalidArgumentError(fmt::format("{}input {} must be a vector of {} values, got shape {}", ctx.Where(), i,
                                           length, a.shape().ToString()));
  return a.AsInt64Vector();
}
// [first, first + count) along `axis` of `in`, as output `i` of `shape`.
void CopyPart(KernelContext& ctx, const Array& in, int axis, std::int64_t first, std::int64_t count, int i,
              const Shape& shape) {
  View view{.offset = 0, .dims = in.shape().vector(), .strides = StridesOf(in.shape())};
  const auto at = static_cast<std::size_t>(axis);
  view.dims[at] = count;
  view.offset = first * view.strides[at];
  CopyView(ctx, in, std::move(view), i, shape);
}
void SplitInto(KernelContext& ctx, const Array& in, int axis, const Ints& sizes) {
  std::int64_t first = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    Ints dims = in.shape().vector();
    dims[static_cast<std::size_t>(axis)] = sizes[i];
    CopyPart(ctx, in, axis, first, sizes[i], static_cast<int>(i), CheckedShape(FailOf(ctx), dims));
    first += sizes[i];
  }
}
}  // namespace

Ints SplitSizes(const FailFn& fail, Ints sizes, std::int64_t dim) {
  std::int64_t known = 0;
  int open = -1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == -1 && open < 0)
      open = static_cast<int>(i);
    else if (sizes[i] < 0)
      fail(fmt::format("size_splits must be non-negative but for one -1, got [{}]", fmt::join(sizes, ",")));
    else
      known = CheckedAdd(fail, known, sizes[i]);
  }
  if (open < 0 ? known != dim : known > dim)
    fail(fmt::format("size_splits [{}] must add up to the dimension they split: {} for {}", fmt::join(sizes, ","),
                     known, dim));
  if (open >= 0) sizes[static_cast<std::size_t>(open)] = dim - known;
  return sizes;
}

void Pack(KernelContext& ctx) {
  const Shape shape = ctx.input(0).shape();
  const int n = ctx.num_inputs(), axis = AxisOf(ctx, ctx.attrs().Get<std::int64_t>("axis"), shape.rank() + 1);
  for (int i = 1; i < n; ++i)
    if (!(ctx.input(i).shape() == shape))
      throw InvalidArgumentError(
          fmt::format("{}Shapes of all inputs must match: values[0].shape = {} != values[{}].shape = {}", ctx.Where(),
                      shape.ToString(), i, ctx.input(i).shape().ToString()));
  Ints dims = shape.vector();
  dims.insert(dims.begin() + axis, n);
  const std::size_t size = SizeOf(ctx.input(0).dtype());
  if (size == 0) UnsupportedDType(ctx, ctx.input(0).dtype());
  std::int64_t outer = 1, inner = static_cast<std::int64_t>(size);
  for (int d = 0; d < shape.rank(); ++d) (d < axis ? outer : inner) *= shape[d];
  Array& out = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims));
  if (out.num_elements() == 0) return;
  ctx.pool().ParallelRanges(outer, RowsPerBlock(inner * n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      for (int i = 0; i < n; ++i)
        std::copy_n(ctx.input(i).raw() + row * inner, inner, out.raw() + (row * n + i) * inner);
  });
}
void Unpack(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const int axis = AxisOf(ctx, ctx.attrs().Get<std::int64_t>("axis"), in.rank());
  if (in.dim(axis) != ctx.num_outputs())
    throw InvalidArgumentError(fmt::format("{}Input shape axis {} must equal {}, got shape {}", ctx.Where(), axis,
                                           ctx.num_outputs(), in.shape().ToString()));
  Ints dims = in.shape().vector();
  dims.erase(dims.begin() + axis);
  for (int i = 0; i < ctx.num_outputs(); ++i) CopyPart(ctx, in, axis, i, 1, i, CheckedShape(FailOf(ctx), dims));
}
void Split(KernelContext& ctx) {
  const Array in = ctx.input(1);
  const int axis = AxisOf(ctx, RankZeroInt(ctx, 0, "split_dim"), in.rank());
  const std::int64_t parts = ctx.num_outputs();
  if (in.dim(axis) % parts != 0)
    throw InvalidArgumentError(
        fmt::format("{}Number of ways to split should evenly divide the split dimension, but got split_dim {} (size = "
                    "{}) and num_split {}",
                    ctx.Where(), axis, in.dim(axis), parts));
  SplitInto(ctx, in, axis, Ints(static_cast<std::size_t>(parts), in.dim(axis) / parts));
}
void SplitV(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const int axis = AxisOf(ctx, IntScalar(ctx, 2), in.rank());
  SplitInto(ctx, in, axis, SplitSizes(FailOf(ctx), VectorOf(ctx, 1, ctx.num_outputs()), in.dim(axis)));
}
void Slice(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const Ints begin = VectorOf(ctx, 1, in.rank());
  Ints size = VectorOf(ctx, 2, in.rank());
  View view{.offset = 0, .dims = {}, .strides = StridesOf(in.shape())};
  for (std::size_t i = 0; i < size.size(); ++i) {
    const std::int64_t dim = in.dim(static_cast<int>(i));
    if (begin[i] < 0 || begin[i] > dim)
      throw InvalidArgumentError(
          fmt::format("{}Expected begin[{}] in [0, {}], but got {}", ctx.Where(), i, dim, begin[i]));
    if (size[i] == -1) size[i] = dim - begin[i];
    if (size[i] < 0 || size[i] > dim - begin[i])
      throw InvalidArgumentError(
          fmt::format("{}Expected size[{}] in [0, {}], but got {}", ctx.Where(), i, dim - begin[i], size[i]));
    view.offset += begin[i] * view.strides[i];
  }
  view.dims = size;
  CopyView(ctx, in, std::move(view), 0, Shape(size));
}
void StridedSlice(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const auto count = static_cast<int>(ctx.input(1).num_elements());
  const SliceGeometry g = MakeSliceGeometry(FailOf(ctx), ctx.attrs(), in.shape(), static_cast<std::size_t>(count),
                                            VectorOf(ctx, 1, count), VectorOf(ctx, 2, count), VectorOf(ctx, 3, count));
  View view{.offset = 0, .dims = {}, .strides = StridesOf(in.shape())};
  for (std::size_t i = 0; i < g.dims.size(); ++i) {
    view.offset += g.dims[i].begin * view.strides[i];
    view.strides[i] *= g.dims[i].stride;
    view.dims.push_back(g.dims[i].size);
  }
  CopyView(ctx, in, std::move(view), 0, Shape(g.output));
}
void Tile(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const Ints multiples = VectorOf(ctx, 1, in.rank()), strides = StridesOf(in.shape());
  View view;
  Ints dims = in.shape().vector();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (multiples[i] < 0)
      throw InvalidArgumentError(
          fmt::format("{}Expected multiples[{}] >= 0, but got {}", ctx.Where(), i, multiples[i]));
    view.dims.insert(view.dims.end(), {multiples[i], dims[i]});
    view.strides.insert(view.strides.end(), {0, strides[i]});
    dims[i] = CheckedMul(FailOf(ctx), dims[i], multiples[i]);
  }
  CopyView(ctx, in, std::move(view), 0, CheckedShape(FailOf(ctx), dims));
}
void ReverseV2(KernelContext& ctx) {
  const Array in = ctx.input(0);
  View view{.offset = 0, .dims = in.shape().vector(), .strides = StridesOf(in.shape())};
  std::vector<bool> seen(view.dims.size());
  for (std::int64_t axis : ctx.input(1).AsInt64Vector()) {
    const auto d = static_cast<std::size_t>(AxisOf(ctx, axis, in.rank()));
    if (seen[d]) throw InvalidArgumentError(fmt::format("{}axis {} specified more than once.", ctx.Where(), d));
    seen[d] = true;
    view.offset += (view.dims[d] - 1) * view.strides[d];
    view.strides[d] = -view.strides[d];
  }
  CopyView(ctx, in, std::move(view), 0, in.shape());
}
void Reverse(KernelContext& ctx) {
  const Array in = ctx.input(0), dims = ctx.input(1);
  if (dims.rank() != 1)
    throw InvalidArgumentError(fmt::format("{}'dims' must be 1-dimension, not {}", ctx.Where(), dims.rank()));
  if (dims.num_elements() != in.rank())
    throw InvalidArgumentError(fmt::format(
        "{}'dims' must have the same number of values as 'input' has dimensions. 'input' has {}'dims' has {} values",
        ctx.Where(), in.rank(), dims.num_elements()));
  View view{.offset = 0, .dims = in.shape().vector(), .strides = StridesOf(in.shape())};
  for (std::size_t d = 0; d < view.dims.size(); ++d) {
    if (!dims.data<bool>()[d]) continue;
    view.offset += (view.dims[d] - 1) * view.strides[d];
    view.strides[d] = -view.strides[d];
  }
  CopyView(ctx, in, std::move(view), 0, in.shape());
}
// tf: CheckErrors of ReverseSequenceOp
void ReverseSequence(KernelContext& ctx) {
  const Array in = ctx.input(0), lengths = ctx.input(1);
  const std::int64_t sequence = ctx.attrs().Get<std::int64_t>("seq_dim"),
                     batch = ctx.attrs().Get<std::int64_t>("batch_dim"), rank = in.rank();
  const auto require = [&](bool holds, const std::string& message) {
    if (!holds) throw InvalidArgumentError(ctx.Where() + message);
  };
  require(sequence != batch, fmt::format("batch_dim == seq_dim == {}", sequence));
  require(lengths.rank() == 1, fmt::format("seq_lengths must be 1-dim, not {}", lengths.rank()));
  require(sequence >= 0, fmt::format("Invalid seq_dim {}", sequence));
  require(batch >= 0, fmt::format("Invalid batch_dim {}", batch));
  require(sequence < rank, fmt::format("seq_dim must be < input rank ( {} vs. {})", sequence, rank));
  require(batch < rank, fmt::format("batch_dim must be < input rank ( {} vs. {})", batch, rank));
  const int s = static_cast<int>(sequence), b = static_cast<int>(batch);
  require(lengths.num_elements() == in.dim(b), fmt::format("Length of seq_lengths != input.dims({}), ({} vs. {})",
                                                           batch, lengths.num_elements(), in.dim(b)));
  const Ints length = lengths.AsInt64Vector(), strides = StridesOf(in.shape());
  for (std::size_t i = 0; i < length.size(); ++i) {
    require(length[i] >= 0, fmt::format("seq_lens({}) < 0", i));
    require(length[i] <= in.dim(s), fmt::format("seq_lens({}) > input.dims({})", i, sequence));
  }
  const std::size_t size = SizeOf(in.dtype());
  if (size == 0) UnsupportedDType(ctx, in.dtype());
  Array& out = ctx.Allocate(0, in.shape());
  if (in.num_elements() == 0) return;
  const std::int64_t inner =
      rank - 1 == std::max(sequence, batch) ? 1 : strides[static_cast<std::size_t>(std::max(s, b))];
  const std::int64_t sequence_step = strides[static_cast<std::size_t>(s)],
                     batch_step = strides[static_cast<std::size_t>(b)];
  const std::size_t bytes = static_cast<std::size_t>(inner) * size;
  ctx.pool().ParallelRanges(in.num_elements() / inner, RowsPerBlock(inner), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t at = row * inner, place = at / sequence_step % in.dim(s);
      const std::int64_t n = length[static_cast<std::size_t>(at / batch_step % in.dim(b))];
      const std::int64_t from = place < n ? at + (n - 1 - 2 * place) * sequence_step : at;
      std::copy_n(in.raw() + static_cast<std::size_t>(from) * size, bytes,
                  out.raw() + static_cast<std::size_t>(at) * size);
    }
  });
}
void Roll(KernelContext& ctx) {
  const Array in = ctx.input(0);
  static constexpr const char* kNames[] = {"shift", "axis"};
  if (in.rank() < 1) throw InvalidArgumentError(ctx.Where() + "input must be 1-D or higher");
  for (int i : {1, 2})
    if (ctx.input(i).rank() > 1)
      throw InvalidArgumentError(fmt::format("{}{} must be a scalar or a 1-D vector. Found: {}", ctx.Where(),
                                             kNames[i - 1], ctx.input(i).shape().ToString()));
  if (ctx.input(1).num_elements() != ctx.input(2).num_elements())
    throw InvalidArgumentError(ctx.Where() + "shift and axis must have the same size");
  const Ints shift = ctx.input(1).AsInt64Vector(), axes = ctx.input(2).AsInt64Vector();
  Ints moved(static_cast<std::size_t>(in.rank()), 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const int axis = AxisOf(ctx, axes[i], in.rank());
    std::int64_t& sum = moved[static_cast<std::size_t>(axis)];
    if (const std::int64_t n = in.dim(axis)) sum = ((sum + shift[i] % n) % n + n) % n;
  }
  const std::size_t size = SizeOf(in.dtype());
  if (size == 0) UnsupportedDType(ctx, in.dtype());
  Array& out = ctx.Allocate(0, in.shape());
  if (in.num_elements() == 0) return;
  const std::int64_t width = in.dim(in.rank() - 1), turn = moved.back();
  const Ints strides = StridesOf(in.shape());
  ctx.pool().ParallelRanges(in.num_elements() / width, RowsPerBlock(width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      std::int64_t to = 0;
      for (int d = 0; d < in.rank() - 1; ++d) {
        const auto at = static_cast<std::size_t>(d);
        to += (row * width / strides[at] % in.dim(d) + moved[at]) % in.dim(d) * strides[at];
      }
      const std::byte* from = in.raw() + static_cast<std::size_t>(row * width) * size;
      std::byte* target = out.raw() + static_cast<std::size_t>(to) * size;
      const std::size_t head = static_cast<std::size_t>(width - turn) * size,
                        tail = static_cast<std::size_t>(turn) * size;
      std::copy_n(from, head, target + tail);
      std::copy_n(from + head, tail, target);
    }
  });
}
void ParallelConcat(KernelContext& ctx) {
  const Shape shape = ctx.attrs().Get<PartialShape>("shape").Require();
  const std::size_t size = SizeOf(ctx.input(0).dtype());
  if (size == 0) UnsupportedDType(ctx, ctx.input(0).dtype());
  Ints row = shape.vector();
  if (row.empty() || row[0] < ctx.num_inputs())
    throw InvalidArgumentError(
        fmt::format("{}shape {} has no room for {} rows", ctx.Where(), shape.ToString(), ctx.num_inputs()));
  row[0] = 1;
  Array& out = ctx.Allocate(0, shape);
  std::fill_n(out.raw(), out.num_bytes(), std::byte{0});
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    const Array& value = ctx.input(i);
    if (!(value.shape() == Shape(row)))
      throw InvalidArgumentError(ctx.Where() + "update shape doesn't match: " + value.shape().ToString());
    std::copy_n(value.raw(), value.num_bytes(), out.raw() + static_cast<std::size_t>(i) * value.num_bytes());
  }
}
void StridedSliceGrad(KernelContext& ctx) {
  const Array dy = ctx.input(4);
  const auto count = static_cast<int>(ctx.input(1).num_elements());
  const Shape shape = CheckedShape(FailOf(ctx), ctx.input(0).AsInt64Vector());
  const SliceGeometry g = MakeSliceGeometry(FailOf(ctx), ctx.attrs(), shape, static_cast<std::size_t>(count),
                                            VectorOf(ctx, 1, count), VectorOf(ctx, 2, count), VectorOf(ctx, 3, count));
  if (!(dy.shape() == Shape(g.output)))
    throw InvalidArgumentError(fmt::format("{}shape of dy was {} instead of {}", ctx.Where(), dy.shape().ToString(),
                                           Shape(g.output).ToString()));
  const std::size_t size = SizeOf(dy.dtype());
  if (size == 0) UnsupportedDType(ctx, dy.dtype());
  const Ints strides = StridesOf(shape);
  Array& out = ctx.Allocate(0, shape);
  std::fill_n(out.raw(), out.num_bytes(), std::byte{0});
  for (std::int64_t i = 0; i < dy.num_elements(); ++i) {
    std::int64_t rest = i, to = 0;
    for (std::size_t d = g.dims.size(); d-- > 0;) {
      to += (g.dims[d].begin + rest % g.dims[d].size * g.dims[d].stride) * strides[d];
      rest /= g.dims[d].size;
    }
    std::copy_n(dy.raw() + static_cast<std::size_t>(i) * size, size, out.raw() + static_cast<std::size_t>(to) * size);
  }
}
void BroadcastTo(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const Shape shape = CheckedShape(FailOf(ctx), ctx.input(1).AsInt64Vector());
  const int extra = shape.rank() - in.rank();
  View view{.offset = 0, .dims = shape.vector(), .strides = Ints(static_cast<std::size_t>(shape.rank()))};
  const Ints strides = StridesOf(in.shape());
  for (int d = 0; d < in.rank(); ++d) {
    if (extra < 0 || (in.dim(d) != 1 && in.dim(d) != shape[d + extra]))
      throw InvalidArgumentError(
          fmt::format("{}Incompatible shapes: {} vs. {}", ctx.Where(), in.shape().ToString(), shape.ToString()));
    if (in.dim(d) != 1) view.strides[static_cast<std::size_t>(d + extra)] = strides[static_cast<std::size_t>(d)];
  }
  CopyView(ctx, in, std::move(view), 0, shape);
}
void MirrorPad(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const Shape& shape = in.shape();
  const Array& pads = ctx.input(1);
  if (pads.rank() != 2 || pads.dim(0) != shape.rank() || pads.dim(1) != 2)
    throw InvalidArgumentError(fmt::format("{}paddings must be a matrix with 2 columns and {} rows: {}", ctx.Where(),
                                           shape.rank(), pads.shape().ToString()));
  const std::int64_t edge = ctx.attrs().Get<std::string>("mode") == "REFLECT" ? 1 : 0;  // cells not repeated
  const Ints amounts = pads.AsInt64Vector(), strides = StridesOf(shape);
  Ints dims = shape.vector();
  std::vector<Ints> offsets(dims.size());  // of each output index along each dimension
  for (std::size_t d = 0; d < dims.size(); ++d) {
    const std::int64_t n = dims[d], before = amounts[2 * d], after = amounts[2 * d + 1];
    if (before < 0 || after < 0 || before > n - edge || after > n - edge)
      throw InvalidArgumentError(
          fmt::format("{}paddings must be non-negative and no greater than {} in dimension {}: {}, {}", ctx.Where(),
                      n - edge, d, before, after));
    dims[d] += before + after;
    for (std::int64_t i = -before; i < n + after; ++i) {
      const std::int64_t from = i < 0 ? -i - 1 + edge : i >= n ? 2 * n - 1 - edge - i : i;
      offsets[d].push_back(from * strides[d]);
    }
  }
  const Shape padded = CheckedShape(FailOf(ctx), dims);
  const std::size_t size = SizeOf(in.dtype());
  if (size == 0) UnsupportedDType(ctx, in.dtype());
  Array& out = ctx.Allocate(0, padded);
  if (padded.num_elements() == 0) return;
  // Dimensions at the end that are not padded move as one run.
  std::size_t moved = dims.size(), run = size;
  for (; moved > 0 && amounts[2 * moved - 2] == 0 && amounts[2 * moved - 1] == 0; --moved)
    run *= static_cast<std::size_t>(dims[moved - 1]);
  const std::int64_t runs = static_cast<std::int64_t>(out.num_bytes() / run);
  ctx.pool().ParallelRanges(runs, RowsPerBlock(static_cast<std::int64_t>(run)),
                            [&](std::int64_t begin, std::int64_t end) {
                              for (std::int64_t i = begin; i < end; ++i) {
                                std::int64_t rest = i, from = 0;
                                for (std::size_t d = moved; d-- > 0;) {
                                  from += offsets[d][static_cast<std::size_t>(rest % dims[d])];
                                  rest /= dims[d];
                                }
                                std::memcpy(out.raw() + static_cast<std::size_t>(i) * run,
                                            in.raw() + static_cast<std::size_t>(from) * size, run);
                              }
                            });
}
void IdentityN(KernelContext& ctx) {
  for (int i = 0; i < ctx.num_inputs(); ++i) ctx.set_output(i, ctx.input(i));
}
void RankOf(KernelContext& ctx) { ctx.Allocate(0, Shape{}).mutable_data<std::int32_t>()[0] = ctx.input(0).rank(); }
void SizeOfInput(KernelContext& ctx) {
  const std::int64_t n = ctx.input(0).num_elements();
  if (ctx.output_dtype(0) == DType::kInt64) {
    ctx.Allocate(0, Shape{}).mutable_data<std::int64_t>()[0] = n;
    return;
  }
  if (n > std::numeric_limits<std::int32_t>::max())
    throw InvalidArgumentError(fmt::format(
        "{}Number of elements was larger than representable by int32: {}; set out_type to int64", ctx.Where(), n));
  ctx.Allocate(0, Shape{}).mutable_data<std::int32_t>()[0] = static_cast<std::int32_t>(n);
}

namespace {
Shape RequireBlocks(KernelContext& ctx) {
  RequireNhwc(ctx);
  const Shape& shape = ctx.input(0).shape();
  if (shape.rank() != 4)
    throw InvalidArgumentError(ctx.Where() + "Input rank should be: 4 instead of: " + shape.ToString());
  return shape;
}
}  // namespace
void SpaceToDepth(KernelContext& ctx) {
  const Shape shape = RequireBlocks(ctx);
  const std::int64_t b = ctx.attrs().Get<std::int64_t>("block_size"), depth = shape[3], width = shape[2];
  if (shape[1] % b != 0 || width % b != 0)
    throw InvalidArgumentError(fmt::format("{}Image width {} and height {} should be divisible by block_size: {}",
                                           ctx.Where(), width, shape[1], b));
  View view{.offset = 0, .dims = {shape[0], shape[1] / b, width / b, b, b, depth}, .strides = {}};
  view.strides = {shape[1] * width * depth, b * width * depth, b * depth, width * depth, depth, 1};
  CopyView(ctx, ctx.input(0), std::move(view), 0, Shape{shape[0], shape[1] / b, width / b, depth * b * b});
}
void DepthToSpace(KernelContext& ctx) {
  const Shape shape = RequireBlocks(ctx);
  const std::int64_t b = ctx.attrs().Get<std::int64_t>("block_size"), height = shape[1], width = shape[2];
  if (shape[3] % (b * b) != 0)
    throw InvalidArgumentError(
        fmt::format("{}Input depth dimension {} should be divisible by: {}", ctx.Where(), shape[3], b * b));
  const std::int64_t depth = shape[3] / (b * b);
  View view{.offset = 0, .dims = {shape[0], height, b, width, b, depth}, .strides = {}};
  view.strides = {height * width * shape[3], width * shape[3], b * depth, shape[3], depth, 1};
  CopyView(ctx, ctx.input(0), std::move(view), 0, Shape{shape[0], height * b, width * b, depth});
}

}  // namespace equiv::cpu
