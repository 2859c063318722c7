// kernels/ops/volume_pool.cc - pools of volumes and their gradients.
#include "kernels/cpu/volume_pool.h"

#include "kernels/base/op_registry.h"
#include "kernels/cpu/volume_geometry.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
using Names = std::vector<std::string>;
// float64 where TensorFlow has none: a reference for the precision of the others.
constexpr const char* kMaxTypes = "T: {half, bfloat16, float, double}";
const Names kWindow{"ksize: list(int) >= 5", "strides: list(int) >= 5", "padding: {'SAME', 'VALID'}",
                    "data_format: {'NDHWC', 'NCDHW'} = 'NDHWC'"};

PartialShape Pooled(ShapeContext& c, const char* op, const PartialShape& volume) {
  const cpu::Window3D window = cpu::MakePoolWindow3D(FailThrough(c), op, c.attrs(), volume);
  return cpu::VolumeShape(window, volume[0], volume[window.depth]);
}
void Expect(ShapeContext& c, const char* name, const PartialShape& expected, int i) {
  if (!expected.IsCompatibleWith(c.input(i)))
    c.Fail(std::string("Expected ") + name + " shape to be " + expected.ToString() + ", but got " +
           c.input(i).ToString());
}
ShapeFn PoolShape(const char* op) {
  return [op](ShapeContext& c) { c.set_output(0, Pooled(c, op, c.WithRank(0, 5))); };
}
// `grad` is pooled, or of the volume for the gradient of a gradient.
ShapeFn MaxGradShape(const char* op, bool second) {
  return [=](ShapeContext& c) {
    const PartialShape volume = c.WithRank(0, 5), pooled = Pooled(c, op, volume);
    Expect(c, "orig_output", pooled, 1);
    Expect(c, "grad", second ? volume : pooled, 2);
    c.set_output(0, second ? pooled : volume);
  };
}
void AvgGradShape(ShapeContext& c) {
  const PartialShape volume = ShapeFromInput(c, 0);
  c.WithRank(1, 5);
  if (volume.has_rank() && volume.rank() != 5)
    c.Fail("orig_input_shape must have 5 values, got shape " + c.input(0).ToString());
  c.set_output(0, volume.has_rank() ? volume : PartialShape::UnknownOfRank(5));
}
void Add(OpRegistry& r, const char* name, const char* doc, Names inputs, const Names& types, ShapeFn shape,
         void (*kernel)(KernelContext&)) {
  Names attrs = kWindow;
  attrs.insert(attrs.end(), types.begin(), types.end());
  r.Add({.name = name,
         .doc = doc,
         .inputs = std::move(inputs),
         .outputs = {"output: T"},
         .attrs = std::move(attrs),
         .shape = std::move(shape),
         .kernel = Stateless(kernel)});
}
}  // namespace

void RegisterVolumePool(OpRegistry& r) {
  Add(r, "MaxPool3D", "Largest value under a window sliding through a volume.", {"input: T"}, {kMaxTypes},
      PoolShape("MaxPool3D"), cpu::MaxPool3D);
  Add(r, "AvgPool3D", "Mean of the cells of the volume under a sliding window.", {"input: T"}, {Types("T", kFloats)},
      PoolShape("AvgPool3D"), cpu::AvgPool3D);
  Add(r, "MaxPool3DGrad", "Gradient of MaxPool3D: to every largest cell of each window.",
      {"orig_input: TInput", "orig_output: TInput", "grad: T"},
      {std::string(kMaxTypes) + " = float", Types("TInput", kFloats, "float")}, MaxGradShape("MaxPool3DGrad", false),
      cpu::MaxPool3DGrad);
  Add(r, "MaxPool3DGradGrad", "Gradient of the gradient of MaxPool3D: from the first largest cell of each window.",
      {"orig_input: T", "orig_output: T", "grad: T"}, {Types("T", kReal)}, MaxGradShape("MaxPool3DGradGrad", true),
      cpu::MaxPool3DGradGrad);
  Add(r, "AvgPool3DGrad", "Gradient of AvgPool3D: shared out over each window.", {"orig_input_shape: int32", "grad: T"},
      {Types("T", kFloats)}, AvgGradShape, cpu::AvgPool3DGrad);
}

}  // namespace equiv::ops
