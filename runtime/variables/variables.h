// runtime/variables/variables.h - variables in both executors, their creators, collections and scopes.
// Semantics: TensorFlow 2.15's compat.v1 (variable_scope, get_variable) and tf.Variable.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/base/resource.h"
#include "runtime/core/context.h"
#include "runtime/graph/graph.h"

namespace equiv::runtime {

// Makes an initial value of this shape and dtype in the current context. tf: initializers
struct Initializer {
  std::string
      name;  // "glorot_uniform", "zeros", ... for reports; the name of the scope its ops go to is its own business
  std::function<Tensor(const Shape& shape, DType dtype)> make;
  explicit operator bool() const { return static_cast<bool>(make); }
};
// A handle to one variable. Cheap to copy; equal handles are the same variable.
class Variable {
 public:
  struct Impl;
  Variable() = default;
  explicit Variable(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  explicit operator bool() const { return impl_ != nullptr; }
  std::string name() const;            // "a/w:0"
  const std::string& op_name() const;  // "a/w"
  DType dtype() const;
  const PartialShape& shape() const;
  bool trainable() const;
  Tensor handle() const;
  // A new read of the current value (graph: a ReadVariableOp in the current name scope).
  Tensor Read(std::string_view name = {}) const;
  // Graph: the variable's own read `a/w/Read/ReadVariableOp:0`; eager: the current value. Lets a Variable be an operand
  // or a fetch.
  Tensor value() const;
  operator Tensor() const { return value(); }  // NOLINT
  // Graph: the assigning node; eager: assigns now and returns null.
  Node* Assign(const Tensor& value, std::string_view name = {}) const;
  Node* AssignSub(const Tensor& delta, std::string_view name = {}) const;
  Node* AssignAdd(const Tensor& delta, std::string_view name = {}) const;
  Node* initializer() const;  // graph only
  const std::source_location& created_at() const;
  // The graph it lives in; null for an eager variable.
  Graph* graph() const;
  // Eager: the storage itself; null in a graph, where each session has its own.
  const std::shared_ptr<equiv::Variable>& storage() const;
  // `<tf.Variable 'a/w:0' shape=() dtype=float32, numpy=2.0>`; without numpy= in a graph. tf: repr(variable)
  std::string Describe() const;
  friend bool operator==(const Variable& a, const Variable& b) { return a.impl_ == b.impl_; }
  Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

// Maps a weight to a scalar loss; an empty Tensor means no loss. A function taking a Tensor fits too: it gets value().
struct Regularizer {
  std::string name;  // "l2_regularizer"
  std::function<Tensor(const Variable& weight)> loss;
  explicit operator bool() const { return static_cast<bool>(loss); }
};

// What a creator sees and may change, in TensorFlow's order of arguments.
struct VariableCreationArgs {
  std::variant<std::monostate, Tensor, std::function<Tensor()>> initial_value;
  std::string initial_value_text;  // as Python would print it: "2.0", "<function ...>"
  std::optional<bool> trainable;
  bool validate_shape = true;
  std::optional<std::string> name;
  std::optional<DType> dtype;
  std::optional<Shape> shape;
  std::vector<std::string> collections;  // default: global variables
  bool no_collections = false;
  bool from_get_variable = false;  // made by get_variable outside a tracked method: Python's v1 constructor
  std::source_location call_site;
  // "{'initial_value': 2.0, 'trainable': None, ...}": Python's dictionary of the arguments. tf: kwargs of a creator
  std::string ToPythonDict() const;
};
using VariableNext = std::function<Variable(const VariableCreationArgs&)>;
using VariableCreator = std::function<Variable(const VariableNext& next, const VariableCreationArgs& args)>;
// The creators of open scopes wrap the construction of every variable, the innermost first (rule D2). Per thread, for
// graphs and eager alike. tf: tf.variable_creator_scope
class VariableCreatorScope {
 public:
  explicit VariableCreatorScope(VariableCreator creator);
  ~VariableCreatorScope();
  VariableCreatorScope(const VariableCreatorScope&) = delete;
  VariableCreatorScope& operator=(const VariableCreatorScope&) = delete;
};

struct VariableOptions {
  std::optional<bool> trainable = std::nullopt;
  std::string name = {};  // default "Variable"
  std::optional<DType> dtype = std::nullopt;
};
// tf: tf.Variable(initial_value, ...): prefixed by the name scope, a new variable at every call.
Variable MakeVariable(const Tensor& initial_value, const VariableOptions& options = {},
                      const std::source_location& site = std::source_location::current());
Variable MakeVariable(double initial_value, const VariableOptions& options = {},
                      const std::source_location& site = std::source_location::current());

enum class Reuse { kNone, kTrue, kAuto };
using Getter = std::function<Variable(const std::string& full_name)>;

struct GetVariableOptions {
  std::optional<PartialShape> shape = std::nullopt;
  std::optional<DType> dtype = std::nullopt;
  Initializer initializer = {};  // default: the scope's, else glorot uniform / zeros by dtype (C6)
  std::optional<Tensor> initial_value = std::nullopt;  // a constant initialiser; excludes shape
  Regularizer regularizer = {};
  std::optional<bool> trainable = std::nullopt;
  std::vector<std::string> collections = {};  // default: global variables; trainable ones join theirs in every case
  bool no_collections = false;                // Python's collections=[]
  bool no_regularizer = false;                // ignore the scope's
};
// tf: tf.compat.v1.get_variable, rules C1-C13. Inside a tracked method the layer's store is used (shim.md S1-S6).
Variable GetVariable(std::string_view name, const GetVariableOptions& options = {},
                     const std::source_location& site = std::source_location::current());

struct VariableScopeOptions {
  Reuse reuse = Reuse::kNone;
  std::string default_name = {};  // with an empty name: rule B5
  Initializer initializer = {};
  Regularizer regularizer = {};
  std::optional<DType> dtype = std::nullopt;
  bool auxiliary_name_scope = true;
};
// Captured state of a variable scope: re-enter it with VariableScope(captured). tf: the object variable_scope yields
struct CapturedScope;
// tf: with tf.compat.v1.variable_scope(...), rules B1-B13.
class VariableScope {
 public:
  explicit VariableScope(std::string_view name, const VariableScopeOptions& options = {});
  explicit VariableScope(std::shared_ptr<CapturedScope> captured, const VariableScopeOptions& options = {});
  // tf: variable_scope(None, default_name=...)
  static VariableScopeOptions Default(std::string_view default_name) {
    VariableScopeOptions o;
    o.default_name = default_name;
    return o;
  }
  ~VariableScope();
  VariableScope(const VariableScope&) = delete;
  VariableScope& operator=(const VariableScope&) = delete;
  const std::string& name() const;                 // "a/b"
  const std::string& original_name_scope() const;  // with trailing slash
  std::shared_ptr<CapturedScope> capture() const;
  void ReuseVariables();

 private:
  struct Saved;
  std::unique_ptr<Saved> saved_;
};
std::string CurrentVariableScopeName();
std::shared_ptr<CapturedScope> CurrentVariableScope();

// Collections (graph: per graph; eager: process wide, almost unused). tf: GraphKeys
inline constexpr std::string_view kGlobalVariables = "variables", kTrainableVariables = "trainable_variables",
                                  kLocalVariables = "local_variables", kModelVariables = "model_variables",
                                  kRegularizationLosses = "regularization_losses", kUpdateOps = "update_ops";
using CollectionItem = std::variant<Variable, Tensor, Node*>;
void AddToCollection(std::string_view collection, const CollectionItem& item);
// Items whose name matches `scope` from its start (rule D4); all when empty.
std::vector<CollectionItem> GetCollection(std::string_view collection, std::string_view scope = {});
std::vector<Variable> GlobalVariables();
std::vector<Variable> TrainableVariables();
std::vector<Tensor> RegularizationLosses();
std::vector<Node*> UpdateOps();
// One node running all initialisers. tf: tf.compat.v1.global_variables_initializer
Node* GlobalVariablesInitializer();

// The store a tracked method uses instead of the context's own: variables by key, regularisation losses by key.
class VariableStore {
 public:
  struct Loss {
    std::string key;                  // variable.name
    std::function<Tensor()> compute;  // evaluated when read: follows assignments
  };
  const std::vector<std::pair<std::string, Variable>>& variables() const { return variables_; }  // creation order
  const std::vector<Loss>& losses() const { return losses_; }
  Variable Find(std::string_view key) const;  // empty when absent
  void Add(std::string key, Variable variable);
  void AddLoss(Loss loss);  // replaces the loss of an equal key

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  std::vector<std::pair<std::string, Variable>> variables_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> index_;
  std::vector<Loss> losses_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> loss_index_;
};
// Puts `store` in place for the current context; restored on destruction, also after an exception (S2).
class VariableStoreScope {
 public:
  explicit VariableStoreScope(VariableStore& store);
  ~VariableStoreScope();
  VariableStoreScope(const VariableStoreScope&) = delete;
  VariableStoreScope& operator=(const VariableStoreScope&) = delete;

 private:
  Context& context_;
  VariableStore* saved_;
};

}  // namespace equiv::runtime
