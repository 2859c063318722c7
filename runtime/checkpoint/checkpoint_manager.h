// runtime/checkpoint/checkpoint_manager.h - keeps the newest checkpoints of a folder and deletes the rest.
// tf: tf.train.CheckpointManager
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/checkpoint/checkpoint.h"

namespace equiv::runtime {

struct CheckpointManagerOptions {
  std::optional<int> max_to_keep = std::nullopt;  // nullopt: all are kept
  // Of those to be deleted, one every n hours stays for good and is no longer listed.
  std::optional<double> keep_checkpoint_every_n_hours = std::nullopt;
  std::string checkpoint_name = "ckpt";
  // An integer scalar that counts steps, and how many of them lie between two checkpoints at least.
  Variable step_counter = {};
  std::optional<std::int64_t> checkpoint_interval = std::nullopt;
  std::function<void()> init_fn = {};  // called by RestoreOrInitialize where there is no checkpoint
  std::function<double()> clock = {};  // seconds since 1970; default: the system's
};
struct ManagerSaveOptions {
  std::optional<std::int64_t> checkpoint_number = std::nullopt;  // default: the checkpoint's save counter
  bool check_interval = true;
};

// Goes on where the state file of the folder says an earlier manager stopped. `checkpoint` must outlive the manager.
class CheckpointManager {
 public:
  // ValueError: max_to_keep below 1; an interval without a counter.
  CheckpointManager(Checkpoint& checkpoint, std::string directory, CheckpointManagerOptions options = {});
  // Writes DIRECTORY/NAME-n, then deletes what is too old, and returns the path; nullopt when no checkpoint is due.
  // Errors: see Checkpoint::Save; FailedPreconditionError: the folder is a file.
  std::optional<std::string> Save(const ManagerSaveOptions& options = {});
  // Restores the latest checkpoint and returns its path, or calls init_fn. In a graph, `status` of the restoration has
  // to be run: see last_status.
  std::optional<std::string> RestoreOrInitialize();
  // Of the last RestoreOrInitialize that restored; else null.
  const std::shared_ptr<LoadStatus>& last_status() const { return status_; }

  const std::optional<std::string>& latest_checkpoint() const { return latest_; }
  // Oldest first, without those kept for good.
  std::vector<std::string> checkpoints() const;
  const std::string& directory() const { return directory_; }
  std::optional<std::int64_t> checkpoint_interval() const { return options_.checkpoint_interval; }
  Checkpoint& checkpoint() const { return checkpoint_; }

 private:
  struct Kept {
    std::string path;
    double time = 0;
  };
  double Now() const;
  std::int64_t Step() const;
  void Sweep();
  void RecordState() const;
  Checkpoint& checkpoint_;
  std::string directory_;
  CheckpointManagerOptions options_;
  std::vector<Kept> kept_;
  std::optional<std::string> latest_;
  std::optional<std::int64_t> last_step_;
  double last_preserved_ = 0;
  std::shared_ptr<LoadStatus> status_;
};

}  // namespace equiv::runtime
