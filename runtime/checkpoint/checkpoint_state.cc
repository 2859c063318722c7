#include "runtime/checkpoint/checkpoint_state.h"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>
#include <sys/stat.h>

#include <filesystem>
#include <regex>

#include "kernels/base/error.h"
#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"
#include "kernels/proto/checkpoint.pb.h"
#include "runtime/core/log.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime {
namespace {
namespace fs = std::filesystem;

class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (text.empty()) text = fmt::format("{}:{}: {}", line + 1, column + 1, message);
  }
  std::string text;
};

// tf: os.path.relpath, for paths that are both relative to the working folder
std::string RelativeTo(const std::string& path, const std::string& folder) {
  return fs::path(path).lexically_normal().lexically_relative(
      fs::path(folder.empty() ? "." : folder).lexically_normal());
}
std::string Below(const std::string& folder, const std::string& path) {
  return fs::path(path).is_absolute() || folder.empty() ? path : (fs::path(folder) / path).string();
}
}  // namespace

CheckpointState CheckpointState::Parse(std::string_view text, const std::string& where) {
  proto::CheckpointState message;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  const google::protobuf::LogSilencer silent;
  if (!parser.ParseFromString(std::string(text), &message))
    throw DataLossError(fmt::format("{}: no checkpoint state: {}", where, error.text));
  CheckpointState state;
  state.model_checkpoint_path = message.model_checkpoint_path();
  state.all_model_checkpoint_paths.assign(message.all_model_checkpoint_paths().begin(),
                                          message.all_model_checkpoint_paths().end());
  state.all_model_checkpoint_timestamps.assign(message.all_model_checkpoint_timestamps().begin(),
                                               message.all_model_checkpoint_timestamps().end());
  state.all_model_checkpoint_paths.push_back(state.model_checkpoint_path);
  for (const std::string& path : state.all_model_checkpoint_paths)  // protobuf's C++ parser lets other bytes pass
    if (!io::IsUtf8(path))
      throw DataLossError(fmt::format("{}: no checkpoint state: path \"{}\" is not UTF-8", where, io::Printable(path)));
  state.all_model_checkpoint_paths.pop_back();
  if (message.last_preserved_timestamp() != 0) state.last_preserved_timestamp = message.last_preserved_timestamp();
  return state;
}

std::string CheckpointState::ToText() const {
  proto::CheckpointState message;
  message.set_model_checkpoint_path(model_checkpoint_path);
  for (const std::string& path : all_model_checkpoint_paths) message.add_all_model_checkpoint_paths(path);
  std::string text;
  google::protobuf::TextFormat::PrintToString(message, &text);
  // tf: written by Python, which shows 1.0 as "1.0"
  for (const double time : all_model_checkpoint_timestamps)
    text += fmt::format("all_model_checkpoint_timestamps: {}\n", internal::FloatRepr(time));
  if (last_preserved_timestamp.value_or(0) != 0)
    text += fmt::format("last_preserved_timestamp: {}\n", internal::FloatRepr(*last_preserved_timestamp));
  return text;
}

std::optional<CheckpointState> GetCheckpointState(const std::string& folder, const std::string& latest_filename) {
  const std::string file = Below(folder, latest_filename);
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  CheckpointState state;
  try {
    state = CheckpointState::Parse(io::ReadFile(file), file);
  } catch (const Error& error) {
    Log(LogLevel::kWarning, error.Describe());
    Log(LogLevel::kWarning, fmt::format("{}: Checkpoint ignored", file));
    return std::nullopt;
  }
  if (state.model_checkpoint_path.empty())
    throw ValueError(fmt::format("Invalid checkpoint state loaded from {}", folder));
  state.model_checkpoint_path = Below(folder, state.model_checkpoint_path);
  for (std::string& path : state.all_model_checkpoint_paths) path = Below(folder, path);
  return state;
}

// tf: generate_checkpoint_state_proto
void UpdateCheckpointState(const std::string& folder, const std::string& path, std::vector<std::string> all_paths,
                           bool relative, const std::string& latest_filename, const std::vector<double>& timestamps,
                           std::optional<double> last_preserved_timestamp) {
  if (all_paths.empty() || all_paths.back() != path) all_paths.push_back(path);
  if (!timestamps.empty() && timestamps.size() != all_paths.size())
    throw ValueError(
        fmt::format("Checkpoint timestamps, if provided, must match checkpoint paths (got {} paths and {} "
                    "timestamps)",
                    all_paths.size(), timestamps.size()));
  const bool relative_folder = !fs::path(folder).is_absolute();
  const auto stored = [&](const std::string& p) {
    const bool absolute = fs::path(p).is_absolute();
    if (absolute ? relative : relative_folder) return RelativeTo(p, absolute ? fs::absolute(folder).string() : folder);
    return p;
  };
  CheckpointState state{.model_checkpoint_path = stored(path),
                        .all_model_checkpoint_timestamps = timestamps,
                        .last_preserved_timestamp = last_preserved_timestamp};
  for (const std::string& p : all_paths) state.all_model_checkpoint_paths.push_back(stored(p));
  const std::string file = Below(folder, latest_filename);
  if (file == state.model_checkpoint_path)
    throw RuntimeError(fmt::format(
        "Save path '{}' conflicts with path used for checkpoint state.  Please use a different save path.", path));
  io::WriteFile(file, state.ToText());
}

bool CheckpointExists(const std::string& prefix) {
  std::error_code ignored;
  return fs::exists(io::IndexFileName(prefix), ignored) || fs::is_regular_file(prefix, ignored);
}

std::optional<std::string> LatestCheckpoint(const std::string& folder, const std::string& latest_filename) {
  const std::optional<CheckpointState> state = GetCheckpointState(folder, latest_filename);
  if (!state) return std::nullopt;
  if (CheckpointExists(state->model_checkpoint_path)) return state->model_checkpoint_path;
  Log(LogLevel::kError, fmt::format("Couldn't match files for checkpoint {}", state->model_checkpoint_path));
  return std::nullopt;
}

std::optional<double> CheckpointTime(const std::string& prefix) {
  struct stat status {};
  for (const std::string& file : {io::IndexFileName(prefix), prefix})
    if (stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode))
      return static_cast<double>(status.st_mtim.tv_sec) + 1e-9 * static_cast<double>(status.st_mtim.tv_nsec);
  return std::nullopt;
}

void RemoveCheckpoint(const std::string& prefix) {
  std::error_code ignored;
  // tf: meta_graph_filename
  static const std::regex sharded("-[0-9?]+-of-[0-9]+$");
  fs::remove(std::regex_replace(prefix, sharded, "") + ".meta", ignored);
  fs::remove(io::IndexFileName(prefix), ignored);
  const fs::path path(prefix), folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const std::string start = path.filename().string() + ".data-";
  static const std::regex rest("[0-9]{5}-of-[0-9]{5}");
  std::vector<fs::path> data;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(start) && std::regex_match(name.substr(start.size()), rest)) data.push_back(entry.path());
  }
  for (const fs::path& file : data) fs::remove(file, ignored);
}
}  // namespace equiv::runtime
