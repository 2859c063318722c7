#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/variables/scope_state.h"
#include "runtime/variables/variable_impl.h"

namespace equiv::runtime {

std::string Variable::name() const { return impl_->op_name + ":0"; }
const std::string& Variable::op_name() const { return impl_->op_name; }
DType Variable::dtype() const { return impl_->dtype; }
const PartialShape& Variable::shape() const { return impl_->shape; }
bool Variable::trainable() const { return impl_->trainable; }
bool Variable::is_reference() const { return impl_->reference; }
std::string Variable::dtype_name() const { return std::string(Name(impl_->dtype)) + (impl_->reference ? "_ref" : ""); }
Tensor Variable::handle() const { return impl_->handle; }
Node* Variable::initializer() const { return impl_->initializer; }
const std::source_location& Variable::created_at() const { return impl_->created_at; }
const std::optional<SaveSliceInfo>& Variable::save_slice_info() const { return impl_->save_slice_info; }
std::string SaveSliceInfo::Spec() const {
  std::string text;
  for (const std::int64_t d : full_shape) text += std::to_string(d) + " ";
  for (std::size_t d = 0; d < var_offset.size(); ++d)
    text += fmt::format("{}{},{}", d ? ":" : "", var_offset[d], var_shape[d]);
  return text;
}
Graph* Variable::graph() const { return impl_->graph; }
const std::shared_ptr<equiv::Variable>& Variable::storage() const { return impl_->storage; }

namespace {

// True when an eager variable is used while a functional model traces its layer, where nothing is computed.
bool SeenFromTrace(const Variable& variable) {
  Context& context = Current();
  if (context.eager() || variable.graph()) return false;
  if (internal::Tracing(context)) return true;
  throw ValueError(
      fmt::format("variable '{}' was created eagerly and cannot be used inside a graph; create it inside the graph "
                  "(with the GraphScope open)",
                  variable.name()));
}

void CheckAssignable(const Variable& variable, const Tensor& value) {
  if (!value.has_value())
    throw ValueError(fmt::format("Cannot assign to variable {}: no value given", variable.name()));
  if (value.dtype() != variable.dtype())
    throw ValueError(fmt::format(
        "Cannot assign value to variable '{}': the variable has dtype {} and the value has dtype {}; cast it first",
        variable.name(), Name(variable.dtype()), Name(value.dtype())));
  if (!value.shape().IsCompatibleWith(variable.shape()))
    throw ValueError(
        fmt::format("Cannot assign value to variable '{}': Shape mismatch.The variable shape {}, and the "
                    "assigned value shape {} are incompatible.",
                    variable.name(), variable.shape().ToTuple(), value.shape().ToTuple()));
}

Node* Update(const Variable& variable, std::string_view op, const Tensor& value, std::string_view name) {
  CheckAssignable(variable, value);
  SeenFromTrace(variable);
  const Value inputs[] = {variable.handle(), value};
  if (variable.is_reference()) {
    const std::string_view reference_op = op == "AssignVariableOp"      ? "Assign"
                                          : op == "AssignAddVariableOp" ? "AssignAdd"
                                                                        : "AssignSub";
    return Current().graph()->AddNode(reference_op, inputs, {}, name);
  }
  const AttrMap attrs = {{"dtype", variable.dtype()}};
  if (Graph* graph = Current().graph()) return graph->AddNode(op, inputs, attrs, name);
  Current().AddOp(op, inputs, attrs, name);
  return nullptr;
}

}  // namespace

Tensor Variable::Read(std::string_view name) const {
  SeenFromTrace(*this);
  if (impl_->reference) return impl_->snapshot;  // tf: a reference variable has one read
  return Current().Add1("ReadVariableOp", {impl_->handle}, {{"dtype", impl_->dtype}}, name);
}

Tensor Variable::value() const { return impl_->graph && !Current().eager() ? impl_->snapshot : Read(); }
Tensor Variable::operand() const {
  if (!impl_->graph || Current().eager() || impl_->reference) return value();
  return Tensor::VariableOperand(impl_->snapshot.edge());
}

Node* Variable::Assign(const Tensor& value, std::string_view name) const {
  return Update(*this, "AssignVariableOp", value, name);
}
Node* Variable::AssignSub(const Tensor& delta, std::string_view name) const {
  return Update(*this, "AssignSubVariableOp", delta, name);
}
Node* Variable::AssignAdd(const Tensor& delta, std::string_view name) const {
  return Update(*this, "AssignAddVariableOp", delta, name);
}

std::string Variable::Describe() const {
  std::string text = fmt::format("<tf.Variable '{}' shape={} dtype={}", name(), shape().ToTuple(), Name(dtype()));
  if (impl_->storage && impl_->storage->initialized()) {
    const std::string value = internal::NumpyRepr(impl_->storage->Read("Describe"));
    // tf: a value of several lines starts on a line of its own
    text += (value.find('\n') == std::string::npos ? ", numpy=" : ", numpy=\n") + value;
  }
  return text + ">";
}

// Creators.

namespace {
// A creator serves the graph (or eager execution) it was opened in. tf: Graph._variable_creator_stack
struct OpenCreator {
  VariableCreator creator;
  const Context* home;
};
std::vector<OpenCreator>& Creators() {
  thread_local std::vector<OpenCreator> creators;
  return creators;
}

// Nothing a variable is made of waits for the ops around it. tf: init_scope clears control dependencies
class WithoutControlDependencies {
 public:
  explicit WithoutControlDependencies(Graph* graph) : graph_(graph) {
    if (graph_) saved_.swap(graph_->control_dependencies);
  }
  ~WithoutControlDependencies() {
    if (graph_) saved_.swap(graph_->control_dependencies);
  }
  WithoutControlDependencies(const WithoutControlDependencies&) = delete;
  WithoutControlDependencies& operator=(const WithoutControlDependencies&) = delete;

 private:
  Graph* graph_;
  std::vector<Node*> saved_;
};

// The initial value, made in the scope `Initializer` unless it is a tensor of the graph already.
Tensor MakeInitialValue(const VariableCreationArgs& args, const std::string& key) {
  OwnerScope owner(key, args.call_site);
  // tf: a ready value stands beside the variable's ops, an initialiser's ops in a scope of their own
  if (const auto* tensor = std::get_if<Tensor>(&args.initial_value)) {
    if (!tensor->has_value())
      throw ValueError(fmt::format("variable '{}': `initial_value` must be specified; got an empty tensor", key));
    const Tensor value = ReadOperand(*tensor);
    if (value.symbolic() || Current().eager()) return value;
    if (!args.use_resource) return Constant(value.array(), "initial_value");
    NameScope scope("Initializer");
    return Constant(value.array(), "initial_value");
  }
  NameScope scope("Initializer");
  Tensor value;
  if (const auto* make = std::get_if<std::function<Tensor()>>(&args.initial_value)) {
    value = (*make)();
  }
  if (!value.has_value())
    throw ValueError(
        fmt::format("variable '{}': `initial_value` must be specified; the initializer gave nothing", key));
  if (args.dtype && value.dtype() != *args.dtype) value = Cast(value, *args.dtype);
  return value;
}

Variable Register(const Variable& variable, const VariableCreationArgs& args) {
  if (!args.no_collections) {
    if (args.collections.empty()) AddToCollection(kGlobalVariables, variable);
    for (const std::string& collection : args.collections) AddToCollection(collection, variable);
  }
  // tf: the constructor adds the collection unless the caller's list has it already
  if (variable.trainable() && std::ranges::find(args.collections, kTrainableVariables) == args.collections.end())
    AddToCollection(kTrainableVariables, variable);
  return variable;
}

// Rule C10: a/v (VariableV2), a/v/Assign, a/v/read.
void MakeReference(Variable::Impl& impl, Graph& graph, const std::string& path, const Tensor& value) {
  impl.handle =
      graph
          .AddNode("VariableV2", {}, {{"dtype", impl.dtype}, {"shape", impl.shape}, {"shared_name", path}}, path + "/")
          ->output(0);
  NameScope inside(path + "/");
  const Value inputs[] = {impl.handle, value};
  impl.initializer = graph.AddNode("Assign", inputs, {});
  impl.snapshot = graph.Add1("Identity", {impl.handle}, {}, "read");
}

Variable ConstructInGraph(const VariableCreationArgs& args, Graph& graph) {
  WithoutControlDependencies no_control(&graph);
  auto impl = std::make_shared<Variable::Impl>();
  // tf: an empty name gives a reference variable its op's
  const bool unnamed = args.name && args.name->empty() && !args.use_resource;
  NameScope scope(unnamed ? std::string("VariableV2") : args.name.value_or("Variable"));
  const std::string& path = scope.path();
  const Tensor value = MakeInitialValue(args, path);
  impl->op_name = path;
  impl->dtype = value.dtype();
  impl->shape = args.shape ? PartialShape(*args.shape) : value.shape();
  impl->trainable = args.trainable.value_or(true);
  impl->created_at = args.call_site;
  impl->graph = &graph;
  impl->reference = !args.use_resource;
  if (impl->reference && !args.validate_shape) impl->shape = PartialShape::Unknown();  // D7
  OwnerScope owner(path, args.call_site);
  if (impl->reference) {
    MakeReference(*impl, graph, path, value);
    return Register(Variable(std::move(impl)), args);
  }
  impl->handle = graph
                     .AddNode("VarHandleOp", {},
                              {{"dtype", impl->dtype}, {"shape", impl->shape}, {"shared_name", path}}, path + "/")
                     ->output(0);
  {
    NameScope is_initialized("IsInitialized");
    graph.AddNode("VarIsInitializedOp", std::span<const Value>(&impl->handle, 1), {});
  }
  {
    NameScope assign("Assign");
    const Value inputs[] = {impl->handle, value};
    impl->initializer = graph.AddNode("AssignVariableOp", inputs, {{"dtype", impl->dtype}}, assign.path() + "/");
  }
  {
    NameScope read("Read");
    impl->snapshot = graph.Add1("ReadVariableOp", {impl->handle}, {{"dtype", impl->dtype}});
  }
  return Register(Variable(std::move(impl)), args);
}

Variable ConstructEagerly(const VariableCreationArgs& args) {
  auto impl = std::make_shared<Variable::Impl>();
  NameScope scope(args.name.value_or("Variable"));
  impl->op_name = scope.path();
  const Array value = MakeInitialValue(args, impl->op_name).array();
  impl->dtype = value.dtype();
  impl->shape = value.shape();
  impl->trainable = args.trainable.value_or(true);
  impl->created_at = args.call_site;
  impl->storage = std::make_shared<equiv::Variable>(impl->op_name, impl->dtype, impl->shape);
  impl->handle = Value(Array::Resource(impl->storage));
  const Value inputs[] = {impl->handle, Value(value)};
  OwnerScope owner(impl->op_name, args.call_site);
  Current().AddOp("AssignVariableOp", inputs, {{"dtype", impl->dtype}});
  return Variable(std::move(impl));
}

Variable Construct(const VariableCreationArgs& args) {
  internal::FunctionTrace::OnCreate();
  Context& context = Current();
  if (context.eager()) return ConstructEagerly(args);
  if (!internal::Tracing(context)) return ConstructInGraph(args, *context.graph());
  // Lifted out of the trace, under the trace's name scope. tf: init_scope
  const std::string path = context.name_scope();
  Context& init = internal::InitContext();
  if (Graph* graph = init.graph()) {
    GraphScope outer(*graph);
    NameScope scope(path.empty() ? path : path + "/");
    return ConstructInGraph(args, *graph);
  }
  EagerScope eager;
  NameScope scope(path.empty() ? path : path + "/");
  return ConstructEagerly(args);
}

Variable CallCreator(std::size_t open, const VariableCreationArgs& args) {
  const Context* home = &internal::InitContext();
  while (open > 0 && Creators()[open - 1].home != home) --open;
  if (open == 0) return Construct(args);
  const VariableCreator creator = Creators()[open - 1].creator;
  return creator([open](const VariableCreationArgs& inner) { return CallCreator(open - 1, inner); }, args);
}
}  // namespace

VariableCreatorScope::VariableCreatorScope(VariableCreator creator) {
  Creators().push_back({std::move(creator), &internal::InitContext()});
}
VariableCreatorScope::~VariableCreatorScope() { Creators().pop_back(); }

namespace internal {
namespace {
thread_local FunctionTrace* current_trace = nullptr;
}
FunctionTrace::FunctionTrace(bool may_create) : outer_(current_trace), may_create_(may_create) { current_trace = this; }
FunctionTrace::~FunctionTrace() { current_trace = outer_; }
void FunctionTrace::OnCreate() {
  if (!current_trace) return;
  if (!current_trace->may_create_)
    throw ValueError(
        "tf.function only supports singleton tf.Variables created on the first call. Make sure the tf.Variable is only "
        "created once or created outside tf.function. See "
        "https://www.tensorflow.org/guide/function#creating_tfvariables for more information.");
  ++current_trace->created_;
}
}  // namespace internal

Variable internal::Create(const VariableCreationArgs& args) { return CallCreator(Creators().size(), args); }

std::string VariableCreationArgs::ToPythonDict() const {
  static constexpr std::array kSynchronization = {"AUTO: 0", "NONE: 1", "ON_WRITE: 2", "ON_READ: 3"};
  static constexpr std::array kAggregation = {"NONE: 0", "SUM: 1", "MEAN: 2", "ONLY_FIRST_REPLICA: 3"};
  const std::string none = "None";
  auto flag = [](std::optional<bool> b) { return std::string(!b ? "None" : *b ? "True" : "False"); };
  std::string text = fmt::format(
      "{{'initial_value': {}, 'trainable': {}, 'validate_shape': {}, 'caching_device': None, 'name': {}, "
      "'variable_def': "
      "None, 'dtype': {}, 'import_scope': None, 'constraint': {}, 'synchronization': "
      "<VariableSynchronization.{}>, 'aggregation': <VariableAggregation.{}>, 'shape': {}, "
      "'experimental_enable_variable_lifting': None",
      initial_value_text.empty() ? none : initial_value_text, flag(trainable), flag(validate_shape),
      name ? "'" + *name + "'" : none, dtype ? internal::DTypeText(*dtype) : none, constraint ? "<function>" : none,
      kSynchronization[static_cast<std::size_t>(synchronization)], kAggregation[static_cast<std::size_t>(aggregation)],
      shape ? shape->ToTuple() : none);
  if (from_get_variable) {
    std::string names;
    for (const std::string& c : collections) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", c);
    if (names.empty() && !no_collections) names = "'variables'";
    text += fmt::format(", 'collections': [{}], 'use_resource': True, 'expected_shape': None", names);
  }
  return text + "}";
}

namespace {
Variable CreateWith(VariableCreationArgs args, const VariableOptions& options, const std::source_location& site) {
  if (!options.name.empty()) args.name = options.name;
  args.dtype = options.dtype;
  args.collections = options.collections;
  args.no_collections = options.no_collections;
  args.use_resource = options.use_resource.value_or(true);
  args.call_site = site;
  return internal::Create(args);
}
}  // namespace

bool ResourceVariablesEnabled() { return internal::StateOf(Current()).resource_variables; }
void EnableResourceVariables(bool enable) { internal::StateOf(Current()).resource_variables = enable; }

Variable MakeVariable(const Tensor& initial_value, const VariableOptions& options, const std::source_location& site) {
  VariableCreationArgs args;
  args.initial_value = initial_value;
  args.initial_value_text =
      initial_value.symbolic()
          ? fmt::format("<tf.Tensor '{}' shape={} dtype={}>", TensorName(initial_value),
                        initial_value.shape().ToTuple(), Name(initial_value.dtype()))
          : fmt::format("<tf.Tensor: shape={}, dtype={}, numpy={}>", initial_value.shape().ToTuple(),
                        Name(initial_value.dtype()), internal::NumpyRepr(initial_value.array()));
  args.trainable = options.trainable;
  return CreateWith(std::move(args), options, site);
}

Variable MakeVariable(double initial_value, const VariableOptions& options, const std::source_location& site) {
  VariableCreationArgs args;
  const DType dtype = options.dtype.value_or(DType::kFloat32);
  args.initial_value = dtype == DType::kFloat64 ? Value(Array::Scalar(initial_value))
                       : dtype == DType::kInt32 ? Value(Array::Scalar(static_cast<std::int32_t>(initial_value)))
                       : dtype == DType::kInt64 ? Value(Array::Scalar(static_cast<std::int64_t>(initial_value)))
                                                : Value(Array::Scalar(static_cast<float>(initial_value)));
  args.initial_value_text = internal::FloatRepr(initial_value);
  args.trainable = options.trainable;
  return CreateWith(std::move(args), options, site);
}

}  // namespace equiv::runtime
