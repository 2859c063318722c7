#include "runtime/layers/layer.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <map>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime {
namespace {

// Marks an error that already carries a layer's frame: outer layers pass it on. tf: _keras_call_info_injected
struct LayerFrame {
  virtual ~LayerFrame() = default;
};
template <class Kind>
struct Framed final : Kind, LayerFrame {
  using Kind::Kind;
};

[[noreturn]] void ThrowFramed(std::string_view kind, const std::string& message) {
#define EQUIV_RETHROW(Kind) \
  if (kind == #Kind) throw Framed<Kind>(message);
  EQUIV_RETHROW(InvalidArgumentError)
  EQUIV_RETHROW(NotFoundError)
  EQUIV_RETHROW(AlreadyExistsError)
  EQUIV_RETHROW(FailedPreconditionError)
  EQUIV_RETHROW(OutOfRangeError)
  EQUIV_RETHROW(UnimplementedError)
  EQUIV_RETHROW(DataLossError)
  EQUIV_RETHROW(ResourceExhaustedError)
  EQUIV_RETHROW(ValueError)
  EQUIV_RETHROW(TypeError)
  EQUIV_RETHROW(KeyError)
  EQUIV_RETHROW(IndexError)
  EQUIV_RETHROW(RuntimeError)
  EQUIV_RETHROW(AttributeError)
  EQUIV_RETHROW(AssertionError)
  EQUIV_RETHROW(OverflowError)
#undef EQUIV_RETHROW
  throw Framed<InternalError>(message);
}

std::string TensorText(const Tensor& tensor) {
  return fmt::format("tf.Tensor(shape={}, dtype={})", tensor.shape().ToTuple(), Name(tensor.dtype()));
}

std::string ArgumentsText(const CallArgs& args, bool takes_training) {
  std::string inputs;
  if (args.inputs.size() == 1) {
    inputs = TensorText(args.inputs[0]);
  } else {
    for (const Tensor& t : args.inputs) inputs += fmt::format("{}'{}'", inputs.empty() ? "" : ", ", TensorText(t));
    inputs = "[" + inputs + "]";
  }
  std::string text = "  • inputs=" + inputs;
  if (takes_training)
    text += fmt::format("\n  • training={}", !args.training ? "None" : *args.training ? "True" : "False");
  return text;
}

struct LayerNames {
  std::map<std::string, int, std::less<>> next;
};

}  // namespace

std::string SnakeCase(std::string_view class_name) {
  static const RE2 words("(.)([A-Z][a-z]+)"), humps("([a-z])([A-Z])");
  std::string snake(class_name);
  RE2::GlobalReplace(&snake, words, "\\1_\\2");
  RE2::GlobalReplace(&snake, humps, "\\1_\\2");
  std::ranges::transform(snake, snake.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return snake.starts_with('_') ? "private" + snake : snake;
}

std::string NextLayerName(std::string_view base) {
  auto& next = Current().Slot<LayerNames>().next;
  auto it = next.find(base);
  if (it == next.end()) it = next.emplace(std::string(base), 0).first;
  const int n = it->second++;
  return n == 0 ? it->first : fmt::format("{}_{}", base, n);
}

Layer::Layer(std::string class_name, std::string name) : class_name_(std::move(class_name)), name_(std::move(name)) {
  if (name_.empty()) name_ = NextLayerName(SnakeCase(class_name_));
}
Layer::~Layer() = default;

Outputs Layer::operator()(const CallArgs& args) {
  if (args.inputs.empty())
    throw ValueError(fmt::format("layer '{}' (type {}) was called without inputs", name_, class_name_));
  Context& context = Current();
  NameScope scope(name_);
  // tf: in graph mode errors pass without a frame
  if (!context.eager() && !internal::Tracing(context)) return Call(args);
  try {
    return Call(args);
  } catch (const Error& error) {
    if (dynamic_cast<const LayerFrame*>(&error)) throw;
    ThrowFramed(error.kind(), fmt::format("Exception encountered when calling layer '{}' (type {}).\n\n{}\n\nCall "
                                          "arguments received by layer '{}' (type {}):\n{}",
                                          name_, class_name_, error.what(), name_, class_name_,
                                          ArgumentsText(args, takes_training())));
  }
}

Outputs Layer::TrackTf1StyleVariables(const std::function<Outputs()>& body) {
  const std::size_t before = store_.losses().size();
  Outputs outputs;
  {
    VariableStoreScope scope(store_);
    outputs = body();
  }
  for (std::size_t i = before; i < store_.losses().size(); ++i) tracked_losses_.push_back(i);
  return outputs;
}

std::vector<Variable> Layer::variables() const {
  std::vector<std::pair<std::string_view, Variable>> stored;
  for (const auto& [key, variable] : store_.variables())
    if (!variable.graph()) stored.emplace_back(key, variable);  // in a graph Keras does not look into the store (S11)
  std::ranges::sort(stored, {}, &std::pair<std::string_view, Variable>::first);
  std::vector<Variable> all;
  for (const bool trainable : {true, false}) {
    for (const Variable& v : attributes_)
      if (v.trainable() == trainable) all.push_back(v);
    for (const auto& [key, v] : stored)
      if (v.trainable() == trainable) all.push_back(v);
  }
  return all;
}

std::vector<Variable> Layer::trainable_variables() const {
  std::vector<Variable> all = variables();
  std::erase_if(all, [](const Variable& v) { return !v.trainable(); });
  return all;
}

std::vector<Variable> Layer::non_trainable_variables() const {
  std::vector<Variable> all = variables();
  std::erase_if(all, [](const Variable& v) { return v.trainable(); });
  return all;
}

std::vector<Tensor> Layer::losses() const {
  std::vector<Tensor> values;
  values.reserve(tracked_losses_.size());
  for (std::size_t i : tracked_losses_) {
    const VariableStore::Loss& loss = store_.losses()[i];
    OwnerScope owner(loss.key, Current().call_site());
    Tensor value = loss.compute();
    if (value.has_value()) values.push_back(std::move(value));
  }
  return values;
}

ShimLayer::ShimLayer(std::string class_name, ModelFunction function, std::string name)
    : Layer(std::move(class_name), std::move(name)), function_(std::move(function)) {
  if (!function_) throw ValueError(fmt::format("ShimLayer '{}': the model function is empty", this->name()));
}

Outputs ShimLayer::Call(const CallArgs& args) {
  return TrackTf1StyleVariables([&] { return function_(args); });
}

FunctionalModel::FunctionalModel(const Shape& input_shape, std::shared_ptr<Layer> layer) : layer_(std::move(layer)) {
  if (!layer_) throw ValueError("FunctionalModel: the layer is empty");
  std::vector<std::int64_t> dims = {-1};
  dims.insert(dims.end(), input_shape.dims().begin(), input_shape.dims().end());
  const PartialShape shape(std::move(dims));
  Context& outer = Current();
  if (!outer.eager()) {
    (*layer_)(Placeholder(DType::kFloat32, shape, "input_1"));
    return;
  }
  Graph scratch;
  scratch.Slot<internal::TraceLink>().outer = &outer;
  GraphScope scope(scratch);
  (*layer_)(Placeholder(DType::kFloat32, shape, "input_1"));
}

Outputs FunctionalModel::operator()(const Tensor& x, std::optional<bool> training) {
  return (*layer_)(CallArgs{{x}, training});
}

}  // namespace equiv::runtime
