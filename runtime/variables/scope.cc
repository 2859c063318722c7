#include <fmt/format.h>

#include "kernels/base/error.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime {
namespace internal {

int ScopeCounts::Get(std::string_view name) const {
  auto it = counts_.find(name);
  return it == counts_.end() ? 0 : it->second;
}

void ScopeCounts::Record(const std::string& name, int old) {
  if (recording_ > 0) undo_.emplace_back(name, old);
}

void ScopeCounts::Open(const std::string& name) {
  int& count = counts_[name];
  Record(name, count);
  ++count;
}

void ScopeCounts::ClearBelow(const std::string& name) {
  const std::string prefix = name + "/";
  auto it = counts_.lower_bound(prefix);
  while (it != counts_.end() && it->first.starts_with(prefix)) {
    Record(it->first, it->second);
    it = counts_.erase(it);
  }
}

ScopeCounts::Mark ScopeCounts::Begin() {
  ++recording_;
  return undo_.size();
}

void ScopeCounts::Rollback(Mark mark) {
  while (undo_.size() > mark) {
    auto& [name, old] = undo_.back();
    if (old == 0) {
      counts_.erase(name);
    } else {
      counts_[name] = old;
    }
    undo_.pop_back();
  }
  --recording_;
}

Context& InitContext() {
  Context* context = &Current();
  while (!context->eager()) {
    Context* outer = context->Slot<TraceLink>().outer;
    if (!outer) break;
    context = outer;
  }
  return *context;
}

bool Tracing(Context& context) { return !context.eager() && context.Slot<TraceLink>().outer != nullptr; }

ScopeState& StateOf(Context& context) {
  if (!context.eager()) {
    if (Context* outer = context.Slot<TraceLink>().outer) return StateOf(*outer);
  }
  ScopeState& state = context.Slot<ScopeState>();
  // tf: a VariableScope made while executing eagerly reuses by asking
  if (context.eager() && state.current->name.empty() && state.current->reuse == Reuse::kNone)
    state.current->reuse = Reuse::kAuto;
  return state;
}

std::string JoinScope(std::string_view parent, std::string_view name) {
  if (parent.empty()) return std::string(name);
  return fmt::format("{}/{}", parent, name);
}

// The first of d, d_1, d_2, ... that is not open or used below the current scope. tf: _get_unique_variable_scope
static std::string UniqueDefaultName(const ScopeState& state, std::string_view prefix) {
  const std::string full = JoinScope(state.current->name, prefix);
  if (state.counts.Get(full) == 0) return std::string(prefix);
  int i = 1;
  while (state.counts.Get(fmt::format("{}_{}", full, i)) > 0) ++i;
  return fmt::format("{}_{}", prefix, i);
}

}  // namespace internal

using internal::ScopeState;

struct VariableScope::Saved {
  ScopeState* state = nullptr;
  Context* context = nullptr;
  std::shared_ptr<CapturedScope> previous, current;
  std::optional<NameScope> name_scope;
  std::string owner;
  bool jumped = false;
  internal::ScopeCounts::Mark mark = 0;

  // Applies what the arguments override, and makes `current` the current scope.
  void Enter(const VariableScopeOptions& options) {
    if (options.initializer) current->initializer = options.initializer;
    if (options.regularizer) current->regularizer = options.regularizer;
    if (options.dtype) current->dtype = options.dtype;
    if (options.partitioner) current->partitioner = options.partitioner;
    if (!options.caching_device.empty()) current->caching_device = options.caching_device;
    if (options.use_resource) current->use_resource = options.use_resource;
    current->constraint = options.constraint;
    if (options.custom_getter) {
      // The new getter is asked first; its getter is the inherited one (B9).
      current->custom_getter =
          !current->custom_getter
              ? options.custom_getter
              : [outer = current->custom_getter, inner = options.custom_getter](
                    const Getter& getter, const std::string& name, const GetVariableOptions& o) {
                  return inner(
                      [&](const std::string& n, const GetVariableOptions& args) { return outer(getter, n, args); },
                      name, o);
                };
    }
    // Eager scopes reuse by asking: tf: VariableScope.__init__ sets AUTO_REUSE when executing eagerly
    if (context->eager()) {
      // tf: the scope refuses, and its clean-up finds another scope current and leaves the name scope open
      if (!current->caching_device.empty() || (options.use_resource && !*options.use_resource)) {
        if (name_scope) name_scope->Abandon();
        throw RuntimeError("Improper nesting of variable_scope.");
      }
      current->reuse = Reuse::kAuto;
    }
    state->counts.Open(current->name);
    if (jumped) mark = state->counts.Begin();
    state->current = current;
    owner = context->owner();
    context->set_owner(current->name);
  }
};

static std::string WithSlash(const std::string& path) { return path.empty() ? path : path + "/"; }

VariableScope::VariableScope(std::string_view name, const VariableScopeOptions& options)
    : saved_(std::make_unique<Saved>()) {
  Saved& s = *saved_;
  s.context = &Current();
  s.state = &internal::StateOf(*s.context);
  s.previous = s.state->current;
  s.current = std::make_shared<CapturedScope>(*s.previous);
  const bool use_default = name.empty() && !options.default_name.empty();
  if (use_default && options.reuse != Reuse::kNone)
    throw ValueError("reuse=True cannot be used without a name_or_scope");
  const std::string opened = use_default ? options.default_name : std::string(name);
  std::string original;
  if (options.pure) {
    original = opened;
  } else if (!options.auxiliary_name_scope) {
    s.name_scope.emplace(WithSlash(s.context->name_scope()));
    original = WithSlash(s.name_scope->path());
  } else if (!opened.empty()) {
    s.name_scope.emplace(opened);
    original = WithSlash(s.name_scope->path());
  }
  const std::string own = use_default ? internal::UniqueDefaultName(*s.state, opened) : opened;
  s.current->name = internal::JoinScope(s.previous->name, own);
  s.current->original_name_scope = original;
  if (options.reuse != Reuse::kNone) s.current->reuse = options.reuse;
  s.Enter(options);
}

VariableScope::VariableScope(std::shared_ptr<CapturedScope> captured, const VariableScopeOptions& options)
    : saved_(std::make_unique<Saved>()) {
  if (!captured)
    throw ValueError("VariableScope: the captured scope is empty; capture one with VariableScope::capture()");
  Saved& s = *saved_;
  s.context = &Current();
  s.state = &internal::StateOf(*s.context);
  s.previous = s.state->current;
  s.jumped = true;
  s.current = std::make_shared<CapturedScope>(*captured);
  const std::string last = captured->name.substr(captured->name.rfind('/') + 1);
  if (!options.auxiliary_name_scope) {
    s.name_scope.emplace(WithSlash(s.context->name_scope()));
  } else if (!last.empty()) {
    s.name_scope.emplace(last);
  }
  if (options.reuse != Reuse::kNone) s.current->reuse = options.reuse;
  s.Enter(options);
}

VariableScope::~VariableScope() {
  if (!saved_) return;
  Saved& s = *saved_;
  s.context->set_owner(std::move(s.owner));
  if (s.jumped) {
    s.state->counts.Rollback(s.mark);
  } else {
    s.state->counts.ClearBelow(s.current->name);
  }
  s.state->current = s.previous;
}

const std::string& VariableScope::name() const { return saved_->current->name; }
const std::string& VariableScope::original_name_scope() const { return saved_->current->original_name_scope; }
std::shared_ptr<CapturedScope> VariableScope::capture() const { return saved_->current; }
void VariableScope::ReuseVariables() { saved_->current->reuse = Reuse::kTrue; }

std::string CurrentVariableScopeName() { return internal::StateOf(Current()).current->name; }
std::shared_ptr<CapturedScope> CurrentVariableScope() { return internal::StateOf(Current()).current; }

VariableStore* CurrentVariableStore() { return internal::StateOf(Current()).store; }

VariableStoreScope::VariableStoreScope(VariableStore& store) : context_(Current()) {
  ScopeState& state = internal::StateOf(context_);
  saved_ = state.store;
  state.store = &store;
}
VariableStoreScope::~VariableStoreScope() { internal::StateOf(context_).store = saved_; }

Variable VariableStore::Find(std::string_view key) const {
  auto it = index_.find(key);
  return it == index_.end() ? Variable() : variables_[it->second].second;
}
void VariableStore::Add(std::string key, Variable variable) {
  index_.emplace(key, variables_.size());
  variables_.emplace_back(std::move(key), std::move(variable));
  if (on_variable) on_variable(variables_.back().first, variables_.back().second);
}
void VariableStore::AddLoss(Loss loss) {
  auto [it, added] = loss_index_.emplace(loss.key, losses_.size());
  if (added) {
    losses_.push_back(std::move(loss));
  } else {
    losses_[it->second] = std::move(loss);
  }
}

}  // namespace equiv::runtime
