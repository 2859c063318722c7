#include "equiv/harness/conformance/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "equiv/harness/conformance/checkpoint_goldens.h"
#include "equiv/harness/conformance/graph_goldens.h"
#include "equiv/harness/conformance/model_goldens.h"
#include "equiv/harness/conformance/ops_cases.h"
#include "equiv/harness/conformance/random_goldens.h"
#include "kernels/base/error.h"
#include "runtime/eager/eager.h"

namespace equiv {
namespace {
namespace fs = std::filesystem;

bool HasKey(const fs::path& file, const char* key) {
  std::ifstream in(file);
  if (!in) return false;
  const nlohmann::json object = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded()) throw DataLossError(fmt::format("'{}' is not valid JSON", file.string()));
  return object.is_object() && object.contains(key);
}

bool RunOne(const fs::path& folder, const ConformanceOptions& options, ConformanceRun& run) {
  runtime::EagerScope eager_scope;
  runtime::EagerContext& eager = runtime::EagerContext::Get();
  eager.Reset();
  eager.SetBackend(options.backend);
  if (fs::exists(folder / "index.tsv")) {
    run = {"random", RunRandomGoldens(folder, eager)};
  } else if (HasKey(folder / "config.json", "model")) {
    std::ifstream in(folder / "config.json");
    const nlohmann::json config = nlohmann::json::parse(in);
    run.suite = config["model"].is_string() ? config["model"].get<std::string>() : "model";
    run.results = RunModelGoldens(
        folder,
        {.backend = options.backend, .find_model = options.find_model, .only_runs = {}, .progress = options.progress});
  } else if (HasKey(folder / "manifest.json", "packs")) {
    run = {"ops", RunOpCases(folder, eager)};
  } else if (HasKey(folder / "expected.json", "index_entries")) {
    run = {"checkpoint", RunCheckpointGoldens(folder)};
  } else if (HasKey(folder / "expected.json", "end_points")) {
    run.suite = "graph";
    run.results = RunGraphGoldens(folder, {.backend = options.backend, .progress = options.progress});
  } else {
    return options.other && options.other(folder, options, run);
  }
  return true;
}
}  // namespace

ConformanceRun RunConformance(const fs::path& folder, const ConformanceOptions& options) {
  if (!fs::exists(folder)) throw NotFoundError(fmt::format("no folder '{}'", folder.string()));
  if (!fs::is_directory(folder))
    throw NotFoundError(fmt::format("'{}' is a file; give the folder that holds the cases", folder.string()));
  ConformanceRun run;
  if (RunOne(folder, options, run)) return run;
  std::vector<fs::path> parts;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_directory()) parts.push_back(entry.path());
  std::ranges::sort(parts);
  const fs::path name = folder.filename().empty() ? folder.parent_path().filename() : folder.filename();
  run.suite = name.string();
  bool any = false;
  for (const fs::path& part : parts) {
    ConformanceRun one;
    if (!RunOne(part, options, one)) continue;
    any = true;
    for (CaseResult& r : one.results) {
      r.id = part.filename().string() + "/" + r.id;
      run.results.push_back(std::move(r));
    }
  }
  if (!any)
    throw NotFoundError(fmt::format(
        "'{}' is in no known format: expected index.tsv (random), config.json with \"model\" (whole model), "
        "manifest.json with \"packs\" (ops), expected.json with \"index_entries\" (checkpoint) or \"end_points\" "
        "(graph), or *.json with programs "
        "(naming), here or in a sub-folder",
        folder.string()));
  return run;
}
}  // namespace equiv
