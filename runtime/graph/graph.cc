#include "runtime/graph/graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/base/op_registry.h"
#include "kernels/base/resource.h"

namespace equiv::runtime {
namespace {

// The first two inputs that should share a type and do not, in TensorFlow's words; empty for lists.
std::string MixedTypes(const OpDef& def, std::span<const DType> dtypes) {
  for (std::size_t i = 0; i < def.input_args.size() && i < dtypes.size(); ++i) {
    const ArgDef& arg = def.input_args[i];
    if (!arg.number_attr.empty() || !arg.type_list_attr.empty()) break;
    for (std::size_t j = 0; j < i && !arg.type_attr.empty(); ++j)
      if (def.input_args[j].type_attr == arg.type_attr && dtypes[i] != dtypes[j])
        return fmt::format(". Input '{}' of '{}' Op has type {} that does not match type {} of argument '{}'.",
                           arg.name, def.name, Name(dtypes[i]), Name(dtypes[j]), def.input_args[j].name);
  }
  return {};
}

std::string Lower(std::string_view s) {
  std::string t(s);
  std::ranges::transform(t, t.begin(),
                         [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); });
  return t;
}
bool NameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '\\' || c == '/' || c == '>' || c == '-';
}
// tf: the patterns of framework/ops.py (spec A5): a root name starts with a letter, a digit or a point.
void CheckName(std::string_view name, bool root, std::string_view what) {
  const bool starts = !root || (!name.empty() && (std::isalnum(static_cast<unsigned char>(name[0])) || name[0] == '.'));
  if (starts && std::ranges::all_of(name, NameChar)) return;
  throw ValueError(fmt::format(
      "'{}' is not a valid {} name: use letters, digits, and _ . \\ / > - , starting with a letter, a digit or a point",
      name, what));
}
PartialShape HandleShape(const Edge& handle) {
  const Node& node = *handle.node;
  if (node.op() == "VarHandleOp") return node.attrs().Get<PartialShape>("shape");
  if (node.op() == "Const")  // a captured eager variable
    return std::get<Array>(*node.attrs().Find("value")).variable()->shape();
  return PartialShape::Unknown();
}
std::string Join(const std::string& scope, std::string_view name) {
  return scope.empty() ? std::string(name) : scope + "/" + std::string(name);
}
}  // namespace

Graph::Graph() : Context(/*eager=*/false) {
  by_name_.reserve(1 << 13);
  names_in_use_.reserve(1 << 13);
}
Graph::~Graph() = default;

std::string Graph::OpenNameScope(std::string_view name) {
  if (name.empty()) return {};
  if (name.back() == '/') return std::string(name.substr(0, name.size() - 1));
  CheckName(name, name_scope().empty(), "scope");
  return UniqueName(name);
}

std::string Graph::UniqueName(std::string_view name) {
  const std::string full = Join(name_scope(), name);
  int& counter = names_in_use_[Lower(full)];
  const int used = counter++;
  if (used == 0) return full;
  int i = used;
  for (;; ++i) {
    const std::string candidate = full + "_" + std::to_string(i);
    auto [it, fresh] = names_in_use_.try_emplace(Lower(candidate), 0);
    if (!fresh && it->second > 0) continue;
    it->second = 1;
    return candidate;
  }
}

std::vector<Value> Graph::AddOp(std::string_view op, std::span<const Value> inputs, const AttrMap& attrs,
                                std::string_view name) {
  Node* node = AddNode(op, inputs, attrs, name);
  std::vector<Value> outputs;
  outputs.reserve(static_cast<std::size_t>(node->num_outputs()));
  for (int i = 0; i < node->num_outputs(); ++i) outputs.push_back(node->output(i));
  return outputs;
}

Node* Graph::AddNode(std::string_view op, std::span<const Value> given, const AttrMap& attrs, std::string_view name) {
  if (finalized_) throw RuntimeError("Graph is finalized and cannot be modified.");
  if (std::ranges::any_of(given, &Value::reads_variable)) {
    // Rule A7: the reads stand inside the op's own name scope.
    NameScope scope(name.empty() ? op : name);
    std::vector<Value> read;
    for (const Value& value : given) read.push_back(ReadOperand(value));
    return AddNode(op, read, attrs, scope.path() + "/");
  }
  const OpDef& def = OpRegistry::Global().Get(op);
  std::vector<const Edge*> inputs;
  std::vector<DType> dtypes;
  std::vector<PartialShape> shapes;
  std::vector<const Array*> constants;
  inputs.reserve(given.size());
  dtypes.reserve(given.size());
  shapes.reserve(given.size());
  constants.reserve(given.size());
  for (const Value& value : given) {
    if (!value.has_value()) throw ValueError(OpWhere(op, name) + "an input has no value");
    const Edge* edge = value.edge();
    if (!edge) {
      const Value constant = AddNode("Const", {}, {{"value", value.array()}, {"dtype", value.dtype()}})->output(0);
      edge = constant.edge();
    }
    const bool foreign = static_cast<std::size_t>(edge->node->id()) >= nodes_.size() ||
                         nodes_[static_cast<std::size_t>(edge->node->id())].get() != edge->node;
    if (foreign && captures_allowed_)
      edge = Capture(edge);
    else if (foreign)
      throw ValueError(fmt::format("{}Tensor '{}:{}' must be from the same graph as the op", OpWhere(op, name),
                                   edge->node->name(), edge->index));
    inputs.push_back(edge);
    dtypes.push_back(edge->dtype);
    // A handle stands for its variable's shape. tf: input_handle_shapes_and_types
    const Edge* source = edge;
    for (const auto& [outer, inner] : captures_)
      if (inner == edge) source = outer;
    shapes.push_back(edge->dtype == DType::kResource ? HandleShape(*source) : edge->shape);
    constants.push_back(edge->node->op() == "Const" ? std::get_if<Array>(edge->node->attrs().Find("value")) : nullptr);
  }
  AttrMap complete = attrs;
  const std::string_view wanted = name.empty() ? std::string_view(def.name) : name;
  const std::string_view shown = wanted.ends_with('/') ? wanted.substr(0, wanted.size() - 1) : wanted;
  std::vector<DType> output_dtypes;
  try {
    output_dtypes = CompleteAttrs(def, dtypes, complete, shown);
  } catch (const InvalidArgumentError& error) {
    throw TypeError(error.what() + MixedTypes(def, dtypes));  // tf: types that do not match while building
  }
  std::vector<PartialShape> output_shapes;
  try {
    output_shapes = InferShapes(def, complete, shown, shapes, constants, output_dtypes.size());
  } catch (const InvalidArgumentError& error) {
    throw ValueError(error.what());  // tf: what is wrong while building is a ValueError
  }
  auto node = std::make_unique<Node>();
  if (wanted.back() == '/') {
    node->name_ = wanted.substr(0, wanted.size() - 1);
    if (by_name_.contains(node->name_))
      throw ValueError(fmt::format("Duplicate node name in graph: '{}'", node->name_));
    int& counter = names_in_use_[Lower(node->name_)];
    counter = std::max(counter, 1);
  } else {
    CheckName(wanted, name_scope().empty(), "op");
    node->name_ = UniqueName(wanted);
  }
  node->id_ = static_cast<int>(nodes_.size());
  node->def_ = &def;
  node->attrs_ = std::move(complete);
  node->inputs_ = std::move(inputs);
  node->control_inputs_ = control_dependencies;
  node->owner_ = owner();
  node->device_ = device;
  node->call_site_ = call_site();
  node->outputs_.resize(output_dtypes.size());
  for (std::size_t i = 0; i < output_dtypes.size(); ++i)
    node->outputs_[i] = {output_dtypes[i], output_shapes[i], node.get(), static_cast<int>(i),
                         OutputArg(def, node->attrs_, i)->is_ref};
  by_name_.emplace(node->name_, node.get());
  nodes_.push_back(std::move(node));
  return nodes_.back().get();
}

Node* Graph::AddNode(std::string_view op, std::span<const Value> inputs, const AttrMap& attrs, std::string_view name,
                     const std::string& node_device) {
  Node* node = AddNode(op, inputs, attrs, name);
  node->device_ = node_device;
  return node;
}
GraphMark Graph::Mark() const { return {nodes_.size(), captures_.size(), names_in_use_}; }
void Graph::ReturnTo(GraphMark mark) {
  while (nodes_.size() > mark.nodes) {
    by_name_.erase(nodes_.back()->name());
    nodes_.pop_back();
  }
  captures_.resize(mark.captures);
  names_in_use_ = std::move(mark.names_in_use);
}
void Graph::CloseLoop(Node* merge, int input, const Tensor& back) {
  merge->inputs_.at(static_cast<std::size_t>(input)) = back.edge();
}

const Edge* Graph::Capture(const Edge* outer) {
  for (const auto& [from, inner] : captures_)
    if (from == outer) return inner;
  const std::string saved = name_scope();
  set_name_scope("");
  Node* node = AddNode("Placeholder", {}, {{"dtype", outer->dtype}, {"shape", outer->shape}}, "captured");
  set_name_scope(saved);
  captures_.emplace_back(outer, &node->edge(0));
  return &node->edge(0);
}

Node* Graph::FindNode(std::string_view name) const {
  auto it = by_name_.find(std::string(name));
  return it == by_name_.end() ? nullptr : it->second;
}
Tensor Graph::FindTensor(std::string_view name) const {
  std::string_view op = name;
  int index = 0;
  if (const auto colon = name.rfind(':'); colon != std::string_view::npos) {
    op = name.substr(0, colon);
    const std::string_view digits = name.substr(colon + 1);
    if (digits.empty() || digits.size() > 6 ||
        !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }))
      throw ValueError(fmt::format(
          "The name '{}' refers to a Tensor, but its output index is no number; names look like 'scope/op:0'.", name));
    for (char c : digits) index = index * 10 + (c - '0');
  }
  Node* node = FindNode(op);
  if (!node)
    throw ValueError(fmt::format(
        "The name '{}' refers to a Tensor which does not exist. The operation, '{}', does not exist in the graph.",
        name, op));
  if (index >= node->num_outputs())
    throw ValueError(
        fmt::format("The name '{}' refers to a Tensor which does not exist. The operation '{}' has {} outputs.", name,
                    op, node->num_outputs()));
  return node->output(index);
}

ControlDependencies::ControlDependencies(const std::vector<Node*>& nodes) : graph_(Current().graph()), added_(0) {
  if (!graph_) return;
  for (Node* node : nodes)
    if (node) {
      graph_->control_dependencies.push_back(node);
      ++added_;
    }
}
ControlDependencies::~ControlDependencies() {
  if (graph_) graph_->control_dependencies.resize(graph_->control_dependencies.size() - added_);
}

DeviceScope::DeviceScope(std::string device) : graph_(Current().graph()) {
  if (!graph_) return;
  saved_ = graph_->device;
  graph_->device = CanonicalDevice(device);
}
DeviceScope::~DeviceScope() {
  if (graph_) graph_->device = saved_;
}

std::string CanonicalDevice(std::string_view device) {
  // Parts are "/job:x", "/task:0", "/replica:0", and "/device:CPU:0", which may be written "/cpu:0".
  std::string canonical;
  while (!device.empty()) {
    if (device.front() == '/') device.remove_prefix(1);
    const auto slash = device.find('/');
    std::string part(device.substr(0, slash));
    device = slash == std::string_view::npos ? std::string_view() : device.substr(slash);
    if (part.empty()) continue;
    if (!part.starts_with("job:") && !part.starts_with("task:") && !part.starts_with("replica:") &&
        !part.starts_with("device:")) {
      std::string type = part.substr(0, part.find(':'));
      std::ranges::transform(type, type.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      const auto colon = part.find(':');
      part = fmt::format("device:{}:{}", type, colon == std::string::npos ? "0" : part.substr(colon + 1));
    }
    canonical += "/" + part;
  }
  return canonical;
}

Node* Group(const std::vector<Node*>& nodes, std::string_view name) {
  Graph* graph = Current().graph();
  if (!graph) return nullptr;
  ControlDependencies after(nodes);
  return graph->AddNode("NoOp", {}, {}, name);
}

Tensor ReadOperand(const Tensor& value) {
  if (!value.reads_variable() || Current().eager()) return value;
  return Current().Add1("ReadVariableOp", {Tensor(value.node()->inputs().at(0))}, {{"dtype", value.dtype()}});
}

std::string TensorName(const Tensor& tensor) {
  if (!tensor.symbolic()) throw AttributeError("Tensor.name is undefined when eager execution is enabled.");
  return tensor.node()->name() + ":" + std::to_string(tensor.index());
}
}  // namespace equiv::runtime
