// runtime/checkpoint/saver.h - saves and restores variables by name, in graphs and eagerly.
// tf: tf.compat.v1.train.Saver
//
//   Saver saver;                                      // in a graph: all global variables
//   saver.Save(&session, "model");                    // writes model.index, model.data-*, model.meta, checkpoint
//   saver.Restore(&session, "model");
//
//   Saver eager({{"old/name", v}});                   // eagerly, under other names
//   eager.Restore(nullptr, "model");
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/graph/graph_def.h"
#include "runtime/session/session.h"
#include "runtime/variables/variables.h"

namespace equiv::runtime {

class Checkpoint;

struct SaverOptions {
  std::optional<int> max_to_keep = 5;  // nullopt or 0: nothing is deleted
  double keep_checkpoint_every_n_hours = 10000;
  std::string name = "save";  // graphs: the name scope of the saver's ops
  bool sharded = false;       // graphs: one data file per device
  bool reshape = false;       // restored values take the variable's shape
  bool restore_sequentially = false;
  bool allow_empty = false;  // no variables: saving does nothing
  bool defer_build = false;  // without a list: take the variables when Build is called
  bool pad_step_number = false;
  bool save_relative_paths = false;
  std::function<double()> clock = {};  // seconds since 1970; default: the system's
};
struct SaveOptions {
  std::optional<std::int64_t> global_step = std::nullopt;  // "model" becomes "model-7"
  std::string latest_filename = "checkpoint";
  std::string meta_graph_suffix = "meta";
  bool write_meta_graph = true;  // graphs only
  bool write_state = true;
};

// What goes under one name: a variable, or the parts of a partitioned one.
class Saver {
 public:
  using Saveable = std::variant<Variable, PartitionedVariable, std::vector<Variable>>;
  using VarList = std::vector<Saveable>;
  using VarDict = std::vector<std::pair<std::string, Saveable>>;

  // GLOBAL_VARIABLES and SAVEABLE_OBJECTS of the current graph. ValueError "No variables to save"; RuntimeError in
  // eager mode, where the variables must be given.
  explicit Saver(SaverOptions options = {});
  // Each under its own name. ValueError: two variables of one name.
  explicit Saver(VarList variables, SaverOptions options = {});
  // ValueError: one variable under two names.
  explicit Saver(VarDict variables, SaverOptions options = {});
  // Graphs: what Checkpoint::Write would write now, object graph included, with this saver's numbering and state file.
  // tf: Scaffold(saver=checkpoint)
  explicit Saver(const Checkpoint& checkpoint, SaverOptions options = {});
  // The ops are in the graph already, as a MetaGraphDef's saver says.
  Saver(Graph& graph, const SaverDef& def, SaverOptions options = {});
  ~Saver();
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;

  // Adds the ops of a deferred saver to the current graph.
  void Build();
  // Writes a checkpoint and returns its prefix, "" when there is nothing to save. `session` is null in eager mode.
  // ValueError: no path, a path that collides with the state file's, a missing folder. FailedPreconditionError: an
  // uninitialised variable. Nothing is left behind on errors.
  std::string Save(Session* session, const std::string& path, const SaveOptions& options = {});
  // ValueError: no such checkpoint. NotFoundError: a variable's name is not in it; when the checkpoint is object-based,
  // its own names are tried first. InvalidArgumentError: another dtype or shape (eager: ValueError for a shape).
  void Restore(Session* session, const std::string& path);

  // Not yet deleted, oldest first.
  std::vector<std::string> last_checkpoints() const;
  void SetLastCheckpoints(const std::vector<std::string>& paths);
  // With the times of their files, those that exist. tf: recover_last_checkpoints
  void RecoverLastCheckpoints(const std::vector<std::string>& paths);
  // ValueError in eager mode, which has no ops.
  SaverDef AsSaverDef() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Imports a MetaGraphDef into the current graph and gives the saver for it: the file's own, else one for the imported
// variables; null when there are none. tf: tf.compat.v1.train.import_meta_graph
std::unique_ptr<Saver> ImportMetaGraph(const std::string& path, const std::string& import_scope = {});

// Names of variables in an object-based checkpoint, and the keys of their values; later nodes win.
// NotFoundError for a name-based checkpoint. tf: saver.object_graph_key_mapping
std::vector<std::pair<std::string, std::string>> ObjectGraphKeyMapping(const std::string& prefix);

}  // namespace equiv::runtime
