#include "runtime/passes/passes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace equiv::runtime {
namespace {
// tf: RewriterConfig's switches. Those without an effect here are accepted, so that a configuration carries over.
constexpr std::string_view kKnown[] = {"layout_optimizer",         "constant_folding",
                                       "shape_optimization",       "remapping",
                                       "arithmetic_optimization",  "common_subgraph_elimination",
                                       "dependency_optimization",  "loop_optimization",
                                       "function_optimization",    "debug_stripper",
                                       "disable_model_pruning",    "scoped_allocator_optimization",
                                       "pin_to_host_optimization", "implementation_selector",
                                       "auto_mixed_precision"};
}  // namespace

bool PassOptions::on(std::string_view pass) const {
  for (const std::string& name : off)
    if (std::ranges::find(kKnown, name) == std::end(kKnown))
      throw ValueError(fmt::format("unknown optimiser pass '{}'; passes are: {}", name, fmt::join(kKnown, ", ")));
  if (std::ranges::find(kKnown, pass) == std::end(kKnown))
    throw ValueError(fmt::format("unknown optimiser pass '{}'; passes are: {}", pass, fmt::join(kKnown, ", ")));
  return !disable_meta_optimizer && !off.contains(std::string(pass)) &&
         (pass != "common_subgraph_elimination" || !off.contains("arithmetic_optimization"));
}

std::vector<std::string> PassNames() { return {"common_subgraph_elimination"}; }

std::vector<const Edge*> RewrittenInputs(const Node& node, const PassOptions& options) {
  std::vector<const Edge*> inputs = node.inputs();
  if (node.op() != "AddN" || !options.on("common_subgraph_elimination")) return inputs;
  // tf: the pass orders the inputs of commutative nodes by their text, "name" or "name:index"
  auto text = [](const Edge* e) {
    return e->index ? e->node->name() + ":" + std::to_string(e->index) : e->node->name();
  };
  std::ranges::stable_sort(inputs, {}, text);
  return inputs;
}
}  // namespace equiv::runtime
