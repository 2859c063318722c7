// runtime/checkpoint/trackable.h - objects whose variables checkpoints find by the names on the way to them.
// tf: Trackable
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/variables/variables.h"

namespace equiv::runtime {

class Trackable;
namespace internal {
class CheckpointPosition;
class NameBasedRestore;
}  // namespace internal
class TrackableRef;
namespace internal {
// The number of the last restoration that the object took part in.
std::int64_t& UpdateUid(const TrackableRef& ref);
Array Pending(const Trackable& object, const std::string& name);
void RestoreDeferred(Trackable& object, const std::string& name, const Variable& variable);
}  // namespace internal

// What an attribute may hold of interest: a variable, an object, or a nest of these.
struct Attribute {
  using List = std::vector<Attribute>;
  using Dict = std::vector<std::pair<std::string, Attribute>>;
  Attribute() = default;
  Attribute(Variable variable) : value(std::move(variable)) {}  // NOLINT
  template <class T>
  requires std::is_base_of_v<Trackable, T> Attribute(std::shared_ptr<T> object)
      : value(std::shared_ptr<Trackable>(std::move(object))) {}  // NOLINT
  Attribute(List list) : value(std::move(list)) {}               // NOLINT
  Attribute(Dict dict) : value(std::move(dict)) {}               // NOLINT
  std::variant<std::monostate, Variable, std::shared_ptr<Trackable>, List, Dict> value;
};

// A variable or an object of an object graph. An object is not kept alive; one that is gone counts as none.
class TrackableRef {
 public:
  TrackableRef() = default;
  TrackableRef(Variable variable) : variable_(std::move(variable)) {}  // NOLINT
  TrackableRef(Trackable& object);                                     // NOLINT
  explicit operator bool() const { return variable_ || object(); }
  const Variable& variable() const { return variable_; }  // empty for an object
  Trackable* object() const { return alive_.expired() ? nullptr : object_; }
  const void* identity() const;
  friend bool operator==(const TrackableRef& a, const TrackableRef& b) { return a.identity() == b.identity(); }

 private:
  Variable variable_;
  Trackable* object_ = nullptr;
  std::weak_ptr<void> alive_;
};

struct TrackableChild {
  std::string name;
  TrackableRef ref;
};

class Trackable {
 public:
  Trackable();
  virtual ~Trackable();
  Trackable(const Trackable&) = delete;
  Trackable& operator=(const Trackable&) = delete;

  // The dependencies in the order in which checkpoints number them: that of tracking, unless overridden.
  virtual std::vector<TrackableChild> TrackableChildren() const;
  // Makes `value` a dependency under `name`, in the place of an earlier one; lists and dictionaries become objects. A
  // restoration that waits for the name is done now. Nothing happens for an empty attribute: what was tracked stays
  // tracked. tf: setattr, _track_trackable
  void Track(const std::string& name, const Attribute& value);
  // The same for an object that is not owned.
  void TrackReference(const std::string& name, const TrackableRef& ref);
  // tf: delattr
  void Untrack(const std::string& name);
  // What messages call the object: "<Checkpoint object>".
  virtual std::string Describe() const;
  // A container without children is not missed when nothing is restored into it.
  virtual bool is_container() const { return false; }

  // Variables that belong to a variable and an optimiser together. tf: get_slot_names, get_slot
  virtual bool has_slots() const { return false; }
  virtual std::vector<std::string> SlotNames() const { return {}; }
  virtual Variable Slot(const Variable& variable, const std::string& slot_name) const;
  // Eager: makes the slot with `value` if it is not there. Empty: it cannot be made yet.
  virtual Variable CreateSlot(const Variable& variable, const std::string& slot_name, const Array& value);

 protected:
  // Eager: the value that a checkpoint being restored holds for a variable of this name; no value: none.
  // tf: _preload_simple_restoration
  Array PendingValue(const std::string& name) const;
  const std::vector<TrackableChild>& dependencies() const { return dependencies_; }
  bool HasDeferred() const { return !deferred_.empty(); }
  // Gives `ref` what restorations hold for the name.
  void HandleDeferred(const std::string& name, const TrackableRef& ref);

 private:
  friend class internal::CheckpointPosition;
  friend class internal::NameBasedRestore;
  friend class TrackableRef;
  friend std::int64_t& internal::UpdateUid(const TrackableRef& ref);
  friend Array internal::Pending(const Trackable& object, const std::string& name);
  friend void internal::RestoreDeferred(Trackable& object, const std::string& name, const Variable& variable);
  std::shared_ptr<void> alive_;
  std::vector<TrackableChild> dependencies_;
  std::map<std::string, std::shared_ptr<Trackable>> containers_;  // owned lists, dictionaries and objects, by name
  std::map<std::string, std::vector<std::shared_ptr<internal::CheckpointPosition>>> deferred_;
  std::vector<std::shared_ptr<internal::NameBasedRestore>> name_based_;
  std::int64_t update_uid_ = -1;
};

// tf: ListWrapper: children "0", "1", ...
class TrackableList final : public Trackable {
 public:
  TrackableList() = default;
  explicit TrackableList(const Attribute::List& items);
  void Append(const Attribute& item);
  std::size_t size() const { return size_; }
  std::string Describe() const override { return "ListWrapper"; }
  bool is_container() const override { return true; }

 private:
  std::size_t size_ = 0;
};
// tf: _DictWrapper: children in the order of insertion
class TrackableDict final : public Trackable {
 public:
  TrackableDict() = default;
  explicit TrackableDict(const Attribute::Dict& items);
  void Set(const std::string& key, const Attribute& item) { Track(key, item); }
  std::string Describe() const override { return "_DictWrapper"; }
  bool is_container() const override { return true; }
};

}  // namespace equiv::runtime
