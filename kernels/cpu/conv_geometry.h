// kernels/cpu/conv_geometry.h - where windows lie: sizes and padding of convolutions and poolings.
//
// Shape functions call these with partly known shapes (-1), kernels with full ones, so both raise the same errors.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "kernels/base/attr.h"
#include "kernels/base/shape.h"

namespace equiv::cpu {

// Reports a bad argument; must throw. Kernels and shape functions prefix op and node.
using FailFn = std::function<void(const std::string&)>;

// A window sliding along one axis. `size` is the window without dilation; -1 stands for unknown.
struct WindowAxis {
  std::int64_t in = -1, size = -1, stride = 1, dilation = 1;
  std::int64_t before = 0, after = 0;  // padding
  std::int64_t out = -1;
};

// Positions of the dimensions of a rank 4 image.
struct ImageLayout {
  int batch, height, width, depth;
};
ImageLayout LayoutOf(const std::string& data_format);

// tf: GetWindowedOutputSizeVerbose. `before` and `after` are given with padding EXPLICIT, computed otherwise.
WindowAxis SlideWindow(const FailFn& fail, std::int64_t in, std::int64_t size, std::int64_t stride,
                       std::int64_t dilation, const std::string& padding, std::int64_t before, std::int64_t after);

// Both axes of a convolution or pooling over an image of rank 4.
struct Window2D {
  WindowAxis h, w;
  ImageLayout layout{};
};
// Reads strides, padding, explicit_paddings, data_format and dilations (where the op has them). `op` names the
// op in TensorFlow's texts.
Window2D MakeWindow(const FailFn& fail, const std::string& op, const AttrMap& attrs, const PartialShape& image,
                    std::int64_t size_h, std::int64_t size_w);
// The window of MaxPool and AvgPool, from attribute ksize.
Window2D MakePoolWindow(const FailFn& fail, const std::string& op, const AttrMap& attrs, const PartialShape& image);

struct ConvGeometry {
  Window2D window;
  std::int64_t batch = -1, in_depth = -1;
  std::int64_t group_depth = -1;  // input channels seen by one filter
  std::int64_t out_depth = -1;
  std::int64_t groups = -1;
  PartialShape output;
};
// `image` of rank 4, `filter` [kh, kw, in_depth / groups, out_depth].
ConvGeometry MakeConvGeometry(const FailFn& fail, const AttrMap& attrs, const PartialShape& image,
                              const PartialShape& filter);
// `filter` [kh, kw, in_depth, multiplier]; out_depth = in_depth * multiplier, groups = in_depth.
ConvGeometry MakeDepthwiseGeometry(const FailFn& fail, const AttrMap& attrs, const PartialShape& image,
                                   const PartialShape& filter);

// An image shape in the given layout.
PartialShape ImageShape(const ImageLayout& layout, std::int64_t batch, std::int64_t height, std::int64_t width,
                        std::int64_t depth);

}  // namespace equiv::cpu
