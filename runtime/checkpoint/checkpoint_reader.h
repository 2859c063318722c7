// runtime/checkpoint/checkpoint_reader.h - looks into checkpoints without a model. tf: tf.train.load_checkpoint
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/base/array.h"
#include "kernels/io/tensor_bundle.h"
#include "runtime/checkpoint/object_graph.h"

namespace equiv::runtime {

// The keys of one checkpoint; tensors are read when asked for.
class CheckpointReader {
 public:
  // `prefix`: like "model.ckpt-1". Errors: see io::BundleReader.
  explicit CheckpointReader(const std::string& prefix) : bundle_(prefix) {}
  const std::string& prefix() const { return bundle_.prefix(); }
  const io::BundleReader& bundle() const { return bundle_; }

  // The keys in the order in which TensorFlow's reader lists them: that of a hash map. tf: get_variable_to_shape_map
  std::vector<std::string> KeysInMapOrder() const;
  bool HasTensor(std::string_view key) const { return bundle_.Find(key) != nullptr; }
  // NotFoundError "Key zz not found in checkpoint ...".
  Array GetTensor(std::string_view key) const { return bundle_.Read(key); }
  const io::BundleEntry& Entry(std::string_view key) const;
  // Of an object-based checkpoint; nullopt when it is name-based. DataLossError, IndexError when damaged.
  std::optional<ObjectGraph> ReadObjectGraph() const;

 private:
  io::BundleReader bundle_;
};

// `path`: a prefix, or a folder, of which the latest checkpoint is taken. ValueError "Couldn't find 'checkpoint' file
// or checkpoints in given directory D" when it has none. tf: tf.train.load_checkpoint
std::unique_ptr<CheckpointReader> LoadCheckpoint(const std::string& path);
// Keys with shapes, sorted by key. tf: tf.train.list_variables
std::vector<std::pair<std::string, std::vector<std::int64_t>>> ListVariables(const std::string& path);
// `name` may end in ":0". tf: tf.train.load_variable
Array LoadVariable(const std::string& path, std::string_view name);

}  // namespace equiv::runtime
