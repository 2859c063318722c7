#include "kernels/cpu/image_resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/base/flush.h"
#include "kernels/cpu/image_scale.h"
#include "kernels/cpu/pool_cells.h"

namespace equiv::cpu {
namespace {

// The part of the original that one resized cell covers, along one axis.
struct Span {
  std::int64_t begin = 0, end = 0;  // cells, maybe beyond the edge
  float from = 0, to = 0;           // the same, exactly
};
std::vector<Span> Spans(const Scaler& s) {
  std::vector<Span> spans;
  for (std::int64_t i = 0; i < s.out; ++i) {
    const float from = static_cast<float>(i) * s.scale, to = static_cast<float>(i + 1) * s.scale;
    spans.push_back({static_cast<std::int64_t>(std::floor(from)), static_cast<std::int64_t>(std::ceil(to)), from, to});
  }
  return spans;
}
// How much of a cell the span covers.
float Share(const Span& span, std::int64_t cell, float scale) {
  const float begin = static_cast<float>(cell), end = static_cast<float>(cell + 1);
  if (begin < span.from) return end > span.to ? scale : end - span.from;
  return end > span.to ? span.to - begin : 1.0F;
}

template <class T>
void AreaCell(const T* image, const Scaler& rows, const Scaler& columns, const Span& y, const Span& x,
              std::int64_t depth, float* out) {
  const float norm = static_cast<float>(1.0 / static_cast<double>(rows.scale * columns.scale));
  const auto bound = [](std::int64_t cell, const Scaler& s) { return std::clamp<std::int64_t>(cell, 0, s.in - 1); };
  for (std::int64_t c = 0; c < depth; ++c) {
    float sum = 0;
    for (std::int64_t i = y.begin; i < y.end; ++i) {
      const T* row = image + bound(i, rows) * columns.in * depth + c;
      const auto cell = [&](std::int64_t j) { return static_cast<float>(row[bound(j, columns) * depth]); };
      float line = cell(x.begin) * Share(x, x.begin, columns.scale);
      for (std::int64_t j = x.begin + 1; j < x.end - 1; ++j) line += cell(j);  // whole cells
      if (x.begin + 1 != x.end) line += cell(x.end - 1) * Share(x, x.end - 1, columns.scale);
      sum += line * Share(y, i, rows.scale);
    }
    out[c] = sum * norm;
  }
}

template <class T>
EQUIV_CPU_CLONES void CubicCell(const T* const rows[4], const Cubic& y, const Cubic& x, std::int64_t depth,
                                float* out) {
  for (std::int64_t c = 0; c < depth; ++c) {
    float column[4];
    for (int k = 0; k < 4; ++k) {
      const std::int64_t at = x.cell[k] * depth + c;
      column[k] = static_cast<float>(rows[0][at]) * y.weight[0] + static_cast<float>(rows[1][at]) * y.weight[1] +
                  static_cast<float>(rows[2][at]) * y.weight[2] + static_cast<float>(rows[3][at]) * y.weight[3];
    }
    out[c] = column[0] * x.weight[0] + column[1] * x.weight[1] + column[2] * x.weight[2] + column[3] * x.weight[3];
  }
}

// Channels that scatter together; channels are independent, cells are not.
constexpr std::int64_t kChannels = 32;
template <class F>
void ForImagesAndChannels(ThreadPool& pool, std::int64_t images, std::int64_t depth, const F& body) {
  const std::int64_t parts = (depth + kChannels - 1) / kChannels;
  pool.ParallelFor(images * parts, [&](std::int64_t i) {
    const std::int64_t first = i % parts * kChannels;
    body(i / parts, first, std::min(depth, first + kChannels));
  });
}

// Shapes of a gradient's inputs: resized [n,h',w',c] and original [n,h,w,c].
void RequireImages(KernelContext& ctx, const Shape& grads, const Shape& original) {
  if (grads.rank() != 4 || original.rank() != 4 || grads[0] != original[0] || grads[3] != original[3])
    throw InvalidArgumentError(fmt::format(
        "{}input_grad and original_image must be 4-dimensional with equal batch and channels, got {} and {}",
        ctx.Where(), grads.ToString(), original.ToString()));
  for (const Shape* s : {&grads, &original})
    if ((*s)[1] <= 0 || (*s)[2] <= 0)
      throw InvalidArgumentError(ctx.Where() + "images must be of non-zero size: " + s->ToString());
}
}  // namespace

void ResizeBicubic(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const Shape shape = ResizedShape(ctx);
  const std::vector<Cubic> rows = Cubics(MakeScaler(ctx, in.dim(1), shape[1])),
                           columns = Cubics(MakeScaler(ctx, in.dim(2), shape[2]));
  const std::int64_t depth = shape[3], stride = in.dim(2) * depth;
  ForOrdered(ctx, in.dtype(), [&]<class T>() {
    float* out = ctx.Allocate(0, shape).mutable_data<float>();
    if (shape.num_elements() == 0) return;
    ctx.pool().ParallelFor(shape[0] * shape[1], [&](std::int64_t row) {
      const Cubic& y = rows[static_cast<std::size_t>(row % shape[1])];
      const T* image = in.data<T>() + row / shape[1] * in.dim(1) * stride;
      const T* const lines[4] = {image + y.cell[0] * stride, image + y.cell[1] * stride, image + y.cell[2] * stride,
                                 image + y.cell[3] * stride};
      for (std::int64_t x = 0; x < shape[2]; ++x)
        CubicCell(lines, y, columns[static_cast<std::size_t>(x)], depth, out + (row * shape[2] + x) * depth);
    });
  });
}

void ResizeArea(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const Shape shape = ResizedShape(ctx);
  const Scaler rows = MakeScaler(ctx, in.dim(1), shape[1]), columns = MakeScaler(ctx, in.dim(2), shape[2]);
  const std::vector<Span> ys = Spans(rows), xs = Spans(columns);
  const std::int64_t depth = shape[3];
  ForOrdered(ctx, in.dtype(), [&]<class T>() {
    float* out = ctx.Allocate(0, shape).mutable_data<float>();
    if (shape.num_elements() == 0) return;
    ctx.pool().ParallelFor(shape[0] * shape[1], [&](std::int64_t row) {
      const T* image = in.data<T>() + row / shape[1] * in.dim(1) * in.dim(2) * depth;
      for (std::int64_t x = 0; x < shape[2]; ++x)
        AreaCell(image, rows, columns, ys[static_cast<std::size_t>(row % shape[1])], xs[static_cast<std::size_t>(x)],
                 depth, out + (row * shape[2] + x) * depth);
    });
  });
}

void ResizeBilinearGrad(KernelContext& ctx) {
  const Array grads = ctx.input(0);
  const Shape shape = ctx.input(1).shape(), from = grads.shape();
  RequireImages(ctx, from, shape);
  const std::vector<Blend> rows = Blends(MakeScaler(ctx, shape[1], from[1])),
                           columns = Blends(MakeScaler(ctx, shape[2], from[2]));
  const std::int64_t depth = shape[3], width = shape[2];
  ForHalfOrFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    using U = Wide<T>;
    const ScopedFlushDenormals flush;
    const float* g = grads.data<float>();
    Array sums(kDTypeOf<U>, shape);
    U* out = sums.mutable_data<U>();
    std::fill_n(out, shape.num_elements(), U{0});
    ForImagesAndChannels(ctx.pool(), shape[0], depth, [&](std::int64_t n, std::int64_t first, std::int64_t last) {
      for (std::int64_t y = 0; y < from[1]; ++y)
        for (std::int64_t x = 0; x < from[2]; ++x) {
          const Blend &v = rows[static_cast<std::size_t>(y)], &h = columns[static_cast<std::size_t>(x)];
          const float* grad = g + ((n * from[1] + y) * from[2] + x) * depth;
          const float up = 1.0F - v.weight, left = 1.0F - h.weight;
          U* const top = out + (n * shape[1] + v.lower) * width * depth;
          U* const bottom = out + (n * shape[1] + v.upper) * width * depth;
          for (std::int64_t c = first; c < last; ++c) {
            top[h.lower * depth + c] += static_cast<U>(grad[c] * up * left);
            top[h.upper * depth + c] += static_cast<U>(grad[c] * up * h.weight);
            bottom[h.lower * depth + c] += static_cast<U>(grad[c] * v.weight * left);
            bottom[h.upper * depth + c] += static_cast<U>(grad[c] * v.weight * h.weight);
          }
        }
    });
    if constexpr (!kIsHalf<T>) {
      ctx.set_output(0, std::move(sums));
    } else {
      T* rounded = ctx.Allocate(0, shape).template mutable_data<T>();
      for (std::int64_t i = 0, n = shape.num_elements(); i < n; ++i) rounded[i] = T(out[i]);
    }
  });
}

void ResizeBicubicGrad(KernelContext& ctx) {
  const Array grads = ctx.input(0);
  const Shape shape = ctx.input(1).shape(), from = grads.shape();
  RequireImages(ctx, from, shape);
  const std::vector<Cubic> rows = Cubics(MakeScaler(ctx, shape[1], from[1])),
                           columns = Cubics(MakeScaler(ctx, shape[2], from[2]));
  const std::int64_t depth = shape[3];
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    const ScopedFlushDenormals flush;
    T* out = ctx.Allocate(0, shape).template mutable_data<T>();
    std::fill_n(out, shape.num_elements(), T{0});
    ForImagesAndChannels(ctx.pool(), shape[0], depth, [&](std::int64_t n, std::int64_t first, std::int64_t last) {
      for (std::int64_t y = 0; y < from[1]; ++y)
        for (std::int64_t x = 0; x < from[2]; ++x) {
          const Cubic &v = rows[static_cast<std::size_t>(y)], &h = columns[static_cast<std::size_t>(x)];
          const float* grad = grads.data<float>() + ((n * from[1] + y) * from[2] + x) * depth;
          for (std::int64_t c = first; c < last; ++c)
            for (int i = 0; i < 4; ++i)
              for (int j = 0; j < 4; ++j)
                out[((n * shape[1] + v.cell[i]) * shape[2] + h.cell[j]) * depth + c] +=
                    static_cast<T>(grad[c]) * static_cast<T>(v.weight[i]) * static_cast<T>(h.weight[j]);
        }
    });
  });
}

void ResizeNearestNeighborGrad(KernelContext& ctx) {
  const Array grads = ctx.input(0);
  const Shape from = grads.shape(), shape = ResizedShape(ctx);
  const Scaler rows = MakeScaler(ctx, shape[1], from[1]), columns = MakeScaler(ctx, shape[2], from[2]);
  std::vector<std::int64_t> cells;
  for (std::int64_t x = 0; x < from[2]; ++x) cells.push_back(columns.Nearest(x));
  const std::int64_t depth = shape[3];
  ForOrdered(ctx, grads.dtype(), [&]<class T>() {
    const ScopedFlushDenormals flush;
    T* out = ctx.Allocate(0, shape).template mutable_data<T>();
    std::fill_n(out, shape.num_elements(), T{});
    ForImagesAndChannels(ctx.pool(), shape[0], depth, [&](std::int64_t n, std::int64_t first, std::int64_t last) {
      for (std::int64_t y = 0; y < from[1]; ++y)
        for (std::int64_t x = 0; x < from[2]; ++x) {
          const T* grad = grads.data<T>() + ((n * from[1] + y) * from[2] + x) * depth;
          T* to = out + ((n * shape[1] + rows.Nearest(y)) * shape[2] + cells[static_cast<std::size_t>(x)]) * depth;
          for (std::int64_t c = first; c < last; ++c) to[c] = Plus(to[c], grad[c]);
        }
    });
  });
}

}  // namespace equiv::cpu
