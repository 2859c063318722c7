#include "kernels/cpu/batch_norm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/base/flush.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/reduce_order.h"

namespace equiv::cpu {
namespace {

template <class T>
EQUIV_CPU_CLONES void NormalizeRows(const T* in, const T* mean, const T* factor, const T* offset, std::int64_t rows,
                                    std::int64_t depth, T* out) {
  for (std::int64_t i = 0; i < rows; ++i, in += depth, out += depth)
    for (std::int64_t c = 0; c < depth; ++c) out[c] = (in[c] - mean[c]) * factor[c] + offset[c];
}

// Sums of x, or of (x - mean)^2, over the rows for columns [0, n).
template <class T>
EQUIV_CPU_CLONES void ColumnSums(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t n, bool packed,
                                 T* lanes, T* out) {
  const auto value = [=](std::int64_t row, std::int64_t j) { return x[row * stride + j]; };
  if (packed)
    ReducePacketColumns<SumOp<T>>(value, rows, n, lanes, out);
  else
    ReduceScalarColumns<SumOp<T>>(value, rows, n, out);
}
template <class T>
EQUIV_CPU_CLONES void ColumnSquares(const T* x, const T* mean, std::int64_t rows, std::int64_t stride, std::int64_t n,
                                    bool packed, T* lanes, T* out) {
  const auto square = [=](std::int64_t row, std::int64_t j) {
    const T centred = x[row * stride + j] - mean[j];
    return centred * centred;
  };
  if (packed)
    ReducePacketColumns<SumOp<T>>(square, rows, n, lanes, out);
  else
    ReduceScalarColumns<SumOp<T>>(square, rows, n, out);
}

constexpr std::int64_t kChunk = 32;  // columns of a block of work

// Calls sums(first column, columns, packed, lanes) over blocks that tell packets of columns from the rest.
template <class T, class F>
void ForColumnBlocks(ThreadPool& pool, std::int64_t depth, const F& sums) {
  const std::int64_t packed = depth / kPacket<T> * kPacket<T>;
  pool.ParallelRanges(depth, kChunk, [&](std::int64_t begin, std::int64_t end) {
    T lanes[4 * kChunk];
    const std::int64_t middle = std::clamp(packed, begin, end);
    if (middle > begin) sums(begin, middle - begin, true, lanes);
    if (end > middle) sums(middle, end - middle, false, lanes);
  });
}

template <class T>
void BatchNormOf(KernelContext& ctx) {
  const ScopedFlushDenormals flush;
  const Array &x = ctx.input(0), &scale = ctx.input(1), &offset = ctx.input(2);
  const Array given_mean = ctx.input(3), given_variance = ctx.input(4);
  const Shape shape = x.shape();
  const std::int64_t depth = shape.dim(3), elements = shape.num_elements(), rows = depth == 0 ? 0 : elements / depth;
  const T epsilon = static_cast<T>(ctx.attrs().Get<float>("epsilon"));
  const float avg_factor = ctx.attrs().Get<float>("exponential_avg_factor");
  const bool training = ctx.attrs().Get<bool>("is_training");
  const T* in = x.data<T>();
  const T *gamma = scale.data<T>(), *beta = offset.data<T>();

  ctx.Allocate(5, Shape{}).mutable_data<T>()[0] = T{0};
  const T *mean, *variance;
  if (training) {
    T* batch_mean = ctx.Allocate(1, Shape{depth}).mutable_data<T>();
    T* batch_variance = ctx.Allocate(2, Shape{depth}).mutable_data<T>();
    T* saved_mean = ctx.Allocate(3, Shape{depth}).mutable_data<T>();
    T* saved_variance = ctx.Allocate(4, Shape{depth}).mutable_data<T>();
    if (rows == 0) {  // tf: statistics of nothing are NaN
      for (T* out : {batch_mean, batch_variance, saved_mean, saved_variance})
        std::fill_n(out, depth, std::numeric_limits<T>::quiet_NaN());
      ctx.Allocate(0, shape);
      return;
    }
    const T inverse = T{1} / static_cast<T>(rows);
    ForColumnBlocks<T>(ctx.pool(), depth, [&](std::int64_t c, std::int64_t n, bool packed, T* lanes) {
      ColumnSums(in + c, rows, depth, n, packed, lanes, saved_mean + c);
      for (std::int64_t j = c; j < c + n; ++j) saved_mean[j] *= inverse;
      ColumnSquares(in + c, saved_mean + c, rows, depth, n, packed, lanes, saved_variance + c);
      for (std::int64_t j = c; j < c + n; ++j) saved_variance[j] *= inverse;
    });
    const T bessel = static_cast<T>(rows) / static_cast<T>(std::max<std::int64_t>(rows - 1, 1));
    const T f = static_cast<T>(avg_factor);
    for (std::int64_t c = 0; c < depth; ++c) {
      if (avg_factor == 1.0F) {
        batch_mean[c] = saved_mean[c];
        batch_variance[c] = saved_variance[c] * bessel;
      } else {
        batch_mean[c] = (T{1} - f) * given_mean.data<T>()[c] + f * saved_mean[c];
        batch_variance[c] = (T{1} - f) * given_variance.data<T>()[c] + (f * bessel) * saved_variance[c];
      }
    }
    mean = saved_mean;
    variance = saved_variance;
  } else {
    for (int i : {1, 3}) ctx.set_output(i, given_mean);
    for (int i : {2, 4}) ctx.set_output(i, given_variance);
    mean = given_mean.data<T>();
    variance = given_variance.data<T>();
  }
  std::vector<T> factor(static_cast<std::size_t>(depth));
  for (std::int64_t c = 0; c < depth; ++c)
    factor[static_cast<std::size_t>(c)] = (T{1} / std::sqrt(variance[c] + epsilon)) * gamma[c];
  T* out = ctx.AllocateOrForward(0, 0, shape).mutable_data<T>();
  if (elements == 0) return;
  ctx.pool().ParallelRanges(rows, RowsPerBlock(depth), [&](std::int64_t a, std::int64_t b) {
    NormalizeRows(in + a * depth, mean, factor.data(), beta, b - a, depth, out + a * depth);
  });
}
}  // namespace

void FusedBatchNormV3(KernelContext& ctx) {
  RequireNhwc(ctx);
  const Shape& x = ctx.input(0).shape();
  if (x.rank() != 4)
    throw InvalidArgumentError(fmt::format("{}input must be 4-dimensional {}", ctx.Where(), x.ToString()));
  if (ctx.input(1).dtype() != ctx.input(0).dtype())
    throw UnimplementedError(fmt::format("{}statistics must have the dtype of x on the CPU, got {} and {}", ctx.Where(),
                                         Name(ctx.input(1).dtype()), Name(ctx.input(0).dtype())));
  // Training with factor 1 does not look at the given statistics, which are often empty.
  const bool given = !ctx.attrs().Get<bool>("is_training") || ctx.attrs().Get<float>("exponential_avg_factor") != 1.0F;
  static const char* const kNames[] = {"x", "scale", "offset", "mean", "variance"};
  for (int i = 1; i < (given ? 5 : 3); ++i) {
    const Shape& s = ctx.input(i).shape();
    if (s.rank() != 1)
      throw InvalidArgumentError(fmt::format("{}{} must be 1-dimensional {}", ctx.Where(), kNames[i], s.ToString()));
    if (s.dim(0) != x.dim(3))
      throw InvalidArgumentError(
          fmt::format("{}{} must have the same number of elements as the channels of x, got {} and {}", ctx.Where(),
                      kNames[i], s.dim(0), x.dim(3)));
  }
  ForFloating(ctx, ctx.input(0).dtype(), [&]<class T>() { BatchNormOf<T>(ctx); });
}

}  // namespace equiv::cpu
