#include "kernels/cpu/pool_grad.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kernels/cpu/channels_first.h"
#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/pool.h"
#include "kernels/cpu/pool_cells.h"

namespace equiv::cpu {
namespace {

// The window over `image`, whose output must have the shape `pooled`.
Window2D GradWindow(KernelContext& ctx, const char* op, const Shape& image, const Shape& pooled, const char* name) {
  for (const Shape* s : {&image, &pooled})
    if (s->rank() != 4)
      throw InvalidArgumentError(ctx.Where() + "input and gradient must be 4-dimensional: " + s->ToString());
  const Window2D window = MakePoolWindow(FailOf(ctx), op, ctx.attrs(), image);
  const Shape expected{image[0], window.h.out, window.w.out, image[3]};
  if (!(expected == pooled))
    throw InvalidArgumentError(fmt::format("{}Expected {} shape to be {}, but got {}", ctx.Where(), name,
                                           expected.ToString(), pooled.ToString()));
  return window;
}

// Where each window's largest value lies in its image, in the order of the windows; -1 for a window without a cell.
template <class T>
std::vector<std::int64_t> LargestCells(ThreadPool& pool, const Array& input, const Window2D& window) {
  const WindowAxis &h = window.h, &w = window.w;
  const std::int64_t depth = input.dim(3), cells = h.in * w.in;
  std::vector<std::int64_t> from(static_cast<std::size_t>(input.dim(0) * h.out * w.out * depth), -1);
  pool.ParallelFor(input.dim(0) * h.out, [&](std::int64_t row) {
    const T* image = input.data<T>() + row / h.out * cells * depth;
    const auto [top, bottom] = CellsInside(h, row % h.out);
    for (std::int64_t x = 0; x < w.out; ++x) {
      const auto [left, right] = CellsInside(w, x);
      std::int64_t* at = from.data() + (row * w.out + x) * depth;
      for (std::int64_t iy = top; iy < bottom; ++iy)
        for (std::int64_t ix = left; ix < right; ++ix)
          for (std::int64_t c = 0; c < depth; ++c) {
            const std::int64_t cell = (iy * w.in + ix) * depth + c;
            if (at[c] < 0 || Widen(image[cell]) > Widen(image[at[c]])) at[c] = cell;
          }
    }
  });
  return from;
}

template <class T>
void MaxPoolGradOf(KernelContext& ctx, const Window2D& window) {
  const Array input = ctx.input(0);
  const T* grad = ctx.input(2).data<T>();
  T* out = ctx.Allocate(0, input.shape()).mutable_data<T>();
  std::fill_n(out, input.num_elements(), T{});
  const std::int64_t depth = input.dim(3), cells = window.h.in * window.w.in, windows = window.h.out * window.w.out;
  const std::vector<std::int64_t> from = LargestCells<T>(ctx.pool(), input, window);
  ctx.pool().ParallelFor(input.dim(0), [&](std::int64_t n) {
    T* image = out + n * cells * depth;
    for (std::int64_t i = n * windows * depth; i < (n + 1) * windows * depth; ++i)
      if (const std::int64_t at = from[static_cast<std::size_t>(i)]; at >= 0) image[at] = Plus(image[at], grad[i]);
  });
}

template <class T>
void MaxPoolGradGradOf(KernelContext& ctx, const Window2D& window) {
  const Array input = ctx.input(0), pooled = ctx.input(1);
  const T *in = input.data<T>(), *largest = pooled.data<T>(), *grad = ctx.input(2).data<T>();
  T* out = ctx.Allocate(0, pooled.shape()).mutable_data<T>();
  if (pooled.num_elements() == 0) return;
  const WindowAxis &h = window.h, &w = window.w;
  const std::int64_t depth = input.dim(3);
  ctx.pool().ParallelFor(input.dim(0) * h.out, [&](std::int64_t row) {
    const std::int64_t image = row / h.out * h.in * w.in * depth;
    const auto [top, bottom] = CellsInside(h, row % h.out);
    for (std::int64_t i = row * w.out * depth; i < (row + 1) * w.out * depth; ++i) {
      const auto [left, right] = CellsInside(w, i / depth % w.out);
      out[i] = T{};
      for (std::int64_t iy = top; iy < bottom; ++iy)
        for (std::int64_t ix = left; ix < right; ++ix) {
          const std::int64_t cell = image + (iy * w.in + ix) * depth + i % depth;
          if (!(Widen(in[cell]) == Widen(largest[i]))) continue;
          out[i] = grad[cell];
          iy = bottom;  // the first one only
          break;
        }
    }
  });
}

template <class T>
void AvgPoolGradOf(KernelContext& ctx, const Window2D& window, const Shape& image) {
  using U = Wide<T>;
  const T* grad = ctx.input(1).data<T>();
  T* out = ctx.Allocate(0, image).mutable_data<T>();
  if (image.num_elements() == 0) return;
  const WindowAxis &h = window.h, &w = window.w;
  const std::int64_t depth = image[3];
  // Row by row of the image; each cell adds up its windows in the order of their positions.
  ctx.pool().ParallelFor(image[0] * h.in, [&](std::int64_t row) {
    const std::int64_t n = row / h.in, iy = row % h.in;
    T* to = out + row * w.in * depth;
    std::fill_n(to, w.in * depth, T{});
    for (std::int64_t y = 0; y < h.out; ++y) {
      const auto [top, bottom] = CellsInside(h, y);
      if (iy < top || iy >= bottom) continue;
      for (std::int64_t x = 0; x < w.out; ++x) {
        const auto [left, right] = CellsInside(w, x);
        const U share = Widen(static_cast<T>(U{1} / static_cast<U>((bottom - top) * (right - left))));
        const T* g = grad + ((n * h.out + y) * w.out + x) * depth;
        for (std::int64_t ix = left; ix < right; ++ix)
          for (std::int64_t c = 0; c < depth; ++c)
            to[ix * depth + c] = Plus(to[ix * depth + c], static_cast<T>(share * Widen(g[c])));
      }
    }
  });
}

template <class Index>
void WritePositions(ThreadPool& pool, const std::vector<std::int64_t>& from, std::int64_t per_image,
                    std::int64_t image_size, bool whole, Index* out) {
  pool.ParallelRanges(static_cast<std::int64_t>(from.size()), 1 << 15, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      out[i] = static_cast<Index>(from[static_cast<std::size_t>(i)] + (whole ? i / per_image * image_size : 0));
  });
}

const LayoutArgs kThreeImages{.images = {0, 1, 2}, .sizes = {}, .results = {0}};
}  // namespace

void MaxPoolGrad(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, kThreeImages, MaxPoolGrad);
  const Window2D window = GradWindow(ctx, "MaxPoolGrad", ctx.input(0).shape(), ctx.input(2).shape(), "grad");
  if (!(ctx.input(1).shape() == ctx.input(2).shape()))
    throw InvalidArgumentError(fmt::format("{}Expected orig_output shape to be {}, but got {}", ctx.Where(),
                                           ctx.input(2).shape().ToString(), ctx.input(1).shape().ToString()));
  ForOrdered(ctx, ctx.output_dtype(0), [&]<class T>() { MaxPoolGradOf<T>(ctx, window); });
}
void MaxPoolGradV2(KernelContext& ctx) { RunWithWindowInputs(ctx, 3, MaxPoolGrad); }

void MaxPoolGradGrad(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, kThreeImages, MaxPoolGradGrad);
  const Shape& image = ctx.input(0).shape();
  const Window2D window = GradWindow(ctx, "MaxPoolGradGrad", image, ctx.input(1).shape(), "orig_output");
  if (!(ctx.input(2).shape() == image))
    throw InvalidArgumentError(fmt::format("{}Expected grad shape to be {}, but got {}", ctx.Where(), image.ToString(),
                                           ctx.input(2).shape().ToString()));
  ForOrdered(ctx, ctx.output_dtype(0), [&]<class T>() { MaxPoolGradGradOf<T>(ctx, window); });
}
void MaxPoolGradGradV2(KernelContext& ctx) { RunWithWindowInputs(ctx, 3, MaxPoolGradGrad); }

void AvgPoolGrad(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, {.images = {1}, .sizes = {0}, .results = {0}}, AvgPoolGrad);
  const Shape image = CheckedShape(FailOf(ctx), ctx.input(0).AsInt64Vector());
  const Window2D window = GradWindow(ctx, "AvgPoolGrad", image, ctx.input(1).shape(), "grad");
  ForHalfOrFloating(ctx, ctx.output_dtype(0), [&]<class T>() { AvgPoolGradOf<T>(ctx, window, image); });
}

void MaxPoolWithArgmax(KernelContext& ctx) {
  const Array input = ctx.input(0);
  if (input.rank() != 4)
    throw InvalidArgumentError(
        fmt::format("{}tensor_in must be 4-dimensional (2): {}", ctx.Where(), input.shape().ToString()));
  const Window2D window = MakePoolWindow(FailOf(ctx), "MaxPoolWithArgmax", ctx.attrs(), input.shape());
  const Shape shape{input.dim(0), window.h.out, window.w.out, input.dim(3)};
  const std::int64_t image = input.dim(1) * input.dim(2) * input.dim(3), pooled = shape[1] * shape[2] * shape[3];
  const bool whole = ctx.attrs().Get<bool>("include_batch_in_index");
  ForOrdered(ctx, ctx.output_dtype(0), [&]<class T>() {
    const std::vector<std::int64_t> from = LargestCells<T>(ctx.pool(), input, window);
    T* out = ctx.Allocate(0, shape).template mutable_data<T>();
    for (std::int64_t i = 0, n = shape.num_elements(); i < n; ++i)
      out[i] = input.data<T>()[i / pooled * image + from[static_cast<std::size_t>(i)]];
    if (ctx.output_dtype(1) == DType::kInt32)
      WritePositions(ctx.pool(), from, pooled, image, whole, ctx.Allocate(1, shape).mutable_data<std::int32_t>());
    else
      WritePositions(ctx.pool(), from, pooled, image, whole, ctx.Allocate(1, shape).mutable_data<std::int64_t>());
  });
}

void MaxPoolGradWithArgmax(KernelContext& ctx) {
  const Array input = ctx.input(0), grad = ctx.input(1);
  const Shape& image = input.shape();
  const Window2D window = GradWindow(ctx, "MaxPoolGradWithArgmax", image, grad.shape(), "grad");
  if (!(ctx.input(2).shape() == grad.shape()))
    throw InvalidArgumentError(fmt::format("{}Expected argmax shape to be {}, but got {}", ctx.Where(),
                                           grad.shape().ToString(), ctx.input(2).shape().ToString()));
  const std::vector<std::int64_t> argmax = ctx.input(2).AsInt64Vector();
  const std::int64_t size = image[1] * image[2] * image[3], pooled = window.h.out * window.w.out * image[3];
  const bool whole = ctx.attrs().Get<bool>("include_batch_in_index");
  ForOrdered(ctx, ctx.output_dtype(0), [&]<class T>() {
    const T* g = grad.data<T>();
    T* out = ctx.Allocate(0, image).template mutable_data<T>();
    std::fill_n(out, image.num_elements(), T{});
    ctx.pool().ParallelFor(image[0], [&](std::int64_t n) {
      for (std::int64_t i = n * pooled; i < (n + 1) * pooled; ++i) {
        const std::int64_t at = argmax[static_cast<std::size_t>(i)], first = whole ? n * size : 0;
        if (at < first || at - first >= size)
          throw InvalidArgumentError(fmt::format(
              "{}Invalid output index {}: argmax[{}] is not in an image of {} values", ctx.Where(), at, i, size));
        T& to = out[n * size + at - first];
        to = Plus(to, g[i]);
      }
    });
  });
}

}  // namespace equiv::cpu
