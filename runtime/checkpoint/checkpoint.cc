#include "runtime/checkpoint/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "kernels/base/error.h"
#include "kernels/io/tensor_bundle.h"
#include "runtime/checkpoint/checkpoint_state.h"
#include "runtime/checkpoint/load_status.h"
#include "runtime/checkpoint/restore.h"

namespace equiv::runtime {
namespace fs = std::filesystem;

struct Checkpoint::State {
  internal::GraphView view;
  bool has_root = false;
  Variable save_counter;
};

namespace {
void RequireTrackable(const std::string& name, const Attribute& value) {
  const auto* object = std::get_if<std::shared_ptr<Trackable>>(&value.value);
  const auto* variable = std::get_if<Variable>(&value.value);
  if (std::holds_alternative<std::monostate>(value.value) || (object && !*object) || (variable && !*variable))
    throw ValueError(fmt::format(
        "`Checkpoint` was expecting {} to be a trackable object (an object derived from `Trackable`), got nothing. If "
        "you believe this object should be trackable (i.e. it is part of the TensorFlow Python API and manages state), "
        "please open an issue.",
        name));
}
[[noreturn]] void RefuseWithoutSession(const std::string& path) {
  throw RuntimeError(fmt::format(
      "Unable to save checkpoint to \"{}\" in graph mode without a default session. Make one the default with "
      "SessionScope.",
      path));
}
}  // namespace

Checkpoint::Checkpoint(Keywords keywords) : state_(std::make_unique<State>()) {
  std::ranges::stable_sort(keywords, {}, &Keywords::value_type::first);
  for (const auto& [name, value] : keywords) {
    RequireTrackable(name, value);
    Track(name, value);
  }
  state_->view.root = *this;
}

Checkpoint::Checkpoint(Trackable& root, Keywords keywords) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.has_root = true;
  s.view.root = root;
  const std::vector<TrackableChild> of_root = root.TrackableChildren();
  const auto find = [&](const std::string& name) -> TrackableRef {
    const auto it = std::ranges::find(of_root, name, &TrackableChild::name);
    return it == of_root.end() ? TrackableRef() : it->ref;
  };
  if (std::ranges::find(keywords, std::string("root"), &Keywords::value_type::first) != keywords.end())
    throw TypeError("Checkpoint.__init__() got multiple values for argument 'root'");
  s.save_counter = find("save_counter").variable();
  // All keywords, and the root itself under "root", stand beside the root's own dependencies.
  std::vector<TrackableChild> given;
  for (const auto& [name, value] : keywords) {
    RequireTrackable(name, value);
    Track(name, value);
    given.push_back({name, std::ranges::find(dependencies(), name, &TrackableChild::name)->ref});
  }
  given.push_back({"root", root});
  std::ranges::stable_sort(given, {}, &TrackableChild::name);
  for (const TrackableChild& child : given) {
    const TrackableRef there = find(child.name);
    if (!there)
      s.view.attached.push_back(child);
    else if (there != child.ref)
      throw ValueError(
          fmt::format("Cannot create a Checkpoint with keyword argument {0} if root.{0} already exists.", child.name));
  }
}
Checkpoint::~Checkpoint() = default;
internal::Serialized Checkpoint::Freeze() const { return internal::Serialize(state_->view); }

// tf: Checkpoint._maybe_create_save_counter
void Checkpoint::MakeSaveCounter() {
  State& s = *state_;
  if (s.save_counter) return;
  Trackable& holder = s.has_root ? static_cast<Trackable&>(*s.view.root.object()) : *this;
  const Array pending = Current().eager() ? internal::Pending(holder, "save_counter") : Array();
  s.save_counter = MakeVariable(Tensor(pending.has_value() ? pending : Array::Scalar(std::int64_t{0})),
                                {.trainable = false, .name = "save_counter"});
  if (!s.has_root) {
    Track("save_counter", s.save_counter);
    return;
  }
  s.view.attached.push_back({"save_counter", s.save_counter});
  internal::RestoreDeferred(holder, "save_counter", s.save_counter);
}
Variable Checkpoint::save_counter() {
  MakeSaveCounter();
  return state_->save_counter;
}

std::string Checkpoint::Write(const std::string& path) {
  const internal::Serialized all = Freeze();
  Session* session = DefaultSession();
  const bool in_graph = std::ranges::any_of(all.variables, [](const auto& saved) { return !saved.variable.storage(); });
  if (in_graph && !session) RefuseWithoutSession(path);
  if (path.empty()) throw ValueError("Checkpoint: no path specified; Write needs a prefix such as 'ckpt'");
  if (const fs::path folder = fs::path(path).parent_path(); !folder.empty()) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw NotFoundError(fmt::format("{}; {}", folder.string(), error.message()));
  }
  std::vector<Array> values;
  for (const auto& saved : all.variables)
    values.push_back(internal::StorageOf(saved.variable, session)->Read("Checkpoint"));
  io::BundleWriter writer(path);
  for (std::size_t i = 0; i < values.size(); ++i) writer.Add(all.variables[i].key, values[i]);
  writer.Add(kObjectGraphKey, Array::Strings({}, {all.graph.Serialize()}));
  writer.Finish();
  return path;
}

std::int64_t Checkpoint::CountSave(const std::string& prefix) {
  const bool fresh = !state_->save_counter;
  Session* session = DefaultSession();
  if (!Current().eager() && !session) RefuseWithoutSession(prefix);
  const Variable counter = save_counter();
  if (!Current().eager() && fresh) session->Run(counter.initializer());
  const auto storage = internal::StorageOf(counter, session);
  const std::int64_t number = storage->Read("Checkpoint").data<std::int64_t>()[0] + 1;
  storage->Assign(Array::Scalar(number), "Checkpoint");
  return number;
}

std::string Checkpoint::Save(const std::string& prefix) {
  const std::string path = Write(fmt::format("{}-{}", prefix, CountSave(prefix)));
  UpdateCheckpointState(fs::path(path).parent_path().string(), path, {path}, /*relative=*/true);
  return path;
}

std::shared_ptr<LoadStatus> Checkpoint::Read(const std::optional<std::string>& path) {
  State& s = *state_;
  if (!path) return internal::MakeInitializationOnlyStatus(s.view);
  const bool eager = Current().eager();
  auto reader = std::make_shared<CheckpointReader>(*path);
  std::optional<ObjectGraph> graph = reader->ReadObjectGraph();
  if (!graph) return internal::RestoreByName(s.view, std::move(reader), eager);
  auto coordinator = std::make_shared<internal::RestoreCoordinator>(std::move(reader), std::move(*graph), eager);
  internal::CheckpointPosition(coordinator, 0).Restore(s.view.root);
  for (const TrackableChild& child : s.view.attached) {
    if (child.name == "root" || !child.ref) continue;
    for (const ObjectGraph::Child& stored : coordinator->graph.nodes[0].children)
      if (stored.name == child.name) {
        if (!coordinator->IsBound(stored.node))
          internal::CheckpointPosition(coordinator, stored.node).Restore(child.ref);
        break;
      }
  }
  return internal::MakeLoadStatus(s.view, coordinator);
}

std::shared_ptr<LoadStatus> Checkpoint::Restore(const std::optional<std::string>& path) {
  std::shared_ptr<LoadStatus> status;
  try {
    status = Read(path);
  } catch (const NotFoundError& error) {
    throw NotFoundError(fmt::format(
        "Error when restoring from checkpoint or SavedModel at {}: {}\nPlease double-check that the path is correct. "
        "You may be missing the checkpoint suffix (e.g. the '-1' in 'path/to/ckpt-1').",
        *path, error.what()));
  }
  // Made now, so that it is initialised with the other variables of a graph.
  MakeSaveCounter();
  internal::OptionallyRestored(*status, state_->save_counter);
  return status;
}
}  // namespace equiv::runtime
