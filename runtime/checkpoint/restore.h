// runtime/checkpoint/restore.h - one restoration of an object-based checkpoint, which may last as long as objects are
// being made. Private to runtime/checkpoint. tf: _CheckpointRestoreCoordinator, CheckpointPosition
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/graph_view.h"
#include "runtime/checkpoint/saveable.h"
#include "runtime/session/session.h"

namespace equiv::runtime::internal {

// A number that rises with every restoration of the process.
std::int64_t NextRestoreUid();

class RestoreCoordinator : public std::enable_shared_from_this<RestoreCoordinator> {
 public:
  RestoreCoordinator(std::shared_ptr<CheckpointReader> reader, ObjectGraph graph, bool eager);
  ~RestoreCoordinator();  // warns of values that nobody took, unless expect_partial
  RestoreCoordinator(const RestoreCoordinator&) = delete;
  RestoreCoordinator& operator=(const RestoreCoordinator&) = delete;

  struct SlotRestoration {
    int optimizer = 0, slot = 0;
    std::string name;
  };
  struct DeferredSlot {
    Variable variable;
    int slot = 0;
    std::string name;
  };
  const std::shared_ptr<CheckpointReader> reader;
  const ObjectGraph graph;
  const std::int64_t uid;
  const bool eager;
  bool expect_partial = false;
  bool streaming = false;                  // graphs: values found later go to the default session at once
  std::vector<TrackableRef> object_by_id;  // empty refs: nothing bound
  std::set<int> matched;
  std::vector<TrackableRef> all_objects;
  std::unordered_map<const void*, std::size_t> object_index;      // by identity, where in all_objects
  std::map<int, std::vector<SlotRestoration>> slot_restorations;  // by variable
  std::map<int, std::vector<DeferredSlot>> deferred_slots;        // by optimiser
  std::map<int, std::vector<std::string>> unused_attributes;
  std::vector<SaveSpec> restore_ops;  // graphs: what run_restore_ops assigns

  void AddObject(const TrackableRef& ref);
  bool IsBound(int id) const { return static_cast<bool>(object_by_id[static_cast<std::size_t>(id)]); }
  // "(root).a.b", a slot as "(root).optimizer's state 'm' for (root).v". tf: ObjectGraphProtoPrettyPrinter
  std::string NodeName(int id) const;
};

// A node of the checkpoint that waits for, or is given, an object.
class CheckpointPosition {
 public:
  CheckpointPosition(std::shared_ptr<RestoreCoordinator> c, int id) : coordinator_(std::move(c)), id_(id) {}
  const std::shared_ptr<RestoreCoordinator>& coordinator() const { return coordinator_; }
  int id() const { return id_; }
  const ObjectGraph::Node& node() const { return coordinator_->graph.nodes[static_cast<std::size_t>(id_)]; }
  // Gives the object and all it reaches their values, or notes what is still missing.
  void Restore(const TrackableRef& ref);
  // Whether the node is one tensor and nothing else.
  bool IsSimpleVariable() const;
  Array Value() const;

 private:
  bool Bind(const TrackableRef& ref);
  void SingleRestore(std::vector<SaveSpec>& assigns) const;
  void QueueChildren(std::vector<CheckpointPosition>& queue) const;
  void QueueSlots(std::vector<CheckpointPosition>& queue) const;
  TrackableRef object() const { return coordinator_->object_by_id[static_cast<std::size_t>(id_)]; }
  std::shared_ptr<RestoreCoordinator> coordinator_;
  int id_;
};

// A restoration by names, handed on to objects that are attached later. tf: _NameBasedRestoreCoordinator
class NameBasedRestore : public std::enable_shared_from_this<NameBasedRestore> {
 public:
  explicit NameBasedRestore(std::shared_ptr<CheckpointReader> r) : reader(std::move(r)), uid(NextRestoreUid()) {}
  const std::shared_ptr<CheckpointReader> reader;
  const std::int64_t uid;
  std::vector<Variable> unused;  // not in the checkpoint
  // Eager: gives the variables their values, and every object below `refs` knows of this restoration from now on.
  void Restore(const std::vector<TrackableRef>& refs);

 private:
  void Collect(const TrackableRef& ref, std::vector<SaveSpec>& assigns);
};

}  // namespace equiv::runtime::internal
