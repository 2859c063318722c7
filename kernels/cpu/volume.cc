#include "kernels/cpu/volume.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/volume_geometry.h"

namespace equiv::cpu {
namespace {

void RequireVolume(KernelContext& ctx, const char* name, const Shape& shape) {
  if (shape.rank() != 5)
    throw InvalidArgumentError(fmt::format("{}{} must be 5-dimensional: {}", ctx.Where(), name, shape.ToString()));
}
// The geometry of the forward convolution whose output has the shape of `grad`.
ConvSpace GradSpace(KernelContext& ctx, const Shape& volume, const Shape& filter, const Shape& grad) {
  RequireNdhwc(ctx);
  RequireVolume(ctx, "input", volume);
  RequireVolume(ctx, "filter", filter);
  RequireVolume(ctx, "out_backprop", grad);
  const VolumeConv conv = MakeVolumeConv(FailOf(ctx), "Conv3D", ctx.attrs(), volume, filter);
  if (!(conv.output == PartialShape(grad)))
    throw InvalidArgumentError(
        fmt::format("{}Size of out_backprop doesn't match computed: actual = {}, computed = {}, input {}, filter {}",
                    ctx.Where(), grad.ToString(), conv.output.ToString(), volume.ToString(), filter.ToString()));
  return conv.Space();
}

template <class T>
EQUIV_CPU_CLONES void TakeLarger(const T* __restrict__ in, std::int64_t n, T* __restrict__ out) {
  for (std::int64_t c = 0; c < n; ++c) out[c] = out[c] < in[c] ? in[c] : out[c];
}
template <class T>
EQUIV_CPU_CLONES void AddTo(const T* __restrict__ in, std::int64_t n, T* __restrict__ out) {
  for (std::int64_t c = 0; c < n; ++c) out[c] += in[c];
}
std::pair<std::int64_t, std::int64_t> Inside(const WindowAxis& axis, std::int64_t at) {
  const std::int64_t start = at * axis.stride - axis.before;
  return {std::max<std::int64_t>(start, 0), std::min(start + axis.size, axis.in)};
}

template <class T, bool kMax>
void PoolOf(KernelContext& ctx, const Window3D& window, const Shape& shape) {
  const T* in = ctx.input(0).data<T>();
  T* out = ctx.Allocate(0, shape).mutable_data<T>();
  if (shape.num_elements() == 0) return;
  const auto& [x, y, z] = window.axes;
  const std::int64_t depth = shape.dim(4), cells = x.in * y.in * z.in;
  ctx.pool().ParallelFor(shape.dim(0) * x.out * y.out, [&](std::int64_t row) {
    const T* volume = in + row / (x.out * y.out) * cells * depth;
    const auto [x0, x1] = Inside(x, row / y.out % x.out);
    const auto [y0, y1] = Inside(y, row % y.out);
    for (std::int64_t at = 0; at < z.out; ++at) {
      T* cell = out + (row * z.out + at) * depth;
      const auto [z0, z1] = Inside(z, at);
      std::fill_n(cell, depth, kMax ? std::numeric_limits<T>::lowest() : T{0});
      for (std::int64_t i = x0; i < x1; ++i)
        for (std::int64_t j = y0; j < y1; ++j)
          for (std::int64_t k = z0; k < z1; ++k) {
            const T* from = volume + ((i * y.in + j) * z.in + k) * depth;
            if constexpr (kMax)
              TakeLarger(from, depth, cell);
            else
              AddTo(from, depth, cell);
          }
      if constexpr (!kMax) {
        const auto count = static_cast<T>((x1 - x0) * (y1 - y0) * (z1 - z0));
        for (std::int64_t c = 0; c < depth; ++c) cell[c] /= count;
      }
    }
  });
}

template <bool kMax>
void Pool(KernelContext& ctx, const char* op) {
  RequireNdhwc(ctx);
  const Shape& in = ctx.input(0).shape();
  RequireVolume(ctx, "tensor_in", in);
  const Window3D window = MakePoolWindow3D(FailOf(ctx), op, ctx.attrs(), in);
  const Shape shape = VolumeShape(window, in.dim(0), in.dim(4)).Require();
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() { PoolOf<T, kMax>(ctx, window, shape); });
}
}  // namespace

void Conv3D(KernelContext& ctx) {
  RequireNdhwc(ctx);
  RequireVolume(ctx, "input", ctx.input(0).shape());
  RequireVolume(ctx, "filter", ctx.input(1).shape());
  const VolumeConv conv =
      MakeVolumeConv(FailOf(ctx), "Conv3D", ctx.attrs(), ctx.input(0).shape(), ctx.input(1).shape());
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    T* out = ctx.Allocate(0, conv.output.Require()).template mutable_data<T>();
    SpaceForward(ctx.pool(), conv.Space(), ctx.input(0).data<T>(), ctx.input(1).data<T>(), out);
  });
}
void Conv3DBackpropInputV2(KernelContext& ctx) {
  const Shape volume(ctx.input(0).AsInt64Vector());
  const ConvSpace space = GradSpace(ctx, volume, ctx.input(1).shape(), ctx.input(2).shape());
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    T* out = ctx.Allocate(0, volume).template mutable_data<T>();
    SpaceInputGrad(ctx.pool(), space, ctx.input(1).data<T>(), ctx.input(2).data<T>(), out);
  });
}
void Conv3DBackpropFilterV2(KernelContext& ctx) {
  const Shape filter(ctx.input(1).AsInt64Vector());
  const ConvSpace space = GradSpace(ctx, ctx.input(0).shape(), filter, ctx.input(2).shape());
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    T* out = ctx.Allocate(0, filter).template mutable_data<T>();
    SpaceFilterGrad(ctx.pool(), space, ctx.input(0).data<T>(), ctx.input(2).data<T>(), out);
  });
}
void MaxPool3D(KernelContext& ctx) { Pool<true>(ctx, "MaxPool3D"); }
void AvgPool3D(KernelContext& ctx) { Pool<false>(ctx, "AvgPool3D"); }

}  // namespace equiv::cpu
