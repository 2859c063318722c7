// runtime/graph/graph_collections.h - the collections of a MetaGraphDef. Private to runtime/graph.
#pragma once
#include <string>
#include <vector>

#include "kernels/proto/graph.pb.h"
#include "runtime/graph/graph.h"
#include "runtime/variables/variables.h"

namespace equiv::runtime::internal {

// InvalidArgumentError for an item that names no output of its node.
void CheckCollections(const Graph& graph, const proto::MetaGraphDef& meta, const std::string& import_scope,
                      const std::string& where);
// Fills the graph's collections. Items whose nodes were not imported are left out; what is no variable, tensor or
// operation is kept as it is and written again.
void ReadCollections(Graph& graph, const proto::MetaGraphDef& meta, const std::string& import_scope);
// See MetaGraph::variables.
std::vector<Variable> VariablesOfFile(Graph& graph, const proto::MetaGraphDef& meta, const std::string& import_scope);
void WriteCollections(const Graph& graph, proto::MetaGraphDef& meta);

}  // namespace equiv::runtime::internal
