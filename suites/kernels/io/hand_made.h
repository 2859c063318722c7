// Checkpoint files made by hand, right and wrong. Written from docs/checkpoints.md alone: nothing of kernels/io encodes
// or parses here, except that checksums (which have their own tests) are its.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace equiv::io::test {

// Protobuf's wire format.
std::string Varint(std::uint64_t value);
std::string Number(int field, std::uint64_t value);  // a varint field; written even when 0
std::string Fixed32(std::uint32_t value);
std::string Bytes(int field, std::string_view value);

// BundleHeaderProto.
struct Header {
  std::int64_t num_shards = 1;
  int endianness = 0, producer = 1, min_consumer = 0;
  std::vector<int> bad_consumers = {};
  bool has_version = true;
};
std::string Encode(const Header& header);

// BundleEntryProto. `slices`: pairs of start and length per dimension; length -1 is left out.
struct Entry {
  int dtype = 1;
  std::vector<std::int64_t> shape = {};
  std::int64_t shard = 0, offset = 0, size = 0;
  std::uint32_t crc = 0;  // as stored, masked
  std::vector<std::vector<std::pair<std::int64_t, std::int64_t>>> slices = {};
};
std::string Encode(const Entry& entry);

// The index file: a table of rows, which the caller keeps ascending (or not).
struct TableOptions {
  std::size_t rows_per_block = 1000;
  std::size_t restart_interval = 16;
  bool snappy = false;
  int block_type = -1;  // the byte after every data block, where it is not 0 (plain) or 1 (snappy)
};
std::string Table(const std::vector<std::pair<std::string, std::string>>& rows, const TableOptions& options = {});

// Where things lie in an index file.
struct TableLayout {
  struct Range {
    std::size_t begin, end;  // blocks: with type and checksum
  };
  Range metaindex, index, metaindex_handle, index_handle, padding, magic;
};
TableLayout LayoutOf(std::string_view table);
// Gives every block the checksum of its present content, so that what lies behind the checksum can be tested.
void RepairChecksums(std::string& table);

// "Kind: text" of what `action` throws; "nothing was thrown".
template <class Action>
std::string Caught(Action&& action);

}  // namespace equiv::io::test

#include "kernels/base/error.h"

template <class Action>
std::string equiv::io::test::Caught(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.Describe();
  }
  return "nothing was thrown";
}
