#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <queue>
#include <set>
#include <unordered_map>

#include "kernels/base/error.h"
#include "kernels/base/op_registry.h"
#include "kernels/io/file.h"
#include "runtime/function/graph_function.h"
#include "runtime/graph/graph_calls.h"
#include "runtime/graph/graph_collections.h"
#include "runtime/graph/graph_def.h"
#include "runtime/graph/graph_file.h"
#include "runtime/graph/proto_convert.h"

namespace equiv::runtime {
namespace {

// Where an input comes from: "node:1", "node", "^node"; in a function also "node:argument:1" and "argument".
struct Source {
  std::string node, argument;
  int index = 0;
  bool control = false;
};
Source ParseInput(std::string_view text, const std::string& where) {
  Source source;
  if (text.starts_with('^')) {
    source.control = true;
    source.node = text.substr(1);
    return source;
  }
  const auto colon = text.find(':');
  source.node = text.substr(0, colon);
  if (colon == std::string_view::npos) return source;
  std::string_view rest = text.substr(colon + 1);
  if (const auto second = rest.find(':'); second != std::string_view::npos) {
    source.argument = rest.substr(0, second);
    rest.remove_prefix(second + 1);
  }
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), source.index);
  if (error != std::errc() || end != rest.data() + rest.size() || source.index < 0)
    throw InvalidArgumentError(fmt::format("{}input '{}' is no 'node:index'", where, text));
  return source;
}

bool IsName(std::string_view name) {
  return !name.empty() && name.front() != '^' && std::ranges::none_of(name, [](char c) {
    return c == ':' || c == ' ' || static_cast<unsigned char>(c) < 0x20;
  });
}

// The nodes of one graph or one function body, each after its inputs; the back edges of loops aside.
using Nodes = google::protobuf::RepeatedPtrField<proto::NodeDef>;
class Ordered {
 public:
  Ordered(const Nodes& nodes, const std::set<std::string>& outside, const std::string& where)
      : nodes_(nodes), where_(where) {
    for (int i = 0; i < nodes.size(); ++i) {
      const std::string& name = nodes[i].name();
      if (!IsName(name))
        throw InvalidArgumentError(fmt::format("{}: '{}' is no valid node name", where, io::Printable(name)));
      if (outside.contains(name) || !index_.emplace(name, i).second)
        throw InvalidArgumentError(fmt::format("{}: two nodes are named '{}'", where, name));
    }
    inputs_.resize(static_cast<std::size_t>(nodes.size()));
    for (int i = 0; i < nodes.size(); ++i)
      for (const std::string& input : nodes[i].input()) {
        Source source = ParseInput(input, Where(i));
        if (!index_.contains(source.node) && !outside.contains(source.node))
          throw InvalidArgumentError(fmt::format("{}input '{}' is no node of the graph", Where(i), input));
        inputs_[static_cast<std::size_t>(i)].push_back(std::move(source));
      }
  }
  std::string Where(int i) const { return fmt::format("{}: [{}] '{}': ", where_, nodes_[i].op(), nodes_[i].name()); }
  const std::vector<Source>& inputs(int i) const { return inputs_[static_cast<std::size_t>(i)]; }
  int Find(const std::string& name) const {
    const auto it = index_.find(name);
    return it == index_.end() ? -1 : it->second;
  }
  // A loop's way back: from NextIteration to Merge.
  bool IsBackEdge(int node, const Source& source) const {
    const int from = Find(source.node);
    return from >= 0 && !source.control && nodes_[from].op().ends_with("NextIteration") &&
           nodes_[node].op().ends_with("Merge");
  }

  // All nodes, or those that `targets` need.
  std::vector<int> Sort(const std::vector<std::string>& targets) const {
    const auto n = static_cast<std::size_t>(nodes_.size());
    std::vector<bool> wanted(n, targets.empty());
    std::vector<int> stack;
    const auto want = [&](int i) {
      if (wanted[static_cast<std::size_t>(i)]) return;
      wanted[static_cast<std::size_t>(i)] = true;
      stack.push_back(i);
    };
    for (const std::string& target : targets) {
      const std::string name = target.substr(0, target.find(':'));
      const int i = Find(name);
      if (i < 0)
        throw NotFoundError(fmt::format("{}: the graph has no operation '{}', which was asked for", where_, name));
      want(i);
    }
    while (!stack.empty()) {
      const int i = stack.back();
      stack.pop_back();
      for (const Source& s : inputs(i))
        if (const int from = Find(s.node); from >= 0) want(from);
    }
    std::vector<int> waiting(n, 0);
    std::vector<std::vector<int>> then(n);
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (!wanted[i]) continue;
      ++count;
      for (const Source& s : inputs_[i]) {
        const int from = Find(s.node);
        if (from < 0 || IsBackEdge(static_cast<int>(i), s)) continue;
        ++waiting[i];
        then[static_cast<std::size_t>(from)].push_back(static_cast<int>(i));
      }
    }
    // The file's own order as far as it goes.
    std::priority_queue<int, std::vector<int>, std::greater<>> ready;
    for (std::size_t i = 0; i < n; ++i)
      if (wanted[i] && waiting[i] == 0) ready.push(static_cast<int>(i));
    std::vector<int> order;
    while (!ready.empty()) {
      const int i = ready.top();
      ready.pop();
      order.push_back(i);
      for (const int next : then[static_cast<std::size_t>(i)])
        if (--waiting[static_cast<std::size_t>(next)] == 0) ready.push(next);
    }
    if (order.size() != count) {
      for (std::size_t i = 0; i < n; ++i)
        if (wanted[i] && waiting[i] > 0)
          throw InvalidArgumentError(
              fmt::format("{}it is part of a cycle that is no while loop", Where(static_cast<int>(i))));
    }
    return order;
  }

 private:
  const Nodes& nodes_;
  const std::string& where_;
  std::unordered_map<std::string, int> index_;
  std::vector<std::vector<Source>> inputs_;
};

// The functions that an attribute names.
void FunctionsIn(const proto::AttrValue& value, std::set<std::string>& names) {
  if (value.value_case() == proto::AttrValue::kFunc) names.insert(value.func().name());
  if (value.value_case() == proto::AttrValue::kList)
    for (const auto& f : value.list().func()) names.insert(f.name());
}

// Every op that is missing is named at once, unless none of them is needed. tf: "Op type not registered"
void RequireOps(const proto::GraphDef& graph, const std::vector<int>& needed_nodes, const std::string& where) {
  struct Missing {
    int count = 0;
    std::string first;
    bool needed = false;
  };
  std::map<std::string, Missing> missing;
  std::map<std::string, const proto::FunctionDef*> functions;
  for (const auto& f : graph.library().function()) functions.emplace(f.signature().name(), &f);
  std::set<const proto::NodeDef*> needed;
  std::set<std::string> reached;
  std::vector<const proto::NodeDef*> stack;
  for (const int i : needed_nodes) stack.push_back(&graph.node(i));
  while (!stack.empty()) {
    const proto::NodeDef* node = stack.back();
    stack.pop_back();
    needed.insert(node);
    std::set<std::string> called;
    if (functions.contains(node->op())) called.insert(node->op());
    for (const auto& [name, value] : node->attr()) FunctionsIn(value, called);
    for (const std::string& name : called)
      if (const auto it = functions.find(name); it != functions.end() && reached.insert(name).second)
        for (const auto& inner : it->second->node_def()) stack.push_back(&inner);
  }
  const auto look = [&](const proto::NodeDef& node, const std::string& in) {
    if (OpRegistry::Global().Find(node.op()) || functions.contains(node.op())) return;
    Missing& m = missing[node.op()];
    if (m.count++ == 0)
      m.first = in.empty() ? fmt::format("'{}'", node.name()) : fmt::format("'{}' in function '{}'", node.name(), in);
    m.needed |= needed.contains(&node);
  };
  for (const auto& node : graph.node()) look(node, {});
  for (const auto& f : graph.library().function())
    for (const auto& node : f.node_def()) look(node, f.signature().name());
  if (std::ranges::none_of(missing, [](const auto& item) { return item.second.needed; })) return;
  std::vector<std::string> parts;
  for (const auto& [op, m] : missing)
    parts.push_back(fmt::format("{} ({} node{}, first {})", op, m.count, m.count == 1 ? "" : "s", m.first));
  throw UnimplementedError(fmt::format("{}: Op type not registered: {}. `equiv list` shows the ops there are", where,
                                       fmt::join(parts, ", ")));
}

class Importer {
  // Bodies are built, and run, one inside the other: this many fit the stack.
  static constexpr int kDeepest = 100;
  // A few bytes of a file may ask for any amount of memory: constants of one value, counts, functions called often.
  static constexpr std::size_t kMostValues = std::size_t{1} << 21, kMostConstantBytes = std::size_t{4} << 30;

 public:
  Importer(Graph& graph, const proto::GraphDef& def, const std::string& where)
      : graph_(graph), def_(def), where_(where) {
    for (const auto& f : def.library().function())
      if (const auto [it, fresh] = library_.emplace(f.signature().name(), &f);
          !fresh && !google::protobuf::util::MessageDifferencer::Equals(*it->second, f))
        throw InvalidArgumentError(fmt::format("{}: two functions are named '{}'", where, f.signature().name()));
  }

  void AddNodes(const ImportOptions& options) {
    std::set<std::string> outside;
    const Ordered ordered(def_.node(), outside, where_);
    const std::vector<int> order = ordered.Sort(options.targets);
    RequireOps(def_, order, where_);
    std::size_t constant_bytes = 0;  // before any of them is made
    for (const int i : order)
      for (const auto& [name, value] : def_.node(i).attr())
        if ((constant_bytes += BytesOf(value.tensor())) > kMostConstantBytes) FailConstants(ordered.Where(i));
    if (options.seeds) {
      std::vector<int> in_file = order;
      std::ranges::sort(in_file);
      for (const int i : in_file) {
        const OpDef* op = OpRegistry::Global().Find(def_.node(i).op());
        if (op && op->random) seeds_.emplace(&def_.node(i), options.seeds());
      }
    }
    const std::string scope = options.import_scope.empty() ? "" : options.import_scope + "/";
    std::unordered_map<std::string, Node*> made;
    Build(graph_, def_.node(), ordered, order, scope, {}, made, [&](const Source& source) -> std::optional<Tensor> {
      const auto it = options.input_map.find(fmt::format("{}:{}", source.node, source.index));
      return it == options.input_map.end() ? std::nullopt : std::optional(it->second);
    });
  }

  // `where`: the node that calls it.
  FunctionRef Function(const proto::NameAttrList& call, const std::string& where) {
    const std::string key = call.attr().empty() ? call.name() : call.name() + call.SerializeAsString();
    if (const auto it = functions_.find(key); it != functions_.end()) {
      if (!it->second) throw UnimplementedError(fmt::format("{}function '{}' calls itself", where, call.name()));
      return {call.name(), it->second};
    }
    const auto found = library_.find(call.name());
    if (found == library_.end())
      throw NotFoundError(fmt::format("{}the library has no function '{}'", where, call.name()));
    if (depth_ == kDeepest)
      throw UnimplementedError(
          fmt::format("{}function '{}' is the last of {} that call one another", where, call.name(), kDeepest + 1));
    ++depth_;
    functions_[key] = nullptr;
    auto function = std::make_shared<GraphFunction>(call.name());
    BuildBody(*function, *found->second, call);
    functions_[key] = function;
    --depth_;
    return {call.name(), function};
  }

 private:
  using Attrs = google::protobuf::Map<std::string, proto::AttrValue>;
  using Replace = std::function<std::optional<Tensor>(const Source&)>;

  // tf: FunctionDefHelper: in a function, an output is named by its argument
  Tensor OutputOf(const Node* node, const Source& source, const std::string& where) const {
    std::size_t index = static_cast<std::size_t>(source.index);
    if (!source.argument.empty()) {
      std::size_t at = 0;
      const ArgDef* wanted = nullptr;
      for (; const ArgDef* arg = OutputArg(node->def(), node->attrs(), at); ++at)
        if (arg->name == source.argument) {
          wanted = arg;
          break;
        }
      if (!wanted)
        throw InvalidArgumentError(fmt::format("{}{} has no output '{}'", where, node->op(), source.argument));
      index += at;
    }
    if (index >= static_cast<std::size_t>(node->num_outputs()))
      throw InvalidArgumentError(fmt::format("{}there is no output {} of '{}', which has {}", where, index,
                                             node->name(), node->num_outputs()));
    return node->output(static_cast<int>(index));
  }

  AttrMap ReadAttrs(const proto::NodeDef& node, const OpDef& def, const Attrs& given, const std::string& where) {
    AttrMap attrs;
    for (const auto& [name, stored] : node.attr()) {
      const proto::AttrValue* value = &stored;
      if (stored.value_case() == proto::AttrValue::kPlaceholder) {
        const auto it = given.find(stored.placeholder());
        if (it == given.end())
          throw InvalidArgumentError(
              fmt::format("{}attribute '{}' is the placeholder '{}', which the call does not give", where, name,
                          stored.placeholder()));
        value = &it->second;
      }
      const auto known = std::ranges::find(def.attr_defs, name, &AttrDef::name);
      AttrKind kind = AttrKind::kInt;
      if (known != def.attr_defs.end())
        kind = known->kind;
      else if (!name.starts_with('_'))
        throw InvalidArgumentError(fmt::format(
            "{}NodeDef mentions attr '{}' not in Op {}: it was written by a newer program", where, name, def.name));
      else if (!KindOf(*value, kind) || kind == AttrKind::kFunc || kind == AttrKind::kListFunc)
        continue;  // for tools, and of no use here
      const std::string at = fmt::format("{}attribute '{}': ", where, name);
      const FunctionLookup functions = [&](const proto::NameAttrList& f) { return Function(f, at); };
      AttrValue converted = FromProto(*value, kind, functions, at);
      if (const auto* constant = std::get_if<Array>(&converted)) CountConstant(*constant, at);
      if (const auto* constants = std::get_if<std::vector<Array>>(&converted))
        for (const Array& constant : *constants) CountConstant(constant, at);
      attrs.Set(name, std::move(converted));
    }
    if (const auto seeds = seeds_.find(&node); seeds != seeds_.end()) {
      attrs.Set("seed", seeds->second.first);
      attrs.Set("seed2", seeds->second.second);
    }
    return attrs;
  }

  void Build(Graph& graph, const Nodes& nodes, const Ordered& ordered, const std::vector<int>& order,
             const std::string& scope, const Attrs& given, std::unordered_map<std::string, Node*>& made,
             const Replace& replace) {
    struct BackEdge {
      Node* merge;
      int input;
      Source source;
      std::string where;
    };
    std::vector<BackEdge> back;
    std::vector<Node*> control;
    for (const int i : order) {
      const proto::NodeDef& stored = nodes[i];
      const std::string where = ordered.Where(i);
      std::string op = stored.op();
      AttrMap attrs;
      if (const OpDef* def = OpRegistry::Global().Find(op)) {
        attrs = ReadAttrs(stored, *def, given, where);
        CheckFunctionTypes(op, attrs, where);
      } else {  // a function called by its name
        proto::NameAttrList call;
        call.set_name(op);
        *call.mutable_attr() = stored.attr();
        const FunctionRef ref = Function(call, where);
        const auto& body = static_cast<const GraphFunction&>(*ref.function);
        std::vector<DType> taken, given;
        for (const Tensor& t : body.inputs) taken.push_back(t.dtype());
        for (const Tensor& t : body.outputs) given.push_back(t.dtype());
        attrs = {{"f", ref}, {"Tin", taken}, {"Tout", given}};
        op = body.is_stateful() ? "StatefulPartitionedCall" : "PartitionedCall";
      }
      control.clear();
      std::vector<Value> inputs;
      std::vector<std::pair<int, const Source*>> later;
      bool data = true;
      for (const Source& source : ordered.inputs(i)) {
        if (source.control) {
          data = false;
          if (const auto it = made.find(source.node); it != made.end()) control.push_back(it->second);
          continue;
        }
        if (!data) throw InvalidArgumentError(where + "a data input follows a control input");
        if (const auto other = replace(source)) {
          inputs.push_back(*other);
        } else if (ordered.IsBackEdge(i, source)) {
          later.emplace_back(static_cast<int>(inputs.size()), &source);
          inputs.emplace_back();
        } else {
          inputs.push_back(OutputOf(made.at(source.node), source, where));
        }
      }
      // A back edge takes the type and shape of the way in until the loop is closed.
      for (const auto& [at, source] : later) {
        const auto in = std::ranges::find_if(inputs, &Value::has_value);
        if (in == inputs.end()) throw InvalidArgumentError(where + "a Merge without a way into the loop");
        inputs[static_cast<std::size_t>(at)] = *in;
      }
      Node* node = nullptr;
      try {
        graph.control_dependencies.swap(control);
        node = graph.AddNode(op, inputs, attrs, scope + stored.name() + "/", stored.device());
        graph.control_dependencies.swap(control);
      } catch (const Error& error) {
        graph.control_dependencies.swap(control);
        throw InvalidArgumentError(fmt::format("{}: {}", where_, error.what()));
      }
      CountValues(1 + static_cast<std::size_t>(node->num_outputs()), where);
      for (const auto& [at, source] : later) back.push_back({node, at, *source, where});
      made.emplace(stored.name(), node);
    }
    for (const BackEdge& b : back) {
      const auto it = made.find(b.source.node);
      if (it == made.end()) throw InvalidArgumentError(fmt::format("{}'{}' is missing", b.where, b.source.node));
      const Tensor from = OutputOf(it->second, b.source, b.where);
      if (from.dtype() != b.merge->inputs()[static_cast<std::size_t>(b.input)]->dtype)
        throw InvalidArgumentError(fmt::format("{}the value that comes back is {}", b.where, Name(from.dtype())));
      graph.CloseLoop(b.merge, b.input, from);
    }
  }

  void BuildBody(GraphFunction& function, const proto::FunctionDef& def, const proto::NameAttrList& call) {
    const std::string where = fmt::format("{}: function '{}'", where_, function.name());
    Graph& graph = function.graph();
    std::set<std::string> arguments;
    std::unordered_map<std::string, std::vector<Tensor>> argument_values;
    GraphScope scope(graph);
    for (const auto& arg : def.signature().input_arg()) CountValues(ArgTypes(arg, call, where).size(), where + ": ");
    for (const auto& arg : def.signature().input_arg()) {
      if (!IsName(arg.name()) || !arguments.insert(arg.name()).second)
        throw InvalidArgumentError(fmt::format("{}: '{}' is no argument name of its own", where, arg.name()));
      std::vector<Tensor>& values = argument_values[arg.name()];  // none, for a count of 0
      for (const DType type : ArgTypes(arg, call, where)) {
        AttrMap attrs = {{"dtype", type}};
        const std::string name = values.empty() ? arg.name() : fmt::format("{}_{}", arg.name(), values.size());
        values.push_back(graph.AddNode("Placeholder", {}, attrs, name + "/")->output(0));
        function.inputs.push_back(values.back());
      }
    }
    const Ordered ordered(def.node_def(), arguments, where);
    std::unordered_map<std::string, Node*> made;
    const auto argument = [&](const Source& source) -> std::optional<Tensor> {
      const auto it = argument_values.find(source.node);
      if (it == argument_values.end()) return std::nullopt;
      if (static_cast<std::size_t>(source.index) >= it->second.size())
        throw InvalidArgumentError(fmt::format("{}: argument '{}' has no part {}", where, source.node, source.index));
      return it->second[static_cast<std::size_t>(source.index)];
    };
    Build(graph, def.node_def(), ordered, ordered.Sort({}), "", call.attr(), made, argument);
    for (const auto& out : def.signature().output_arg()) {
      const auto ret = def.ret().find(out.name());
      if (ret == def.ret().end())
        throw InvalidArgumentError(fmt::format("{}: output '{}' has no value", where, out.name()));
      const Source source = ParseInput(ret->second, where + ": ");
      const std::size_t parts = ArgTypes(out, call, where).size();
      for (std::size_t part = 0; part < parts; ++part) {
        Source one = source;
        one.index += static_cast<int>(part);
        std::optional<Tensor> value = argument(one);
        if (!value) {
          const auto it = made.find(source.node);
          if (it == made.end())
            throw InvalidArgumentError(fmt::format("{}: output '{}' comes from no node", where, out.name()));
          value = OutputOf(it->second, one, where + ": ");
        }
        CountValues(1, where + ": ");
        function.outputs.push_back(*value);
      }
    }
    std::set<const Node*> effects;
    for (const auto& [name, node] : def.control_ret())
      if (const auto it = made.find(node); it != made.end()) effects.insert(it->second);
    for (const auto& node : graph.nodes())
      if (effects.contains(node.get()) || HasEffect(*node)) function.stateful.push_back(node.get());
  }

  // tf: PruneFunctionGraph keeps every stateful op; what only reads, draws or names a variable changes nothing
  static bool HasEffect(const Node& node) {
    const std::string& op = node.op();
    return node.def().stateful && !node.def().random && op != "Placeholder" && op != "VarHandleOp" &&
           op != "ReadVariableOp" && op != "VarIsInitializedOp" && op != "VariableV2" && op != "ResourceGather" &&
           op != "VariableShape";
  }

  std::vector<DType> ArgTypes(const proto::OpDef::ArgDef& arg, const proto::NameAttrList& call,
                              const std::string& where) const {
    const auto attr = [&](const std::string& name) -> const proto::AttrValue& {
      const auto it = call.attr().find(name);
      if (it == call.attr().end())
        throw InvalidArgumentError(fmt::format("{}: argument '{}' needs the attribute '{}'", where, arg.name(), name));
      return it->second;
    };
    const std::string at = where + ": ";
    if (!arg.type_list_attr().empty()) {
      std::vector<DType> types;
      for (const int t : attr(arg.type_list_attr()).list().type())
        types.push_back(FromProto(static_cast<proto::DataType>(t), at));
      return types;
    }
    const DType type =
        arg.type_attr().empty() ? FromProto(arg.type(), at) : FromProto(attr(arg.type_attr()).type(), at);
    std::int64_t count = 1;
    if (!arg.number_attr().empty()) count = attr(arg.number_attr()).i();
    if (count < 0 || count > 1 << 20)
      throw InvalidArgumentError(fmt::format("{}: argument '{}' has {} parts", where, arg.name(), count));
    return std::vector<DType>(static_cast<std::size_t>(count), type);
  }

  void CountValues(std::size_t count, const std::string& where) {
    if ((values_ += count) > kMostValues)
      throw ResourceExhaustedError(
          fmt::format("{}the graph and its functions as they are called have more than {} values", where, kMostValues));
  }
  void CountConstant(const Array& constant, const std::string& where) {
    if ((constant_bytes_ += constant.num_bytes()) > kMostConstantBytes) FailConstants(where);
  }
  [[noreturn]] static void FailConstants(const std::string& where) {
    throw ResourceExhaustedError(where + "the constants take more than 4 GiB");
  }

  Graph& graph_;
  const proto::GraphDef& def_;
  const std::string& where_;
  std::unordered_map<std::string, const proto::FunctionDef*> library_;
  std::unordered_map<std::string, std::shared_ptr<GraphFunction>> functions_;  // null while being built
  std::unordered_map<const proto::NodeDef*, std::pair<std::int64_t, std::int64_t>> seeds_;
  std::size_t values_ = 0, constant_bytes_ = 0;
  int depth_ = 0;  // of functions being built
};

std::vector<std::string> OpTypes(const proto::GraphDef& graph) {
  std::set<std::string> types;
  for (const auto& node : graph.node()) types.insert(node.op());
  for (const auto& f : graph.library().function())
    for (const auto& node : f.node_def()) types.insert(node.op());
  return {types.begin(), types.end()};
}

// tf: CheckVersions
void CheckVersions(const proto::VersionDef& versions, const std::string& where) {
  if (versions.min_consumer() > kGraphVersion)
    throw InvalidArgumentError(
        fmt::format("{}: GraphDef min consumer version {} above current version {}: it was written for a newer program",
                    where, versions.min_consumer(), kGraphVersion));
  if (std::ranges::find(versions.bad_consumers(), kGraphVersion) != versions.bad_consumers().end())
    throw InvalidArgumentError(fmt::format("{}: GraphDef disallows consumer version {}", where, kGraphVersion));
}
}  // namespace

MetaGraph ImportGraph(Graph& graph, std::string_view bytes, const std::string& where, const ImportOptions& options) {
  if (graph.finalized()) throw RuntimeError("Graph is finalized and cannot be modified.");
  const ParsedGraphFile file = ParseGraphFile(bytes, where);
  const proto::GraphDef& def = file.meta.graph_def();
  CheckVersions(def.versions(), where);
  MetaGraph meta;
  meta.has_meta = file.has_meta;
  meta.tensorflow_version = file.meta.meta_info_def().tensorflow_version();
  meta.tags.assign(file.meta.meta_info_def().tags().begin(), file.meta.meta_info_def().tags().end());
  meta.op_types = OpTypes(def);
  meta.nodes = static_cast<std::size_t>(def.node_size());
  meta.functions = static_cast<std::size_t>(def.library().function_size());
  GraphScope scope(graph);
  const std::string saved = graph.name_scope();
  GraphMark mark = graph.Mark();
  graph.set_name_scope({});
  try {
    Importer(graph, def, where).AddNodes(options);
    internal::CheckCollections(graph, file.meta, options.import_scope, where);
  } catch (...) {
    graph.ReturnTo(std::move(mark));
    graph.set_name_scope(saved);
    try {
      throw;
    } catch (const std::bad_alloc&) {
      throw ResourceExhaustedError(fmt::format("{}: the graph does not fit the memory", where));
    }
  }
  graph.set_name_scope(saved);
  if (file.meta.has_saver_def()) {
    const proto::SaverDef& s = file.meta.saver_def();
    const std::string prefix = options.import_scope.empty() ? "" : options.import_scope + "/";
    meta.saver = SaverDef{.filename_tensor_name = prefix + s.filename_tensor_name(),
                          .save_tensor_name = prefix + s.save_tensor_name(),
                          .restore_op_name = prefix + s.restore_op_name(),
                          .max_to_keep = s.max_to_keep(),
                          .sharded = s.sharded(),
                          .keep_checkpoint_every_n_hours = s.keep_checkpoint_every_n_hours(),
                          .version = static_cast<int>(s.version())};
  }
  internal::ReadCollections(graph, file.meta, options.import_scope);
  meta.variables = internal::VariablesOfFile(graph, file.meta, options.import_scope);
  return meta;
}

MetaGraph ImportGraphFile(Graph& graph, const std::string& path, const ImportOptions& options) {
  return ImportGraph(graph, io::ReadFile(path), path, options);
}
}  // namespace equiv::runtime
