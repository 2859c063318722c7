#include "kernels/cpu/conv_grad.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kernels/cpu/channels_first.h"
#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/conv_space.h"

namespace equiv::cpu {
namespace {

using MakeGeometry = ConvGeometry(const FailFn&, const AttrMap&, const PartialShape&, const PartialShape&);

// The geometry of the forward convolution whose output has the shape of `grad`.
ConvGeometry GradGeometry(KernelContext& ctx, MakeGeometry make, const Shape& image, const Shape& filter,
                          const Shape& grad) {
  const std::pair<const char*, const Shape*> shapes[] = {
      {"input", &image}, {"filter", &filter}, {"out_backprop", &grad}};
  for (const auto& [name, shape] : shapes)
    if (shape->rank() != 4)
      throw InvalidArgumentError(fmt::format("{}{} must be 4-dimensional: {}", ctx.Where(), name, shape->ToString()));
  const ConvGeometry g = make(FailOf(ctx), ctx.attrs(), image, filter);
  if (!(g.output == PartialShape(grad)))
    throw InvalidArgumentError(
        fmt::format("{}Size of out_backprop doesn't match computed: actual = {}, computed = {}, input {}, filter {}",
                    ctx.Where(), grad.ToString(), g.output.ToString(), image.ToString(), filter.ToString()));
  return g;
}
ConvSpace SpaceOf(KernelContext& ctx, const ConvGeometry& g) {
  if (g.groups <= 0 || g.group_depth <= 0)
    throw InvalidArgumentError(
        fmt::format("{}input and filter need channels, got {} and {}", ctx.Where(), g.in_depth, g.group_depth));
  const WindowAxis one{.in = 1, .size = 1, .stride = 1, .dilation = 1, .before = 0, .after = 0, .out = 1};
  return {{g.window.h, g.window.w, one}, g.batch, g.in_depth, g.out_depth, g.groups};
}

// First output position and count whose window has `tap` inside the image, along one axis.
std::pair<std::int64_t, std::int64_t> Reach(const WindowAxis& axis, std::int64_t tap) {
  const std::int64_t shift = tap * axis.dilation - axis.before;
  const std::int64_t begin = shift >= 0 ? 0 : (-shift + axis.stride - 1) / axis.stride;
  const std::int64_t end = axis.in - shift <= 0 ? 0 : (axis.in - shift + axis.stride - 1) / axis.stride;
  return {begin, std::min(end, axis.out)};
}

template <class T>
EQUIV_CPU_CLONES void DepthwiseInputCell(const T* grad, const T* filter, std::int64_t depth, std::int64_t multiplier,
                                         T* __restrict__ out) {
  if (multiplier == 1) {
    for (std::int64_t c = 0; c < depth; ++c) out[c] += grad[c] * filter[c];
    return;
  }
  for (std::int64_t c = 0; c < depth; ++c)
    for (std::int64_t k = 0; k < multiplier; ++k) out[c] += grad[c * multiplier + k] * filter[c * multiplier + k];
}
template <class T>
EQUIV_CPU_CLONES void DepthwiseFilterCell(const T* in, const T* grad, std::int64_t depth, std::int64_t multiplier,
                                          double* __restrict__ sums) {
  if (multiplier == 1) {
    for (std::int64_t c = 0; c < depth; ++c) sums[c] += static_cast<double>(in[c]) * static_cast<double>(grad[c]);
    return;
  }
  for (std::int64_t c = 0; c < depth; ++c)
    for (std::int64_t k = 0; k < multiplier; ++k)
      sums[c * multiplier + k] += static_cast<double>(in[c]) * static_cast<double>(grad[c * multiplier + k]);
}

template <class T>
void DepthwiseInputGrad(KernelContext& ctx, const ConvGeometry& g, const Shape& image) {
  const T *filter = ctx.input(1).data<T>(), *grad = ctx.input(2).data<T>();
  T* out = ctx.Allocate(0, image).mutable_data<T>();
  if (image.num_elements() == 0) return;
  const WindowAxis &h = g.window.h, &w = g.window.w;
  const std::int64_t multiplier = g.out_depth / g.in_depth;
  ctx.pool().ParallelFor(g.batch * h.in, [&](std::int64_t row) {
    const std::int64_t n = row / h.in, iy = row % h.in;
    T* to = out + row * w.in * g.in_depth;
    std::fill_n(to, w.in * g.in_depth, T{0});
    // From the last tap to the first: output positions in ascending order.
    for (std::int64_t ky = h.size - 1; ky >= 0; --ky) {
      const std::int64_t start = iy + h.before - ky * h.dilation, oy = start / h.stride;
      if (start < 0 || start % h.stride != 0 || oy >= h.out) continue;
      for (std::int64_t kx = w.size - 1; kx >= 0; --kx) {
        const auto [first, end] = Reach(w, kx);
        for (std::int64_t ox = first; ox < end; ++ox)
          DepthwiseInputCell(grad + ((n * h.out + oy) * w.out + ox) * g.out_depth,
                             filter + (ky * w.size + kx) * g.out_depth, g.in_depth, multiplier,
                             to + (ox * w.stride - w.before + kx * w.dilation) * g.in_depth);
      }
    }
  });
}

template <class T>
void DepthwiseFilterGrad(KernelContext& ctx, const ConvGeometry& g, const Shape& filter) {
  const T *in = ctx.input(0).data<T>(), *grad = ctx.input(2).data<T>();
  T* out = ctx.Allocate(0, filter).mutable_data<T>();
  if (filter.num_elements() == 0) return;
  const WindowAxis &h = g.window.h, &w = g.window.w;
  const std::int64_t multiplier = g.out_depth / g.in_depth;
  ctx.pool().ParallelFor(h.size * w.size, [&](std::int64_t tap) {
    const std::int64_t ky = tap / w.size, kx = tap % w.size;
    const auto [top, bottom] = Reach(h, ky);
    const auto [left, right] = Reach(w, kx);
    std::vector<double> sums(static_cast<std::size_t>(g.out_depth));
    for (std::int64_t n = 0; n < g.batch; ++n)
      for (std::int64_t oy = top; oy < bottom; ++oy)
        for (std::int64_t ox = left; ox < right; ++ox) {
          const std::int64_t iy = oy * h.stride - h.before + ky * h.dilation;
          const std::int64_t ix = ox * w.stride - w.before + kx * w.dilation;
          DepthwiseFilterCell(in + ((n * h.in + iy) * w.in + ix) * g.in_depth,
                              grad + ((n * h.out + oy) * w.out + ox) * g.out_depth, g.in_depth, multiplier,
                              sums.data());
        }
    for (std::int64_t i = 0; i < g.out_depth; ++i)
      out[tap * g.out_depth + i] = static_cast<T>(sums[static_cast<std::size_t>(i)]);
  });
}
const LayoutArgs kInputGrad{.images = {2}, .sizes = {0}, .results = {0}};
const LayoutArgs kFilterGrad{.images = {0, 2}, .sizes = {}, .results = {}};
}  // namespace

Shape ImageSizes(const FailFn& fail, const std::string& data_format, const std::vector<std::int64_t>& sizes,
                 const PartialShape& filter, const PartialShape& grad) {
  if (sizes.size() == 4) return CheckedShape(fail, sizes);
  if (sizes.size() != 2) fail(fmt::format("input_sizes must be a vector of 2 or 4 values, but got: {}", sizes.size()));
  if (filter.rank() != 4 || grad.rank() != 4)
    fail(fmt::format("filter and out_backprop must be 4-dimensional: {}, {}", filter.ToString(), grad.ToString()));
  return ImageShape(LayoutOf(data_format), grad.dim(0), sizes.at(0), sizes.at(1), filter.dim(2)).Require();
}

void Conv2DBackpropInput(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, kInputGrad, Conv2DBackpropInput);
  const Shape image = ImageSizes(FailOf(ctx), ctx.attrs().Get<std::string>("data_format"), ctx.input(0).AsInt64Vector(),
                                 ctx.input(1).shape(), ctx.input(2).shape());
  const ConvGeometry g = GradGeometry(ctx, MakeConvGeometry, image, ctx.input(1).shape(), ctx.input(2).shape());
  const ConvSpace space = SpaceOf(ctx, g);
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    T* out = ctx.Allocate(0, image).template mutable_data<T>();
    SpaceInputGrad(ctx.pool(), space, ctx.input(1).data<T>(), ctx.input(2).data<T>(), out);
  });
}
void Conv2DBackpropFilter(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, kFilterGrad, Conv2DBackpropFilter);
  const Shape filter = CheckedShape(FailOf(ctx), ctx.input(1).AsInt64Vector());
  const ConvGeometry g = GradGeometry(ctx, MakeConvGeometry, ctx.input(0).shape(), filter, ctx.input(2).shape());
  const ConvSpace space = SpaceOf(ctx, g);
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    T* out = ctx.Allocate(0, filter).template mutable_data<T>();
    SpaceFilterGrad(ctx.pool(), space, ctx.input(0).data<T>(), ctx.input(2).data<T>(), out);
  });
}
void DepthwiseConv2dNativeBackpropInput(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, kInputGrad, DepthwiseConv2dNativeBackpropInput);
  const Shape image = CheckedShape(FailOf(ctx), ctx.input(0).AsInt64Vector());
  const ConvGeometry g = GradGeometry(ctx, MakeDepthwiseGeometry, image, ctx.input(1).shape(), ctx.input(2).shape());
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() { DepthwiseInputGrad<T>(ctx, g, image); });
}
void DepthwiseConv2dNativeBackpropFilter(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, kFilterGrad, DepthwiseConv2dNativeBackpropFilter);
  const Shape filter = CheckedShape(FailOf(ctx), ctx.input(1).AsInt64Vector());
  const ConvGeometry g = GradGeometry(ctx, MakeDepthwiseGeometry, ctx.input(0).shape(), filter, ctx.input(2).shape());
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() { DepthwiseFilterGrad<T>(ctx, g, filter); });
}

}  // namespace equiv::cpu
