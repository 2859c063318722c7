#include "kernels/cpu/batch_norm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/base/flush.h"
#include "kernels/cpu/channels_first.h"
#include "kernels/cpu/half_util.h"
#include "kernels/cpu/reduce_order.h"

namespace equiv::cpu {
namespace {

// T is the image's type, U the one it is computed in. tf: FusedBatchNorm<CPUDevice, T, U>
template <class T, class U>
EQUIV_CPU_CLONES void NormalizeRows(const T* in, const U* mean, const U* factor, const U* offset, std::int64_t rows,
                                    std::int64_t depth, bool relu, T* out) {
  for (std::int64_t i = 0; i < rows; ++i, in += depth, out += depth)
    for (std::int64_t c = 0; c < depth; ++c) {
      const U y = (static_cast<U>(in[c]) - mean[c]) * factor[c] + offset[c];
      out[c] = static_cast<T>(relu && y <= U{0} ? U{0} : y);
    }
}

// Sums of x, or of (x - mean)^2, over the rows for columns [0, n).
template <class T, class U>
EQUIV_CPU_CLONES void ColumnSums(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t n, bool packed,
                                 U* lanes, U* out) {
  const auto value = [=](std::int64_t row, std::int64_t j) { return static_cast<U>(x[row * stride + j]); };
  if (packed)
    ReducePacketColumns<SumOp<U>>(value, rows, n, lanes, out);
  else
    ReduceScalarColumns<SumOp<U>>(value, rows, n, out);
}
template <class T, class U>
EQUIV_CPU_CLONES void ColumnSquares(const T* x, const U* mean, std::int64_t rows, std::int64_t stride, std::int64_t n,
                                    bool packed, U* lanes, U* out) {
  const auto square = [=](std::int64_t row, std::int64_t j) {
    const U centred = static_cast<U>(x[row * stride + j]) - mean[j];
    return centred * centred;
  };
  if (packed)
    ReducePacketColumns<SumOp<U>>(square, rows, n, lanes, out);
  else
    ReduceScalarColumns<SumOp<U>>(square, rows, n, out);
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

// Output of a vector for each channel.
template <class U>
U* Statistics(KernelContext& ctx, int i, std::int64_t depth) {
  return ctx.Allocate(i, Shape{depth}).mutable_data<U>();
}

// The batch's mean and variance to outputs 3 and 4, what the moving averages take to 1 and 2.
template <class T, class U>
void BatchStatistics(KernelContext& ctx, const T* in, std::int64_t rows, std::int64_t depth, const Array& given_mean,
                     const Array& given_variance) {
  U *batch_mean = Statistics<U>(ctx, 1, depth), *batch_variance = Statistics<U>(ctx, 2, depth);
  U *mean = Statistics<U>(ctx, 3, depth), *variance = Statistics<U>(ctx, 4, depth);
  const U inverse = U{1} / static_cast<U>(rows);
  ForColumnBlocks<U>(ctx.pool(), depth, [&](std::int64_t c, std::int64_t n, bool packed, U* lanes) {
    ColumnSums(in + c, rows, depth, n, packed, lanes, mean + c);
    for (std::int64_t j = c; j < c + n; ++j) mean[j] *= inverse;
    ColumnSquares(in + c, mean + c, rows, depth, n, packed, lanes, variance + c);
    for (std::int64_t j = c; j < c + n; ++j) variance[j] *= inverse;
  });
  const U bessel = static_cast<U>(rows) / static_cast<U>(std::max<std::int64_t>(rows - 1, 1));
  const U f = static_cast<U>(ctx.attrs().Get<float>("exponential_avg_factor"));
  for (std::int64_t c = 0; c < depth; ++c) {
    if (f == U{1}) {
      batch_mean[c] = mean[c];
      batch_variance[c] = variance[c] * bessel;
    } else {
      batch_mean[c] = (U{1} - f) * given_mean.data<U>()[c] + f * mean[c];
      batch_variance[c] = (U{1} - f) * given_variance.data<U>()[c] + (f * bessel) * variance[c];
    }
  }
}

template <class T>
void BatchNormOf(KernelContext& ctx, bool relu) {
  using U = Wide<T>;
  const ScopedFlushDenormals flush;
  const Array scale = ctx.input(1), offset = ctx.input(2), given_mean = ctx.input(3), given_variance = ctx.input(4);
  const Shape shape = ctx.input(0).shape();
  const std::int64_t depth = shape.dim(shape.rank() - 1), rows = depth == 0 ? 0 : shape.num_elements() / depth;
  if (ctx.num_outputs() > 5) ctx.Allocate(5, Shape{}).template mutable_data<U>()[0] = U{0};
  if (rows == 0) {  // tf: statistics of nothing are NaN
    for (int i = 1; i < 5; ++i) std::fill_n(Statistics<U>(ctx, i, depth), depth, std::numeric_limits<U>::quiet_NaN());
    ctx.Allocate(0, shape);
    return;
  }
  const T* in = ctx.input(0).data<T>();
  if (ctx.attrs().Get<bool>("is_training")) {
    BatchStatistics<T, U>(ctx, in, rows, depth, given_mean, given_variance);
  } else {
    for (int i : {1, 3}) ctx.set_output(i, given_mean);
    for (int i : {2, 4}) ctx.set_output(i, given_variance);
  }
  const U *mean = ctx.output(3).data<U>(), *variance = ctx.output(4).data<U>(), *gamma = scale.data<U>();
  const U epsilon = static_cast<U>(ctx.attrs().Get<float>("epsilon"));
  std::vector<U> factor(static_cast<std::size_t>(depth));
  for (std::int64_t c = 0; c < depth; ++c)
    factor[static_cast<std::size_t>(c)] = (U{1} / std::sqrt(variance[c] + epsilon)) * gamma[c];
  T* out = ctx.AllocateOrForward(0, 0, shape).template mutable_data<T>();
  ctx.pool().ParallelRanges(rows, RowsPerBlock(depth), [&](std::int64_t a, std::int64_t b) {
    NormalizeRows(in + a * depth, mean, factor.data(), offset.data<U>(), b - a, depth, relu, out + a * depth);
  });
}

void Run(KernelContext& ctx, bool relu) {
  const Shape& x = ctx.input(0).shape();
  const int rank = static_cast<int>(ctx.attrs().Get<std::string>("data_format").size());
  if (x.rank() != rank)
    throw InvalidArgumentError(fmt::format("{}input must be {}-dimensional {}", ctx.Where(), rank, x.ToString()));
  const DType dtype = ctx.input(0).dtype(), wide = dtype == DType::kFloat64 ? dtype : DType::kFloat32;
  if (ctx.input(1).dtype() != wide)
    throw UnimplementedError(fmt::format("{}statistics of an image of {} must be {} on the CPU, got {}", ctx.Where(),
                                         Name(dtype), Name(wide), Name(ctx.input(1).dtype())));
  // Training with factor 1 does not look at the given statistics, which are often empty.
  const bool given = !ctx.attrs().Get<bool>("is_training") || ctx.attrs().Get<float>("exponential_avg_factor") != 1.0F;
  static const char* const kNames[] = {"x", "scale", "offset", "mean", "variance"};
  for (int i = 1; i < (given ? 5 : 3); ++i) {
    const Shape& s = ctx.input(i).shape();
    if (s.rank() != 1)
      throw InvalidArgumentError(fmt::format("{}{} must be 1-dimensional {}", ctx.Where(), kNames[i], s.ToString()));
    if (s.dim(0) != x.dim(rank - 1))
      throw InvalidArgumentError(
          fmt::format("{}{} must have the same number of elements as the channels of x, got {} and {}", ctx.Where(),
                      kNames[i], s.dim(0), x.dim(rank - 1)));
  }
  ForHalfOrFloating(ctx, dtype, [&]<class T>() { BatchNormOf<T>(ctx, relu); });
}
}  // namespace

void FusedBatchNorm(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, {.images = {0}, .sizes = {}, .results = {0}}, FusedBatchNorm);
  Run(ctx, false);
}
void FusedBatchNormEx(KernelContext& ctx) {
  const std::string& activation = ctx.attrs().Get<std::string>("activation_mode");
  if (activation != "Identity" && activation != "Relu")
    throw InvalidArgumentError(ctx.Where() + "Unsupported activation mode: " + activation);
  if (ctx.attrs().Get<std::int64_t>("num_side_inputs") != 0)
    throw UnimplementedError(ctx.Where() + "side inputs have no CPU kernel; add them with an op of their own");
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, {.images = {0}, .sizes = {}, .results = {0}}, FusedBatchNormEx);
  Run(ctx, activation == "Relu");
}

// tf: batchnorm_op.h, functor::BatchNorm
void BatchNormWithGlobalNormalization(KernelContext& ctx) {
  const Array x = ctx.input(0), mean = ctx.input(1), variance = ctx.input(2), beta = ctx.input(3), gamma = ctx.input(4);
  if (x.rank() != 4)
    throw InvalidArgumentError(fmt::format("{}input must be 4-dimensional{}", ctx.Where(), x.shape().ToString()));
  const std::int64_t depth = x.dim(3);
  static const char* const kNames[] = {"input", "mean", "var", "beta", "gamma"};
  for (int i = 1; i < 5; ++i)
    if (!(ctx.input(i).shape() == Shape{depth}))
      throw InvalidArgumentError(fmt::format("{}{} must have one value for each of the {} channels, got shape {}",
                                             ctx.Where(), kNames[i], depth, ctx.input(i).shape().ToString()));
  ForFloating(ctx, x.dtype(), [&]<class T>() {
    const ScopedFlushDenormals flush;
    const T epsilon = static_cast<T>(ctx.attrs().Get<float>("variance_epsilon"));
    const bool scaled = ctx.attrs().Get<bool>("scale_after_normalization");
    std::vector<T> factor(static_cast<std::size_t>(depth));
    for (std::size_t c = 0; c < factor.size(); ++c) {
      factor[c] = T{1} / std::sqrt(variance.data<T>()[c] + epsilon);
      if (scaled) factor[c] *= gamma.data<T>()[c];
    }
    T* out = ctx.Allocate(0, x.shape()).template mutable_data<T>();
    if (x.num_elements() == 0) return;
    ctx.pool().ParallelRanges(x.num_elements() / depth, RowsPerBlock(depth), [&](std::int64_t a, std::int64_t b) {
      NormalizeRows(x.data<T>() + a * depth, mean.data<T>(), factor.data(), beta.data<T>(), b - a, depth, false,
                    out + a * depth);
    });
  });
}

}  // namespace equiv::cpu
