// equiv/harness/graph_side.h - a graph read from a file as one side of a check.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "equiv/harness/side.h"
#include "runtime/session/session.h"
#include "runtime/variables/variables.h"

namespace equiv {

// The value that a variable of a graph has in a session; no value when it is not initialised.
Array VariableValue(const runtime::Session& session, const runtime::Variable& variable);

}  // namespace equiv
