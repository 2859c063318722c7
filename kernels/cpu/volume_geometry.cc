#include "kernels/cpu/volume_geometry.h"

#include <fmt/format.h>

#include <vector>

#include "kernels/base/error.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;

const Ints& FiveValues(const FailFn& fail, const std::string& op, const AttrMap& attrs, const char* attr) {
  const Ints& values = attrs.Get<Ints>(attr);
  if (values.size() != 5)
    fail(fmt::format("{} requires the {} attribute to contain 5 values, but got: {}", op, attr, values.size()));
  return values;
}
void RequireOnes(const FailFn& fail, const std::string& op, const char* attr, const Ints& values, int depth) {
  if (values[0] != 1 || values[static_cast<std::size_t>(depth)] != 1)
    fail(fmt::format("{} does not support {} in the batch and depth dimensions; got {}", op, attr,
                     ToString(AttrValue(values))));
}
}  // namespace

Window3D MakeWindow3D(const FailFn& fail, const std::string& op, const AttrMap& attrs, const PartialShape& volume,
                      const std::array<std::int64_t, 3>& sizes) {
  Window3D window;
  if (attrs.Get<std::string>("data_format") == "NCDHW") window.depth = 1, window.first = 2;
  static const Ints kOnes{1, 1, 1, 1, 1};
  const Ints& strides = FiveValues(fail, op, attrs, "strides");
  const Ints& dilations = attrs.Find("dilations") ? FiveValues(fail, op, attrs, "dilations") : kOnes;
  RequireOnes(fail, op, "strides", strides, window.depth);
  RequireOnes(fail, op, "dilations", dilations, window.depth);
  for (int i = 0; i < 3; ++i) {
    const auto at = static_cast<std::size_t>(window.first + i);
    window.axes[static_cast<std::size_t>(i)] =
        SlideWindow(fail, volume.dim(window.first + i), sizes[static_cast<std::size_t>(i)], strides[at], dilations[at],
                    attrs.Get<std::string>("padding"), 0, 0);
  }
  return window;
}

Window3D MakePoolWindow3D(const FailFn& fail, const std::string& op, const AttrMap& attrs, const PartialShape& volume) {
  const int depth = attrs.Get<std::string>("data_format") == "NCDHW" ? 1 : 4;
  const auto first = static_cast<std::size_t>(depth == 1 ? 2 : 1);
  const Ints& ksize = FiveValues(fail, op, attrs, "ksize");
  for (std::int64_t k : ksize)
    if (k <= 0) fail(fmt::format("Sliding window ksize must be positive, but got {}", k));
  RequireOnes(fail, op, "ksize", ksize, depth);
  return MakeWindow3D(fail, op, attrs, volume, {ksize[first], ksize[first + 1], ksize[first + 2]});
}

PartialShape VolumeShape(const Window3D& window, std::int64_t batch, std::int64_t depth) {
  Ints dims(5, batch);
  dims[static_cast<std::size_t>(window.depth)] = depth;
  for (std::size_t i = 0; i < 3; ++i) dims[static_cast<std::size_t>(window.first) + i] = window.axes[i].out;
  return PartialShape(std::move(dims));
}

VolumeConv MakeVolumeConv(const FailFn& fail, const std::string& op, const AttrMap& attrs, const PartialShape& volume,
                          const PartialShape& filter) {
  VolumeConv conv;
  conv.window = MakeWindow3D(fail, op, attrs, volume, {filter.dim(0), filter.dim(1), filter.dim(2)});
  conv.batch = volume.dim(0);
  conv.in_depth = volume.dim(conv.window.depth);
  conv.out_depth = filter.dim(4);
  if (conv.in_depth >= 0 && filter.dim(3) >= 0) {
    if (filter.dim(3) == 0 || conv.in_depth == 0 || conv.in_depth % filter.dim(3) != 0)
      fail(fmt::format("input depth must be evenly divisible by filter depth: {} vs {}", conv.in_depth, filter.dim(3)));
    conv.groups = conv.in_depth / filter.dim(3);
    if (conv.out_depth >= 0 && conv.out_depth % conv.groups != 0)
      fail(fmt::format("Depth of output ({}) is not a multiple of the number of groups ({})", conv.out_depth,
                       conv.groups));
  }
  conv.output = VolumeShape(conv.window, conv.batch, conv.out_depth);
  return conv;
}

void RequireVolume(KernelContext& ctx, const char* name, const Shape& shape) {
  if (shape.rank() != 5)
    throw InvalidArgumentError(fmt::format("{}{} must be 5-dimensional: {}", ctx.Where(), name, shape.ToString()));
}

}  // namespace equiv::cpu
