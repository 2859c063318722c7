// equiv/harness/open_source.h - opens named tensors wherever they are: what `equiv inspect`, compare and convert read.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "equiv/compare/tensor_source.h"
#include "runtime/checkpoint/object_graph.h"

namespace equiv {

// A checkpoint that knows what the variables of an object-based one are called: TensorInfo::variable is the name by
// runtime::NamesOfKeys.
class NamedCheckpointSource final : public CheckpointSource {
 public:
  // Errors: CheckpointSource, and those of runtime::ObjectGraph::Parse.
  explicit NamedCheckpointSource(const std::string& prefix);
  // nullopt: name-based.
  const std::optional<runtime::ObjectGraph>& object_graph() const { return graph_; }

 private:
  std::optional<runtime::ObjectGraph> graph_;
};

// Finds out what `path` is:
//   a checkpoint, by its prefix P (there is P.index) or as P.index itself
//   a folder with the state file `checkpoint`: its latest checkpoint
//   a folder with recording.json: a recording
//   a file: .npz or .safetensors, by its name, else by its first bytes
//   an .npy file, by its first bytes: one tensor "arr_0", as numpy.savez would name it
// NotFoundError naming everything that was looked for, where nothing is there or nothing fits. InvalidArgumentError
// where two things are there. Else the errors of what is there.
std::unique_ptr<TensorSource> OpenTensorSource(const std::string& path);

}  // namespace equiv
