// kernels/ops/image_window.cc - patches of images, grey dilation and its gradients.
#include "kernels/cpu/image_window.h"

#include "kernels/base/op_registry.h"
#include "kernels/cpu/checked_math.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
using Names = std::vector<std::string>;
constexpr const char* kStrides = "strides: list(int) >= 4";
constexpr const char* kRates = "rates: list(int) >= 4";
constexpr const char* kPadding = "padding: {'SAME', 'VALID'}";
constexpr const char* kNumbers =
    "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}";

void PatchShape(ShapeContext& c) {
  const PartialShape image = c.WithRank(0, 4);
  const cpu::Window2D window = cpu::MakePatchWindow(FailThrough(c), c.attrs(), image);
  std::int64_t depth = -1;
  if (image[3] >= 0)
    depth = cpu::CheckedMul(FailThrough(c), cpu::CheckedMul(FailThrough(c), window.h.size, window.w.size), image[3]);
  c.set_output(0, PartialShape{image[0], window.h.out, window.w.out, depth});
}
PartialShape Dilated(ShapeContext& c) {
  const PartialShape image = c.WithRank(0, 4), filter = c.WithRank(1, 3);
  const cpu::Window2D window = cpu::MakeDilationWindow(FailThrough(c), c.attrs(), image, filter);
  return PartialShape{image[0], window.h.out, window.w.out, image[3] >= 0 ? image[3] : filter[2]};
}
void DilationShape(ShapeContext& c) { c.set_output(0, Dilated(c)); }
// The gradient by input i has its shape.
ShapeFn GradShape(int i) {
  return [i](ShapeContext& c) {
    const PartialShape output = Dilated(c);
    if (!output.IsCompatibleWith(c.input(2)))
      c.Fail("out_backprop has incompatible size: " + c.input(2).ToString() + ", expected " + output.ToString());
    c.set_output(0, c.WithRank(i, i == 0 ? 4 : 3));
  };
}
void Dilation(OpRegistry& r, const char* name, const char* doc, Names inputs, const char* output, ShapeFn shape,
              void (*kernel)(KernelContext&)) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = std::move(inputs),
         .outputs = {output},
         .attrs = {kNumbers, kStrides, kRates, kPadding},
         .shape = std::move(shape),
         .kernel = Stateless(kernel)});
}
}  // namespace

void RegisterImageWindow(OpRegistry& r) {
  r.Add({.name = "ExtractImagePatches",
         .doc = "The cells under a sliding window, laid behind one another as channels.",
         .inputs = {"images: T"},
         .outputs = {"patches: T"},
         .attrs = {"ksizes: list(int) >= 4", kStrides, kRates,
                   "T: {bfloat16, half, float, double, int8, int16, int32, int64, uint8, uint16, uint32, uint64, "
                   "complex64, complex128, bool}",
                   kPadding},
         .shape = PatchShape,
         .kernel = Stateless(cpu::ExtractImagePatches)});
  const Names grad{"input: T", "filter: T", "out_backprop: T"};
  Dilation(r, "Dilation2D", "Largest sum of cell and filter under a sliding window.", {"input: T", "filter: T"},
           "output: T", DilationShape, cpu::Dilation2D);
  Dilation(r, "Dilation2DBackpropInput", "Gradient of Dilation2D by its input.", grad, "in_backprop: T", GradShape(0),
           cpu::Dilation2DBackpropInput);
  Dilation(r, "Dilation2DBackpropFilter", "Gradient of Dilation2D by its filter.", grad, "filter_backprop: T",
           GradShape(1), cpu::Dilation2DBackpropFilter);
}

}  // namespace equiv::ops
