// equiv/harness/conformance/ops_cases.h - stored op cases (manifest.json and packs of tensors).
#pragma once
#include <filesystem>
#include <vector>

#include "equiv/harness/conformance/case_result.h"
#include "kernels/base/op_builder.h"

namespace equiv {

// Runs every case of `folder` whose op exists through `builder` (eager) and judges it by the folder's own pass rule. A
// case of an unknown op is skipped with the reason. Gradients are not computed: their outputs are counted in `why`.
// NotFoundError, DataLossError: missing or damaged files.
std::vector<CaseResult> RunOpCases(const std::filesystem::path& folder, OpBuilder& builder);

}  // namespace equiv
