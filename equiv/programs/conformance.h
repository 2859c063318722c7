// equiv/programs/conformance.h - runs folders of programs with stored results (fixtures/goldens/naming).
#pragma once
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "equiv/harness/conformance/folder.h"

namespace equiv::programs {

// True and filled when `folder` holds *.json files that are lists of objects with `program`; one result per case and mode.
// A program that needs an unknown function is skipped, naming it.
bool RunPrograms(const std::filesystem::path& folder, const ConformanceOptions& options, ConformanceRun& run);

// Where `got` differs from `expected` by the pass rule of the goldens' README; empty when it does not. `exact` is cleared
// when a tensor agrees within the tolerance only.
std::string CompareResults(const nlohmann::json& expected, const nlohmann::json& got, bool& exact);

}  // namespace equiv::programs
