// kernels/ops/scatter.cc - updates of the elements or slices that indices name.
#include "kernels/cpu/scatter.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/strings_moved.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
using Ints = std::vector<std::int64_t>;
using cpu::Scatter;

// updates.shape must be indices.shape[:-1] + shape[indices.shape[-1]:]. tf: ScatterNdShapeHelper
void CheckNd(ShapeContext& c, const PartialShape& indices, const PartialShape& updates, const PartialShape& shape) {
  if (indices.has_rank() && indices.rank() < 1) c.Fail("Indices shape must have rank at least one.");
  if (!indices.has_rank() || !updates.has_rank() || !shape.has_rank() || indices.dims().back() < 0) return;
  const std::int64_t depth = indices.dims().back();
  bool fits = depth <= shape.rank();
  if (fits) {
    Ints wanted(indices.dims().begin(), indices.dims().end() - 1);
    wanted.insert(wanted.end(), shape.dims().begin() + static_cast<std::ptrdiff_t>(depth), shape.dims().end());
    fits = PartialShape(std::move(wanted)).IsCompatibleWith(updates);
  }
  if (!fits)
    c.Fail(
        fmt::format("updates.shape must be indices.shape[:-1] + shape[indices.shape[-1]:]: indices {}, updates {}, "
                    "shape {}",
                    indices.ToString(), updates.ToString(), shape.ToString()));
}
void ScatterNdShape(ShapeContext& c) {
  const PartialShape shape = ShapeFromInput(c, 2);
  CheckNd(c, c.input(0), c.input(1), shape);
  c.set_output(0, shape);
}
void TensorScatterShape(ShapeContext& c) {
  CheckNd(c, c.input(1), c.input(2), c.input(0));
  c.set_output(0, c.input(0));
}
void VariableNdShape(ShapeContext& c) {
  CheckNd(c, c.input(1), c.input(2), c.input(0));
  if (c.num_outputs() > 0) c.set_output(0, c.input(0));  // a reference handed on
}
// tf: ScatterUpdateShape, ResourceScatterUpdateShape
void VariableRowsShape(ShapeContext& c) {
  const PartialShape &variable = c.input(0), &indices = c.input(1), &updates = c.input(2);
  if (c.num_outputs() > 0) c.set_output(0, c.input(0));  // a reference handed on
  if (!variable.has_rank() || !indices.has_rank() || !updates.has_rank() || updates.rank() == 0) return;
  if (variable.rank() < 1) c.Fail("Shape must be at least rank 1 but is rank 0");
  Ints wanted = indices.dims();
  wanted.insert(wanted.end(), variable.dims().begin() + 1, variable.dims().end());
  if (!PartialShape(wanted).IsCompatibleWith(updates))
    c.Fail(fmt::format("Shapes must be equal: updates {} and indices {} + {}[1:]", updates.ToString(),
                       indices.ToString(), variable.ToString()));
}
void DynamicStitchShape(ShapeContext& c) {
  const int n = c.num_inputs() / 2;
  bool known = true;
  std::int64_t most = -1;
  PartialShape inner;
  for (int i = 0; i < n; ++i) {
    const PartialShape &indices = c.input(i), &data = c.input(n + i);
    if (const Array* value = c.constant(i))
      for (std::int64_t at : value->AsInt64Vector()) most = std::max(most, at);
    else
      known = false;
    if (!indices.has_rank() || !data.has_rank()) continue;
    bool fits = indices.rank() <= data.rank();
    for (int d = 0; fits && d < indices.rank(); ++d) fits = indices[d] < 0 || data[d] < 0 || indices[d] == data[d];
    if (!fits)
      c.Fail(fmt::format("data[{}].shape = {} does not start with indices[{}].shape = {}", i, data.ToString(), i,
                         indices.ToString()));
    const PartialShape rest(Ints(data.dims().begin() + indices.rank(), data.dims().end()));
    if (!inner.IsCompatibleWith(rest))
      c.Fail(fmt::format("the slices of data must be of one shape: {} and {}", inner.ToString(), rest.ToString()));
    inner = inner.MergeWith(rest);
  }
  if (!inner.has_rank()) return c.set_output(0, PartialShape::Unknown());
  Ints dims = inner.dims();
  dims.insert(dims.begin(), known ? most + 1 : -1);
  c.set_output(0, PartialShape(std::move(dims)));
}
void DynamicPartitionShape(ShapeContext& c) {
  const PartialShape &data = c.input(0), &partitions = c.input(1);
  PartialShape out;
  if (data.has_rank() && partitions.has_rank()) {
    bool fits = partitions.rank() <= data.rank();
    for (int d = 0; fits && d < partitions.rank(); ++d)
      fits = partitions[d] < 0 || data[d] < 0 || partitions[d] == data[d];
    if (!fits)
      c.Fail(fmt::format("data.shape must start with partitions.shape, got {} and {}", data.ToString(),
                         partitions.ToString()));
    Ints dims(data.dims().begin() + partitions.rank(), data.dims().end());
    dims.insert(dims.begin(), -1);
    out = PartialShape(std::move(dims));
  }
  for (int i = 0; i < c.num_outputs(); ++i) c.set_output(i, out);
}

using Function = void (*)(KernelContext&);
struct Kind {
  const char *name, *doc;
  Function tensor, resource, resource_nd, ref, ref_nd;
};
template <Scatter kOp>
Kind MakeKind(const char* name, const char* doc) {
  return {name,
          doc,
          cpu::TensorScatter<kOp>,
          cpu::ResourceScatter<kOp>,
          cpu::ResourceScatterNd<kOp>,
          cpu::RefScatter<kOp>,
          cpu::RefScatterNd<kOp>};
}
OpDef OnVariable(const std::string& name, const char* doc, const char* handle, const char* type_attr, const char* types,
                 bool reference, ShapeFn shape, Function kernel) {
  OpDef def{.name = name,
            .doc = doc,
            .inputs = {std::string(handle) + (reference ? ": Ref(T)" : ": resource"), "indices: Tindices",
                       std::string("updates: ") + type_attr},
            .outputs = {},
            .attrs = {Types(type_attr, types), Types("Tindices", kIndices)},
            .stateful = true,
            .shape = std::move(shape),
            .kernel = Stateless(kernel)};
  if (reference) def.outputs = {"output_ref: Ref(T)"};
  return def;
}
}  // namespace

void RegisterScatter(OpRegistry& r) {
  r.Add({.name = "ScatterNd",
         .doc = "Zeros with updates added where indices point.",
         .inputs = {"indices: Tindices", "updates: T", "shape: Tindices"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "Tindices: {int16, int32, int64}"},
         .shape = ScatterNdShape,
         .kernel = Stateless(cpu::ScatterNd)});
  for (const Kind& k : {MakeKind<Scatter::kUpdate>("Update", "Elements or slices replaced where indices point."),
                        MakeKind<Scatter::kAdd>("Add", "Updates added where indices point."),
                        MakeKind<Scatter::kSub>("Sub", "Updates subtracted where indices point."),
                        MakeKind<Scatter::kMul>("Mul", "Rows multiplied where indices point."),
                        MakeKind<Scatter::kDiv>("Div", "Rows divided where indices point."),
                        MakeKind<Scatter::kMin>("Min", "The smaller of old and new where indices point."),
                        MakeKind<Scatter::kMax>("Max", "The larger of old and new where indices point.")}) {
    const std::string name = k.name;
    const bool update = name == "Update", ordered = name == "Min" || name == "Max", nd = name != "Mul" && name != "Div";
    const char* const any = "type";
    const char* const numbers = update ? any : kNumbers;
    if (nd)
      r.Add({.name = "TensorScatter" + name,
             .doc = k.doc,
             .inputs = {"tensor: T", "indices: Tindices", "updates: T"},
             .outputs = {"output: T"},
             .attrs = {"T: type", update ? "Tindices: {int16, int32, int64, uint16}" : Types("Tindices", kIndices)},
             .shape = TensorScatterShape,
             .kernel = Stateless(update ? cpu::WithStrings<cpu::TensorScatter<Scatter::kUpdate>> : k.tensor)});
    r.Add(OnVariable("ResourceScatter" + name, k.doc, "resource", "dtype", numbers, false, VariableRowsShape,
                     k.resource));
    OpDef ref = OnVariable("Scatter" + name, k.doc, "ref", "T",
                           update    ? any
                           : ordered ? "{half, bfloat16, float, double, int32, int64}"
                                     : kNumbers,
                           true, VariableRowsShape, k.ref);
    ref.attrs.emplace_back(update ? "use_locking: bool = true" : "use_locking: bool = false");
    r.Add(std::move(ref));
    if (!nd) continue;
    OpDef resource_nd =
        OnVariable("ResourceScatterNd" + name, k.doc, "ref", "T", any, false, VariableNdShape, k.resource_nd);
    resource_nd.attrs.emplace_back("use_locking: bool = true");
    r.Add(std::move(resource_nd));
    OpDef ref_nd = OnVariable("ScatterNd" + name, k.doc, "ref", "T", numbers, true, VariableNdShape, k.ref_nd);
    ref_nd.attrs.emplace_back(update ? "use_locking: bool = true" : "use_locking: bool = false");
    r.Add(std::move(ref_nd));
  }
  for (const char* name : {"DynamicStitch", "ParallelDynamicStitch"})
    r.Add({.name = name,
           .doc = "Slices put where indices say; the last one wins.",
           .inputs = {"indices: N * int32", "data: N * T"},
           .outputs = {"merged: T"},
           .attrs = {"N: int >= 1", "T: type"},
           .shape = DynamicStitchShape,
           .kernel = Stateless(cpu::WithStrings<cpu::DynamicStitch>)});
  r.Add({.name = "DynamicPartition",
         .doc = "Slices sorted by the number of their partition.",
         .inputs = {"data: T", "partitions: int32"},
         .outputs = {"outputs: num_partitions * T"},
         .attrs = {"num_partitions: int >= 1", "T: type"},
         .shape = DynamicPartitionShape,
         .kernel = Stateless(cpu::WithStrings<cpu::DynamicPartition>)});
}

}  // namespace equiv::ops
