#include "runtime/function/function.h"

#include <fmt/format.h>

#include <atomic>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/eager/eager.h"
#include "runtime/function/graph_function.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime {

struct Function::Trace {
  explicit Trace(const std::string& name) : body(std::make_shared<GraphFunction>(name)) {}
  std::shared_ptr<GraphFunction> body;
  std::vector<bool> given;           // which outputs of the traced code have a value
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
  static std::atomic<int> made{0};
  auto trace = std::make_shared<Trace>(fmt::format("__inference_{}_{}", name_, made.fetch_add(1)));
  GraphFunction& body_of = *trace->body;
  ++traces_;
  body_of.graph().Slot<internal::TraceLink>().outer = &Current();
  body_of.graph().AllowCaptures();
  internal::FunctionTrace gate(may_create);
  GraphScope scope(body_of.graph());
  for (const Tensor& t : inputs) body_of.inputs.push_back(Placeholder(t.dtype(), t.shape(), "args"));
  for (const Tensor& out : body(body_of.inputs)) {
    trace->given.push_back(out.has_value());
    if (out.has_value()) body_of.outputs.push_back(Identity(out));
  }
  // All of them run. tf: automatic control dependencies
  for (const auto& node : body_of.graph().nodes())
    if (node->def().stateful && node->op() != "Placeholder" && node->op() != "VarHandleOp")
      body_of.stateful.push_back(node.get());
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

namespace {
// The outputs of the traced code: `values` where it gave one, empty tensors elsewhere.
std::vector<Tensor> Spread(const std::vector<bool>& given, const std::vector<Tensor>& values) {
  std::vector<Tensor> outputs(given.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < given.size(); ++i)
    if (given[i]) outputs[i] = values.at(next++);
  return outputs;
}
}  // namespace

std::vector<Tensor> Function::Run(Trace& trace, const std::vector<Tensor>& inputs) {
  GraphFunction& body = *trace.body;
  if (!trace.session) {
    SessionOptions options;
    options.backend = EagerContext::Get().backend().name;
    trace.session = std::make_unique<Session>(body.graph(), options);
  }
  std::vector<Feed> feeds;
  for (std::size_t i = 0; i < inputs.size(); ++i) feeds.push_back({body.inputs[i], inputs[i].array()});
  Fetch::List fetches(body.outputs.begin(), body.outputs.end());
  for (Node* node : body.stateful) fetches.emplace_back(node);
  std::vector<Tensor> values;
  if (!fetches.empty()) {
    const Fetched fetched = trace.session->RunNested(Fetch(std::move(fetches)), feeds);
    for (std::size_t i = 0; i < body.outputs.size(); ++i) values.emplace_back(fetched[i].array);
  }
  return Spread(trace.given, values);
}

// One call op in the current graph. Each kernel made for it runs the trace in a session of its own.
std::vector<Tensor> Function::AddCall(const std::shared_ptr<Trace>& trace, const std::vector<Tensor>& inputs) {
  const GraphFunction& body = *trace->body;
  std::vector<Tensor> operands = inputs;
  for (const auto& [outer, inner] : body.graph().captures()) operands.emplace_back(outer);
  std::vector<DType> dtypes;
  std::vector<PartialShape> shapes;
  for (const Tensor& t : body.outputs) {
    dtypes.push_back(t.dtype());
    shapes.push_back(t.shape());
  }
  return Spread(
      trace->given,
      Current().AddOp(body.is_stateful() ? "StatefulPartitionedCall" : "PartitionedCall", operands,
                      {{"Tout", dtypes}, {"f", FunctionRef{body.name(), trace->body}}, {"_output_shapes", shapes}}));
}

}  // namespace equiv::runtime
