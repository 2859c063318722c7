#include "kernels/cpu/conv_geometry.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "kernels/cpu/checked_math.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;

const Ints& FourValues(const FailFn& fail, const std::string& op, const AttrMap& attrs, const char* attr,
                       const char* word) {
  const Ints& values = attrs.Get<Ints>(attr);
  if (values.size() != 4)
    fail(fmt::format("{} requires the {} attribute to contain 4 values, but got: {}", op, word, values.size()));
  return values;
}
// Channels last where an op has no data_format.
ImageLayout LayoutOf(const AttrMap& attrs) {
  return equiv::cpu::LayoutOf(attrs.Find("data_format") ? attrs.Get<std::string>("data_format") : "NHWC");
}
std::int64_t Size(const std::vector<std::int64_t>& v, int i) { return v[static_cast<std::size_t>(i)]; }
}  // namespace

ImageLayout LayoutOf(const std::string& data_format) {
  return data_format == "NCHW" ? ImageLayout{0, 2, 3, 1} : ImageLayout{0, 1, 2, 3};
}

PartialShape ImageShape(const ImageLayout& layout, std::int64_t batch, std::int64_t height, std::int64_t width,
                        std::int64_t depth) {
  Ints dims(4);
  dims[static_cast<std::size_t>(layout.batch)] = batch;
  dims[static_cast<std::size_t>(layout.height)] = height;
  dims[static_cast<std::size_t>(layout.width)] = width;
  dims[static_cast<std::size_t>(layout.depth)] = depth;
  return PartialShape(std::move(dims));
}

WindowAxis SlideWindow(const FailFn& fail, std::int64_t in, std::int64_t size, std::int64_t stride,
                       std::int64_t dilation, const std::string& padding, std::int64_t before, std::int64_t after) {
  if (stride <= 0) fail(fmt::format("Stride must be > 0, but got {}", stride));
  if (dilation < 1) fail(fmt::format("Dilation rate must be >= 1, but got {}", dilation));
  WindowAxis axis{.in = in, .size = size, .stride = stride, .dilation = dilation, .before = before, .after = after};
  std::int64_t reach = 0;
  if (size > 0) reach = CheckedAdd(fail, CheckedMul(fail, size - 1, dilation), 1);
  if (padding == "SAME") {
    if (in < 0) return axis;
    axis.out = in / stride + (in % stride != 0 ? 1 : 0);
    if (size < 0) return axis;
    // The odd cell goes to the bottom and the right.
    const std::int64_t total = std::max<std::int64_t>(CheckedAdd(fail, (axis.out - 1) * stride - in, reach), 0);
    axis.before = total / 2;
    axis.after = total - axis.before;
    return axis;
  }
  if (padding == "VALID") axis.before = axis.after = 0;
  if (in < 0 || size < 0) return axis;
  const std::int64_t padded = CheckedAdd(fail, in, CheckedAdd(fail, axis.before, axis.after));
  // tf: InferenceContext::Subtract
  if (padded < reach)
    fail(
        fmt::format("Negative dimension size caused by subtracting {} from {}: a window reaching over {} cells does "
                    "not fit into {}; use padding SAME or a smaller window",
                    reach, padded, reach, padded));
  axis.out = (padded - reach) / stride + 1;
  return axis;
}

Window2D MakeWindow(const FailFn& fail, const std::string& op, const AttrMap& attrs, const PartialShape& image,
                    std::int64_t size_h, std::int64_t size_w) {
  const ImageLayout layout = LayoutOf(attrs);
  const std::string& padding = attrs.Get<std::string>("padding");
  const Ints& strides = FourValues(fail, op, attrs, "strides", "stride");
  static const Ints kOnes{1, 1, 1, 1};
  const Ints& dilations = attrs.Find("dilations") ? FourValues(fail, op, attrs, "dilations", "dilation") : kOnes;
  if (Size(strides, layout.batch) != 1 || Size(strides, layout.depth) != 1)
    fail(fmt::format("{} does not support strides in the batch and depth dimensions; got {}", op,
                     ToString(AttrValue(strides))));
  if (Size(dilations, layout.batch) != 1 || Size(dilations, layout.depth) != 1)
    fail(fmt::format("{} does not support dilations in the batch and depth dimensions; got {}", op,
                     ToString(AttrValue(dilations))));
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;
  if (attrs.Find("explicit_paddings")) {
    const Ints& pads = attrs.Get<Ints>("explicit_paddings");
    if (padding != "EXPLICIT") {
      if (!pads.empty()) fail("explicit_paddings attribute must be empty if the padding attribute is not EXPLICIT");
    } else {
      if (pads.size() != 8)
        fail(fmt::format("explicit_paddings attribute must contain 8 values, but got: {}", pads.size()));
      for (std::int64_t p : pads)
        if (p < 0) fail(fmt::format("All elements of explicit_paddings must be nonnegative; got {}", p));
      if (Size(pads, 2 * layout.batch) || Size(pads, 2 * layout.batch + 1) || Size(pads, 2 * layout.depth) ||
          Size(pads, 2 * layout.depth + 1))
        fail("Nonzero explicit padding in the batch or depth dimensions is not supported");
      top = Size(pads, 2 * layout.height), bottom = Size(pads, 2 * layout.height + 1);
      left = Size(pads, 2 * layout.width), right = Size(pads, 2 * layout.width + 1);
    }
  }
  return {SlideWindow(fail, image.dim(layout.height), size_h, Size(strides, layout.height),
                      Size(dilations, layout.height), padding, top, bottom),
          SlideWindow(fail, image.dim(layout.width), size_w, Size(strides, layout.width), Size(dilations, layout.width),
                      padding, left, right),
          layout};
}

Window2D MakePoolWindow(const FailFn& fail, const std::string& op, const AttrMap& attrs, const PartialShape& image) {
  const ImageLayout layout = LayoutOf(attrs);
  const Ints& ksize = FourValues(fail, op, attrs, "ksize", "ksize");
  for (std::int64_t k : ksize)
    if (k <= 0) fail(fmt::format("Sliding window ksize must be positive, but got {}", k));
  if (Size(ksize, layout.batch) != 1) fail("Pooling is not yet supported on the batch dimension.");
  if (Size(ksize, layout.depth) != 1) fail("Pooling is not yet supported on the depth dimension.");
  const Window2D window = MakeWindow(fail, op, attrs, image, Size(ksize, layout.height), Size(ksize, layout.width));
  // tf: CheckPaddingSize
  const std::tuple<const char*, std::int64_t, std::int64_t> sides[] = {{"Top", window.h.before, window.h.size},
                                                                       {"Bottom", window.h.after, window.h.size},
                                                                       {"Left", window.w.before, window.w.size},
                                                                       {"Right", window.w.after, window.w.size}};
  if (attrs.Get<std::string>("padding") == "EXPLICIT")
    for (const auto& [side, padding, size] : sides)
      if (padding >= size)
        fail(fmt::format("{} padding {} needs to be smaller than the window size {}", side, padding, size));
  return window;
}

ConvGeometry MakeConvGeometry(const FailFn& fail, const AttrMap& attrs, const PartialShape& image,
                              const PartialShape& filter) {
  ConvGeometry g;
  g.window = MakeWindow(fail, "Conv2D", attrs, image, filter.dim(0), filter.dim(1));
  const ImageLayout& layout = g.window.layout;
  g.batch = image.dim(layout.batch);
  g.in_depth = image.dim(layout.depth);
  g.group_depth = filter.dim(2);
  g.out_depth = filter.dim(3);
  if (g.in_depth >= 0 && g.group_depth >= 0) {
    if (g.group_depth == 0 ? g.in_depth != 0 : g.in_depth == 0 || g.in_depth % g.group_depth != 0)
      fail(
          fmt::format("Depth of input ({0}) is not a multiple of input depth of filter ({1}): input depth must be "
                      "evenly divisible by filter depth: {0} vs {1}",
                      g.in_depth, g.group_depth));
    g.groups = g.group_depth == 0 ? 1 : g.in_depth / g.group_depth;
    if (g.out_depth >= 0 && g.groups > 0 && g.out_depth % g.groups != 0)
      fail(fmt::format("Depth of output ({}) is not a multiple of the number of groups ({})", g.out_depth, g.groups));
  }
  g.output = ImageShape(layout, g.batch, g.window.h.out, g.window.w.out, g.out_depth);
  return g;
}

ConvGeometry MakeDepthwiseGeometry(const FailFn& fail, const AttrMap& attrs, const PartialShape& image,
                                   const PartialShape& filter) {
  ConvGeometry g;
  g.window = MakeWindow(fail, "DepthwiseConv2dNative", attrs, image, filter.dim(0), filter.dim(1));
  const ImageLayout& layout = g.window.layout;
  g.batch = image.dim(layout.batch);
  g.in_depth = image.dim(layout.depth);
  if (g.in_depth >= 0 && filter.dim(2) >= 0 && g.in_depth != filter.dim(2))
    fail(
        fmt::format("Dimensions must be equal, but are {0} and {1}: input and filter must have the same depth: {0} vs "
                    "{1}",
                    g.in_depth, filter.dim(2)));
  if (g.in_depth < 0) g.in_depth = filter.dim(2);
  g.group_depth = 1;
  g.groups = g.in_depth;
  if (g.in_depth >= 0 && filter.dim(3) >= 0) g.out_depth = g.in_depth * filter.dim(3);
  g.output = ImageShape(layout, g.batch, g.window.h.out, g.window.w.out, g.out_depth);
  return g;
}

}  // namespace equiv::cpu
