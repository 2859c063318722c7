#include "runtime/layers/layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/eager/eager.h"
#include "runtime/random/initializers.h"
#include "runtime/variables/scope_state.h"
#include "runtime/variables/variable_impl.h"

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

std::string InputsText(const CallArgs& args) {
  if (args.inputs.size() == 1) return "  • inputs=" + TensorText(args.inputs[0]);
  std::string inputs;
  for (const Tensor& t : args.inputs) inputs += fmt::format("{}'{}'", inputs.empty() ? "" : ", ", TensorText(t));
  return "  • inputs=[" + inputs + "]";
}

struct LayerNames {
  std::map<std::string, int, std::less<>> next;
};

// The tensors of functional models, and where they came from.
struct KerasHistory {
  std::unordered_map<const Edge*, std::shared_ptr<InboundNode>> nodes;
};
// Eager: symbolic tensors need a graph to live in.
struct KerasGraph {
  std::unique_ptr<Graph> graph;
};

class EnterCall {
 public:
  explicit EnterCall(std::optional<bool> training) : saved_(internal::CurrentCall()) {
    internal::CurrentCall() = {true, training};
  }
  ~EnterCall() { internal::CurrentCall() = saved_; }
  EnterCall(const EnterCall&) = delete;
  EnterCall& operator=(const EnterCall&) = delete;

 private:
  internal::CallState saved_;
};

}  // namespace

namespace internal {
CallState& CurrentCall() {
  thread_local CallState state;
  return state;
}
std::shared_ptr<InboundNode> HistoryOf(const Tensor& tensor) {
  if (!tensor.symbolic()) return nullptr;
  auto& nodes = InitContext().Slot<KerasHistory>().nodes;
  auto it = nodes.find(tensor.edge());
  return it == nodes.end() ? nullptr : it->second;
}
bool IsKerasTensor(const Tensor& tensor) { return HistoryOf(tensor) != nullptr; }
void RecordHistory(const Tensor& tensor, std::shared_ptr<InboundNode> node) {
  InitContext().Slot<KerasHistory>().nodes[tensor.edge()] = std::move(node);
}
Tensor NewKerasTensor(DType dtype, const PartialShape& shape, const std::string& name) {
  Context& init = InitContext();
  if (Graph* graph = init.graph()) {
    GraphScope scope(*graph);
    return Placeholder(dtype, shape, name);
  }
  auto& keras = EagerContext::Get().Slot<KerasGraph>().graph;
  if (!keras) keras = std::make_unique<Graph>();
  GraphScope scope(*keras);
  return Placeholder(dtype, shape, name);
}
void ForgetKerasTensors() { InitContext().ResetSlot<KerasHistory>(); }
}  // namespace internal

std::string NextLayerName(std::string_view base, bool zero_based) {
  auto& next = Current().Slot<LayerNames>().next;
  auto it = next.find(base);
  if (it == next.end()) it = next.emplace(std::string(base), 0).first;
  // tf: backend.unique_object_name: zero based gives the plain name first; both count in one map
  const int n = it->second++;
  if (!zero_based) return fmt::format("{}_{}", base, n + 1);
  return n == 0 ? it->first : fmt::format("{}_{}", base, n);
}
void ResetLayerNames() { Current().ResetSlot<LayerNames>(); }

static std::string LayerName(const std::string& class_name, const std::string& name) {
  return name.empty() ? NextLayerName(SnakeCase(class_name)) : name;
}

Layer::Layer(std::string class_name, std::string name) : Layer(std::move(class_name), LayerOptions{.name = name}) {}
Layer::Layer(std::string class_name, const LayerOptions& options)
    : Module(class_name, LayerName(class_name, options.name)),
      dtype_(options.dtype),
      trainable_(options.trainable),
      graph_flavour_(!internal::InitContext().eager()),
      activity_regularizer_(options.activity_regularizer) {}
Layer::~Layer() = default;

std::shared_ptr<Layer> Layer::Shared() const {
  auto shared = std::const_pointer_cast<Module>(weak_from_this().lock());
  if (!shared)
    throw ValueError(
        fmt::format("layer '{}' (type {}) is used in a functional model and must be held by a "
                    "std::shared_ptr; make it with std::make_shared",
                    name(), class_name()));
  return std::static_pointer_cast<Layer>(shared);
}

std::string Layer::CallNameScope() const {
  Context& context = Current();
  if (graph_flavour_ || context.eager()) return name();
  // tf: in a trace the scope is re-entered as it is, so that calling twice makes no second scope
  return internal::JoinScope(context.name_scope(), name()) + "/";
}

Outputs Layer::operator()(const CallArgs& given) {
  if (given.inputs.empty())
    throw ValueError(fmt::format("layer '{}' (type {}) was called without inputs", name(), class_name()));
  if (!graph_flavour_ && std::ranges::any_of(given.inputs, internal::IsKerasTensor)) return FunctionalCall(given);
  CallArgs args = given;
  const internal::CallState outer = internal::CurrentCall();
  std::optional<bool> entered;
  if (graph_flavour_) {
    if (!args.training) args.training = outer.training;
    entered = args.training;
    if (!args.training && !args.training_given) args.training = default_training();
  } else {
    if (takes_training()) {
      if (!args.training) args.training = outer.training;
      if (!args.training) args.training = default_training();
      entered = args.training;
    }
    if (!outer.in_call) {
      std::vector<const Layer*> all;
      Flatten(all);
      for (const Layer* layer : all) const_cast<Layer*>(layer)->eager_losses_.clear();
    }
  }
  Outputs outputs;
  {
    EnterCall enter(entered);
    NameScope scope(CallNameScope());
    MaybeBuild(args.inputs);
    if (casts_inputs())
      for (Tensor& x : args.inputs)
        if (IsFloating(x.dtype()) && x.dtype() != dtype_.value_or(DType::kFloat32))
          x = Cast(x, dtype_.value_or(DType::kFloat32));
    // tf: in graph mode errors pass without a frame
    outputs = CallFramed(args, !graph_flavour_);
    if (activity_regularizer_) {
      NameScope regularizer("ActivityRegularizer");
      const Tensor loss = activity_regularizer_(outputs.output);
      Context& context = Current();
      Tensor batch;
      if (context.eager()) {
        batch = Constant(Array::Scalar(static_cast<std::int32_t>(outputs.output.shape().dim(0))));
      } else {
        const Tensor shape = context.Add1("Shape", {outputs.output}, {{"out_type", DType::kInt32}});
        const auto one = [](std::int32_t v) { return Array::Of<std::int32_t>(Shape{1}, {v}); };
        NameScope slice("strided_slice");
        batch =
            context.Add1("StridedSlice",
                         {shape, Constant(one(0), "stack"), Constant(one(1), "stack_1"), Constant(one(1), "stack_2")},
                         {{"shrink_axis_mask", std::int64_t{1}}}, slice.path() + "/");
      }
      AddLoss(loss / Cast(batch, loss.dtype()));
    }
  }
  // A layer held by value, as the v1 functions make them, is part of no functional model.
  if (graph_flavour_ && std::ranges::all_of(given.inputs, internal::IsKerasTensor) && !weak_from_this().expired()) {
    auto node = std::make_shared<InboundNode>();
    node->layer = Shared();
    node->inputs = given.inputs;
    node->training = given.training;
    for (const Tensor& x : given.inputs) node->parents.push_back(internal::HistoryOf(x));
    // tf: a layer that hands its input on is given an identity of it, so that the node has an output of its own
    for (Tensor* out : {&outputs.output})
      if (std::ranges::any_of(given.inputs, [&](const Tensor& x) { return x == *out; })) {
        NameScope scope(CallNameScope());
        *out = Identity(*out);
      }
    node->outputs = {outputs.output};
    for (const auto& [key, tensor] : outputs.end_points) node->outputs.push_back(tensor);
    for (const Tensor& tensor : node->outputs) internal::RecordHistory(tensor, node);
    inbound_nodes_.push_back(std::move(node));
  }
  return outputs;
}

Outputs Layer::CallFramed(const CallArgs& args, bool framed) {
  if (!framed) return Call(args);
  try {
    return Call(args);
  } catch (const Error& error) {
    if (dynamic_cast<const LayerFrame*>(&error)) throw;
    const char quote = internal::Tracing(Current()) ? '"' : '\'';
    const std::string object = fmt::format("layer {}{}{} (type {})", quote, name(), quote, class_name());
    ThrowFramed(error.kind(), fmt::format("Exception encountered when calling {}.\n\n{}\n\nCall arguments received by "
                                          "{}:\n{}",
                                          object, error.what(), object, InputsText(args) + FrameArguments(args)));
  }
}

std::string Layer::FrameArguments(const CallArgs& args) const {
  if (!takes_training()) return {};
  return fmt::format("\n  • training={}", !args.training ? "None" : *args.training ? "True" : "False");
}

// Runs the layer on placeholders of the inputs' shapes, in a scratch graph, and records the call. tf:
// Layer._functional_construction_call
Outputs Layer::FunctionalCall(const CallArgs& given) {
  const std::shared_ptr<Layer> self = Shared();
  CallArgs args = given;
  if (!args.training) args.training = internal::CurrentCall().training;
  Outputs outputs;
  {
    EnterCall enter(args.training);
    Graph scratch;
    scratch.Slot<internal::TraceLink>().outer = &internal::InitContext();
    scratch.AllowCaptures();
    GraphScope in_scratch(scratch);
    for (Tensor& x : args.inputs) x = x.symbolic() ? Placeholder(x.dtype(), x.shape()) : Constant(x.array());
    {
      NameScope scope(CallNameScope());
      MaybeBuild(args.inputs);
      if (casts_inputs())
        for (Tensor& x : args.inputs)
          if (IsFloating(x.dtype()) && x.dtype() != dtype_.value_or(DType::kFloat32))
            x = Cast(x, dtype_.value_or(DType::kFloat32));
      outputs = CallFramed(args, true);
      // A loss that depends on the inputs of a trace has no value outside it.
      std::erase_if(losses_,
                    [&](const Tensor& t) { return t.symbolic() && scratch.FindNode(t.node()->name()) == t.node(); });
    }
    const auto stand_in = [](Tensor& t) { t = internal::NewKerasTensor(t.dtype(), t.shape(), "keras_tensor"); };
    stand_in(outputs.output);
    for (auto& [key, tensor] : outputs.end_points) stand_in(tensor);
  }
  auto node = std::make_shared<InboundNode>();
  node->layer = self;
  node->inputs = given.inputs;
  node->training = given.training;
  for (const Tensor& x : given.inputs) node->parents.push_back(internal::HistoryOf(x));
  node->outputs = {outputs.output};
  for (const auto& [key, tensor] : outputs.end_points) node->outputs.push_back(tensor);
  for (const Tensor& tensor : node->outputs) internal::RecordHistory(tensor, node);
  inbound_nodes_.push_back(std::move(node));
  return outputs;
}

void Layer::Build(const std::vector<PartialShape>&) {}

void Layer::MaybeBuild(const std::vector<Tensor>& inputs) {
  if (built_) return;
  std::vector<PartialShape> shapes;
  for (const Tensor& x : inputs) shapes.push_back(x.shape());
  if (!dtype_ && is_v1_style()) dtype_ = inputs.front().dtype();  // tf: policy _infer
  Build(shapes);
  built_ = true;
}

void Layer::BuildFor(const std::vector<PartialShape>& input_shapes) {
  Build(input_shapes);
  built_ = true;
}

void Layer::set_trainable(bool trainable) {
  std::vector<const Layer*> all;
  Flatten(all);
  for (const Layer* layer : all) const_cast<Layer*>(layer)->trainable_ = trainable;
}

void Layer::SetAttribute(const std::string& name, Attribute value) {
  const std::function<void(const Attribute&)> track_variables = [&](const Attribute& a) {
    if (const auto* variable = std::get_if<Variable>(&a.value)) TrackAttribute(*variable);
    if (const auto* list = std::get_if<Attribute::List>(&a.value))
      for (const Attribute& item : *list) track_variables(item);
    if (const auto* dict = std::get_if<Attribute::Dict>(&a.value))
      for (const auto& [key, item] : *dict) track_variables(item);
  };
  const std::function<void(const Attribute&)> track_modules = [&](const Attribute& a) {
    if (const auto* object = std::get_if<std::shared_ptr<Trackable>>(&a.value)) {
      // tf: the v1 base layer looks at layers only
      const auto module = std::dynamic_pointer_cast<Module>(*object);
      if (module && (!graph_flavour_ || dynamic_cast<Layer*>(module.get()))) TrackLayer(module);
    }
    if (const auto* list = std::get_if<Attribute::List>(&a.value))
      for (const Attribute& item : *list) track_modules(item);
    if (const auto* dict = std::get_if<Attribute::Dict>(&a.value))
      for (const auto& [key, item] : *dict) track_modules(item);
  };
  track_modules(value);
  track_variables(value);
  Module::SetAttribute(name, std::move(value));
}

void Layer::TrackLayer(const std::shared_ptr<Module>& module) {
  if (std::ranges::any_of(tracked_, [&](const Tracked& t) { return t.module == module; })) return;
  tracked_.push_back({nullptr, module});
}

void Layer::TrackAttribute(const Variable& variable) {
  std::vector<Variable>& weights = variable.trainable() ? trainable_weights_ : non_trainable_weights_;
  if (std::ranges::find(weights, variable) == weights.end()) weights.push_back(variable);
}

void Layer::OnStoreCreated() {
  if (!graph_flavour_) tracked_.push_back({store_.get(), nullptr});  // S11: a graph's layer does not look into it
}

const VariableStore& Layer::store() const {
  static const VariableStore empty;
  return tracked_store() ? *tracked_store() : empty;
}

std::vector<std::shared_ptr<Layer>> Layer::sublayers() const {
  std::vector<std::shared_ptr<Layer>> layers;
  for (const Tracked& t : tracked_)
    if (auto layer = std::dynamic_pointer_cast<Layer>(t.module)) layers.push_back(std::move(layer));
  return layers;
}

void Layer::Flatten(std::vector<const Layer*>& found) const {
  if (std::ranges::find(found, this) != found.end()) return;
  found.push_back(this);
  for (const Tracked& t : tracked_)
    if (const auto* layer = dynamic_cast<const Layer*>(t.module.get())) layer->Flatten(found);
}

namespace {
// Variables of a store as tf.Module walks it: variables by key, then the variables of its layers by key.
std::vector<Variable> StoreVariables(const VariableStore& store) {
  std::vector<std::pair<std::string_view, const Module*>> layers;
  for (const auto& [key, layer] : store.layers) layers.emplace_back(key, static_cast<const Module*>(layer.get()));
  std::vector<std::pair<std::string_view, Variable>> variables;
  for (const auto& [key, variable] : store.variables()) variables.emplace_back(key, variable);
  std::ranges::sort(layers, {}, &std::pair<std::string_view, const Module*>::first);
  std::ranges::sort(variables, {}, &std::pair<std::string_view, Variable>::first);
  std::vector<Variable> all;
  for (const auto& [key, variable] : variables) all.push_back(variable);
  for (const auto& [key, module] : layers)
    for (const Variable& v : module->variables()) all.push_back(v);
  return all;
}
}  // namespace

std::vector<Variable> Layer::VariablesOf(const Tracked& tracked) {
  return tracked.store ? StoreVariables(*tracked.store) : tracked.module->variables();
}

namespace {
enum class Kind { kAll, kTrainable, kNonTrainable };
void Append(std::vector<Variable>& all, const std::vector<Variable>& more, Kind kind = Kind::kAll) {
  for (const Variable& v : more) {
    if (kind == Kind::kTrainable && !v.trainable()) continue;
    if (kind == Kind::kNonTrainable && v.trainable()) continue;
    if (std::ranges::find(all, v) == all.end()) all.push_back(v);
  }
}
}  // namespace

std::vector<Variable> Layer::trainable_weights() const {
  if (!trainable_) return {};
  std::vector<Variable> all = trainable_weights_;
  for (const Tracked& t : tracked_)
    if (t.store)
      Append(all, StoreVariables(*t.store), Kind::kTrainable);
    else
      Append(all, t.module->trainable_variables());
  return all;
}

std::vector<Variable> Layer::non_trainable_weights() const {
  std::vector<Variable> all;
  if (!trainable_) all = trainable_weights_;
  Append(all, non_trainable_weights_);
  for (const Tracked& t : tracked_)
    if (t.store)
      Append(all, StoreVariables(*t.store), trainable_ ? Kind::kNonTrainable : Kind::kAll);
    else
      Append(all, trainable_ ? t.module->non_trainable_variables() : t.module->variables());
  return all;
}

std::vector<Variable> Layer::weights() const {
  std::vector<Variable> all = trainable_weights();
  for (const Variable& v : non_trainable_weights()) all.push_back(v);
  return all;
}

Attribute::Dict Layer::Properties() const {
  Attribute::Dict all = Module::Properties();
  const auto list = [](const std::vector<Variable>& variables) {
    Attribute::List items;
    for (const Variable& v : variables) items.push_back({v});
    return Attribute{std::move(items)};
  };
  Attribute::List modules;
  for (const Tracked& t : tracked_)
    if (t.module) modules.push_back({t.module});
  all.emplace_back("_non_trainable_weights", list(non_trainable_weights_));
  all.emplace_back("_self_tracked_trackables", Attribute{std::move(modules)});
  all.emplace_back("_trainable_weights", list(trainable_weights_));
  return all;
}

Variable Layer::AddWeight(const AddWeightOptions& options, const std::source_location& site) {
  const DType dtype = options.dtype ? *options.dtype : dtype_.value_or(DType::kFloat32);
  if (options.synchronization == VariableSynchronization::kOnRead && options.trainable.value_or(false))
    throw ValueError(
        "Synchronization value can be set to VariableSynchronization.ON_READ only for non-trainable variables. You "
        "have specified trainable=True and synchronization=VariableSynchronization.ON_READ.");
  const bool trainable = options.trainable.value_or(options.synchronization != VariableSynchronization::kOnRead);
  Initializer initializer = options.initializer;
  if (!initializer) {
    if (IsFloating(dtype)) {
      initializer = keras::GlorotUniform();
    } else if (IsInteger(dtype) || dtype == DType::kBool) {
      initializer = ZerosInitializer();
    } else {
      throw ValueError(fmt::format("An initializer for variable {} of type {} is required for layer {}.", options.name,
                                   internal::DTypeRepr(dtype), name()));
    }
  }
  VariableCreationArgs args;
  args.initial_value =
      std::function<Tensor()>([make = initializer.make, shape = options.shape, dtype] { return make(shape, dtype); });
  args.initial_value_text = fmt::format("functools.partial(<bound method {} of <keras.src.initializers>>)",
                                        internal::CamelCase(initializer.name));
  args.trainable = trainable;
  if (!options.name.empty()) args.name = options.name;
  args.dtype = dtype;
  args.shape = options.shape.rank() > 0 ? std::optional(options.shape) : std::nullopt;
  args.constraint = options.constraint;
  args.synchronization = options.synchronization;
  args.from_get_variable = true;  // tf: v1.Variable
  args.call_site = site.line() ? site : Current().call_site();
  Trackable& holder = WeightHolder();
  // A checkpoint that is being restored gives the initial value. tf: restore on create
  const Array pending =
      !options.name.empty() && internal::InitContext().eager() ? internal::Pending(holder, options.name) : Array();
  if (pending.has_value()) {
    if (pending.shape() != options.shape)
      throw ValueError(
          fmt::format("In this `tf.Variable` creation, the initial value's shape ({}) is not compatible "
                      "with the explicitly supplied `shape` argument ({}).",
                      pending.shape().ToTuple(), options.shape.ToTuple()));
    args.initial_value = Tensor(pending);
  }
  const Variable variable = internal::Create(args);
  if (!options.name.empty()) holder.Track(options.name, variable);
  if (options.regularizer) HandleWeightRegularizer(variable.op_name(), variable, options.regularizer);
  std::vector<Variable>& weights = trainable ? trainable_weights_ : non_trainable_weights_;
  if (std::ranges::find(weights, variable) == weights.end()) weights.push_back(variable);
  return variable;
}

void Layer::HandleWeightRegularizer(const std::string& name, const Variable& variable, const Regularizer& regularizer) {
  AddLoss([name, variable, regularizer] {
    NameScope scope(name + "/Regularizer");
    return regularizer.loss(variable);
  });
}

void Layer::AddLoss(std::function<Tensor()> loss) {
  callable_losses_.push_back(loss);
  OnLossAdded(callable_losses_.back());
}

void Layer::AddLoss(const Tensor& loss) {
  if (!loss.has_value()) return;
  if (loss.symbolic()) {
    losses_.push_back(loss);
    OnLossAdded([loss] { return loss; });
    return;
  }
  if (!internal::CurrentCall().in_call)
    throw ValueError(
        "Expected a symbolic Tensors or a callable for the loss value. Please wrap your loss computation in a zero "
        "argument `lambda`.");
  eager_losses_.push_back(loss);
}

void Layer::AddTrackedLosses(std::size_t first_new) {
  for (std::size_t i = first_new; i < store_->losses().size(); ++i) {
    const VariableStore::Loss loss = store_->losses()[i];
    AddLoss([loss] {
      OwnerScope owner(loss.key, Current().call_site());
      return loss.compute();
    });
  }
}

std::vector<Tensor> Layer::losses() const {
  std::vector<const Layer*> all;
  Flatten(all);
  std::vector<Tensor> values;
  for (const Layer* layer : all) {
    for (const Tensor& loss : layer->eager_losses_.empty() ? layer->losses_ : layer->eager_losses_)
      values.push_back(loss);
    for (const auto& compute : layer->callable_losses_) {
      Tensor value = compute();
      if (value.has_value()) values.push_back(std::move(value));
    }
  }
  return values;
}

std::vector<CollectionItem> Layer::updates() const {
  std::vector<const Layer*> all;
  Flatten(all);
  std::vector<CollectionItem> items;
  for (const Layer* layer : all)
    if (layer->trainable_)
      for (const CollectionItem& item : layer->updates_) items.push_back(item);
  return items;
}

void AddToCollectionOnce(std::string_view collection, const CollectionItem& item) {
  for (const CollectionItem& held : GetCollection(collection))
    if (held == item) return;
  AddToCollection(collection, item);
}

ShimLayer::ShimLayer(std::string class_name, ModelFunction function, std::string name)
    : Layer(std::move(class_name), std::move(name)), function_(std::move(function)) {
  if (!function_) throw ValueError(fmt::format("ShimLayer '{}': the model function is empty", this->name()));
}

Outputs ShimLayer::Call(const CallArgs& args) {
  return TrackTf1StyleVariables([&] { return function_(args); });
}

}  // namespace equiv::runtime
