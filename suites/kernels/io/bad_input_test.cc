// Damaged and ill-formed checkpoints: one row per kind of damage, with the whole text of its error.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>

#include "kernels/io/crc32c.h"
#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"
#include "suites/kernels/io/hand_made.h"

namespace equiv::io {
namespace {
using test::Caught;

// A sound checkpoint in pieces: a = [1, 2]; n = 7; s = ["x", "yy"]; p of shape [3, 2], stored as rows 0-1 and row 2.
struct Pieces {
  test::Header header = {};
  std::map<std::string, test::Entry> entries;
  std::map<std::string, std::string> raw = {};  // rows that are no entries
  std::string data;
  bool with_header = true, with_data = true;
  std::function<void(std::string&)> index = [](std::string&) {};  // what happens to the finished index file
  test::TableOptions options = {};

  explicit Pieces(const TemporaryFolder& folder) {
    const std::string prefix = folder / "sound";
    BundleWriter writer(prefix);
    writer.Add("a", Array::Of<float>({2}, {1, 2}));
    writer.Add("n", Array::Scalar<std::int32_t>(7));
    writer.Add("s", Array::Strings({2}, {"x", "yy"}));
    const std::int64_t full[] = {3, 2};
    writer.AddSlice("p", full, {{{0, 2}, {0, 2}}}, Array::Of<float>({2, 2}, {1, 2, 3, 4}));
    writer.AddSlice("p", full, {{{2, 1}, {0, 2}}}, Array::Of<float>({1, 2}, {5, 6}));
    writer.Finish();
    const BundleReader reader(prefix);
    for (const auto* rows : {&reader.entries(), &reader.slice_entries()})
      for (const BundleEntry& e : *rows) {
        test::Entry entry{.dtype = static_cast<int>(e.dtype),
                          .shape = e.shape,
                          .offset = e.offset,
                          .size = e.size,
                          .crc = e.masked_crc32c};
        for (const TensorSlice& slice : e.slices) {
          entry.slices.emplace_back();
          for (const SliceExtent& x : slice.extents) entry.slices.back().emplace_back(x.start, x.length);
        }
        entries.emplace(e.key, std::move(entry));
      }
    data = ReadFile(DataFileName(prefix, 0, 1));
  }
  void Write(const std::string& prefix) const {
    std::map<std::string, std::string> rows = raw;
    if (with_header) rows.emplace("", Encode(header));
    for (const auto& [key, entry] : entries) rows.emplace(key, Encode(entry));
    std::string table = test::Table({rows.begin(), rows.end()}, options);
    index(table);
    WriteFile(IndexFileName(prefix), table);
    if (with_data) WriteFile(DataFileName(prefix, 0, 1), data);
  }
};
const std::string kFirstPart = EncodeSliceKey("p", {{{0, 2}, {0, 2}}});
const std::string kLastPart = EncodeSliceKey("p", {{{2, 1}, {0, 2}}});

struct Damage {
  const char* name;
  std::function<void(Pieces&)> make;
  const char* key;    // null: the index cannot be opened
  const char* error;  // {P}: the prefix
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

#define UNREADABLE                                                                                                  \
  "DataLossError: Unable to read file ({P}.index). Perhaps the file is corrupt or was produced by a newer version " \
  "of TensorFlow with format changes "
#define SHARD(key, bytes) "TensorBundle at {P} shard 0 (" bytes " bytes), key " key ", file {P}.data-00000-of-00001: "

const Damage kDamages[] = {
    // The index file.
    {"IndexEmpty", [](Pieces& p) { p.index = [](std::string& t) { t.clear(); }; }, nullptr,
     "DataLossError: {P}.index: file is too short to be an sstable"},
    {"IndexOf47Bytes", [](Pieces& p) { p.index = [](std::string& t) { t.resize(47); }; }, nullptr,
     "DataLossError: {P}.index: file is too short to be an sstable"},
    {"IndexCut", [](Pieces& p) { p.index = [](std::string& t) { t.pop_back(); }; }, nullptr,
     "DataLossError: {P}.index: not an sstable (bad magic number)"},
    {"IndexWithATail", [](Pieces& p) { p.index = [](std::string& t) { t += 'x'; }; }, nullptr,
     "DataLossError: {P}.index: not an sstable (bad magic number)"},
    {"MagicChanged", [](Pieces& p) { p.index = [](std::string& t) { t[t.size() - 3] ^= 1; }; }, nullptr,
     "DataLossError: {P}.index: not an sstable (bad magic number)"},
    {"DataBlockFlipped", [](Pieces& p) { p.index = [](std::string& t) { t[10] ^= 4; }; }, nullptr,
     UNREADABLE "(failed to seek to header entry): block checksum mismatch"},
    {"CompressionUnknown", [](Pieces& p) { p.options.block_type = 7; }, nullptr,
     UNREADABLE "(failed to seek to header entry): bad block type"},
    {"CompressionClaimed", [](Pieces& p) { p.options.block_type = 1; }, nullptr,
     UNREADABLE "(failed to seek to header entry): corrupted compressed block contents"},
    {"BlockHandleBeyondTheFile",
     [](Pieces& p) {
       p.index = [](std::string& t) {
         const test::TableLayout at = test::LayoutOf(t);
         const std::string far = test::Varint(t.size()) + t.substr(at.index_handle.begin, 0) + test::Varint(20);
         t.replace(at.index_handle.begin, far.size(), far);
       };
     },
     nullptr, UNREADABLE "(failed to seek to header entry): truncated block read"},
    {"BlockHandleUnparsable",
     [](Pieces& p) { p.index = [](std::string& t) { t.replace(t.size() - 48, 40, 40, '\xff'); }; }, nullptr,
     UNREADABLE "(failed to seek to header entry): bad block handle"},
    {"NoRows",
     [](Pieces& p) {
       p.with_header = false;
       p.entries.clear();
     },
     nullptr,
     "InternalError: Unable to read file ({P}.index). Perhaps the file is corrupt: it has no rows (failed to seek to "
     "header entry)"},
    // The header.
    {"HeaderMissing", [](Pieces& p) { p.with_header = false; }, nullptr,
     "DataLossError: {P}.index: the header row is missing; the first key is "
     "'\\x00p\\x00\\x01\\x01\\x02\\x80\\x82\\x80\\x82'"},
    {"HeaderUnparsable", [](Pieces& p) { p.raw[""] = "\x0a\xff"; }, nullptr,
     UNREADABLE "(unable to parse header): Entry for key  not parseable."},
    {"MinConsumerTooNew", [](Pieces& p) { p.header.min_consumer = 2; }, nullptr,
     "InvalidArgumentError: {P}.index: Checkpoint min consumer version 2 above current version 1 for TensorFlow: it "
     "was "
     "written by a newer program"},
    {"ConsumerDisallowed",
     [](Pieces& p) {
       p.header.bad_consumers = {3, 1};
     },
     nullptr,
     "InvalidArgumentError: {P}.index: Checkpoint disallows consumer version 1. Please upgrade TensorFlow: this "
     "version "
     "is likely buggy."},
    // Rows.
    {"EntryUnparsable", [](Pieces& p) { p.raw["b"] = "\x0a\xff"; }, nullptr,
     "DataLossError: {P}.index: Entry for key b not parseable."},
    {"NegativeDimension", [](Pieces& p) { p.entries["a"].shape = {-2}; }, nullptr,
     "DataLossError: {P}.index: Entry for key a not valid: Invalid tensor shape: a dimension of size -2"},
    {"UnknownRank", [](Pieces& p) { p.raw["b"] = test::Number(1, 1) + test::Bytes(2, test::Number(3, 1)); }, nullptr,
     "DataLossError: {P}.index: Entry for key b not valid: Invalid tensor shape: unknown rank"},
    {"ThreeHundredDimensions", [](Pieces& p) { p.entries["a"].shape.assign(300, 1); }, nullptr,
     "DataLossError: {P}.index: Entry for key a not valid: Invalid tensor shape: 300 dimensions"},
    {"NegativeOffset", [](Pieces& p) { p.entries["a"].offset = -1; }, nullptr,
     "DataLossError: {P}.index: Entry for key a not valid: shard 0, offset -1, size 8"},
    {"NegativeSize", [](Pieces& p) { p.entries["a"].size = -8; }, nullptr,
     "DataLossError: {P}.index: Entry for key a not valid: shard 0, offset 0, size -8"},
    {"NegativeShard", [](Pieces& p) { p.entries["a"].shard = -1; }, nullptr,
     "DataLossError: {P}.index: Entry for key a not valid: shard -1, offset 0, size 8"},
    {"SliceOutside",
     [](Pieces& p) {
       p.entries["p"].slices[1][0] = {2, 2};
     },
     nullptr,
     "DataLossError: {P}.index: Entry for key p not valid: slice 2,2:0,2 reaches beyond dimension 0 of shape [3,2]"},
    {"SliceOfAnotherRank", [](Pieces& p) { p.entries["p"].slices[1].pop_back(); }, nullptr,
     "DataLossError: {P}.index: Entry for key p not valid: slice 2,1 has 1 dimensions, the tensor of shape [3,2] has "
     "2"},
    {"SliceOfNegativeLength",
     [](Pieces& p) {
       p.raw["q"] = test::Bytes(2, test::Bytes(2, test::Number(1, 3))) +
                    test::Bytes(7, test::Bytes(1, test::Number(2, static_cast<std::uint64_t>(-5))));
     },
     nullptr, "DataLossError: {P}.index: Entry for key q not valid: a slice of negative length"},
    // Data.
    {"ShardMissing", [](Pieces& p) { p.with_data = false; }, "a",
     "NotFoundError: {P}.data-00000-of-00001; No such file or directory (opening it)"},
    {"ShardOutOfRange", [](Pieces& p) { p.entries["a"].shard = 3; }, "a",
     "NotFoundError: {P}.data-00003-of-00001; No such file or directory (opening it)"},
    {"NumberOfShardsWrong", [](Pieces& p) { p.header.num_shards = 2; }, "a",
     "NotFoundError: {P}.data-00000-of-00002; No such file or directory (opening it)"},
    {"NumberOfShardsHuge", [](Pieces& p) { p.header.num_shards = INT32_MAX; }, "a",
     "NotFoundError: {P}.data-00000-of-2147483647; No such file or directory (opening it)"},
    {"DataShort", [](Pieces& p) { p.data.resize(7); }, "a",
     "OutOfRangeError: Read less bytes than requested: TensorBundle at {P} shard 0 (8 bytes), key a, file "
     "{P}.data-00000-of-00001 needs 8 bytes from byte 0 on, of 7"},
    {"OffsetBeyondTheEnd", [](Pieces& p) { p.entries["a"].offset = 1000; }, "a",
     "OutOfRangeError: Read less bytes than requested: TensorBundle at {P} shard 0 (8 bytes), key a, file "
     "{P}.data-00000-of-00001 needs 8 bytes from byte 1000 on, of 45"},
    {"OffsetHuge", [](Pieces& p) { p.entries["a"].offset = INT64_MAX; }, "a",
     "OutOfRangeError: Read less bytes than requested: TensorBundle at {P} shard 0 (8 bytes), key a, file "
     "{P}.data-00000-of-00001 needs 8 bytes from byte 9223372036854775807 on, of 45"},
    {"DataFlipped", [](Pieces& p) { p.data[2] ^= 1; }, "a",
     "DataLossError: " SHARD("a", "8") "Checksum does not match: stored 683723185 vs. calculated on the restored bytes "
                                       "3354436264"},
    {"ChecksumChanged", [](Pieces& p) { p.entries["a"].crc = MaskCrc32c(5); }, "a",
     "DataLossError: " SHARD("a",
                             "8") "Checksum does not match: stored 5 vs. calculated on the restored bytes 683723185"},
    {"StringLengthsChanged", [](Pieces& p) { p.data[12] = 2; }, "s",
     "DataLossError: " SHARD("s",
                             "9") "The length checksum does not match: expected 2054417452 but actual is 2704763717"},
    {"StringLengthChecksumChanged", [](Pieces& p) { p.data[14] ^= 1; }, "s",
     "DataLossError: " SHARD("s",
                             "9") "The length checksum does not match: expected 2054384684 but actual is 2054417452"},
    {"StringBytesChanged", [](Pieces& p) { p.data[18] = 'z'; }, "s",
     "DataLossError: " SHARD("s",
                             "9") "Checksum does not match: stored 4247803295 vs. calculated on the restored bytes "
                                  "2992572306"},
    {"StringLengthsEndless",
     [](Pieces& p) {
       for (std::size_t i = 12; i < 21; ++i) p.data[i] = '\xff';
     },
     "s", "DataLossError: " SHARD("s", "9") "the lengths of the strings are damaged"},
    {"StringsFewerThanTheirLengths", [](Pieces& p) { p.entries["s"].size = 4; }, "s",
     "DataLossError: " SHARD("s", "4") "the strings end inside their lengths"},
    {"StringsMoreThanBytes", [](Pieces& p) { p.entries["s"].shape = {std::int64_t{1} << 40}; }, "s",
     "DataLossError: {P}: Invalid size in bundle entry: key s; stored size 9; expected size that of shape "
     "[1099511627776]"},
    {"SizeDoesNotFit", [](Pieces& p) { p.entries["a"].size = 12; }, "a",
     "DataLossError: {P}: Invalid size in bundle entry: key a; stored size 12; expected size 8"},
    {"ShapeTooLargeForAnyFile",
     [](Pieces& p) {
       p.entries["a"].shape = {INT64_MAX, 4};
     },
     "a",
     "DataLossError: {P}: Invalid size in bundle entry: key a; stored size 8; expected size that of shape "
     "[9223372036854775807,4]"},
    {"NineDimensions", [](Pieces& p) { p.entries["a"].shape = {1, 1, 1, 1, 1, 1, 1, 1, 2}; }, "a",
     "UnimplementedError: {P}: key a has shape [1,1,1,1,1,1,1,1,2]; at most 8 dimensions are supported"},
    {"DTypeInvalid", [](Pieces& p) { p.entries["a"].dtype = 0; }, "a",
     "InvalidArgumentError: {P}: tensor_name = a; its original dtype is INVALID"},
    {"DTypeVariant", [](Pieces& p) { p.entries["a"].dtype = 21; }, "a",
     "UnimplementedError: {P}: key a has dtype number 21, which has no plain bytes"},
    {"DTypeUnknown", [](Pieces& p) { p.entries["a"].dtype = 77; }, "a",
     "UnimplementedError: {P}: key a has dtype number 77, which has no plain bytes"},
    {"KeyMissing", [](Pieces& p) { p.entries.erase("a"); }, "a", "NotFoundError: Key a not found in checkpoint '{P}'"},
    // Partitioned tensors.
    {"SliceRowMissing", [](Pieces& p) { p.entries.erase(kLastPart); }, "p",
     "NotFoundError: {P}: Key of slice 2,1:0,2 of 'p' not found in checkpoint"},
    {"SlicesDoNotCover", [](Pieces& p) { p.entries["p"].slices.pop_back(); }, "p",
     "InvalidArgumentError: {P}: Does not have sufficient slices for partitioned tensor p to restore in slice_spec: "
     "-:-"},
    {"SlicesOverlap",
     [](Pieces& p) {
       p.entries["p"].slices[1] = {{1, 2}, {0, 2}};
     },
     "p", "InternalError: {P}: key p: Overlapping slices: existing slice = 0,2:0,2, new slice = 1,2:0,2"},
    {"SliceTwice", [](Pieces& p) { p.entries["p"].slices[1] = p.entries["p"].slices[0]; }, "p",
     "InternalError: {P}: key p: Overlapping slices: existing slice = 0,2:0,2, new slice = 0,2:0,2"},
    {"SliceOfAnotherShape",
     [](Pieces& p) {
       p.entries[kLastPart].shape = {2, 1};
     },
     "p", "DataLossError: {P}: slice 2,1:0,2 of 'p' is stored as float32[2,1], which does not fit float32[3,2]"},
    {"SliceOfAnotherDType", [](Pieces& p) { p.entries[kLastPart].dtype = 3; }, "p",
     "DataLossError: {P}: slice 2,1:0,2 of 'p' is stored as int32[1,2], which does not fit float32[3,2]"},
    {"SliceFlipped", [](Pieces& p) { p.data[40] ^= 1; }, "p",
     "DataLossError: " SHARD(
         "p (slice 2,1:0,2)",
         "8") "Checksum does not match: stored 1730828350 vs. calculated on the restored bytes 1597716370"},
    // Slices that fit each other and claim more than the file has: nothing of that size is allocated.
    {"SlicesHuge",
     [](Pieces& p) {
       const std::int64_t half = std::int64_t{1} << 44;
       p.entries["q"] = {.shape = {2 * half}, .slices = {{{0, half}}, {{half, half}}}};
       for (const std::int64_t start : {std::int64_t{0}, half})
         p.entries[EncodeSliceKey("q", {{{start, half}}})] = {.shape = {half}, .size = 4 * half};
     },
     "q",
     "OutOfRangeError: Read less bytes than requested: TensorBundle at {P} shard 0 (70368744177664 bytes), key q "
     "(slice 0,17592186044416), file {P}.data-00000-of-00001 needs 70368744177664 bytes from byte 0 on, of 45"}};

class BadInput : public testing::TestWithParam<Damage> {};
INSTANTIATE_TEST_SUITE_P(Bundle, BadInput, testing::ValuesIn(kDamages),
                         [](const auto& info) { return std::string(info.param.name); });
TEST_P(BadInput, IsATypedErrorNamingFileAndKey) {
  const TemporaryFolder folder;
  Pieces pieces(folder);
  GetParam().make(pieces);
  const std::string prefix = folder / "bad";
  pieces.Write(prefix);
  std::optional<BundleReader> reader;
  std::string error = Caught([&] { reader.emplace(prefix); });
  if (GetParam().key) {
    ASSERT_EQ(error, "nothing was thrown") << "the index itself is sound";
    error = Caught([&] { reader->Read(GetParam().key); });
  }
  EXPECT_EQ(error, fmt::format(fmt::runtime(GetParam().error), fmt::arg("P", prefix)));
}

// What looks odd and is sound: read as TensorFlow reads it.
TEST(OddInput, IsAccepted) {
  const TemporaryFolder folder;
  const std::pair<const char*, std::function<void(Pieces&)>> cases[] = {
      {"nothing changed", [](Pieces&) {}},
      {"a producer from the future", [](Pieces& p) { p.header.producer = 99; }},
      {"no version", [](Pieces& p) { p.header.has_version = false; }},
      {"another program is disallowed", [](Pieces& p) { p.header.bad_consumers = {2}; }},
      {"bytes behind the last tensor", [](Pieces& p) { p.data += "tail"; }},
      {"unknown fields", [](Pieces& p) { p.raw["a"] = Encode(p.entries["a"]) + test::Number(15, 3); }},
      {"a damaged metaindex block",
       [](Pieces& p) { p.index = [](std::string& t) { t[test::LayoutOf(t).metaindex.begin] ^= 1; }; }}};
  for (const auto& [name, make] : cases) {
    Pieces pieces(folder);
    make(pieces);
    pieces.Write(folder / "odd");
    const BundleReader reader(folder / "odd");
    EXPECT_EQ(reader.entries().size(), 4u) << name;
    EXPECT_TRUE(BitwiseEqual(reader.Read("a"), Array::Of<float>({2}, {1, 2}))) << name;
    EXPECT_EQ(reader.Read("n").data<std::int32_t>()[0], 7) << name;
    EXPECT_THAT(reader.Read("s").strings(), testing::ElementsAre("x", "yy")) << name;
    EXPECT_TRUE(BitwiseEqual(reader.Read("p"), Array::Of<float>({3, 2}, {1, 2, 3, 4, 5, 6}))) << name;
  }
}
// A slice that no partitioned tensor names is a row like any other. tf: CheckpointReader::BuildV2VarMaps
TEST(OddInput, SliceThatNobodyNames) {
  const TemporaryFolder folder;
  Pieces pieces(folder);
  pieces.entries.erase("p");
  pieces.Write(folder / "odd");
  const BundleReader reader(folder / "odd");
  EXPECT_EQ(reader.entries().size(), 5u);
  EXPECT_TRUE(BitwiseEqual(reader.Read(kFirstPart), Array::Of<float>({2, 2}, {1, 2, 3, 4})));
}
TEST(BadInput, KeysThatAreNotAscending) {
  const TemporaryFolder folder;
  const std::string a = Encode(test::Entry{.dtype = 4});
  for (const char* second : {"b", "a"}) {
    WriteFile(folder / "m.index", test::Table({{"", Encode(test::Header{})}, {"b", a}, {second, a}}));
    EXPECT_EQ(
        Caught([&] { BundleReader reader(folder / "m"); }),
        fmt::format("DataLossError: {}: the keys are not in ascending order at '{}'", folder / "m.index", second));
  }
}
TEST(BadInput, AFolderInThePlaceOfAFile) {
  const TemporaryFolder folder;
  Pieces pieces(folder);
  pieces.with_data = false;
  pieces.Write(folder / "m");
  std::filesystem::create_directory(folder / "m.data-00000-of-00001");
  EXPECT_EQ(Caught([&] { BundleReader(folder / "m").Read("a"); }),
            fmt::format("NotFoundError: {}; Is a directory (opening it)", folder / "m.data-00000-of-00001"));
  std::filesystem::create_directory(folder / "n.index");
  EXPECT_EQ(Caught([&] { BundleReader reader(folder / "n"); }),
            fmt::format("NotFoundError: {}; Is a directory (opening it)", folder / "n.index"));
}
}  // namespace
}  // namespace equiv::io
