#include "runtime/checkpoint/trackable.h"

#include <algorithm>

#include "runtime/checkpoint/restore.h"
#include "runtime/variables/variable_impl.h"

namespace equiv::runtime {

TrackableRef::TrackableRef(Trackable& object) : object_(&object), alive_(object.alive_) {}
const void* TrackableRef::identity() const {
  return variable_ ? static_cast<const void*>(&variable_.impl()) : static_cast<const void*>(object());
}

Trackable::Trackable() : alive_(std::make_shared<char>()) {}
Trackable::~Trackable() = default;

std::vector<TrackableChild> Trackable::TrackableChildren() const { return dependencies_; }
std::string Trackable::Describe() const { return "<Trackable object>"; }
Variable Trackable::Slot(const Variable&, const std::string&) const { return {}; }
Variable Trackable::CreateSlot(const Variable&, const std::string&, const Array&) { return {}; }

void Trackable::Track(const std::string& name, const Attribute& value) {
  std::shared_ptr<Trackable> object;
  if (const auto* variable = std::get_if<Variable>(&value.value)) {
    if (!*variable) return;
    containers_.erase(name);
    TrackReference(name, *variable);
    return;
  }
  if (const auto* given = std::get_if<std::shared_ptr<Trackable>>(&value.value))
    object = *given;
  else if (const auto* list = std::get_if<Attribute::List>(&value.value))
    object = std::make_shared<TrackableList>(*list);
  else if (const auto* dict = std::get_if<Attribute::Dict>(&value.value))
    object = std::make_shared<TrackableDict>(*dict);
  if (!object) return;
  containers_[name] = object;
  TrackReference(name, *object);
}

void Trackable::TrackReference(const std::string& name, const TrackableRef& ref) {
  const auto known = std::ranges::find(dependencies_, name, &TrackableChild::name);
  if (known != dependencies_.end()) {
    known->ref = ref;  // tf: a replaced dependency gets no deferred value
    return;
  }
  dependencies_.push_back({name, ref});
  HandleDeferred(name, ref);
}

void Trackable::Untrack(const std::string& name) {
  std::erase_if(dependencies_, [&](const TrackableChild& c) { return c.name == name; });
  containers_.erase(name);
}

// tf: _handle_deferred_dependencies: the newest restoration first
void Trackable::HandleDeferred(const std::string& name, const TrackableRef& ref) {
  if (const auto it = deferred_.find(name); it != deferred_.end()) {
    auto positions = std::move(it->second);
    deferred_.erase(it);
    std::ranges::stable_sort(positions, std::greater<>(), [](const auto& p) { return p->coordinator()->uid; });
    for (const auto& position : positions) position->Restore(ref);
  }
  auto restores = name_based_;
  std::ranges::stable_sort(restores, std::greater<>(), [](const auto& r) { return r->uid; });
  for (const auto& restore : restores) restore->Restore({ref});
}

Array Trackable::PendingValue(const std::string& name) const {
  const auto it = deferred_.find(name);
  if (it == deferred_.end() || it->second.empty()) return {};
  if (!std::ranges::all_of(it->second, [](const auto& p) { return p->IsSimpleVariable(); })) return {};
  const auto newest = std::ranges::max_element(it->second, {}, [](const auto& p) { return p->coordinator()->uid; });
  return (*newest)->coordinator()->eager ? (*newest)->Value() : Array();
}

Array internal::Pending(const Trackable& object, const std::string& name) { return object.PendingValue(name); }
void internal::RestoreDeferred(Trackable& object, const std::string& name, const Variable& variable) {
  object.HandleDeferred(name, variable);
}

TrackableList::TrackableList(const Attribute::List& items) {
  for (const Attribute& item : items) Append(item);
}
void TrackableList::Append(const Attribute& item) { Track(std::to_string(size_++), item); }
TrackableDict::TrackableDict(const Attribute::Dict& items) {
  for (const auto& [key, item] : items) Set(key, item);
}
}  // namespace equiv::runtime
