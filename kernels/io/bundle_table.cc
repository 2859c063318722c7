#include "kernels/io/bundle_table.h"

#include <fmt/format.h>
#include <leveldb/env.h>
#include <leveldb/iterator.h>
#include <leveldb/options.h>
#include <leveldb/table.h>
#include <leveldb/table_builder.h>
#include <snappy.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include "kernels/base/error.h"
#include "kernels/io/crc32c.h"
#include "kernels/io/file.h"
#include "kernels/proto/checkpoint.pb.h"

namespace equiv::io {
namespace {
constexpr std::size_t kFooter = 48, kTrailer = 5;
constexpr std::string_view kMagic("\x57\xfb\x80\x8b\x24\x75\x47\xdb", 8);
constexpr int kVersion = 1;            // tf: kTensorBundleVersion
constexpr std::size_t kMaxRank = 254;  // tf: TensorShape::MaxDimensions

[[noreturn]] void Unreadable(const std::string& path, std::string_view why) {
  throw DataLossError(
      fmt::format("Unable to read file ({}). Perhaps the file is corrupt or was produced by a newer version of "
                  "TensorFlow with format changes (failed to seek to header entry): {}",
                  path, why));
}

bool GetVarint(std::string_view& text, std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (text.empty()) return false;
    const auto byte = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}
std::uint32_t Fixed32(std::string_view bytes, std::size_t at) {
  std::uint32_t v;
  std::memcpy(&v, bytes.data() + at, sizeof v);
  return v;
}

struct Handle {
  std::uint64_t offset = 0, size = 0;
};
bool GetHandle(std::string_view& text, Handle& handle) {
  return GetVarint(text, handle.offset) && GetVarint(text, handle.size);
}

// The content of a block, uncompressed, after checking that it lies in the file and has its checksum.
std::string Block(const std::string& path, std::string_view file, const Handle& handle) {
  if (handle.offset > file.size() || file.size() - handle.offset < kTrailer ||
      handle.size > file.size() - handle.offset - kTrailer)
    Unreadable(path, "truncated block read");
  const std::string_view stored = file.substr(handle.offset, handle.size + kTrailer);
  const std::string_view content = stored.substr(0, handle.size);
  if (UnmaskCrc32c(Fixed32(stored, handle.size + 1)) != ExtendCrc32c(0, stored.data(), handle.size + 1))
    Unreadable(path, "block checksum mismatch");
  switch (stored[handle.size]) {
    case 0:
      return std::string(content);
    case 1: {
      std::size_t length = 0;
      // Snappy's densest code makes 64 bytes of three.
      if (!snappy::GetUncompressedLength(content.data(), content.size(), &length) || length / 32 > content.size() + 1)
        Unreadable(path, "corrupted compressed block contents");
      std::string plain;
      if (!snappy::Uncompress(content.data(), content.size(), &plain))
        Unreadable(path, "corrupted compressed block contents");
      return plain;
    }
    default:
      Unreadable(path, "bad block type");
  }
}

// LevelDB allocates what a block handle asks for before it looks whether the file has that much, so all handles are
// looked at first: that of the index block and those in it. tf: nobody reads the metaindex block
void CheckTable(const std::string& path, std::string_view file) {
  if (file.size() < kFooter) throw DataLossError(fmt::format("{}: file is too short to be an sstable", path));
  std::string_view footer = file.substr(file.size() - kFooter);
  if (footer.substr(kFooter - kMagic.size()) != kMagic)
    throw DataLossError(fmt::format("{}: not an sstable (bad magic number)", path));
  Handle metaindex, index;
  if (!GetHandle(footer, metaindex) || !GetHandle(footer, index)) Unreadable(path, "bad block handle");
  const std::string block = Block(path, file, index);
  if (block.size() < sizeof(std::uint32_t)) Unreadable(path, "bad block contents");
  const std::size_t restarts = Fixed32(block, block.size() - sizeof(std::uint32_t));
  if (restarts > (block.size() - sizeof(std::uint32_t)) / sizeof(std::uint32_t)) Unreadable(path, "bad block contents");
  std::string_view rest = std::string_view(block).substr(0, block.size() - (restarts + 1) * sizeof(std::uint32_t));
  while (!rest.empty()) {
    std::uint64_t shared, unshared, length;
    if (!GetVarint(rest, shared) || !GetVarint(rest, unshared) || !GetVarint(rest, length) || unshared > rest.size() ||
        length > rest.size() - unshared)
      Unreadable(path, "bad entry in block");
    std::string_view value = rest.substr(unshared, length);
    Handle handle;
    if (!GetHandle(value, handle)) Unreadable(path, "bad block handle");
    Block(path, file, handle);
    rest.remove_prefix(unshared + length);
  }
}

class MemoryFile final : public leveldb::RandomAccessFile {
 public:
  explicit MemoryFile(std::string_view bytes) : bytes_(bytes) {}
  leveldb::Status Read(std::uint64_t offset, std::size_t n, leveldb::Slice* result, char*) const override {
    const std::string_view part = offset <= bytes_.size() ? bytes_.substr(offset, n) : std::string_view();
    *result = leveldb::Slice(part.data(), part.size());
    return leveldb::Status::OK();
  }

 private:
  std::string_view bytes_;
};

class MemoryWriter final : public leveldb::WritableFile {
 public:
  explicit MemoryWriter(std::string& bytes) : bytes_(bytes) {}
  leveldb::Status Append(const leveldb::Slice& data) override {
    bytes_.append(data.data(), data.size());
    return leveldb::Status::OK();
  }
  leveldb::Status Close() override { return leveldb::Status::OK(); }
  leveldb::Status Flush() override { return leveldb::Status::OK(); }
  leveldb::Status Sync() override { return leveldb::Status::OK(); }

 private:
  std::string& bytes_;
};

BundleHeader ParseHeader(const std::string& path, std::string_view value) {
  proto::BundleHeaderProto message;
  if (!message.ParseFromArray(value.data(), static_cast<int>(value.size())))
    throw DataLossError(fmt::format(
        "Unable to read file ({}). Perhaps the file is corrupt or was produced by a newer version of TensorFlow with "
        "format changes (unable to parse header): Entry for key  not parseable.",
        path));
  const proto::VersionDef& version = message.version();
  if (version.min_consumer() > kVersion)
    throw InvalidArgumentError(
        fmt::format("{}: Checkpoint min consumer version {} above current version {} for TensorFlow: it was written by "
                    "a newer program",
                    path, version.min_consumer(), kVersion));
  if (std::ranges::find(version.bad_consumers(), kVersion) != version.bad_consumers().end())
    throw InvalidArgumentError(
        fmt::format("{}: Checkpoint disallows consumer version {}. Please upgrade TensorFlow: this version is likely "
                    "buggy.",
                    path, kVersion));
  return {.num_shards = message.num_shards(),
          .big_endian = message.endianness() == proto::BundleHeaderProto::BIG,
          .producer = version.producer(),
          .min_consumer = version.min_consumer()};
}

BundleEntry ParseEntry(const std::string& path, std::string_view key, std::string_view value) {
  proto::BundleEntryProto message;
  const std::string shown = Printable(key);
  if (!message.ParseFromArray(value.data(), static_cast<int>(value.size())))
    throw DataLossError(fmt::format("{}: Entry for key {} not parseable.", path, shown));
  const auto invalid = [&](const std::string& why) {
    return DataLossError(fmt::format("{}: Entry for key {} not valid: {}", path, shown, why));
  };
  BundleEntry entry{.key = std::string(key), .dtype = static_cast<DType>(message.dtype())};
  if (message.shape().unknown_rank()) throw invalid("Invalid tensor shape: unknown rank");
  if (static_cast<std::size_t>(message.shape().dim_size()) > kMaxRank)
    throw invalid(fmt::format("Invalid tensor shape: {} dimensions", message.shape().dim_size()));
  for (const auto& dim : message.shape().dim()) {
    if (dim.size() < 0) throw invalid(fmt::format("Invalid tensor shape: a dimension of size {}", dim.size()));
    entry.shape.push_back(dim.size());
  }
  entry.shard = message.shard_id();
  entry.offset = message.offset();
  entry.size = message.size();
  if (entry.shard < 0 || entry.offset < 0 || entry.size < 0)
    throw invalid(fmt::format("shard {}, offset {}, size {}", entry.shard, entry.offset, entry.size));
  entry.masked_crc32c = message.crc32c();
  for (const auto& stored : message.slices()) {
    TensorSlice slice;
    for (const auto& extent : stored.extent()) {
      const bool whole = extent.has_length_case() != proto::TensorSliceProto::Extent::kLength;
      if (!whole && extent.length() < 0) throw invalid("a slice of negative length");
      slice.extents.push_back({extent.start(), whole ? -1 : extent.length()});
    }
    try {
      slice.ShapeWithin(entry.shape);
    } catch (const InvalidArgumentError& error) {
      throw invalid(error.what());
    }
    entry.slices.push_back(std::move(slice));
  }
  return entry;
}

std::string EncodeEntry(const BundleEntry& entry) {
  proto::BundleEntryProto message;
  message.set_dtype(static_cast<proto::DataType>(entry.dtype));
  message.mutable_shape();
  for (const std::int64_t d : entry.shape) message.mutable_shape()->add_dim()->set_size(d);
  message.set_shard_id(entry.shard);
  message.set_offset(entry.offset);
  message.set_size(entry.size);
  message.set_crc32c(entry.masked_crc32c);
  for (const TensorSlice& slice : entry.slices) {
    auto* stored = message.add_slices();
    for (const SliceExtent& e : slice.extents) {
      auto* extent = stored->add_extent();
      if (e.length < 0) continue;
      extent->set_start(e.start);
      extent->set_length(e.length);
    }
  }
  return message.SerializeAsString();
}
}  // namespace

BundleIndex ReadBundleIndex(const std::string& path) {
  const std::string file = ReadFile(path);
  CheckTable(path, file);
  const MemoryFile memory(file);
  leveldb::Options options;
  options.paranoid_checks = true;
  leveldb::Table* opened = nullptr;
  const leveldb::Status status = leveldb::Table::Open(options, const_cast<MemoryFile*>(&memory), file.size(), &opened);
  const std::unique_ptr<leveldb::Table> table(opened);
  if (!status.ok()) Unreadable(path, status.ToString());
  leveldb::ReadOptions read;
  read.verify_checksums = true;
  read.fill_cache = false;
  const std::unique_ptr<leveldb::Iterator> row(table->NewIterator(read));
  row->SeekToFirst();
  if (!row->status().ok()) Unreadable(path, row->status().ToString());
  if (!row->Valid())
    throw InternalError(
        fmt::format("Unable to read file ({}). Perhaps the file is corrupt: it has no rows (failed to "
                    "seek to header entry)",
                    path));
  const auto view = [](const leveldb::Slice& s) { return std::string_view(s.data(), s.size()); };
  if (!row->key().empty())
    throw DataLossError(
        fmt::format("{}: the header row is missing; the first key is '{}'", path, Printable(view(row->key()))));
  BundleIndex index;
  index.header = ParseHeader(path, view(row->value()));
  for (row->Next(); row->Valid(); row->Next()) {
    BundleEntry entry = ParseEntry(path, view(row->key()), view(row->value()));
    if (entry.key.empty() || (!index.rows.empty() && index.rows.back().key >= entry.key))
      throw DataLossError(fmt::format("{}: the keys are not in ascending order at '{}'", path, Printable(entry.key)));
    index.rows.push_back(std::move(entry));
  }
  if (!row->status().ok()) Unreadable(path, row->status().ToString());
  return index;
}

std::string EncodeBundleIndex(const BundleHeader& header, const std::vector<const BundleEntry*>& rows) {
  std::string file;
  MemoryWriter writer(file);
  leveldb::Options options;
  options.compression = leveldb::kNoCompression;
  options.block_size = std::size_t{256} << 10;  // tf: table::Options in tensor_bundle.cc
  leveldb::TableBuilder builder(options, &writer);
  proto::BundleHeaderProto message;
  message.set_num_shards(header.num_shards);
  message.set_endianness(header.big_endian ? proto::BundleHeaderProto::BIG : proto::BundleHeaderProto::LITTLE);
  message.mutable_version()->set_producer(header.producer);
  message.mutable_version()->set_min_consumer(header.min_consumer);
  builder.Add("", message.SerializeAsString());
  for (const BundleEntry* row : rows) builder.Add(row->key, EncodeEntry(*row));
  const leveldb::Status status = builder.Finish();
  EQUIV_CHECK(status.ok());
  return file;
}
}  // namespace equiv::io
