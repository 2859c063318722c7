// equiv/harness/checkpoint_start.h - runs that start from a checkpoint, and checkpoints written by runs (steps 3b, 4b).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "runtime/checkpoint/checkpoint.h"
#include "runtime/layers/layer.h"
#include "runtime/session/session.h"
#include "runtime/variables/variables.h"

namespace equiv {

enum class CheckpointKind { kNameBased, kObjectBased };
std::string_view Name(CheckpointKind kind);  // "name-based"
// Which of the two a checkpoint is. Errors: see io::BundleReader.
CheckpointKind KindOfCheckpoint(const std::string& prefix);

// Where a run leaves its variables.
struct SaveRequest {
  std::string prefix;
  CheckpointKind kind = CheckpointKind::kNameBased;
};

// A graph: name-based through a Saver, object-based through Checkpoint(var_list={name: variable}).
void SaveVariables(runtime::Session& session, const std::vector<runtime::Variable>& variables, const SaveRequest& save);
// Eager: name-based through a Saver, object-based through Checkpoint(layer).
void SaveVariables(runtime::Layer& layer, const std::vector<runtime::Variable>& variables, const SaveRequest& save);

// Gives the variables of a graph the values of a checkpoint; an object-based one is read by the names that the
// variables had when it was written, else as Checkpoint(NAME={name: variable}). NotFoundError: a variable is not in it.
void RestoreVariables(runtime::Session& session, const std::vector<runtime::Variable>& variables,
                      const std::string& prefix);

// Eager: the variables of a layer take their values from a checkpoint while the layer is being built.
class EagerCheckpointStart {
 public:
  // By objects: Checkpoint(layer).read; a name-based checkpoint by names. Or: by the names that the variables of an
  // object-based checkpoint had when it was written.
  EagerCheckpointStart(const std::string& prefix, runtime::Layer& layer, bool by_full_name);
  ~EagerCheckpointStart();
  // After the call. AssertionError naming variables that found no value.
  void Finish(const std::vector<runtime::Variable>& created);

 private:
  class FullNames;
  std::shared_ptr<runtime::LoadStatus> status_;
  std::unique_ptr<FullNames> names_;
  CheckpointKind kind_;
};

}  // namespace equiv
