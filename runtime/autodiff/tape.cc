#include "runtime/autodiff/tape.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <unordered_map>

#include "kernels/base/error.h"
#include "kernels/base/op_registry.h"
#include "runtime/core/ops.h"
#include "runtime/eager/eager.h"

namespace equiv::runtime {
namespace {

struct Step {
  const OpDef* def;
  AttrMap attrs;
  std::vector<Array> inputs, outputs;
};
// What an array is known by. Ops that hand their input on share its buffer, and so its gradient.
const void* KeyOf(const Array& array) { return array.buffer().get(); }

Tensor Shaped(const Tensor& gradient, const Shape& shape) {
  return gradient.shape() == PartialShape(shape) ? gradient : Reshape(gradient, shape.vector());
}

}  // namespace

class GradientTape::Recorder final : public Observer {
 public:
  bool keep_inputs() const override { return true; }
  void OnOpDone(OpEvent& event) override {
    if (event.node) return;  // graphs have gradients of their own
    if (event.def.name == "ReadVariableOp") {
      reads_.emplace_back(event.inputs.at(0).variable().get(), event.outputs.at(0));
      return;
    }
    bool forwarded = !event.outputs.empty() && !event.inputs.empty();
    for (const Array& out : event.outputs)
      forwarded = forwarded && out.has_value() && KeyOf(out) == KeyOf(event.inputs[0]);
    if (event.outputs.empty() || forwarded) return;
    steps_.push_back({&event.def, event.attrs, event.inputs, event.outputs});
  }
  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<std::pair<const equiv::Variable*, Array>>& reads() const { return reads_; }

 private:
  std::vector<Step> steps_;
  std::vector<std::pair<const equiv::Variable*, Array>> reads_;
};

GradientTape::GradientTape()
    : recorder_(std::make_unique<Recorder>()), listening_(std::make_unique<ScopedObserver>(*recorder_)) {}
GradientTape::~GradientTape() = default;
void GradientTape::Stop() { listening_.reset(); }

std::vector<Tensor> GradientTape::Gradient(const Tensor& target, const std::vector<Variable>& sources) {
  Stop();
  EagerScope eager;
  std::unordered_map<const void*, Tensor> gradients;
  const Array& end = target.array();
  gradients[KeyOf(end)] = OnesLike(target);
  const auto& steps = recorder_->steps();
  for (std::size_t i = steps.size(); i-- > 0;) {
    const Step& step = steps[i];
    std::vector<Value> output_grads;
    bool wanted = false;
    for (const Array& out : step.outputs) {
      auto it = gradients.find(KeyOf(out));
      wanted = wanted || it != gradients.end();
      output_grads.push_back(it == gradients.end() ? Value() : Shaped(it->second, out.shape()));
    }
    if (!wanted) continue;
    if (!step.def->grad) {
      if (step.inputs.empty() || step.def->name == "StopGradient") continue;
      throw UnimplementedError(
          fmt::format("op '{}' has no gradient yet; stop the tape before it, or keep the result out "
                      "of the target with StopGradient",
                      step.def->name));
    }
    std::vector<Value> inputs, outputs;
    for (const Array& a : step.inputs) inputs.emplace_back(a);
    for (const Array& a : step.outputs) outputs.emplace_back(a);
    GradContext context{EagerContext::Get(), step.attrs, inputs, outputs, output_grads};
    const std::vector<Value> input_grads = step.def->grad(context);
    for (std::size_t k = 0; k < input_grads.size(); ++k) {
      if (!input_grads[k].has_value()) continue;
      Tensor& sum = gradients[KeyOf(step.inputs[k])];
      const Tensor shaped = Shaped(input_grads[k], step.inputs[k].shape());
      sum = sum.has_value() ? Add(Shaped(sum, step.inputs[k].shape()), shaped) : shaped;
    }
  }
  std::vector<Tensor> result;
  for (const Variable& source : sources) {
    Tensor sum;
    std::vector<const void*> seen;
    for (const auto& [storage, value] : recorder_->reads()) {
      if (storage != source.storage().get()) continue;
      const void* key = KeyOf(value);
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
      seen.push_back(key);
      auto it = gradients.find(key);
      if (it == gradients.end()) continue;
      const Tensor shaped = Shaped(it->second, value.shape());
      sum = sum.has_value() ? Add(sum, shaped) : shaped;
    }
    result.push_back(sum);
  }
  return result;
}

}  // namespace equiv::runtime
