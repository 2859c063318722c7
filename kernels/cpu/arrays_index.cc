#include "kernels/cpu/arrays_index.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <type_traits>

#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/index_args.h"
#include "kernels/cpu/reduce.h"
#include "kernels/cpu/reduce_order.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;

void GatherAlong(KernelContext& ctx, int axis, int batch_dims) {
  const Array params = ctx.input(0), indices = ctx.input(1);
  const Shape &shape = params.shape(), &where = indices.shape();
  for (int d = 0; d < batch_dims; ++d)
    if (shape[d] != where[d])
      throw InvalidArgumentError(fmt::format("{}params.shape[{}]: {} should be equal to indices.shape[{}]: {}",
                                             ctx.Where(), d, shape[d], d, where[d]));
  Ints dims;
  for (int d = 0; d < axis; ++d) dims.push_back(shape[d]);
  for (int d = batch_dims; d < where.rank(); ++d) dims.push_back(where[d]);
  for (int d = axis + 1; d < shape.rank(); ++d) dims.push_back(shape[d]);
  const Ints index = indices.AsInt64Vector();
  for (std::size_t i = 0; i < index.size(); ++i)
    if (index[i] < 0 || index[i] >= shape[axis])
      throw InvalidArgumentError(fmt::format("{}indices[{}] = {} is not in [0, {})", ctx.Where(),
                                             Position(where, static_cast<std::int64_t>(i)), index[i], shape[axis]));
  const auto inner =
      Product(shape, axis + 1, shape.rank()) * static_cast<std::int64_t>(RequireFixedSize(ctx, params.dtype()));
  const std::int64_t outer = Product(shape, batch_dims, axis), count = Product(where, batch_dims, where.rank());
  Array& out = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims));
  if (out.num_elements() == 0) return;
  ctx.pool().ParallelRanges(Product(shape, 0, axis) * count, RowsPerBlock(inner),
                            [&](std::int64_t begin, std::int64_t end) {
                              for (std::int64_t row = begin; row < end; ++row) {
                                const std::int64_t slice = row / count, batch = slice / outer;
                                const std::int64_t i = index[static_cast<std::size_t>(batch * count + row % count)];
                                std::memcpy(out.raw() + row * inner, params.raw() + (slice * shape[axis] + i) * inner,
                                            static_cast<std::size_t>(inner));
                              }
                            });
}
}  // namespace

void Gather(KernelContext& ctx) {
  if (ctx.input(0).rank() < 1) throw InvalidArgumentError(ctx.Where() + "params must be at least 1 dimensional");
  GatherAlong(ctx, 0, 0);
}
void GatherBatches(KernelContext& ctx) {
  const int rank = ctx.input(0).rank(), index_rank = ctx.input(1).rank();
  const std::int64_t given = ctx.attrs().Get<std::int64_t>("batch_dims"),
                     batch_dims = given < 0 ? given + index_rank : given;
  if (rank < 1) throw InvalidArgumentError(ctx.Where() + "params must be at least 1 dimensional");
  if (batch_dims < 0 || batch_dims > index_rank || batch_dims >= rank)
    throw InvalidArgumentError(fmt::format("{}batch_dims ({}) must be in [{}, {}] and less than rank(params) ({})",
                                           ctx.Where(), given, -index_rank, index_rank, rank));
  GatherAlong(ctx, static_cast<int>(batch_dims), static_cast<int>(batch_dims));
}
void GatherV2(KernelContext& ctx) {
  const int rank = ctx.input(0).rank(), index_rank = ctx.input(1).rank();
  if (rank < 1) throw InvalidArgumentError(ctx.Where() + "params must be at least 1 dimensional");
  const int axis = AxisOf(ctx, RankZeroInt(ctx, 2, "axis"), rank);
  const std::int64_t given = ctx.attrs().Get<std::int64_t>("batch_dims");
  const std::int64_t batch_dims = given < 0 ? given + index_rank : given;
  if (batch_dims < 0 || batch_dims > index_rank || batch_dims > axis)
    throw InvalidArgumentError(fmt::format("{}batch_dims ({}) must be in [{}, {}] and at most axis ({})", ctx.Where(),
                                           given, -index_rank, index_rank, axis));
  GatherAlong(ctx, axis, static_cast<int>(batch_dims));
}
void GatherNd(KernelContext& ctx) {
  const Array params = ctx.input(0), indices = ctx.input(1);
  const Shape &shape = params.shape(), &where = indices.shape();
  if (where.rank() < 1) throw InvalidArgumentError(ctx.Where() + "indices must be at least a vector");
  const auto depth = static_cast<int>(where[where.rank() - 1]);
  if (depth > shape.rank())
    throw InvalidArgumentError(fmt::format("{}index innermost dimension length must be <= params rank; saw: {} vs. {}",
                                           ctx.Where(), depth, shape.rank()));
  Ints dims(where.dims().begin(), where.dims().end() - 1);
  for (int d = depth; d < shape.rank(); ++d) dims.push_back(shape[d]);
  const auto inner =
      Product(shape, depth, shape.rank()) * static_cast<std::int64_t>(RequireFixedSize(ctx, params.dtype()));
  const std::int64_t rows = Product(where, 0, where.rank() - 1);
  if (rows > 0 && params.num_elements() == 0)
    throw InvalidArgumentError(fmt::format("{}Requested more than 0 entries, but params is empty.  Params shape: {}",
                                           ctx.Where(), shape.ToString()));
  const Ints index = indices.AsInt64Vector();
  Array& out = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims));
  for (std::int64_t row = 0; row < rows; ++row) {
    std::int64_t from = 0;
    const std::span<const std::int64_t> at(index.data() + row * depth, static_cast<std::size_t>(depth));
    for (int d = 0; d < depth; ++d) {
      const std::int64_t i = at[static_cast<std::size_t>(d)];
      if (i < 0 || i >= shape[d])
        throw InvalidArgumentError(fmt::format("{}indices[{}] = [{}] does not index into param shape {}", ctx.Where(),
                                               Position(Shape(where.dims().first(where.dims().size() - 1)), row),
                                               fmt::join(at, ", "), shape.ToString()));
      from = from * shape[d] + i;
    }
    if (inner > 0) std::memcpy(out.raw() + row * inner, params.raw() + from * inner, static_cast<std::size_t>(inner));
  }
}

void OneHot(KernelContext& ctx) {
  const Array indices = ctx.input(0), on = ctx.input(2), off = ctx.input(3);
  const std::int64_t depth = RankZeroInt(ctx, 1, "depth"), given = ctx.attrs().Get<std::int64_t>("axis");
  if (depth < 0) throw InvalidArgumentError(fmt::format("{}depth must be non-negative, got: {}", ctx.Where(), depth));
  for (const Array* value : {&on, &off})
    if (value->rank() != 0)
      throw InvalidArgumentError(ctx.Where() + "on_value and off_value must be scalars, got shape " +
                                 value->shape().ToString());
  const int axis = AxisOf(ctx, given, indices.rank() + 1);
  Ints dims = indices.shape().vector();
  dims.insert(dims.begin() + axis, depth);
  const std::size_t size = RequireFixedSize(ctx, on.dtype());
  Array& out = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims));
  for (std::int64_t i = 0; i < out.num_elements(); ++i)
    std::memcpy(out.raw() + static_cast<std::size_t>(i) * size, off.raw(), size);
  const std::int64_t inner = Product(indices.shape(), axis, indices.rank());
  const auto set = [&](std::int64_t i, std::int64_t hot) {
    if (hot >= 0 && hot < depth)
      std::memcpy(out.raw() + static_cast<std::size_t>((i / inner * depth + hot) * inner + i % inner) * size, on.raw(),
                  size);
  };
  const Ints hot = indices.AsInt64Vector();
  for (std::size_t i = 0; i < hot.size(); ++i) set(static_cast<std::int64_t>(i), hot[i]);
}

namespace {
template <class T, class Better>
void ArgBest(KernelContext& ctx, T start, Better better) {
  const Array in = ctx.input(0);
  const int axis = AxisOf(ctx, RankZeroInt(ctx, 1, "dim"), in.rank());
  const std::int64_t n = in.dim(axis), inner = Product(in.shape(), axis + 1, in.rank());
  if (n == 0)
    throw InvalidArgumentError(
        fmt::format("{}Reduction axis {} is empty in shape {}", ctx.Where(), axis, in.shape().ToString()));
  Ints dims = in.shape().vector();
  dims.erase(dims.begin() + axis);
  Array& out = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims));
  const T* x = in.data<T>();
  ctx.pool().ParallelRanges(out.num_elements(), RowsPerBlock(n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* from = x + i / inner * n * inner + i % inner;
      T best = start;
      std::int64_t at = 0;
      for (std::int64_t k = 0; k < n; ++k)
        if (better(from[k * inner], best)) best = from[k * inner], at = k;
      PutInt(out, i, at);
    }
  });
}
}  // namespace

void ArgMax(KernelContext& ctx) {
  if (ctx.input(0).dtype() == DType::kBool) return ArgBest<bool>(ctx, false, [](bool a, bool b) { return a && !b; });
  ForReal(ctx, ctx.input(0).dtype(),
          [&]<class T>() { ArgBest<T>(ctx, std::numeric_limits<T>::lowest(), [](T a, T b) { return a > b; }); });
}
void ArgMin(KernelContext& ctx) {
  if (ctx.input(0).dtype() == DType::kBool) return ArgBest<bool>(ctx, true, [](bool a, bool b) { return !a && b; });
  ForReal(ctx, ctx.input(0).dtype(),
          [&]<class T>() { ArgBest<T>(ctx, std::numeric_limits<T>::max(), [](T a, T b) { return a < b; }); });
}

namespace {
void TopKOf(KernelContext& ctx, std::int64_t k) {
  const Array in = ctx.input(0);
  if (k < 0) throw InvalidArgumentError(fmt::format("{}Need k >= 0, got {}", ctx.Where(), k));
  if (in.rank() < 1) throw InvalidArgumentError(ctx.Where() + "input must be >= 1-D, got shape []");
  const std::int64_t n = in.dim(in.rank() - 1);
  if (n < k)
    throw InvalidArgumentError(
        fmt::format("{}input must have at least k columns. Had {}, needed {}", ctx.Where(), n, k));
  Ints dims = in.shape().vector();
  dims.back() = k;
  const std::int64_t rows = Product(in.shape(), 0, in.rank() - 1);
  ForReal(ctx, in.dtype(), [&]<class T>() {
    const T* x = in.data<T>();
    T* values = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims)).template mutable_data<T>();
    Array& indices = ctx.Allocate(1, CheckedShape(FailOf(ctx), dims));
    ctx.pool().ParallelRanges(rows, RowsPerBlock(n * 4), [&](std::int64_t begin, std::int64_t end) {
      Ints order(static_cast<std::size_t>(n));
      for (std::int64_t row = begin; row < end; ++row) {
        const T* from = x + row * n;
        std::iota(order.begin(), order.end(), 0);
        // A NaN sorts behind everything, so that the order is a strict one.
        std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](std::int64_t a, std::int64_t b) {
          const bool a_nan = from[a] != from[a], b_nan = from[b] != from[b];
          if (a_nan || b_nan) return a_nan == b_nan ? a < b : b_nan;
          return from[a] > from[b] || (from[a] == from[b] && a < b);
        });
        for (std::int64_t i = 0; i < k; ++i) {
          const std::int64_t at = order[static_cast<std::size_t>(i)];
          values[row * k + i] = from[at];
          PutInt(indices, row * k + i, at);
        }
      }
    });
  });
}
}  // namespace
void TopK(KernelContext& ctx) { TopKOf(ctx, ctx.attrs().Get<std::int64_t>("k")); }
void TopKV2(KernelContext& ctx) { TopKOf(ctx, RankZeroInt(ctx, 1, "k")); }

namespace {
template <class T>
std::int64_t LengthOf(const FailFn& fail, T start, T limit, T delta) {
  if (delta == T{0}) fail("Requires delta != 0: 0");
  if (delta > T{0} ? start > limit : start < limit)
    fail(fmt::format("Requires start {} limit when delta {} 0: {}/{}",
                     delta > T{0} ? "<=" : ">=", delta > T{0} ? ">" : "<", start, limit));
  if constexpr (std::is_integral_v<T>) {
    const auto span = static_cast<std::uint64_t>(start < limit ? limit : start) -
                      static_cast<std::uint64_t>(start < limit ? start : limit);
    const auto step = delta > T{0} ? static_cast<std::uint64_t>(delta) : -static_cast<std::uint64_t>(delta);
    const std::uint64_t length = span / step + (span % step != 0 ? 1 : 0);
    if (length > std::uint64_t{1} << 62)
      fail(fmt::format("Requires ((limit - start) / delta) to be a number of elements: {}/{}/{}", start, limit, delta));
    return static_cast<std::int64_t>(length);
  } else {
    const T length = std::ceil(std::abs((limit - start) / delta));
    if (!(length < static_cast<T>(0x1p62)))
      fail(fmt::format("Requires ((limit - start) / delta) to be a number of elements: {}/{}/{}", start, limit, delta));
    return static_cast<std::int64_t>(length);
  }
}
}  // namespace

std::int64_t RangeLength(const FailFn& fail, const Array& start, const Array& limit, const Array& delta) {
  for (const Array* a : {&start, &limit, &delta})
    if (a->num_elements() != 1) fail("start, limit and delta must be scalars, got shape " + a->shape().ToString());
  const auto length = [&]<class T>() {
    return LengthOf(fail, start.data<T>()[0], limit.data<T>()[0], delta.data<T>()[0]);
  };
  switch (start.dtype()) {
    case DType::kFloat32:
      return length.operator()<float>();
    case DType::kFloat64:
      return length.operator()<double>();
    case DType::kInt32:
      return length.operator()<std::int32_t>();
    case DType::kInt64:
      return length.operator()<std::int64_t>();
    default:
      return -1;
  }
}

void Range(KernelContext& ctx) {
  const Array start = ctx.input(0), delta = ctx.input(2);
  // tf: the definition allows more types than have kernels
  ForNumeric(ctx, start.dtype(), []<class T>() {});
  const std::int64_t n = RangeLength(FailOf(ctx), start, ctx.input(1), delta);
  ForNumeric(ctx, start.dtype(), [&]<class T>() {
    T* out = ctx.Allocate(0, CheckedShape(FailOf(ctx), {n})).template mutable_data<T>();
    const T first = start.data<T>()[0], step = delta.data<T>()[0];
    for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(first + static_cast<T>(i) * step);
  });
}

// tf: LinSpaceOp: the last value is stop itself
void LinSpace(KernelContext& ctx) {
  static constexpr const char* kNames[] = {"start", "stop", "num"};
  for (int i = 0; i < 3; ++i)
    if (ctx.input(i).rank() != 0)
      throw InvalidArgumentError(
          fmt::format("{}{} must be a scalar, not shape {}", ctx.Where(), kNames[i], ctx.input(i).shape().ToString()));
  const std::int64_t n = ctx.input(2).AsInt64Vector()[0];
  if (n <= 0) throw InvalidArgumentError(fmt::format("{}Requires num > 0: {}", ctx.Where(), n));
  ForFloating(ctx, ctx.input(0).dtype(), [&]<class T>() {
    const T start = ctx.input(0).data<T>()[0], stop = ctx.input(1).data<T>()[0];
    T* out = ctx.Allocate(0, CheckedShape(FailOf(ctx), {n})).template mutable_data<T>();
    out[0] = start;
    if (n == 1) return;
    const T step = (stop - start) / static_cast<T>(n - 1);
    for (std::int64_t i = 1; i < n - 1; ++i) out[i] = start + step * static_cast<T>(i);
    out[n - 1] = stop;
  });
}

namespace {
template <class Op, class T>
void Scan(KernelContext& ctx, const Array& in) {
  const int axis = AxisOf(ctx, RankZeroInt(ctx, 1, "axis"), in.rank());
  const bool exclusive = ctx.attrs().Get<bool>("exclusive"), reverse = ctx.attrs().Get<bool>("reverse");
  const std::int64_t n = in.dim(axis), inner = Product(in.shape(), axis + 1, in.rank());
  const auto* x = reinterpret_cast<const T*>(in.raw());
  auto* y = reinterpret_cast<T*>(ctx.Allocate(0, in.shape()).raw());
  if (in.num_elements() == 0) return;
  ctx.pool().ParallelRanges(in.num_elements() / n, RowsPerBlock(n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i / inner * n * inner + i % inner;
      T total = Op::identity;
      for (std::int64_t k = 0; k < n; ++k) {
        const std::int64_t at = first + (reverse ? n - 1 - k : k) * inner;
        if (exclusive) y[at] = total;
        total = Op{}(total, x[at]);
        if (!exclusive) y[at] = total;
      }
    }
  });
}
// Integers wrap around, so their signs do not matter.
template <template <class> class Op>
void ScanReal(KernelContext& ctx) {
  const Array in = ctx.input(0);
  if (!IsInteger(in.dtype())) return ForAnyFloat(ctx, in.dtype(), [&]<class T>() { Scan<Op<T>, T>(ctx, in); });
  switch (SizeOf(in.dtype())) {
    case 1:
      return Scan<Op<std::uint8_t>, std::uint8_t>(ctx, in);
    case 2:
      return Scan<Op<std::uint16_t>, std::uint16_t>(ctx, in);
    case 4:
      return Scan<Op<std::uint32_t>, std::uint32_t>(ctx, in);
    default:
      return Scan<Op<std::uint64_t>, std::uint64_t>(ctx, in);
  }
}
}  // namespace
void Cumsum(KernelContext& ctx) { ScanReal<SumOp>(ctx); }
void Cumprod(KernelContext& ctx) { ScanReal<ProdOp>(ctx); }

namespace {
void InTopKOf(KernelContext& ctx, std::int64_t k) {
  const Array predictions = ctx.input(0), targets = ctx.input(1);
  if (predictions.rank() != 2) throw InvalidArgumentError(ctx.Where() + "predictions must be 2-dimensional");
  if (targets.rank() != 1) throw InvalidArgumentError(ctx.Where() + "targets must be 1-dimensional");
  if (predictions.dim(0) != targets.dim(0))
    throw InvalidArgumentError(fmt::format("{}First dimension of predictions {} must match length of targets {}",
                                           ctx.Where(), predictions.dim(0), targets.dim(0)));
  const Ints target = targets.AsInt64Vector();
  const std::int64_t classes = predictions.dim(1);
  bool* out = ctx.Allocate(0, targets.shape()).mutable_data<bool>();
  for (std::size_t i = 0; i < target.size(); ++i) {
    const float* row = predictions.data<float>() + static_cast<std::int64_t>(i) * classes;
    bool sure = target[i] >= 0 && target[i] < classes && std::isfinite(row[target[i]]);
    std::int64_t above = 0;
    for (std::int64_t c = 0; sure && c < classes; ++c) {
      sure = std::isfinite(row[c]);
      above += row[c] > row[target[i]];
    }
    out[i] = sure && above < k;
  }
}
}  // namespace
void InTopK(KernelContext& ctx) { InTopKOf(ctx, ctx.attrs().Get<std::int64_t>("k")); }
void InTopKV2(KernelContext& ctx) { InTopKOf(ctx, RankZeroInt(ctx, 2, "k")); }

namespace {
void ReduceBool(KernelContext& ctx, bool all) {
  const Array in = ctx.input(0);
  const Shape shape = in.shape();
  const std::vector<bool> reduced = ReducedAxes(FailOf(ctx), ctx.input(1).AsInt64Vector(), shape.rank());
  const bool keep = ctx.attrs().Get<bool>("keep_dims");
  Ints dims, strides(static_cast<std::size_t>(shape.rank()));
  std::int64_t step = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    const auto at = static_cast<std::size_t>(d);
    if (!reduced[at]) {
      strides[at] = step;
      step *= shape[d];
    }
  }
  for (int d = 0; d < shape.rank(); ++d) {
    const bool gone = reduced[static_cast<std::size_t>(d)];
    if (!gone || keep) dims.push_back(gone ? 1 : shape[d]);
  }
  const bool* x = in.data<bool>();
  Array& output = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims));
  bool* out = output.mutable_data<bool>();
  std::fill_n(out, output.num_elements(), all);
  for (std::int64_t i = 0; i < in.num_elements(); ++i) {
    if (x[i] == all) continue;
    std::int64_t rest = i, at = 0;
    for (int d = shape.rank() - 1; d >= 0; --d) {
      at += rest % shape[d] * strides[static_cast<std::size_t>(d)];
      rest /= shape[d];
    }
    out[at] = !all;
  }
}
}  // namespace
void All(KernelContext& ctx) { ReduceBool(ctx, true); }
void Any(KernelContext& ctx) { ReduceBool(ctx, false); }

}  // namespace equiv::cpu
