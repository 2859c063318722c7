#include "tools/graph_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "equiv/compare/printable.h"
#include "tools/tensor_json.h"

namespace equiv::tools {
namespace {
using Json = nlohmann::ordered_json;
using runtime::GraphSummary;

const char* Kind(const GraphSummary& s) { return s.has_meta ? "MetaGraphDef" : "GraphDef"; }
std::string ItemText(const GraphSummary::Item& item) {
  return fmt::format("{:<40}  {:<22} {}{}", Printable(item.name), item.op,
                     item.dtype == DType::kInvalid ? "" : Name(item.dtype),
                     item.shape.has_rank() ? item.shape.ToString() : "");
}
Json ItemJson(const GraphSummary::Item& item) {
  Json out = Json::object();
  PutName(out, "name", item.name);
  out["op"] = item.op;
  out["dtype"] = item.dtype == DType::kInvalid ? Json(nullptr) : Json(Name(item.dtype));
  out["shape"] = item.shape.has_rank() ? Json(item.shape.dims()) : Json(nullptr);
  return out;
}

void PrintGraphJson(const std::string& path, const GraphSummary& s) {
  Json out = {{"schema_version", 1}};
  PutName(out, "path", path);
  out["kind"] = Kind(s);
  out["tensorflow_version"] = s.tensorflow_version;
  out["tags"] = s.tags;
  out["nodes"] = s.nodes;
  out["functions"] = s.functions;
  out["saver"] = s.has_saver;
  for (const auto& [key, items] :
       {std::pair("inputs", &s.inputs), {"outputs", &s.outputs}, {"variables", &s.variables}}) {
    out[key] = Json::array();
    for (const GraphSummary::Item& item : *items) out[key].push_back(ItemJson(item));
  }
  out["initializers"] = s.initializers;
  out["missing_ops"] = Json::array();
  for (const auto& m : s.missing_ops)
    out["missing_ops"].push_back({{"op", m.op}, {"nodes", m.nodes}, {"first", m.first_node}});
  PrintJson(out);
}
}  // namespace

void PrintGraph(const std::string& path, const GraphSummary& s, bool json) {
  if (json) return PrintGraphJson(path, s);
  fmt::print("{}: {}{}, {} nodes, {} functions{}\n", Printable(path), Kind(s),
             s.tensorflow_version.empty() ? "" : " of TensorFlow " + Printable(s.tensorflow_version), s.nodes,
             s.functions, s.has_saver ? ", with a saver" : "");
  const auto list = [](const char* title, const std::vector<GraphSummary::Item>& items, std::size_t most) {
    fmt::print("{} ({})\n", title, items.size());
    for (std::size_t i = 0; i < std::min(most, items.size()); ++i) fmt::print("  {}\n", ItemText(items[i]));
    if (items.size() > most) fmt::print("  ... and {} more; --json lists all\n", items.size() - most);
  };
  list("inputs", s.inputs, 50);
  // What a model is asked for mostly lies in few scopes.
  std::vector<GraphSummary::Item> outputs = s.outputs;
  std::ranges::stable_sort(outputs, {}, [](const auto& item) { return std::ranges::count(item.name, '/'); });
  list("outputs nobody takes", outputs, 30);
  list("variables", s.variables, 30);
  if (!s.initializers.empty()) {
    fmt::print("initialisers, the largest first\n");
    for (std::size_t i = 0; i < std::min<std::size_t>(5, s.initializers.size()); ++i)
      fmt::print("  {}\n", Printable(s.initializers[i]));
  }
  if (s.missing_ops.empty()) {
    fmt::print("every op is known\n");
  } else {
    fmt::print("ops that are not known here ({})\n", s.missing_ops.size());
    for (const auto& m : s.missing_ops)
      fmt::print("  {:<40}  {} node{}, first '{}'\n", Printable(m.op), m.nodes, m.nodes == 1 ? "" : "s",
                 Printable(m.first_node));
  }
}

}  // namespace equiv::tools
