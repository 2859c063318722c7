// kernels/io/tensor_bundle.h - TensorFlow's checkpoint files: an index of keys, and shards of tensor bytes.
//
//   BundleWriter out("/tmp/model");              BundleReader in("/tmp/model");
//   out.Add("dense/kernel", kernel);             for (const BundleEntry& e : in.entries()) ...
//   out.Finish();                                Array kernel = in.Read("dense/kernel");
//
// A prefix P names the files P.index and P.data-00000-of-0000N. The format is described in docs/checkpoints.md.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/array.h"
#include "kernels/io/tensor_slice.h"

namespace equiv {
class ThreadPool;
}
namespace equiv::io {

class InputFile;

std::string IndexFileName(std::string_view prefix);                            // P.index
std::string DataFileName(std::string_view prefix, int shard, int num_shards);  // P.data-00000-of-00001

// One row of the index. A partitioned tensor has slices and no bytes of its own.
struct BundleEntry {
  std::string key = {};
  DType dtype = DType::kInvalid;
  std::vector<std::int64_t> shape = {};
  int shard = 0;
  std::int64_t offset = 0, size = 0;  // bytes
  std::uint32_t masked_crc32c = 0;
  std::vector<TensorSlice> slices = {};  // in the order of writing
  bool partitioned() const { return !slices.empty(); }
  friend bool operator==(const BundleEntry&, const BundleEntry&) = default;
};
struct BundleHeader {
  int num_shards = 1;
  bool big_endian = false;
  int producer = 0, min_consumer = 0;
};

// Opens the index; tensors are read when asked for. Thread-safe.
//
// Errors name the file and the key, and are of the kinds TensorFlow's restore op has: NotFoundError for missing files
// and keys, DataLossError for damage that a checksum or a size shows, OutOfRangeError for a data file that ends early,
// InvalidArgumentError for versions and slices that do not fit, InternalError for overlapping slices or an empty index.
class BundleReader {
 public:
  explicit BundleReader(std::string prefix);
  ~BundleReader();
  BundleReader(const BundleReader&) = delete;
  BundleReader& operator=(const BundleReader&) = delete;

  const std::string& prefix() const { return prefix_; }
  const BundleHeader& header() const { return header_; }
  // Ascending by key (as bytes), without the rows of slices.
  const std::vector<BundleEntry>& entries() const { return entries_; }
  // The rows of slices that partitioned tensors name; their keys are binary. tf: checkpoint::EncodeTensorNameSlice
  const std::vector<BundleEntry>& slice_entries() const { return slice_entries_; }
  const BundleEntry* Find(std::string_view key) const;  // null when absent
  // The whole tensor; a partitioned one is put together.
  Array Read(std::string_view key) const;
  Array Read(const BundleEntry& entry) const;
  // A box of it, however it is stored.
  Array ReadSlice(std::string_view key, const TensorSlice& slice) const;
  // A single stored slice, by its row.
  Array ReadStored(const BundleEntry& entry) const;

 private:
  struct Shards;
  const BundleEntry& Get(std::string_view key) const;
  Array Assemble(const BundleEntry& entry, const TensorSlice& wanted) const;
  Array ReadStrings(const BundleEntry& entry, const InputFile& file) const;
  const InputFile& RequireSize(const BundleEntry& entry) const;
  const InputFile& OpenShard(const BundleEntry& entry) const;
  void RequireChecksum(const BundleEntry& entry, std::uint32_t crc) const;
  std::string KeyText(const BundleEntry& entry) const;
  std::string Where(const BundleEntry& entry) const;
  std::string prefix_;
  BundleHeader header_;
  std::vector<BundleEntry> entries_, slice_entries_;
  std::map<std::string, std::string> slice_texts_;  // for error texts, by key
  std::unique_ptr<Shards> shards_;
};

// read(0) ... read(count - 1), on the threads of the pool. After errors: that of the smallest number is thrown.
std::vector<Array> ReadTogether(std::size_t count, const std::function<Array(std::size_t)>& read, ThreadPool& pool);

// Writes tensors in the order of the calls. Nothing has its final name before Finish(), which puts the data files in
// place and the index last: whoever kills the process, a checkpoint of the same name that was there before stays
// readable until the new one is. Bytes equal TensorFlow's for the same calls.
class BundleWriter {
 public:
  // NotFoundError where the folder does not exist.
  explicit BundleWriter(std::string prefix, int num_shards = 1);
  ~BundleWriter();  // removes what was written unless finished
  BundleWriter(const BundleWriter&) = delete;
  BundleWriter& operator=(const BundleWriter&) = delete;

  // InvalidArgumentError "Adding duplicate key: x"; UnimplementedError for a dtype without bytes.
  void Add(std::string_view key, const Array& array, int shard = 0);
  // A part of the tensor `full_name` of `full_shape`; the parts of one tensor share its dtype and full shape.
  void AddSlice(std::string_view full_name, std::span<const std::int64_t> full_shape, const TensorSlice& slice,
                const Array& array, int shard = 0);
  void Finish();

 private:
  struct Shard;
  void Check(std::string_view key, const Array& array, int shard) const;
  BundleEntry& AddRow(std::string_view key, std::string_view shown);
  void Append(BundleEntry& entry, const Array& array, int shard);
  std::string prefix_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::map<std::string, BundleEntry, std::less<>> rows_;
  bool finished_ = false;
};

// Joins bundles into one whose shards are theirs in order, and removes their files. tf: MergeV2Checkpoints
void MergeBundles(std::span<const std::string> prefixes, const std::string& merged_prefix);

}  // namespace equiv::io
