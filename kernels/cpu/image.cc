#include "kernels/cpu/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {
namespace {

// How output positions of one axis map to input positions. tf: CalculateResizeScale, ImageResizerState
struct Scaler {
  std::int64_t in = 0, out = 0;
  float scale = 1;
  bool align = false, half = false;
};
Scaler MakeScaler(KernelContext& ctx, std::int64_t in, std::int64_t out) {
  Scaler s{.in = in,
           .out = out,
           .scale = 1,
           .align = ctx.attrs().Get<bool>("align_corners"),
           .half = ctx.attrs().Get<bool>("half_pixel_centers")};
  if (s.align && s.half)
    throw InvalidArgumentError(ctx.Where() + "If half_pixel_centers is True, align_corners must be False.");
  s.scale = s.align && out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                               : static_cast<float>(in) / static_cast<float>(out);
  return s;
}
Shape ResizedShape(KernelContext& ctx) {
  const Shape& in = ctx.input(0).shape();
  if (in.rank() != 4) throw InvalidArgumentError(ctx.Where() + "input must be 4-dimensional: " + in.ToString());
  if (ctx.input(1).rank() != 1 || ctx.input(1).num_elements() != 2)
    throw InvalidArgumentError(ctx.Where() + "size must be a vector of 2 values, got shape " +
                               ctx.input(1).shape().ToString());
  const std::vector<std::int64_t> size = ctx.input(1).AsInt64Vector();
  if (size[0] <= 0 || size[1] <= 0)
    throw InvalidArgumentError(
        fmt::format("{}output dimensions must be positive, got {} and {}", ctx.Where(), size[0], size[1]));
  if (in[1] <= 0 || in[2] <= 0)
    throw InvalidArgumentError(ctx.Where() + "input image must be of non-zero size: " + in.ToString());
  return {in[0], size[0], size[1], in[3]};
}

std::vector<std::int64_t> NearestCells(const Scaler& s) {
  std::vector<std::int64_t> cells;
  for (std::int64_t i = 0; i < s.out; ++i) {
    const float at = (static_cast<float>(i) + (s.half ? 0.5F : 0.0F)) * s.scale;
    const auto cell = static_cast<std::int64_t>(s.align ? std::round(at) : std::floor(at));
    cells.push_back(std::clamp<std::int64_t>(cell, 0, s.in - 1));
  }
  return cells;
}

struct Blend {
  std::int64_t lower, upper;
  float weight;  // of the upper cell
};
std::vector<Blend> Blends(const Scaler& s) {
  std::vector<Blend> blends;
  for (std::int64_t i = 0; i < s.out; ++i) {
    const float at = s.half ? (static_cast<float>(i) + 0.5F) * s.scale - 0.5F : static_cast<float>(i) * s.scale;
    const float floor = std::floor(at);
    blends.push_back({std::clamp<std::int64_t>(static_cast<std::int64_t>(floor), 0, s.in - 1),
                      std::min(static_cast<std::int64_t>(std::ceil(at)), s.in - 1), at - floor});
  }
  return blends;
}
}  // namespace

void ResizeNearestNeighbor(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const Shape shape = ResizedShape(ctx);
  const std::vector<std::int64_t> rows = NearestCells(MakeScaler(ctx, in.dim(1), shape[1])),
                                  columns = NearestCells(MakeScaler(ctx, in.dim(2), shape[2]));
  const std::size_t bytes = SizeOf(in.dtype()) * static_cast<std::size_t>(shape[3]);
  std::byte* out = ctx.Allocate(0, shape).raw();
  if (shape.num_elements() == 0) return;
  ctx.pool().ParallelFor(shape[0] * shape[1], [&](std::int64_t row) {
    const std::int64_t from = row / shape[1] * in.dim(1) + rows[static_cast<std::size_t>(row % shape[1])];
    for (std::int64_t x = 0; x < shape[2]; ++x)
      std::memcpy(out + static_cast<std::size_t>(row * shape[2] + x) * bytes,
                  in.raw() + static_cast<std::size_t>(from * in.dim(2) + columns[static_cast<std::size_t>(x)]) * bytes,
                  bytes);
  });
}

void ResizeBilinear(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const Shape shape = ResizedShape(ctx);
  const std::vector<Blend> rows = Blends(MakeScaler(ctx, in.dim(1), shape[1])),
                           columns = Blends(MakeScaler(ctx, in.dim(2), shape[2]));
  const std::int64_t depth = shape[3], width = in.dim(2);
  const auto resize = [&]<class T>() {
    const T* images = in.data<T>();
    float* out = ctx.Allocate(0, shape).mutable_data<float>();
    if (shape.num_elements() == 0) return;
    ctx.pool().ParallelFor(shape[0] * shape[1], [&](std::int64_t row) {
      const Blend& y = rows[static_cast<std::size_t>(row % shape[1])];
      const T* image = images + row / shape[1] * in.dim(1) * width * depth;
      for (std::int64_t column = 0; column < shape[2]; ++column) {
        const Blend& x = columns[static_cast<std::size_t>(column)];
        float* to = out + (row * shape[2] + column) * depth;
        const auto cell = [&](std::int64_t i, std::int64_t j, std::int64_t c) {
          return static_cast<float>(image[(i * width + j) * depth + c]);
        };
        for (std::int64_t c = 0; c < depth; ++c) {
          const float a = cell(y.lower, x.lower, c), b = cell(y.lower, x.upper, c);
          const float d = cell(y.upper, x.lower, c), e = cell(y.upper, x.upper, c);
          const float top = a + (b - a) * x.weight, bottom = d + (e - d) * x.weight;
          to[c] = top + (bottom - top) * y.weight;
        }
      }
    });
  };
  if (in.dtype() == DType::kUInt8) return resize.operator()<std::uint8_t>();
  ForNumeric(ctx, in.dtype(), resize);
}

void Lrn(KernelContext& ctx) {
  const Array in = ctx.input(0);
  if (in.rank() != 4) throw InvalidArgumentError(ctx.Where() + "in must be 4-dimensional: " + in.shape().ToString());
  if (in.dtype() != DType::kFloat32) UnsupportedDType(ctx, in.dtype());
  const std::int64_t depth = in.dim(3), radius = ctx.attrs().Get<std::int64_t>("depth_radius");
  const float bias = ctx.attrs().Get<float>("bias"), alpha = ctx.attrs().Get<float>("alpha"),
              beta = ctx.attrs().Get<float>("beta");
  const float* x = in.data<float>();
  float* y = ctx.Allocate(0, in.shape()).mutable_data<float>();
  if (in.num_elements() == 0) return;
  ctx.pool().ParallelRanges(
      in.num_elements() / depth, RowsPerBlock(depth * 16), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row)
          for (std::int64_t c = 0; c < depth; ++c) {
            float sum = 0;
            for (std::int64_t k = std::max<std::int64_t>(0, c - radius), last = std::min(depth - 1, c + radius);
                 k <= last; ++k)
              sum += x[row * depth + k] * x[row * depth + k];
            y[row * depth + c] = x[row * depth + c] * std::pow(bias + alpha * sum, -beta);
          }
      });
}

}  // namespace equiv::cpu
