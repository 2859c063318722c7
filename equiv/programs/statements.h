// equiv/programs/statements.h - running statements. Private to equiv/programs.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "equiv/programs/objects.h"

namespace equiv::programs {
// The statements of a function body in `environment`; what it returns.
Value RunBody(const nlohmann::ordered_json& body, const Scope& environment);
}  // namespace equiv::programs
