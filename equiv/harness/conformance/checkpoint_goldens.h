// equiv/harness/conformance/checkpoint_goldens.h - checks a stored checkpoint against what TensorFlow reads in it.
// The folder format is that of goldens/checkpoints: expected.json with `index_entries`.
#pragma once
#include <filesystem>
#include <vector>

#include "equiv/harness/conformance/case_result.h"

namespace equiv {

// Header, order of keys, every tensor, every index row, the object graph and the state file; then writes every
// checkpoint of the folder anew from values and names and asks for the same bytes.
// NotFoundError, DataLossError: a missing or damaged expected.json.
std::vector<CaseResult> RunCheckpointGoldens(const std::filesystem::path& folder);

}  // namespace equiv
