#include "equiv/harness/open_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "equiv/compare/npy.h"
#include "equiv/compare/npz.h"
#include "equiv/compare/printable.h"
#include "equiv/compare/safetensors.h"
#include "equiv/harness/recording_files.h"
#include "kernels/base/error.h"
#include "kernels/io/file.h"
#include "runtime/checkpoint/checkpoint_state.h"
#include "runtime/checkpoint/convert.h"

namespace equiv {
namespace {
namespace fs = std::filesystem;
constexpr std::string_view kIndex = ".index";

bool IsFile(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// Checkpoints of a folder, for hints.
std::vector<std::string> PrefixesIn(const std::string& folder) {
  std::vector<std::string> prefixes;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().string();
    if (name.ends_with(kIndex)) prefixes.push_back(Printable(name.substr(0, name.size() - kIndex.size())));
  }
  std::ranges::sort(prefixes);
  return prefixes;
}

std::unique_ptr<TensorSource> OpenFolder(const std::string& folder) {
  const fs::path base(folder);
  const bool state = IsFile((base / "checkpoint").string()), recording = IsFile((base / kRecordingFile).string());
  if (state && recording)
    throw InvalidArgumentError(fmt::format(
        "'{}' holds both a state file 'checkpoint' and a recording; name the checkpoint by its prefix", folder));
  if (recording) return OpenRecording(folder);
  const std::vector<std::string> prefixes = PrefixesIn(folder);
  const std::size_t shown = std::min<std::size_t>(prefixes.size(), 5);
  const std::string hint =
      prefixes.empty()
          ? ""
          : fmt::format("; checkpoints in it: '{}'{}",
                        fmt::join(prefixes.begin(), prefixes.begin() + static_cast<std::ptrdiff_t>(shown), "', '"),
                        prefixes.size() > shown ? fmt::format(" and {} more", prefixes.size() - shown) : "");
  if (!state)
    throw NotFoundError(
        fmt::format("'{}' is a folder without the state file 'checkpoint' or '{}'{}", folder, kRecordingFile, hint));
  const std::optional<std::string> latest = runtime::LatestCheckpoint(folder);
  if (!latest)
    throw NotFoundError(fmt::format("the state file of folder '{}' names no checkpoint that is there{}", folder, hint));
  return std::make_unique<NamedCheckpointSource>(*latest);
}

class NpySource final : public TensorSource {
 public:
  explicit NpySource(const std::string& path) : TensorSource("npy", path), array_(ReadNpy(path)) {
    files_ = {path};
    Add({.name = "arr_0",
         .dtype = array_.dtype(),
         .shape = array_.shape().vector(),
         .bytes = io::InputFile(path).size()});
  }
  using TensorSource::Read;
  Array Read(const TensorInfo& info) const override {
    IndexOf(info);
    return array_;
  }

 private:
  Array array_;
};

std::unique_ptr<TensorSource> OpenFile(const std::string& path) {
  if (path.ends_with(".npz")) return OpenNpz(path);
  if (path.ends_with(".safetensors")) return OpenSafetensors(path);
  const io::InputFile file(path);
  std::string start(std::min<std::size_t>(9, static_cast<std::size_t>(file.size())), '\0');
  file.Read(0, start.data(), start.size());
  if (start.starts_with("PK\x03\x04") || start.starts_with("PK\x05\x06")) return OpenNpz(path);
  if (start.size() == 9 && (start[8] == '{' || start[8] == ' ') && start.substr(4, 4) == std::string(4, '\0'))
    return OpenSafetensors(path);
  if (start.starts_with("\x93NUMPY")) return std::make_unique<NpySource>(path);
  throw NotFoundError(fmt::format(
      "'{}' is neither an .npz, .npy nor .safetensors file by name or first bytes, and there is no checkpoint '{}{}'",
      path, path, kIndex));
}
}  // namespace

NamedCheckpointSource::NamedCheckpointSource(const std::string& prefix) : CheckpointSource(prefix) {
  if (!object_based()) return;
  const Array bytes = Read(runtime::kObjectGraphKey);
  if (bytes.num_elements() != 1)
    throw DataLossError(
        fmt::format("{}: key {} holds {} strings, not one", prefix, runtime::kObjectGraphKey, bytes.num_elements()));
  graph_ = runtime::ObjectGraph::Parse(bytes.strings().front(), prefix);
  std::vector<std::string> keys;
  for (const TensorInfo& info : tensors_) keys.push_back(info.name);
  const std::map<std::string, std::string> names = runtime::NamesOfKeys(*graph_, keys);
  for (TensorInfo& info : tensors_) {
    info.bookkeeping = runtime::IsBookkeepingKey(info.name);
    if (const auto it = names.find(info.name); it != names.end()) info.variable = it->second;
  }
}

std::unique_ptr<TensorSource> OpenTensorSource(const std::string& path) {
  if (path.empty()) throw NotFoundError("an empty path names no file, folder or checkpoint");
  const bool prefix = IsFile(path + std::string(kIndex));
  std::error_code ignored;
  const bool folder = fs::is_directory(path, ignored), file = IsFile(path);
  const bool index = file && path.ends_with(kIndex);
  if (prefix && (folder || (file && !index))) {
    // A folder, or a file such as P.meta's P, that holds no tensors is in nobody's way.
    const bool tensors =
        folder ? IsFile((fs::path(path) / "checkpoint").string()) || IsFile((fs::path(path) / kRecordingFile).string())
               : path.ends_with(".npz") || path.ends_with(".safetensors");
    if (tensors)
      throw InvalidArgumentError(fmt::format(
          "'{0}' is both a {1} with tensors and, by '{0}{2}', a checkpoint; {3} and '{0}{2}' for the checkpoint", path,
          folder ? "folder" : "file", kIndex,
          folder ? fmt::format("write '{}/' for the folder", path) : "rename the file to read it,"));
  }
  if (prefix) return std::make_unique<NamedCheckpointSource>(path);
  if (index) return std::make_unique<NamedCheckpointSource>(path.substr(0, path.size() - kIndex.size()));
  if (folder) return OpenFolder(path);
  if (file) return OpenFile(path);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::exists(status))
    throw NotFoundError(
        fmt::format("'{}' is no regular file and no folder, and there is no checkpoint '{}{}'", path, path, kIndex));
  const fs::path parent = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  const std::vector<std::string> near = NearestNames(path, PrefixesIn(parent.string()), 3);
  throw NotFoundError(fmt::format(
      "nothing is at '{0}': no checkpoint '{0}{1}', no folder with a state file 'checkpoint' or a '{2}', no .npz or "
      ".safetensors file{3}",
      path, kIndex, kRecordingFile,
      near.empty() ? "" : fmt::format("; checkpoints like it: '{}'", fmt::join(near, "', '"))));
}
}  // namespace equiv
