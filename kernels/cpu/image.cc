#include "kernels/cpu/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/cpu/image_scale.h"
#include "kernels/cpu/pool_cells.h"

namespace equiv::cpu {
namespace {

// Channels on each side; a longer reach changes nothing.
std::int64_t LrnRadius(KernelContext& ctx, std::int64_t depth) {
  return std::clamp<std::int64_t>(ctx.attrs().Get<std::int64_t>("depth_radius"), -1, depth);
}
}  // namespace

void ResizeNearestNeighbor(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const Shape shape = ResizedShape(ctx);
  const Scaler rows = MakeScaler(ctx, in.dim(1), shape[1]), columns = MakeScaler(ctx, in.dim(2), shape[2]);
  std::vector<std::int64_t> cells;
  for (std::int64_t x = 0; x < shape[2]; ++x) cells.push_back(columns.Nearest(x));
  const std::size_t bytes = SizeOf(in.dtype()) * static_cast<std::size_t>(shape[3]);
  std::byte* out = ctx.Allocate(0, shape).raw();
  if (shape.num_elements() == 0) return;
  ctx.pool().ParallelFor(shape[0] * shape[1], [&](std::int64_t row) {
    const std::int64_t from = row / shape[1] * in.dim(1) + rows.Nearest(row % shape[1]);
    for (std::int64_t x = 0; x < shape[2]; ++x)
      std::memcpy(out + static_cast<std::size_t>(row * shape[2] + x) * bytes,
                  in.raw() + static_cast<std::size_t>(from * in.dim(2) + cells[static_cast<std::size_t>(x)]) * bytes,
                  bytes);
  });
}

namespace {
// One row of a resized image, from the two rows of the original around it.
template <class T>
EQUIV_CPU_CLONES void BlendRow(const T* upper, const T* lower, const Blend* columns, std::int64_t width, float weight,
                               std::int64_t depth, float* out) {
  for (std::int64_t x = 0; x < width; ++x, out += depth) {
    const std::int64_t left = columns[x].lower * depth, right = columns[x].upper * depth;
    const float across = columns[x].weight;
    for (std::int64_t c = 0; c < depth; ++c) {
      const float a = static_cast<float>(upper[left + c]), b = static_cast<float>(upper[right + c]);
      const float d = static_cast<float>(lower[left + c]), e = static_cast<float>(lower[right + c]);
      const float top = a + (b - a) * across, bottom = d + (e - d) * across;
      out[c] = top + (bottom - top) * weight;
    }
  }
}
}  // namespace

void ResizeBilinear(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const Shape shape = ResizedShape(ctx);
  const std::vector<Blend> rows = Blends(MakeScaler(ctx, in.dim(1), shape[1])),
                           columns = Blends(MakeScaler(ctx, in.dim(2), shape[2]));
  const std::int64_t depth = shape[3], stride = in.dim(2) * depth;
  ForOrdered(ctx, in.dtype(), [&]<class T>() {
    const T* images = in.data<T>();
    float* out = ctx.Allocate(0, shape).mutable_data<float>();
    if (shape.num_elements() == 0) return;
    ctx.pool().ParallelFor(shape[0] * shape[1], [&](std::int64_t row) {
      const Blend& y = rows[static_cast<std::size_t>(row % shape[1])];
      const T* image = images + row / shape[1] * in.dim(1) * stride;
      BlendRow(image + y.lower * stride, image + y.upper * stride, columns.data(), shape[2], y.weight, depth,
               out + row * shape[2] * depth);
    });
  });
}

namespace {
// One row: x / (bias + alpha * sum of the squares of the neighbours)^beta; `sums` is scratch of `depth`.
EQUIV_CPU_CLONES void LrnRow(const float* x, std::int64_t depth, std::int64_t radius, float bias, float alpha,
                             float beta, float* __restrict__ sums, float* __restrict__ y) {
  std::fill_n(sums, depth, 0.0F);
  // Neighbours from the first to the last: the sum of each channel is made in the order of its neighbours.
  for (std::int64_t k = -radius; k <= radius; ++k)
    for (std::int64_t c = std::max<std::int64_t>(0, -k), end = std::min(depth, depth - k); c < end; ++c)
      sums[c] += x[c + k] * x[c + k];
  // tf: the usual powers have forms of their own
  if (beta == 0.5F)
    for (std::int64_t c = 0; c < depth; ++c) y[c] = x[c] / std::sqrt(bias + alpha * sums[c]);
  else if (beta == 1.0F)
    for (std::int64_t c = 0; c < depth; ++c) y[c] = x[c] / (bias + alpha * sums[c]);
  else if (beta == 0.75F)
    for (std::int64_t c = 0; c < depth; ++c) {
      const float root = std::sqrt(bias + alpha * sums[c]);
      y[c] = x[c] / (root * std::sqrt(root));
    }
  else
    for (std::int64_t c = 0; c < depth; ++c) y[c] = x[c] * std::pow(bias + alpha * sums[c], -beta);
}
}  // namespace

void Lrn(KernelContext& ctx) {
  const Array in = ctx.input(0);
  if (in.rank() != 4) throw InvalidArgumentError(ctx.Where() + "in must be 4-dimensional: " + in.shape().ToString());
  const std::int64_t depth = in.dim(3), radius = LrnRadius(ctx, depth);
  const float bias = ctx.attrs().Get<float>("bias"), alpha = ctx.attrs().Get<float>("alpha"),
              beta = ctx.attrs().Get<float>("beta");
  float* y = ctx.Allocate(0, in.shape()).mutable_data<float>();
  if (in.num_elements() == 0) return;
  ctx.pool().ParallelRanges(in.num_elements() / depth, RowsPerBlock(depth * 4),
                            [&](std::int64_t begin, std::int64_t end) {
                              std::vector<float> sums(static_cast<std::size_t>(depth));
                              for (std::int64_t row = begin * depth; row < end * depth; row += depth)
                                LrnRow(in.data<float>() + row, depth, radius, bias, alpha, beta, sums.data(), y + row);
                            });
}

void LrnGrad(KernelContext& ctx) {
  const Array grads = ctx.input(0), in = ctx.input(1), out = ctx.input(2);
  if (in.rank() != 4 || !(grads.shape() == in.shape()) || !(out.shape() == in.shape()))
    throw InvalidArgumentError(fmt::format(
        "{}input_grads, input_image, and out_image should be 4-dimensional and of one shape, got {}, {} and "
        "{}",
        ctx.Where(), grads.shape().ToString(), in.shape().ToString(), out.shape().ToString()));
  const std::int64_t depth = in.dim(3), radius = LrnRadius(ctx, depth);
  const float bias = ctx.attrs().Get<float>("bias"), alpha = ctx.attrs().Get<float>("alpha"),
              beta = ctx.attrs().Get<float>("beta");
  const float *g = grads.data<float>(), *x = in.data<float>(), *y = out.data<float>();
  float* dx = ctx.Allocate(0, in.shape()).mutable_data<float>();
  if (in.num_elements() == 0) return;
  // tf: LaunchLRNGrad: each channel j sends its share to the channels k it was divided by
  ctx.pool().ParallelRanges(
      in.num_elements() / depth, RowsPerBlock(depth * 16), [&](std::int64_t begin, std::int64_t end) {
        std::fill(dx + begin * depth, dx + end * depth, 0.0F);
        for (std::int64_t row = begin * depth; row < end * depth; row += depth)
          for (std::int64_t j = 0; j < depth; ++j) {
            const std::int64_t first = std::max<std::int64_t>(0, j - radius), last = std::min(depth - 1, j + radius);
            float norm = 0;
            for (std::int64_t k = first; k <= last; ++k) norm += x[row + k] * x[row + k];
            norm = alpha * norm + bias;
            const float power = std::pow(norm, -beta);
            for (std::int64_t k = first; k <= last; ++k) {
              float share = -2.0F * alpha * beta * x[row + k] * y[row + j] / norm;
              if (k == j) share += power;
              dx[row + k] += share * g[row + j];
            }
          }
      });
}

}  // namespace equiv::cpu
