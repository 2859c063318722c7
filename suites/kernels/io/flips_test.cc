// Every single-bit error and every truncation of a small checkpoint: found wherever a checksum covers the place, and
// without effect where none does.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"
#include "suites/kernels/io/hand_made.h"

namespace equiv::io {
namespace {
using test::Caught;

struct Checkpoint {
  std::string prefix, index;
  std::vector<std::string> data;  // by shard
  std::map<std::string, Array> values;
};
Checkpoint Make(const TemporaryFolder& folder) {
  Checkpoint c;
  c.prefix = folder / "m";
  c.values = {{"a", Array::Of<float>({2, 3}, {1, 2, 3, 4, 5, 6})},
              {"b/c", Array::Scalar<std::int64_t>(-1)},
              {"empty", Array(DType::kFloat32, {0, 4})},
              {"flag", Array::Of<bool>({3}, {true, false, true})},
              {"s", Array::Strings({3}, {"x", "", std::string(130, 'y')})},
              {"p", Array::Of<float>({3, 2}, {1, 2, 3, 4, 5, 6})}};
  BundleWriter writer(c.prefix, 2);
  const std::int64_t full[] = {3, 2};
  writer.AddSlice("p", full, {{{0, 2}, {0, 2}}}, Array::Of<float>({2, 2}, {1, 2, 3, 4}));
  writer.AddSlice("p", full, {{{2, 1}, {0, 2}}}, Array::Of<float>({1, 2}, {5, 6}), 1);
  for (const auto& [key, value] : c.values)
    if (key != "p") writer.Add(key, value, key == "s");
  writer.Finish();
  c.index = ReadFile(IndexFileName(c.prefix));
  for (int shard = 0; shard < 2; ++shard) c.data.push_back(ReadFile(DataFileName(c.prefix, shard, 2)));
  return c;
}
bool Same(const Array& a, const Array& b) {
  return a.dtype() == DType::kString
             ? b.dtype() == DType::kString && a.shape() == b.shape() && a.strings() == b.strings()
             : BitwiseEqual(a, b);
}
// "same", or the error, or "OTHER VALUES" for what must never happen.
std::string ReadAll(const Checkpoint& c) {
  bool same = true;
  const std::string error = Caught([&] {
    const BundleReader reader(c.prefix);
    same = reader.entries().size() == c.values.size();
    for (const auto& [key, value] : c.values) same = same && Same(reader.Read(key), value);
  });
  if (!same) return "OTHER VALUES";
  return error == "nothing was thrown" ? "same" : error;
}

// The metaindex block, which no reader reads, its handle and the padding of the footer are covered by nothing. Of the
// handle only the bits that say how long it is matter: they move the handle behind it. That one may go on into the
// padding, whose zero adds nothing. tf: 2.15.1 accepts exactly these
TEST(Flips, OfEveryBitOfTheIndex) {
  const TemporaryFolder folder;
  const Checkpoint c = Make(folder);
  ASSERT_EQ(ReadAll(c), "same");
  const test::TableLayout at = test::LayoutOf(c.index);
  ASSERT_LT(at.metaindex_handle.begin, at.metaindex_handle.end);
  std::set<std::pair<std::size_t, int>> harmless;
  for (const auto& range : {at.metaindex, at.metaindex_handle, at.padding})
    for (std::size_t i = range.begin; i < range.end; ++i)
      for (int bit = 0; bit < 8; ++bit)
        if (bit < 7 || range.begin != at.metaindex_handle.begin) harmless.emplace(i, bit);
  harmless.emplace(at.index_handle.end - 1, 7);
  std::map<std::string, int> outcomes;
  for (std::size_t i = 0; i < c.index.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = c.index;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      WriteFile(IndexFileName(c.prefix), flipped);
      const std::string outcome = ReadAll(c);
      ++outcomes[outcome];
      if (harmless.contains({i, bit})) {
        ASSERT_EQ(outcome, "same") << "byte " << i << " bit " << bit;
      } else {
        ASSERT_THAT(outcome, testing::StartsWith("DataLossError: ")) << "byte " << i << " bit " << bit;
        ASSERT_THAT(outcome, testing::HasSubstr(IndexFileName(c.prefix)));
      }
    }
  EXPECT_EQ(outcomes["same"], static_cast<int>(harmless.size()));
  EXPECT_GE(outcomes.size(), 4u) << "block checksum, magic, handles";
}
TEST(Flips, IndexOfEveryLength) {
  const TemporaryFolder folder;
  const Checkpoint c = Make(folder);
  for (std::size_t length = 0; length < c.index.size(); ++length) {
    WriteFile(IndexFileName(c.prefix), c.index.substr(0, length));
    ASSERT_EQ(ReadAll(c),
              fmt::format("DataLossError: {}: {}", IndexFileName(c.prefix),
                          length < 48 ? "file is too short to be an sstable" : "not an sstable (bad magic number)"))
        << length;
  }
}

// The tensors whose bytes lie in [begin, end) of a shard.
std::set<std::string> KeysIn(const BundleReader& reader, int shard, std::int64_t begin, std::int64_t end) {
  std::set<std::string> keys;
  for (const BundleEntry& e : reader.entries())
    if (!e.partitioned() && e.shard == shard && e.offset < end && begin < e.offset + e.size) keys.insert(e.key);
  for (const BundleEntry& e : reader.slice_entries())
    if (e.shard == shard && e.offset < end && begin < e.offset + e.size) keys.insert("p");
  return keys;
}
// Every byte of the data belongs to a tensor, and its checksum covers it: that tensor is refused, all others are read.
TEST(Flips, OfEveryByteOfTheData) {
  const TemporaryFolder folder;
  const Checkpoint c = Make(folder);
  const BundleReader layout(c.prefix);
  for (int shard = 0; shard < 2; ++shard) {
    const std::string file = DataFileName(c.prefix, shard, 2), &sound = c.data[static_cast<std::size_t>(shard)];
    ASSERT_FALSE(sound.empty());
    for (std::size_t i = 0; i < sound.size(); ++i) {
      const auto place = static_cast<std::int64_t>(i);
      const std::set<std::string> hit = KeysIn(layout, shard, place, place + 1);
      ASSERT_EQ(hit.size(), 1u) << "byte " << i << " of shard " << shard;
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = sound;
        flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
        WriteFile(file, flipped);
        const BundleReader reader(c.prefix);
        for (const auto& [key, value] : c.values) {
          Array got;
          const std::string error = Caught([&, &key = key] { got = reader.Read(key); });
          if (hit.contains(key)) {
            ASSERT_THAT(error, testing::AllOf(testing::StartsWith("DataLossError: "), testing::HasSubstr(file),
                                              testing::HasSubstr("key " + key)))
                << "byte " << i << " bit " << bit;
          } else {
            ASSERT_TRUE(Same(got, value)) << key << " after byte " << i << " bit " << bit << ": " << error;
          }
        }
      }
    }
    WriteFile(file, sound);
  }
}
TEST(Flips, DataOfEveryLength) {
  const TemporaryFolder folder;
  const Checkpoint c = Make(folder);
  const BundleReader layout(c.prefix);
  for (int shard = 0; shard < 2; ++shard) {
    const std::string file = DataFileName(c.prefix, shard, 2), &sound = c.data[static_cast<std::size_t>(shard)];
    for (std::size_t length = 0; length < sound.size(); ++length) {
      WriteFile(file, sound.substr(0, length));
      const std::set<std::string> lost = KeysIn(layout, shard, static_cast<std::int64_t>(length), INT64_MAX);
      const BundleReader reader(c.prefix);
      for (const auto& [key, value] : c.values) {
        Array got;
        const std::string error = Caught([&, &key = key] { got = reader.Read(key); });
        if (lost.contains(key)) {
          ASSERT_THAT(error, testing::AllOf(testing::StartsWith("OutOfRangeError: Read less bytes than requested"),
                                            testing::HasSubstr(file), testing::HasSubstr("key " + key)))
              << length;
        } else {
          ASSERT_TRUE(Same(got, value)) << key << " at " << length << " bytes: " << error;
        }
      }
    }
    WriteFile(file, sound);
  }
}

// Behind the checksums: every bit of the index again, with the checksums of all blocks made right. Nothing crashes, and
// what is read at all is of a shape and size that fit the file.
TEST(Flips, OfEveryBitOfTheIndexWithRightChecksums) {
  const TemporaryFolder folder;
  const Checkpoint c = Make(folder);
  std::map<std::string, int> kinds;
  for (std::size_t i = 0; i < c.index.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = c.index;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      test::RepairChecksums(flipped);
      WriteFile(IndexFileName(c.prefix), flipped);
      std::vector<BundleEntry> entries;
      const std::string opened = Caught([&] { entries = BundleReader(c.prefix).entries(); });
      ++kinds[opened.substr(0, opened.find(':'))];
      for (const BundleEntry& e : entries) {
        Array got;
        const std::string error = Caught([&] { got = BundleReader(c.prefix).Read(e); });
        ++kinds[error.substr(0, error.find(':'))];
        if (error == "nothing was thrown") {
          ASSERT_EQ(got.shape().vector(), e.shape);
          ASSERT_LE(got.num_bytes(), c.data[0].size() + c.data[1].size());
        }
      }
    }
  EXPECT_GT(kinds["nothing was thrown"], 0);
  EXPECT_GT(kinds["DataLossError"], 0);
  EXPECT_GT(kinds["NotFoundError"], 0);
  EXPECT_GT(kinds["OutOfRangeError"], 0);
}
}  // namespace
}  // namespace equiv::io
