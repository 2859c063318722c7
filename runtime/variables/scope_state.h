// runtime/variables/scope_state.h - what variables, scopes and layers keep per context. Private to runtime.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/variables/variables.h"

namespace equiv::runtime {

namespace internal {

// How often each scope name was opened (rule B6), with undo: leaving a re-entered scope takes back what happened
// inside.
class ScopeCounts {
 public:
  using Mark = std::size_t;
  int Get(std::string_view name) const;
  void Open(const std::string& name);
  void ClearBelow(const std::string& name);  // all keys starting with name + "/"
  Mark Begin();                              // from here on changes are recorded
  void Rollback(Mark mark);

 private:
  void Record(const std::string& name, int old);
  std::map<std::string, int, std::less<>> counts_;  // absent: 0
  std::vector<std::pair<std::string, int>> undo_;
  int recording_ = 0;
};

struct ScopeState {
  std::shared_ptr<CapturedScope> current = std::make_shared<CapturedScope>();
  ScopeCounts counts;
  std::unordered_map<std::string, Variable> variables;  // get_variable's own store (graphs)
  std::unordered_map<std::string, PartitionedVariable> partitioned;
  bool resource_variables = true;
  VariableStore* store = nullptr;  // the store of the tracked method being run
};

struct Collections {
  std::map<std::string, std::vector<CollectionItem>, std::less<>> items;
};

// Set in a graph that traces a function or a functional model: variables and scopes are those of `outer`, and variables
// are made there. tf: FuncGraph sharing the variable store, init_scope
struct TraceLink {
  Context* outer = nullptr;
};
bool Tracing(Context& context);
// While a function is being traced in this thread: counts the variables made, or refuses them. tf: the variable
// creators of polymorphic_function
class FunctionTrace {
 public:
  explicit FunctionTrace(bool may_create);
  ~FunctionTrace();
  FunctionTrace(const FunctionTrace&) = delete;
  FunctionTrace& operator=(const FunctionTrace&) = delete;
  int created() const { return created_; }
  // Called before a variable is constructed. ValueError when that is not allowed any more.
  static void OnCreate();

 private:
  FunctionTrace* outer_;
  bool may_create_;
  int created_ = 0;
};
// The context where variables are made: the current one, or what a trace was opened in. tf: init_scope
Context& InitContext();
ScopeState& StateOf(Context& context);

// GetVariableOrTensor, telling whether the variable is new.
GotVariable GetOrCreateVariable(std::string_view name, const GetVariableOptions& options,
                                const std::source_location& site);

// "a/b" and "c" to "a/b/c"; an empty parent adds nothing.
std::string JoinScope(std::string_view parent, std::string_view name);
// "tf.float32", and "<dtype: 'float32'>".
std::string DTypeText(DType dtype);
std::string DTypeRepr(DType dtype);
// "glorot_uniform" to "GlorotUniform".
std::string CamelCase(std::string_view snake);
// Python's repr of a float: "2.0", "0.1", "1e-05".
std::string FloatRepr(double value);
// NumPy's repr of an array: "2.0" for a scalar, "array([1., 2.], dtype=float32)".
std::string NumpyRepr(const Array& array);

}  // namespace internal
}  // namespace equiv::runtime
