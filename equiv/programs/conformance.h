// equiv/programs/conformance.h - runs folders of programs with stored results (fixtures/goldens/naming).
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "equiv/harness/conformance/folder.h"

namespace equiv::programs {

// True and filled when `folder` holds *.json files that are lists of objects with `program`; one result per case and
// mode. A program that needs an unknown function is skipped, naming it.
bool RunPrograms(const std::filesystem::path& folder, const ConformanceOptions& options, ConformanceRun& run);

}  // namespace equiv::programs
