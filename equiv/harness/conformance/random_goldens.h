// equiv/harness/conformance/random_goldens.h - stored random tensors (index.tsv, .npy files, tables.json).
#pragma once
#include <filesystem>
#include <vector>

#include "equiv/harness/conformance/case_result.h"
#include "runtime/eager/eager.h"

namespace equiv {

// Recomputes every tensor of index.tsv and every table of tables.json (where the file exists). Bits must match, except
// orthogonal matrices: 1e-6 absolute. NotFoundError, DataLossError: missing or damaged files.
std::vector<CaseResult> RunRandomGoldens(const std::filesystem::path& folder, runtime::EagerContext& eager);

}  // namespace equiv
