#include "kernels/cpu/volume.h"

#include <fmt/format.h>

#include "kernels/cpu/channels_first.h"
#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/volume_geometry.h"

namespace equiv::cpu {
namespace {

// The geometry of the forward convolution whose output has the shape of `grad`.
ConvSpace GradSpace(KernelContext& ctx, const Shape& volume, const Shape& filter, const Shape& grad) {
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
}  // namespace

void Conv3D(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, {.images = {0}, .sizes = {}, .results = {0}}, Conv3D);
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
  if (ChannelsFirst(ctx))
    return RunChannelsLast(ctx, {.images = {2}, .sizes = {0}, .results = {0}}, Conv3DBackpropInputV2);
  const Shape volume = CheckedShape(FailOf(ctx), ctx.input(0).AsInt64Vector());
  const ConvSpace space = GradSpace(ctx, volume, ctx.input(1).shape(), ctx.input(2).shape());
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    T* out = ctx.Allocate(0, volume).template mutable_data<T>();
    SpaceInputGrad(ctx.pool(), space, ctx.input(1).data<T>(), ctx.input(2).data<T>(), out);
  });
}
void Conv3DBackpropFilterV2(KernelContext& ctx) {
  if (ChannelsFirst(ctx))
    return RunChannelsLast(ctx, {.images = {0, 2}, .sizes = {}, .results = {}}, Conv3DBackpropFilterV2);
  const Shape filter = CheckedShape(FailOf(ctx), ctx.input(1).AsInt64Vector());
  const ConvSpace space = GradSpace(ctx, ctx.input(0).shape(), filter, ctx.input(2).shape());
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    T* out = ctx.Allocate(0, filter).template mutable_data<T>();
    SpaceFilterGrad(ctx.pool(), space, ctx.input(0).data<T>(), ctx.input(2).data<T>(), out);
  });
}

}  // namespace equiv::cpu
