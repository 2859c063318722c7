// kernels/ops/softmax.cc - Softmax, LogSoftmax and the cross entropies.
#include "kernels/cpu/softmax.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/cross_entropy.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {

void Add(OpRegistry& r, const char* name, const char* doc, const char* output, void (*kernel)(KernelContext&)) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = {"logits: T"},
         .outputs = {output},
         .attrs = {Types("T", kFloats)},
         .shape = [](ShapeContext& c) { c.set_output(0, c.WithRankAtLeast(0, 1)); },
         .kernel = Stateless(kernel)});
}
void CrossEntropyShape(ShapeContext& c) {
  const PartialShape features = c.WithRank(0, 2), labels = c.WithRank(1, 2),
                     both = BroadcastShapes(c, features, labels);
  c.set_output(0, PartialShape{both[0]});
  c.set_output(1, both);
}
void SparseCrossEntropyShape(ShapeContext& c) {
  const PartialShape features = c.WithRank(0, 2), labels = c.WithRank(1, 1);
  if (features[0] >= 0 && labels[0] >= 0 && features[0] != labels[0])
    c.Fail(fmt::format("Dimensions must be equal, but are {} and {}: features {} and labels {}", features[0], labels[0],
                       features.ToString(), labels.ToString()));
  const std::int64_t rows = features[0] >= 0 ? features[0] : labels[0];
  c.set_output(0, PartialShape{rows});
  c.set_output(1, PartialShape{rows, features[1]});
}
}  // namespace

void RegisterSoftmax(OpRegistry& r) {
  Add(r, "Softmax", "exp(x) over its sum along the last axis.", "softmax: T", cpu::Softmax);
  Add(r, "LogSoftmax", "Logarithm of the softmax along the last axis.", "logsoftmax: T", cpu::LogSoftmax);
  r.Add({.name = "SoftmaxCrossEntropyWithLogits",
         .doc = "Cross entropy of the softmax and rows of label probabilities, with its gradient.",
         .inputs = {"features: T", "labels: T"},
         .outputs = {"loss: T", "backprop: T"},
         .attrs = {Types("T", kFloats)},
         .shape = CrossEntropyShape,
         .kernel = Stateless(cpu::SoftmaxCrossEntropyWithLogits)});
  r.Add({.name = "SparseSoftmaxCrossEntropyWithLogits",
         .doc = "Cross entropy of the softmax and class numbers, with its gradient.",
         .inputs = {"features: T", "labels: Tlabels"},
         .outputs = {"loss: T", "backprop: T"},
         .attrs = {Types("T", kFloats), "Tlabels: {int32, int64} = int64"},
         .shape = SparseCrossEntropyShape,
         .kernel = Stateless(cpu::SparseSoftmaxCrossEntropyWithLogits)});
}

}  // namespace equiv::ops
