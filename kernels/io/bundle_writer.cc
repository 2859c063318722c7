#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "kernels/base/error.h"
#include "kernels/io/bundle_table.h"
#include "kernels/io/crc32c.h"
#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"

namespace equiv::io {
namespace {
namespace fs = std::filesystem;
constexpr std::size_t kChunk = std::size_t{256} << 10;
constexpr int kProducer = 1;  // tf: kTensorBundleVersion

void PutVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// A checkpoint has two files or more, so replacing one of the same name is not one rename. Before its data files are
// overwritten, they get a second set of names (of a shard count nobody uses) and the index one rename that points
// there: at every moment the index in place belongs to data that is whole.
class OldCheckpoint {
 public:
  explicit OldCheckpoint(const std::string& prefix) {
    std::error_code error;
    if (!fs::exists(IndexFileName(prefix), error)) return;
    BundleIndex index;
    try {
      index = ReadBundleIndex(IndexFileName(prefix));
    } catch (const Error&) {
      return;  // nothing readable to keep
    }
    const int old = index.header.num_shards;
    int spare = old + 1;
    while (spare < 99999 && fs::exists(DataFileName(prefix, 0, spare), error)) ++spare;
    for (int shard = 0; shard < old; ++shard) {
      const std::string from = DataFileName(prefix, shard, old), to = DataFileName(prefix, shard, spare);
      if (!fs::exists(from, error)) continue;
      fs::create_hard_link(from, to, error);
      if (error) fs::copy_file(from, to, error);  // a file system without links
      if (error) throw ResourceExhaustedError(fmt::format("cannot set '{}' aside: {}", from, error.message()));
      aside_.push_back(to);
      replaced_.push_back(from);
    }
    index.header.num_shards = spare;
    std::vector<const BundleEntry*> rows;
    for (const BundleEntry& row : index.rows) rows.push_back(&row);
    WriteFile(IndexFileName(prefix), EncodeBundleIndex(index.header, rows));
  }
  // Once the new index is in place: removes the second names, and old data files that the new one did not overwrite.
  void Remove(const std::vector<std::string>& written) const {
    std::error_code ignored;
    for (const std::string& file : aside_) fs::remove(file, ignored);
    for (const std::string& file : replaced_)
      if (std::ranges::find(written, file) == written.end()) fs::remove(file, ignored);
  }

 private:
  std::vector<std::string> aside_, replaced_;
};

// tf: WriteStringTensor
std::string EncodeStrings(const Array& array, std::uint32_t& crc) {
  std::string bytes;
  crc = 0;
  for (const std::string& s : array.strings()) {
    PutVarint(bytes, s.size());
    const std::uint64_t length = s.size();
    crc = ExtendCrc32c(crc, &length, length <= 0xffffffffu ? 4 : 8);
  }
  const std::uint32_t masked = MaskCrc32c(crc);
  bytes.append(reinterpret_cast<const char*>(&masked), sizeof masked);
  crc = ExtendCrc32c(crc, &masked, sizeof masked);
  for (const std::string& s : array.strings()) {
    bytes += s;
    crc = ExtendCrc32c(crc, s.data(), s.size());
  }
  return bytes;
}
}  // namespace

struct BundleWriter::Shard {
  std::unique_ptr<OutputFile> file;  // opened by the first tensor
};

BundleWriter::BundleWriter(std::string prefix, int num_shards) : prefix_(std::move(prefix)) {
  if (num_shards < 1 || num_shards > 99999)
    throw InvalidArgumentError(fmt::format("a checkpoint has 1 to 99999 shards, not {}", num_shards));
  const fs::path folder = fs::path(prefix_).parent_path();
  std::error_code error;
  if (!folder.empty() && !fs::is_directory(folder, error))
    throw NotFoundError(
        fmt::format("{}; No such file or directory: the folder of checkpoint '{}'", folder.string(), prefix_));
  for (int i = 0; i < num_shards; ++i) {
    shards_.push_back(std::make_unique<Shard>());
    shards_.back()->file = std::make_unique<OutputFile>(DataFileName(prefix_, i, num_shards));
  }
}
BundleWriter::~BundleWriter() = default;

BundleEntry& BundleWriter::AddRow(std::string_view key, std::string_view shown) {
  if (finished_) throw FailedPreconditionError(fmt::format("checkpoint '{}' is finished already", prefix_));
  if (shown.empty()) throw InvalidArgumentError(fmt::format("checkpoint '{}': a key is empty", prefix_));
  auto [it, fresh] = rows_.try_emplace(std::string(key));
  if (!fresh) throw InvalidArgumentError(fmt::format("Adding duplicate key: {} (checkpoint '{}')", shown, prefix_));
  it->second.key = key;
  return it->second;
}

void BundleWriter::Append(BundleEntry& entry, const Array& array, int shard) {
  OutputFile& file = *shards_[static_cast<std::size_t>(shard)]->file;
  entry.dtype = array.dtype();
  entry.shape = array.shape().vector();
  entry.shard = shard;
  entry.offset = file.size();
  std::uint32_t crc = 0;
  if (array.dtype() == DType::kString) {
    const std::string bytes = EncodeStrings(array, crc);
    file.Append(bytes);
  } else {
    for (std::size_t done = 0, size = array.num_bytes(); done < size; done += kChunk) {
      const std::size_t n = std::min(kChunk, size - done);
      crc = ExtendCrc32c(crc, array.raw() + done, n);
      file.Append(array.raw() + done, n);
    }
  }
  entry.size = file.size() - entry.offset;
  entry.masked_crc32c = MaskCrc32c(crc);
}

void BundleWriter::Check(std::string_view key, const Array& array, int shard) const {
  if (SizeOf(array.dtype()) == 0 && array.dtype() != DType::kString)
    throw UnimplementedError(fmt::format("checkpoint '{}': key {}: a tensor of dtype {} has no plain bytes", prefix_,
                                         key, Name(array.dtype())));
  if (shard < 0 || shard >= static_cast<int>(shards_.size()))
    throw InvalidArgumentError(
        fmt::format("checkpoint '{}': key {}: shard {} of {}", prefix_, key, shard, shards_.size()));
}

void BundleWriter::Add(std::string_view key, const Array& array, int shard) {
  Check(key, array, shard);
  Append(AddRow(key, key), array, shard);
}

void BundleWriter::AddSlice(std::string_view full_name, std::span<const std::int64_t> full_shape,
                            const TensorSlice& slice, const Array& array, int shard) {
  Check(full_name, array, shard);
  if (slice.ShapeWithin(full_shape) != array.shape().vector())
    throw InvalidArgumentError(fmt::format("checkpoint '{}': slice {} of '{}' does not have the shape {} of its value",
                                           prefix_, FormatShapeAndSlice(full_shape, slice), full_name,
                                           array.shape().ToString()));
  // tf: BundleWriter::AddSlice: a slice that is everything is stored as the tensor itself
  if (array.shape().vector() == std::vector<std::int64_t>(full_shape.begin(), full_shape.end()))
    return Add(full_name, array, shard);
  auto it = rows_.find(full_name);
  const std::vector<std::int64_t> shape(full_shape.begin(), full_shape.end());
  if (it != rows_.end() && !it->second.partitioned())
    throw InvalidArgumentError(
        fmt::format("Adding duplicate key: {} (checkpoint '{}'), whole and in slices", full_name, prefix_));
  if (it != rows_.end() && (it->second.dtype != array.dtype() || it->second.shape != shape))
    throw InvalidArgumentError(
        fmt::format("checkpoint '{}': the slices of '{}' differ in dtype or full shape", prefix_, full_name));
  Append(AddRow(EncodeSliceKey(full_name, slice), fmt::format("{} slice {}", full_name, slice.ToString())), array,
         shard);
  if (it == rows_.end()) {
    it = rows_.try_emplace(std::string(full_name)).first;
    it->second.key = full_name;
    it->second.dtype = array.dtype();
    it->second.shape = shape;
  }
  it->second.slices.push_back(slice);
}

void BundleWriter::Finish() {
  if (finished_) return;
  for (const auto& shard : shards_) shard->file->Close();
  const BundleHeader header{.num_shards = static_cast<int>(shards_.size()), .producer = kProducer};
  std::vector<const BundleEntry*> rows;
  for (auto& [key, row] : rows_) {
    // Of a partitioned tensor: the slices of one shard before those of the next, as merging shards would list them.
    if (row.partitioned()) {
      const auto shard = [&](const TensorSlice& slice) { return rows_.at(EncodeSliceKey(key, slice)).shard; };
      std::ranges::stable_sort(row.slices, {}, shard);
      row.shard = shard(row.slices.front());
    }
    rows.push_back(&row);
  }
  OutputFile index(IndexFileName(prefix_));
  index.Append(EncodeBundleIndex(header, rows));
  index.Close();
  const OldCheckpoint old(prefix_);
  std::vector<std::string> written;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    shards_[i]->file->Commit();
    written.push_back(DataFileName(prefix_, static_cast<int>(i), header.num_shards));
  }
  index.Commit();
  finished_ = true;
  old.Remove(written);
}

// tf: MergeOneBundle: data files are numbered in the order in which the rows of the bundles meet them.
void MergeBundles(std::span<const std::string> prefixes, const std::string& merged_prefix) {
  if (prefixes.empty()) throw InvalidArgumentError("MergeV2Checkpoints: at least one checkpoint prefix is needed");
  std::map<std::string, BundleEntry> rows;
  std::vector<std::string> files;
  for (const std::string& prefix : prefixes) {
    const BundleIndex index = ReadBundleIndex(IndexFileName(prefix));
    for (BundleEntry row : index.rows) {
      const auto same = rows.find(row.key);
      if (same != rows.end()) {
        BundleEntry& first = same->second;
        if (!row.partitioned() || !first.partitioned() || row.shape != first.shape || row.dtype != first.dtype)
          throw InvalidArgumentError(
              fmt::format("Duplicate tensor keyed by {} encountered, when merging prefix: {}", row.key, prefix));
        first.slices.insert(first.slices.end(), row.slices.begin(), row.slices.end());
        continue;
      }
      const std::string file = DataFileName(prefix, row.shard, index.header.num_shards);
      const auto known = std::ranges::find(files, file);
      row.shard = static_cast<int>(known - files.begin());
      if (known == files.end()) files.push_back(file);
      rows.emplace(row.key, std::move(row));
    }
  }
  const BundleHeader header{.num_shards = static_cast<int>(files.size()), .producer = kProducer};
  std::vector<const BundleEntry*> sorted;
  for (const auto& [key, row] : rows) sorted.push_back(&row);
  OutputFile merged(IndexFileName(merged_prefix));
  merged.Append(EncodeBundleIndex(header, sorted));
  merged.Close();
  const OldCheckpoint old(merged_prefix);
  std::vector<std::string> written;
  for (const std::string& file : files) {
    written.push_back(DataFileName(merged_prefix, static_cast<int>(written.size()), header.num_shards));
    std::error_code error;
    fs::rename(file, written.back(), error);
    if (error) throw NotFoundError(fmt::format("{}; {}", file, error.message()));
  }
  merged.Commit();
  old.Remove(written);
  std::error_code ignored;
  for (const std::string& prefix : prefixes)
    if (prefix != merged_prefix) fs::remove(IndexFileName(prefix), ignored);
}
}  // namespace equiv::io
