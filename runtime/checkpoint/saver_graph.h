// runtime/checkpoint/saver_graph.h - the ops of a Saver. Private to runtime/checkpoint.
#pragma once
#include <vector>

#include "runtime/checkpoint/saveable.h"

namespace equiv::runtime::internal {

// Adds the ops that TensorFlow's Saver adds, under its names, and says which are which.
SaverDef AddSaverOps(Graph& graph, const std::vector<SaveSpec>& specs, const SaverOptions& options);
// The node that gives a variable the value `restored`. tf: SaveableObject.restore
Node* AddRestore(const Variable& variable, Tensor restored, bool reshape);

}  // namespace equiv::runtime::internal
