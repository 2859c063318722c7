// runtime/passes/passes.h - graph optimiser passes, switchable by TensorFlow's names.
#pragma once
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/graph/graph.h"

namespace equiv::runtime {

// tf: RewriterConfig. Names: "common_subgraph_elimination" (sorts the inputs of AddN by name; part of TensorFlow's
// arithmetic_optimization, which switches it off too), "remapping" (fuses only what keeps every bit).
struct PassOptions {
  bool disable_meta_optimizer = false;  // all off
  std::set<std::string> off;
  bool on(std::string_view pass) const;  // ValueError for a name that is no pass of ours or TensorFlow's
  static PassOptions None() { return {.disable_meta_optimizer = true, .off = {}}; }
};
// Names of the passes that do something here.
std::vector<std::string> PassNames();

// The inputs of a node as the executor should see them, after the passes that reorder inputs.
std::vector<const Edge*> RewrittenInputs(const Node& node, const PassOptions& options);

}  // namespace equiv::runtime
