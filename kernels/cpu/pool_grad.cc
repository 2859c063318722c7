#include "kernels/cpu/pool_grad.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {
namespace {

std::pair<std::int64_t, std::int64_t> Inside(const WindowAxis& axis, std::int64_t at) {
  const std::int64_t start = at * axis.stride - axis.before;
  return {std::max<std::int64_t>(start, 0), std::min(start + axis.size, axis.in)};
}
Window2D GradWindow(KernelContext& ctx, const char* op, const Shape& image, const Shape& grad) {
  RequireNhwc(ctx);
  for (const Shape* s : {&image, &grad})
    if (s->rank() != 4)
      throw InvalidArgumentError(ctx.Where() + "input and gradient must be 4-dimensional: " + s->ToString());
  const Window2D window = MakePoolWindow(FailOf(ctx), op, ctx.attrs(), image);
  const Shape expected{image[0], window.h.out, window.w.out, image[3]};
  if (!(expected == grad))
    throw InvalidArgumentError(
        fmt::format("{}Expected grad shape to be {}, but got {}", ctx.Where(), expected.ToString(), grad.ToString()));
  return window;
}

template <class T>
void MaxPoolGradOf(KernelContext& ctx, const Window2D& window) {
  const Array input = ctx.input(0);
  const T *in = input.data<T>(), *grad = ctx.input(2).data<T>();
  T* out = ctx.Allocate(0, input.shape()).mutable_data<T>();
  const WindowAxis &h = window.h, &w = window.w;
  const std::int64_t depth = input.dim(3), batch = input.dim(0), cells = h.in * w.in, windows = h.out * w.out;
  std::fill_n(out, input.num_elements(), T{0});
  // Where each window's largest value lies, -1 for a window without a cell.
  std::vector<std::int64_t> from(static_cast<std::size_t>(batch * windows * depth), -1);
  ctx.pool().ParallelFor(batch * h.out, [&](std::int64_t row) {
    const T* image = in + row / h.out * cells * depth;
    const auto [top, bottom] = Inside(h, row % h.out);
    for (std::int64_t x = 0; x < w.out; ++x) {
      const auto [left, right] = Inside(w, x);
      std::int64_t* at = from.data() + (row * w.out + x) * depth;
      for (std::int64_t iy = top; iy < bottom; ++iy)
        for (std::int64_t ix = left; ix < right; ++ix)
          for (std::int64_t c = 0; c < depth; ++c) {
            const std::int64_t cell = (iy * w.in + ix) * depth + c;
            if (at[c] < 0 || image[cell] > image[at[c]]) at[c] = cell;
          }
    }
  });
  ctx.pool().ParallelFor(batch, [&](std::int64_t n) {
    for (std::int64_t i = n * windows * depth; i < (n + 1) * windows * depth; ++i)
      if (const std::int64_t at = from[static_cast<std::size_t>(i)]; at >= 0) out[n * cells * depth + at] += grad[i];
  });
}

template <class T>
void AvgPoolGradOf(KernelContext& ctx, const Window2D& window, const Shape& image) {
  const T* grad = ctx.input(1).data<T>();
  T* out = ctx.Allocate(0, image).mutable_data<T>();
  if (image.num_elements() == 0) return;
  const WindowAxis &h = window.h, &w = window.w;
  const std::int64_t depth = image[3];
  // Row by row of the image; each cell adds up its windows in the order of their positions.
  ctx.pool().ParallelFor(image[0] * h.in, [&](std::int64_t row) {
    const std::int64_t n = row / h.in, iy = row % h.in;
    T* to = out + row * w.in * depth;
    std::fill_n(to, w.in * depth, T{0});
    for (std::int64_t y = 0; y < h.out; ++y) {
      const auto [top, bottom] = Inside(h, y);
      if (iy < top || iy >= bottom) continue;
      for (std::int64_t x = 0; x < w.out; ++x) {
        const auto [left, right] = Inside(w, x);
        const T share = T{1} / static_cast<T>((bottom - top) * (right - left));
        const T* g = grad + ((n * h.out + y) * w.out + x) * depth;
        for (std::int64_t ix = left; ix < right; ++ix)
          for (std::int64_t c = 0; c < depth; ++c) to[ix * depth + c] += share * g[c];
      }
    }
  });
}
}  // namespace

void MaxPoolGrad(KernelContext& ctx) {
  const Window2D window = GradWindow(ctx, "MaxPoolGrad", ctx.input(0).shape(), ctx.input(2).shape());
  if (!(ctx.input(1).shape() == ctx.input(2).shape()))
    throw InvalidArgumentError(fmt::format("{}Expected orig_output shape to be {}, but got {}", ctx.Where(),
                                           ctx.input(2).shape().ToString(), ctx.input(1).shape().ToString()));
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() { MaxPoolGradOf<T>(ctx, window); });
}
void AvgPoolGrad(KernelContext& ctx) {
  const Shape image(ctx.input(0).AsInt64Vector());
  const Window2D window = GradWindow(ctx, "AvgPoolGrad", image, ctx.input(1).shape());
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() { AvgPoolGradOf<T>(ctx, window, image); });
}

}  // namespace equiv::cpu
