// runtime/checkpoint/checkpoint.h - saves and restores objects by the names on the way to their variables.
// tf: tf.train.Checkpoint
//
//   Checkpoint checkpoint({{"variables", Attribute::List{a, b, c}}});
//   const std::string path = checkpoint.Save("ckpt");            // "ckpt-1"
//   checkpoint.Restore(path)->AssertConsumed();
//
// In a graph, values live in the default session (SessionScope), and restoring waits for RunRestoreOps.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/checkpoint/trackable.h"
#include "runtime/session/session.h"

namespace equiv::runtime {

namespace internal {
struct Serialized;
}

// What a restoration has done so far, and what it still waits for. Each method returns the status; failures are
// AssertionErrors.
class LoadStatus : public std::enable_shared_from_this<LoadStatus> {
 public:
  virtual ~LoadStatus() = default;
  // Every value of the checkpoint has found its variable, and every variable its value.
  virtual std::shared_ptr<LoadStatus> AssertConsumed() = 0;
  // Every variable that exists now has found its value.
  virtual std::shared_ptr<LoadStatus> AssertExistingObjectsMatched() = 0;
  // Something beside the root has found its value.
  virtual std::shared_ptr<LoadStatus> AssertNontrivialMatch() = 0;
  // Graphs: assigns what was found. Eagerly that is done already. `session`: default: the default session.
  virtual void RunRestoreOps(Session* session = nullptr) = 0;
  // The same, and initialises what was not found.
  virtual void InitializeOrRestore(Session* session = nullptr) = 0;
  // No warning about values that were not used.
  virtual std::shared_ptr<LoadStatus> ExpectPartial() { return shared_from_this(); }
};

class Checkpoint : public Trackable {
 public:
  using Keywords = std::vector<std::pair<std::string, Attribute>>;
  // ValueError for a keyword without anything trackable.
  explicit Checkpoint(Keywords keywords = {});
  // The dependencies of `root` itself, with further ones beside them. `root` must outlive the checkpoint.
  // Checkpoint(model) and Checkpoint({{"model", model}}) differ. ValueError: root has another object of that name.
  explicit Checkpoint(Trackable& root, Keywords keywords = {});
  ~Checkpoint() override;

  // Saves to "PREFIX-n", n counting up in `save_counter`, makes missing folders, and writes the state file. Returns the
  // path. RuntimeError in a graph without a default session.
  std::string Save(const std::string& prefix);
  // Saves to `path` as it is; no counter, no state file.
  std::string Write(const std::string& path);
  // Restores what matches now, and later what is attached or built under a matching name. A name-based checkpoint is
  // matched by variable names. nullopt, as from LatestCheckpoint of an empty folder: nothing is restored, and the
  // status only initialises. Errors, which change nothing: see io::BundleReader; InvalidArgumentError: another dtype;
  // ValueError: another shape.
  std::shared_ptr<LoadStatus> Read(const std::optional<std::string>& path);
  // Read, with the save counter.
  std::shared_ptr<LoadStatus> Restore(const std::optional<std::string>& path);
  // Made when first asked for. int64 scalar.
  Variable save_counter();
  std::string Describe() const override { return "<tensorflow.python.checkpoint.checkpoint.Checkpoint object>"; }

 private:
  friend class CheckpointManager;
  friend class Saver;
  struct State;
  internal::Serialized Freeze() const;
  void MakeSaveCounter();
  // Counts one more save; the new number.
  std::int64_t CountSave(const std::string& prefix);
  std::unique_ptr<State> state_;
};

}  // namespace equiv::runtime
