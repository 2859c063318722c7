// kernels/ops/einsum.cc - Einsum.
#include "kernels/cpu/einsum.h"

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
// tf: EinsumShape
void EinsumShape(ShapeContext& c) {
  std::vector<PartialShape> shapes;
  for (int i = 0; i < c.num_inputs(); ++i) {
    if (!c.input(i).has_rank()) return c.set_output(0, PartialShape::Unknown());
    shapes.push_back(c.input(i));
  }
  const cpu::EinsumPlan plan = cpu::MakeEinsumPlan(FailThrough(c), c.attr<std::string>("equation"), shapes);
  std::vector<std::int64_t> dims;
  for (int label : plan.output) dims.push_back(plan.dimensions.at(label));
  c.set_output(0, PartialShape(std::move(dims)));
}
}  // namespace

void RegisterEinsum(OpRegistry& r) {
  r.Add({.name = "Einsum",
         .doc = "Sums of products along named dimensions.",
         .inputs = {"inputs: N * T"},
         .outputs = {"output: T"},
         .attrs = {"equation: string", "N: int >= 1", "T: type"},
         .shape = EinsumShape,
         .kernel = Stateless(cpu::Einsum)});
}

}  // namespace equiv::ops
