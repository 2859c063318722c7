// kernels/ops/gradients.cc - gradients that are ops of their own: activations, roots, bias, pools, batch norm.
#include <fmt/format.h>

#include <algorithm>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/batch_norm_grad.h"
#include "kernels/cpu/conv_geometry.h"
#include "kernels/cpu/elementwise_grad.h"
#include "kernels/cpu/pool_grad.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
constexpr const char* kFormat = "data_format: {'NHWC', 'NCHW'} = 'NHWC'";
using Names = std::vector<std::string>;

void MergeBoth(ShapeContext& c) { c.set_output(0, Merge(c, c.input(0), 1)); }

// Names as TensorFlow gives them: gradients first for activations, y first for the others.
OpDef Activation(const char* name, const char* second, void (*kernel)(KernelContext&),
                 Names attrs = {Types("T", kFloats)}) {
  return {.name = name,
          .doc = "Gradient of the activation it is named after.",
          .inputs = {"gradients: T", second},
          .outputs = {"backprops: T"},
          .attrs = std::move(attrs),
          .shape = MergeBoth,
          .kernel = Stateless(kernel)};
}
OpDef OfOutput(const char* name, const char* doc, void (*kernel)(KernelContext&)) {
  return {.name = name,
          .doc = doc,
          .inputs = {"y: T", "dy: T"},
          .outputs = {"z: T"},
          .attrs = {Types("T", kFloatsAndComplex)},
          .shape = MergeBoth,
          .kernel = Stateless(kernel)};
}
void BiasAddGradShape(ShapeContext& c) {
  const bool nchw = c.attr<std::string>("data_format") == "NCHW";
  const PartialShape in = c.WithRankAtLeast(0, nchw ? 3 : 2);
  c.set_output(0, PartialShape{in.has_rank() ? in[in.rank() - (nchw ? 3 : 1)] : -1});
}
void MaxPoolGradShape(ShapeContext& c) {
  const PartialShape image = c.WithRank(0, 4), grad = c.WithRank(2, 4);
  const cpu::Window2D window = cpu::MakePoolWindow(FailThrough(c), "MaxPoolGrad", c.attrs(), image);
  const PartialShape output = cpu::ImageShape(window.layout, image[window.layout.batch], window.h.out, window.w.out,
                                              image[window.layout.depth]);
  if (!output.IsCompatibleWith(grad))
    c.Fail("Expected grad shape to be " + output.ToString() + ", but got " + grad.ToString());
  c.set_output(0, image);
}
void AvgPoolGradShape(ShapeContext& c) {
  const PartialShape image = ShapeFromInput(c, 0);
  c.WithRank(1, 4);
  if (image.has_rank() && image.rank() != 4)
    c.Fail("orig_input_shape must have 4 values, got shape " + c.input(0).ToString());
  c.set_output(0, image.has_rank() ? image : PartialShape::UnknownOfRank(4));
}
// tf: FusedBatchNormGradShape
void BatchNormGradShape(ShapeContext& c) {
  const PartialShape dy = c.WithRank(0, 4);
  c.WithRank(1, 4);
  const int channel = cpu::LayoutOf(c.attr<std::string>("data_format")).depth;
  PartialShape vector{dy[channel]};
  for (int i = 2; i < 5; ++i) vector = Merge(c, vector, i);
  c.set_output(0, Merge(c, dy, 1));
  c.set_output(1, vector);
  c.set_output(2, vector);
}
}  // namespace

void RegisterGradients(OpRegistry& r) {
  r.Add(Activation("ReluGrad", "features: T", cpu::ReluGrad, {Types("T", kReal)}));
  r.Add(Activation("Relu6Grad", "features: T", cpu::Relu6Grad, {Types("T", kReal)}));
  r.Add(Activation("EluGrad", "outputs: T", cpu::EluGrad));
  r.Add(Activation("SeluGrad", "outputs: T", cpu::SeluGrad));
  r.Add(Activation("LeakyReluGrad", "features: T", cpu::LeakyReluGrad,
                   {"alpha: float = 0.2", Types("T", kFloats, "float")}));
  r.Add(Activation("SoftplusGrad", "features: T", cpu::SoftplusGrad));
  r.Add(Activation("SoftsignGrad", "features: T", cpu::SoftsignGrad));
  r.Add(OfOutput("SigmoidGrad", "dy * y * (1 - y).", cpu::SigmoidGrad));
  r.Add(OfOutput("TanhGrad", "dy * (1 - y * y).", cpu::TanhGrad));
  r.Add(OfOutput("SqrtGrad", "dy / (2 * y).", cpu::SqrtGrad));
  r.Add(OfOutput("RsqrtGrad", "-dy * y^3 / 2.", cpu::RsqrtGrad));
  r.Add(OfOutput("ReciprocalGrad", "-dy * y * y.", cpu::ReciprocalGrad));
  r.Add({.name = "BiasAddGrad",
         .doc = "Sum over all axes but the channels.",
         .inputs = {"out_backprop: T"},
         .outputs = {"output: T"},
         .attrs = {Types("T", kNumbers), kFormat},
         .shape = BiasAddGradShape,
         .kernel = Stateless(cpu::BiasAddGrad)});
  r.Add({.name = "MaxPoolGrad",
         .doc = "Gradient of MaxPool: to the first largest cell of each window.",
         .inputs = {"orig_input: T", "orig_output: T", "grad: T"},
         .outputs = {"output: T"},
         .attrs = {"ksize: list(int) >= 4", "strides: list(int) >= 4", "padding: {'SAME', 'VALID', 'EXPLICIT'}",
                   "explicit_paddings: list(int) = []", kFormat, Types("T", kReal, "float")},
         .shape = MaxPoolGradShape,
         .kernel = Stateless(cpu::MaxPoolGrad)});
  r.Add({.name = "AvgPoolGrad",
         .doc = "Gradient of AvgPool: shared out over each window.",
         .inputs = {"orig_input_shape: int32", "grad: T"},
         .outputs = {"output: T"},
         .attrs = {"ksize: list(int) >= 4", "strides: list(int) >= 4", "padding: {'SAME', 'VALID'}", kFormat,
                   Types("T", kFloats)},
         .shape = AvgPoolGradShape,
         .kernel = Stateless(cpu::AvgPoolGrad)});
  r.Add({.name = "FusedBatchNormGradV3",
         .doc = "Gradient of FusedBatchNormV3.",
         .inputs = {"y_backprop: T", "x: T", "scale: U", "reserve_space_1: U", "reserve_space_2: U",
                    "reserve_space_3: U"},
         .outputs = {"x_backprop: T", "scale_backprop: U", "offset_backprop: U", "reserve_space_4: U",
                     "reserve_space_5: U"},
         .attrs = {"T: {float, double}", "U: {float, double}", "epsilon: float = 0.0001", kFormat,
                   "is_training: bool = true"},
         .shape = BatchNormGradShape,
         .kernel = Stateless(cpu::FusedBatchNormGradV3)});
}

}  // namespace equiv::ops
