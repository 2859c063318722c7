#include "runtime/checkpoint/graph_view.h"

#include <deque>

#include "runtime/variables/variable_impl.h"

namespace equiv::runtime::internal {
namespace {

struct Traversal {
  std::vector<TrackableRef> objects;
  std::vector<std::string> paths;
  std::vector<std::vector<std::pair<int, std::string>>> children;
  std::unordered_map<const void*, int> ids;
};

Traversal BreadthFirst(const GraphView& view) {
  Traversal t;
  const auto add = [&](const TrackableRef& ref, std::string path) {
    const auto [it, fresh] = t.ids.emplace(ref.identity(), static_cast<int>(t.objects.size()));
    if (fresh) {
      t.objects.push_back(ref);
      t.paths.push_back(std::move(path));
    }
    return it->second;
  };
  add(view.root, {});
  for (std::size_t i = 0; i < t.objects.size(); ++i) {
    t.children.emplace_back();
    const TrackableRef object = t.objects[i];
    for (const TrackableChild& child : view.Children(object)) {
      if (!child.ref) continue;
      const std::string name = EscapeLocalName(child.name);
      t.children[i].emplace_back(add(child.ref, i == 0 ? name : t.paths[i] + "/" + name), child.name);
    }
  }
  return t;
}

// tf: get_full_name
std::string FullName(const Variable& variable) {
  const auto& info = variable.save_slice_info();
  return info ? info->full_name : variable.op_name();
}

// tf: add_checkpoint_values_check
void MarkValues(ObjectGraph& graph) {
  std::vector<std::vector<int>> parents(graph.nodes.size());
  std::deque<int> queue;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    ObjectGraph::Node& node = graph.nodes[i];
    for (const ObjectGraph::Child& child : node.children)
      parents[static_cast<std::size_t>(child.node)].push_back(static_cast<int>(i));
    if (node.attributes.empty() && node.slots.empty()) continue;
    node.has_checkpoint_values = true;
    queue.push_back(static_cast<int>(i));
  }
  while (!queue.empty()) {
    const int at = queue.front();
    queue.pop_front();
    for (const int parent : parents[static_cast<std::size_t>(at)]) {
      ObjectGraph::Node& node = graph.nodes[static_cast<std::size_t>(parent)];
      if (!std::exchange(node.has_checkpoint_values, true)) queue.push_back(parent);
    }
  }
}
}  // namespace

std::vector<TrackableChild> GraphView::Children(const TrackableRef& of) const {
  std::vector<TrackableChild> children;
  if (const Trackable* object = of.object()) children = object->TrackableChildren();
  if (of == root) children.insert(children.end(), attached.begin(), attached.end());
  return children;
}

Serialized Serialize(const GraphView& view) {
  Traversal t = BreadthFirst(view);
  Serialized out;
  // Slot variables come after everything else: by optimiser, by slot name, by variable. tf: serialize_slot_variables
  const std::size_t without_slots = t.objects.size();
  std::vector<std::vector<ObjectGraph::Slot>> slots(without_slots);
  for (std::size_t i = 0; i < without_slots; ++i) {
    const Trackable* optimizer = t.objects[i].object();
    if (!optimizer || !optimizer->has_slots()) continue;
    for (const std::string& name : optimizer->SlotNames())
      for (std::size_t v = 0; v < without_slots; ++v) {
        if (!t.objects[v].variable()) continue;
        const Variable slot = optimizer->Slot(t.objects[v].variable(), name);
        if (!slot) continue;
        const auto id = static_cast<int>(t.objects.size());
        t.objects.emplace_back(slot);
        t.paths.push_back(SlotPath(t.paths[v], t.paths[i], name));
        t.children.emplace_back();
        slots[i].push_back({static_cast<int>(v), name, id});
      }
  }
  for (std::size_t i = 0; i < t.objects.size(); ++i) {
    ObjectGraph::Node node;
    for (const auto& [id, name] : t.children[i]) node.children.push_back({id, name});
    if (i < without_slots) node.slots = std::move(slots[i]);
    if (const Variable& variable = t.objects[i].variable()) {
      const std::string key = ObjectKey(t.paths[i]);
      node.attributes.push_back({std::string(kVariableValue), FullName(variable), key});
      out.variables.push_back({key, variable});
    }
    out.graph.nodes.push_back(std::move(node));
  }
  MarkValues(out.graph);
  out.objects = std::move(t.objects);
  return out;
}

std::vector<TrackableRef> ListObjects(const GraphView& view) { return Serialize(view).objects; }
}  // namespace equiv::runtime::internal
