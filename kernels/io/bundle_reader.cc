#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>

#include "kernels/base/error.h"
#include "kernels/io/bundle_table.h"
#include "kernels/io/crc32c.h"
#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"

namespace equiv::io {
namespace {
constexpr std::size_t kChunk = std::size_t{256} << 10;  // read and summed while it is in the cache

std::string Shown(const std::vector<std::int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ",")); }

// Elements; nullopt when they do not fit an int64.
std::optional<std::int64_t> NumElements(std::span<const std::int64_t> shape) {
  std::int64_t n = 1;
  for (const std::int64_t d : shape)
    if (__builtin_mul_overflow(n, d, &n)) return std::nullopt;
  return n;
}

void SwapBytes(std::byte* data, std::size_t bytes, DType dtype) {
  const std::size_t width = IsComplex(dtype) ? SizeOf(dtype) / 2 : SizeOf(dtype);
  for (std::size_t i = 0; width > 1 && i < bytes; i += width) std::reverse(data + i, data + i + width);
}

// The part that two boxes share, as [begin, end) per dimension; nullopt when they do not touch.
struct Range {
  std::int64_t begin, end;
};
std::optional<std::vector<Range>> Intersect(const std::vector<Range>& a, const std::vector<Range>& b) {
  std::vector<Range> both(a.size());
  for (std::size_t d = 0; d < a.size(); ++d) {
    both[d] = {std::max(a[d].begin, b[d].begin), std::min(a[d].end, b[d].end)};
    if (both[d].begin >= both[d].end) return std::nullopt;
  }
  return both;
}
std::vector<Range> Ranges(const TensorSlice& slice, std::span<const std::int64_t> shape) {
  std::vector<Range> ranges(shape.size());
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const SliceExtent& e = slice.extents[d];
    ranges[d] = e.length < 0 ? Range{0, shape[d]} : Range{e.start, e.start + e.length};
  }
  return ranges;
}

// Copies the box `both` from an array laid out over `from` to one laid out over `to`.
void CopyBox(const std::vector<Range>& both, const std::vector<Range>& from, const Array& source,
             const std::vector<Range>& to, Array& target) {
  const std::size_t rank = both.size();
  const auto offset = [&](const std::vector<Range>& box, const std::vector<std::int64_t>& at) {
    std::int64_t index = 0;
    for (std::size_t d = 0; d < rank; ++d) index = index * (box[d].end - box[d].begin) + at[d] - box[d].begin;
    return static_cast<std::size_t>(index);
  };
  std::vector<std::int64_t> at(rank);
  for (std::size_t d = 0; d < rank; ++d) at[d] = both[d].begin;
  const std::size_t width = SizeOf(source.dtype());
  const std::size_t run = rank ? static_cast<std::size_t>(both[rank - 1].end - both[rank - 1].begin) : 1;
  for (;;) {
    const std::size_t s = offset(from, at), t = offset(to, at);
    std::memcpy(target.raw() + t * width, source.raw() + s * width, run * width);
    std::size_t d = rank < 2 ? 0 : rank - 1;
    while (d > 0 && ++at[d - 1] == both[d - 1].end) {
      at[d - 1] = both[d - 1].begin;
      --d;
    }
    if (d == 0) return;
  }
}
}  // namespace

std::string IndexFileName(std::string_view prefix) { return fmt::format("{}.index", prefix); }
std::string DataFileName(std::string_view prefix, int shard, int num_shards) {
  return fmt::format("{}.data-{:05}-of-{:05}", prefix, shard, num_shards);
}

// The data files, opened when first needed.
struct BundleReader::Shards {
  std::mutex mutex;
  std::map<int, std::unique_ptr<InputFile>> open;
};

BundleReader::BundleReader(std::string prefix) : prefix_(std::move(prefix)), shards_(std::make_unique<Shards>()) {
  const std::string path = IndexFileName(prefix_);
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    const bool v1 = stat(prefix_.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    throw NotFoundError(fmt::format(
        "Unsuccessful TensorSliceReader constructor: Failed to find any matching files for {}: there is no '{}'{}",
        prefix_, path,
        v1 ? "; a file of the prefix's own name is there: if it is a V1 checkpoint, save it again with write_version V2"
           : "; a checkpoint is named by its prefix, like 'model.ckpt-1'"));
  }
  BundleIndex index = ReadBundleIndex(path);
  header_ = index.header;
  // tf: CheckpointReader::BuildV2VarMaps: a row is a slice because a partitioned tensor names it
  for (const BundleEntry& row : index.rows)
    for (const TensorSlice& slice : row.slices)
      slice_texts_.emplace(EncodeSliceKey(row.key, slice),
                           fmt::format("{} (slice {})", Printable(row.key), slice.ToString()));
  for (BundleEntry& row : index.rows)
    (slice_texts_.contains(row.key) ? slice_entries_ : entries_).push_back(std::move(row));
}
BundleReader::~BundleReader() = default;

const BundleEntry* BundleReader::Find(std::string_view key) const {
  const auto it = std::ranges::lower_bound(entries_, key, {}, &BundleEntry::key);
  return it != entries_.end() && it->key == key ? &*it : nullptr;
}
const BundleEntry& BundleReader::Get(std::string_view key) const {
  if (const BundleEntry* entry = Find(key)) return *entry;
  throw NotFoundError(fmt::format("Key {} not found in checkpoint '{}'", Printable(key), prefix_));
}
std::string BundleReader::KeyText(const BundleEntry& entry) const {
  const auto slice = slice_texts_.find(entry.key);
  return slice == slice_texts_.end() ? Printable(entry.key) : slice->second;
}
std::string BundleReader::Where(const BundleEntry& entry) const {
  const std::string file = DataFileName(prefix_, entry.shard, header_.num_shards);
  return fmt::format("TensorBundle at {} shard {} ({} bytes), key {}, file {}", prefix_, entry.shard, entry.size,
                     KeyText(entry), file);
}

// The shard that holds the bytes of a row, once its dtype, shape, size and file are sure to fit each other.
const InputFile& BundleReader::RequireSize(const BundleEntry& entry) const {
  const std::string key = KeyText(entry);
  const std::size_t width = SizeOf(entry.dtype);
  if (width == 0 && entry.dtype != DType::kString) {
    if (entry.dtype == DType::kInvalid)
      throw InvalidArgumentError(fmt::format("{}: tensor_name = {}; its original dtype is INVALID", prefix_, key));
    throw UnimplementedError(fmt::format("{}: key {} has dtype number {}, which has no plain bytes", prefix_, key,
                                         static_cast<int>(entry.dtype)));
  }
  if (entry.shape.size() > static_cast<std::size_t>(kMaxRank))
    throw UnimplementedError(fmt::format("{}: key {} has shape {}; at most {} dimensions are supported", prefix_, key,
                                         Shown(entry.shape), kMaxRank));
  const std::optional<std::int64_t> elements = NumElements(entry.shape);
  std::int64_t bytes = 0;
  const bool sized = elements && !__builtin_mul_overflow(*elements, static_cast<std::int64_t>(width), &bytes);
  if (entry.dtype == DType::kString ? !elements || *elements > entry.size : !sized || bytes != entry.size)
    throw DataLossError(fmt::format("{}: Invalid size in bundle entry: key {}; stored size {}; expected size {}",
                                    prefix_, key, entry.size,
                                    sized && width ? std::to_string(bytes) : "that of shape " + Shown(entry.shape)));
  return OpenShard(entry);
}

Array BundleReader::ReadStored(const BundleEntry& entry) const {
  const InputFile& file = RequireSize(entry);
  if (entry.dtype == DType::kString) return ReadStrings(entry, file);
  Array array(entry.dtype, Shape(entry.shape));
  std::uint32_t crc = 0;
  const auto size = static_cast<std::size_t>(entry.size);
  for (std::size_t done = 0; done < size; done += kChunk) {
    const std::size_t n = std::min(kChunk, size - done);
    file.Read(entry.offset + static_cast<std::int64_t>(done), array.raw() + done, n);
    crc = ExtendCrc32c(crc, array.raw() + done, n);
  }
  RequireChecksum(entry, crc);
  if (header_.big_endian) SwapBytes(array.raw(), size, entry.dtype);
  return array;
}

// The shard of the entry, once it is sure to be as long as the entry says.
const InputFile& BundleReader::OpenShard(const BundleEntry& entry) const {
  const InputFile* file = nullptr;
  {
    std::lock_guard lock(shards_->mutex);
    std::unique_ptr<InputFile>& slot = shards_->open[entry.shard];
    if (!slot) slot = std::make_unique<InputFile>(DataFileName(prefix_, entry.shard, header_.num_shards));
    file = slot.get();
  }
  if (entry.offset > file->size() || entry.size > file->size() - entry.offset)
    throw OutOfRangeError(fmt::format("Read less bytes than requested: {} needs {} bytes from byte {} on, of {}",
                                      Where(entry), entry.size, entry.offset, file->size()));
  return *file;
}
void BundleReader::RequireChecksum(const BundleEntry& entry, std::uint32_t crc) const {
  const std::uint32_t stored = UnmaskCrc32c(entry.masked_crc32c);
  if (stored != crc)
    throw DataLossError(fmt::format("{}: Checksum does not match: stored {} vs. calculated on the restored bytes {}",
                                    Where(entry), stored, crc));
}

// Lengths, their checksum, then the bytes of all strings. tf: ReadStringTensor
Array BundleReader::ReadStrings(const BundleEntry& entry, const InputFile& file) const {
  std::string bytes(static_cast<std::size_t>(entry.size), '\0');
  file.Read(entry.offset, bytes.data(), bytes.size());
  const Shape shape(entry.shape);
  std::vector<std::string> values(static_cast<std::size_t>(shape.num_elements()));
  std::vector<std::uint64_t> lengths(values.size());
  std::uint32_t crc = 0;
  std::size_t at = 0;
  for (std::uint64_t& length : lengths) {
    for (int shift = 0;; shift += 7) {
      if (at == bytes.size() || shift > 63)
        throw DataLossError(fmt::format("{}: the lengths of the strings are damaged", Where(entry)));
      const auto byte = static_cast<unsigned char>(bytes[at++]);
      length |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    // Summed as fixed 32 bits, longer ones as 64, in the byte order of the writer.
    std::uint64_t summed = length;
    const std::size_t width = length <= 0xffffffffu ? 4 : 8;
    if (header_.big_endian) std::reverse(reinterpret_cast<char*>(&summed), reinterpret_cast<char*>(&summed) + width);
    crc = ExtendCrc32c(crc, &summed, width);
  }
  std::uint32_t masked = 0;
  if (bytes.size() - at < sizeof masked)
    throw DataLossError(fmt::format("{}: the strings end inside their lengths", Where(entry)));
  std::memcpy(&masked, bytes.data() + at, sizeof masked);
  if (header_.big_endian) masked = __builtin_bswap32(masked);
  if (UnmaskCrc32c(masked) != crc)
    throw DataLossError(fmt::format("{}: The length checksum does not match: expected {} but actual is {}",
                                    Where(entry), UnmaskCrc32c(masked), crc));
  RequireChecksum(entry, ExtendCrc32c(crc, bytes.data() + at, bytes.size() - at));
  at += sizeof masked;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (lengths[i] > bytes.size() - at)
      throw DataLossError(fmt::format("{}: the strings end before string {}", Where(entry), i));
    values[i] = bytes.substr(at, lengths[i]);
    at += lengths[i];
  }
  if (at != bytes.size())
    throw DataLossError(fmt::format("{}: {} bytes follow the last string", Where(entry), bytes.size() - at));
  return Array::Strings(shape, std::move(values));
}

Array BundleReader::Read(std::string_view key) const { return Read(Get(key)); }
Array BundleReader::Read(const BundleEntry& entry) const {
  return entry.partitioned() ? Assemble(entry, TensorSlice::Whole(entry.shape.size())) : ReadStored(entry);
}
Array BundleReader::ReadSlice(std::string_view key, const TensorSlice& slice) const {
  const BundleEntry& entry = Get(key);
  try {
    slice.ShapeWithin(entry.shape);
  } catch (const InvalidArgumentError& error) {
    throw InvalidArgumentError(fmt::format("{}: key {}: {}", prefix_, key, error.what()));
  }
  return Assemble(entry, slice);
}

// tf: BundleReader::GetSliceValue, TensorSliceSet
Array BundleReader::Assemble(const BundleEntry& entry, const TensorSlice& wanted) const {
  if (entry.shape.size() > static_cast<std::size_t>(kMaxRank))
    throw UnimplementedError(fmt::format("{}: key {} has shape {}; at most {} dimensions are supported", prefix_,
                                         Printable(entry.key), Shown(entry.shape), kMaxRank));
  const std::vector<std::int64_t> sizes = wanted.ShapeWithin(entry.shape);
  const std::optional<std::int64_t> needed = NumElements(sizes);
  if (!needed)
    throw DataLossError(
        fmt::format("{}: key {} has shape {}, which is too large", prefix_, Printable(entry.key), Shown(entry.shape)));
  const TensorSlice whole = TensorSlice::Whole(entry.shape.size());
  const std::vector<TensorSlice> stored = entry.partitioned() ? entry.slices : std::vector<TensorSlice>{whole};
  const std::vector<Range> target = Ranges(wanted, entry.shape);
  struct Piece {
    const BundleEntry* row;
    std::vector<Range> box, both;
  };
  std::vector<Piece> pieces;
  std::int64_t covered = 0;
  std::vector<std::vector<Range>> boxes;
  for (const TensorSlice& slice : stored) {
    std::vector<Range> box = Ranges(slice, entry.shape);
    for (std::size_t i = 0; i < boxes.size(); ++i)
      if (Intersect(boxes[i], box))
        throw InternalError(fmt::format("{}: key {}: Overlapping slices: existing slice = {}, new slice = {}", prefix_,
                                        Printable(entry.key), stored[i].ToString(), slice.ToString()));
    boxes.push_back(box);
    std::optional<std::vector<Range>> both = Intersect(target, box);
    if (!both) continue;
    const BundleEntry* row = &entry;
    if (entry.partitioned()) {
      const std::string key = EncodeSliceKey(entry.key, slice);
      const auto it = std::ranges::lower_bound(slice_entries_, key, {}, &BundleEntry::key);
      if (it == slice_entries_.end() || it->key != key)
        throw NotFoundError(fmt::format("{}: Key of slice {} of '{}' not found in checkpoint", prefix_,
                                        slice.ToString(), Printable(entry.key)));
      row = &*it;
      if (row->dtype != entry.dtype || row->shape != slice.ShapeWithin(entry.shape))
        throw DataLossError(fmt::format("{}: slice {} of '{}' is stored as {}{}, which does not fit {}{}", prefix_,
                                        slice.ToString(), Printable(entry.key), Name(row->dtype), Shown(row->shape),
                                        Name(entry.dtype), Shown(entry.shape)));
    }
    std::int64_t elements = 1;
    for (const Range& r : *both) elements *= r.end - r.begin;
    covered += elements;
    pieces.push_back({row, std::move(box), std::move(*both)});
  }
  if (covered != *needed)
    throw InvalidArgumentError(
        fmt::format("{}: Does not have sufficient slices for partitioned tensor {} to restore in slice_spec: {}",
                    prefix_, Printable(entry.key), wanted.ToString()));
  if (pieces.size() == 1 && pieces[0].row->shape == sizes) return ReadStored(*pieces[0].row);
  if (entry.dtype == DType::kString)  // tf: "Dtype string not supported."
    throw UnimplementedError(
        fmt::format("{}: key {}: slice {} of a string tensor is put together from several parts or "
                    "cut from one; strings are read as they are stored",
                    prefix_, Printable(entry.key), wanted.ToString()));
  for (const Piece& piece : pieces) RequireSize(*piece.row);  // before anything of the size they claim is allocated
  Array result(entry.dtype, Shape(sizes));
  for (const Piece& piece : pieces) CopyBox(piece.both, piece.box, ReadStored(*piece.row), target, result);
  return result;
}
}  // namespace equiv::io
