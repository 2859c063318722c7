// equiv/harness/conformance/folder.h - runs any folder of stored cases, telling formats apart by their files.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "equiv/harness/conformance/case_result.h"
#include "runtime/layers/layer.h"

namespace equiv {

struct ConformanceRun;
struct ConformanceOptions {
  std::string backend = "auto";
  // See ModelGoldenOptions::find_model.
  std::function<runtime::ModelFunction(const std::string& name, std::int64_t classes)> find_model;
  std::function<void(const std::string&)> progress;
  // Formats of layers above: true when the folder was one of them.
  std::function<bool(const std::filesystem::path& folder, const ConformanceOptions& options, ConformanceRun& run)>
      other = {};
};
struct ConformanceRun {
  std::string suite;  // "random", "ops", the model's name, or the folder's name for several
  std::vector<CaseResult> results;
};
// index.tsv: random streams; config.json with `model`: a whole model; manifest.json with `packs`: ops;
// what `other` knows; otherwise each
// sub-folder in order of name, its cases prefixed by its name. Throws NotFoundError when nothing is recognised.
ConformanceRun RunConformance(const std::filesystem::path& folder, const ConformanceOptions& options);

}  // namespace equiv
