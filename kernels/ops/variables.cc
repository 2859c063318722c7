// kernels/ops/variables.cc - resource variables, and reference variables.
#include "kernels/cpu/variables.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"
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
// tf: the shape function of ResourceGather; the input is the variable's shape
void GatherShape(ShapeContext& c) {
  const PartialShape params = c.WithRankAtLeast(0, 1), &indices = c.input(1);
  if (!params.has_rank() || !indices.has_rank()) return c.set_output(0, PartialShape::Unknown());
  const std::int64_t given = c.attr<std::int64_t>("batch_dims");
  const std::int64_t batch = given < 0 ? given + indices.rank() : given;
  if (batch < 0 || batch > indices.rank() || batch >= params.rank())
    c.Fail(fmt::format("batch_dims ({}) must be in [{}, {}] and less than rank(params) ({})", given, -indices.rank(),
                       indices.rank(), params.rank()));
  std::vector<std::int64_t> dims(params.dims().begin(), params.dims().begin() + batch);
  dims.insert(dims.end(), indices.dims().begin() + batch, indices.dims().end());
  dims.insert(dims.end(), params.dims().begin() + batch + 1, params.dims().end());
  c.set_output(0, PartialShape(std::move(dims)));
}
void GatherNdShape(ShapeContext& c) {
  const PartialShape &params = c.input(0), indices = c.WithRankAtLeast(1, 1);
  if (!params.has_rank() || !indices.has_rank() || indices.dims().back() < 0)
    return c.set_output(0, PartialShape::Unknown());
  const std::int64_t depth = indices.dims().back();
  if (depth > params.rank())
    c.Fail(fmt::format("indices.shape[-1] must be <= params.rank, but saw indices shape: {} and params shape: {}",
                       indices.ToString(), params.ToString()));
  std::vector<std::int64_t> dims(indices.dims().begin(), indices.dims().end() - 1);
  dims.insert(dims.end(), params.dims().begin() + depth, params.dims().end());
  c.set_output(0, PartialShape(std::move(dims)));
}
// tf: shape functions of Assign: the value's shape where it is checked
void AssignedShape(ShapeContext& c) { c.set_output(0, c.input(0).has_rank() ? c.input(0) : c.input(1)); }
void DeclaredShape(ShapeContext& c) { c.set_output(0, c.attr<PartialShape>("shape")); }
// tf: Variable, "an attribute with a scalar shape means unknown shape"
void OldDeclaredShape(ShapeContext& c) {
  const auto& shape = c.attr<PartialShape>("shape");
  c.set_output(0, shape.has_rank() && shape.rank() == 0 ? PartialShape::Unknown() : shape);
}
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
  r.Add(Stateful(
      "VariableShape", "The shape of a variable.", {"input: resource"}, {"output: out_type"},
      {Types("out_type", kIndices, "int32")},
      [](ShapeContext& c) { c.set_output(0, PartialShape{c.input(0).has_rank() ? c.input(0).rank() : -1}); },
      cpu::VariableShape));
  r.Add(Stateful("DestroyResourceOp", "Takes a variable's value away.", {"resource: resource"}, {},
                 {"ignore_lookup_error: bool = true"}, NoOutput, cpu::DestroyResourceOp));
  r.Add(Stateful("ResourceCountUpTo", "The value of a counter, which goes up by one to a limit.",
                 {"resource: resource"}, {"output: T"}, {"limit: int", Types("T", kIndices)}, ScalarOutput,
                 cpu::ResourceCountUpTo));
  r.Add(Stateful("ResourceGather", "Slices of a variable, by index.", {"resource: resource", "indices: Tindices"},
                 {"output: dtype"},
                 {"batch_dims: int = 0", "validate_indices: bool = true", "dtype: type", Types("Tindices", kIndices)},
                 GatherShape, cpu::ResourceGather));
  r.Add(Stateful("ResourceGatherNd", "Elements or slices of a variable, by the indices along the last axis.",
                 {"resource: resource", "indices: Tindices"}, {"output: dtype"},
                 {"dtype: type", Types("Tindices", kIndices)}, GatherNdShape, cpu::ResourceGatherNd));
  // Reference variables. At run time a ref is the variable's handle; Assign hands it on.
  const std::vector<std::string> variable_attrs = {"shape: shape", "dtype: type", "container: string = ''",
                                                   "shared_name: string = ''"};
  r.Add(Stateful("VariableV2", "A reference variable.", {}, {"ref: Ref(dtype)"}, variable_attrs, DeclaredShape,
                 cpu::VarHandleOp));
  r.Add(Stateful("Variable", "A reference variable.", {}, {"ref: Ref(dtype)"}, variable_attrs, OldDeclaredShape,
                 cpu::VarHandleOp));
  r.Add(Stateful("IsVariableInitialized", "Whether a reference variable has a value.", {"ref: Ref(dtype)"},
                 {"is_initialized: bool"}, {"dtype: type"}, ScalarOutput, cpu::VarIsInitializedOp));
  r.Add(Stateful(
      "RefIdentity", "Its input.", {"input: Ref(T)"}, {"output: Ref(T)"}, {"T: type"},
      [](ShapeContext& c) { c.set_output(0, c.input(0)); },
      [](KernelContext& ctx) { ctx.set_output(0, ctx.input(0)); }));
  r.Add(Stateful("CountUpTo", "The value of a counter, which goes up by one to a limit.", {"ref: Ref(T)"},
                 {"output: T"}, {"limit: int", Types("T", kIndices)}, ScalarOutput, cpu::CountUpTo));
  const std::vector<std::string> ref_inputs = {"ref: Ref(T)", "value: T"};
  r.Add(Stateful("Assign", "Gives a reference variable a value.", ref_inputs, {"output_ref: Ref(T)"},
                 {"T: type", "validate_shape: bool = true", "use_locking: bool = true"}, AssignedShape, cpu::Assign));
  const std::vector<std::string> step_attrs = {Types("T", kNumbers), "use_locking: bool = false"};
  r.Add(Stateful("AssignAdd", "Adds to a reference variable.", ref_inputs, {"output_ref: Ref(T)"}, step_attrs,
                 AssignedShape, cpu::AssignAdd));
  r.Add(Stateful("AssignSub", "Subtracts from a reference variable.", ref_inputs, {"output_ref: Ref(T)"}, step_attrs,
                 AssignedShape, cpu::AssignSub));
  r.Add(Stateful("DisableCopyOnRead", "Lets reads share a variable's buffer; here they always do.",
                 {"resource: resource"}, {}, {}, NoOutput, [](KernelContext&) {}));
  r.Add(Stateful("VarIsInitializedOp", "Whether a variable has a value.", {"resource: resource"},
                 {"is_initialized: bool"}, {}, ScalarOutput, cpu::VarIsInitializedOp));
}
}  // namespace equiv::ops
