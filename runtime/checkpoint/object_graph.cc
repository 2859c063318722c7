#include "runtime/checkpoint/object_graph.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>

#include <deque>

#include "kernels/base/error.h"
#include "kernels/proto/checkpoint.pb.h"

namespace equiv::runtime {

ObjectGraph ObjectGraph::Parse(std::string_view bytes, const std::string& where) {
  proto::TrackableObjectGraph message;
  const google::protobuf::LogSilencer silent;  // ill-formed UTF-8 is an error here, not a line on stderr
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    throw DataLossError(fmt::format("{}: key {}: Error parsing message: no object graph", where, kObjectGraphKey));
  ObjectGraph graph;
  const auto node_number = [&](int id, std::string_view what) {
    if (id < 0 || id >= message.nodes_size())
      throw IndexError(fmt::format("{}: key {}: list index out of range: {} is node {}, but there are {} nodes", where,
                                   kObjectGraphKey, what, id, message.nodes_size()));
    return id;
  };
  node_number(0, "the root");
  for (const auto& stored : message.nodes()) {
    Node node;
    for (const auto& child : stored.children())
      node.children.push_back({node_number(child.node_id(), "child '" + child.local_name() + "'"), child.local_name()});
    for (const auto& attribute : stored.attributes())
      node.attributes.push_back({attribute.name(), attribute.full_name(), attribute.checkpoint_key()});
    for (const auto& slot : stored.slot_variables())
      node.slots.push_back(
          {node_number(slot.original_variable_node_id(), "the variable of slot '" + slot.slot_name() + "'"),
           slot.slot_name(), node_number(slot.slot_variable_node_id(), "slot '" + slot.slot_name() + "'")});
    node.saver_name = stored.registered_saver().name();
    node.saver_object = stored.registered_saver().object_name();
    node.has_checkpoint_values = stored.has_checkpoint_values().value();
    graph.nodes.push_back(std::move(node));
  }
  return graph;
}

std::string ObjectGraph::Serialize() const {
  proto::TrackableObjectGraph message;
  const google::protobuf::LogSilencer silent;
  for (const Node& node : nodes) {
    auto* stored = message.add_nodes();
    for (const Child& child : node.children) {
      auto* reference = stored->add_children();
      reference->set_node_id(child.node);
      reference->set_local_name(child.name);
    }
    for (const Attribute& attribute : node.attributes) {
      auto* tensor = stored->add_attributes();
      tensor->set_name(attribute.name);
      tensor->set_full_name(attribute.full_name);
      tensor->set_checkpoint_key(attribute.checkpoint_key);
    }
    for (const Slot& slot : node.slots) {
      auto* reference = stored->add_slot_variables();
      reference->set_original_variable_node_id(slot.variable);
      reference->set_slot_name(slot.name);
      reference->set_slot_variable_node_id(slot.slot);
    }
    if (!node.saver_name.empty() || !node.saver_object.empty()) {
      stored->mutable_registered_saver()->set_name(node.saver_name);
      stored->mutable_registered_saver()->set_object_name(node.saver_object);
    }
    stored->mutable_has_checkpoint_values()->set_value(node.has_checkpoint_values);
  }
  return message.SerializeAsString();
}

std::vector<ObjectGraph::Path> ObjectGraph::Paths() const {
  std::vector<Path> paths(nodes.size());
  std::deque<int> queue = {0};
  if (!nodes.empty()) paths[0].reached = true;
  while (!queue.empty() && !nodes.empty()) {
    const auto at = static_cast<std::size_t>(queue.front());
    queue.pop_front();
    for (const Child& child : nodes[at].children) {
      Path& path = paths[static_cast<std::size_t>(child.node)];
      if (path.reached) continue;
      path = {true, paths[at].names};
      path.names.push_back(child.name);
      queue.push_back(child.node);
    }
  }
  return paths;
}

std::string EscapeLocalName(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (c == '.')
      escaped += "..";
    else if (c == '/')
      escaped += ".S";
    else
      escaped += c;
  }
  return escaped;
}
std::string UnescapeLocalName(std::string_view escaped) {
  std::string name;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '.' && i + 1 < escaped.size() && (escaped[i + 1] == '.' || escaped[i + 1] == 'S'))
      name += escaped[++i] == '.' ? '.' : '/';
    else
      name += escaped[i];
  }
  return name;
}
std::string ObjectPath(const std::vector<std::string>& path) {
  std::string text;
  for (std::size_t i = 0; i < path.size(); ++i) text += (i ? "/" : "") + EscapeLocalName(path[i]);
  return text;
}
std::string ObjectKey(std::string_view object_path, std::string_view attribute) {
  return fmt::format("{}/.ATTRIBUTES/{}", object_path, EscapeLocalName(attribute));
}
std::string SlotPath(std::string_view variable_path, std::string_view optimizer_path, std::string_view slot_name) {
  return fmt::format("{}/.OPTIMIZER_SLOT/{}/{}", variable_path, optimizer_path, EscapeLocalName(slot_name));
}
}  // namespace equiv::runtime
