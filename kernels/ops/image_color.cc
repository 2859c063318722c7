// kernels/ops/image_color.cc - contrast, hue, saturation and HSV of images.
#include "kernels/cpu/image_color.h"

#include "kernels/base/op_registry.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
using Names = std::vector<std::string>;

void Adjustment(OpRegistry& r, const char* name, const char* doc, const char* amount, int least,
                void (*kernel)(KernelContext&)) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = {"images: T", amount},
         .outputs = {"output: T"},
         .attrs = {"T: {half, float} = float"},
         .shape =
             [least](ShapeContext& c) {
               c.set_output(0, c.WithRankAtLeast(0, least));
               c.WithRank(1, 0);
             },
         .kernel = Stateless(kernel)});
}
// tf: ColorspaceShapeFn
void ThreeChannels(ShapeContext& c) {
  const PartialShape in = c.WithRankAtLeast(0, 1);
  if (!in.has_rank()) return c.set_output(0, in);
  std::vector<std::int64_t> dims = in.dims();
  if (dims.back() >= 0 && dims.back() != 3)
    c.Fail("Dimension must be 3 but is " + std::to_string(dims.back()) + ": channels of " + in.ToString());
  dims.back() = 3;
  c.set_output(0, PartialShape(std::move(dims)));
}
void Colours(OpRegistry& r, const char* name, const char* doc, void (*kernel)(KernelContext&)) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = {"images: T"},
         .outputs = {"output: T"},
         .attrs = {Types("T", kFloats, "float")},
         .shape = ThreeChannels,
         .kernel = Stateless(kernel)});
}
}  // namespace

void RegisterImageColor(OpRegistry& r) {
  Adjustment(r, "AdjustContrastv2", "Images drawn away from their mean colour.", "contrast_factor: float", 3,
             cpu::FloatOnly<cpu::AdjustContrast>);
  Adjustment(r, "AdjustHue", "Images with their hue turned.", "delta: float", 3, cpu::FloatOnly<cpu::AdjustHue>);
  Adjustment(r, "AdjustSaturation", "Images with their saturation scaled.", "scale: float", 3,
             cpu::FloatOnly<cpu::AdjustSaturation>);
  Colours(r, "RGBToHSV", "Red, green, blue to hue, saturation, value.", cpu::RGBToHSV);
  Colours(r, "HSVToRGB", "Hue, saturation, value to red, green, blue.", cpu::HSVToRGB);
}

}  // namespace equiv::ops
