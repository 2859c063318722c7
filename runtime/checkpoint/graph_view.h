// runtime/checkpoint/graph_view.h - the objects that a root reaches, as checkpoints number them. Private to
// runtime/checkpoint.
#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/checkpoint/object_graph.h"
#include "runtime/checkpoint/trackable.h"

namespace equiv::runtime::internal {

// The root of a checkpoint and what is attached to it from outside. tf: ObjectGraphView
struct GraphView {
  TrackableRef root;
  std::vector<TrackableChild> attached = {};
  std::vector<TrackableChild> Children(const TrackableRef& of) const;
};

// One variable of a checkpoint.
struct SavedVariable {
  std::string key;
  Variable variable;
};
struct Serialized {
  ObjectGraph graph;
  std::vector<TrackableRef> objects;     // by node
  std::vector<SavedVariable> variables;  // in the order of their nodes
};
// Breadth first from the root, then the slot variables. tf: serialize_graph_view
Serialized Serialize(const GraphView& view);
// All objects with the slot variables, in the order of their numbers. tf: list_objects
std::vector<TrackableRef> ListObjects(const GraphView& view);

}  // namespace equiv::runtime::internal
