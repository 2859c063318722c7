// kernels/ops/unique.cc - ops whose result's size depends on the values.
#include "kernels/cpu/unique.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {

void UniqueShape(ShapeContext& c) {
  const PartialShape x = c.WithRank(0, 1);
  c.set_output(0, PartialShape{-1});
  c.set_output(1, x);
  if (c.num_outputs() > 2) c.set_output(2, PartialShape{-1});
}
// tf: UniqueV2 works out the slices' shape when the axis is known
void UniqueV2Shape(ShapeContext& c) {
  const PartialShape& x = c.input(0);
  c.WithRank(1, 1);
  PartialShape y;
  std::int64_t slices = -1;
  if (const Array* axis = c.constant(1); axis && x.has_rank()) {
    if (axis->num_elements() > 1) c.Fail("axis does not support input tensors larger than 1 elements");
    if (axis->num_elements() == 0 && x.rank() != 1) c.Fail("unique expects a 1D vector.");
    const int at = axis->num_elements() == 0 ? 0 : Axis(c, axis->AsInt64Vector()[0], x.rank());
    std::vector<std::int64_t> dims = x.dims();
    slices = dims[static_cast<std::size_t>(at)];
    dims[static_cast<std::size_t>(at)] = -1;
    y = PartialShape(std::move(dims));
  }
  c.set_output(0, y);
  c.set_output(1, PartialShape{slices});
  if (c.num_outputs() > 2) c.set_output(2, PartialShape{-1});
}
void ListDiffShape(ShapeContext& c) {
  for (int i : {0, 1}) {
    c.WithRank(i, 1);
    c.set_output(i, PartialShape{-1});
  }
}
}  // namespace

void RegisterUnique(OpRegistry& r) {
  const std::string index = Types("out_idx", kIndices, "int32");
  const char* const doc = "Values in the order of their first appearance, and which of them each element is.";
  for (const bool counts : {false, true}) {
    std::vector<std::string> outputs{"y: T", "idx: out_idx"};
    if (counts) outputs.emplace_back("count: out_idx");
    r.Add({.name = counts ? "UniqueWithCounts" : "Unique",
           .doc = doc,
           .inputs = {"x: T"},
           .outputs = outputs,
           .attrs = {"T: type", index},
           .shape = UniqueShape,
           .kernel = Stateless(counts ? cpu::UniqueWithCounts : cpu::Unique)});
    r.Add({.name = counts ? "UniqueWithCountsV2" : "UniqueV2",
           .doc = doc,
           .inputs = {"x: T", "axis: Taxis"},
           .outputs = outputs,
           .attrs = {"T: type", Types("Taxis", kIndices, "int64"), index},
           .shape = UniqueV2Shape,
           .kernel = Stateless(counts ? cpu::UniqueWithCountsV2 : cpu::UniqueV2)});
  }
  r.Add({.name = "ListDiff",
         .doc = "The elements of x that are not in y.",
         .inputs = {"x: T", "y: T"},
         .outputs = {"out: T", "idx: out_idx"},
         .attrs = {"T: type", index},
         .shape = ListDiffShape,
         .kernel = Stateless(cpu::ListDiff)});
  r.Add(
      {.name = "Where",
       .doc = "The places of what is not zero, one a row.",
       .inputs = {"input: T"},
       .outputs = {"index: int64"},
       .attrs = {"T: {float, double, int32, uint8, int16, int8, complex64, int64, bfloat16, uint16, complex128, half, "
                 "uint32, uint64, bool} = bool"},
       .shape =
           [](ShapeContext& c) {
             const PartialShape& in = c.input(0);
             c.set_output(0, PartialShape{-1, in.has_rank() ? in.rank() : -1});
           },
       .kernel = Stateless(cpu::Where)});
  r.Add({.name = "InvertPermutation",
         .doc = "The permutation that undoes the input.",
         .inputs = {"x: T"},
         .outputs = {"y: T"},
         .attrs = {Types("T", kIndices, "int32")},
         .shape = [](ShapeContext& c) { c.set_output(0, c.WithRank(0, 1)); },
         .kernel = Stateless(cpu::InvertPermutation)});
}

}  // namespace equiv::ops
