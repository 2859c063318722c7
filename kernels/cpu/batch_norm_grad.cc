#include "kernels/cpu/batch_norm_grad.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "kernels/base/flush.h"
#include "kernels/cpu/channels_first.h"
#include "kernels/cpu/half_util.h"

namespace equiv::cpu {
namespace {

template <class T>
void GradOf(KernelContext& ctx) {
  using U = Wide<T>;
  const ScopedFlushDenormals flush;
  const Array dy_array = ctx.input(0), x_array = ctx.input(1), scale_array = ctx.input(2), mean_array = ctx.input(3),
              variance_array = ctx.input(4);
  const T *dy = dy_array.data<T>(), *x = x_array.data<T>();
  const U *scale = scale_array.data<U>(), *mean = mean_array.data<U>(), *variance = variance_array.data<U>();
  const Shape shape = x_array.shape();
  const std::int64_t depth = shape[shape.rank() - 1], rows = depth == 0 ? 0 : shape.num_elements() / depth;
  const double epsilon = static_cast<double>(ctx.attrs().Get<float>("epsilon"));
  const bool training = ctx.attrs().Get<bool>("is_training");
  T* dx = ctx.Allocate(0, shape).template mutable_data<T>();
  U* dscale = ctx.Allocate(1, Shape{depth}).template mutable_data<U>();
  U* doffset = ctx.Allocate(2, Shape{depth}).template mutable_data<U>();
  for (int i : {3, 4}) ctx.Allocate(i, Shape{0});

  // For each channel: the sum of dy, and of dy * (x - mean).
  const std::int64_t block = RowsPerBlock(depth), blocks = (rows + block - 1) / block;
  std::vector<double> parts(static_cast<std::size_t>(blocks * depth * 2)), sums(static_cast<std::size_t>(depth * 2));
  ctx.pool().ParallelRanges(rows, block, [&](std::int64_t begin, std::int64_t end) {
    double* part = parts.data() + begin / block * depth * 2;
    for (std::int64_t row = begin; row < end; ++row)
      for (std::int64_t c = 0; c < depth; ++c) {
        const double g = static_cast<double>(Widen(dy[row * depth + c]));
        part[c] += g;
        part[depth + c] += g * (static_cast<double>(Widen(x[row * depth + c])) - static_cast<double>(mean[c]));
      }
  });
  for (std::size_t i = 0; i < parts.size(); ++i) sums[i % sums.size()] += parts[i];

  // dx = a * (dy - b - (x - mean) * d)
  std::vector<U> a(static_cast<std::size_t>(depth)), b(a.size()), d(a.size());
  for (std::size_t c = 0; c < a.size(); ++c) {
    const double sum = sums[c], centred = sums[c + a.size()];
    const double inverse = 1.0 / std::sqrt(static_cast<double>(variance[c]) + epsilon);
    doffset[c] = static_cast<U>(sum);
    dscale[c] = static_cast<U>(centred * inverse);
    a[c] = static_cast<U>(static_cast<double>(scale[c]) * inverse);
    b[c] = static_cast<U>(sum / static_cast<double>(rows));
    d[c] = static_cast<U>(centred / static_cast<double>(rows) * inverse * inverse);
  }
  if (rows == 0) return;
  ctx.pool().ParallelRanges(rows, block, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      for (std::int64_t c = 0; c < depth; ++c) {
        const std::int64_t i = row * depth + c;
        const auto k = static_cast<std::size_t>(c);
        const U g = Widen(dy[i]);
        dx[i] = static_cast<T>(training ? a[k] * ((g - b[k]) - (Widen(x[i]) - mean[c]) * d[k]) : a[k] * g);
      }
  });
}
}  // namespace

void FusedBatchNormGrad(KernelContext& ctx) {
  if (ChannelsFirst(ctx))
    return RunChannelsLast(ctx, {.images = {0, 1}, .sizes = {}, .results = {0}}, FusedBatchNormGrad);
  const Shape &dy = ctx.input(0).shape(), &x = ctx.input(1).shape();
  const int rank = static_cast<int>(ctx.attrs().Get<std::string>("data_format").size());
  if (x.rank() != rank || !(dy == x))
    throw InvalidArgumentError(fmt::format("{}x and y_backprop must be {}-dimensional and of one shape, got {} and {}",
                                           ctx.Where(), rank, x.ToString(), dy.ToString()));
  static const char* const kNames[] = {"scale", "saved mean", "saved variance"};
  for (int i = 2; i < 5; ++i)
    if (const Shape& s = ctx.input(i).shape(); s.rank() != 1 || s[0] != x[rank - 1])
      throw InvalidArgumentError(
          fmt::format("{}{} must be a vector with one value for each of the {} channels, got shape {}", ctx.Where(),
                      kNames[i - 2], x[rank - 1], s.ToString()));
  const DType dtype = ctx.input(1).dtype(), wide = dtype == DType::kFloat64 ? dtype : DType::kFloat32;
  for (int i = 2; i < 5; ++i)
    if (ctx.input(i).dtype() != wide)
      throw UnimplementedError(fmt::format("{}statistics of an image of {} must be {} on the CPU, got {}", ctx.Where(),
                                           Name(dtype), Name(wide), Name(ctx.input(i).dtype())));
  ForHalfOrFloating(ctx, dtype, [&]<class T>() { GradOf<T>(ctx); });
}

}  // namespace equiv::cpu
