// runtime/function/graph_function.h - a function whose body is a graph.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "kernels/base/function.h"
#include "runtime/graph/graph.h"

namespace equiv::runtime {

// Traced, or read from the library of a GraphDef. The body is complete before the function is first called.
class GraphFunction final : public equiv::Function {
 public:
  explicit GraphFunction(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }

  Graph& graph() { return graph_; }
  const Graph& graph() const { return graph_; }
  // Placeholders of the body, one per argument; captured tensors of outer graphs come after them (Graph::captures).
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  // Nodes that run whatever outputs are wanted, in order. tf: control outputs of a function
  std::vector<Node*> stateful;
  bool is_stateful() const { return !stateful.empty(); }

  // Feeds inputs and then captures; the session belongs to the caller.
  std::unique_ptr<FunctionBody> Instantiate(std::string_view backend) const override;

 private:
  std::string name_;
  mutable Graph graph_;  // a session runs it, but does not change it
};

}  // namespace equiv::runtime
