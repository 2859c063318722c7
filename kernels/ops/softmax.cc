// kernels/ops/softmax.cc - Softmax, LogSoftmax.
#include "kernels/cpu/softmax.h"

#include "kernels/base/op_registry.h"

namespace equiv::ops {
namespace {

void Add(OpRegistry& r, const char* name, const char* doc, const char* output, void (*kernel)(KernelContext&)) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = {"logits: T"},
         .outputs = {output},
         .attrs = {"T: {float, double}"},
         .shape = [](ShapeContext& c) { c.set_output(0, c.WithRankAtLeast(0, 1)); },
         .kernel = Stateless(kernel)});
}
}  // namespace

void RegisterSoftmax(OpRegistry& r) {
  Add(r, "Softmax", "exp(x) over its sum along the last axis.", "softmax: T", cpu::Softmax);
  Add(r, "LogSoftmax", "Logarithm of the softmax along the last axis.", "logsoftmax: T", cpu::LogSoftmax);
}

}  // namespace equiv::ops
