// kernels/ops/arrays_shape.cc - ops about shapes, and checks that hand their input on.
#include "kernels/cpu/arrays_shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/arrays.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
constexpr const char* kBits =
    "{bfloat16, half, float, double, int64, int32, uint8, uint16, uint32, uint64, int8, int16, complex64, complex128}";

void BroadcastArgsShape(ShapeContext& c) {
  const PartialShape a = c.WithRank(0, 1), b = c.WithRank(1, 1);
  c.set_output(0, PartialShape{a[0] < 0 || b[0] < 0 ? -1 : std::max(a[0], b[0])});
}
void BroadcastGradientArgsShape(ShapeContext& c) {
  for (int i : {0, 1}) {
    c.WithRank(i, 1);
    c.set_output(i, PartialShape{-1});
  }
}
void ConcatOffsetShape(ShapeContext& c) {
  c.WithRank(0, 0);
  PartialShape all{-1};
  for (int i = 1; i < c.num_inputs(); ++i) {
    c.WithRank(i, 1);
    all = Merge(c, all, i);
  }
  for (int i = 0; i < c.num_outputs(); ++i) c.set_output(i, all);
}
void ShapeNShape(ShapeContext& c) {
  for (int i = 0; i < c.num_inputs(); ++i)
    c.set_output(i, PartialShape{c.input(i).has_rank() ? c.input(i).rank() : -1});
}
void EnsureShapeShape(ShapeContext& c) {
  const PartialShape& expected = c.attr<PartialShape>("shape");
  if (!expected.IsCompatibleWith(c.input(0)))
    c.Fail(fmt::format("Shape of tensor input {} is not compatible with expected shape {}.", c.input(0).ToString(),
                       expected.ToString()));
  c.set_output(0, expected.MergeWith(c.input(0)));
}
void BitcastShapeOf(ShapeContext& c) {
  const std::size_t from = SizeOf(c.attr<DType>("T")), to = SizeOf(c.attr<DType>("type"));
  c.set_output(0, cpu::BitcastShape(FailThrough(c), c.input(0), from, to));
}
void UnravelShape(ShapeContext& c) {
  const PartialShape &indices = c.input(0), dims = c.WithRank(1, 1);
  if (!indices.has_rank()) return c.set_output(0, PartialShape::Unknown());
  if (indices.rank() > 1) c.Fail("The indices can only be scalar or 1-D, got shape " + indices.ToString());
  c.set_output(0, indices.rank() == 0 ? PartialShape{dims[0]} : PartialShape{dims[0], indices[0]});
}
}  // namespace

void RegisterArraysShape(OpRegistry& r) {
  r.Add({.name = "ShapeN",
         .doc = "The shape of each input.",
         .inputs = {"input: N * T"},
         .outputs = {"output: N * out_type"},
         .attrs = {"N: int >= 1", "T: type", Types("out_type", kIndices, "int32")},
         .shape = ShapeNShape,
         .kernel = Stateless(cpu::ShapeN)});
  r.Add({.name = "BroadcastArgs",
         .doc = "The shape two shapes broadcast to.",
         .inputs = {"s0: T", "s1: T"},
         .outputs = {"r0: T"},
         .attrs = {Types("T", kIndices, "int32")},
         .shape = BroadcastArgsShape,
         .kernel = Stateless(cpu::BroadcastArgs)});
  r.Add({.name = "BroadcastGradientArgs",
         .doc = "The axes along which the gradients of two broadcast arrays are summed.",
         .inputs = {"s0: T", "s1: T"},
         .outputs = {"r0: T", "r1: T"},
         .attrs = {Types("T", kIndices, "int32")},
         .shape = BroadcastGradientArgsShape,
         .kernel = Stateless(cpu::BroadcastGradientArgs)});
  r.Add({.name = "ConcatOffset",
         .doc = "Where each array begins in their concatenation.",
         .inputs = {"concat_dim: int32", "shape: N * shape_type"},
         .outputs = {"offset: N * shape_type"},
         .attrs = {"N: int >= 2", Types("shape_type", kIndices, "int32")},
         .shape = ConcatOffsetShape,
         .kernel = Stateless(cpu::ConcatOffset)});
  r.Add({.name = "EnsureShape",
         .doc = "Its input, whose shape is checked.",
         .inputs = {"input: T"},
         .outputs = {"output: T"},
         .attrs = {"shape: shape", "T: type"},
         .shape = EnsureShapeShape,
         .kernel = Stateless(cpu::EnsureShape)});
  for (const bool v2 : {false, true})
    r.Add({.name = v2 ? "CheckNumericsV2" : "CheckNumerics",
           .doc = "Its input; fails when an element is infinite or NaN.",
           .inputs = {"tensor: T"},
           .outputs = {"output: T"},
           .attrs = {Types("T", kFloats), "message: string"},
           .stateful = true,
           .shape = SameAsFirst,
           .kernel = Stateless(v2 ? cpu::CheckNumericsV2 : cpu::CheckNumerics)});
  r.Add({.name = "Empty",
         .doc = "An array of a shape, of no particular content.",
         .inputs = {"shape: int32"},
         .outputs = {"output: dtype"},
         .attrs = {"dtype: type", "init: bool = false"},
         .stateful = true,
         .shape = [](ShapeContext& c) { c.set_output(0, ShapeFromInput(c, 0)); },
         .kernel = Stateless(cpu::Empty)});
  r.Add({.name = "Bitcast",
         .doc = "The same bytes as elements of another type.",
         .inputs = {"input: T"},
         .outputs = {"output: type"},
         .attrs = {Types("T", kBits), Types("type", kBits)},
         .shape = BitcastShapeOf,
         .kernel = Stateless(cpu::Bitcast)});
  r.Add({.name = "UnravelIndex",
         .doc = "Coordinates of flat indices.",
         .inputs = {"indices: Tidx", "dims: Tidx"},
         .outputs = {"output: Tidx"},
         .attrs = {Types("Tidx", kIndices, "int32")},
         .shape = UnravelShape,
         .kernel = Stateless(cpu::UnravelIndex)});
  r.Add({.name = "PlaceholderV2",
         .doc = "A value to be fed.",
         .outputs = {"output: dtype"},
         .attrs = {"dtype: type", "shape: shape"},
         .shape = [](ShapeContext& c) { c.set_output(0, c.attr<PartialShape>("shape")); },
         .kernel = Stateless(cpu::Placeholder)});
}

}  // namespace equiv::ops
