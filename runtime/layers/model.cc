#include "runtime/layers/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime {

Model::Model(std::string class_name, std::string name) : Layer(std::move(class_name), std::move(name)) {
  if (graph_flavour()) return;
  Context& context = Current();
  const std::string scope = context.name_scope();
  EagerScope eager;
  NameScope same(scope.empty() ? scope : scope + "/");
  for (int i = 0; i < 3; ++i) counters_.push_back(MakeVariable(0, {.dtype = DType::kInt64}));
}

namespace {
void AppendOnce(std::vector<Variable>& all, const std::vector<Variable>& more) {
  for (const Variable& v : more)
    if (std::ranges::find(all, v) == all.end()) all.push_back(v);
}
std::vector<Variable> Of(const std::vector<Variable>& variables, bool trainable) {
  std::vector<Variable> chosen = variables;
  std::erase_if(chosen, [&](const Variable& v) { return v.trainable() != trainable; });
  return chosen;
}
}  // namespace

std::vector<Variable> Model::weights() const {
  RequireWeights();
  std::vector<Variable> all;
  for (const auto& t : tracked()) AppendOnce(all, VariablesOf(t));
  AppendOnce(all, trainable_weights_);
  AppendOnce(all, non_trainable_weights_);
  return all;
}
std::vector<Variable> Model::trainable_weights() const {
  RequireWeights();
  std::vector<Variable> all;
  if (!trainable_) return all;
  for (const auto& t : tracked()) AppendOnce(all, t.store ? Of(VariablesOf(t), true) : t.module->trainable_variables());
  AppendOnce(all, trainable_weights_);
  return all;
}
std::vector<Variable> Model::non_trainable_weights() const {
  RequireWeights();
  std::vector<Variable> all;
  if (!trainable_) {
    for (const auto& t : tracked())
      AppendOnce(all, t.store ? Of(VariablesOf(t), true) : t.module->trainable_variables());
    AppendOnce(all, trainable_weights_);
  }
  for (const auto& t : tracked())
    AppendOnce(all, t.store ? Of(VariablesOf(t), false) : t.module->non_trainable_variables());
  AppendOnce(all, non_trainable_weights_);
  return all;
}

void Sequential::RequireWeights() const {
  if (!built_)
    throw ValueError(
        fmt::format("Weights for model '{}' have not yet been created. Weights are created when the model is "
                    "first called on inputs or `build()` is called with an `input_shape`.",
                    name()));
}

InputLayer::InputLayer(const PartialShape& batch_shape, const InputOptions& options)
    : Layer("InputLayer", options.name.empty() ? NextLayerName("input", false) : options.name) {
  dtype_ = options.dtype;
  built_ = true;
  tensor_ = internal::NewKerasTensor(options.dtype, batch_shape, name());
}

void InputLayer::Register() {
  auto node = std::make_shared<InboundNode>();
  node->layer = Shared();
  node->outputs = {tensor_};
  node->is_input = true;
  inbound_nodes_.push_back(node);
  internal::RecordHistory(tensor_, std::move(node));
}

static Tensor InputOfBatchShape(const PartialShape& batch_shape, const InputOptions& options) {
  auto layer = std::make_shared<InputLayer>(batch_shape, options);
  layer->Register();
  return layer->tensor();
}

Tensor Input(const PartialShape& shape, const InputOptions& options) {
  if (!shape.has_rank()) throw ValueError("Input needs a shape of known rank, without the batch dimension");
  std::vector<std::int64_t> dims = {-1};
  dims.insert(dims.end(), shape.dims().begin(), shape.dims().end());
  return InputOfBatchShape(PartialShape(std::move(dims)), options);
}

Functional::Functional(std::vector<Tensor> inputs, std::vector<Tensor> outputs, std::string name)
    : Functional("Functional", name.empty() ? NextLayerName("model") : std::move(name)) {
  SetNetwork(std::move(inputs), std::move(outputs));
}

void Functional::SetNetwork(std::vector<Tensor> inputs, std::vector<Tensor> outputs) {
  inputs_ = std::move(inputs);
  outputs_ = std::move(outputs);
  layers_.clear();
  nodes_.clear();
  std::vector<std::shared_ptr<InboundNode>> finished;  // from inputs to outputs
  std::vector<Layer*> indices;                         // layers in the order the walk meets them
  const std::function<void(const Tensor&)> visit = [&](const Tensor& tensor) {
    const std::shared_ptr<InboundNode> node = internal::HistoryOf(tensor);
    if (!node)
      throw ValueError(fmt::format("{} '{}': a tensor of shape {} is no output of a layer called on an Input",
                                   class_name(), name(), tensor.shape().ToTuple()));
    if (std::ranges::find(finished, node) != finished.end()) return;
    if (std::ranges::find(indices, node->layer.get()) == indices.end()) indices.push_back(node->layer.get());
    if (std::ranges::none_of(inputs_, [&](const Tensor& t) { return t == tensor; }))
      for (const Tensor& x : node->inputs)
        if (internal::IsKerasTensor(x)) visit(x);
    finished.push_back(node);
  };
  for (const Tensor& tensor : outputs_) visit(tensor);
  // tf: _map_graph_network
  std::vector<std::pair<InboundNode*, int>> node_depths;
  std::vector<std::pair<Layer*, int>> layer_depths;
  const auto slot = [](auto& list, auto* key) -> int& {
    for (auto& [k, depth] : list)
      if (k == key) return depth;
    return list.emplace_back(key, 0).second;
  };
  for (auto it = finished.rbegin(); it != finished.rend(); ++it) {
    InboundNode* node = it->get();
    const int depth = std::max(slot(node_depths, node), slot(layer_depths, node->layer.get()));
    slot(layer_depths, node->layer.get()) = depth;
    slot(node_depths, node) = depth;
    for (const auto& parent : node->parents)
      if (parent && std::ranges::find(finished, parent) != finished.end()) {
        int& below = slot(node_depths, parent.get());
        below = std::max(depth + 1, below);
      }
  }
  std::vector<std::shared_ptr<InboundNode>> in_order;
  for (const auto& [raw, depth] : node_depths)
    in_order.push_back(*std::ranges::find_if(finished, [raw = raw](const auto& n) { return n.get() == raw; }));
  for (const Tensor& tensor : inputs_) {
    const std::shared_ptr<InboundNode> node = internal::HistoryOf(tensor);
    if (!node) throw ValueError(fmt::format("{} '{}': an input is no tensor made by Input", class_name(), name()));
    if (std::ranges::find(in_order, node) == in_order.end()) {
      slot(layer_depths, node->layer.get()) = 0;
      slot(node_depths, node.get()) = 0;
      in_order.push_back(node);
      indices.insert(indices.begin(), node->layer.get());
    }
  }
  std::ranges::stable_sort(
      in_order, [&](const auto& a, const auto& b) { return slot(node_depths, a.get()) > slot(node_depths, b.get()); });
  nodes_ = in_order;
  std::ranges::stable_sort(layer_depths, [&](const auto& a, const auto& b) {
    if (a.second != b.second) return a.second > b.second;
    return std::ranges::find(indices, a.first) < std::ranges::find(indices, b.first);
  });
  std::vector<Tensor> known = inputs_;
  for (const auto& node : nodes_) {
    if (node->is_input) {
      if (std::ranges::find(known, node->outputs[0]) == known.end())
        throw ValueError(
            fmt::format("Graph disconnected: cannot obtain value for tensor '{}': it is an Input that is "
                        "not among the model's inputs",
                        node->layer->name()));
      continue;
    }
    known.insert(known.end(), node->outputs.begin(), node->outputs.end());
  }
  ClearTracked();
  for (const auto& [layer, depth] : layer_depths) {
    for (const auto& other : layers_)
      if (other->name() == layer->name())
        throw ValueError(fmt::format("The name \"{}\" is used 2 times in the model. All layer names should be unique.",
                                     layer->name()));
    const auto node = std::ranges::find_if(nodes_, [l = layer](const auto& n) { return n->layer.get() == l; });
    layers_.push_back((*node)->layer);
    TrackLayer((*node)->layer);
  }
  built_ = true;
  HandleDeferredLayers(0);
}

// tf: _layer_checkpoint_dependencies
std::vector<TrackableChild> Functional::TrackableChildren() const {
  std::vector<TrackableChild> children;
  int with_weights = 0, index = 0;
  for (const std::shared_ptr<Layer>& layer : checkpointed_layers()) {
    bool has_weights = false;
    try {
      has_weights = !layer->weights().empty();
    } catch (const ValueError&) {
      // A model that is not built yet counts as one without weights.
    }
    if (has_weights) children.push_back({fmt::format("layer_with_weights-{}", with_weights++), *layer});
    children.push_back({fmt::format("layer-{}", index++), *layer});
  }
  const std::vector<TrackableChild> own = Model::TrackableChildren();
  children.insert(children.end(), own.begin(), own.end());
  return children;
}

// tf: _handle_deferred_layer_dependencies
void Functional::HandleDeferredLayers(std::size_t last) {
  if (!HasDeferred()) return;
  const std::vector<TrackableChild> children = TrackableChildren();
  const auto layers = checkpointed_layers();
  for (std::size_t i = last == 0 ? 0 : layers.size() - last; i < layers.size(); ++i)
    for (const TrackableChild& child : children)
      if (child.ref == TrackableRef(*layers[i])) HandleDeferred(child.name, child.ref);
}

Outputs Functional::Call(const CallArgs& args) {
  if (args.inputs.size() != inputs_.size())
    throw ValueError(fmt::format("model '{}' takes {} inputs, got {}", name(), inputs_.size(), args.inputs.size()));
  std::map<const Edge*, Tensor> values;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    Tensor x = args.inputs[i];
    if (x.dtype() != inputs_[i].dtype() && IsFloating(x.dtype())) x = Cast(x, inputs_[i].dtype());
    values[inputs_[i].edge()] = x;
  }
  for (const auto& node : nodes_) {
    if (node->is_input) continue;
    CallArgs call;
    call.training = node->training;
    for (const Tensor& x : node->inputs) {
      auto it = x.symbolic() ? values.find(x.edge()) : values.end();
      call.inputs.push_back(it == values.end() ? x : it->second);
    }
    const Outputs result = (*node->layer)(call);
    values[node->outputs[0].edge()] = result.output;
    for (std::size_t i = 0; i < result.end_points.size(); ++i)
      values[node->outputs[i + 1].edge()] = result.end_points[i].second;
  }
  Outputs outputs(values.at(outputs_[0].edge()));
  for (std::size_t i = 1; i < outputs_.size(); ++i)
    outputs.end_points.emplace_back(std::to_string(i), values.at(outputs_[i].edge()));
  return outputs;
}

Sequential::Sequential(std::string name)
    : Functional("Sequential", name.empty() ? NextLayerName("sequential") : std::move(name)) {}
Sequential::Sequential(const std::vector<std::shared_ptr<Layer>>& layers, std::string name,
                       const std::source_location& site)
    : Sequential(std::move(name)) {
  for (const auto& layer : layers) Add(layer, site);
}

void Sequential::Add(std::shared_ptr<Layer> layer, const std::source_location& site) {
  CallSite called(site);
  if (!layer) throw TypeError("The added layer must be an instance of class Layer. Received: null");
  if (layer->is_v1_style())
    throw TypeError(
        fmt::format("The following are legacy tf.layers.Layers:\n  {}\nTo use keras as a framework (for "
                    "instance using the Network, Model, or Sequential classes), please use the "
                    "tf.keras.layers implementation instead.",
                    layer->name()));
  for (const auto& other : stack_)
    if (other->name() == layer->name() && other != layer)
      throw ValueError(
          fmt::format("All layers added to a Sequential model should have unique names. Name \"{}\" is already the "
                      "name of a layer in this model. Update the `name` argument to pass a unique name.",
                      layer->name()));
  built_ = false;
  if (stack_.empty()) {
    Tensor input;
    if (auto* given = dynamic_cast<InputLayer*>(layer.get())) {
      input = given->tensor();
      outputs_ = {input};
    } else if (const std::optional<PartialShape> shape = layer->input_shape()) {
      std::vector<std::int64_t> dims = {-1};
      dims.insert(dims.end(), shape->dims().begin(), shape->dims().end());
      input = InputOfBatchShape(PartialShape(dims), {.name = layer->name() + "_input"});
      outputs_ = {(*layer)(CallArgs{{input}, std::nullopt}).output};
    }
    if (input.has_value()) {
      inputs_ = {input};
      explicit_input_ = initialized_ = true;
    }
  } else if (initialized_ && !outputs_.empty()) {
    outputs_ = {(*layer)(CallArgs{{outputs_[0]}, std::nullopt}).output};
  }
  if (!dynamic_cast<InputLayer*>(layer.get())) stack_.push_back(layer);
  if (initialized_) {
    SetNetwork(inputs_, outputs_);
  } else {
    TrackLayer(layer);
    HandleDeferredLayers(1);
  }
}

std::vector<std::shared_ptr<Layer>> Sequential::layers() const { return stack_; }

// tf: _build_graph_network_for_inferred_shape
void Sequential::Infer(const PartialShape& shape, DType dtype) {
  if (graph_flavour() || stack_.empty() || explicit_input_ || inferred_ == shape) return;
  Context& init = internal::InitContext();
  PartialShape wanted = shape;
  if (inferred_.has_rank()) {
    if (inferred_.rank() != shape.rank()) return;
    std::vector<std::int64_t> dims;
    for (int i = 0; i < shape.rank(); ++i) dims.push_back(shape.dim(i) == inferred_.dim(i) ? shape.dim(i) : -1);
    wanted = PartialShape(dims);
    if (wanted == inferred_) return;
  }
  EagerScope eager;
  (void)init;
  const Tensor input = InputOfBatchShape(wanted, {.dtype = dtype, .name = stack_[0]->name() + "_input"});
  Tensor x = input;
  for (const auto& layer : stack_) x = (*layer)(CallArgs{{x}, std::nullopt}).output;
  SetNetwork({input}, {x});
  initialized_ = true;
  inferred_ = wanted;
}

void Sequential::BuildModel(const PartialShape& input_shape) {
  if (initialized_) {
    SetNetwork(inputs_, outputs_);
    return;
  }
  if (!graph_flavour()) {
    Infer(input_shape, DType::kFloat32);
  } else {
    // tf: Model.build calls the layers in a scratch graph whose variables land in the outer one
    Graph scratch;
    scratch.Slot<internal::TraceLink>().outer = &internal::InitContext();
    scratch.AllowCaptures();
    GraphScope in_scratch(scratch);
    Tensor x = Placeholder(DType::kFloat32, input_shape);
    for (const auto& layer : stack_) x = (*layer)(CallArgs{{x}, std::nullopt}).output;
  }
  built_ = true;
}

Outputs Sequential::Call(const CallArgs& args) {
  if (!explicit_input_) Infer(args.inputs.at(0).shape(), args.inputs.at(0).dtype());
  if (initialized_) return Functional::Call(args);
  built_ = true;
  Tensor x = args.inputs.at(0);
  for (const auto& layer : stack_)
    x = (*layer)(CallArgs{{x}, layer->takes_training() ? args.training : std::nullopt}).output;
  return x;
}

FunctionalModel::FunctionalModel(const Shape& input_shape, std::shared_ptr<Layer> layer) : layer_(std::move(layer)) {
  if (!layer_) throw ValueError("FunctionalModel: the layer is empty");
  (*layer_)(CallArgs{{Input(input_shape)}, std::nullopt});
}

Outputs FunctionalModel::operator()(const Tensor& x, std::optional<bool> training) {
  return (*layer_)(CallArgs{{x}, training});
}

}  // namespace equiv::runtime
