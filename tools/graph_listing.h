// tools/graph_listing.h - what a graph file holds, for people and as JSON.
#pragma once
#include <string>

#include "runtime/graph/graph_summary.h"

namespace equiv::tools {

// Inputs, outputs, variables, initialisers and ops that are not known here, on stdout.
void PrintGraph(const std::string& path, const runtime::GraphSummary& summary, bool json);

}  // namespace equiv::tools
