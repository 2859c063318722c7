// kernels/ops/optimizers.cc - steps of optimisers: each for resources and for reference variables, dense and by rows.
#include "kernels/cpu/optimizers.h"

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
using Names = std::vector<std::string>;

// Scalars are scalars; a gradient has the shape of the variables. A handle whose variable is not known counts as a
// scalar here, so the kernel looks at the shapes again.
void StepShape(ShapeContext& c, int variables, bool sparse, const Names& values) {
  PartialShape shape;
  for (int i = 0; i < variables; ++i)
    if (c.input(i).rank() > 0) shape = Merge(c, shape, i);
  for (std::size_t k = 0; k < values.size(); ++k) {
    const int i = variables + static_cast<int>(k);
    const std::string_view name = std::string_view(values[k]).substr(0, values[k].find(':'));
    if (name == "indices")
      c.WithRank(i, 1);
    else if (name != "grad" && name != "delta")
      c.WithRank(i, 0);
    else if (!sparse)
      Merge(c, shape, i);
    else if (shape.has_rank())
      c.WithRank(i, shape.rank());
  }
  if (c.num_outputs() > 0) c.set_output(0, c.input(0));
}

struct Step {
  const char* name;
  const char* doc;
  Names variables, values;
  Names attrs;  // beside the types and use_locking
  void (*kernel)(KernelContext&);
  bool reference = true;  // the op exists for reference variables too
};
// A ref is a handle at run time; the reference op hands its first one on.
void Add(OpRegistry& r, const Step& step, bool sparse) {
  Names attrs{Types("T", kNumbers)};
  if (sparse) attrs.emplace_back("Tindices: {int32, int64}");
  attrs.emplace_back("use_locking: bool = false");
  attrs.insert(attrs.end(), step.attrs.begin(), step.attrs.end());
  const std::string name = std::string(sparse ? "SparseApply" : "Apply") + step.name;
  const int variables = static_cast<int>(step.variables.size());
  for (const bool reference : {false, true}) {
    if (reference && !step.reference) continue;
    Names inputs;
    for (const std::string& v : step.variables) inputs.push_back(v + (reference ? ": Ref(T)" : ": resource"));
    inputs.insert(inputs.end(), step.values.begin(), step.values.end());
    r.Add({.name = reference ? name : "Resource" + name,
           .doc = step.doc,
           .inputs = std::move(inputs),
           .outputs = reference ? Names{"out: Ref(T)"} : Names{},
           .attrs = attrs,
           .stateful = true,
           .shape = [variables, sparse,
                     values = step.values](ShapeContext& c) { StepShape(c, variables, sparse, values); },
           .kernel = Stateless(step.kernel)});
  }
}
}  // namespace

void RegisterOptimizers(OpRegistry& r) {
  const Names nesterov{"use_nesterov: bool = false"}, slots{"update_slots: bool = true"},
      by_lr{"multiply_linear_by_lr: bool = false"};
  const Names adagrad_da{"var", "gradient_accumulator", "gradient_squared_accumulator"}, ftrl{"var", "accum", "linear"};
  const std::vector<Step> dense{
      {"GradientDescent", "var -= alpha * delta.", {"var"}, {"alpha: T", "delta: T"}, {}, cpu::ApplyGradientDescent},
      {"ProximalGradientDescent",
       "Gradient descent, then shrunk by l1 and l2.",
       {"var"},
       {"alpha: T", "l1: T", "l2: T", "delta: T"},
       {},
       cpu::ApplyProximalGradientDescent},
      {"Momentum",
       "A step along the decaying sum of gradients.",
       {"var", "accum"},
       {"lr: T", "grad: T", "momentum: T"},
       nesterov,
       cpu::ApplyMomentum},
      {"KerasMomentum",
       "A step along the decaying sum of steps.",
       {"var", "accum"},
       {"lr: T", "grad: T", "momentum: T"},
       nesterov,
       cpu::ApplyKerasMomentum,
       false},
      {"Adam",
       "A step of Adam.",
       {"var", "m", "v"},
       {"beta1_power: T", "beta2_power: T", "lr: T", "beta1: T", "beta2: T", "epsilon: T", "grad: T"},
       nesterov,
       cpu::ApplyAdam},
      {"AdamWithAmsgrad",
       "A step of Adam over the largest second moment so far.",
       {"var", "m", "v", "vhat"},
       {"beta1_power: T", "beta2_power: T", "lr: T", "beta1: T", "beta2: T", "epsilon: T", "grad: T"},
       {},
       cpu::ApplyAdamWithAmsgrad,
       false},
      {"AdaMax",
       "A step of Adam with the largest gradient in place of the second moment.",
       {"var", "m", "v"},
       {"beta1_power: T", "lr: T", "beta1: T", "beta2: T", "epsilon: T", "grad: T"},
       {},
       cpu::ApplyAdaMax},
      {"Adagrad",
       "A step divided by the root of the sum of squared gradients.",
       {"var", "accum"},
       {"lr: T", "grad: T"},
       slots,
       cpu::ApplyAdagrad},
      {"AdagradV2",
       "Adagrad with epsilon beside the root.",
       {"var", "accum"},
       {"lr: T", "epsilon: T", "grad: T"},
       slots,
       cpu::ApplyAdagradV2},
      {"AdagradDA",
       "Adagrad with dual averaging.",
       adagrad_da,
       {"grad: T", "lr: T", "l1: T", "l2: T", "global_step: int64"},
       {},
       cpu::ApplyAdagradDA},
      {"ProximalAdagrad",
       "Adagrad, then shrunk by l1 and l2.",
       {"var", "accum"},
       {"lr: T", "l1: T", "l2: T", "grad: T"},
       {},
       cpu::ApplyProximalAdagrad},
      {"Adadelta",
       "A step scaled by the roots of past updates and gradients.",
       {"var", "accum", "accum_update"},
       {"lr: T", "rho: T", "epsilon: T", "grad: T"},
       {},
       cpu::ApplyAdadelta},
      {"RMSProp",
       "A step divided by the root of the mean square of gradients.",
       {"var", "ms", "mom"},
       {"lr: T", "rho: T", "momentum: T", "epsilon: T", "grad: T"},
       {},
       cpu::ApplyRMSProp},
      {"CenteredRMSProp",
       "RMSProp with the variance of gradients.",
       {"var", "mg", "ms", "mom"},
       {"lr: T", "rho: T", "momentum: T", "epsilon: T", "grad: T"},
       {},
       cpu::ApplyCenteredRMSProp},
      {"Ftrl",
       "Follow the regularised leader.",
       ftrl,
       {"grad: T", "lr: T", "l1: T", "l2: T", "lr_power: T"},
       by_lr,
       cpu::ApplyFtrl},
      {"FtrlV2",
       "Follow the regularised leader, with l2 shrinkage.",
       ftrl,
       {"grad: T", "lr: T", "l1: T", "l2: T", "l2_shrinkage: T", "lr_power: T"},
       by_lr,
       cpu::ApplyFtrlV2},
      {"AddSign",
       "A step enlarged where gradient and mean gradient agree in sign.",
       {"var", "m"},
       {"lr: T", "alpha: T", "sign_decay: T", "beta: T", "grad: T"},
       {},
       cpu::ApplyAddSign},
      {"PowerSign",
       "A step enlarged by a power where gradient and mean gradient agree in sign.",
       {"var", "m"},
       {"lr: T", "logbase: T", "sign_decay: T", "beta: T", "grad: T"},
       {},
       cpu::ApplyPowerSign}};
  for (const Step& step : dense) Add(r, step, false);

  const std::string rows = "indices: Tindices";
  const std::vector<Step> sparse{{"ProximalGradientDescent",
                                  "Gradient descent of some rows, then shrunk by l1 and l2.",
                                  {"var"},
                                  {"alpha: T", "l1: T", "l2: T", "grad: T", rows},
                                  {},
                                  cpu::SparseApplyProximalGradientDescent},
                                 {"Momentum",
                                  "A step of some rows along the decaying sum of gradients.",
                                  {"var", "accum"},
                                  {"lr: T", "grad: T", rows, "momentum: T"},
                                  nesterov,
                                  cpu::SparseApplyMomentum},
                                 {"KerasMomentum",
                                  "A step of some rows along the decaying sum of steps.",
                                  {"var", "accum"},
                                  {"lr: T", "grad: T", rows, "momentum: T"},
                                  nesterov,
                                  cpu::SparseApplyKerasMomentum,
                                  false},
                                 {"Adagrad",
                                  "Adagrad of some rows.",
                                  {"var", "accum"},
                                  {"lr: T", "grad: T", rows},
                                  slots,
                                  cpu::SparseApplyAdagrad},
                                 {"AdagradV2",
                                  "Adagrad of some rows, with epsilon beside the root.",
                                  {"var", "accum"},
                                  {"lr: T", "epsilon: T", "grad: T", rows},
                                  slots,
                                  cpu::SparseApplyAdagradV2},
                                 {"AdagradDA",
                                  "Adagrad of some rows, with dual averaging.",
                                  adagrad_da,
                                  {"grad: T", rows, "lr: T", "l1: T", "l2: T", "global_step: int64"},
                                  {},
                                  cpu::SparseApplyAdagradDA},
                                 {"ProximalAdagrad",
                                  "Adagrad of some rows, then shrunk by l1 and l2.",
                                  {"var", "accum"},
                                  {"lr: T", "l1: T", "l2: T", "grad: T", rows},
                                  {},
                                  cpu::SparseApplyProximalAdagrad},
                                 {"Adadelta",
                                  "A step of some rows scaled by the roots of past updates and gradients.",
                                  {"var", "accum", "accum_update"},
                                  {"lr: T", "rho: T", "epsilon: T", "grad: T", rows},
                                  {},
                                  cpu::SparseApplyAdadelta},
                                 {"RMSProp",
                                  "A step of some rows divided by the root of the mean square of gradients.",
                                  {"var", "ms", "mom"},
                                  {"lr: T", "rho: T", "momentum: T", "epsilon: T", "grad: T", rows},
                                  {},
                                  cpu::SparseApplyRMSProp},
                                 {"CenteredRMSProp",
                                  "RMSProp of some rows with the variance of gradients.",
                                  {"var", "mg", "ms", "mom"},
                                  {"lr: T", "rho: T", "momentum: T", "epsilon: T", "grad: T", rows},
                                  {},
                                  cpu::SparseApplyCenteredRMSProp},
                                 {"Ftrl",
                                  "Follow the regularised leader, for some rows.",
                                  ftrl,
                                  {"grad: T", rows, "lr: T", "l1: T", "l2: T", "lr_power: T"},
                                  by_lr,
                                  cpu::SparseApplyFtrl},
                                 {"FtrlV2",
                                  "Follow the regularised leader with l2 shrinkage, for some rows.",
                                  ftrl,
                                  {"grad: T", rows, "lr: T", "l1: T", "l2: T", "l2_shrinkage: T", "lr_power: T"},
                                  by_lr,
                                  cpu::SparseApplyFtrlV2}};
  for (const Step& step : sparse) Add(r, step, true);
}

}  // namespace equiv::ops
