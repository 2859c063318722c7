#include "runtime/checkpoint/saver.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <set>

#include "kernels/base/error.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/checkpoint_state.h"
#include "runtime/checkpoint/graph_view.h"
#include "runtime/checkpoint/saveable.h"
#include "runtime/checkpoint/saver_graph.h"
#include "runtime/core/log.h"
#include "runtime/core/ops.h"

namespace equiv::runtime {
namespace {
namespace fs = std::filesystem;
using internal::SaveSpec;

double SystemSeconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// tf: _wrap_restore_error_with_msg
std::string WrappedRestoreError(const std::string& what, const char* cause) {
  return fmt::format(
      "Restoring from checkpoint failed. This is most likely due to {}. Please ensure that you have not altered the "
      "graph expected based on the checkpoint. Original error:\n\n{}",
      cause, what);
}
constexpr const char* kMissing = "a Variable name or other graph key that is missing from the checkpoint";
constexpr const char* kMismatch = "a mismatch between the current graph and the graph from the checkpoint";
}  // namespace

struct Saver::State {
  SaverOptions options;
  Graph* graph = nullptr;  // null: eager
  std::vector<SaveSpec> specs;
  bool built = false, empty = false;
  SaverDef def;
  struct Kept {
    std::string path;
    double time;
  };
  std::vector<Kept> last;  // oldest first
  std::deque<Kept> to_delete;
  double next_kept = 0;
  std::unique_ptr<Saver> object_based;  // for checkpoints of objects, built when first needed

  double Now() const { return options.clock ? options.clock() : SystemSeconds(); }
  int MaxToKeep() const { return options.max_to_keep.value_or(0); }

  void Finish() {
    built = true;
    if (!graph)
      Log(LogLevel::kWarning,
          "Saver is deprecated, please switch to tf.train.Checkpoint or tf.keras.Model.save_weights for training "
          "checkpoints. When executing eagerly variables do not necessarily have unique names, and so the "
          "variable.name-based lookups Saver performs are error-prone.");
    next_kept = Now() + options.keep_checkpoint_every_n_hours * 3600;
    if (specs.empty()) {
      if (!options.allow_empty) throw ValueError("No variables to save");
      empty = true;
      return;
    }
    if (!graph) return;
    GraphScope scope(*graph);
    def = internal::AddSaverOps(*graph, specs, options);
    def.max_to_keep = MaxToKeep();
    def.keep_checkpoint_every_n_hours = static_cast<float>(options.keep_checkpoint_every_n_hours);
    def.sharded = options.sharded;
  }

  void Record(const std::string& path) {
    if (MaxToKeep() == 0) return;
    std::erase_if(last, [&](const Kept& k) { return k.path == path; });
    last.push_back({path, Now()});
    if (static_cast<int>(last.size()) > MaxToKeep()) {
      to_delete.push_back(last.front());
      last.erase(last.begin());
    }
  }
  void DeleteOld() {
    if (to_delete.empty()) return;
    const Kept old = to_delete.front();
    to_delete.pop_front();
    if (old.time > next_kept) {
      next_kept += options.keep_checkpoint_every_n_hours * 3600;
      return;
    }
    RemoveCheckpoint(old.path);
  }

  void RunSave(Session& session, const std::string& path) const {
    session.RunNested(Fetch(def.save_tensor_name), {{def.filename_tensor_name, Array::Strings({}, {path})}});
  }
  void RunRestore(Session& session, const std::string& path) const {
    session.RunNested(Fetch(def.restore_op_name), {{def.filename_tensor_name, Array::Strings({}, {path})}});
  }
};

Saver::Saver(SaverOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  state_->graph = Current().graph();
  if (!state_->graph)
    throw RuntimeError("When eager execution is enabled, `var_list` must specify a list or dict of variables to save");
  if (!state_->options.defer_build) Build();
}
Saver::Saver(VarList variables, SaverOptions options) : state_(std::make_unique<State>()) {
  if (options.defer_build)
    throw ValueError(
        "If `var_list` is provided then build cannot be deferred. Either set defer_build=False or var_list=None.");
  state_->options = std::move(options);
  state_->graph = Current().graph();
  state_->specs = internal::SpecsOf(variables, !state_->graph);
  state_->Finish();
}
Saver::Saver(VarDict variables, SaverOptions options) : state_(std::make_unique<State>()) {
  if (options.defer_build)
    throw ValueError(
        "If `var_list` is provided then build cannot be deferred. Either set defer_build=False or var_list=None.");
  state_->options = std::move(options);
  state_->graph = Current().graph();
  state_->specs = internal::SpecsOf(variables);
  state_->Finish();
}
Saver::Saver(Graph& graph, const SaverDef& def, SaverOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  state_->options.max_to_keep = def.max_to_keep;
  state_->options.sharded = def.sharded;
  if (def.keep_checkpoint_every_n_hours > 0)
    state_->options.keep_checkpoint_every_n_hours = static_cast<double>(def.keep_checkpoint_every_n_hours);
  state_->graph = &graph;
  state_->def = def;
  graph.FindTensor(def.filename_tensor_name);
  graph.FindTensor(def.save_tensor_name);
  if (!graph.FindNode(def.restore_op_name))
    throw ValueError(fmt::format("The saver's restore_op_name '{}' is no operation of the graph", def.restore_op_name));
  state_->built = true;
  state_->next_kept = state_->Now() + state_->options.keep_checkpoint_every_n_hours * 3600;
}
Saver::Saver(const Checkpoint& checkpoint, SaverOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  state_->graph = Current().graph();
  if (!state_->graph) throw RuntimeError("Saver: a Checkpoint is saved by itself in eager mode; this is for graphs");
  const internal::Serialized all = checkpoint.Freeze();
  for (const internal::SavedVariable& saved : all.variables) state_->specs.push_back({saved.key, "", saved.variable});
  const DeviceScope device("/cpu:0");
  state_->specs.push_back(
      {std::string(kObjectGraphKey), "", {}, Constant(Array::Strings({}, {all.graph.Serialize()}))});
  std::ranges::stable_sort(state_->specs, {}, &SaveSpec::key);
  state_->Finish();
}
Saver::~Saver() = default;

void Saver::Build() {
  State& s = *state_;
  if (s.built) return;
  VarList variables;
  GraphScope scope(*s.graph);
  for (const Variable& v : GlobalVariables()) variables.emplace_back(v);
  for (const Variable& v : VariablesOf("saveable_objects")) variables.emplace_back(v);
  s.specs = internal::SpecsOf(variables, /*eager=*/false);
  s.Finish();
}

std::string Saver::Save(Session* session, const std::string& path, const SaveOptions& options) {
  State& s = *state_;
  if (!s.built) throw RuntimeError("`build()` should be called before save if defer_build==True");
  if (path.empty()) throw ValueError("no path specified: Save needs a prefix such as 'model'");
  if (fs::path(options.latest_filename).has_parent_path())
    throw ValueError("'latest_filename' must not contain path components");
  std::string prefix = path;
  if (options.global_step) {
    prefix = s.options.pad_step_number ? fmt::format("{}-{:08}", path, *options.global_step)
                                       : fmt::format("{}-{}", path, *options.global_step);
  } else if (fs::path(path).filename() == options.latest_filename && !s.options.sharded) {
    throw ValueError(
        fmt::format("'latest_filename' collides with 'save_path': '{}' and '{}'", options.latest_filename, path));
  }
  if (s.graph && !session)
    throw TypeError("'sess' must be a Session: this Saver was made in a graph, whose values a session holds");
  const std::string folder = fs::path(path).parent_path().string();
  std::error_code ignored;
  if (!folder.empty() && !fs::is_directory(folder, ignored))
    throw ValueError(fmt::format("Parent directory of {} doesn't exist, can't save.", path));
  if (!s.empty) {
    if (s.graph)
      s.RunSave(*session, prefix);
    else
      internal::WriteEagerly(s.specs, prefix);
    if (options.write_state) {
      s.Record(prefix);
      UpdateCheckpointState(folder, prefix, last_checkpoints(), s.options.save_relative_paths, options.latest_filename);
      s.DeleteOld();
    }
  }
  if (s.graph && options.write_meta_graph)
    ExportMetaGraph(*s.graph, fmt::format("{}.{}", prefix, options.meta_graph_suffix),
                    s.empty ? std::nullopt : std::optional(s.def));
  return s.empty ? std::string() : prefix;
}

void Saver::Restore(Session* session, const std::string& path) {
  State& s = *state_;
  if (s.empty) return;
  if (!s.built) throw RuntimeError("`build()` should be called before restore if defer_build==True");
  if (path.empty()) throw ValueError("Can't load save_path when it is None.");
  if (!CheckpointExists(path))
    throw ValueError(fmt::format("The passed save_path is not a valid checkpoint: {}", path));
  if (s.graph && !session)
    throw TypeError("'sess' must be a Session: this Saver was made in a graph, whose values a session holds");
  Log(LogLevel::kInfo, fmt::format("Restoring parameters from {}", path));
  try {
    if (s.graph)
      s.RunRestore(*session, path);
    else
      internal::AssignFrom(io::BundleReader(path), s.specs, {.reshape = s.options.reshape});
  } catch (const NotFoundError& error) {
    // A name that is missing, or a checkpoint that has no names but objects.
    std::vector<std::pair<std::string, std::string>> keys;
    try {
      keys = ObjectGraphKeyMapping(path);
    } catch (const NotFoundError&) {
      throw NotFoundError(WrappedRestoreError(error.what(), kMissing));
    }
    if (s.specs.empty()) throw;
    Log(LogLevel::kWarning,
        "Restoring an object-based checkpoint using a name-based saver. This may be somewhat fragile, and will "
        "re-build the Saver. Instead, consider loading object-based checkpoints using tf.train.Checkpoint().");
    const std::vector<SaveSpec> renamed = internal::SpecsUnderKeys(s.specs, keys);
    if (!s.graph) {
      internal::AssignFrom(io::BundleReader(path), renamed, {.reshape = s.options.reshape});
      return;
    }
    if (!s.object_based) {
      GraphScope scope(*s.graph);
      VarDict dict;
      for (const SaveSpec& spec : renamed) dict.emplace_back(spec.key, spec.variable);
      s.object_based = std::make_unique<Saver>(std::move(dict));
    }
    s.object_based->state_->RunRestore(*session, path);
  } catch (const InvalidArgumentError& error) {
    throw InvalidArgumentError(WrappedRestoreError(error.what(), kMismatch));
  }
}

std::vector<std::string> Saver::last_checkpoints() const {
  std::vector<std::string> paths;
  for (const State::Kept& k : state_->last) paths.push_back(k.path);
  return paths;
}
void Saver::SetLastCheckpoints(const std::vector<std::string>& paths) {
  state_->last.clear();
  // tf: their times are not known, so none is old enough to be kept for good
  for (const std::string& path : paths) state_->last.push_back({path, std::numeric_limits<double>::infinity()});
}
void Saver::RecoverLastCheckpoints(const std::vector<std::string>& paths) {
  state_->last.clear();
  for (const std::string& path : paths)
    if (const std::optional<double> time = CheckpointTime(path)) state_->last.push_back({path, *time});
}
SaverDef Saver::AsSaverDef() const {
  if (!state_->graph) throw ValueError("a Saver made in eager mode has no ops");
  return state_->def;
}

std::unique_ptr<Saver> ImportMetaGraph(const std::string& path, const std::string& import_scope) {
  Graph* graph = Current().graph();
  if (!graph)
    throw RuntimeError(
        "Exporting/importing meta graphs is not supported when eager execution is enabled. No graph exists when eager "
        "execution is enabled.");
  const MetaGraph meta = ImportGraphFile(*graph, path, {.import_scope = import_scope});
  if (meta.saver) return std::make_unique<Saver>(*graph, *meta.saver);
  if (meta.variables.empty()) {
    Log(LogLevel::kInfo, "Saver not created because there are no variables in the graph to restore");
    return nullptr;
  }
  return std::make_unique<Saver>();
}

std::vector<std::pair<std::string, std::string>> ObjectGraphKeyMapping(const std::string& prefix) {
  const std::optional<ObjectGraph> graph = CheckpointReader(prefix).ReadObjectGraph();
  if (!graph)
    throw NotFoundError(fmt::format("Key {} not found in checkpoint '{}': it is name-based", kObjectGraphKey, prefix));
  std::map<std::string, std::string> keys;
  for (const ObjectGraph::Node& node : graph->nodes)
    for (const ObjectGraph::Attribute& attribute : node.attributes)
      keys[attribute.full_name] = attribute.checkpoint_key;
  return {keys.begin(), keys.end()};
}

// tf: saver_from_object_based_checkpoint
std::vector<SaveSpec> internal::SpecsUnderKeys(const std::vector<SaveSpec>& specs,
                                               const std::vector<std::pair<std::string, std::string>>& keys) {
  std::map<std::string, std::string> known(keys.begin(), keys.end());
  std::set<std::string> wanted, missing, extra;
  for (const SaveSpec& spec : specs) wanted.insert(spec.key);
  for (const std::string& name : wanted)
    if (!known.contains(name)) missing.insert(name);
  if (!missing.empty()) {
    for (const auto& [name, key] : known)
      if (!wanted.contains(name)) extra.insert(name);
    throw NotFoundError(fmt::format(
        "\n\nExisting variables not in the checkpoint: {}\n\nVariables names when this checkpoint was written which "
        "don't exist now: {}\n\n({} variable name(s) did match)\n\nCould not find some variables in the checkpoint "
        "(see names above). The Saver was reading an object-based checkpoint by variable names, which may have "
        "changed since. Give it only the variables that existed then, or a dictionary with their old names as keys.",
        fmt::join(missing, ", "), fmt::join(extra, ", "), wanted.size() - missing.size()));
  }
  std::vector<SaveSpec> renamed = specs;
  for (SaveSpec& spec : renamed) spec.key = known.at(spec.key);
  std::ranges::stable_sort(renamed, {}, &SaveSpec::key);
  return renamed;
}
}  // namespace equiv::runtime
