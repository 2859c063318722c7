// kernels/ops/reduce.cc - Sum, Mean, Max, Min, Prod, L2Loss.
#include "kernels/cpu/reduce.h"

#include "kernels/base/op_registry.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {

// tf: ReductionShape
void ReductionShape(ShapeContext& c) {
  const PartialShape& in = c.input(0);
  const bool keep = c.attr<bool>("keep_dims");
  const Array* axes = c.constant(1);
  if (!in.has_rank()) return c.set_output(0, PartialShape::Unknown());
  if (!axes) return c.set_output(0, keep ? PartialShape::UnknownOfRank(in.rank()) : PartialShape::Unknown());
  const std::vector<bool> reduced =
      cpu::ReducedAxes([&c](const std::string& message) { c.Fail(message); }, axes->AsInt64Vector(), in.rank());
  std::vector<std::int64_t> dims;
  for (int i = 0; i < in.rank(); ++i) {
    if (!reduced[static_cast<std::size_t>(i)])
      dims.push_back(in.dim(i));
    else if (keep)
      dims.push_back(1);
  }
  c.set_output(0, PartialShape(std::move(dims)));
}

OpDef Reduction(const char* name, const char* doc, void (*kernel)(KernelContext&), const char* types = kNumbers) {
  return {.name = name,
          .doc = doc,
          .inputs = {"input: T", "reduction_indices: Tidx"},
          .outputs = {"output: T"},
          .attrs = {"keep_dims: bool = false", Types("T", types), "Tidx: {int32, int64} = int32"},
          .shape = ReductionShape,
          .kernel = Stateless(kernel)};
}
}  // namespace

void RegisterReduce(OpRegistry& r) {
  r.Add(Reduction("Sum", "Sum over axes.", cpu::Sum));
  r.Add(Reduction("Mean", "Mean over axes.", cpu::Mean));
  r.Add(Reduction("Max", "Largest element over axes; NaN if any is.", cpu::Max, kReal));
  r.Add(Reduction("Min", "Smallest element over axes; NaN if any is.", cpu::Min, kReal));
  r.Add(Reduction("Prod", "Product over axes.", cpu::Prod));
  r.Add(Reduction("EuclideanNorm", "Root of the sum of squares over axes.", cpu::EuclideanNorm));
  r.Add({.name = "L2Loss",
         .doc = "Half the sum of the squares of all elements.",
         .inputs = {"t: T"},
         .outputs = {"output: T"},
         .attrs = {Types("T", kFloats)},
         .shape = [](ShapeContext& c) { c.set_output(0, Shape{}); },
         .kernel = Stateless(cpu::L2Loss)});
}

}  // namespace equiv::ops
