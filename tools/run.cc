// equiv run: one run of a graph that TensorFlow, or this program, wrote.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "equiv/compare/decimal.h"
#include "equiv/compare/npy.h"
#include "equiv/compare/npz.h"
#include "equiv/compare/printable.h"
#include "equiv/compare/statistics.h"
#include "equiv/harness/graph_run.h"
#include "kernels/base/error.h"
#include "runtime/graph/graph_summary.h"
#include "tools/tensor_json.h"
#include "tools/verb.h"

namespace equiv::tools {
namespace {
using Json = nlohmann::ordered_json;
using runtime::GraphSummary;

struct Flags {
  std::string graph, checkpoint, init, out;
  std::vector<std::string> feeds, fetches;
  bool list = false, json = false;
  RunOptions run;
};

// "name=file.npy", or "name=VALUE" with a number or true or false.
std::pair<std::string, Array> ParseFeed(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError(fmt::format("--feed takes NAME=FILE.npy or NAME=VALUE, got '{}'", text));
  std::string name = text.substr(0, equals), value = text.substr(equals + 1);
  if (value.ends_with(".npy")) return {std::move(name), ReadNpy(value)};
  if (value == "true" || value == "false") return {std::move(name), Array::Scalar(value == "true")};
  const Json number = Json::parse(value, nullptr, /*allow_exceptions=*/false);
  if (number.is_number_unsigned() && number.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX))
    return {std::move(name), Array::Scalar(number.get<std::int64_t>())};
  if (number.is_number_integer() && !number.is_number_unsigned())
    return {std::move(name), Array::Scalar(number.get<std::int64_t>())};
  if (number.is_number_float()) return {std::move(name), Array::Scalar(number.get<double>())};
  throw UsageError(
      fmt::format("--feed {}: '{}' is neither a .npy file nor a number, true or false", name, Printable(value)));
}

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

void PrintList(const Flags& flags) {
  const GraphSummary s = runtime::SummarizeGraphFile(flags.graph);
  if (flags.json) {
    Json out = {{"schema_version", 1}};
    PutName(out, "path", flags.graph);
    out["format"] = s.has_meta ? "MetaGraphDef" : "GraphDef";
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
    return;
  }
  fmt::print("{}: {}{}, {} nodes, {} functions{}\n", Printable(flags.graph), s.has_meta ? "MetaGraphDef" : "GraphDef",
             s.tensorflow_version.empty() ? "" : " of TensorFlow " + Printable(s.tensorflow_version), s.nodes,
             s.functions, s.has_saver ? ", with a saver" : "");
  const auto list = [](const char* title, const std::vector<GraphSummary::Item>& items, std::size_t most) {
    fmt::print("{} ({})\n", title, items.size());
    for (std::size_t i = 0; i < std::min(most, items.size()); ++i) fmt::print("  {}\n", ItemText(items[i]));
    if (items.size() > most) fmt::print("  ... and {} more; --json lists all\n", items.size() - most);
  };
  list("inputs", s.inputs, 50);
  list("outputs nobody takes", s.outputs, 30);
  fmt::print("variables ({})\n", s.variables.size());
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

int Run(const Flags& flags) {
  if (flags.list) {
    PrintList(flags);
    return kEquivalent;
  }
  if (flags.fetches.empty())
    throw UsageError("give what to fetch: --fetch NAME; `equiv run GRAPH --list` shows inputs and outputs");
  flags.run.Apply();
  GraphRunOptions options{.init = flags.init, .checkpoint = flags.checkpoint, .backend = flags.run.backend};
  for (const std::string& feed : flags.feeds) options.feeds.push_back(ParseFeed(feed));
  for (const std::string& name : flags.fetches)
    if (std::ranges::find(options.fetches, name) == options.fetches.end()) options.fetches.push_back(name);
  Progress progress;
  options.progress = [&](const std::string& phase) { progress.Show(phase); };
  GraphRun run;
  try {
    run = RunGraphFile(flags.graph, options);
  } catch (const KeyError& error) {
    throw UsageError(error.what());
  }
  if (!flags.out.empty()) {
    std::vector<LazyTensor> tensors;
    for (const NamedArray& v : run.values)
      if (v.array.has_value()) tensors.push_back(Lazy(v.name, v.array));
    WriteNpz(flags.out, tensors, [&](const std::string& name) { progress.Show("writing " + Printable(name)); });
  }
  progress.Clear();
  if (flags.json) {
    Json out = {{"schema_version", 1}};
    PutName(out, "graph", flags.graph);
    out["notes"] = run.notes;
    out["variables"] = run.variables.size();
    out["ops_executed"] = run.ops_executed;
    out["fetches"] = Json::array();
    for (const NamedArray& v : run.values) {
      Json item = Json::object();
      PutName(item, "name", v.name);
      if (v.array.has_value()) {
        const Statistics s = ComputeStatistics(v.array);
        item["dtype"] = Name(v.array.dtype());
        item["shape"] = v.array.shape().vector();
        item["min"] = NumberJson(s.min);
        item["max"] = NumberJson(s.max);
        item["mean"] = NumberJson(s.mean);
        item["nan"] = s.nan;
        item["inf"] = s.inf;
      }
      out["fetches"].push_back(std::move(item));
    }
    PrintJson(out);
    return kEquivalent;
  }
  for (const std::string& note : run.notes) fmt::print("{}\n", note);
  for (const NamedArray& v : run.values) {
    if (!v.array.has_value()) {
      fmt::print("{}  ran\n", Printable(v.name));
      continue;
    }
    const Statistics s = ComputeStatistics(v.array);
    const auto number = [](double x) { return FormatFloat(static_cast<float>(x)); };
    fmt::print("{}  {}{}  min {}  max {}  mean {}{}{}\n", Printable(v.name), Name(v.array.dtype()),
               v.array.shape().ToString(), number(s.min), number(s.max), number(s.mean),
               s.nan ? fmt::format("  {} NaN", s.nan) : "", s.inf ? fmt::format("  {} infinite", s.inf) : "");
  }
  fmt::print("{} ops executed, {} variables needed{}\n", run.ops_executed, run.variables.size(),
             flags.out.empty() ? "" : "; wrote " + Printable(flags.out));
  return kEquivalent;
}
}  // namespace

std::function<int()> AddRun(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "run", "Runs a GraphDef or MetaGraphDef once and keeps what is fetched, or lists what it holds.");
  auto flags = std::make_shared<Flags>();
  command->add_option("graph", flags->graph, "binary or text, gzipped or not")->required();
  command->add_option("--feed", flags->feeds, "NAME=FILE.npy, or NAME=VALUE for a number, true or false; repeatable");
  command->add_option("--fetch", flags->fetches, "tensor, or operation to run for its effect; repeatable");
  command->add_option("--checkpoint", flags->checkpoint, "prefix, or folder with its latest, of the variables' values");
  command->add_option("--init", flags->init,
                      "operation that initialises the variables; if neither this nor --checkpoint "
                      "is given, their own initialisers run");
  command->add_option("--out", flags->out, "write the fetched values to this .npz");
  command->add_flag("--list", flags->list, "run nothing: list inputs, outputs, initialisers and unknown ops");
  command->add_flag("--json", flags->json, "print one JSON object");
  flags->run.AddTo(*command);
  return [flags] { return Run(*flags); };
}
}  // namespace equiv::tools
