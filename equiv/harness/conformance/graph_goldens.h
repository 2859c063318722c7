// equiv/harness/conformance/graph_goldens.h - runs a graph that TensorFlow exported against what TensorFlow computed.
// The folder format is that of goldens/graphs: expected.json with `end_points`, graph.pb.gz, input.npy, logits.npy.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "equiv/harness/conformance/case_result.h"

namespace equiv {

struct GraphGoldenOptions {
  std::string backend = "auto";
  std::function<void(const std::string&)> progress = {};
};
// Loads the graph, runs `init`, then fetches end points, logits and loss in one run. Initial values are compared by
// SHA-256, tensors by the folder README's scaled bound: 1e-5 in inference, 5e-4 in training; the loss to rtol 1e-6.
// NotFoundError, DataLossError: a missing or damaged expected.json.
std::vector<CaseResult> RunGraphGoldens(const std::filesystem::path& folder, const GraphGoldenOptions& options);

}  // namespace equiv
