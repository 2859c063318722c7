// kernels/ops/gradients.cc - gradients that are ops of their own: activations, roots, MirrorPad.
#include "kernels/base/op_registry.h"
#include "kernels/cpu/elementwise_grad.h"
#include "kernels/cpu/mirror_pad_grad.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
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
// tf: MirrorPadGrad's shape function
void MirrorPadGradShape(ShapeContext& c) {
  const PartialShape paddings = c.WithRank(1, 2), &input = c.input(0);
  if (paddings[1] >= 0 && paddings[1] != 2) c.Fail("paddings must have 2 columns, got " + paddings.ToString());
  if (paddings[0] >= 0 && paddings[0] <= kMaxRank) c.WithRank(0, static_cast<int>(paddings[0]));
  if (!input.has_rank()) return c.set_output(0, PartialShape::Unknown());
  if (!c.constant(1)) return c.set_output(0, PartialShape::UnknownOfRank(input.rank()));
  c.set_output(0, cpu::UnpaddedShape(FailThrough(c), input, c.constant(1)->AsInt64Vector(),
                                     c.attr<std::string>("mode") == "REFLECT"));
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
  for (const char* name : {"ReciprocalGrad", "InvGrad"}) r.Add(OfOutput(name, "-dy * y * y.", cpu::ReciprocalGrad));
  r.Add({.name = "MirrorPadGrad",
         .doc = "Gradient of MirrorPad: each cell and its mirror images, added up.",
         .inputs = {"input: T", "paddings: Tpaddings"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "Tpaddings: {int32, int64} = int32", "mode: {'REFLECT', 'SYMMETRIC'}"},
         .shape = MirrorPadGradShape,
         .kernel = Stateless(cpu::MirrorPadGrad)});
}

}  // namespace equiv::ops
