#include "runtime/core/context.h"

#include "runtime/core/hooks.h"
#include "runtime/eager/eager.h"
#include "runtime/graph/graph.h"

namespace equiv::runtime {
namespace {
thread_local std::vector<Context*> stack;  // null entry: eager
thread_local std::vector<Observer*> observers;
}  // namespace

Context::~Context() = default;

Context& Current() { return stack.empty() || !stack.back() ? EagerContext::Get() : *stack.back(); }

GraphScope::GraphScope(Graph& graph) { stack.push_back(&graph); }
GraphScope::~GraphScope() { stack.pop_back(); }
EagerScope::EagerScope() { stack.push_back(nullptr); }
EagerScope::~EagerScope() { stack.pop_back(); }

NameScope::NameScope(std::string_view name) : context_(Current()), saved_(context_.name_scope()) {
  path_ = context_.OpenNameScope(name);
  context_.set_name_scope(path_);
}
NameScope::~NameScope() {
  if (!abandoned_) context_.set_name_scope(std::move(saved_));
}

OwnerScope::OwnerScope(std::string owner, const std::source_location& site)
    : context_(Current()), saved_owner_(context_.owner()), saved_site_(context_.call_site()) {
  context_.set_owner(std::move(owner));
  context_.set_call_site(site);
}
OwnerScope::~OwnerScope() {
  context_.set_owner(std::move(saved_owner_));
  context_.set_call_site(saved_site_);
}

ScopedObserver::ScopedObserver(Observer& observer) { observers.push_back(&observer); }
ScopedObserver::~ScopedObserver() { observers.pop_back(); }
const std::vector<Observer*>* ActiveObservers() { return observers.empty() ? nullptr : &observers; }
}  // namespace equiv::runtime
