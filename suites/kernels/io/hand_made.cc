#include "suites/kernels/io/hand_made.h"

#include <snappy.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "kernels/io/crc32c.h"

namespace equiv::io::test {
namespace {
constexpr std::size_t kFooter = 48, kTrailer = 5;

struct Handle {
  std::size_t offset, size;
};
std::string Encode(const Handle& handle) { return Varint(handle.offset) + Varint(handle.size); }
std::uint64_t ParseVarint(std::string_view bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.at(at++));
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  throw std::runtime_error("a varint of more than ten bytes");
}
Handle ParseHandle(std::string_view bytes, std::size_t& at) {
  const std::size_t offset = ParseVarint(bytes, at);
  return {offset, ParseVarint(bytes, at)};
}
std::string Trailer(std::string_view block, char type) {
  const std::string summed = std::string(block) + type;
  return type + Fixed32(MaskCrc32c(ExtendCrc32c(0, summed.data(), summed.size())));
}

// Entries of one block with shared prefixes, then the restart points.
std::string Block(const std::vector<std::pair<std::string, std::string>>& rows, std::size_t restart_interval) {
  std::string block, restarts;
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& [key, value] = rows[i];
    std::size_t shared = 0;
    if (i % restart_interval == 0) {
      restarts += Fixed32(static_cast<std::uint32_t>(block.size()));
      ++count;
    } else {
      const std::string& before = rows[i - 1].first;
      while (shared < std::min(before.size(), key.size()) && before[shared] == key[shared]) ++shared;
    }
    block += Varint(shared) + Varint(key.size() - shared) + Varint(value.size()) + key.substr(shared) + value;
  }
  if (rows.empty()) {
    restarts = Fixed32(0);
    count = 1;
  }
  return block + restarts + Fixed32(count);
}
}  // namespace

std::string Varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string Fixed32(std::uint32_t value) {
  std::string bytes(4, '\0');
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  return bytes;
}
std::string Number(int field, std::uint64_t value) {
  return Varint(static_cast<std::uint64_t>(field) << 3) + Varint(value);
}
std::string Bytes(int field, std::string_view value) {
  return Varint((static_cast<std::uint64_t>(field) << 3) | 2) + Varint(value.size()) + std::string(value);
}

std::string Encode(const Header& header) {
  std::string version = Number(1, static_cast<std::uint64_t>(header.producer));
  if (header.min_consumer) version += Number(2, static_cast<std::uint64_t>(header.min_consumer));
  std::string bad;
  for (const int v : header.bad_consumers) bad += Varint(static_cast<std::uint64_t>(v));
  if (!bad.empty()) version += Bytes(3, bad);
  std::string bytes = Number(1, static_cast<std::uint64_t>(header.num_shards));
  if (header.endianness) bytes += Number(2, static_cast<std::uint64_t>(header.endianness));
  return header.has_version ? bytes + Bytes(3, version) : bytes;
}

std::string Encode(const Entry& entry) {
  std::string shape;
  for (const std::int64_t d : entry.shape) shape += Bytes(2, d ? Number(1, static_cast<std::uint64_t>(d)) : "");
  std::string bytes;
  if (entry.dtype) bytes += Number(1, static_cast<std::uint64_t>(entry.dtype));
  bytes += Bytes(2, shape);
  if (entry.shard) bytes += Number(3, static_cast<std::uint64_t>(entry.shard));
  if (entry.offset) bytes += Number(4, static_cast<std::uint64_t>(entry.offset));
  if (entry.size) bytes += Number(5, static_cast<std::uint64_t>(entry.size));
  if (entry.crc) bytes += Varint((6 << 3) | 5) + Fixed32(entry.crc);
  for (const auto& slice : entry.slices) {
    std::string extents;
    for (const auto& [start, length] : slice) {
      std::string extent;
      if (start) extent += Number(1, static_cast<std::uint64_t>(start));
      if (length >= 0) extent += Number(2, static_cast<std::uint64_t>(length));
      extents += Bytes(1, extent);
    }
    bytes += Bytes(7, extents);
  }
  return bytes;
}

std::string Table(const std::vector<std::pair<std::string, std::string>>& rows, const TableOptions& options) {
  std::string file;
  const auto write = [&](const std::string& plain, bool data) {
    std::string block = plain;
    if (data && options.snappy) snappy::Compress(plain.data(), plain.size(), &block);
    const Handle handle{file.size(), block.size()};
    const char type = static_cast<char>(!data ? 0 : options.block_type >= 0 ? options.block_type : options.snappy);
    file += block + Trailer(block, type);
    return handle;
  };
  std::vector<std::pair<std::string, std::string>> index;
  for (std::size_t begin = 0; begin < rows.size(); begin += options.rows_per_block) {
    const std::size_t end = std::min(rows.size(), begin + options.rows_per_block);
    const Handle handle = write(
        Block({rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.begin() + static_cast<std::ptrdiff_t>(end)},
              options.restart_interval),
        true);
    // Any key from the last of the block up to the first of the next one will do.
    index.emplace_back(rows[end - 1].first, Encode(handle));
  }
  const Handle metaindex = write(Block({}, 1), false), root = write(Block(index, 1), false);
  std::string footer = Encode(metaindex) + Encode(root);
  footer.resize(40, '\0');
  return file + footer + "\x57\xfb\x80\x8b\x24\x75\x47\xdb";
}

TableLayout LayoutOf(std::string_view table) {
  const std::size_t footer = table.size() - kFooter;
  std::size_t at = footer;
  TableLayout layout;
  const Handle metaindex = ParseHandle(table, at);
  layout.metaindex_handle = {footer, at};
  const Handle index = ParseHandle(table, at);
  layout.index_handle = {layout.metaindex_handle.end, at};
  layout.padding = {at, table.size() - 8};
  layout.magic = {table.size() - 8, table.size()};
  layout.metaindex = {metaindex.offset, metaindex.offset + metaindex.size + kTrailer};
  layout.index = {index.offset, index.offset + index.size + kTrailer};
  return layout;
}

void RepairChecksums(std::string& table) {
  if (table.size() < kFooter) return;
  const auto repair = [&](const Handle& h) {
    if (h.offset > table.size() || h.size > table.size() || h.offset + h.size + kTrailer > table.size()) return false;
    const std::string trailer = Trailer(std::string_view(table).substr(h.offset, h.size), table[h.offset + h.size]);
    table.replace(h.offset + h.size, kTrailer, trailer);
    return true;
  };
  try {
    std::size_t at = table.size() - kFooter;
    const Handle metaindex = ParseHandle(table, at), index = ParseHandle(table, at);
    repair(metaindex);
    if (!repair(index) || index.size < 4) return;
    std::uint32_t restarts;
    std::memcpy(&restarts, table.data() + index.offset + index.size - 4, 4);
    if (restarts > index.size / 4 - 1) return;
    std::vector<Handle> blocks;
    for (std::size_t p = index.offset, end = index.offset + index.size - 4 * (restarts + 1); p < end;) {
      ParseVarint(table, p);
      const std::size_t key = ParseVarint(table, p), value = ParseVarint(table, p);
      if (key > table.size() || value > table.size()) break;
      std::size_t v = p + key;
      blocks.push_back(ParseHandle(table, v));
      p += key + value;
    }
    for (const Handle& block : blocks) repair(block);
    repair(index);
  } catch (const std::exception&) {
    // Not a table any more: it stays as it is.
  }
}
}  // namespace equiv::io::test
