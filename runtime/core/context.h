// runtime/core/context.h - where ops go: the current graph, or the eager executor.
#pragma once
#include <map>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <typeindex>
#include <vector>

#include "kernels/base/op_builder.h"

namespace equiv::runtime {

// What model code passes around: symbolic inside a graph, computed in eager. tf: tf.Tensor
using Tensor = equiv::Value;
class Graph;
class Node;

// One per Graph and one for eager execution in the process. Holds the name scope, the control dependencies, the owner
// under which random draws and variables are reported, and slots for the state of higher layers (variable scopes,
// collections, seeds). Not thread-safe: a context is used by one thread at a time.
class Context : public OpBuilder {
 public:
  ~Context() override;
  virtual Graph* graph() = 0;  // null for eager
  bool eager() const final { return eager_; }

  // State of a higher layer, created on first use, one per context and type. T must be default constructible.
  template <class T>
  T& Slot() {
    std::shared_ptr<void>& slot = slots_[std::type_index(typeid(T))];
    if (!slot) slot = std::make_shared<T>();
    return *static_cast<T*>(slot.get());
  }
  template <class T>
  void ResetSlot() {
    slots_.erase(std::type_index(typeid(T)));
  }

  // Name scopes (spec A1-A8). The current path has no trailing slash; "" is the root.
  const std::string& name_scope() const { return name_scope_; }
  // Opens scope `name` below the current one and returns the full path. Graph: uniquified, checked against TensorFlow's
  // pattern (ValueError); eager: a plain join. "" or a name ending in "/" re-enter the root / exactly that path.
  virtual std::string OpenNameScope(std::string_view name) = 0;
  void set_name_scope(std::string path) { name_scope_ = std::move(path); }

  // Who the ops being added belong to, for ledgers: a variable's key while its initialiser runs, else the variable
  // scope.
  const std::string& owner() const { return owner_; }
  void set_owner(std::string owner) { owner_ = std::move(owner); }
  const std::source_location& call_site() const { return call_site_; }
  void set_call_site(const std::source_location& site) { call_site_ = site; }

 protected:
  explicit Context(bool eager) : eager_(eager) {}
  void ClearSlots() { slots_.clear(); }

 private:
  bool eager_;
  std::string name_scope_, owner_;
  std::source_location call_site_;
  std::map<std::type_index, std::shared_ptr<void>> slots_;
};

// The innermost GraphScope of this thread, or the eager context.
Context& Current();

// Makes `graph` current for the life of this object. tf: with graph.as_default()
class GraphScope {
 public:
  explicit GraphScope(Graph& graph);
  ~GraphScope();
  GraphScope(const GraphScope&) = delete;
  GraphScope& operator=(const GraphScope&) = delete;
};
// Leaves all graphs: ops run eagerly for the life of this object. tf: init_scope
class EagerScope {
 public:
  EagerScope();
  ~EagerScope();
  EagerScope(const EagerScope&) = delete;
  EagerScope& operator=(const EagerScope&) = delete;
};

// Opens a name scope in the current context. tf: tf.name_scope
class NameScope {
 public:
  explicit NameScope(std::string_view name);
  ~NameScope();
  NameScope(const NameScope&) = delete;
  NameScope& operator=(const NameScope&) = delete;
  const std::string& path() const { return path_; }  // without trailing slash
  // Leaves the scope open for good.
  void Abandon() { abandoned_ = true; }

 private:
  bool abandoned_ = false;
  Context& context_;
  std::string saved_, path_;
};

// Reports ops and variables made during its life as called from `site`.
class CallSite {
 public:
  explicit CallSite(const std::source_location& site) : context_(Current()), saved_(context_.call_site()) {
    context_.set_call_site(site);
  }
  ~CallSite() { context_.set_call_site(saved_); }
  CallSite(const CallSite&) = delete;
  CallSite& operator=(const CallSite&) = delete;

 private:
  Context& context_;
  std::source_location saved_;
};

// Reports the ops added during its life under `owner`, called from `site`.
class OwnerScope {
 public:
  OwnerScope(std::string owner, const std::source_location& site);
  ~OwnerScope();
  OwnerScope(const OwnerScope&) = delete;
  OwnerScope& operator=(const OwnerScope&) = delete;

 private:
  Context& context_;
  std::string saved_owner_;
  std::source_location saved_site_;
};

}  // namespace equiv::runtime
