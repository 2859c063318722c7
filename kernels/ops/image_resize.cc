// kernels/ops/image_resize.cc - cubic and area resizing, gradients of resizing, crops.
#include "kernels/cpu/image_resize.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
using Names = std::vector<std::string>;
constexpr const char* kNumbers = "T: {int8, uint8, int16, uint16, int32, int64, half, float, double, bfloat16}";
constexpr const char* kAlign = "align_corners: bool = false";
constexpr const char* kHalfPixel = "half_pixel_centers: bool = false";
constexpr const char* kMethod = "method: {'bilinear', 'nearest'} = 'bilinear'";

void Add(OpRegistry& r, const char* name, const char* doc, Names inputs, const char* output, Names attrs, ShapeFn shape,
         void (*kernel)(KernelContext&)) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = std::move(inputs),
         .outputs = {output},
         .attrs = std::move(attrs),
         .shape = std::move(shape),
         .kernel = Stateless(kernel)});
}
// A gradient has the shape of original_image.
void OriginalShape(ShapeContext& c) {
  c.WithRank(0, 4);
  c.set_output(0, c.WithRank(1, 4));
}
// tf: CropAndResize's shape function
void CropShape(ShapeContext& c) {
  const PartialShape image = c.WithRank(0, 4), boxes = c.WithRank(1, 2), index = c.WithRank(2, 1),
                     size = c.WithRank(3, 1);
  if (boxes[1] >= 0 && boxes[1] != 4) c.Fail("boxes must have 4 columns, got " + boxes.ToString());
  if (boxes[0] >= 0 && index[0] >= 0 && boxes[0] != index[0])
    c.Fail(fmt::format("Dimensions must be equal, but are {} and {}: boxes {} and box_ind {}", boxes[0], index[0],
                       boxes.ToString(), index.ToString()));
  if (size[0] >= 0 && size[0] != 2) c.Fail("Dimension must be 2 but is " + std::to_string(size[0]) + ": crop_size");
  std::int64_t height = -1, width = -1;
  if (const Array* value = c.constant(3)) {
    height = value->AsInt64Vector()[0];
    width = value->AsInt64Vector()[1];
    if (height <= 0 || width <= 0)
      c.Fail(fmt::format("crop dimensions must be positive, got {} and {}", height, width));
  }
  c.set_output(0, PartialShape{boxes[0] >= 0 ? boxes[0] : index[0], height, width, image[3]});
}
void CropGradImageShape(ShapeContext& c) {
  const PartialShape shape = ShapeFromInput(c, 3);
  if (shape.has_rank() && shape.rank() != 4) c.Fail("image_size must have 4 values, got " + c.input(3).ToString());
  c.set_output(0, shape.has_rank() ? shape : PartialShape::UnknownOfRank(4));
}
void CropGradBoxesShape(ShapeContext& c) { c.set_output(0, c.WithRank(2, 2)); }
}  // namespace

void RegisterImageResize(OpRegistry& r) {
  Add(r, "ResizeBicubic", "Images in another size, each cell blended from sixteen.", {"images: T", "size: int32"},
      "resized_images: float", {kNumbers, kAlign, kHalfPixel}, ResizeShape, cpu::ResizeBicubic);
  Add(r, "ResizeArea", "Images in another size, each cell the mean of what it covers.", {"images: T", "size: int32"},
      "resized_images: float", {kNumbers, kAlign}, ResizeShape, cpu::ResizeArea);
  const Names of_image{"grads: float", "original_image: T"};
  Add(r, "ResizeBilinearGrad", "Gradient of ResizeBilinear.", of_image, "output: T",
      {"T: {float, bfloat16, half, double}", kAlign, kHalfPixel}, OriginalShape, cpu::ResizeBilinearGrad);
  Add(r, "ResizeBicubicGrad", "Gradient of ResizeBicubic.", of_image, "output: T",
      {"T: {float, double}", kAlign, kHalfPixel}, OriginalShape, cpu::ResizeBicubicGrad);
  Add(r, "ResizeNearestNeighborGrad", "Gradient of ResizeNearestNeighbor.", {"grads: T", "size: int32"}, "output: T",
      {"T: {uint8, int8, int32, half, float, double, bfloat16}", kAlign, kHalfPixel}, ResizeShape,
      cpu::ResizeNearestNeighborGrad);
  Add(r, "CropAndResize", "Boxes cut out of images, each in one size.",
      {"image: T", "boxes: float", "box_ind: int32", "crop_size: int32"}, "crops: float",
      {"T: {uint8, uint16, int8, int16, int32, int64, half, float, double}", kMethod, "extrapolation_value: float = 0"},
      CropShape, cpu::CropAndResize);
  Add(r, "CropAndResizeGradImage", "Gradient of CropAndResize by its image.",
      {"grads: float", "boxes: float", "box_ind: int32", "image_size: int32"}, "output: T",
      {"T: {float, half, double}", kMethod}, CropGradImageShape, cpu::CropAndResizeGradImage);
  Add(r, "CropAndResizeGradBoxes", "Gradient of CropAndResize by its boxes.",
      {"grads: float", "image: T", "boxes: float", "box_ind: int32"}, "output: float",
      {"T: {uint8, uint16, int8, int16, int32, int64, half, float, double}", "method: {'bilinear'} = 'bilinear'"},
      CropGradBoxesShape, cpu::CropAndResizeGradBoxes);
}

}  // namespace equiv::ops
