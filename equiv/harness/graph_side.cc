#include "equiv/harness/graph_side.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "equiv/harness/random_tool.h"
#include "equiv/harness/run_support.h"
#include "kernels/base/error.h"
#include "kernels/base/thread_pool.h"
#include "runtime/core/ops.h"
#include "runtime/graph/graph_def.h"

namespace equiv {
namespace {
using runtime::Node;
using runtime::Tensor;

std::string Described(const std::vector<Tensor>& tensors) {
  std::vector<std::string> texts;
  for (const Tensor& t : tensors) {
    if (texts.size() == 12) {
      texts.push_back(fmt::format("and {} more", tensors.size() - 12));
      break;
    }
    texts.push_back(fmt::format("'{}' ({} {})", runtime::TensorName(t), Name(t.dtype()), t.shape().ToString()));
  }
  return texts.empty() ? "none" : fmt::format("{}", fmt::join(texts, ", "));
}

std::pair<std::int64_t, std::int64_t> NextSeeds() {
  const runtime::SeedPair pair = runtime::GetSeed();
  return {pair.seed, pair.seed2};
}

class GraphSide final : public Side {
 public:
  GraphSide(std::string file, std::string checkpoint, GraphOptions options)
      : file_(std::move(file)), checkpoint_(std::move(checkpoint)), options_(std::move(options)) {}
  std::string name() const override { return fmt::format("graph '{}'", file_); }

  Recording Run(const RunRequest& request) override {
    Recording recording;
    recording.environment = {"session", {}, ThreadPool::Default().size(), {}};
    Phases phases(recording, request);
    phases.Start("load");
    if (request.training && options_.training.empty() && !options_.trains)
      throw InvalidArgumentError(fmt::format(
          "{} has no switch for training: name its bool tensor in GraphOptions::training, say that the graph "
          "was built for training with GraphOptions::trains, or leave the training stages out",
          name()));
    if (!request.training && options_.trains)
      throw InvalidArgumentError(fmt::format("{} was built for training: leave the inference stages out", name()));

    std::optional<DeterministicRandomTestTool> tool;
    std::optional<decltype(tool->Scope())> tool_scope;
    runtime::ImportOptions import;
    runtime::Graph graph;
    runtime::GraphScope graph_scope(graph);
    if (request.random) {
      tool.emplace(request.random->seed, request.random->mode);
      tool_scope.emplace(tool->Scope());
      import.seeds = NextSeeds;
    }
    const runtime::MetaGraph meta = runtime::ImportGraphFile(graph, file_, import);
    const std::vector<Tensor> inputs = Inputs(graph, request);
    const std::vector<std::pair<std::string, Tensor>> outputs = Outputs(graph, inputs);
    for (const runtime::Variable& v : meta.variables) recording.listed_variables.push_back(v.name());
    if (tool) recording.operation_seed_after = tool->operation_seed();
    if (request.build_only) {
      for (const runtime::Variable& v : meta.variables) recording.variables.push_back(DescribeOfFile(v, {}));
      return recording;
    }
    std::vector<runtime::Feed> feeds;
    for (std::size_t i = 0; i < inputs.size(); ++i) feeds.push_back({inputs[i], request.inputs[i]});
    if (!options_.training.empty())
      feeds.push_back({graph.FindTensor(options_.training), Array::Scalar(request.training)});
    const std::vector<Tensor> losses = runtime::RegularizationLosses();
    const Tensor total = losses.empty() ? Tensor() : runtime::AddN(losses);

    runtime::Session session(graph, {.backend = request.backend, .passes = request.passes});
    recording.environment.backend = session.backend().name;
    recording.environment.passes = PassesOn(request);
    RecordingObserver observer(recording);
    runtime::ScopedObserver listening(observer);
    phases.Start("initialisation");
    Initialise(meta, session, feeds, request);
    phases.Start("forward");
    if (!losses.empty()) RecordLosses(session, losses, total, feeds, recording);
    runtime::Fetch::List fetch;
    for (const auto& [name, tensor] : outputs) fetch.emplace_back(tensor);
    if (request.training)
      for (Node* update : runtime::UpdateOps()) fetch.emplace_back(update);
    const runtime::Fetched fetched = session.RunNested(fetch, feeds);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      recording.outputs.push_back({i == 0 ? "output" : outputs[i].first, fetched[i].array});
    phases.Start("fetch variables");
    for (const runtime::Variable& v : meta.variables)
      recording.variables.push_back(DescribeOfFile(v, VariableValue(session, v)));
    if (request.save) SaveVariables(session, meta.variables, *request.save);
    recording.ops_executed = session.ops_executed();
    for (const VariableRecord& v : recording.variables)
      if (v.value.buffer()) v.value.buffer()->DropAttachments();
    return recording;
  }

 private:
  VariableRecord DescribeOfFile(const runtime::Variable& v, Array value) const {
    VariableRecord record = Describe(v, std::move(value));
    record.created_at = file_;
    return record;
  }

  std::vector<Tensor> Inputs(const runtime::Graph& graph, const RunRequest& request) const {
    std::vector<Tensor> inputs;
    if (options_.inputs.empty()) {
      for (const Node* node : Placeholders(graph))
        if (options_.training.empty() || node != graph.FindTensor(options_.training).node())
          inputs.push_back(node->output(0));
    } else {
      for (const std::string& name : options_.inputs) inputs.push_back(graph.FindTensor(name));
    }
    if (inputs.size() != request.inputs.size())
      throw InvalidArgumentError(fmt::format(
          "{}: {} inputs are given, {} {} to be fed: {}. Name the tensors to feed in GraphOptions::inputs", name(),
          request.inputs.size(), inputs.size(), inputs.size() == 1 ? "tensor has" : "tensors have", Described(inputs)));
    return inputs;
  }

  std::vector<std::pair<std::string, Tensor>> Outputs(const runtime::Graph& graph,
                                                      const std::vector<Tensor>& inputs) const {
    std::vector<std::pair<std::string, Tensor>> outputs;
    for (const auto& [name, tensor] : options_.outputs) outputs.emplace_back(name, graph.FindTensor(tensor));
    if (!outputs.empty()) return outputs;
    const std::vector<Tensor> last = FinalTensors(graph, inputs);
    if (last.size() != 1)
      throw InvalidArgumentError(
          fmt::format("{}: the output cannot be told, tensors that the inputs lead to and nothing uses: {}. Name it in "
                      "GraphOptions::outputs",
                      name(), Described(last)));
    return {{"output", last[0]}};
  }

  void Initialise(const runtime::MetaGraph& meta, runtime::Session& session, const std::vector<runtime::Feed>& feeds,
                  const RunRequest& request) const {
    const std::string& checkpoint = request.checkpoint ? *request.checkpoint : checkpoint_;
    if (!checkpoint.empty()) {
      RestoreVariables(session, meta.variables, checkpoint);
    } else if (!options_.init.empty()) {
      session.RunNested(runtime::Fetch(options_.init), feeds);
    } else if (!request.set_variables) {
      RunInitializers(session, meta.variables, feeds);
    }
    CheckValuesExist(meta.variables, request);
    for (const runtime::Variable& v : meta.variables)
      if (const Array value = ForcedValue(v, request); value.has_value())
        session.VariableStorage(*v.handle().node())->Assign(value, "set variables");
  }

  std::string file_, checkpoint_;
  GraphOptions options_;
};
}  // namespace

SidePtr FromGraphDef(std::string file, std::string checkpoint, GraphOptions options) {
  return std::make_shared<GraphSide>(std::move(file), std::move(checkpoint), std::move(options));
}

Array VariableValue(const runtime::Session& session, const runtime::Variable& variable) {
  const std::shared_ptr<Variable> storage = session.VariableStorage(*variable.handle().node());
  return storage->initialized() ? storage->Read(variable.op_name()) : Array();
}

std::size_t RunInitializers(runtime::Session& session, const std::vector<runtime::Variable>& variables,
                            const std::vector<runtime::Feed>& feeds) {
  runtime::Fetch::List initializers;
  for (const runtime::Variable& v : variables)
    if (Node* node = v.initializer()) initializers.emplace_back(node);
  const std::size_t count = initializers.size();
  if (count > 0) session.RunNested(std::move(initializers), feeds);
  return count;
}

std::vector<const Node*> Placeholders(const runtime::Graph& graph) {
  std::vector<const Node*> nodes;
  for (const auto& node : graph.nodes())
    if (node->op() == "Placeholder" || node->op() == "PlaceholderV2") nodes.push_back(node.get());
  return nodes;
}

std::vector<Tensor> FinalTensors(const runtime::Graph& graph, const std::vector<Tensor>& inputs) {
  std::set<const Edge*> reached, used;
  for (const Tensor& t : inputs) reached.insert(t.edge());
  std::vector<Tensor> last;
  // Loops lead back, so this runs until nothing more is reached.
  for (std::size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (const auto& node : graph.nodes())
      for (const Edge* input : node->inputs()) {
        used.insert(input);
        if (!reached.contains(input)) continue;
        for (int i = 0; i < node->num_outputs(); ++i) reached.insert(&node->edge(i));
      }
  }
  for (const auto& node : graph.nodes()) {
    const bool any_used = [&] {
      for (int i = 0; i < node->num_outputs(); ++i)
        if (used.contains(&node->edge(i))) return true;
      return false;
    }();
    // Of a node with several outputs the first counts: the others are, say, the statistics of a batch norm.
    if (node->num_outputs() > 0 && !any_used && reached.contains(&node->edge(0)) && IsFloating(node->edge(0).dtype))
      last.push_back(node->output(0));
  }
  return last;
}
}  // namespace equiv
