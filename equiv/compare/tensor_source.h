// equiv/compare/tensor_source.h - named tensors in a file of any kind: listed at once, read one at a time.
//
//   const std::unique_ptr<TensorSource> source = OpenSafetensors("model.safetensors");
//   for (const TensorInfo& info : source->tensors()) Use(info.name, source->Read(info));
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernels/base/array.h"
#include "kernels/io/tensor_bundle.h"

namespace equiv {

struct TensorInfo {
  std::string name = {};
  DType dtype = DType::kInvalid;
  std::vector<std::int64_t> shape = {};  // as the file says: of any rank
  std::int64_t bytes = 0;                // that the tensor takes in the file, uncompressed
  std::size_t slices = 0;                // of a partitioned variable in a checkpoint
  std::string variable = {};             // the variable's own name, where the file knows it beside `name`
  bool bookkeeping = false;              // of the checkpoint, not of the model: its object graph, its save counter

  std::string ShapeText() const;                    // "[3,5]"
  std::optional<std::int64_t> NumElements() const;  // nullopt when the shape is too large for any memory
};

// Thread-safe.
class TensorSource {
 public:
  virtual ~TensorSource() = default;
  TensorSource(const TensorSource&) = delete;
  TensorSource& operator=(const TensorSource&) = delete;

  // "npz", "safetensors", "name-based checkpoint", "object-based checkpoint", "recording".
  const std::string& kind() const { return kind_; }
  const std::string& path() const { return path_; }
  // In the file's order. No two have one name.
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  const TensorInfo* Find(std::string_view name) const;  // null when absent
  // Facts about the file, one a line: shards, producer, members that are no arrays.
  const std::vector<std::string>& notes() const { return notes_; }
  // The files that hold the data, for those who must not overwrite them.
  const std::vector<std::string>& files() const { return files_; }

  // The whole tensor. `info` is one of tensors(). Errors name file and tensor: DataLossError, OutOfRangeError for
  // damage, UnimplementedError for more than 8 dimensions; see also io::BundleReader.
  virtual Array Read(const TensorInfo& info) const = 0;
  // NotFoundError that names the nearest names there are.
  Array Read(std::string_view name) const;

 protected:
  TensorSource(std::string kind, std::string path) : kind_(std::move(kind)), path_(std::move(path)) {}
  // DataLossError for a name that is there already.
  void Add(TensorInfo info);
  // Where it stands in tensors(). NotFoundError when it does not.
  std::size_t IndexOf(const TensorInfo& info) const;
  std::string kind_, path_;
  std::vector<TensorInfo> tensors_;
  std::vector<std::string> notes_, files_;

 private:
  std::unordered_map<std::string, std::size_t> index_;
};

// A TensorFlow checkpoint by its prefix, keys in ascending order. Whether it is object-based, and what its variables
// are called, others know: see equiv/harness/open_source.h. Errors: io::BundleReader.
class CheckpointSource : public TensorSource {
 public:
  explicit CheckpointSource(const std::string& prefix);
  Array Read(const TensorInfo& info) const override;
  using TensorSource::Read;
  const io::BundleReader& bundle() const { return bundle_; }
  bool object_based() const;

 protected:
  io::BundleReader bundle_;
};

// What a file of several tensors is written from: the tensors are asked for one after the other, when their turn comes.
struct LazyTensor {
  std::string name = {};
  DType dtype = DType::kInvalid;
  std::vector<std::int64_t> shape = {};
  std::function<Array()> read = {};  // an array of that dtype and shape
};
LazyTensor Lazy(std::string name, Array array);
// InternalError when it is not what was announced.
Array ReadChecked(const LazyTensor& tensor);

// Up to `count` of `names` that look most like `name`, nearest first; for errors.
std::vector<std::string> NearestNames(std::string_view name, const std::vector<std::string>& names, std::size_t count);

}  // namespace equiv
