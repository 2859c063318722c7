// runtime/checkpoint/checkpoint_utils.h - variables of a graph that start with the values of a checkpoint.
// tf: tf.compat.v1.train.init_from_checkpoint, warm_start
#pragma once
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/variables/variables.h"

namespace equiv::runtime {

// Where a tensor of a checkpoint goes: the name of a variable made by GetVariable, or of a scope with a slash at its
// end; a variable; the parts of a partitioned one.
using AssignmentTarget = std::variant<std::string, Variable, std::vector<Variable>>;
// From names, or scopes with a slash at their end, in the checkpoint. "/" is the root. Processed in order of the names.
using AssignmentMap = std::vector<std::pair<std::string, AssignmentTarget>>;

// Replaces the initialisers of variables of the current graph: they read the checkpoint `path` (a prefix or a folder)
// when they run. Variables of eager execution are assigned at once.
//   {{"old/", "new/"}}          every variable under new/ from its namesake under old/
//   {{"old/a", "new/a"}}        one variable, or a partitioned one, by name
//   {{"old/a", variable}}
//   {{"old/a", parts}}
//   {{"/", "scope/"}}           from the root
// ValueError: a name that neither the checkpoint nor the graph has, another shape. InvalidArgumentError, when the
// initialiser runs: another dtype. NotFoundError: no such file.
void InitFromCheckpoint(const std::string& path, const AssignmentMap& assignment_map);

struct WarmStartSettings {
  std::string ckpt_to_initialize_from = {};
  // A regular expression, matched at the start of the names of trainable variables; or a list of those, for all global
  // variables; or variables themselves; nothing: no variable.
  std::variant<std::monostate, std::string, std::vector<std::string>, std::vector<Variable>> vars_to_warm_start = ".*";
  // Names in the checkpoint of variables that are called otherwise there, by their names now.
  std::vector<std::pair<std::string, std::string>> var_name_to_prev_var_name = {};
  std::string ToString() const;
};
// Finds the variables, also in an object-based checkpoint, and calls InitFromCheckpoint. ValueError: see there; a
// renaming that no variable used. Vocabularies are not remapped.
void WarmStart(const WarmStartSettings& settings);

}  // namespace equiv::runtime
