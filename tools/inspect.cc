// equiv inspect: what a file of tensors holds.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "equiv/compare/decimal.h"
#include "equiv/compare/printable.h"
#include "equiv/compare/statistics.h"
#include "equiv/harness/open_source.h"
#include "kernels/base/error.h"
#include "runtime/graph/graph_summary.h"
#include "tools/graph_listing.h"
#include "tools/names_filter.h"
#include "tools/tensor_json.h"
#include "tools/verb.h"

namespace equiv::tools {
namespace {
using Json = nlohmann::ordered_json;

struct Flags {
  std::string path;
  std::vector<std::string> keys;
  bool json = false, no_statistics = false;
};
struct Row {
  const TensorInfo* info;
  std::optional<Statistics> statistics;
  std::string error;
};

// States of iterators and the like are for the program that wrote them.
bool HasValues(const TensorInfo& info) { return info.dtype != DType::kVariant && info.dtype != DType::kResource; }

std::string Whole(__int128 value) {
  // What fits 64 bits of one sign or the other.
  return value < 0 ? std::to_string(static_cast<std::int64_t>(value))
                   : std::to_string(static_cast<std::uint64_t>(value));
}

std::string StatisticsText(const TensorInfo& info, const Statistics& s) {
  if (s.elements == 0) return "no elements";
  const auto number = [](double v) { return FormatFloat(static_cast<float>(v)); };
  std::string text;
  if (info.dtype == DType::kString) {
    text = fmt::format("{} strings of {} to {} bytes", s.elements, Whole(s.integer_min), Whole(s.integer_max));
  } else if (s.finite == 0) {
    text = "nothing finite";
  } else {
    text = fmt::format("min {}  max {}  mean {}  std {}", s.integer ? Whole(s.integer_min) : number(s.min),
                       s.integer ? Whole(s.integer_max) : number(s.max), number(s.mean), number(s.std));
  }
  if (IsComplex(info.dtype)) text = "moduli: " + text;
  for (const auto& [count, what] :
       {std::pair(s.zeros, info.dtype == DType::kString ? "empty" : "zeros"), {s.nan, "NaN"}, {s.inf, "infinite"}})
    if (count > 0) text += fmt::format("  {} {}", count, what);
  return text;
}
Json StatisticsJson(const Statistics& s) {
  Json out = {{"elements", s.elements}, {"finite", s.finite}, {"nan", s.nan}, {"inf", s.inf}, {"zeros", s.zeros}};
  if (s.integer && s.integer_min >= 0) {
    out["min"] = static_cast<std::uint64_t>(s.integer_min);
    out["max"] = static_cast<std::uint64_t>(s.integer_max);
  } else if (s.integer) {
    out["min"] = static_cast<std::int64_t>(s.integer_min);
    out["max"] = static_cast<std::int64_t>(s.integer_max);
  } else {
    out["min"] = NumberJson(s.min);
    out["max"] = NumberJson(s.max);
  }
  out["mean"] = NumberJson(s.mean);
  out["std"] = NumberJson(s.std);
  return out;
}

// The objects as a tree; one that was shown already is named by its number.
void PrintObjects(const runtime::ObjectGraph& graph) {
  struct Visit {
    int node, depth;
    std::string name;
  };
  constexpr int kDeepest = 30;  // beyond, lines are not moved further to the right
  constexpr std::size_t kMostLines = 5000;
  std::vector<Visit> stack = {{0, 0, "(root)"}};
  std::vector<bool> shown(graph.nodes.size(), false);
  std::size_t lines = 0;
  fmt::print("objects ({})\n", graph.nodes.size());
  while (!stack.empty()) {
    const Visit visit = std::move(stack.back());
    stack.pop_back();
    if (++lines > kMostLines) {
      fmt::print("  ... more objects than are shown here; --json has them all\n");
      return;
    }
    const auto at = static_cast<std::size_t>(visit.node);
    const runtime::ObjectGraph::Node& node = graph.nodes[at];
    std::string line =
        fmt::format("{:{}}{} #{}", "", 2 + 2 * std::min(visit.depth, kDeepest), Printable(visit.name), visit.node);
    if (shown[at]) {
      fmt::print("{} (shared, see above)\n", line);
      continue;
    }
    shown[at] = true;
    for (const auto& a : node.attributes) {
      line += fmt::format("  {}", Printable(a.full_name.empty() ? a.name : a.full_name));
      if (a.name != runtime::kVariableValue && !a.full_name.empty()) line += fmt::format(" ({})", Printable(a.name));
    }
    if (!node.saver_name.empty()) line += fmt::format("  saved by {}", Printable(node.saver_name));
    fmt::print("{}\n", line);
    for (const auto& slot : node.slots)
      fmt::print("{:{}}slot {} of #{}: #{}\n", "", 4 + 2 * std::min(visit.depth, kDeepest), Printable(slot.name),
                 slot.variable, slot.slot);
    for (auto it = node.children.rbegin(); it != node.children.rend(); ++it)
      stack.push_back({it->node, visit.depth + 1, it->name});
  }
}
Json ObjectsJson(const runtime::ObjectGraph& graph) {
  Json nodes = Json::array();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const runtime::ObjectGraph::Node& node = graph.nodes[i];
    Json children = Json::array(), attributes = Json::array(), slots = Json::array();
    for (const auto& c : node.children) children.push_back({{"node", c.node}, {"name", c.name}});
    for (const auto& a : node.attributes)
      attributes.push_back({{"name", a.name}, {"full_name", a.full_name}, {"key", a.checkpoint_key}});
    for (const auto& s : node.slots) slots.push_back({{"variable", s.variable}, {"name", s.name}, {"slot", s.slot}});
    Json item = {{"id", i}};
    item["children"] = std::move(children);
    item["attributes"] = std::move(attributes);
    item["slots"] = std::move(slots);
    if (!node.saver_name.empty()) item["saver"] = node.saver_name;
    nodes.push_back(std::move(item));
  }
  return nodes;
}

void PrintText(const TensorSource& source, const std::vector<Row>& rows, std::int64_t bytes) {
  fmt::print("{}: {}\n", Printable(source.path()), source.kind());
  for (const std::string& note : source.notes()) fmt::print("  {}\n", note);
  std::size_t width = 0, type_width = 0;
  const auto type = [](const TensorInfo& i) {
    return fmt::format("{}{}{}", Name(i.dtype), i.ShapeText(), i.slices ? fmt::format(" in {} slices", i.slices) : "");
  };
  for (const Row& row : rows) {
    width = std::max(width, std::min<std::size_t>(60, Printable(row.info->name).size()));
    type_width = std::max(type_width, std::min<std::size_t>(30, type(*row.info).size()));
  }
  for (const Row& row : rows) {
    const std::string name = Printable(row.info->name);
    std::string line = fmt::format("  {:<{}}  {:<{}}", name, width, type(*row.info), type_width);
    if (row.statistics) line += "  " + StatisticsText(*row.info, *row.statistics);
    if (!HasValues(*row.info)) line += "  no plain values";
    if (!row.error.empty()) line += "  UNREADABLE: " + row.error;
    if (!row.info->variable.empty() && row.info->variable != row.info->name)
      line += fmt::format("  ({})", Printable(row.info->variable));
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
  if (const auto* named = dynamic_cast<const NamedCheckpointSource*>(&source); named && named->object_graph())
    PrintObjects(*named->object_graph());
  fmt::print("{} tensor{}, {}\n", rows.size(), rows.size() == 1 ? "" : "s", BytesText(bytes));
}

// nullopt: `path` is no graph. What else it is not, the error of OpenTensorSource has said.
std::optional<runtime::GraphSummary> GraphAt(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
  try {
    runtime::GraphSummary summary = runtime::SummarizeGraphFile(path);
    if (summary.nodes == 0) return std::nullopt;  // an empty file is an empty GraphDef
    return summary;
  } catch (const DataLossError&) {
    return std::nullopt;
  }
}

int Run(const Flags& flags) {
  Progress progress;
  progress.Show("opening " + Printable(flags.path));
  std::unique_ptr<TensorSource> source;
  try {
    source = OpenTensorSource(flags.path);
  } catch (const NotFoundError& error) {
    const std::optional<runtime::GraphSummary> graph = GraphAt(flags.path);
    if (!graph) throw;
    progress.Clear();
    PrintGraph(flags.path, *graph, flags.json);
    return kEquivalent;
  }
  const NamesFilter keys(flags.keys);
  keys.RequireUse({source.get()}, "--key");
  std::vector<Row> rows;
  std::int64_t bytes = 0, elements = 0;
  bool unreadable = false;
  for (const TensorInfo& info : source->tensors()) {
    if (!keys.empty() && !keys.Matches(info)) continue;
    Row row{&info, std::nullopt, {}};
    bytes += info.bytes;
    elements += info.NumElements().value_or(0);
    if (!flags.no_statistics && HasValues(info)) {
      progress.Show(fmt::format("{} of {}: {}", rows.size() + 1, source->tensors().size(), Printable(info.name)));
      try {
        row.statistics = ComputeStatistics(source->Read(info));
      } catch (const CheckError&) {
        throw;
      } catch (const Error& error) {
        row.error = error.Describe();
        unreadable = true;
      }
    }
    rows.push_back(std::move(row));
  }
  progress.Clear();
  if (!flags.json) {
    PrintText(*source, rows, bytes);
    return unreadable ? kUnreadable : kEquivalent;
  }
  Json out = {{"schema_version", 1}};
  PutName(out, "path", source->path());
  out["kind"] = source->kind();
  out["notes"] = source->notes();
  out["totals"] = {{"tensors", rows.size()}, {"elements", elements}, {"bytes", bytes}};
  out["tensors"] = Json::array();
  for (const Row& row : rows) {
    Json item = TensorJson(*row.info);
    if (row.statistics) item["statistics"] = StatisticsJson(*row.statistics);
    if (!row.error.empty()) item["error"] = row.error;
    out["tensors"].push_back(std::move(item));
  }
  if (const auto* checkpoint = dynamic_cast<const NamedCheckpointSource*>(source.get())) {
    const io::BundleHeader& header = checkpoint->bundle().header();
    out["checkpoint"] = {{"prefix", checkpoint->bundle().prefix()},
                         {"shards", header.num_shards},
                         {"endianness", header.big_endian ? "big" : "little"},
                         {"producer", header.producer},
                         {"min_consumer", header.min_consumer}};
    if (checkpoint->object_graph()) out["objects"] = ObjectsJson(*checkpoint->object_graph());
  }
  PrintJson(out);
  return unreadable ? kUnreadable : kEquivalent;
}
}  // namespace

std::function<int()> AddInspect(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "inspect",
      "Lists the tensors of a checkpoint, .npz, .npy, .safetensors or recording with statistics, or what a graph file "
      "holds.");
  auto flags = std::make_shared<Flags>();
  command->add_option("path", flags->path, "a checkpoint's prefix, a folder with its latest, or a file")->required();
  command->add_option("--key", flags->keys, fmt::format("only tensors of this name: {}", kPatternHelp))
      ->allow_extra_args(false);
  command->add_flag("--json", flags->json, "print one JSON object");
  command->add_flag("--no-statistics", flags->no_statistics, "read no values, only what there is");
  return [flags] { return Run(*flags); };
}
}  // namespace equiv::tools
