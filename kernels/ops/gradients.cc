// kernels/ops/gradients.cc - gradients that are ops of their own: activations and roots.
#include "kernels/base/op_registry.h"
#include "kernels/cpu/elementwise_grad.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
constexpr const char* kFloats = "T: {float, double}";
using Names = std::vector<std::string>;

void MergeBoth(ShapeContext& c) { c.set_output(0, Merge(c, c.input(0), 1)); }

// Names as TensorFlow gives them: gradients first for activations, y first for the others.
OpDef Activation(const char* name, const char* second, void (*kernel)(KernelContext&), Names attrs = {kFloats}) {
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
          .attrs = {kFloats},
          .shape = MergeBoth,
          .kernel = Stateless(kernel)};
}
}  // namespace

void RegisterGradients(OpRegistry& r) {
  r.Add(Activation("ReluGrad", "features: T", cpu::ReluGrad));
  r.Add(Activation("Relu6Grad", "features: T", cpu::Relu6Grad));
  r.Add(Activation("EluGrad", "outputs: T", cpu::EluGrad));
  r.Add(Activation("SeluGrad", "outputs: T", cpu::SeluGrad));
  r.Add(Activation("LeakyReluGrad", "features: T", cpu::LeakyReluGrad,
                   {"alpha: float = 0.2", "T: {float, double} = float"}));
  r.Add(Activation("SoftplusGrad", "features: T", cpu::SoftplusGrad));
  r.Add(Activation("SoftsignGrad", "features: T", cpu::SoftsignGrad));
  r.Add(OfOutput("SigmoidGrad", "dy * y * (1 - y).", cpu::SigmoidGrad));
  r.Add(OfOutput("TanhGrad", "dy * (1 - y * y).", cpu::TanhGrad));
  r.Add(OfOutput("SqrtGrad", "dy / (2 * y).", cpu::SqrtGrad));
  r.Add(OfOutput("RsqrtGrad", "-dy * y^3 / 2.", cpu::RsqrtGrad));
  r.Add(OfOutput("ReciprocalGrad", "-dy * y * y.", cpu::ReciprocalGrad));
}

}  // namespace equiv::ops
