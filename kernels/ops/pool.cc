// kernels/ops/pool.cc - pools of images and their gradients.
#include "kernels/cpu/pool.h"

#include "kernels/base/op_registry.h"
#include "kernels/cpu/conv_geometry.h"
#include "kernels/cpu/pool_grad.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
using Names = std::vector<std::string>;
constexpr const char* kOrdered =
    "T: {half, bfloat16, float, double, int32, int64, uint8, int16, int8, uint16, uint32, uint64}";
constexpr const char* kFloatT = "T: {half, bfloat16, float, double}";
constexpr const char* kFormat = "data_format: {'NHWC', 'NCHW'} = 'NHWC'";
constexpr const char* kKsize = "ksize: list(int) >= 4";
constexpr const char* kStrides = "strides: list(int) >= 4";
constexpr const char* kPadding = "padding: {'SAME', 'VALID'}";
constexpr const char* kAnyPadding = "padding: {'SAME', 'VALID', 'EXPLICIT'}";
constexpr const char* kPaddings = "explicit_paddings: list(int) = []";

PartialShape Pooled(ShapeContext& c, const char* op, const AttrMap& attrs, const PartialShape& image) {
  const cpu::Window2D window = cpu::MakePoolWindow(FailThrough(c), op, attrs, image);
  return cpu::ImageShape(window.layout, image[window.layout.batch], window.h.out, window.w.out,
                         image[window.layout.depth]);
}
// tf: MaxPoolShapeWithExplicitPadding, AvgPoolShape
ShapeFn PoolShape(const char* op) {
  return [op](ShapeContext& c) {
    const PartialShape pooled = Pooled(c, op, c.attrs(), c.WithRank(0, 4));
    for (int i = 0; i < c.num_outputs(); ++i) c.set_output(i, pooled);
  };
}
// ksize and strides are inputs `first` and `first` + 1; nullopt when they are not known.
std::optional<AttrMap> WindowInputs(ShapeContext& c, int first) {
  AttrMap attrs = c.attrs();
  for (int i = first; i < first + 2; ++i) {
    c.WithRank(i, 1);
    if (!c.constant(i)) return std::nullopt;
    attrs.Set(i == first ? "ksize" : "strides", c.constant(i)->AsInt64Vector());
  }
  return attrs;
}
// tf: MaxPoolV2Shape
void MaxPoolV2Shape(ShapeContext& c) {
  const PartialShape image = c.WithRank(0, 4);
  const std::optional<AttrMap> attrs = WindowInputs(c, 1);
  c.set_output(0, attrs ? Pooled(c, "MaxPoolV2", *attrs, image) : PartialShape::UnknownOfRank(4));
}
void Expect(ShapeContext& c, const char* name, const PartialShape& expected, int i) {
  if (!expected.IsCompatibleWith(c.input(i)))
    c.Fail(std::string("Expected ") + name + " shape to be " + expected.ToString() + ", but got " +
           c.input(i).ToString());
}
// Image in input 0, what was pooled in 1; `grad` is pooled, or of the image for the gradient of a gradient.
ShapeFn GradShape(const char* op, bool second, bool by_inputs) {
  return [=](ShapeContext& c) {
    const PartialShape image = c.WithRank(0, 4);
    std::optional<AttrMap> attrs = by_inputs ? WindowInputs(c, 3) : c.attrs();
    const PartialShape pooled = attrs ? Pooled(c, op, *attrs, image) : PartialShape::UnknownOfRank(4);
    Expect(c, "orig_output", pooled, 1);
    Expect(c, "grad", second ? image : pooled, 2);
    c.set_output(0, second ? pooled : image);
  };
}
void AvgPoolGradShape(ShapeContext& c) {
  const PartialShape image = ShapeFromInput(c, 0);
  c.WithRank(1, 4);
  if (image.has_rank() && image.rank() != 4)
    c.Fail("orig_input_shape must have 4 values, got shape " + c.input(0).ToString());
  c.set_output(0, image.has_rank() ? image : PartialShape::UnknownOfRank(4));
}
void ArgmaxGradShape(ShapeContext& c) {
  const PartialShape image = c.WithRank(0, 4), pooled = Pooled(c, "MaxPoolGradWithArgmax", c.attrs(), image);
  Expect(c, "grad", pooled, 1);
  Expect(c, "argmax", pooled, 2);
  c.set_output(0, image);
}
void Add(OpRegistry& r, const char* name, const char* doc, Names inputs, Names attrs, ShapeFn shape,
         void (*kernel)(KernelContext&), Names outputs = {"output: T"}) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = std::move(inputs),
         .outputs = std::move(outputs),
         .attrs = std::move(attrs),
         .shape = std::move(shape),
         .kernel = Stateless(kernel)});
}
}  // namespace

void RegisterPool(OpRegistry& r) {
  const std::string ordered = kOrdered, with_default = ordered + " = float";
  const char* pooled = "T: {half, bfloat16, float, double, int32, int64, uint8, int16, int8, uint16} = float";
  Add(r, "MaxPool", "Largest value under a sliding window.", {"input: T"},
      {pooled, kKsize, kStrides, kAnyPadding, kPaddings, kFormat}, PoolShape("MaxPool"), cpu::MaxPool);
  Add(r, "MaxPoolV2", "Largest value under a sliding window.", {"input: T", "ksize: int32", "strides: int32"},
      {pooled, kPadding, kFormat}, MaxPoolV2Shape, cpu::MaxPoolV2);
  Add(r, "AvgPool", "Mean of the cells of the image under a sliding window.", {"value: T"},
      {kKsize, kStrides, kPadding, kFormat, kFloatT}, PoolShape("AvgPool"), cpu::AvgPool);
  Add(r, "MaxPoolWithArgmax", "Largest value under a sliding window, and where it lies.", {"input: T"},
      {kKsize, kStrides, "Targmax: {int32, int64} = int64", kPadding, "include_batch_in_index: bool = false", ordered},
      PoolShape("MaxPoolWithArgmax"), cpu::MaxPoolWithArgmax, {"output: T", "argmax: Targmax"});

  const Names three{"orig_input: T", "orig_output: T", "grad: T"};
  const Names five{"orig_input: T", "orig_output: T", "grad: T", "ksize: int32", "strides: int32"};
  const char *grad = "Gradient of MaxPool: to the first largest cell of each window.",
             *grad_grad = "Gradient of the gradient of MaxPool: from the first largest cell of each window.";
  Add(r, "MaxPoolGrad", grad, three, {kKsize, kStrides, kAnyPadding, kPaddings, kFormat, with_default},
      GradShape("MaxPoolGrad", false, false), cpu::MaxPoolGrad);
  Add(r, "MaxPoolGradV2", grad, five, {kPadding, kFormat, with_default}, GradShape("MaxPoolGradV2", false, true),
      cpu::MaxPoolGradV2);
  Add(r, "MaxPoolGradGrad", grad_grad, three, {kKsize, kStrides, kPadding, kFormat, ordered},
      GradShape("MaxPoolGradGrad", true, false), cpu::MaxPoolGradGrad);
  Add(r, "MaxPoolGradGradV2", grad_grad, five, {kPadding, kFormat, ordered}, GradShape("MaxPoolGradGradV2", true, true),
      cpu::MaxPoolGradGradV2);
  Add(r, "MaxPoolGradWithArgmax", "Gradient of MaxPoolWithArgmax: to the positions it gave.",
      {"input: T", "grad: T", "argmax: Targmax"},
      {kKsize, kStrides, kPadding, "include_batch_in_index: bool = false", "Targmax: {int32, int64}", ordered},
      ArgmaxGradShape, cpu::MaxPoolGradWithArgmax);
  Add(r, "AvgPoolGrad", "Gradient of AvgPool: shared out over each window.", {"orig_input_shape: int32", "grad: T"},
      {kKsize, kStrides, kPadding, kFormat, kFloatT}, AvgPoolGradShape, cpu::AvgPoolGrad);
}

}  // namespace equiv::ops
