// kernels/cpu/volume_geometry.h - windows of Conv3D and the 3-D pools: strides, padding and sizes over a volume.
#pragma once
#include <array>
#include <string>

#include "kernels/base/attr.h"
#include "kernels/base/kernel.h"
#include "kernels/base/shape.h"
#include "kernels/cpu/conv_geometry.h"
#include "kernels/cpu/conv_space.h"

namespace equiv::cpu {

struct Window3D {
  std::array<WindowAxis, 3> axes;
  int depth = 4, first = 1;  // positions of the channels and of the first spatial dimension
};
// Reads strides, padding, data_format and dilations (where the op has them). `volume` of rank 5.
Window3D MakeWindow3D(const FailFn& fail, const std::string& op, const AttrMap& attrs, const PartialShape& volume,
                      const std::array<std::int64_t, 3>& sizes);
// The window of MaxPool3D and AvgPool3D, from attribute ksize.
Window3D MakePoolWindow3D(const FailFn& fail, const std::string& op, const AttrMap& attrs, const PartialShape& volume);
// A volume shape in the window's layout, of its output cells.
PartialShape VolumeShape(const Window3D& window, std::int64_t batch, std::int64_t depth);

struct VolumeConv {
  Window3D window;
  std::int64_t batch = -1, in_depth = -1, out_depth = -1, groups = -1;
  PartialShape output;
  ConvSpace Space() const { return {window.axes, batch, in_depth, out_depth, groups}; }  // everything known
};
// `filter` [k0, k1, k2, in_depth / groups, out_depth].
VolumeConv MakeVolumeConv(const FailFn& fail, const std::string& op, const AttrMap& attrs, const PartialShape& volume,
                          const PartialShape& filter);
// InvalidArgumentError unless the shape, of the input called `name`, has five dimensions.
void RequireVolume(KernelContext& ctx, const char* name, const Shape& shape);

}  // namespace equiv::cpu
