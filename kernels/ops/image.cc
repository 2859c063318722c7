// kernels/ops/image.cc - ResizeNearestNeighbor, ResizeBilinear, LRN with its gradient.
#include "kernels/cpu/image.h"

#include "kernels/base/op_registry.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
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
         .kernel = Stateless(cpu::FloatOnly<cpu::Lrn>)});
  r.Add({.name = "LRNGrad",
         .doc = "Gradient of LRN.",
         .inputs = {"input_grads: T", "input_image: T", "output_image: T"},
         .outputs = {"output: T"},
         .attrs = {"depth_radius: int = 5", "bias: float = 1.0", "alpha: float = 1.0", "beta: float = 0.5",
                   "T: {half, bfloat16, float} = float"},
         .shape = [](ShapeContext& c) { c.set_output(0, Merge(c, Merge(c, c.WithRank(0, 4), 1), 2)); },
         .kernel = Stateless(cpu::FloatOnly<cpu::LrnGrad>)});
}

}  // namespace equiv::ops
