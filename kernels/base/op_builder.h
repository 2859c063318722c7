// kernels/base/op_builder.h - values of a program under construction, and the one interface that adds ops to it.
//
// The graph executor's builder appends nodes, the eager one computes at once. Model code, initialisers, layers and
// gradients are written against OpBuilder, so one definition serves both.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/array.h"
#include "kernels/base/attr.h"

namespace equiv {

namespace runtime {
class Node;
}

// One output of a node in a graph; owned by its node, which lives as long as the graph.
struct Edge {
  DType dtype = DType::kInvalid;
  PartialShape shape;
  runtime::Node* node = nullptr;
  int index = 0;
  bool is_ref = false;  // a reference variable's value: read by the op that takes it
};

// Either an output of a graph node, or an array already computed (eager). Cheap to copy. tf: tf.Tensor
class Value {
 public:
  Value() = default;
  Value(Array array) : array_(std::move(array)) {}  // NOLINT: an array is an eager value
  explicit Value(const Edge* edge) : edge_(edge) {}
  // A variable used as an operand: `snapshot` is its own read; an op that takes this value reads the variable again,
  // inside its own name scope. tf: ResourceVariable._dense_var_to_tensor
  static Value VariableOperand(const Edge* snapshot) {
    Value value(snapshot);
    value.reads_variable_ = true;
    return value;
  }
  bool reads_variable() const { return reads_variable_; }
  bool has_value() const { return edge_ || array_.has_value(); }
  bool symbolic() const { return edge_ != nullptr; }
  DType dtype() const { return edge_ ? edge_->dtype : array_.dtype(); }
  PartialShape shape() const { return edge_ ? edge_->shape : PartialShape(array_.shape()); }
  // The computed array; TypeError for a symbolic value: it has none until a Session runs it.
  const Array& array() const;
  const Edge* edge() const { return edge_; }
  runtime::Node* node() const { return edge_ ? edge_->node : nullptr; }
  int index() const { return edge_ ? edge_->index : 0; }
  friend bool operator==(const Value& a, const Value& b) {
    return a.edge_ == b.edge_ && (a.edge_ || a.array_.buffer() == b.array_.buffer());
  }

 private:
  const Edge* edge_ = nullptr;
  bool reads_variable_ = false;
  Array array_;
};

class OpBuilder {
 public:
  virtual ~OpBuilder() = default;
  virtual bool eager() const = 0;
  // Adds op `op` (TensorFlow's name) and returns its outputs. Attributes derivable from the inputs (T, N) may be left
  // out; absent ones take their default. `name` is used in graphs only: prefixed by the name scope, made unique; empty
  // means the op's type; ending in "/" means use as is. Throws InvalidArgumentError/ValueError/TypeError before
  // anything is added when types, attributes or shapes do not fit.
  virtual std::vector<Value> AddOp(std::string_view op, std::span<const Value> inputs, const AttrMap& attrs,
                                   std::string_view name = {}) = 0;
  Value Add1(std::string_view op, std::initializer_list<Value> inputs, const AttrMap& attrs = {},
             std::string_view name = {}) {
    return AddOp(op, std::span<const Value>(inputs.begin(), inputs.size()), attrs, name).at(0);
  }
};

}  // namespace equiv
