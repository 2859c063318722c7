#include "kernels/cpu/reduce.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "kernels/base/flush.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/reduce_order.h"

namespace equiv::cpu {
namespace {

template <class Op, class T>
EQUIV_CPU_CLONES T Leaf(const T* x, std::int64_t n) {
  return ReduceLeaf<Op>(x, n);
}
template <class Op, class T>
EQUIV_CPU_CLONES void PacketColumns(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t n, T* lanes,
                                    T* out) {
  ReducePacketColumns<Op>([=](std::int64_t row, std::int64_t j) { return x[row * stride + j]; }, rows, n, lanes, out);
}
template <class Op, class T>
EQUIV_CPU_CLONES void ScalarColumns(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t n, T* out) {
  ReduceScalarColumns<Op>([=](std::int64_t row, std::int64_t j) { return x[row * stride + j]; }, rows, n, out);
}

// A run [first, first + n) of x: leaves joined as TensorFlow halves the run. `leaf` gives the reduction of one.
template <class Op, class T, class LeafFn>
T Halve(std::int64_t first, std::int64_t n, const LeafFn& leaf) {
  if (!Op::halved || n <= kLeaf<T>) return leaf(first, n);
  const std::int64_t left = LeftHalf<T>(first, n);
  const T a = Halve<Op, T>(first, left, leaf);
  return Op{}(Op{}(Op::identity, a), Halve<Op, T>(first + left, n - left, leaf));
}

// All of x, leaves in parallel.
template <class Op, class T>
T ReduceAll(ThreadPool& pool, const T* x, std::int64_t n) {
  if (!Op::halved || n <= kLeaf<T>) return Leaf<Op>(x, n);
  std::vector<std::pair<std::int64_t, std::int64_t>> leaves;
  Halve<Op, T>(0, n, [&](std::int64_t first, std::int64_t count) {
    leaves.emplace_back(first, count);
    return T{};
  });
  std::vector<T> values(leaves.size());
  pool.ParallelFor(static_cast<std::int64_t>(leaves.size()), [&](std::int64_t i) {
    const auto index = static_cast<std::size_t>(i);
    values[index] = Leaf<Op>(x + leaves[index].first, leaves[index].second);
  });
  std::size_t next = 0;
  return Halve<Op, T>(0, n, [&](std::int64_t, std::int64_t) { return values[next++]; });
}

// [rows, n] -> [rows].
template <class Op, class T>
void ReduceRows(ThreadPool& pool, const T* x, std::int64_t rows, std::int64_t n, T* out) {
  if (rows == 1) {
    out[0] = ReduceAll<Op>(pool, x, n);
    return;
  }
  pool.ParallelRanges(rows, RowsPerBlock(n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      out[row] =
          Halve<Op, T>(row * n, n, [&](std::int64_t first, std::int64_t count) { return Leaf<Op>(x + first, count); });
  });
}

constexpr std::int64_t kChunk = 64;  // columns of a block of work

// [outer, rows, columns] -> [outer, columns].
template <class Op, class T>
void ReduceMiddle(ThreadPool& pool, const T* x, std::int64_t outer, std::int64_t rows, std::int64_t columns, T* out) {
  constexpr std::int64_t P = kPacket<T>;
  const std::int64_t chunk = outer * columns >= 1024 ? kChunk : 16;
  const std::int64_t chunks = (columns + chunk - 1) / chunk;
  pool.ParallelFor(outer * chunks, [&](std::int64_t block) {
    T lanes[4 * kChunk];
    const std::int64_t slice = block / chunks, first = slice * columns;
    const T* from = x + slice * rows * columns;
    T* to = out + first;
    // Packets are counted over the whole result; one that reaches across two slices is taken apart into scalars.
    const std::int64_t packed_begin = (first + P - 1) / P * P - first, packed_end = (first + columns) / P * P - first;
    for (std::int64_t c = block % chunks * chunk, end = std::min(c + chunk, columns); c < end;) {
      const bool packed = c >= packed_begin && c < packed_end;
      const std::int64_t stop = std::min(end, packed ? packed_end : c < packed_begin ? packed_begin : columns);
      if (packed)
        PacketColumns<Op>(from + c, rows, columns, stop - c, lanes, to + c);
      else
        ScalarColumns<Op>(from + c, rows, columns, stop - c, to + c);
      c = stop;
    }
  });
}

// [a, kept, b] -> [kept], the first axis running fastest. tf: GenericDimReducer nests the reduced axes last to first
template <class Op, class T>
void ReduceAround(ThreadPool& pool, const T* x, std::int64_t a, std::int64_t kept, std::int64_t b, T* out) {
  pool.ParallelFor(kept, [&](std::int64_t j) {
    T sum = Op::identity;
    for (std::int64_t q = 0; q < b; ++q)
      for (std::int64_t p = 0; p < a; ++p) sum = Op{}(sum, x[(p * kept + j) * b + q]);
    out[j] = sum;
  });
}

// Neighbouring axes that are both reduced or both kept become one. tf: ReductionHelper::Simplify
struct Simplified {
  std::vector<std::int64_t> dims;
  bool first_reduced = false;
  bool nothing = false;  // no axis longer than 1 is reduced: a copy
};
Simplified Simplify(const Shape& shape, std::vector<bool> reduced) {
  Simplified s;
  int i = 0;
  while (i < shape.rank() && shape.dim(i) == 1) ++i;
  if (i == shape.rank()) return {.dims = {}, .first_reduced = false, .nothing = true};
  s.first_reduced = reduced[static_cast<std::size_t>(i)];
  s.dims.push_back(shape.dim(i));
  for (++i; i < shape.rank(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (shape.dim(i) == 1) reduced[at] = reduced[at - 1];
    if (reduced[at] != reduced[at - 1])
      s.dims.push_back(shape.dim(i));
    else
      s.dims.back() *= shape.dim(i);
  }
  s.nothing = s.dims.size() == 1 && !s.first_reduced;
  return s;
}

// Kept axes first, reduced axes last, both in order.
template <class T>
std::vector<T> Transposed(const T* x, const Simplified& s, std::int64_t& kept, std::int64_t& folded) {
  const int rank = static_cast<int>(s.dims.size());
  std::vector<int> order;
  for (int pass = 0; pass < 2; ++pass)
    for (int i = 0; i < rank; ++i)
      if ((i % 2 == 0 ? s.first_reduced : !s.first_reduced) == (pass == 1)) order.push_back(i);
  std::vector<std::int64_t> strides(static_cast<std::size_t>(rank), 1), index(static_cast<std::size_t>(rank), 0);
  std::int64_t total = 1;
  for (int i = rank - 1; i >= 0; --i) {
    strides[static_cast<std::size_t>(i)] = total;
    total *= s.dims[static_cast<std::size_t>(i)];
  }
  folded = 1;
  for (int i = s.first_reduced ? 0 : 1; i < rank; i += 2) folded *= s.dims[static_cast<std::size_t>(i)];
  kept = total / folded;
  std::vector<T> out(static_cast<std::size_t>(total));
  for (T& value : out) {
    std::int64_t offset = 0;
    for (int i = 0; i < rank; ++i) offset += index[static_cast<std::size_t>(i)] * strides[static_cast<std::size_t>(i)];
    value = x[offset];
    for (int j = rank - 1; j >= 0; --j) {
      const auto axis = static_cast<std::size_t>(order[static_cast<std::size_t>(j)]);
      if (++index[axis] < s.dims[axis]) break;
      index[axis] = 0;
    }
  }
  return out;
}

template <class Op, class T>
void ReduceTo(ThreadPool& pool, const T* x, const Simplified& s, T* out) {
  const auto& d = s.dims;
  if (d.size() == 1) {
    out[0] = ReduceAll<Op>(pool, x, d[0]);
  } else if (d.size() == 2) {
    if (s.first_reduced)
      ReduceMiddle<Op>(pool, x, 1, d[0], d[1], out);
    else
      ReduceRows<Op>(pool, x, d[0], d[1], out);
  } else if (d.size() == 3) {
    if (s.first_reduced)
      ReduceAround<Op>(pool, x, d[0], d[1], d[2], out);
    else
      ReduceMiddle<Op>(pool, x, d[0], d[1], d[2], out);
  } else {
    std::int64_t kept = 0, folded = 0;
    const std::vector<T> turned = Transposed(x, s, kept, folded);
    ReduceRows<Op>(pool, turned.data(), kept, folded, out);
  }
}

// Reduces `input` to output 0 of `shape`, as `simplified` says; T is `input`'s element type.
template <class Op, class T>
void ReduceInto(ThreadPool& pool, const Array& input, const Simplified& simplified, Array& output) {
  T* out = output.mutable_data<T>();
  const std::int64_t n = output.num_elements();
  if (n == 0) return;
  if (input.num_elements() == 0)
    std::fill_n(out, n, Op::identity);
  else
    ReduceTo<Op>(pool, input.data<T>(), simplified, out);
}

struct Reduction {
  Shape shape;  // of the result
  Simplified simplified;
};
Reduction MakeReduction(KernelContext& ctx, const Shape& in) {
  const std::vector<bool> reduced = ReducedAxes(FailOf(ctx), ctx.input(1).AsInt64Vector(), in.rank());
  const bool keep = ctx.attrs().Get<bool>("keep_dims");
  std::vector<std::int64_t> dims;
  for (int i = 0; i < in.rank(); ++i) {
    if (!reduced[static_cast<std::size_t>(i)])
      dims.push_back(in.dim(i));
    else if (keep)
      dims.push_back(1);
  }
  return {Shape(dims), Simplify(in, reduced)};
}

// Integers of any width, taken for int64: what wraps around keeps its low bits. `flip` is added to and taken from
// the elements, to order unsigned ones as signed ones are.
Array Widened(const Array& in, std::uint64_t flip) {
  Array out(DType::kInt64, in.shape());
  const std::vector<std::int64_t> values = in.AsInt64Vector();
  for (std::size_t i = 0; i < values.size(); ++i)
    out.mutable_data<std::int64_t>()[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(values[i]) ^ flip);
  return out;
}
template <class T>
void Narrow(const Array& wide, std::uint64_t flip, Array& out) {
  for (std::int64_t i = 0; i < wide.num_elements(); ++i)
    out.mutable_data<T>()[i] = static_cast<T>(static_cast<std::uint64_t>(wide.data<std::int64_t>()[i]) ^ flip);
}
std::uint64_t FlipOf(DType dtype) { return dtype == DType::kUInt64 ? std::uint64_t{1} << 63 : 0; }

template <template <class> class Op>
Array ReduceInteger(KernelContext& ctx, const Array& input, const Reduction& reduction, bool ordered) {
  const std::uint64_t flip = ordered ? FlipOf(input.dtype()) : 0;
  Array wide(DType::kInt64, reduction.shape), out(input.dtype(), reduction.shape);
  ReduceInto<Op<std::int64_t>, std::int64_t>(ctx.pool(), Widened(input, flip), reduction.simplified, wide);
  if (ordered && input.num_elements() == 0) {  // the type's own extreme value
    ForInteger(ctx, input.dtype(),
               [&]<class T>() { std::fill_n(out.mutable_data<T>(), out.num_elements(), Op<T>::identity); });
    return out;
  }
  ForInteger(ctx, input.dtype(), [&]<class T>() { Narrow<T>(wide, flip, out); });
  return out;
}

template <template <class> class Op>
void Reduce(KernelContext& ctx, const Array& input, bool ordered = false) {
  const ScopedFlushDenormals flush;
  const DType dtype = input.dtype();
  const Reduction reduction = MakeReduction(ctx, input.shape());
  if (reduction.simplified.nothing) return ctx.set_output(0, input.Reshaped(reduction.shape));
  if (IsInteger(dtype) && dtype != DType::kInt32 && dtype != DType::kInt64)
    return ctx.set_output(0, ReduceInteger<Op>(ctx, input, reduction, ordered));
  const auto reduce = [&]<class T>() {
    ReduceInto<Op<T>, T>(ctx.pool(), input, reduction.simplified, ctx.Allocate(0, reduction.shape));
  };
  if (dtype == DType::kFloat16) return reduce.template operator()<Float16>();
  if (dtype == DType::kBFloat16) return reduce.template operator()<BFloat16>();
  ForNumeric(ctx, dtype, reduce);
}

// tf: CASTING_SPECIALIZATION: the mean of integers adds up in 64 bits
void MeanOfIntegers(KernelContext& ctx, const Array& input) {
  const Reduction reduction = MakeReduction(ctx, input.shape());
  if (reduction.simplified.nothing) return ctx.set_output(0, input.Reshaped(reduction.shape));
  Array wide(DType::kInt64, reduction.shape);
  ReduceInto<SumOp<std::int64_t>, std::int64_t>(ctx.pool(), Widened(input, 0), reduction.simplified, wide);
  const std::int64_t count =
      wide.num_elements() == 0 ? 1 : std::max<std::int64_t>(1, input.num_elements() / wide.num_elements());
  ForInteger(ctx, input.dtype(), [&]<class T>() {
    T* out = ctx.Allocate(0, reduction.shape).template mutable_data<T>();
    for (std::int64_t i = 0; i < wide.num_elements(); ++i) {
      const std::int64_t sum = wide.data<std::int64_t>()[i];
      out[i] = std::is_signed_v<T>
                   ? static_cast<T>(sum / count)
                   : static_cast<T>(static_cast<std::uint64_t>(sum) / static_cast<std::uint64_t>(count));
    }
  });
}

// Squares in double: sixteen lanes, then halves.
template <class T>
EQUIV_CPU_CLONES double SumOfSquares(const T* x, std::int64_t n) {
  constexpr std::int64_t kLanes = 16;
  double lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (std::int64_t j = 0; j < kLanes; ++j) {
      const double v = static_cast<double>(x[i + j]);
      lanes[j] += v * v;
    }
  for (std::int64_t j = 0; i < n; ++i, ++j) lanes[j] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2)
    for (std::int64_t j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  return lanes[0];
}

template <class T>
T HalfSumOfSquares(ThreadPool& pool, const T* x, std::int64_t n) {
  constexpr std::int64_t kBlock = 16384;
  std::vector<double> parts(static_cast<std::size_t>((n + kBlock - 1) / kBlock));
  pool.ParallelRanges(n, kBlock, [&](std::int64_t begin, std::int64_t end) {
    parts[static_cast<std::size_t>(begin / kBlock)] = SumOfSquares(x + begin, end - begin);
  });
  double total = 0;
  for (double part : parts) total += part;
  return static_cast<T>(total * 0.5);
}
}  // namespace

std::vector<bool> ReducedAxes(const FailFn& fail, const std::vector<std::int64_t>& axes, int rank) {
  std::vector<bool> reduced(static_cast<std::size_t>(rank));
  for (std::int64_t axis : axes) {
    if (axis < -rank || axis >= rank)
      fail(fmt::format("Invalid reduction dimension {} for input with {} dimensions", axis, rank));
    auto&& slot = reduced[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)];
    if (slot) fail(fmt::format("Invalid reduction arguments: Axes contains duplicate dimension: {}", axis));
    slot = true;
  }
  return reduced;
}

template <class T>
T SumInOrder(const T* x, std::int64_t n) {
  return Halve<SumOp<T>, T>(0, n,
                            [&](std::int64_t first, std::int64_t count) { return Leaf<SumOp<T>>(x + first, count); });
}
template float SumInOrder(const float*, std::int64_t);
template double SumInOrder(const double*, std::int64_t);
template Float16 SumInOrder(const Float16*, std::int64_t);
template BFloat16 SumInOrder(const BFloat16*, std::int64_t);

namespace {
// tf: sums and norms of bfloat16 are taken in float32
template <class F>
void InFloat(KernelContext& ctx, const Array& input, F finish) {
  const ScopedFlushDenormals flush;
  const Reduction reduction = MakeReduction(ctx, input.shape());
  Array sums(DType::kFloat32, reduction.shape);
  if (reduction.simplified.nothing)
    sums = input.Reshaped(reduction.shape);
  else
    ReduceInto<SumOp<float>, float>(ctx.pool(), input, reduction.simplified, sums);
  BFloat16* out = ctx.Allocate(0, reduction.shape).mutable_data<BFloat16>();
  for (std::int64_t i = 0; i < sums.num_elements(); ++i) out[i] = BFloat16(finish(sums.data<float>()[i]));
}
Array FloatsOf(const Array& in) {
  Array out(DType::kFloat32, in.shape());
  for (std::int64_t i = 0; i < in.num_elements(); ++i)
    out.mutable_data<float>()[i] = static_cast<float>(in.data<BFloat16>()[i]);
  return out;
}
}  // namespace
void Sum(KernelContext& ctx) {
  const Array input = ctx.input(0);
  if (input.dtype() != DType::kBFloat16) return Reduce<SumOp>(ctx, input);
  InFloat(ctx, FloatsOf(input), [](float sum) { return sum; });
}
Array SumOfRows(KernelContext& ctx, const Array& matrix) {
  AttrMap attrs{{"keep_dims", false}};
  std::vector<Array> inputs{matrix, Array::Of<std::int32_t>(Shape{1}, {1})}, outputs(1);
  const DType dtype = matrix.dtype();
  KernelContext inner(ctx.def(), attrs, ctx.node_name(), inputs, outputs, std::span(&dtype, 1), ctx.resources(),
                      ctx.pool());
  Sum(inner);
  return outputs[0];
}
void Mean(KernelContext& ctx) {
  const Array input = ctx.input(0);
  if (IsInteger(input.dtype())) return MeanOfIntegers(ctx, input);
  Reduce<SumOp>(ctx, input);
  const ScopedFlushDenormals flush;
  const std::int64_t n = ctx.output(0).num_elements();
  if (n == 0) return;
  const std::int64_t count = input.num_elements() / n;
  if (count == 1) return;  // the sums may be the input itself
  ForAnyFloat(ctx, input.dtype(), [&]<class T>() {
    T* out = ctx.output(0).template mutable_data<T>();
    if (count == 0) return static_cast<void>(std::fill_n(out, n, std::numeric_limits<T>::quiet_NaN()));
    for (std::int64_t i = 0; i < n; ++i) out[i] = out[i] / Num<T>(static_cast<double>(count));
  });
}
void Max(KernelContext& ctx) { Reduce<MaxOp>(ctx, ctx.input(0), true); }
void Min(KernelContext& ctx) { Reduce<MinOp>(ctx, ctx.input(0), true); }
void Prod(KernelContext& ctx) { Reduce<ProdOp>(ctx, ctx.input(0)); }
void EuclideanNorm(KernelContext& ctx) {
  const ScopedFlushDenormals flush;
  const Array t = ctx.input(0);
  if (t.dtype() == DType::kBFloat16) {
    Array squares = FloatsOf(t);
    for (std::int64_t i = 0; i < squares.num_elements(); ++i)
      squares.mutable_data<float>()[i] *= squares.data<float>()[i];
    return InFloat(ctx, squares, [](float sum) { return std::sqrt(sum); });
  }
  ForReal(ctx, t.dtype(), [&]<class T>() {
    Array squares(t.dtype(), t.shape());
    for (std::int64_t i = 0; i < t.num_elements(); ++i)
      squares.mutable_data<T>()[i] = Times(t.data<T>()[i], t.data<T>()[i]);
    Reduce<SumOp>(ctx, squares);
    Array sums = ctx.output(0).Copy();  // the squares themselves when no axis is reduced
    for (std::int64_t i = 0; i < sums.num_elements(); ++i) {
      const T sum = sums.data<T>()[i];
      if constexpr (std::is_integral_v<T>)
        sums.mutable_data<T>()[i] = static_cast<T>(std::sqrt(static_cast<double>(sum)));
      else
        sums.mutable_data<T>()[i] = sqrt(sum);
    }
    ctx.set_output(0, std::move(sums));
  });
}

void L2Loss(KernelContext& ctx) {
  const ScopedFlushDenormals flush;
  const Array& t = ctx.input(0);
  ForAnyFloat(ctx, t.dtype(), [&]<class T>() {
    T* out = ctx.Allocate(0, Shape{}).template mutable_data<T>();
    if constexpr (HalfPrecision<T>) {
      std::vector<T> terms;
      for (T v : t.span<T>()) terms.push_back((v * v) * Num<T>(0.5));
      out[0] = ReduceAll<SumOp<T>>(ctx.pool(), terms.data(), static_cast<std::int64_t>(terms.size()));
    } else {
      out[0] = HalfSumOfSquares(ctx.pool(), t.data<T>(), t.num_elements());
    }
  });
}

}  // namespace equiv::cpu
