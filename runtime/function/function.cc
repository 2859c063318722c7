#include "runtime/function/function.h"

#include <fmt/format.h>

#include "kernels/base/error.h"
#include "kernels/base/function_library.h"
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
  return Current().eager() ? Run(*slot, inputs) : AddCall(slot, inputs);
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

namespace {
// An entry of the function library that goes with the graph that calls it.
struct Registration {
  std::string name;
  ~Registration() { FunctionLibrary::Remove(name); }
};
struct Registrations {
  std::vector<std::shared_ptr<Registration>> held;
};
}  // namespace

// One call op in the current graph. Each kernel made for it runs the trace in a session of its own.
std::vector<Tensor> Function::AddCall(const std::shared_ptr<Trace>& trace, const std::vector<Tensor>& inputs) {
  Graph& graph = *Current().graph();
  auto registration = std::make_shared<Registration>();
  registration->name = FunctionLibrary::Add("inference_" + name_, [trace]() -> FunctionBody {
    SessionOptions options;
    options.backend = FunctionLibrary::Backend();
    return [trace, session = std::make_shared<Session>(trace->graph, options)](const std::vector<Array>& values) {
      std::vector<Feed> feeds;
      for (std::size_t i = 0; i < trace->inputs.size(); ++i) feeds.push_back({trace->inputs[i], values[i]});
      std::size_t next = trace->inputs.size();
      for (const auto& [outer, inner] : trace->graph.captures()) feeds.push_back({Tensor(inner), values[next++]});
      Fetch::List fetches;
      for (const Tensor& t : trace->outputs)
        if (t.has_value()) fetches.push_back(t);
      const std::size_t count = fetches.size();
      for (Node* node : trace->stateful) fetches.push_back(node);
      const Fetched fetched = session->RunNested(Fetch(std::move(fetches)), feeds);
      std::vector<Array> outputs;
      for (std::size_t i = 0; i < count; ++i) outputs.push_back(fetched[i].array);
      return outputs;
    };
  });
  std::vector<Tensor> operands = inputs;
  for (const auto& [outer, inner] : trace->graph.captures()) operands.emplace_back(outer);
  std::vector<DType> dtypes;
  std::vector<PartialShape> shapes;
  for (const Tensor& t : trace->outputs)
    if (t.has_value()) {
      dtypes.push_back(t.dtype());
      shapes.push_back(t.shape());
    }
  const std::vector<Tensor> called =
      graph.AddOp(trace->stateful.empty() ? "PartitionedCall" : "StatefulPartitionedCall", operands,
                  {{"Tout", dtypes}, {"f", registration->name}, {"output_shapes", shapes}});
  graph.Slot<Registrations>().held.push_back(std::move(registration));
  std::vector<Tensor> outputs;
  std::size_t next = 0;
  for (const Tensor& t : trace->outputs) outputs.push_back(t.has_value() ? called[next++] : Tensor());
  return outputs;
}

}  // namespace equiv::runtime
