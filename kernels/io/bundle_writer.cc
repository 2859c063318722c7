#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

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

// The files beside a prefix that have the name of a checkpoint's data file, and of how many shards they say to be one.
struct DataFile {
  std::string path;
  int num_shards;
};
// The number of shards in "00000-of-00002"; nullopt for any other text.
std::optional<int> ShardsInName(std::string_view rest) {
  const auto of = rest.find("-of-");
  if (of == std::string_view::npos) return std::nullopt;
  for (const std::string_view digits : {rest.substr(0, of), rest.substr(of + 4)})
    if (digits.size() < 5 || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string_view::npos)
      return std::nullopt;
  return std::stoi(std::string(rest.substr(of + 4)));
}
std::string DataStart(const std::string& prefix) { return fs::path(prefix).filename().string() + ".data-"; }
std::vector<DataFile> DataFilesOf(const std::string& prefix) {
  std::vector<DataFile> files;
  const std::string start = DataStart(prefix);
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(FolderOf(prefix), ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(start)) continue;
    if (const auto shards = ShardsInName(std::string_view(name).substr(start.size())))
      files.push_back({prefix + name.substr(start.size() - 6), *shards});
  }
  return files;
}

// A checkpoint has two files or more, so replacing one of the same name is not one rename. Data files of another number
// of shards have other names: then the rename of the index is the moment of change. Where the names are the same, the
// old data gets a second set of names (of a shard count nobody uses) and the old index one rename that points there: at
// every moment the index in place belongs to data that is whole.
class OldCheckpoint {
 public:
  // `new_shards`: of the checkpoint to come; 0 when data files of this one are about to disappear.
  OldCheckpoint(const std::string& prefix, int new_shards) : prefix_(prefix) {
    std::error_code error;
    if (!fs::exists(IndexFileName(prefix), error)) return;
    BundleIndex index;
    try {
      index = ReadBundleIndex(IndexFileName(prefix));
    } catch (const Error&) {
      return;  // nothing readable to keep
    }
    const int old = index.header.num_shards;
    if (new_shards != 0 && new_shards != old) return;
    int spare = std::max(old, new_shards);
    std::vector<std::string> present;
    for (const DataFile& file : DataFilesOf(prefix)) {
      if (file.num_shards == old) present.push_back(file.path);
      spare = std::max(spare, file.num_shards);
    }
    if (present.empty()) return;
    ++spare;
    try {
      for (const std::string& from : present) {
        const std::string to = from.substr(0, from.rfind('-')) + fmt::format("-{:05}", spare);
        fs::create_hard_link(from, to, error);
        if (error) fs::copy_file(from, to, error);  // a file system without links
        aside_.push_back(to);
        if (error) throw ResourceExhaustedError(fmt::format("{}; cannot set it aside: {}", from, error.message()));
      }
      index.header.num_shards = spare;
      std::vector<const BundleEntry*> rows;
      for (const BundleEntry& row : index.rows) rows.push_back(&row);
      OutputFile file(IndexFileName(prefix));
      file.Append(EncodeBundleIndex(index.header, rows));
      file.Commit();
    } catch (const Error&) {
      for (const std::string& file : aside_) fs::remove(file, error);
      throw;
    }
  }
  // Once the new index is in place: removes every data file of the prefix that is not among `written`, the second names
  // and what killed writers left included.
  void Remove(const std::vector<std::string>& written) const {
    std::error_code ignored;
    for (const DataFile& file : DataFilesOf(prefix_))
      if (std::ranges::find(written, file.path) == written.end()) fs::remove(file.path, ignored);
    const std::string index = fs::path(IndexFileName(prefix_)).filename().string(), data = DataStart(prefix_);
    RemoveAbandoned(FolderOf(prefix_), [&](std::string_view name) {
      return name == index || (name.starts_with(data) && ShardsInName(name.substr(data.size())));
    });
  }

 private:
  std::string prefix_;
  std::vector<std::string> aside_;
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
  if (!fresh)
    throw InvalidArgumentError(fmt::format("Adding duplicate key: {} (checkpoint '{}')", Printable(shown), prefix_));
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
  if (full_name.empty()) throw InvalidArgumentError(fmt::format("checkpoint '{}': a key is empty", prefix_));
  std::vector<std::int64_t> sizes;
  try {
    sizes = slice.ShapeWithin(full_shape);
  } catch (const InvalidArgumentError& error) {
    throw InvalidArgumentError(fmt::format("checkpoint '{}': key {}: {}", prefix_, full_name, error.what()));
  }
  if (sizes != array.shape().vector())
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
  const OldCheckpoint old(prefix_, header.num_shards);
  std::vector<std::string> written;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    shards_[i]->file->Commit();
    written.push_back(DataFileName(prefix_, static_cast<int>(i), header.num_shards));
  }
  index.Commit();
  finished_ = true;
  old.Remove(written);
}

namespace {
// Puts the data files in the places of a merged checkpoint. `within`: some have names of that very checkpoint, so that
// one could take the place of another that has not moved yet.
void MoveData(std::vector<std::string> from, const std::vector<std::string>& to, bool within) {
  std::error_code error;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!fs::exists(from[i], error)) throw NotFoundError(fmt::format("{}; No such file or directory", from[i]));
    if (fs::is_directory(to[i], error)) throw FailedPreconditionError(fmt::format("{}; Is a directory", to[i]));
  }
  const auto move = [&](const std::string& source, const std::string& target) {
    fs::rename(source, target, error);
    if (error)
      throw FailedPreconditionError(fmt::format("{}; {} (renaming it to {})", source, error.message(), target));
  };
  for (std::size_t i = 0; within && i < from.size(); ++i) {
    const std::string between = fmt::format("{}.tempstate{}", to[i], getpid());
    move(from[i], between);
    from[i] = between;
  }
  for (std::size_t i = 0; i < from.size(); ++i) move(from[i], to[i]);
}
}  // namespace

// tf: MergeOneBundle: data files are numbered in the order in which the rows of the bundles meet them.
void MergeBundles(std::span<const std::string> prefixes, const std::string& merged_prefix) {
  if (prefixes.empty()) throw InvalidArgumentError("MergeV2Checkpoints: at least one checkpoint prefix is needed");
  std::map<std::string, BundleEntry> rows;
  std::vector<std::string> files;
  std::optional<BundleHeader> header;
  for (const std::string& prefix : prefixes) {
    const BundleIndex index = ReadBundleIndex(IndexFileName(prefix));
    if (!header) header = index.header;
    if (index.header.producer != header->producer || index.header.min_consumer != header->min_consumer)
      throw InvalidArgumentError(fmt::format("Merging bundles with different format versions: {} in {}, {} in {}",
                                             header->producer, prefixes.front(), index.header.producer, prefix));
    if (index.header.big_endian != header->big_endian)
      throw InvalidArgumentError(
          fmt::format("Merging bundles with conflicting endianness: {} and {}", prefixes.front(), prefix));
    for (BundleEntry row : index.rows) {
      const auto same = rows.find(row.key);
      if (same != rows.end()) {
        BundleEntry& first = same->second;
        if (!row.partitioned() || !first.partitioned() || row.shape != first.shape || row.dtype != first.dtype)
          throw InvalidArgumentError(fmt::format("Duplicate tensor keyed by {} encountered, when merging prefix: {}",
                                                 Printable(row.key), prefix));
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
  header->num_shards = static_cast<int>(files.size());
  std::vector<const BundleEntry*> sorted;
  for (const auto& [key, row] : rows) sorted.push_back(&row);
  std::vector<std::string> targets;
  for (int i = 0; i < header->num_shards; ++i) targets.push_back(DataFileName(merged_prefix, i, header->num_shards));
  OutputFile merged(IndexFileName(merged_prefix));
  merged.Append(EncodeBundleIndex(*header, sorted));
  merged.Close();
  const bool itself = std::ranges::find(prefixes, merged_prefix) != prefixes.end();
  const OldCheckpoint old(merged_prefix, itself ? 0 : header->num_shards);
  MoveData(files, targets, itself);
  merged.Commit();
  old.Remove(targets);
  std::error_code ignored;
  for (const std::string& prefix : prefixes) {
    if (prefix == merged_prefix) continue;
    fs::remove(IndexFileName(prefix), ignored);
    for (const DataFile& file : DataFilesOf(prefix)) fs::remove(file.path, ignored);  // without tensors
  }
}
}  // namespace equiv::io
