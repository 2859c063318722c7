// Weights of models in files.
#include <fmt/format.h>

#include <filesystem>

#include "kernels/base/error.h"
#include "runtime/checkpoint/checkpoint_state.h"
#include "runtime/checkpoint/load_status.h"
#include "runtime/layers/model.h"

namespace equiv::runtime {
namespace {
// tf: is_hdf5_filepath
void RequireTensorFlowFormat(const std::string& path, std::string_view what) {
  for (std::string_view ending : {".h5", ".hdf5", ".keras"})
    if (path.ends_with(ending))
      throw UnimplementedError(fmt::format(
          "{}: '{}' names a file in HDF5 format, which is not supported; leave out the ending '{}' for a checkpoint",
          what, path, ending));
}
Session& RequireSession(std::string_view what) {
  if (Session* session = DefaultSession()) return *session;
  throw RuntimeError(fmt::format("{} in a graph needs a default session; make one with SessionScope", what));
}
}  // namespace

void Model::SaveWeights(const std::string& path) {
  RequireTensorFlowFormat(path, "SaveWeights");
  RequireWeights();
  Checkpoint(*this).Write(path);
  UpdateCheckpointState(std::filesystem::path(path).parent_path().string(), path, {path}, /*relative=*/true);
}

std::shared_ptr<LoadStatus> Model::LoadWeights(const std::string& path) {
  RequireTensorFlowFormat(path, "LoadWeights");
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored))
    throw InvalidArgumentError(
        fmt::format("LoadWeights: '{0}' is a folder; give the prefix of a checkpoint, such as that of "
                    "LatestCheckpoint(\"{0}\")",
                    path));
  std::shared_ptr<LoadStatus> status = Checkpoint(*this).Read(path);
  if (!Current().eager()) internal::StreamingRestore(*status, RequireSession("LoadWeights"));
  status->AssertNontrivialMatch();
  return status;
}
}  // namespace equiv::runtime
