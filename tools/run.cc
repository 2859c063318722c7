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
#include "tools/graph_listing.h"
#include "tools/tensor_json.h"
#include "tools/verb.h"

namespace equiv::tools {
namespace {
using Json = nlohmann::ordered_json;

struct Flags {
  std::string graph, checkpoint, init, out = "outputs.npz";
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

int Run(const Flags& flags) {
  if (flags.list) {
    PrintGraph(flags.graph, runtime::SummarizeGraphFile(flags.graph), flags.json);
    return kEquivalent;
  }
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
  std::vector<LazyTensor> tensors;
  for (const NamedArray& v : run.values)
    if (v.array.has_value()) tensors.push_back(Lazy(v.name, v.array));
  if (!tensors.empty())
    WriteNpz(flags.out, tensors, [&](const std::string& name) { progress.Show("writing " + Printable(name)); });
  progress.Clear();
  if (flags.json) {
    Json out = {{"schema_version", 1}};
    PutName(out, "graph", flags.graph);
    if (tensors.empty())
      out["out"] = nullptr;
    else
      PutName(out, "out", flags.out);
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
             tensors.empty() ? "" : "; wrote " + Printable(flags.out));
  return kEquivalent;
}
}  // namespace

std::function<int()> AddRun(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "run", "Runs a GraphDef or MetaGraphDef once and keeps what is fetched, or lists what it holds.");
  auto flags = std::make_shared<Flags>();
  command->add_option("graph", flags->graph, "binary or text, gzipped or not")->required();
  command->add_option("--feed", flags->feeds, "NAME=FILE.npy, or NAME=VALUE for a number, true or false; repeatable")
      ->allow_extra_args(false);
  command
      ->add_option("--fetch", flags->fetches,
                   "tensor, or operation to run for its effect; repeatable. If none is given: the one tensor that "
                   "the feeds lead to and nothing uses")
      ->allow_extra_args(false);
  command->add_option("--checkpoint", flags->checkpoint, "prefix, or folder with its latest, of the variables' values");
  command->add_option("--init", flags->init,
                      "operation that initialises the variables; if neither this nor --checkpoint "
                      "is given, their own initialisers run");
  command->add_option("--out", flags->out, "the .npz that gets the fetched values; replaced if it is there")
      ->capture_default_str();
  command->add_flag("--list", flags->list, "run nothing: list inputs, outputs, initialisers and unknown ops");
  command->add_flag("--json", flags->json, "print one JSON object");
  flags->run.AddTo(*command);
  return [flags] { return Run(*flags); };
}
}  // namespace equiv::tools
