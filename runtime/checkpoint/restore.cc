#include "runtime/checkpoint/restore.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <deque>

#include "kernels/base/error.h"
#include "runtime/core/log.h"
#include "runtime/session/session.h"
#include "runtime/variables/variable_impl.h"

namespace equiv::runtime::internal {

std::int64_t NextRestoreUid() {
  static std::atomic<std::int64_t> next{0};
  return next.fetch_add(1, std::memory_order_relaxed);
}
std::int64_t& UpdateUid(const TrackableRef& ref) {
  return ref.variable() ? ref.variable().impl().restored : ref.object()->update_uid_;
}

RestoreCoordinator::RestoreCoordinator(std::shared_ptr<CheckpointReader> r, ObjectGraph g, bool e)
    : reader(std::move(r)), graph(std::move(g)), uid(NextRestoreUid()), eager(e), object_by_id(graph.nodes.size()) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (const ObjectGraph::Slot& slot : graph.nodes[i].slots)
      slot_restorations[slot.variable].push_back({static_cast<int>(i), slot.slot, slot.name});
}

RestoreCoordinator::~RestoreCoordinator() {
  if (expect_partial) return;
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (!graph.nodes[i].attributes.empty() && !matched.contains(static_cast<int>(i)))
      lines.push_back("Value in checkpoint could not be found in the restored object: " +
                      NodeName(static_cast<int>(i)));
  for (const auto& [id, names] : unused_attributes)
    lines.push_back(fmt::format(
        "An attribute in the restored object could not be found in the checkpoint. Object: {}, attribute: ['{}']",
        NodeName(id), fmt::join(names, "', '")));
  if (lines.empty()) return;
  Log(LogLevel::kWarning,
      "Detecting that an object or model or tf.train.Checkpoint is being deleted with unrestored values. See the "
      "following logs for the specific values in question. To silence these warnings, use `status.expect_partial()`.");
  for (const std::string& line : lines) Log(LogLevel::kWarning, line);
}

void RestoreCoordinator::AddObject(const TrackableRef& ref) {
  // An object may have gone and another have come to its address.
  const auto [at, fresh] = object_index.try_emplace(ref.identity(), all_objects.size());
  if (!fresh && all_objects[at->second] == ref) return;
  at->second = all_objects.size();
  all_objects.push_back(ref);
}

std::string RestoreCoordinator::NodeName(int id) const {
  const std::vector<ObjectGraph::Path> paths = graph.Paths();
  const auto name = [&](int node) {
    std::string text = "(root)";
    for (const std::string& part : paths[static_cast<std::size_t>(node)].names) text += "." + part;
    return text;
  };
  if (paths[static_cast<std::size_t>(id)].reached) return name(id);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (const ObjectGraph::Slot& slot : graph.nodes[i].slots)
      if (slot.slot == id)
        return fmt::format("{}'s state '{}' for {}", name(static_cast<int>(i)), slot.name, name(slot.variable));
  return fmt::format("node {}", id);
}

bool CheckpointPosition::IsSimpleVariable() const {
  return node().attributes.size() == 1 && node().attributes[0].name == kVariableValue && node().children.empty();
}
Array CheckpointPosition::Value() const {
  return coordinator_->reader->GetTensor(node().attributes.at(0).checkpoint_key);
}

bool CheckpointPosition::Bind(const TrackableRef& ref) {
  RestoreCoordinator& c = *coordinator_;
  c.AddObject(ref);
  c.matched.insert(id_);
  TrackableRef& bound = c.object_by_id[static_cast<std::size_t>(id_)];
  if (!bound) {
    bound = ref;
    return true;
  }
  if (bound != ref) {
    const auto text = [](const TrackableRef& r) {
      return r.variable() ? r.variable().Describe() : r.object()->Describe();
    };
    Log(LogLevel::kWarning,
        fmt::format("Inconsistent references when loading the checkpoint into this object graph. For example, in the "
                    "saved checkpoint object, `model.layer.weight` and `model.layer_copy.weight` reference the same "
                    "variable, while in the current object these are two different variables. The referenced variables "
                    "are:({} and {}).",
                    text(bound), text(ref)));
  }
  return false;
}

void CheckpointPosition::Restore(const TrackableRef& ref) {
  if (!Bind(ref)) return;
  std::vector<CheckpointPosition> queue = {*this};
  std::vector<SaveSpec> assigns;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const CheckpointPosition position = queue[i];
    position.SingleRestore(assigns);
    position.QueueChildren(queue);
    position.QueueSlots(queue);
  }
  RestoreCoordinator& c = *coordinator_;
  Session* session = c.streaming ? DefaultSession() : nullptr;
  if (c.eager || session) AssignFrom(c.reader->bundle(), assigns, {.session = session, .tensor_names = true});
  if (!c.eager) c.restore_ops.insert(c.restore_ops.end(), assigns.begin(), assigns.end());
}

void CheckpointPosition::SingleRestore(std::vector<SaveSpec>& assigns) const {
  const TrackableRef bound = object();
  std::int64_t& restored = UpdateUid(bound);
  if (coordinator_->uid <= restored) return;
  restored = coordinator_->uid;
  for (const ObjectGraph::Attribute& attribute : node().attributes) {
    if (bound.variable() && attribute.name.starts_with(kVariableValue))
      assigns.push_back({attribute.checkpoint_key, "", bound.variable()});
    else
      coordinator_->unused_attributes[id_].push_back(attribute.name);
  }
}

void CheckpointPosition::QueueChildren(std::vector<CheckpointPosition>& queue) const {
  Trackable* parent = object().object();
  const std::vector<TrackableChild> children = parent ? parent->TrackableChildren() : std::vector<TrackableChild>{};
  for (const ObjectGraph::Child& child : node().children) {
    if (coordinator_->IsBound(child.node)) continue;
    CheckpointPosition position(coordinator_, child.node);
    const auto local = std::ranges::find(children, child.name, &TrackableChild::name);
    if (local != children.end() && local->ref) {
      if (position.Bind(local->ref)) queue.push_back(position);
    } else if (parent && position.node().has_checkpoint_values) {
      parent->deferred_[child.name].push_back(std::make_shared<CheckpointPosition>(position));
    }
  }
}

// tf: _queue_slot_variables
void CheckpointPosition::QueueSlots(std::vector<CheckpointPosition>& queue) const {
  RestoreCoordinator& c = *coordinator_;
  const auto restore = [&](Trackable& optimizer, const Variable& variable, int slot, const std::string& name) {
    CheckpointPosition position(coordinator_, slot);
    Variable made = optimizer.Slot(variable, name);
    if (!made && c.eager && position.IsSimpleVariable()) made = optimizer.CreateSlot(variable, name, position.Value());
    if (made && position.Bind(made)) queue.push_back(position);
  };
  if (const auto it = c.deferred_slots.find(id_); it != c.deferred_slots.end()) {
    const std::vector<RestoreCoordinator::DeferredSlot> waiting = std::move(it->second);
    c.deferred_slots.erase(it);
    if (Trackable* optimizer = object().object())
      for (const auto& slot : waiting) restore(*optimizer, slot.variable, slot.slot, slot.name);
  }
  if (const auto it = c.slot_restorations.find(id_); it != c.slot_restorations.end()) {
    const std::vector<RestoreCoordinator::SlotRestoration> slots = std::move(it->second);
    c.slot_restorations.erase(it);
    const Variable variable = object().variable();
    if (!variable) return;
    for (const auto& slot : slots) {
      Trackable* optimizer = c.object_by_id[static_cast<std::size_t>(slot.optimizer)].object();
      if (!optimizer)
        c.deferred_slots[slot.optimizer].push_back({variable, slot.slot, slot.name});
      else if (optimizer->has_slots())
        restore(*optimizer, variable, slot.slot, slot.name);
    }
  }
}

void NameBasedRestore::Restore(const std::vector<TrackableRef>& refs) {
  std::vector<SaveSpec> assigns;  // read together: after an error no variable has changed
  for (const TrackableRef& ref : refs) Collect(ref, assigns);
  if (!assigns.empty()) AssignFrom(reader->bundle(), assigns);
}
void NameBasedRestore::Collect(const TrackableRef& ref, std::vector<SaveSpec>& assigns) {
  std::deque<TrackableRef> queue = {ref};
  std::set<const void*> seen;
  while (!queue.empty()) {
    const TrackableRef current = queue.front();
    queue.pop_front();
    if (!current || !seen.insert(current.identity()).second) continue;
    if (Trackable* object = current.object()) {
      if (std::ranges::find(object->name_based_, shared_from_this()) == object->name_based_.end())
        object->name_based_.push_back(shared_from_this());
      for (const TrackableChild& child : object->TrackableChildren()) queue.push_back(child.ref);
    }
    if (std::int64_t& restored = UpdateUid(current); restored < uid) {
      restored = uid;
      const Variable& variable = current.variable();
      if (!variable || !variable.storage()) continue;
      if (reader->HasTensor(variable.op_name())) {
        assigns.push_back({variable.op_name(), "", variable});
      } else {
        unused.push_back(variable);
      }
    }
  }
}
}  // namespace equiv::runtime::internal
