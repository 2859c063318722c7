// runtime/graph/graph.h - a deferred graph of ops, in TensorFlow's terms.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernels/base/op_def.h"
#include "runtime/core/context.h"

namespace equiv::runtime {

class Node {
 public:
  int id() const { return id_; }  // order of creation, from 0
  const std::string& name() const { return name_; }
  const OpDef& def() const { return *def_; }
  const std::string& op() const { return def_->name; }
  const AttrMap& attrs() const { return attrs_; }
  const std::vector<const Edge*>& inputs() const { return inputs_; }
  const std::vector<Node*>& control_inputs() const { return control_inputs_; }
  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  Tensor output(int i) const { return Tensor(&outputs_.at(static_cast<std::size_t>(i))); }
  const Edge& edge(int i) const { return outputs_.at(static_cast<std::size_t>(i)); }
  const std::string& owner() const { return owner_; }
  const std::source_location& call_site() const { return call_site_; }
  // "" or as DeviceScope gave it: a label for other programs; kernels run where the session runs.
  const std::string& device() const { return device_; }

 private:
  friend class Graph;
  int id_ = 0;
  std::string name_;
  const OpDef* def_ = nullptr;
  AttrMap attrs_;
  std::vector<const Edge*> inputs_;
  std::vector<Node*> control_inputs_;
  std::vector<Edge> outputs_;
  std::string owner_, device_;
  std::source_location call_site_;
};

// How far a graph had come.
struct GraphMark {
  std::size_t nodes = 0, captures = 0;
  std::unordered_map<std::string, int> names_in_use;
};

class Graph final : public Context {
 public:
  Graph();
  ~Graph() override;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  Graph* graph() override { return this; }
  // See OpBuilder::AddOp. Eager values among `inputs` become Const nodes. RuntimeError when finalised:
  // tf: "Graph is finalized and cannot be modified."
  std::vector<Value> AddOp(std::string_view op, std::span<const Value> inputs, const AttrMap& attrs,
                           std::string_view name = {}) override;
  // The node of an op without outputs (NoOp, AssignVariableOp), or of any: like AddOp but returns the node.
  Node* AddNode(std::string_view op, std::span<const Value> inputs, const AttrMap& attrs, std::string_view name = {});
  // A node of a file: `name` as it is, the device as it is.
  Node* AddNode(std::string_view op, std::span<const Value> inputs, const AttrMap& attrs, std::string_view name,
                const std::string& device);
  // Gives a Merge the value that comes back from NextIteration, in the place of what it was made with.
  void CloseLoop(Node* merge, int input, const Tensor& back);
  // Takes back all nodes since `mark`, and their names: nobody may hold on to them.
  GraphMark Mark() const;
  void ReturnTo(GraphMark mark);
  std::string OpenNameScope(std::string_view name) override;
  // Rule A1: `name` below the current name scope, made unique; marks it used.
  std::string UniqueName(std::string_view name);

  const std::deque<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  Node* FindNode(std::string_view name) const;  // null when absent
  // "scope/op:0" or "scope/op" (output 0); ValueError when it is not in this graph (tf text: "... is not an element of
  // this graph.").
  Tensor FindTensor(std::string_view name) const;
  // A graph that traces a function takes tensors of the graphs around it: each becomes a placeholder, once.
  void AllowCaptures() { captures_allowed_ = true; }
  const std::vector<std::pair<const Edge*, const Edge*>>& captures() const { return captures_; }  // outer, inner
  void Finalize() { finalized_ = true; }
  bool finalized() const { return finalized_; }

  // Nodes every new node waits for; managed by ControlDependencies.
  std::vector<Node*> control_dependencies;
  // What new nodes are labelled with; managed by DeviceScope.
  std::string device;

 private:
  std::deque<std::unique_ptr<Node>> nodes_;
  std::unordered_map<std::string, Node*> by_name_;
  std::unordered_map<std::string, int> names_in_use_;  // rule A1: lower-case full name -> counter
  bool finalized_ = false, captures_allowed_ = false;
  std::vector<std::pair<const Edge*, const Edge*>> captures_;
  const Edge* Capture(const Edge* outer);
};

// Ops added during its life run after `nodes`. Does nothing in eager. tf: tf.control_dependencies
class ControlDependencies {
 public:
  explicit ControlDependencies(const std::vector<Node*>& nodes);
  ~ControlDependencies();
  ControlDependencies(const ControlDependencies&) = delete;
  ControlDependencies& operator=(const ControlDependencies&) = delete;

 private:
  Graph* graph_;
  std::size_t added_;
};

// Ops added to the graph during its life carry `device`. Does nothing in eager. tf: tf.device
class DeviceScope {
 public:
  explicit DeviceScope(std::string device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  Graph* graph_;
  std::string saved_;
};
// "/device:CPU:1" for "/cpu:1"; a full name with job and task keeps them. tf: DeviceSpec.to_string
std::string CanonicalDevice(std::string_view device);

// Groups ops into one NoOp; in eager (nodes empty) returns null. tf: tf.group
Node* Group(const std::vector<Node*>& nodes, std::string_view name = "group_deps");

// A new read of the variable, in the current name scope, where `value` is a variable used as an operand; else `value`.
Tensor ReadOperand(const Tensor& value);

// "node:index". Symbolic only.
std::string TensorName(const Tensor& tensor);

}  // namespace equiv::runtime
