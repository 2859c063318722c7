#include "runtime/function/function.h"

#include <fmt/format.h>

#include <unordered_map>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/eager/eager.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime {

struct Function::Trace {
  Graph graph;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;       // empty values allowed
  std::vector<Node*> stateful;       // in order of creation: all of them run. tf: automatic control dependencies
  std::unique_ptr<Session> session;  // eager calls
};

Function::Function(std::string name) : name_(std::move(name)) {}
Function::~Function() = default;

namespace {
std::string Signature(const std::vector<Tensor>& inputs, const std::string& key) {
  std::string text = key;
  for (const Tensor& t : inputs) text += fmt::format("|{}{}", Name(t.dtype()), t.shape().ToString());
  // A trace belongs to the graph, or to the eager context, whose variables it uses.
  return text + fmt::format("@{}", static_cast<const void*>(&internal::InitContext()));
}
}  // namespace

std::shared_ptr<Function::Trace> Function::MakeTrace(const std::vector<Tensor>& inputs, const Body& body,
                                                     bool may_create, int& created) {
  auto trace = std::make_shared<Trace>();
  ++traces_;
  trace->graph.Slot<internal::TraceLink>().outer = &Current();
  trace->graph.AllowCaptures();
  internal::FunctionTrace gate(may_create);
  GraphScope scope(trace->graph);
  for (const Tensor& t : inputs) trace->inputs.push_back(Placeholder(t.dtype(), t.shape(), "args"));
  for (const Tensor& out : body(trace->inputs)) {
    if (!out.has_value()) {
      trace->outputs.emplace_back();
    } else {
      trace->outputs.push_back(Identity(out));
    }
  }
  for (const auto& node : trace->graph.nodes())
    if (node->def().stateful && node->op() != "Placeholder" && node->op() != "VarHandleOp")
      trace->stateful.push_back(node.get());
  created = gate.created();
  return trace;
}

std::vector<Tensor> Function::Call(const std::vector<Tensor>& inputs, const Body& body, const std::string& key) {
  const bool first = traces_by_signature_.empty();
  std::shared_ptr<Trace>& slot = traces_by_signature_[Signature(inputs, key)];
  if (!slot) {
    int created = 0;
    std::shared_ptr<Trace> trace;
    try {
      trace = MakeTrace(inputs, body, first, created);
      if (first && created > 0) trace = MakeTrace(inputs, body, false, created);
    } catch (...) {
      // tf: a failed second trace leaves the first one in place, which later calls take
      if (trace) {
        slot = trace;
      } else {
        traces_by_signature_.erase(Signature(inputs, key));
      }
      throw;
    }
    slot = trace;
  }
  return Current().eager() ? Run(*slot, inputs) : Inline(*slot, inputs);
}

std::vector<Tensor> Function::Run(Trace& trace, const std::vector<Tensor>& inputs) {
  if (!trace.session) {
    SessionOptions options;
    options.backend = EagerContext::Get().backend().name;
    trace.session = std::make_unique<Session>(trace.graph, options);
  }
  std::vector<Feed> feeds;
  for (std::size_t i = 0; i < inputs.size(); ++i) feeds.push_back({trace.inputs[i], inputs[i].array()});
  Fetch::List fetches;
  for (const Tensor& t : trace.outputs)
    if (t.has_value()) fetches.push_back(t);
  const std::size_t values = fetches.size();
  for (Node* node : trace.stateful) fetches.push_back(node);
  std::vector<Tensor> outputs(trace.outputs.size());
  if (fetches.empty()) return outputs;
  const Fetched fetched = trace.session->RunNested(Fetch(std::move(fetches)), feeds);
  for (std::size_t i = 0, k = 0; i < trace.outputs.size(); ++i)
    if (trace.outputs[i].has_value() && k < values) outputs[i] = Tensor(fetched[k++].array);
  return outputs;
}

// The trace's ops, copied into the current graph in a scope of their own; outputs wait for the stateful ones.
std::vector<Tensor> Function::Inline(Trace& trace, const std::vector<Tensor>& inputs) {
  Graph& graph = *Current().graph();
  NameScope scope(trace.stateful.empty() ? "PartitionedCall" : "StatefulPartitionedCall");
  std::unordered_map<const Edge*, Tensor> known;
  for (std::size_t i = 0; i < inputs.size(); ++i) known[trace.inputs[i].edge()] = inputs[i];
  const auto& captures = trace.graph.captures();
  for (const auto& [outer, inner] : captures) known[inner] = Tensor(outer);
  std::unordered_map<const Node*, Node*> copies;
  std::vector<Node*> stateful;
  for (const auto& node : trace.graph.nodes()) {
    if (node->op() == "Placeholder") continue;
    std::vector<Value> operands;
    for (const Edge* edge : node->inputs()) operands.push_back(known.at(edge));
    std::vector<Node*> after;
    for (Node* control : node->control_inputs())
      if (auto it = copies.find(control); it != copies.end()) after.push_back(it->second);
    if (node->def().stateful && !stateful.empty()) after.push_back(stateful.back());
    ControlDependencies wait(after);
    Node* copy = graph.AddNode(node->op(), operands, node->attrs(), node->name());
    copies[node.get()] = copy;
    if (node->def().stateful) stateful.push_back(copy);
    for (int i = 0; i < node->num_outputs(); ++i) known[&node->edge(i)] = copy->output(i);
  }
  ControlDependencies wait(stateful);
  std::vector<Tensor> outputs;
  for (const Tensor& t : trace.outputs) outputs.push_back(t.has_value() ? Identity(known.at(t.edge())) : Tensor());
  return outputs;
}

}  // namespace equiv::runtime
