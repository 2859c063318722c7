#include "equiv/harness/side.h"

#include <algorithm>
#include <memory>

#include "equiv/harness/guards.h"
#include "equiv/harness/random_tool.h"
#include "equiv/harness/run_support.h"
#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/eager/eager.h"
#include "runtime/layers/model.h"
#include "runtime/session/session.h"

namespace equiv {
namespace {
using runtime::CallArgs;
using runtime::Node;
using runtime::Outputs;
using runtime::Tensor;
using runtime::Variable;

// The random tool's scope, or nothing.
struct Aligned {
  explicit Aligned(const std::optional<RandomMode>& random) {
    if (!random) return;
    // The tool governs stateful ops; native Keras initialisers draw from a seed source of their own.
    runtime::SetKerasRandomSeed(random->seed);
    tool = std::make_unique<DeterministicRandomTestTool>(random->seed, random->mode);
    scope.emplace(tool->Scope());
  }
  std::int64_t after() const { return tool ? static_cast<std::int64_t>(tool->operation_seed()) : -1; }
  std::unique_ptr<DeterministicRandomTestTool> tool;
  std::optional<decltype(std::declval<DeterministicRandomTestTool&>().Scope())> scope;
};

// The creation hook: variables in the order in which they are made.
class CreationLog {
 public:
  explicit CreationLog(Recording& recording)
      : scope_([this, &recording](const runtime::VariableNext& next, const runtime::VariableCreationArgs& args) {
          Variable v = next(args);
          created.push_back(v);
          recording.effects.push_back({EffectRecord::Kind::kCreate, v.op_name()});
          return v;
        }) {}
  std::vector<Variable> created;

 private:
  runtime::VariableCreatorScope scope_;
};

class SessionSide final : public Side {
 public:
  SessionSide(runtime::ModelFunction model, std::function<std::shared_ptr<runtime::Layer>()> make, SideOptions options)
      : model_(std::move(model)), make_(std::move(make)), options_(std::move(options)) {}
  std::string name() const override { return "session"; }

  Recording Run(const RunRequest& request) override {
    Recording recording;
    recording.environment = {"session", {}, ThreadPool::Default().size(), {}};
    Phases phases(recording, request);
    phases.Start("graph construction");
    Aligned aligned(request.random);
    RecordingObserver observer(recording);
    runtime::Graph graph;
    runtime::GraphScope graph_scope(graph);
    CallArgs args;
    std::vector<runtime::Feed> feeds;
    for (const Array& input : request.inputs) {
      args.inputs.push_back(runtime::Placeholder(input.dtype(), input.shape(), "inputs"));
      feeds.push_back({args.inputs.back(), input});
    }
    args.training = request.training;
    Outputs outputs;
    std::vector<Variable> created;
    std::shared_ptr<runtime::Layer> layer;
    {
      CreationLog log(recording);
      if (make_) layer = make_();
      outputs = layer ? (*layer)(args) : model_(args);
      created = std::move(log.created);
    }
    const std::vector<Variable> variables = runtime::GlobalVariables();
    for (const Variable& v : variables) recording.listed_variables.push_back(v.name());
    CheckValuesExist(created, request);
    if (request.build_only) {
      for (const Variable& v : created) recording.variables.push_back(Describe(v, {}));
      recording.operation_seed_after = aligned.after();
      return recording;
    }
    const std::vector<Tensor> losses = layer ? layer->losses() : runtime::RegularizationLosses();
    const Tensor total = losses.empty() ? Tensor() : runtime::AddN(losses);
    std::vector<Node*> initialise;
    if (request.set_variables) {
      for (const Variable& v : variables) initialise.push_back(v.Assign(runtime::Constant(ForcedValue(v, request))));
    } else if (!request.checkpoint) {
      initialise.push_back(runtime::GlobalVariablesInitializer());
    }
    Node* init = runtime::Group(initialise, "initialise");
    std::vector<Node*> forced;
    if (!request.set_variables)
      for (const Variable& v : variables)
        if (request.values.contains(v.name()))
          forced.push_back(v.Assign(runtime::Constant(request.values.at(v.name()))));
    runtime::Session session(graph, {.backend = request.backend, .passes = request.passes});
    recording.environment.backend = session.backend().name;
    recording.environment.passes = PassesOn(request);

    runtime::ScopedObserver listening(observer);
    phases.Start("initialisation");
    session.Run(init, feeds);
    if (request.checkpoint) RestoreVariables(session, variables, *request.checkpoint);
    for (Node* assign : forced) session.Run(assign, feeds);
    if (!losses.empty()) {
      phases.Start("regularisation loss");
      RecordLosses(session, losses, total, feeds, recording);
    }
    phases.Start("forward");
    runtime::Fetch::List fetch{outputs.output};
    for (const auto& [name, tensor] : outputs.end_points) fetch.emplace_back(tensor);
    if (request.training && options_.run_update_ops)
      for (Node* update : Updates(layer.get())) fetch.emplace_back(update);
    const runtime::Fetched fetched = session.RunNested(fetch, feeds);
    recording.outputs.push_back({"output", fetched[0].array});
    for (std::size_t i = 0; i < outputs.end_points.size(); ++i)
      recording.outputs.push_back({outputs.end_points[i].first, fetched[i + 1].array});
    phases.Start("fetch variables");
    for (const Variable& v : created) {
      const std::shared_ptr<equiv::Variable> storage = session.resources().Find(v.op_name());
      recording.variables.push_back(
          Describe(v, storage && storage->initialized() ? storage->Read(v.op_name()) : Array()));
    }
    if (request.save) SaveVariables(session, variables, *request.save);
    recording.ops_executed = session.ops_executed();
    recording.operation_seed_after = aligned.after();
    // Packed copies of the weights die with the session, not with the recording.
    for (const VariableRecord& v : recording.variables)
      if (v.value.buffer()) v.value.buffer()->DropAttachments();
    return recording;
  }

 private:
  static std::vector<Node*> Updates(const runtime::Layer* layer) {
    std::vector<Node*> nodes = runtime::UpdateOps();
    if (layer)
      for (const runtime::CollectionItem& item : layer->updates())
        if (const auto* node = std::get_if<Node*>(&item); node && std::ranges::find(nodes, *node) == nodes.end())
          nodes.push_back(*node);
    return nodes;
  }
  runtime::ModelFunction model_;
  std::function<std::shared_ptr<runtime::Layer>()> make_;
  SideOptions options_;
};

class EagerSide final : public Side {
 public:
  EagerSide(std::function<std::shared_ptr<runtime::Layer>()> make, SideOptions options)
      : make_(std::move(make)), options_(std::move(options)) {}
  std::string name() const override { return options_.functional ? "eager (functional model)" : "eager"; }

  Recording Run(const RunRequest& request) override {
    try {
      return RunOnce(request, /*by_full_name=*/false);
    } catch (const AssertionError&) {
      // The checkpoint was written from other objects; names may still match.
      if (!request.checkpoint || KindOfCheckpoint(*request.checkpoint) == CheckpointKind::kNameBased) throw;
      return RunOnce(request, /*by_full_name=*/true);
    }
  }

  bool CheckVariablesCreatedOnce(const RunRequest& request) override {
    runtime::EagerScope eager_scope;
    runtime::EagerContext::Get().Reset();
    runtime::EagerContext::Get().SetBackend(request.backend);
    CallArgs args;
    for (const Array& input : request.inputs) args.inputs.emplace_back(input);
    args.training = request.training;
    std::shared_ptr<runtime::Layer> layer = make_();
    if (request.progress) request.progress("eager: first call, then one under each guard");
    (*layer)(args);
    {
      AssertNoVariableCreations guard;
      (*layer)(args);
    }
    CatchAndRaise([&] { (*layer)(args); });
    return true;
  }

 private:
  Recording RunOnce(const RunRequest& request, bool by_full_name) {
    Recording recording;
    recording.environment = {name(), {}, ThreadPool::Default().size(), {}};
    Phases phases(recording, request);
    phases.Start("first call");
    runtime::EagerScope eager_scope;
    runtime::EagerContext& eager = runtime::EagerContext::Get();
    eager.Reset();
    eager.SetBackend(request.backend);
    recording.environment.backend = eager.backend().name;
    const std::int64_t ops_before = eager.ops_executed();
    Aligned aligned(request.random);
    RecordingObserver observer(recording);
    runtime::ScopedObserver listening(observer);

    CallArgs args;
    for (const Array& input : request.inputs) args.inputs.emplace_back(input);
    args.training = request.training;
    std::shared_ptr<runtime::Layer> layer;
    Outputs outputs;
    std::vector<Variable> created;
    {
      CreationLog log(recording);
      layer = make_();
      std::optional<EagerCheckpointStart> start;
      if (request.checkpoint) start.emplace(*request.checkpoint, *layer, by_full_name);
      std::optional<runtime::FunctionalModel> model;
      if (options_.functional) {
        const Shape& whole = request.inputs.at(0).shape();
        model.emplace(Shape(whole.dims().subspan(1)), layer);
      }
      auto call = [&] { return model ? (*model)(args.inputs.at(0), args.training) : (*layer)(args); };
      if (request.set_variables || !request.values.empty()) {
        // As the guide does: the first call makes the variables, then they are set, then the model is called again.
        if (!model) call();
        CheckValuesExist(log.created, request);
        phases.Start("set variables");
        for (const Variable& v : log.created)
          if (v.dtype() == DType::kInt64) {
            continue;
          } else if (Array value = ForcedValue(v, request); value.has_value())
            v.Assign(value);
        phases.Start("forward");
        outputs = call();
      } else {
        for (int i = 0; i < std::max(1, request.calls); ++i) outputs = call();
      }
      created = std::move(log.created);
      // A Keras model's own counters are no part of what the two executors share (rule D3).
      const std::vector<Variable> listed = layer->variables();
      std::erase_if(created, [&](const Variable& v) {
        return v.dtype() == DType::kInt64 && v.op_name().ends_with("Variable") &&
               std::ranges::find(listed, v) == listed.end();
      });
      if (start) start->Finish(created);
    }
    if (!request.build_only) {
      phases.Start("regularisation loss");
      const std::vector<Tensor> losses = layer->losses();
      for (const Tensor& loss : losses) recording.losses.push_back({"", loss.array()});
      if (!losses.empty()) recording.total_loss = runtime::AddN(losses).array();
      for (std::size_t i = 0; i < recording.losses.size() && i < layer->store().losses().size(); ++i)
        recording.losses[i].name = layer->store().losses()[i].key;
    }
    phases.Start("fetch variables");
    recording.outputs.push_back({"output", outputs.output.array()});
    for (const auto& [name, tensor] : outputs.end_points) recording.outputs.push_back({name, tensor.array()});
    for (const Variable& v : layer->variables()) recording.listed_variables.push_back(v.name());
    for (const Variable& v : created) recording.variables.push_back(Describe(v, v.value().array()));
    if (request.save) SaveVariables(*layer, created, *request.save);
    recording.ops_executed = eager.ops_executed() - ops_before;
    recording.operation_seed_after = aligned.after();
    for (const VariableRecord& v : recording.variables)
      if (v.value.buffer()) v.value.buffer()->DropAttachments();
    return recording;
  }

  std::function<std::shared_ptr<runtime::Layer>()> make_;
  SideOptions options_;
};
}  // namespace

void Phases::Start(const std::string& name) {
  Close();
  current_ = name;
  start_ = Clock::now();
  if (request_.progress) request_.progress(recording_.environment.executor + ": " + name);
}
void Phases::Close() {
  if (current_.empty()) return;
  recording_.phases.push_back({current_, std::chrono::duration<double>(Clock::now() - start_).count()});
  current_.clear();
}

VariableRecord Describe(const runtime::Variable& v, Array value) {
  return {v.name(), v.dtype(), v.shape(), v.trainable(), SiteText(v.created_at()), std::move(value)};
}

Array ForcedValue(const runtime::Variable& v, const RunRequest& request) {
  if (auto it = request.values.find(v.name()); it != request.values.end()) return it->second;
  if (!request.set_variables) return {};
  const Shape shape = v.shape().Require();
  if (v.dtype() == DType::kFloat64) return Array::Full<double>(shape, static_cast<double>(*request.set_variables));
  if (v.dtype() != DType::kFloat32)
    throw InvalidArgumentError("step 3 sets every variable to one value, which float variables only can take; '" +
                               v.name() + "' is " + std::string(Name(v.dtype())) + "; leave step 3 out");
  return Array::Full<float>(shape, *request.set_variables);
}

void RecordLosses(runtime::Session& session, const std::vector<runtime::Tensor>& losses, const runtime::Tensor& total,
                  const std::vector<runtime::Feed>& feeds, Recording& recording) {
  std::vector<runtime::Tensor> fetch = losses;
  fetch.push_back(total);
  const std::vector<Array> values = session.Run(fetch, feeds);
  recording.total_loss = values.back();
  for (std::size_t i = 0; i < losses.size(); ++i)
    recording.losses.push_back({runtime::TensorName(losses[i]), values[i]});
}
void CheckValuesExist(const std::vector<runtime::Variable>& variables, const RunRequest& request) {
  for (const auto& [name, value] : request.values) {
    bool found = false;
    for (const runtime::Variable& v : variables) found = found || v.name() == name;
    if (!found) throw NotFoundError("no variable '" + name + "' to set; `equiv trace` lists the model's variables");
  }
}

std::vector<std::string> PassesOn(const RunRequest& request) {
  std::vector<std::string> names;
  for (const std::string& pass : runtime::PassNames())
    if (request.passes.on(pass)) names.push_back(pass);
  return names;
}

SidePtr MakeSessionSide(runtime::ModelFunction model, SideOptions options) {
  return std::make_shared<SessionSide>(std::move(model), nullptr, std::move(options));
}
SidePtr InSessionLayer(std::function<std::shared_ptr<runtime::Layer>()> make, SideOptions options) {
  return std::make_shared<SessionSide>(nullptr, std::move(make), std::move(options));
}
SidePtr InEagerLayer(std::function<std::shared_ptr<runtime::Layer>()> make, SideOptions options) {
  return std::make_shared<EagerSide>(std::move(make), std::move(options));
}
SidePtr MakeEagerSide(runtime::ModelFunction model, SideOptions options) {
  auto make = [model = std::move(model), class_name = options.class_name]() -> std::shared_ptr<runtime::Layer> {
    return std::make_shared<runtime::ShimLayer>(class_name, model);
  };
  return InEagerLayer(std::move(make), std::move(options));
}
}  // namespace equiv
