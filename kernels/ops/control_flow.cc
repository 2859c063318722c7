// kernels/ops/control_flow.cc - v1 control flow. The session runs these ops itself: see runtime/session/plan.h.
#include <string>

#include "kernels/base/op_registry.h"

namespace equiv::ops {
namespace {
void SameForAll(ShapeContext& c) {
  for (int i = 0; i < c.num_outputs(); ++i) c.set_output(i, c.input(0));
}
// tf: the shape function of Merge: what all inputs agree on
void MergeShape(ShapeContext& c) {
  PartialShape merged = c.input(0);
  for (int i = 1; i < c.num_inputs() && merged.has_rank(); ++i) {
    const PartialShape& other = c.input(i);
    if (!other.has_rank() || other.rank() != merged.rank()) {
      merged = PartialShape::Unknown();
      break;
    }
    std::vector<std::int64_t> dims = merged.dims();
    for (std::size_t d = 0; d < dims.size(); ++d)
      if (dims[d] != other.dims()[d]) dims[d] = -1;
    merged = PartialShape(std::move(dims));
  }
  c.set_output(0, merged);
  c.set_output(1, Shape{});
}
// The ops in the form for values and in that for references.
void Both(OpRegistry& r, OpDef def) {
  OpDef reference = def;
  reference.name = "Ref" + def.name;
  for (auto* args : {&reference.inputs, &reference.outputs})
    for (std::string& arg : *args)
      if (const auto colon = arg.find(": "); arg.ends_with("T")) {
        const bool many = arg.find("N * ") != std::string::npos;
        arg = arg.substr(0, colon) + (many ? ": N * Ref(T)" : ": Ref(T)");
      }
  r.Add(std::move(def));
  r.Add(std::move(reference));
}
}  // namespace

void RegisterControlFlow(OpRegistry& r) {
  Both(r, {.name = "Switch",
           .doc = "The input on one of two outputs, by a condition; the other one is dead.",
           .inputs = {"data: T", "pred: bool"},
           .outputs = {"output_false: T", "output_true: T"},
           .attrs = {"T: type"},
           .shape = SameForAll});
  Both(r, {.name = "Merge",
           .doc = "The first input that is not dead, and its number.",
           .inputs = {"inputs: N * T"},
           .outputs = {"output: T", "value_index: int32"},
           .attrs = {"T: type", "N: int >= 1"},
           .shape = MergeShape});
  Both(r, {.name = "Enter",
           .doc = "Takes a value into the frame of a loop.",
           .inputs = {"data: T"},
           .outputs = {"output: T"},
           .attrs = {"T: type", "frame_name: string", "is_constant: bool = false", "parallel_iterations: int = 10"},
           .shape = [](ShapeContext& c) {
             if (c.attr<bool>("is_constant")) SameForAll(c);
           }});
  Both(r, {.name = "Exit",
           .doc = "Takes a value out of the frame of a loop.",
           .inputs = {"data: T"},
           .outputs = {"output: T"},
           .attrs = {"T: type"},
           .shape = SameForAll});
  Both(r, {.name = "NextIteration",
           .doc = "Hands a value to the next iteration of a loop.",
           .inputs = {"data: T"},
           .outputs = {"output: T"},
           .attrs = {"T: type"},
           .shape = SameForAll});
  r.Add({.name = "LoopCond",
         .doc = "The condition of a loop.",
         .inputs = {"input: bool"},
         .outputs = {"output: bool"},
         .shape = SameForAll});
  r.Add({.name = "ControlTrigger",
         .doc = "Does nothing, after what it depends on.",
         .kernel = Stateless([](KernelContext&) {})});
}
}  // namespace equiv::ops
