// runtime/session/session.h - runs parts of a graph. tf: tf.compat.v1.Session
#pragma once
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/base/op_registry.h"
#include "runtime/graph/graph.h"
#include "runtime/passes/passes.h"

namespace equiv::runtime {

struct SessionOptions {
  std::string backend = "auto";
  PassOptions passes = {};               // optimiser passes, on by default as in TensorFlow
  ThreadPool* pool = nullptr;            // null: ThreadPool::Default()
  ResourceManager* resources = nullptr;  // variables of another session to run on; null: the session's own
};

// What to fetch: a tensor, an operation (gives no value), a name ("op" or "op:0"), or any nest of these.
struct Fetch {
  using List = std::vector<Fetch>;
  using Dict = std::vector<std::pair<std::string, Fetch>>;
  Fetch(Tensor tensor) : what(std::move(tensor)) {}     // NOLINT
  Fetch(Node* operation) : what(operation) {}           // NOLINT
  Fetch(std::string name) : what(std::move(name)) {}    // NOLINT
  Fetch(const char* name) : what(std::string(name)) {}  // NOLINT
  Fetch(List list) : what(std::move(list)) {}           // NOLINT
  Fetch(Dict dict) : what(std::move(dict)) {}           // NOLINT
  std::variant<Tensor, Node*, std::string, List, Dict> what;
};
// The same nest, filled. An operation gives an Array without value.
struct Fetched {
  Array array;
  std::vector<Fetched> items;                           // for a List
  std::vector<std::pair<std::string, Fetched>> fields;  // for a Dict
  const Fetched& operator[](std::size_t i) const { return items.at(i); }
  const Fetched& operator[](std::string_view key) const;  // KeyError
};
// Values for any tensors of the graph, by tensor or by name; cast to the tensor's dtype as TensorFlow does.
struct Feed {
  std::variant<Tensor, std::string> target;
  Array value;
};

class Session {
 public:
  explicit Session(Graph& graph, SessionOptions options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Runs what the fetches need, each node once, in a fixed order. Errors: InvalidArgumentError for an unfed placeholder
  // ("You must feed a value for placeholder tensor 'a' with dtype float and shape [2]"), ValueError for a feed of the
  // wrong shape or a tensor of another graph, FailedPreconditionError naming an uninitialised variable, RuntimeError
  // when closed or the graph is empty.
  Array Run(const Tensor& fetch, const std::vector<Feed>& feeds = {});
  std::vector<Array> Run(const std::vector<Tensor>& fetches, const std::vector<Feed>& feeds = {});
  void Run(Node* operation, const std::vector<Feed>& feeds = {});
  Fetched RunNested(const Fetch& fetch, const std::vector<Feed>& feeds = {});

  void Close();
  ResourceManager& resources() const;
  Graph& graph() const;
  // The storage behind the op of a variable (VarHandleOp, VariableV2); made when the session has none yet.
  std::shared_ptr<equiv::Variable> VariableStorage(const Node& variable) const;
  const Backend& backend() const;
  // Nodes executed since construction: a comparison of sessions that ran nothing is worth nothing.
  std::int64_t ops_executed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Makes a session the default of this thread for the life of this object. tf: with session:
class SessionScope {
 public:
  explicit SessionScope(Session& session);
  ~SessionScope();
  SessionScope(const SessionScope&) = delete;
  SessionScope& operator=(const SessionScope&) = delete;

 private:
  Session* outer_;
};
// Null outside of every SessionScope. tf: get_default_session
Session* DefaultSession();

}  // namespace equiv::runtime
