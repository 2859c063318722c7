#include "runtime/checkpoint/checkpoint_reader.h"

#include <fmt/format.h>

#include <filesystem>
#include <unordered_map>

#include "kernels/base/error.h"
#include "runtime/checkpoint/checkpoint_state.h"

namespace equiv::runtime {

std::vector<std::string> CheckpointReader::KeysInMapOrder() const {
  // tf: checkpoint_reader.cc keeps its maps in std::unordered_map, filled in ascending order
  std::unordered_map<std::string, int> map;
  for (const io::BundleEntry& entry : bundle_.entries()) map.emplace(entry.key, 0);
  std::vector<std::string> keys;
  for (const auto& [key, unused] : map) keys.push_back(key);
  return keys;
}

const io::BundleEntry& CheckpointReader::Entry(std::string_view key) const {
  if (const io::BundleEntry* entry = bundle_.Find(key)) return *entry;
  throw NotFoundError(fmt::format("Key {} not found in checkpoint '{}'", key, prefix()));
}

std::optional<ObjectGraph> CheckpointReader::ReadObjectGraph() const {
  const io::BundleEntry* entry = bundle_.Find(kObjectGraphKey);
  if (!entry) return std::nullopt;
  const Array bytes = bundle_.Read(*entry);
  if (bytes.dtype() != DType::kString || bytes.num_elements() != 1)
    throw DataLossError(fmt::format("{}: key {} holds {}{}, not one string", prefix(), kObjectGraphKey,
                                    Name(bytes.dtype()), bytes.shape().ToString()));
  return ObjectGraph::Parse(bytes.strings().front(), prefix());
}

std::unique_ptr<CheckpointReader> LoadCheckpoint(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored) || CheckpointExists(path))
    return std::make_unique<CheckpointReader>(path);
  const std::optional<std::string> latest = LatestCheckpoint(path);
  if (!latest)
    throw ValueError(fmt::format("Couldn't find 'checkpoint' file or checkpoints in given directory {}", path));
  return std::make_unique<CheckpointReader>(*latest);
}

std::vector<std::pair<std::string, std::vector<std::int64_t>>> ListVariables(const std::string& path) {
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> variables;
  const std::unique_ptr<CheckpointReader> reader = LoadCheckpoint(path);
  for (const io::BundleEntry& entry : reader->bundle().entries()) variables.emplace_back(entry.key, entry.shape);
  return variables;
}

Array LoadVariable(const std::string& path, std::string_view name) {
  return LoadCheckpoint(path)->GetTensor(name.ends_with(":0") ? name.substr(0, name.size() - 2) : name);
}
}  // namespace equiv::runtime
