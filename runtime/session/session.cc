#include "runtime/session/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "kernels/base/flush.h"
#include "kernels/base/function_library.h"
#include "runtime/core/hooks.h"
#include "runtime/eager/eager.h"

namespace equiv::runtime {
namespace {

// One node in a plan: where its inputs come from and go.
struct Step {
  const Node* node = nullptr;
  Kernel* kernel = nullptr;
  std::vector<DType> output_dtypes;
  std::vector<int> inputs;     // slots
  std::vector<bool> last_use;  // the input's buffer is free after this step
  std::vector<int> outputs;    // slots, -1: nobody wants it
};
struct Plan {
  std::vector<Step> steps;
  std::vector<std::pair<int, const Array*>> constants;  // slot, value
  std::vector<int> feeds;                               // slot of each feed; -1: not needed
  std::vector<int> fetches;                             // slot of each fetched tensor
  int slots = 0;
};

// tf: DataTypeString, the names used in the executor's messages
std::string_view TypeText(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "float";
    case DType::kFloat64:
      return "double";
    case DType::kFloat16:
      return "half";
    default:
      return Name(dtype);
  }
}

void Collect(const Graph& graph, const Fetch& fetch, std::vector<Tensor>& tensors, std::vector<Node*>& operations) {
  std::visit(
      [&](const auto& what) {
        using T = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<T, Tensor>) {
          if (!what.has_value())
            throw TypeError(
                "Argument `fetch` = None has invalid type; fetch a tensor, an operation, a name, or a nest of these");
          if (!what.symbolic()) throw TypeError("an eager tensor cannot be fetched: it is a value already");
          tensors.push_back(what);
        } else if constexpr (std::is_same_v<T, Node*>) {
          if (!what)
            throw TypeError(
                "Argument `fetch` = None has invalid type; fetch a tensor, an operation, a name, or a nest of these");
          operations.push_back(what);
        } else if constexpr (std::is_same_v<T, std::string>) {
          if (what.find(':') == std::string::npos) {
            Node* node = graph.FindNode(what);
            if (!node)
              throw ValueError(
                  fmt::format("Fetch argument '{}' cannot be interpreted as a Tensor. (Operation '{}' is not an "
                              "element of this graph.)",
                              what, what));
            operations.push_back(node);
          } else {
            try {
              tensors.push_back(graph.FindTensor(what));
            } catch (const ValueError& error) {
              throw ValueError(
                  fmt::format("Fetch argument '{}' cannot be interpreted as a Tensor. ({})", what, error.what()));
            }
          }
        } else if constexpr (std::is_same_v<T, Fetch::List>) {
          for (const Fetch& item : what) Collect(graph, item, tensors, operations);
        } else {
          for (const auto& [key, item] : what) Collect(graph, item, tensors, operations);
        }
      },
      fetch.what);
}

// Walks the nest in the same order as Collect and takes the values.
Fetched Fill(const Fetch& fetch, std::vector<Array>& values, std::size_t& next) {
  Fetched filled;
  std::visit(
      [&](const auto& what) {
        using T = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<T, Tensor>) {
          filled.array = values.at(next++);
        } else if constexpr (std::is_same_v<T, std::string>) {
          if (what.find(':') != std::string::npos) filled.array = values.at(next++);
        } else if constexpr (std::is_same_v<T, Fetch::List>) {
          for (const Fetch& item : what) filled.items.push_back(Fill(item, values, next));
        } else if constexpr (std::is_same_v<T, Fetch::Dict>) {
          for (const auto& [key, item] : what) filled.fields.emplace_back(key, Fill(item, values, next));
        }
      },
      fetch.what);
  return filled;
}
}  // namespace

const Fetched& Fetched::operator[](std::string_view key) const {
  for (const auto& [name, value] : fields)
    if (name == key) return value;
  throw KeyError(fmt::format("nothing was fetched under '{}'", key));
}

struct Session::State {
  State(Graph& g, SessionOptions o)
      : graph(g), options(std::move(o)), backend(&OpRegistry::Global().GetBackend(options.backend)) {}

  Graph& graph;
  SessionOptions options;
  const Backend* backend;
  ResourceManager resources;
  std::unordered_map<const Node*, std::unique_ptr<Kernel>> kernels;  // live as long as the session (R7)
  std::unordered_map<std::string, std::unique_ptr<Plan>> plans;
  std::int64_t executed = 0;
  bool closed = false;

  ThreadPool& pool() { return options.pool ? *options.pool : ThreadPool::Default(); }

  void RequireMember(const Node* node) const {
    const auto& nodes = graph.nodes();
    if (static_cast<std::size_t>(node->id()) >= nodes.size() ||
        nodes[static_cast<std::size_t>(node->id())].get() != node)
      throw ValueError(
          fmt::format("'{}' cannot be interpreted as a Tensor. (It is not an element of this graph.)", node->name()));
  }

  Array CheckFeed(const Tensor& target, const Array& value) const {
    if (!value.has_value()) throw TypeError(fmt::format("the feed for Tensor {} has no value", TensorName(target)));
    if (!target.shape().IsCompatibleWith(value.shape()))
      throw ValueError(fmt::format("Cannot feed value of shape {} for Tensor {}, which has shape {}",
                                   value.shape().ToTuple(), TensorName(target), target.shape().ToTuple()));
    if (value.dtype() == target.dtype()) return value;
    const bool numeric = [](DType d) { return IsFloating(d) || IsInteger(d) || d == DType::kBool; }(value.dtype());
    if (!numeric || target.dtype() == DType::kString || target.dtype() == DType::kResource)
      throw TypeError(fmt::format("Cannot feed a value of dtype {} for Tensor {}, which is {}", Name(value.dtype()),
                                  TensorName(target), Name(target.dtype())));
    EagerScope eager;
    return EagerContext::Get().Add1("Cast", {Value(value)}, {{"DstT", target.dtype()}}).array();
  }

  Plan& PlanFor(const std::vector<Tensor>& fetches, const std::vector<Node*>& operations,
                const std::vector<Tensor>& feeds) {
    std::string key;
    auto put = [&key](const void* p) { key.append(reinterpret_cast<const char*>(&p), sizeof p); };
    for (const Tensor& t : fetches) put(t.edge());
    put(nullptr);
    for (const Node* n : operations) put(n);
    put(nullptr);
    for (const Tensor& t : feeds) put(t.edge());
    std::unique_ptr<Plan>& plan = plans[key];
    if (!plan) plan = MakePlan(fetches, operations, feeds);
    return *plan;
  }

  std::unique_ptr<Plan> MakePlan(const std::vector<Tensor>& fetches, const std::vector<Node*>& operations,
                                 const std::vector<Tensor>& feeds) {
    std::vector<bool> wanted(graph.nodes().size(), false);
    std::unordered_map<const Edge*, int> fed;
    for (std::size_t i = 0; i < feeds.size(); ++i) fed.emplace(feeds[i].edge(), static_cast<int>(i));
    std::vector<const Node*> stack;
    std::unordered_map<const Node*, std::vector<const Edge*>> rewritten;
    auto want = [&](const Node* node) {
      RequireMember(node);
      if (wanted[static_cast<std::size_t>(node->id())]) return;
      wanted[static_cast<std::size_t>(node->id())] = true;
      stack.push_back(node);
    };
    for (const Tensor& t : fetches)
      if (!fed.contains(t.edge()))
        want(t.node());
      else
        RequireMember(t.node());
    for (const Node* n : operations) want(n);
    while (!stack.empty()) {
      const Node* node = stack.back();
      stack.pop_back();
      for (const Edge* e : node->inputs())
        if (!fed.contains(e)) want(e->node);
      for (const Node* n : node->control_inputs()) want(n);
    }
    auto plan = std::make_unique<Plan>();
    std::unordered_map<const Edge*, int> slot_of;
    auto slot = [&](const Edge* e) {
      auto [it, fresh] = slot_of.try_emplace(e, plan->slots);
      if (fresh) ++plan->slots;
      return it->second;
    };
    for (const Tensor& t : feeds) plan->feeds.push_back(slot(t.edge()));
    // Creation order is a topological order: a node's inputs and control inputs exist before it.
    for (std::size_t id = 0; id < wanted.size(); ++id) {
      if (!wanted[id]) continue;
      const Node* node = graph.nodes()[id].get();
      if (node->op() == "Const") {
        plan->constants.emplace_back(slot(&node->edge(0)), std::get_if<Array>(node->attrs().Find("value")));
        continue;
      }
      if (node->op() == "Placeholder")
        throw InvalidArgumentError(
            fmt::format("You must feed a value for placeholder tensor '{}' with dtype {}{}", node->name(),
                        TypeText(node->edge(0).dtype),
                        node->edge(0).shape.has_rank() ? " and shape " + node->edge(0).shape.ToString() : ""));
      Step step;
      step.node = node;
      std::unique_ptr<Kernel>& kernel = kernels[node];
      if (!kernel)
        kernel = OpRegistry::Global().FindKernel(node->def(), *backend)({node->def(), node->attrs(), node->name()});
      step.kernel = kernel.get();
      for (const Edge* e : RewrittenInputs(*node, options.passes)) step.inputs.push_back(slot(e));
      for (int i = 0; i < node->num_outputs(); ++i) {
        step.output_dtypes.push_back(node->edge(i).dtype);
        step.outputs.push_back(fed.contains(&node->edge(i)) ? -1 : slot(&node->edge(i)));
      }
      plan->steps.push_back(std::move(step));
    }
    for (const Tensor& t : fetches) plan->fetches.push_back(slot(t.edge()));
    // Walk backwards: the first time a slot is met is its last use.
    std::vector<bool> live(static_cast<std::size_t>(plan->slots), false);
    for (int s : plan->fetches) live[static_cast<std::size_t>(s)] = true;
    for (std::size_t i = plan->steps.size(); i-- > 0;) {
      Step& step = plan->steps[i];
      for (int& s : step.outputs)
        if (s >= 0 && !live[static_cast<std::size_t>(s)]) s = -1;
      step.last_use.assign(step.inputs.size(), false);
      for (std::size_t k = step.inputs.size(); k-- > 0;) {
        const auto s = static_cast<std::size_t>(step.inputs[k]);
        step.last_use[k] = !live[s];
        live[s] = true;
      }
    }
    return plan;
  }

  std::vector<Array> Execute(Plan& plan, const std::vector<Array>& feeds) {
    if (backend->prepare) backend->prepare(pool().size());
    FunctionLibrary::ScopedBackend running(backend->name);
    ScopedFlushDenormals flush;
    const std::vector<Observer*>* observers = ActiveObservers();
    const bool keep = observers && std::ranges::any_of(*observers, [](const Observer* o) { return o->keep_inputs(); });
    std::vector<Array> slots(static_cast<std::size_t>(plan.slots));
    for (std::size_t i = 0; i < feeds.size(); ++i) slots[static_cast<std::size_t>(plan.feeds[i])] = feeds[i];
    for (const auto& [s, value] : plan.constants) slots[static_cast<std::size_t>(s)] = *value;
    std::vector<Array> inputs, outputs;
    for (Step& step : plan.steps) {
      inputs.clear();
      for (std::size_t k = 0; k < step.inputs.size(); ++k) {
        Array& value = slots[static_cast<std::size_t>(step.inputs[k])];
        if (step.last_use[k] && !keep)
          inputs.push_back(std::move(value));
        else
          inputs.push_back(value);
      }
      outputs.assign(step.outputs.size(), Array());
      KernelContext context(step.node->def(), step.node->attrs(), step.node->name(), inputs, outputs,
                            step.output_dtypes, resources, pool());
      step.kernel->Run(context);
      ++executed;
      if (observers) {
        OpEvent event{step.node->def(), step.node->attrs(), step.node->name(),      step.node,
                      step.node->id(),  step.node->owner(), step.node->call_site(), inputs,
                      outputs};
        for (Observer* o : *observers) o->OnOpDone(event);
      }
      for (std::size_t k = 0; k < outputs.size(); ++k)
        if (step.outputs[k] >= 0) slots[static_cast<std::size_t>(step.outputs[k])] = std::move(outputs[k]);
    }
    std::vector<Array> values;
    values.reserve(plan.fetches.size());
    for (int s : plan.fetches) values.push_back(slots[static_cast<std::size_t>(s)]);
    return values;
  }

  std::vector<Array> Run(const std::vector<Tensor>& fetches, const std::vector<Node*>& operations,
                         const std::vector<Feed>& feeds) {
    if (closed) throw RuntimeError("Attempted to use a closed Session.");
    if (graph.nodes().empty())
      throw RuntimeError("The Session graph is empty. Add operations to the graph before calling run().");
    std::vector<Tensor> targets;
    std::vector<Array> values;
    for (const Feed& feed : feeds) {
      Tensor target;
      if (const Tensor* t = std::get_if<Tensor>(&feed.target)) {
        target = *t;
      } else {
        const std::string& name = std::get<std::string>(feed.target);
        try {
          target = graph.FindTensor(name);
        } catch (const ValueError& error) {
          throw TypeError(fmt::format("Cannot interpret feed_dict key as Tensor: {}", error.what()));
        }
      }
      if (!target.symbolic())
        throw TypeError("Cannot interpret feed_dict key as Tensor: an eager tensor is no element of a graph");
      RequireMember(target.node());
      if (std::ranges::any_of(targets, [&](const Tensor& t) { return t.edge() == target.edge(); }))
        throw ValueError(fmt::format("Tensor {} is fed twice", TensorName(target)));
      values.push_back(CheckFeed(target, feed.value));
      targets.push_back(std::move(target));
    }
    return Execute(PlanFor(fetches, operations, targets), values);
  }
};

Session::Session(Graph& graph, SessionOptions options) : state_(std::make_unique<State>(graph, std::move(options))) {
  state_->options.passes.on("remapping");  // an unknown pass is named now, not at the first run
}
Session::~Session() = default;

Array Session::Run(const Tensor& fetch, const std::vector<Feed>& feeds) {
  return Run(std::vector<Tensor>{fetch}, feeds).at(0);
}
std::vector<Array> Session::Run(const std::vector<Tensor>& fetches, const std::vector<Feed>& feeds) {
  std::vector<Tensor> tensors;
  std::vector<Node*> operations;
  for (const Tensor& t : fetches) Collect(state_->graph, Fetch(t), tensors, operations);
  return state_->Run(tensors, {}, feeds);
}
void Session::Run(Node* operation, const std::vector<Feed>& feeds) { RunNested(Fetch(operation), feeds); }
Fetched Session::RunNested(const Fetch& fetch, const std::vector<Feed>& feeds) {
  std::vector<Tensor> tensors;
  std::vector<Node*> operations;
  Collect(state_->graph, fetch, tensors, operations);
  std::vector<Array> values = state_->Run(tensors, operations, feeds);
  std::size_t next = 0;
  return Fill(fetch, values, next);
}
void Session::Close() {
  state_->closed = true;
  state_->plans.clear();
  state_->kernels.clear();
  state_->resources.Clear();
}
ResourceManager& Session::resources() { return state_->resources; }
const Backend& Session::backend() const { return *state_->backend; }
std::int64_t Session::ops_executed() const { return state_->executed; }
}  // namespace equiv::runtime
