// runtime/checkpoint/object_graph.h - how an object-based checkpoint says which objects its values belonged to.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace equiv::runtime {

// The key that holds the object graph in every object-based checkpoint.
inline constexpr std::string_view kObjectGraphKey = "_CHECKPOINTABLE_OBJECT_GRAPH";
// The one attribute that variables have.
inline constexpr std::string_view kVariableValue = "VARIABLE_VALUE";

// tf: TrackableObjectGraph. Node 0 is the root.
struct ObjectGraph {
  struct Child {
    int node = 0;
    std::string name;
    friend bool operator==(const Child&, const Child&) = default;
  };
  struct Attribute {
    std::string name, full_name, checkpoint_key;
    friend bool operator==(const Attribute&, const Attribute&) = default;
  };
  struct Slot {
    int variable = 0;  // node of the original variable
    std::string name;
    int slot = 0;  // node of the slot variable
    friend bool operator==(const Slot&, const Slot&) = default;
  };
  struct Node {
    std::vector<Child> children = {};
    std::vector<Attribute> attributes = {};
    std::vector<Slot> slots = {};
    std::string saver_name = {}, saver_object = {};  // a registered saver; empty: none
    bool has_checkpoint_values = false;
    friend bool operator==(const Node&, const Node&) = default;
  };
  std::vector<Node> nodes;

  // `where` names the file in errors. DataLossError for bytes that are no object graph; IndexError for a node number
  // that no node has, or no nodes at all.
  static ObjectGraph Parse(std::string_view bytes, const std::string& where);
  // TensorFlow's bytes for this graph.
  std::string Serialize() const;
  // The names on the shortest path from the root to each node, the first found breadth first.
  struct Path {
    bool reached = false;
    std::vector<std::string> names;
  };
  std::vector<Path> Paths() const;
  friend bool operator==(const ObjectGraph&, const ObjectGraph&) = default;
};

// "a/b.c" as part of a key: "a.Sb..c". tf: trackable_utils.escape_local_name
std::string EscapeLocalName(std::string_view name);
// The inverse, from left to right.
std::string UnescapeLocalName(std::string_view escaped);
// "v/a.Sb" for {"v", "a/b"}. tf: trackable_utils.object_path_to_string
std::string ObjectPath(const std::vector<std::string>& path);
// "v/a.Sb/.ATTRIBUTES/VARIABLE_VALUE". tf: trackable_utils.checkpoint_key
std::string ObjectKey(std::string_view object_path, std::string_view attribute = kVariableValue);
// "w/.OPTIMIZER_SLOT/opt/m". tf: trackable_utils.slot_variable_key
std::string SlotPath(std::string_view variable_path, std::string_view optimizer_path, std::string_view slot_name);

}  // namespace equiv::runtime
