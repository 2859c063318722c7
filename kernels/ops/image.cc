// kernels/ops/image.cc - ResizeNearestNeighbor, ResizeBilinear, LRN.
#include "kernels/cpu/image.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {

// tf: ResizeShapeFn
void ResizeShape(ShapeContext& c) {
  const PartialShape images = c.WithRank(0, 4), size = c.WithRank(1, 1);
  if (size[0] >= 0 && size[0] != 2) c.Fail("Dimension must be 2 but is " + std::to_string(size[0]) + ": size");
  std::int64_t height = -1, width = -1;
  if (const Array* value = c.constant(1)) {
    height = value->AsInt64Vector()[0];
    width = value->AsInt64Vector()[1];
    if (height <= 0 || width <= 0)
      c.Fail(fmt::format("output dimensions must be positive, got {} and {}", height, width));
  }
  c.set_output(0, PartialShape{images[0], height, width, images[3]});
}
}  // namespace

void RegisterImage(OpRegistry& r) {
  r.Add({.name = "ResizeNearestNeighbor",
         .doc = "Images in another size, each cell copied from the nearest one.",
         .inputs = {"images: T", "size: int32"},
         .outputs = {"resized_images: T"},
         .attrs = {"T: {int8, uint8, int16, uint16, int32, int64, half, float, double, bfloat16}",
                   "align_corners: bool = false", "half_pixel_centers: bool = false"},
         .shape = ResizeShape,
         .kernel = Stateless(cpu::ResizeNearestNeighbor)});
  r.Add({.name = "ResizeBilinear",
         .doc = "Images in another size, each cell blended from four.",
         .inputs = {"images: T", "size: int32"},
         .outputs = {"resized_images: float"},
         .attrs = {"T: {int8, uint8, int16, uint16, int32, int64, bfloat16, half, float, double}",
                   "align_corners: bool = false", "half_pixel_centers: bool = false"},
         .shape = ResizeShape,
         .kernel = Stateless(cpu::ResizeBilinear)});
  r.Add({.name = "LRN",
         .doc = "Local response normalisation across channels.",
         .inputs = {"input: T"},
         .outputs = {"output: T"},
         .attrs = {"depth_radius: int = 5", "bias: float = 1.0", "alpha: float = 1.0", "beta: float = 0.5",
                   "T: {half, bfloat16, float} = float"},
         .shape = [](ShapeContext& c) { c.set_output(0, c.WithRank(0, 4)); },
         .kernel = Stateless(cpu::Lrn)});
}

}  // namespace equiv::ops
