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
  std::function<Tensor(const Shape& shape, DType dtype)> make = {};
  // Instead of `make`: a callable without arguments, which needs no shape.
  std::function<Tensor()> make_without_shape = {};
  // How Python would print the object after "<": "tensorflow.python.ops.init_ops.Zeros object at 0x0"; empty: derived
  // from the name.
  std::string python_repr = {};
  explicit operator bool() const { return make || make_without_shape; }
};
// Where a part of a partitioned variable lies in the whole. tf: Variable.SaveSliceInfo
struct SaveSliceInfo {
  std::string full_name;
  std::vector<std::int64_t> full_shape, var_offset, var_shape;
  // "5 3 0,3:0,3": full shape, then start and length along each dimension.
  std::string Spec() const;
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
  // A reference variable (op VariableV2) instead of a resource. Graphs only.
  bool is_reference() const;
  // "float32", of a reference variable "float32_ref". tf: variable.dtype.name
  std::string dtype_name() const;
  Tensor handle() const;
  // A new read of the current value (graph: a ReadVariableOp in the current name scope).
  Tensor Read(std::string_view name = {}) const;
  // Graph: the variable's own read `a/w/Read/ReadVariableOp:0`; eager: the current value.
  Tensor value() const;
  // As an operand: read anew by the op that takes it, in its name scope (rule A7). As a fetch: value().
  Tensor operand() const;
  operator Tensor() const { return operand(); }  // NOLINT
  // The assigning node; null in eager, where it is done at once. AssignSub of a reference variable names its tensor.
  Node* Assign(const Tensor& value, std::string_view name = {}) const;
  Node* AssignSub(const Tensor& delta, std::string_view name = {}) const;
  Node* AssignAdd(const Tensor& delta, std::string_view name = {}) const;
  Node* initializer() const;  // graph only
  const std::source_location& created_at() const;
  // Of a part of a partitioned variable.
  const std::optional<SaveSliceInfo>& save_slice_info() const;
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
  std::function<Tensor(const Tensor& activity)> of_tensor = {};  // for activities; empty: weights only
  explicit operator bool() const { return static_cast<bool>(loss); }
};

enum class VariableSynchronization { kAuto, kNone, kOnWrite, kOnRead };
enum class VariableAggregation { kNone, kSum, kMean, kOnlyFirstReplica };
using Constraint = std::function<Tensor(const Tensor&)>;

// What a creator sees and may change, in TensorFlow's order of arguments.
struct VariableCreationArgs {
  std::variant<std::monostate, Tensor, std::function<Tensor()>> initial_value;
  std::string initial_value_text;  // as Python would print it: "2.0", "<function ...>"
  std::optional<bool> trainable;
  bool validate_shape = true;
  std::optional<std::string> name;
  std::optional<DType> dtype;
  Constraint constraint;
  VariableSynchronization synchronization = VariableSynchronization::kAuto;
  VariableAggregation aggregation = VariableAggregation::kNone;
  std::optional<Shape> shape;
  bool use_resource = true;
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
  std::vector<std::string> collections = {};  // tf: v1.Variable(collections=...)
  bool no_collections = false;
  std::optional<bool> use_resource = std::nullopt;  // default: true, as tf.Variable
};
// Whether get_variable in the current graph makes resources (the default) or reference variables, and default kernels
// are drawn by stateless or by v1 initialisers. tf: disable_v2_behavior
void EnableResourceVariables(bool enable);
bool ResourceVariablesEnabled();

// tf: tf.Variable(initial_value, ...): prefixed by the name scope, a new variable at every call.
Variable MakeVariable(const Tensor& initial_value, const VariableOptions& options = {},
                      const std::source_location& site = std::source_location::current());
Variable MakeVariable(double initial_value, const VariableOptions& options = {},
                      const std::source_location& site = std::source_location::current());

enum class Reuse { kNone, kTrue, kAuto };

// Parts of one big variable. tf: PartitionedVariable
struct PartitionedVariable {
  std::string name;  // "a/p"
  std::vector<Variable> parts;
  int axis = 0;
};
// What a custom getter may return: a variable, its parts, or any tensor (say, the product of a variable and a mask).
struct GotVariable {
  Variable variable = {};
  Tensor tensor = {};
  PartitionedVariable partitioned = {};
  bool created = false;
};
// How many parts along each axis (one axis above 1). tf: a partitioner
using Partitioner = std::function<std::vector<std::int64_t>(const Shape& shape, DType dtype)>;
// At most `parts` parts along `axis`. tf: fixed_size_partitioner
Partitioner FixedSizePartitioner(std::int64_t parts, int axis = 0);

struct GetVariableOptions;
// The true getter, or the next custom one; `name` is the full key.
using Getter = std::function<GotVariable(const std::string& name, const GetVariableOptions& options)>;
// tf: custom_getter(getter, name, ...)
using CustomGetter =
    std::function<GotVariable(const Getter& getter, const std::string& name, const GetVariableOptions& options)>;

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
  bool validate_shape = true;
  Partitioner partitioner = {};
  CustomGetter custom_getter = {};
  Constraint constraint = {};
  std::optional<bool> use_resource = std::nullopt;
  VariableSynchronization synchronization = VariableSynchronization::kAuto;
  VariableAggregation aggregation = VariableAggregation::kNone;
};
// tf: tf.compat.v1.get_variable, rules C1-C14. Inside a tracked method the layer's store is used (shim.md S1-S6).
// TypeError when a custom getter or a partitioner made something else than one variable: see GetVariableOrTensor.
Variable GetVariable(std::string_view name, const GetVariableOptions& options = {},
                     const std::source_location& site = std::source_location::current());
GotVariable GetVariableOrTensor(std::string_view name, const GetVariableOptions& options = {},
                                const std::source_location& site = std::source_location::current());
// Not trainable, in LOCAL_VARIABLES. tf: tf.compat.v1.get_local_variable
Variable GetLocalVariable(std::string_view name, GetVariableOptions options = {},
                          const std::source_location& site = std::source_location::current());

struct VariableScopeOptions {
  Reuse reuse = Reuse::kNone;
  std::string default_name = {};  // with an empty name: rule B5
  Initializer initializer = {};
  Regularizer regularizer = {};
  std::optional<DType> dtype = std::nullopt;
  bool auxiliary_name_scope = true;
  bool pure = false;  // no name scope at all. tf: _pure_variable_scope
  CustomGetter custom_getter = {};
  Partitioner partitioner = {};
  std::string caching_device = {};
  std::optional<bool> use_resource = std::nullopt;
  Constraint constraint = {};  // not inherited (B8)
};
// Captured state of a variable scope: re-enter it with VariableScope(captured). tf: the object variable_scope yields
struct CapturedScope {
  std::string name, original_name_scope;
  Reuse reuse = Reuse::kNone;
  Initializer initializer = {};
  Regularizer regularizer = {};
  std::optional<DType> dtype = std::nullopt;
  CustomGetter custom_getter = {};
  Partitioner partitioner = {};
  std::string caching_device = {};
  std::optional<bool> use_resource = std::nullopt;
  Constraint constraint = {};
  void ReuseVariables() { reuse = Reuse::kTrue; }
};
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
// What an eager update leaves in a collection: nothing of use. tf: resource_variable_ops._UnreadVariable
struct UnreadVariable {
  friend bool operator==(UnreadVariable, UnreadVariable) { return false; }
};
using CollectionItem = std::variant<Variable, Tensor, Node*, UnreadVariable>;
void AddToCollection(std::string_view collection, const CollectionItem& item);
// Items whose name matches `scope` from its start (rule D4); all when empty.
std::vector<CollectionItem> GetCollection(std::string_view collection, std::string_view scope = {});
std::vector<Variable> GlobalVariables();
std::vector<Variable> VariablesOf(std::string_view collection, std::string_view scope = {});
// The names of the collections `variable` is in, sorted.
std::vector<std::string> CollectionsHolding(const Variable& variable);
std::string ItemName(const CollectionItem& item);  // "a/w:0", "a/op"; empty for a value without a name
std::vector<Variable> TrainableVariables();
std::vector<Tensor> RegularizationLosses();
std::vector<Node*> UpdateOps();
// One node running all initialisers. tf: tf.compat.v1.global_variables_initializer
Node* GlobalVariablesInitializer();

// The store a tracked method uses instead of the context's own (shim.md S3): variables by key, losses by key, and what
// GetOrCreateLayer keeps.
class VariableStore {
 public:
  struct Loss {
    std::string key;                  // variable.name, or a layer's key
    std::function<Tensor()> compute;  // evaluated when read: follows assignments
  };
  const std::vector<std::pair<std::string, Variable>>& variables() const { return variables_; }  // creation order
  const std::vector<Loss>& losses() const { return losses_; }
  Variable Find(std::string_view key) const;  // empty when absent
  void Add(std::string key, Variable variable);
  void AddLoss(Loss loss);  // replaces the loss of an equal key
  // A template's own store in eager: regularisation losses join the collection, as without a store.
  bool for_template = false;
  // Objects of a higher layer, by key, in order of creation.
  std::vector<std::pair<std::string, std::shared_ptr<void>>> layers;
  void AddLayer(const std::string& key, std::shared_ptr<void> layer) {
    layers.emplace_back(key, std::move(layer));
    if (on_layer) on_layer(key, layers.back().second);
  }
  // Called when something is added.
  std::function<void(const std::string& key, const Variable& variable)> on_variable = {};
  std::function<void(const std::string& key, const std::shared_ptr<void>& layer)> on_layer = {};

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
// The store in place; null outside tracked methods.
VariableStore* CurrentVariableStore();
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
