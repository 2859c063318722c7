#include "runtime/checkpoint/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "kernels/base/error.h"
#include "kernels/io/tensor_bundle.h"
#include "runtime/checkpoint/checkpoint_state.h"

namespace equiv::runtime {
namespace {
namespace fs = std::filesystem;
constexpr std::string_view kAttributes = "/.ATTRIBUTES/", kSlots = "/.OPTIMIZER_SLOT/";
constexpr std::string_view kSaveCounter = "save_counter";

// "net/kernel" for "net/kernel/.ATTRIBUTES/VARIABLE_VALUE"; other attributes keep their name.
std::string PathName(std::string_view key) {
  std::string_view attribute;
  if (const auto at = key.rfind(kAttributes); at != std::string_view::npos) {
    attribute = key.substr(at + kAttributes.size());
    key = key.substr(0, at);
  }
  std::string path(key);
  for (std::size_t at; (at = path.find(kSlots)) != std::string::npos;) path.replace(at, kSlots.size(), "/");
  path = UnescapeLocalName(path);
  if (!attribute.empty() && attribute != kVariableValue) path += "/" + UnescapeLocalName(attribute);
  return path;
}

// The keys of the values in dictionaries `vars` and `var_list` of the root, with their names there. A list has numbers
// in the place of names, and is none.
std::map<std::string, std::string> InDictionaries(const ObjectGraph& graph) {
  std::map<std::string, std::string> names;
  for (const ObjectGraph::Child& child : graph.nodes.at(0).children) {
    if (child.name != "vars" && child.name != "var_list") continue;
    const auto& items = graph.nodes[static_cast<std::size_t>(child.node)].children;
    bool list = true;
    for (std::size_t i = 0; i < items.size(); ++i) list &= items[i].name == std::to_string(i);
    if (list) continue;
    for (const ObjectGraph::Child& item : items)
      for (const auto& attribute : graph.nodes[static_cast<std::size_t>(item.node)].attributes)
        if (attribute.name == kVariableValue) names.emplace(attribute.checkpoint_key, item.name);
  }
  return names;
}

std::map<std::string, std::string> FullNames(const ObjectGraph& graph) {
  std::map<std::string, std::string> names;
  for (const ObjectGraph::Node& node : graph.nodes)
    for (const ObjectGraph::Attribute& a : node.attributes)
      if (!a.full_name.empty()) names.emplace(a.checkpoint_key, a.full_name);
  return names;
}

void Save(io::BundleWriter& writer, const std::string& key, const ValueToSave& value) { writer.Add(key, value.read()); }
}  // namespace

bool IsBookkeepingKey(std::string_view key) { return key == kObjectGraphKey || key == ObjectKey(kSaveCounter); }

std::map<std::string, std::string> NamesOfKeys(const ObjectGraph& graph, const std::vector<std::string>& keys) {
  const std::map<std::string, std::string> dictionaries = InDictionaries(graph);
  const std::map<std::string, std::string> full_names = FullNames(graph);
  struct Value {
    std::string key;
    std::vector<std::string> candidates;  // the last one is the key
    std::size_t chosen = 0;
  };
  std::vector<Value> values;
  for (const std::string& key : keys) {
    if (IsBookkeepingKey(key)) continue;
    Value value{key, {}, 0};
    for (const auto* known : {&dictionaries, &full_names})
      if (const auto it = known->find(key); it != known->end()) value.candidates.push_back(it->second);
    value.candidates.push_back(PathName(key));
    value.candidates.push_back(key);
    values.push_back(std::move(value));
  }
  // Whoever shares a name takes its next one, until nobody does; keys are never shared.
  for (bool shared = true; shared;) {
    shared = false;
    std::map<std::string_view, std::vector<Value*>> by_name;
    for (Value& v : values) by_name[v.candidates[v.chosen]].push_back(&v);
    for (const auto& [name, sharers] : by_name) {
      if (sharers.size() < 2) continue;
      for (Value* v : sharers)
        if (v->chosen + 1 < v->candidates.size()) {
          ++v->chosen;
          shared = true;
        }
    }
  }
  std::map<std::string, std::string> names;
  for (const Value& v : values) names.emplace(v.key, v.candidates[v.chosen]);
  return names;
}

// tf: Checkpoint(vars=...).save: the root, the dictionary and the counter, then the variables in their order
void WriteObjectBased(const std::string& path, std::span<const ValueToSave> values, StateFile state) {
  ObjectGraph graph;
  graph.nodes.resize(3 + values.size());
  ObjectGraph::Node &root = graph.nodes[0], &vars = graph.nodes[1], &counter = graph.nodes[2];
  root.children = {{1, "vars"}, {2, std::string(kSaveCounter)}};
  counter.attributes = {{std::string(kVariableValue), std::string(kSaveCounter), ObjectKey(kSaveCounter)}};
  root.has_checkpoint_values = counter.has_checkpoint_values = true;
  vars.has_checkpoint_values = !values.empty();
  std::vector<std::string> keys;
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string& name = values[i].name;
    if (!names.insert(name).second)
      throw InvalidArgumentError(fmt::format("checkpoint '{}': two values are named '{}'", path, name));
    keys.push_back(ObjectKey(ObjectPath({"vars", name})));
    vars.children.push_back({static_cast<int>(i) + 3, name});
    // tf: tf.Variable(value) without a name
    graph.nodes[i + 3].attributes = {{std::string(kVariableValue), "Variable", keys.back()}};
    graph.nodes[i + 3].has_checkpoint_values = true;
  }
  const std::string bytes = graph.Serialize();
  try {
    ObjectGraph::Parse(bytes, path);
  } catch (const DataLossError&) {
    throw InvalidArgumentError(
        fmt::format("checkpoint '{}': a name is not UTF-8, which object graphs cannot hold", path));
  }
  if (const fs::path folder = fs::path(path).parent_path(); !folder.empty()) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw NotFoundError(fmt::format("{}; {}", folder.string(), error.message()));
  }
  io::BundleWriter writer(path);
  writer.Add(ObjectKey(kSaveCounter), Array::Scalar(std::int64_t{1}));
  for (std::size_t i = 0; i < values.size(); ++i) Save(writer, keys[i], values[i]);
  writer.Add(kObjectGraphKey, Array::Strings({}, {bytes}));
  writer.Finish();
  if (state == StateFile::kReplace)
    UpdateCheckpointState(fs::path(path).parent_path().string(), path, {path}, /*relative=*/true);
}

// tf: Saver(var_list=...).save(sess=None, save_path=prefix)
void WriteNameBased(const std::string& prefix, std::vector<ValueToSave> values, StateFile state) {
  const std::string folder = fs::path(prefix).parent_path().string();
  std::error_code ignored;
  if (!folder.empty() && !fs::is_directory(folder, ignored))
    throw ValueError(fmt::format("Parent directory of {} doesn't exist, can't save.", prefix));
  std::ranges::stable_sort(values, {}, &ValueToSave::name);
  io::BundleWriter writer(prefix);
  for (const ValueToSave& value : values) Save(writer, value.name, value);
  writer.Finish();
  if (state == StateFile::kReplace) UpdateCheckpointState(folder, prefix, {prefix});
}

std::string ConvertTf1ToTf2(const std::string& checkpoint, const std::string& output_prefix) {
  const std::unique_ptr<CheckpointReader> reader = LoadCheckpoint(checkpoint);
  std::vector<ValueToSave> values;
  for (const std::string& key : reader->KeysInMapOrder())
    values.push_back({key, [&reader, key] { return reader->GetTensor(key); }});
  const std::string path = output_prefix + "-1";
  WriteObjectBased(path, values, StateFile::kReplace);
  return path;
}

std::string ConvertTf2ToTf1(const std::string& checkpoint, const std::string& output_prefix) {
  const std::unique_ptr<CheckpointReader> reader = LoadCheckpoint(checkpoint);
  const std::optional<ObjectGraph> graph = reader->ReadObjectGraph();
  if (!graph)
    throw ValueError(fmt::format("'{}' is name-based already: it has no key {}", reader->prefix(), kObjectGraphKey));
  std::vector<std::string> keys, listed;
  for (const io::BundleEntry& entry : reader->bundle().entries()) {
    keys.push_back(entry.key);
    if (entry.key.starts_with("var_list/")) listed.push_back(entry.key);
  }
  std::vector<ValueToSave> values;
  for (const auto& [key, name] : NamesOfKeys(*graph, listed.empty() ? keys : listed))
    values.push_back({name, [&reader, key = key] { return reader->GetTensor(key); }});
  if (values.empty()) throw ValueError(fmt::format("'{}' holds no variables to save", reader->prefix()));
  WriteNameBased(output_prefix, std::move(values), StateFile::kReplace);
  return output_prefix;
}
}  // namespace equiv::runtime
