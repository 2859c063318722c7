// equiv/harness/conformance/model_goldens.h - checks a whole model against what TensorFlow computed.
// The folder format is that of goldens/inception_resnet_v2: config.json with `model`.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "equiv/harness/conformance/case_result.h"
#include "runtime/layers/layer.h"

namespace equiv {

struct ModelGoldenOptions {
  std::string backend = "auto";
  // The model of this name with this many classes; an empty function when there is none.
  std::function<runtime::ModelFunction(const std::string& name, std::int64_t classes)> find_model;
  std::vector<std::string> only_runs = {};  // empty: all of config.json
  std::function<void(const std::string&)> progress = {};
};
// Runs every run and input of config.json in both executors and compares variables (names, order, shapes, trainable
// flags, SHA-256 of initial values), end points, logits, regularisation losses and moving statistics.
// Throws NotFoundError, DataLossError or InvalidArgumentError naming the file when the folder cannot be read.
std::vector<CaseResult> RunModelGoldens(const std::filesystem::path& folder, const ModelGoldenOptions& options);

}  // namespace equiv
