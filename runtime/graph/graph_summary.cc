#include "runtime/graph/graph_summary.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "kernels/base/error.h"
#include "kernels/base/op_registry.h"
#include "kernels/io/file.h"
#include "runtime/graph/graph_file.h"
#include "runtime/graph/proto_convert.h"

namespace equiv::runtime {
namespace {

GraphSummary::Item ItemOf(const proto::NodeDef& node, const std::string& where) {
  GraphSummary::Item item{node.name(), node.op(), DType::kInvalid, PartialShape::Unknown()};
  const auto attribute = [&](const char* name) -> const proto::AttrValue* {
    const auto it = node.attr().find(name);
    return it == node.attr().end() ? nullptr : &it->second;
  };
  try {
    for (const char* name : {"dtype", "T", "DstT", "Tout"})
      if (const proto::AttrValue* v = attribute(name); v && v->value_case() == proto::AttrValue::kType) {
        item.dtype = FromProto(v->type(), where);
        break;
      }
    if (const proto::AttrValue* v = attribute("shape"); v && v->value_case() == proto::AttrValue::kShape)
      item.shape = FromProto(v->shape(), where);
  } catch (const Error&) {
    // A type or shape that means nothing here is left open: this is a list, importing says what is wrong.
  }
  return item;
}

bool IsVariable(std::string_view op) { return op == "VarHandleOp" || op == "VariableV2" || op == "Variable"; }
bool IsAssign(std::string_view op) { return op.starts_with("Assign"); }
bool IsOutput(std::string_view op) {
  static const std::set<std::string_view> kNone = {"NoOp",
                                                   "Const",
                                                   "Assert",
                                                   "Print",
                                                   "SaveV2",
                                                   "SaveV1",
                                                   "ShardedFilename",
                                                   "MergeV2Checkpoints",
                                                   "ReadVariableOp",
                                                   "VarIsInitializedOp",
                                                   "IsVariableInitialized"};
  return !kNone.contains(op) && !IsVariable(op) && !IsAssign(op) && !op.starts_with("Placeholder") &&
         !op.starts_with("Restore") && op.find("Summary") == std::string_view::npos &&
         !op.starts_with("ResourceApply") && !op.starts_with("Apply") && !op.starts_with("LookupTable");
}
std::string_view NodeName(std::string_view input) {
  if (input.starts_with('^')) input.remove_prefix(1);
  return input.substr(0, input.find(':'));
}

// NoOps whose control inputs all assign, or are such groups themselves.
std::vector<std::string> Initializers(const proto::GraphDef& graph) {
  std::unordered_map<std::string_view, const proto::NodeDef*> by_name;
  for (const auto& node : graph.node()) by_name.emplace(node.name(), &node);
  std::unordered_map<std::string_view, std::size_t> assigned;  // assignments of each group
  // Groups of groups are found one level at a time; a file may nest them without end.
  for (int level = 0; level < 4; ++level)
    for (const auto& node : graph.node()) {
      if (node.op() != "NoOp" || node.input_size() == 0 || assigned.contains(node.name())) continue;
      std::size_t count = 0;
      const bool all = std::ranges::all_of(node.input(), [&](const std::string& input) {
        const auto it = by_name.find(NodeName(input));
        if (it == by_name.end()) return false;
        const auto group = assigned.find(it->first);
        count += group != assigned.end() ? group->second : 1;
        return it->second->op() == "Assign" || it->second->op() == "AssignVariableOp" || group != assigned.end();
      });
      if (all) assigned.emplace(node.name(), count);
    }
  std::vector<std::string> names;
  for (const auto& node : graph.node())
    if (assigned.contains(node.name())) names.push_back(node.name());
  std::ranges::stable_sort(names, std::greater<>(), [&](const std::string& name) { return assigned.at(name); });
  return names;
}
}  // namespace

GraphSummary SummarizeGraphFile(const std::string& path) {
  const ParsedGraphFile file = ParseGraphFile(io::ReadFile(path), path);
  const proto::GraphDef& graph = file.meta.graph_def();
  GraphSummary summary;
  summary.has_meta = file.has_meta;
  summary.has_saver = file.meta.has_saver_def();
  summary.tensorflow_version = file.meta.meta_info_def().tensorflow_version();
  summary.tags.assign(file.meta.meta_info_def().tags().begin(), file.meta.meta_info_def().tags().end());
  summary.nodes = static_cast<std::size_t>(graph.node_size());
  summary.functions = static_cast<std::size_t>(graph.library().function_size());
  std::unordered_set<std::string_view> consumed;
  for (const auto& node : graph.node())
    for (const std::string& input : node.input()) consumed.insert(NodeName(input));
  std::set<std::string_view> functions;
  for (const auto& f : graph.library().function()) functions.insert(f.signature().name());
  std::map<std::string, GraphSummary::MissingOp> missing;
  const auto look = [&](const proto::NodeDef& node, const std::string& in) {
    if (OpRegistry::Global().Find(node.op()) || functions.contains(node.op())) return;
    GraphSummary::MissingOp& m = missing[node.op()];
    m.op = node.op();
    if (m.nodes++ == 0) m.first_node = in.empty() ? node.name() : node.name() + " in function " + in;
  };
  for (const auto& node : graph.node()) {
    summary.node_names.push_back(node.name());
    look(node, {});
    if (node.op().starts_with("Placeholder")) summary.inputs.push_back(ItemOf(node, path));
    if (IsVariable(node.op())) summary.variables.push_back(ItemOf(node, path));
    if (IsOutput(node.op()) && !consumed.contains(node.name()))
      if (GraphSummary::Item item = ItemOf(node, path); item.dtype != DType::kVariant && item.dtype != DType::kResource)
        summary.outputs.push_back(std::move(item));
  }
  for (const auto& f : graph.library().function())
    for (const auto& node : f.node_def()) look(node, f.signature().name());
  for (auto& [op, m] : missing) summary.missing_ops.push_back(std::move(m));
  summary.initializers = Initializers(graph);
  return summary;
}
}  // namespace equiv::runtime
