// runtime/graph/graph_calls.h - whether functions fit the ops that call them. Private to runtime/graph.
#pragma once
#include <string>

#include "kernels/base/attr.h"

namespace equiv::runtime {

// InvalidArgumentError starting with `where` when a function of a call, a branch or a loop takes or gives other types
// than the attributes of its op say. Other ops pass.
void CheckFunctionTypes(const std::string& op, const AttrMap& attrs, const std::string& where);

}  // namespace equiv::runtime
