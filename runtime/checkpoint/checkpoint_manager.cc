#include "runtime/checkpoint/checkpoint_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "kernels/base/error.h"
#include "runtime/checkpoint/checkpoint_state.h"
#include "runtime/checkpoint/restore.h"
#include "runtime/core/log.h"

namespace equiv::runtime {

CheckpointManager::CheckpointManager(Checkpoint& checkpoint, std::string directory, CheckpointManagerOptions options)
    : checkpoint_(checkpoint), directory_(std::move(directory)), options_(std::move(options)) {
  if (options_.max_to_keep && *options_.max_to_keep <= 0)
    throw ValueError(
        fmt::format("Expected a positive integer or `None` for `max_to_keep`, got {}.", *options_.max_to_keep));
  if (options_.checkpoint_interval && !options_.step_counter)
    throw ValueError("`step_counter` should be passed if `checkpoint_interval` is not None.");
  const double now = Now();
  const std::optional<CheckpointState> state = GetCheckpointState(directory_);
  if (!state) {
    last_preserved_ = now - 1;  // tf: so that a checkpoint of this very moment counts as newer
    return;
  }
  latest_ = state->model_checkpoint_path;
  last_preserved_ = state->last_preserved_timestamp.value_or(0);
  if (now < last_preserved_) {
    Log(LogLevel::kWarning,
        fmt::format("time.time() returned a value {:f} seconds behind the last preserved checkpoint timestamp.",
                    last_preserved_ - now));
    last_preserved_ = now;
  }
  const auto& times = state->all_model_checkpoint_timestamps;
  for (std::size_t i = 0; i < state->all_model_checkpoint_paths.size() && (times.empty() || i < times.size()); ++i) {
    const double time = std::min(times.empty() ? last_preserved_ : times[i], now);
    if (time > last_preserved_) kept_.push_back({state->all_model_checkpoint_paths[i], time});
  }
}

double CheckpointManager::Now() const {
  if (options_.clock) return options_.clock();
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int64_t CheckpointManager::Step() const {
  const Array value = internal::StorageOf(options_.step_counter, DefaultSession())->Read("CheckpointManager");
  if (value.num_elements() != 1 || !IsInteger(value.dtype()))
    throw TypeError(fmt::format("step_counter '{}' must be an integer scalar, got {} of shape {}",
                                options_.step_counter.name(), Name(value.dtype()), value.shape().ToTuple()));
  return static_cast<std::int64_t>(value.ElementAsDouble(0));
}

std::optional<std::string> CheckpointManager::Save(const ManagerSaveOptions& options) {
  std::optional<std::int64_t> step;
  if (options_.checkpoint_interval) {
    step = Step();
    if (last_step_ &&
        (*step == *last_step_ || (options.check_interval && *step < *last_step_ + *options_.checkpoint_interval)))
      return std::nullopt;
    last_step_ = step;
  }
  const std::string prefix = (std::filesystem::path(directory_) / options_.checkpoint_name).string();
  const std::int64_t count = checkpoint_.CountSave(prefix);
  const std::string path = checkpoint_.Write(fmt::format("{}-{}", prefix, options.checkpoint_number.value_or(count)));
  std::erase_if(kept_, [&](const Kept& kept) { return kept.path == path; });
  kept_.push_back({path, Now()});
  latest_ = path;
  RecordState();  // before anything is deleted, so that the state never names what is gone
  Sweep();
  RecordState();
  return path;
}

void CheckpointManager::Sweep() {
  if (!options_.max_to_keep) return;
  while (kept_.size() > static_cast<std::size_t>(*options_.max_to_keep)) {
    const Kept oldest = kept_.front();
    kept_.erase(kept_.begin());
    if (const auto hours = options_.keep_checkpoint_every_n_hours;
        hours && *hours != 0 && oldest.time - *hours * 3600 >= last_preserved_) {
      last_preserved_ = oldest.time;
      continue;
    }
    RemoveCheckpoint(oldest.path);
  }
}

void CheckpointManager::RecordState() const {
  std::vector<double> times;
  for (const Kept& kept : kept_) times.push_back(kept.time);
  UpdateCheckpointState(directory_, *latest_, checkpoints(), /*relative=*/true, "checkpoint", times,
                        last_preserved_ != 0 ? std::optional(last_preserved_) : std::nullopt);
}

std::vector<std::string> CheckpointManager::checkpoints() const {
  std::vector<std::string> paths;
  for (const Kept& kept : kept_) paths.push_back(kept.path);
  return paths;
}

std::optional<std::string> CheckpointManager::RestoreOrInitialize() {
  if (latest_) {
    status_ = checkpoint_.Restore(*latest_);
    if (options_.checkpoint_interval) last_step_ = Step();
    return latest_;
  }
  if (options_.init_fn) {
    options_.init_fn();
    Log(LogLevel::kInfo, "Customized initialization is done through the passed `init_fn`.");
  }
  return std::nullopt;
}
}  // namespace equiv::runtime
