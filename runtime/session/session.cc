#include "runtime/session/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "kernels/base/flush.h"
#include "runtime/core/hooks.h"
#include "runtime/eager/eager.h"
#include "runtime/session/plan.h"

namespace equiv::runtime {
namespace {

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

namespace {

// What a reference stands for when an op wants its value.
Array Dereference(const Array& reference, const Node& reader) {
  const equiv::Variable& variable = *reference.variable();
  if (!variable.initialized())
    throw FailedPreconditionError(
        fmt::format("{}Attempting to use uninitialized value {}. Run its initializer (GlobalVariablesInitializer) in "
                    "this session first.",
                    OpWhere(reader.op(), reader.name()), variable.name()));
  return variable.Read(reader.name());
}

// One run of a plan.
struct Execution {
  Execution(const Plan& p, ResourceManager& r, ThreadPool& t, const std::vector<Observer*>* o)
      : plan(p), resources(r), pool(t), observers(o), slots(static_cast<std::size_t>(p.slots)) {
    keep = observers && std::ranges::any_of(*observers, [](const Observer* x) { return x->keep_inputs(); });
    if (!plan.has_dead_values) return;
    dead.assign(slots.size(), 0);
    not_run.assign(static_cast<std::size_t>(plan.marks), 0);
  }
  const Plan& plan;
  ResourceManager& resources;
  ThreadPool& pool;
  const std::vector<Observer*>* observers;
  bool keep = false;  // an observer wants to see every input
  std::vector<Array> slots;
  std::vector<char> dead, not_run;  // by slot, by mark; only in plans with dead values
  std::int64_t executed = 0;
  std::vector<Array> inputs, outputs;

  void Steps(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
      if (!plan.has_dead_values) {
        RunKernel(step);
      } else if (step.loop) {
        RunLoop(*step.loop);
      } else {
        RunOrDie(step);
      }
    }
  }

  void RunKernel(const Step& step) {
    inputs.clear();
    for (std::size_t k = 0; k < step.inputs.size(); ++k) {
      Array& value = slots[static_cast<std::size_t>(step.inputs[k])];
      if (step.dereference[k])
        inputs.push_back(Dereference(value, *step.node));
      else if (step.last_use[k] && !keep)
        inputs.push_back(std::move(value));
      else
        inputs.push_back(value);
    }
    outputs.assign(step.outputs.size(), Array());
    KernelContext context(step.node->def(), step.node->attrs(), step.node->name(), inputs, outputs, step.output_dtypes,
                          resources, pool);
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

  bool Dead(int slot) const { return dead[static_cast<std::size_t>(slot)] != 0; }
  void Set(const Step& step, std::size_t output, const Array* value) {
    if (output >= step.outputs.size() || step.outputs[output] < 0) return;
    const auto slot = static_cast<std::size_t>(step.outputs[output]);
    dead[slot] = value == nullptr;
    slots[slot] = value ? *value : Array();
  }

  // tf: dead tensors: what depends on a branch not taken does not run, up to the Merge
  void RunOrDie(const Step& step) {
    bool dies = std::ranges::any_of(step.controls, [&](int m) { return not_run[static_cast<std::size_t>(m)] != 0; });
    const Array* merged = nullptr;
    std::int32_t from = 0;
    if (step.kind == Step::Kind::kMerge) {
      for (std::size_t k = 0; k < step.inputs.size() && !merged; ++k)
        if (!Dead(step.inputs[k])) {
          merged = &slots[static_cast<std::size_t>(step.inputs[k])];
          from = static_cast<std::int32_t>(k);
        }
      dies |= !merged;
    } else {
      dies |= std::ranges::any_of(step.inputs, [&](int s) { return Dead(s); });
    }
    if (step.mark >= 0) not_run[static_cast<std::size_t>(step.mark)] = dies;
    const auto input = [&](std::size_t k) { return slots[static_cast<std::size_t>(step.inputs[k])]; };
    if (dies) {
      for (std::size_t k = 0; k < step.outputs.size(); ++k) Set(step, k, nullptr);
    } else if (step.kind == Step::Kind::kMerge) {
      const Array value = step.dereference[static_cast<std::size_t>(from)] ? Dereference(*merged, *step.node) : *merged;
      const Array index = Array::Scalar(from);
      Set(step, 0, &value);
      Set(step, 1, &index);
    } else if (step.kind == Step::Kind::kSwitch) {
      const Array value = step.dereference[0] ? Dereference(input(0), *step.node) : input(0);
      const Array condition = input(1);
      if (condition.num_elements() != 1 || condition.dtype() != DType::kBool)
        throw InvalidArgumentError(fmt::format("{}The second input must be a scalar bool, but it has shape {}",
                                               OpWhere(step.node->op(), step.node->name()),
                                               condition.shape().ToString()));
      const bool taken = condition.data<bool>()[0];
      Set(step, 0, taken ? nullptr : &value);
      Set(step, 1, taken ? &value : nullptr);
    } else if (step.kind == Step::Kind::kForward) {
      const Array value = step.dereference[0] ? Dereference(input(0), *step.node) : input(0);
      Set(step, 0, &value);
    } else if (step.kind == Step::Kind::kConstant) {
      Set(step, 0, std::get_if<Array>(step.node->attrs().Find("value")));
    } else {
      for (const int s : step.outputs)
        if (s >= 0) dead[static_cast<std::size_t>(s)] = 0;
      RunKernel(step);
    }
  }

  void RunLoop(const Loop& loop) {
    for (const int s : loop.next) dead[static_cast<std::size_t>(s)] = 1;
    Steps(loop.enter);
    for (;;) {
      Steps(loop.body);
      if (std::ranges::all_of(loop.next, [&](int s) { return Dead(s); })) return;
      for (const int s : loop.once) dead[static_cast<std::size_t>(s)] = 1;
    }
  }
};
}  // namespace

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

  ResourceManager& Resources() { return options.resources ? *options.resources : resources; }
  ThreadPool& pool() { return options.pool ? *options.pool : ThreadPool::Default(); }

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
    if (!plan)
      plan = MakePlan(graph, fetches, operations, feeds, options.passes, [this](const Node* n) { return KernelOf(n); });
    return *plan;
  }

  Kernel* KernelOf(const Node* node) {
    std::unique_ptr<Kernel>& kernel = kernels[node];
    if (!kernel)
      kernel = OpRegistry::Global().FindKernel(node->def(),
                                               *backend)({node->def(), node->attrs(), node->name(), backend->name});
    return kernel.get();
  }

  std::vector<Array> Execute(Plan& plan, const std::vector<Tensor>& fetches, const std::vector<Array>& feeds) {
    if (backend->prepare) backend->prepare(pool().size());
    ScopedFlushDenormals flush;
    Execution run{plan, Resources(), pool(), ActiveObservers()};
    for (std::size_t i = 0; i < feeds.size(); ++i) run.slots[static_cast<std::size_t>(plan.feeds[i])] = feeds[i];
    for (const auto& [s, value] : plan.constants) run.slots[static_cast<std::size_t>(s)] = *value;
    run.Steps(plan.steps);
    executed += run.executed;
    std::vector<Array> values;
    values.reserve(plan.fetches.size());
    for (std::size_t i = 0; i < plan.fetches.size(); ++i) {
      const auto s = static_cast<std::size_t>(plan.fetches[i]);
      if (plan.has_dead_values && run.dead[s])
        throw InvalidArgumentError(fmt::format("Retval[{}] does not have value: {} is in a branch that was not taken",
                                               i, TensorName(fetches[i])));
      const bool reference = fetches[i].edge()->is_ref && run.slots[s].dtype() == DType::kResource;
      values.push_back(reference ? Dereference(run.slots[s], *fetches[i].node()) : run.slots[s]);
    }
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
      RequireMember(graph, target.node());
      if (std::ranges::any_of(targets, [&](const Tensor& t) { return t.edge() == target.edge(); }))
        throw ValueError(fmt::format("Tensor {} is fed twice", TensorName(target)));
      values.push_back(CheckFeed(target, feed.value));
      targets.push_back(std::move(target));
    }
    return Execute(PlanFor(fetches, operations, targets), fetches, values);
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
ResourceManager& Session::resources() const { return state_->Resources(); }
Graph& Session::graph() const { return state_->graph; }
std::shared_ptr<equiv::Variable> Session::VariableStorage(const Node& variable) const {
  // tf: VarHandleOp: the resource is called by shared_name, else by the node
  const std::string& shared = variable.attrs().Get<std::string>("shared_name");
  return resources().LookupOrCreate(shared.empty() ? variable.name() : shared, variable.attrs().Get<DType>("dtype"),
                                    variable.attrs().Get<PartialShape>("shape"));
}

namespace {
thread_local Session* default_session = nullptr;
}
SessionScope::SessionScope(Session& session) : outer_(default_session) { default_session = &session; }
SessionScope::~SessionScope() { default_session = outer_; }
Session* DefaultSession() { return default_session; }

const Backend& Session::backend() const { return *state_->backend; }
std::int64_t Session::ops_executed() const { return state_->executed; }
}  // namespace equiv::runtime
