#include "kernels/cpu/conv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/cpu/channels_first.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/conv_geometry.h"
#include "kernels/cpu/gemm.h"

namespace equiv::cpu {
namespace {

void RequireImages(KernelContext& ctx) {
  for (int i = 0; i < 2; ++i)
    if (ctx.input(i).rank() != 4)
      throw InvalidArgumentError(fmt::format("{}{} must be 4-dimensional: {}", ctx.Where(), i == 0 ? "input" : "filter",
                                             ctx.input(i).shape().ToString()));
}

// The part [first, first + count) of the row of the im2col matrix that belongs to output position (y, x) of one image:
// input cells under the window in the order (filter row, filter column, channel), zeros outside the image.
template <class T>
void Im2ColRow(const ConvGeometry& g, const T* image, std::int64_t group, std::int64_t y, std::int64_t x,
               std::int64_t first, std::int64_t count, T* out) {
  const WindowAxis &h = g.window.h, &w = g.window.w;
  const std::int64_t depth = g.group_depth, row_cells = w.in * g.in_depth;
  // Without dilation and groups a row of the filter lies on consecutive cells of the input.
  const bool dense = w.dilation == 1 && g.groups == 1;
  for (std::int64_t k = first, end = first + count; k < end;) {
    const std::int64_t tap = k / depth, channel = k % depth, ky = tap / w.size, kx = tap % w.size;
    const std::int64_t taps = dense ? w.size - kx : 1;
    const std::int64_t length = std::min(taps * depth - channel, end - k);
    const std::int64_t iy = y * h.stride - h.before + ky * h.dilation;
    const std::int64_t ix = x * w.stride - w.before + kx * w.dilation;
    std::int64_t lead = length, middle = 0;  // zeros, cells, zeros
    const std::int64_t start = ix * g.in_depth + group * depth + channel;
    if (iy >= 0 && iy < h.in && (dense || (ix >= 0 && ix < w.in))) {
      lead = std::clamp<std::int64_t>(-start, 0, length);
      middle = std::clamp<std::int64_t>(row_cells - (start + lead), 0, length - lead);
    }
    std::fill_n(out, lead, T{0});
    if (middle > 0)
      std::memcpy(out + lead, image + iy * row_cells + start + lead, static_cast<std::size_t>(middle) * sizeof(T));
    std::fill_n(out + lead + middle, length - lead - middle, T{0});
    out += length;
    k += length;
  }
}

template <class T>
void Conv2DOf(KernelContext& ctx, const ConvGeometry& g, const Shape& shape) {
  const T* input = ctx.input(0).data<T>();
  const T* filter = ctx.input(1).data<T>();
  T* output = ctx.Allocate(0, shape).mutable_data<T>();
  if (shape.num_elements() == 0) return;
  const WindowAxis &h = g.window.h, &w = g.window.w;
  const std::int64_t group_out = g.out_depth / g.groups, image_cells = h.in * w.in * g.in_depth;
  for (std::int64_t group = 0; group < g.groups; ++group) {
    GemmArgs<T> gemm{.m = g.batch * h.out * w.out, .n = group_out, .k = h.size * w.size * g.group_depth};
    gemm.b = filter + group * group_out;
    gemm.b_row = g.out_depth;
    gemm.c = output + group * group_out;
    gemm.c_row = g.out_depth;
    const bool pointwise = h.size == 1 && w.size == 1 && h.stride == 1 && w.stride == 1 && h.before + h.after == 0 &&
                           w.before + w.after == 0;
    if (pointwise) {  // the image is the matrix
      gemm.a = input + group * g.group_depth;
      gemm.a_row = g.in_depth;
    } else {
      gemm.fill_a = [&g, &h, &w, input, group, image_cells](std::int64_t row, std::int64_t rows, std::int64_t first,
                                                            std::int64_t count, T* out) {
        for (std::int64_t i = row; i < row + rows; ++i, out += count) {
          const std::int64_t image = i / (h.out * w.out), position = i % (h.out * w.out);
          Im2ColRow(g, input + image * image_cells, group, position / w.out, position % w.out, first, count, out);
        }
      };
    }
    Gemm(ctx.pool(), gemm);
  }
}

// One output position: out[c * m + k] = sum over taps of in[c] * filter[tap, c, k].
template <class T>
EQUIV_CPU_CLONES void DepthwisePosition(const T* const* taps, std::int64_t num_taps, const T* filter,
                                        std::int64_t depth, std::int64_t multiplier, T* __restrict__ out) {
  std::fill_n(out, depth * multiplier, T{0});
  for (std::int64_t tap = 0; tap < num_taps; ++tap, filter += depth * multiplier) {
    const T* in = taps[tap];
    if (multiplier == 1) {
      for (std::int64_t c = 0; c < depth; ++c) out[c] += in[c] * filter[c];
      continue;
    }
    for (std::int64_t c = 0; c < depth; ++c)
      for (std::int64_t k = 0; k < multiplier; ++k) out[c * multiplier + k] += in[c] * filter[c * multiplier + k];
  }
}

template <class T>
void DepthwiseOf(KernelContext& ctx, const ConvGeometry& g, const Shape& shape) {
  const T* input = ctx.input(0).data<T>();
  const T* filter = ctx.input(1).data<T>();
  T* output = ctx.Allocate(0, shape).mutable_data<T>();
  if (shape.num_elements() == 0) return;
  const WindowAxis &h = g.window.h, &w = g.window.w;
  const std::vector<T> zeros(static_cast<std::size_t>(g.in_depth));
  ctx.pool().ParallelFor(g.batch * h.out, [&](std::int64_t row) {
    const std::int64_t y = row % h.out;
    const T* image = input + row / h.out * h.in * w.in * g.in_depth;
    std::vector<const T*> taps(static_cast<std::size_t>(h.size * w.size));
    for (std::int64_t x = 0; x < w.out; ++x) {
      for (std::int64_t ky = 0; ky < h.size; ++ky)
        for (std::int64_t kx = 0; kx < w.size; ++kx) {
          const std::int64_t iy = y * h.stride - h.before + ky * h.dilation;
          const std::int64_t ix = x * w.stride - w.before + kx * w.dilation;
          const bool inside = iy >= 0 && iy < h.in && ix >= 0 && ix < w.in;
          taps[static_cast<std::size_t>(ky * w.size + kx)] =
              inside ? image + (iy * w.in + ix) * g.in_depth : zeros.data();
        }
      DepthwisePosition(taps.data(), h.size * w.size, filter, g.in_depth, g.out_depth / g.in_depth,
                        output + (row * w.out + x) * g.out_depth);
    }
  });
}

}  // namespace

void Conv2D(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, {.images = {0}, .sizes = {}, .results = {0}}, Conv2D);
  RequireImages(ctx);
  const ConvGeometry g = MakeConvGeometry(FailOf(ctx), ctx.attrs(), ctx.input(0).shape(), ctx.input(1).shape());
  const Shape shape = g.output.Require();
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() { Conv2DOf<T>(ctx, g, shape); });
}

void DepthwiseConv2dNative(KernelContext& ctx) {
  if (ChannelsFirst(ctx))
    return RunChannelsLast(ctx, {.images = {0}, .sizes = {}, .results = {0}}, DepthwiseConv2dNative);
  RequireImages(ctx);
  const ConvGeometry g = MakeDepthwiseGeometry(FailOf(ctx), ctx.attrs(), ctx.input(0).shape(), ctx.input(1).shape());
  // tf: accepted when the graph is built, refused when it runs
  if (g.window.h.stride != g.window.w.stride)
    throw InvalidArgumentError(fmt::format(
        "{}Current implementation only supports equal length strides in the row and column dimensions, got {} and {}.",
        ctx.Where(), g.window.h.stride, g.window.w.stride));
  const Shape shape = g.output.Require();
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() { DepthwiseOf<T>(ctx, g, shape); });
}

}  // namespace equiv::cpu
