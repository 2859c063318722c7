// kernels/ops/variables.cc - resource variables.
#include "kernels/cpu/variables.h"

#include "kernels/base/op_registry.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
OpDef Stateful(const char* name, const char* doc, std::vector<std::string> inputs, std::vector<std::string> outputs,
               std::vector<std::string> attrs, ShapeFn shape, void (*kernel)(KernelContext&)) {
  return {.name = name,
          .doc = doc,
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attrs = std::move(attrs),
          .stateful = true,
          .shape = std::move(shape),
          .kernel = equiv::Stateless(kernel)};
}
void ScalarOutput(ShapeContext& c) { c.set_output(0, Shape{}); }
void NoOutput(ShapeContext&) {}
}  // namespace

void RegisterVariables(OpRegistry& r) {
  r.Add(Stateful("VarHandleOp", "A handle of the variable `shared_name`, made when first asked for.", {},
                 {"resource: resource"},
                 {"container: string = ''", "shared_name: string = ''", "debug_name: string = ''", "dtype: type",
                  "shape: shape", "allowed_devices: list(string) = []"},
                 ScalarOutput, cpu::VarHandleOp));
  r.Add(Stateful(
      "ReadVariableOp", "The value of a variable.", {"resource: resource"}, {"value: dtype"}, {"dtype: type"},
      [](ShapeContext& c) { c.set_output(0, c.input(0)); }, cpu::ReadVariableOp));
  const std::vector<std::string> assign_inputs = {"resource: resource", "value: dtype"};
  r.Add(Stateful("AssignVariableOp", "Gives a variable a value.", assign_inputs, {},
                 {"dtype: type", "validate_shape: bool = false"}, NoOutput, cpu::AssignVariableOp));
  r.Add(Stateful("AssignAddVariableOp", "Adds to a variable.", assign_inputs, {}, {"dtype: type"}, NoOutput,
                 cpu::AssignAddVariableOp));
  r.Add(Stateful("AssignSubVariableOp", "Subtracts from a variable.", assign_inputs, {}, {"dtype: type"}, NoOutput,
                 cpu::AssignSubVariableOp));
  // Reference variables. A ref is a handle here; Assign hands it on.
  r.Add(Stateful("VariableV2", "A reference variable.", {}, {"ref: resource"},
                 {"shape: shape", "dtype: type", "container: string = ''", "shared_name: string = ''"}, ScalarOutput,
                 cpu::VarHandleOp));
  const std::vector<std::string> ref_inputs = {"ref: resource", "value: T"};
  r.Add(Stateful("Assign", "Gives a reference variable a value.", ref_inputs, {"output_ref: resource"},
                 {"T: type", "validate_shape: bool = true", "use_locking: bool = true"}, ScalarOutput, cpu::Assign));
  const std::vector<std::string> step_attrs = {Types("T", kNumbers), "use_locking: bool = false"};
  r.Add(Stateful("AssignAdd", "Adds to a reference variable.", ref_inputs, {"output_ref: resource"}, step_attrs,
                 ScalarOutput, cpu::AssignAdd));
  r.Add(Stateful("AssignSub", "Subtracts from a reference variable.", ref_inputs, {"output_ref: resource"}, step_attrs,
                 ScalarOutput, cpu::AssignSub));
  r.Add(Stateful("VarIsInitializedOp", "Whether a variable has a value.", {"resource: resource"},
                 {"is_initialized: bool"}, {}, ScalarOutput, cpu::VarIsInitializedOp));
}
}  // namespace equiv::ops
