#include "runtime/training/training_util.h"

#include <fmt/format.h>

#include "kernels/base/error.h"
#include "runtime/core/log.h"
#include "runtime/random/initializers.h"

namespace equiv::runtime {

Variable GetGlobalStep() {
  std::vector<Variable> steps = VariablesOf(kGlobalStep);
  if (steps.size() > 1) {
    Log(LogLevel::kError, "Multiple tensors in global_step collection.");
    return {};
  }
  if (steps.empty())
    // tf: a variable of that name counts too
    for (const Variable& v : GlobalVariables())
      if (v.op_name() == kGlobalStep) steps = {v};
  if (steps.empty()) return {};
  if (!IsInteger(steps[0].dtype()))
    throw TypeError(fmt::format("Existing \"global_step\" does not have integer type: {}", Name(steps[0].dtype())));
  if (!steps[0].shape().IsCompatibleWith(PartialShape(Shape{})))
    throw TypeError(fmt::format("Existing \"global_step\" is not scalar: {}", steps[0].shape().ToTuple()));
  return steps[0];
}

Variable CreateGlobalStep() {
  if (!Current().graph())
    throw RuntimeError("CreateGlobalStep: eager execution has no collections; make a variable and count in it");
  if (GetGlobalStep()) throw ValueError("\"global_step\" already exists.");
  NameScope root("");
  return GetVariable(kGlobalStep, {.shape = PartialShape(Shape{}),
                                   .dtype = DType::kInt64,
                                   .initializer = ZerosInitializer(),
                                   .trainable = false,
                                   .collections = {std::string(kGlobalVariables), std::string(kGlobalStep)}});
}

Variable GetOrCreateGlobalStep() {
  const Variable step = GetGlobalStep();
  return step ? step : CreateGlobalStep();
}
}  // namespace equiv::runtime
