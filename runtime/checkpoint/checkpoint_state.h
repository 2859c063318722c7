// runtime/checkpoint/checkpoint_state.h - the text file `checkpoint`, which names the checkpoints of a folder.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace equiv::runtime {

// tf: CheckpointState
struct CheckpointState {
  std::string model_checkpoint_path = {};
  std::vector<std::string> all_model_checkpoint_paths = {};  // oldest first
  std::vector<double> all_model_checkpoint_timestamps = {};  // seconds since 1970; by CheckpointManager only
  std::optional<double> last_preserved_timestamp = std::nullopt;

  // DataLossError for text that is no state.
  static CheckpointState Parse(std::string_view text, const std::string& where);
  // Protobuf's text form, as TensorFlow writes it.
  std::string ToText() const;
};

// The state of `folder`, its paths joined with the folder where they are relative; nullopt where there is none or it
// cannot be read (logged). ValueError "Invalid checkpoint state loaded from FOLDER" where it names no checkpoint.
// tf: tf.train.get_checkpoint_state
std::optional<CheckpointState> GetCheckpointState(const std::string& folder,
                                                  const std::string& latest_filename = "checkpoint");
// Writes the state of `folder`. `all_paths` gets `path` at its end unless it is there; `relative` stores paths below
// the folder relative to it. tf: update_checkpoint_state_internal
void UpdateCheckpointState(const std::string& folder, const std::string& path, std::vector<std::string> all_paths,
                           bool relative = false, const std::string& latest_filename = "checkpoint",
                           const std::vector<double>& timestamps = {},
                           std::optional<double> last_preserved_timestamp = std::nullopt);
// The newest checkpoint of `folder`; nullopt where the state names none or its files are gone. tf:
// tf.train.latest_checkpoint
std::optional<std::string> LatestCheckpoint(const std::string& folder,
                                            const std::string& latest_filename = "checkpoint");
// Whether the files of a checkpoint are there. tf: tf.compat.v1.train.checkpoint_exists
bool CheckpointExists(const std::string& prefix);
// When it was written, in seconds since 1970; nullopt when it is not there. tf: get_checkpoint_mtimes
std::optional<double> CheckpointTime(const std::string& prefix);
// Deletes P.index, P.data-*, P.meta. tf: tf.compat.v1.train.remove_checkpoint
void RemoveCheckpoint(const std::string& prefix);

}  // namespace equiv::runtime
