#include "kernels/cpu/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/base/flush.h"
#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/index_args.h"
#include "kernels/cpu/reduce.h"
#include "kernels/cpu/reduce_order.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;

struct Segment {
  std::int64_t id, first, rows;
};
// tf: SegmentReductionOp::Compute
std::vector<Segment> SortedSegments(KernelContext& ctx, const Array& data, const Array& ids) {
  if (data.rank() < 1) throw InvalidArgumentError(ctx.Where() + "input must be at least rank 1");
  if (ids.rank() != 1) throw InvalidArgumentError(ctx.Where() + "segment_ids should be a vector.");
  if (ids.dim(0) != data.dim(0))
    throw InvalidArgumentError(ctx.Where() + "segment_ids should be the same size as dimension 0 of input.");
  const Ints id = ids.AsInt64Vector();
  if (id.empty()) return {};
  if (id.back() < 0) throw InvalidArgumentError(ctx.Where() + "segment ids must be >= 0");
  std::vector<Segment> segments;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i > 0 && id[i] < id[i - 1]) throw InvalidArgumentError(ctx.Where() + "segment ids are not increasing");
    if (id[i] < 0)
      throw InvalidArgumentError(
          fmt::format("{}Segment id {} out of range [0, {}), possibly because 'segment_ids' input is not sorted.",
                      ctx.Where(), id[i], id.back() + 1));
    if (i == 0 || id[i] != id[i - 1]) segments.push_back({id[i], static_cast<std::int64_t>(i), 0});
    ++segments.back().rows;
  }
  return segments;
}

// tf: MaxReducer and MinReducer here are not those of Max and Min: packets leave a NaN out, a scalar NaN is replaced by
// what follows it.
template <class T>
struct PacketMax : MaxOp<T> {
  T operator()(T a, T b) const { return b > a ? b : a; }
};
template <class T>
struct PacketMin : MinOp<T> {
  T operator()(T a, T b) const { return b < a ? b : a; }
};
template <class T>
struct LastMax : MaxOp<T> {
  T operator()(T a, T b) const { return b < a ? a : b; }
};
template <class T>
struct LastMin : MinOp<T> {
  T operator()(T a, T b) const { return a < b ? a : b; }
};

template <class T>
T Quotient(T sum, std::int64_t rows) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(sum / static_cast<T>(rows));
  else
    return sum / Num<T>(static_cast<double>(rows));
}
template <template <class> class Op, template <class> class ScalarOp = Op, bool kMean = false>
void SortedSegment(KernelContext& ctx, int missing) {
  const ScopedFlushDenormals flush;
  const Array data = ctx.input(0);
  const std::vector<Segment> segments = SortedSegments(ctx, data, ctx.input(1));
  Ints dims = data.shape().vector();
  dims[0] = segments.empty() ? 0 : segments.back().id + 1;
  const std::int64_t inner = Product(data.shape(), 1, data.rank());
  ForReal(ctx, data.dtype(), [&]<class T>() {
    const T* x = data.data<T>();
    Array& output = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims));
    T* out = output.mutable_data<T>();
    std::fill_n(out, output.num_elements(), Num<T>(missing));
    ctx.pool().ParallelFor(static_cast<std::int64_t>(segments.size()), [&](std::int64_t i) {
      const Segment& segment = segments[static_cast<std::size_t>(i)];
      const T* from = x + segment.first * inner;
      T* to = out + segment.id * inner;
      if (segment.rows == 1) {
        std::copy_n(from, inner, to);
        return;
      }
      ReduceRowsInOrder<Op<T>, ScalarOp<T>>(from, segment.rows, inner, to);
      if constexpr (kMean)
        for (std::int64_t c = 0; c < inner; ++c) to[c] = Quotient(to[c], segment.rows);
    });
  });
}

template <class Op, class T>
void UnsortedSegment(KernelContext& ctx, const Array& data, const Ints& id, const Shape& shape, T start) {
  const std::int64_t inner = shape.rank() == 0 ? 1 : Product(shape, 1, shape.rank());
  const T* x = data.data<T>();
  Array& output = ctx.Allocate(0, shape);
  T* out = output.mutable_data<T>();
  std::fill_n(out, output.num_elements(), start);
  // Each block of columns runs through all rows in order.
  ctx.pool().ParallelRanges(inner, 1024, [&](std::int64_t begin, std::int64_t end) {
    for (std::size_t i = 0; i < id.size(); ++i) {
      if (id[i] < 0) continue;
      const T* from = x + static_cast<std::int64_t>(i) * inner;
      T* to = out + id[i] * inner;
      for (std::int64_t c = begin; c < end; ++c) to[c] = Op{}(to[c], from[c]);
    }
  });
}
template <class F>
void Unsorted(KernelContext& ctx, F run) {
  const Array data = ctx.input(0), ids = ctx.input(1);
  const std::int64_t segments = RankZeroInt(ctx, 2, "num_segments");
  if (segments < 0)
    throw InvalidArgumentError(fmt::format("{}Input num_segments == {} must not be negative.", ctx.Where(), segments));
  const std::span<const std::int64_t> dims = data.shape().dims(), lead = ids.shape().dims();
  if (dims.size() < lead.size() || !std::equal(lead.begin(), lead.end(), dims.begin()))
    throw InvalidArgumentError(fmt::format("{}data.shape = {} does not start with segment_ids.shape = {}", ctx.Where(),
                                           data.shape().ToString(), ids.shape().ToString()));
  Ints out_dims(dims.begin() + static_cast<std::ptrdiff_t>(lead.size()), dims.end());
  out_dims.insert(out_dims.begin(), segments);
  const Ints id = ids.AsInt64Vector();
  for (std::size_t i = 0; i < id.size(); ++i)
    if (id[i] >= segments)
      throw InvalidArgumentError(fmt::format("{}segment_ids[{}] = {} is out of range [0, {})", ctx.Where(),
                                             Position(ids.shape(), static_cast<std::int64_t>(i)), id[i], segments));
  const Shape shape = CheckedShape(FailOf(ctx), out_dims);
  ForReal(ctx, data.dtype(), [&]<class T>() { run.template operator()<T>(data, id, shape); });
}
}  // namespace

void SegmentSum(KernelContext& ctx) { SortedSegment<SumOp>(ctx, 0); }
void SegmentMean(KernelContext& ctx) { SortedSegment<SumOp, SumOp, true>(ctx, 0); }
void SegmentProd(KernelContext& ctx) { SortedSegment<ProdOp>(ctx, 1); }
void SegmentMax(KernelContext& ctx) { SortedSegment<PacketMax, LastMax>(ctx, 0); }
void SegmentMin(KernelContext& ctx) { SortedSegment<PacketMin, LastMin>(ctx, 0); }

void UnsortedSegmentSum(KernelContext& ctx) {
  Unsorted(ctx, [&ctx]<class T>(const Array& data, const Ints& id, const Shape& shape) {
    UnsortedSegment<SumOp<T>>(ctx, data, id, shape, Num<T>(0));
  });
}
void UnsortedSegmentProd(KernelContext& ctx) {
  Unsorted(ctx, [&ctx]<class T>(const Array& data, const Ints& id, const Shape& shape) {
    UnsortedSegment<ProdOp<T>>(ctx, data, id, shape, Num<T>(1));
  });
}
void UnsortedSegmentMax(KernelContext& ctx) {
  Unsorted(ctx, [&ctx]<class T>(const Array& data, const Ints& id, const Shape& shape) {
    UnsortedSegment<LastMax<T>>(ctx, data, id, shape, std::numeric_limits<T>::lowest());
  });
}
void UnsortedSegmentMin(KernelContext& ctx) {
  Unsorted(ctx, [&ctx]<class T>(const Array& data, const Ints& id, const Shape& shape) {
    UnsortedSegment<LastMin<T>>(ctx, data, id, shape, std::numeric_limits<T>::max());
  });
}

namespace {
// Adds the weights (1 each when there are none) of numbers below `size` to the bins of their row.
void Count(KernelContext& ctx, const Ints& numbers, std::int64_t rows, std::int64_t size, const Shape& shape,
           bool binary) {
  const Array weights = ctx.input(2);
  if (std::ranges::any_of(numbers, [](std::int64_t n) { return n < 0; }))
    throw InvalidArgumentError(ctx.Where() + "Input arr must be non-negative!");
  ForNumeric(ctx, weights.dtype(), [&]<class T>() {
    Array& bins = ctx.Allocate(0, shape);
    T* out = bins.mutable_data<T>();
    std::fill_n(out, bins.num_elements(), T{0});
    const std::size_t width = rows == 0 ? 0 : numbers.size() / static_cast<std::size_t>(rows);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] >= size) continue;
      T& bin = out[static_cast<std::int64_t>(i / width) * size + numbers[i]];
      if (binary)
        bin = T{1};
      else
        bin = Plus(bin, weights.num_elements() > 0 ? weights.data<T>()[i] : T{1});
    }
  });
}
std::int64_t SizeInput(KernelContext& ctx) {
  if (ctx.input(1).rank() != 0)
    throw InvalidArgumentError(
        fmt::format("{}Shape must be rank 0 but is rank {}: size", ctx.Where(), ctx.input(1).rank()));
  const std::int64_t size = ctx.input(1).AsInt64Vector()[0];
  if (size < 0) throw InvalidArgumentError(fmt::format("{}size ({}) must be non-negative", ctx.Where(), size));
  return size;
}
}  // namespace

void Bincount(KernelContext& ctx) {
  const std::int64_t size = SizeInput(ctx);
  const Array &arr = ctx.input(0), &weights = ctx.input(2);
  if (weights.num_elements() != 0 && weights.num_elements() != arr.num_elements())
    throw InvalidArgumentError(ctx.Where() + "Input indices and weights must have the same size.");
  Count(ctx, arr.AsInt64Vector(), 1, size, CheckedShape(FailOf(ctx), {size}), false);
}
void DenseBincount(KernelContext& ctx) {
  const std::int64_t size = SizeInput(ctx);
  const Array &input = ctx.input(0), &weights = ctx.input(2);
  if (input.rank() > 2)
    throw InvalidArgumentError(fmt::format("{}Shape must be at most rank 2 but is rank {}", ctx.Where(), input.rank()));
  if (weights.num_elements() != 0 && !(weights.shape() == input.shape()))
    throw InvalidArgumentError(
        fmt::format("{}`weights` must be the same shape as `arr` or a length-0 `Tensor`, in which case it acts as all "
                    "weights equal to 1. Received {}",
                    ctx.Where(), weights.shape().ToString()));
  const bool rows = input.rank() == 2;
  const Shape shape = CheckedShape(FailOf(ctx), rows ? Ints{input.dim(0), size} : Ints{size});
  Count(ctx, input.AsInt64Vector(), rows ? input.dim(0) : 1, size, shape, ctx.attrs().Get<bool>("binary_output"));
}

}  // namespace equiv::cpu
