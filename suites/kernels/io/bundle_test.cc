// Bundles: whatever is written is read, and the files have the bytes that the format says.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "kernels/io/crc32c.h"
#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"
#include "suites/kernels/io/hand_made.h"

namespace equiv::io {
namespace {
using test::Caught;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const DType kNumeric[] = {DType::kFloat32,    DType::kFloat64,      DType::kInt32,    DType::kUInt8,  DType::kInt16,
                          DType::kInt8,       DType::kComplex64,    DType::kInt64,    DType::kBool,   DType::kQInt8,
                          DType::kQUInt8,     DType::kQInt32,       DType::kBFloat16, DType::kQInt16, DType::kQUInt16,
                          DType::kUInt16,     DType::kComplex128,   DType::kFloat16,  DType::kUInt32, DType::kUInt64,
                          DType::kFloat8E5M2, DType::kFloat8E4M3FN, DType::kInt4,     DType::kUInt4};

// Bytes that differ from element to element; of bool 0 and 1.
Array Pattern(DType dtype, const Shape& shape, unsigned seed = 1) {
  Array array(dtype, shape);
  std::uint32_t state = seed;
  for (std::size_t i = 0; i < array.num_bytes(); ++i) {
    state = state * 1664525u + 1013904223u;
    array.raw()[i] = static_cast<std::byte>(dtype == DType::kBool ? state >> 31 : state >> 24);
  }
  return array;
}
std::string BytesOf(const Array& array) { return {reinterpret_cast<const char*>(array.raw()), array.num_bytes()}; }
std::vector<std::string> Keys(const BundleReader& reader) {
  std::vector<std::string> keys;
  for (const BundleEntry& entry : reader.entries()) keys.push_back(entry.key);
  return keys;
}

class EveryDType : public testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(Bundle, EveryDType, testing::ValuesIn(kNumeric),
                         [](const auto& info) { return std::string(Name(info.param)); });
TEST_P(EveryDType, EveryKindOfShape) {
  const TemporaryFolder folder;
  const std::string prefix = folder / "model";
  const Shape shapes[] = {{}, {1}, {5}, {0}, {3, 0, 2}, {2, 3}, {1, 2, 1, 2, 1, 2, 1, 2}, {2, 1, 3, 1, 2, 1, 1, 3}};
  std::vector<Array> arrays;
  {
    BundleWriter writer(prefix);
    for (const Shape& shape : shapes) {
      arrays.push_back(Pattern(GetParam(), shape, static_cast<unsigned>(arrays.size())));
      writer.Add(shape.ToString(), arrays.back());
    }
    writer.Finish();
  }
  std::string all;
  for (const Array& array : arrays) all += BytesOf(array);
  EXPECT_EQ(ReadFile(DataFileName(prefix, 0, 1)), all) << "tensors lie back to back, without padding";
  const BundleReader reader(prefix);
  for (std::size_t i = 0, offset = 0; i < arrays.size(); offset += arrays[i++].num_bytes()) {
    const BundleEntry* entry = reader.Find(shapes[i].ToString());
    ASSERT_NE(entry, nullptr) << shapes[i].ToString();
    EXPECT_EQ(entry->dtype, GetParam());
    EXPECT_EQ(entry->shape, shapes[i].vector());
    EXPECT_EQ(entry->offset, static_cast<std::int64_t>(offset));
    EXPECT_EQ(entry->size, static_cast<std::int64_t>(arrays[i].num_bytes()));
    EXPECT_EQ(entry->masked_crc32c, MaskCrc32c(ExtendCrc32c(0, arrays[i].raw(), arrays[i].num_bytes())));
    EXPECT_TRUE(BitwiseEqual(reader.Read(*entry), arrays[i])) << shapes[i].ToString();
  }
}
// The same checkpoint, the index of which says that a big-endian machine wrote it.
TEST_P(EveryDType, BigEndianElementsAreTurned) {
  const TemporaryFolder folder;
  const Array array = Pattern(GetParam(), {2, 3});
  const std::size_t complex = IsComplex(GetParam()) ? 2 : 1, width = SizeOf(GetParam()) / complex;
  std::string turned = BytesOf(array);
  for (std::size_t i = 0; i < turned.size(); i += width)
    std::reverse(turned.begin() + static_cast<std::ptrdiff_t>(i),
                 turned.begin() + static_cast<std::ptrdiff_t>(i + width));
  WriteFile(folder / "m.data-00000-of-00001", turned);
  WriteFile(
      folder / "m.index",
      test::Table({{"", Encode(test::Header{.endianness = 1})},
                   {"a", Encode(test::Entry{.dtype = static_cast<int>(GetParam()),
                                            .shape = {2, 3},
                                            .size = static_cast<std::int64_t>(turned.size()),
                                            .crc = MaskCrc32c(ExtendCrc32c(0, turned.data(), turned.size()))})}}));
  const BundleReader reader(folder / "m");
  EXPECT_TRUE(reader.header().big_endian);
  EXPECT_TRUE(BitwiseEqual(reader.Read("a"), array));
}

TEST(Bundle, Strings) {
  const TemporaryFolder folder;
  const std::string prefix = folder / "m";
  std::string every_byte(256, '\0');
  for (std::size_t i = 0; i < 256; ++i) every_byte[i] = static_cast<char>(i);
  const std::pair<const char*, Array> cases[] = {
      {"binary", Array::Strings({2}, {every_byte, std::string("\0\0", 2)})},
      {"empty", Array::Strings({3}, {"", "", ""})},
      {"long", Array::Strings({2, 1}, {std::string(1 << 20, 'x'), std::string(300, 'y')})},
      {"none", Array::Strings({0}, {})},
      {"one", Array::Strings({}, {"scalar"})},
      {"widths", Array::Strings({4}, {std::string(127, 'a'), std::string(128, 'b'), std::string(16383, 'c'),
                                      std::string(16384, 'd')})}};
  BundleWriter writer(prefix);
  for (const auto& [key, array] : cases) writer.Add(key, array);
  writer.Finish();
  const BundleReader reader(prefix);
  for (const auto& [key, array] : cases) {
    const Array got = reader.Read(key);
    EXPECT_EQ(got.shape(), array.shape()) << key;
    EXPECT_EQ(got.strings(), array.strings()) << key;
  }
}
// Lengths, their checksum, then the bytes; the entry's checksum runs on over the stored one of the lengths.
TEST(Bundle, BytesOfStrings) {
  const TemporaryFolder folder;
  BundleWriter writer(folder / "m");
  writer.Add("s", Array::Strings({2}, {"x", "yy"}));
  writer.Finish();
  const std::string lengths("\x01\0\0\0\x02\0\0\0", 8),
      sum = test::Fixed32(MaskCrc32c(ExtendCrc32c(0, lengths.data(), 8)));
  EXPECT_EQ(ReadFile(folder / "m.data-00000-of-00001"), "\x01\x02" + sum + "xyy");
  const std::string summed = lengths + sum + "xyy";
  EXPECT_EQ(BundleReader(folder / "m").Find("s")->masked_crc32c,
            MaskCrc32c(ExtendCrc32c(0, summed.data(), summed.size())));
}
// tf: ReadStringTensor turns the lengths before it sums them, and the checksum of the lengths
TEST(Bundle, BigEndianStrings) {
  const TemporaryFolder folder;
  const std::string lengths("\0\0\0\x01\0\0\0\x02", 8),
      sum = test::Fixed32(MaskCrc32c(ExtendCrc32c(0, lengths.data(), 8)));
  const std::string stored_sum(sum.rbegin(), sum.rend()), data = "\x01\x02" + stored_sum + "xyy";
  const std::string summed = lengths + stored_sum + "xyy";
  WriteFile(folder / "m.data-00000-of-00001", data);
  WriteFile(
      folder / "m.index",
      test::Table({{"", Encode(test::Header{.endianness = 1})},
                   {"s", Encode(test::Entry{.dtype = 7,
                                            .shape = {2},
                                            .size = static_cast<std::int64_t>(data.size()),
                                            .crc = MaskCrc32c(ExtendCrc32c(0, summed.data(), summed.size()))})}}));
  EXPECT_THAT(BundleReader(folder / "m").Read("s").strings(), ElementsAre("x", "yy"));
}

TEST(Bundle, BytesOfTheSmallestIndex) {
  const TemporaryFolder folder;
  BundleWriter writer(folder / "m");
  writer.Add("b", Array::Of<float>({2}, {1.0F, -2.0F}));
  writer.Add("a", Array::Scalar<std::int64_t>(7));
  writer.Finish();
  // Rows by key, tensors in the order of the calls.
  EXPECT_EQ(ReadFile(folder / "m.data-00000-of-00001"), std::string("\0\0\x80\x3f\0\0\0\xc0\x07\0\0\0\0\0\0\0", 16));
  const BundleReader reader(folder / "m");
  const auto row = [&](const char* key) {
    const BundleEntry& e = *reader.Find(key);
    return Encode(test::Entry{.dtype = static_cast<int>(e.dtype),
                              .shape = e.shape,
                              .offset = e.offset,
                              .size = e.size,
                              .crc = e.masked_crc32c});
  };
  const std::string expected = test::Table({{"", Encode(test::Header{})}, {"a", row("a")}, {"b", row("b")}});
  // The last key of the index block is shortened: 'c' stands for everything after "b".
  std::string index = ReadFile(folder / "m.index");
  const test::TableLayout at = test::LayoutOf(index);
  EXPECT_EQ(index[at.index.begin + 3], 'c');
  index[at.index.begin + 3] = 'b';
  test::RepairChecksums(index);
  EXPECT_EQ(index, expected);
}

TEST(Bundle, NoTensorsAtAll) {
  const TemporaryFolder folder;
  BundleWriter(folder / "m").Finish();
  const BundleReader reader(folder / "m");
  EXPECT_TRUE(reader.entries().empty());
  EXPECT_EQ(reader.header().num_shards, 1);
  EXPECT_EQ(reader.header().producer, 1);
  EXPECT_EQ(ReadFile(folder / "m.data-00000-of-00001"), "");
}

// More rows than one block holds: the keys share prefixes, restarts and blocks.
TEST(Bundle, TenThousandKeysInFiveShards) {
  const TemporaryFolder folder;
  const std::string prefix = folder / "m";
  constexpr int kKeys = 10000, kShards = 5;
  const auto key = [](int i) { return fmt::format("scope_{:03}/variable_{:05}/kernel", i % 1000, i); };
  BundleWriter writer(prefix, kShards);
  for (int i = 0; i < kKeys; ++i) writer.Add(key(i), Array::Scalar(static_cast<float>(i)), i % kShards);
  writer.Finish();
  EXPECT_GT(ReadFile(prefix + ".index").size(), std::size_t{262144} + 48) << "one block only";
  const BundleReader reader(prefix);
  EXPECT_EQ(reader.header().num_shards, kShards);
  ASSERT_EQ(reader.entries().size(), std::size_t{kKeys});
  EXPECT_TRUE(std::ranges::is_sorted(reader.entries(), {}, &BundleEntry::key));
  for (int i = 0; i < kKeys; ++i) {
    const BundleEntry* entry = reader.Find(key(i));
    ASSERT_NE(entry, nullptr) << key(i);
    EXPECT_EQ(entry->shard, i % kShards);
    EXPECT_EQ(reader.Read(*entry).data<float>()[0], static_cast<float>(i));
  }
  EXPECT_EQ(reader.Find("scope_000/variable_00000/kerne"), nullptr);
  EXPECT_EQ(reader.Find("zzz"), nullptr);
}

TEST(Bundle, ShardsWithoutTensors) {
  const TemporaryFolder folder;
  BundleWriter writer(folder / "m", 3);
  writer.Add("a", Array::Scalar(1.0F), 1);
  writer.Finish();
  for (int shard = 0; shard < 3; ++shard)
    EXPECT_EQ(ReadFile(DataFileName(folder / "m", shard, 3)).size(), shard == 1 ? 4u : 0u);
  EXPECT_EQ(BundleReader(folder / "m").Read("a").data<float>()[0], 1.0F);
}

// Keys are bytes, ordered as unsigned ones. One that begins with a zero byte is no slice for that reason alone.
TEST(Bundle, KeysOfAnyBytes) {
  const TemporaryFolder folder;
  const std::vector<std::string> keys = {std::string("\0", 1),
                                         std::string("\0a\0\1", 4),
                                         "\x01",
                                         " ",
                                         "/",
                                         "Z",
                                         "_",
                                         "a",
                                         "a.",
                                         "a/",
                                         "a/.ATTRIBUTES/x",
                                         std::string(300, 'k'),
                                         "z",
                                         "\x7f",
                                         "\x80",
                                         "\xc3\xa9",
                                         "\xff",
                                         "\xff\xff"};
  BundleWriter writer(folder / "m");
  for (std::size_t i = keys.size(); i-- > 0;) writer.Add(keys[i], Array::Scalar(static_cast<std::int32_t>(i)));
  writer.Finish();
  const BundleReader reader(folder / "m");
  EXPECT_EQ(Keys(reader), keys);
  for (std::size_t i = 0; i < keys.size(); ++i)
    EXPECT_EQ(reader.Read(keys[i]).data<std::int32_t>()[0], static_cast<std::int32_t>(i));
}

TEST(BundleWriter, RefusesWhatCannotBeStored) {
  const TemporaryFolder folder;
  const std::string prefix = folder / "m";
  const Array one = Array::Scalar(1.0F);
  BundleWriter writer(prefix, 2);
  writer.Add("x", one);
  EXPECT_EQ(Caught([&] { writer.Add("x", one, 1); }),
            fmt::format("InvalidArgumentError: Adding duplicate key: x (checkpoint '{}')", prefix));
  EXPECT_EQ(Caught([&] { writer.Add("", one); }),
            fmt::format("InvalidArgumentError: checkpoint '{}': a key is empty", prefix));
  EXPECT_EQ(Caught([&] { writer.Add("y", one, 2); }),
            fmt::format("InvalidArgumentError: checkpoint '{}': key y: shard 2 of 2", prefix));
  EXPECT_EQ(Caught([&] { writer.Add("y", one, -1); }),
            fmt::format("InvalidArgumentError: checkpoint '{}': key y: shard -1 of 2", prefix));
  EXPECT_EQ(
      Caught([&] { writer.Add("y", Array()); }),
      fmt::format("UnimplementedError: checkpoint '{}': key y: a tensor of dtype invalid has no plain bytes", prefix));
  EXPECT_EQ(
      Caught([&] { writer.Add("y", Array::Variant(nullptr)); }),
      fmt::format("UnimplementedError: checkpoint '{}': key y: a tensor of dtype variant has no plain bytes", prefix));
  for (const int shards : {0, -1, 100000})
    EXPECT_EQ(Caught([&] { BundleWriter(folder / "n", shards); }),
              fmt::format("InvalidArgumentError: a checkpoint has 1 to 99999 shards, not {}", shards));
  // What was refused is not in the checkpoint, and what was not is.
  writer.Finish();
  EXPECT_THAT(Keys(BundleReader(prefix)), ElementsAre("x"));
  EXPECT_EQ(Caught([&] { writer.Add("z", one); }),
            fmt::format("FailedPreconditionError: checkpoint '{}' is finished already", prefix));
}
TEST(BundleWriter, LeavesNothingUnlessFinished) {
  const TemporaryFolder folder;
  {
    BundleWriter writer(folder / "m", 3);
    writer.Add("a", Array::Scalar(1.0F));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(BundleReader, NamesWhatIsMissing) {
  const TemporaryFolder folder;
  const std::string prefix = folder / "m";
  EXPECT_EQ(
      Caught([&] { BundleReader reader(prefix); }),
      fmt::format("NotFoundError: Unsuccessful TensorSliceReader constructor: Failed to find any matching files for "
                  "{0}: there is no '{0}.index'; a checkpoint is named by its prefix, like 'model.ckpt-1'",
                  prefix));
  WriteFile(prefix, "an old file");
  EXPECT_THAT(Caught([&] { BundleReader reader(prefix); }),
              AllOf(HasSubstr("NotFoundError: "), HasSubstr("V1 checkpoint"), HasSubstr("write_version V2")));
  BundleWriter(folder / "e").Finish();
  EXPECT_EQ(Caught([&] { BundleReader(folder / "e").Read("zz"); }),
            fmt::format("NotFoundError: Key zz not found in checkpoint '{}'", folder / "e"));
  EXPECT_EQ(Caught([&] { BundleReader(folder / "e").ReadSlice("zz", {}); }),
            fmt::format("NotFoundError: Key zz not found in checkpoint '{}'", folder / "e"));
}

// tf: TensorFlow reads compressed tables, small blocks and other restart intervals, though it does not write them.
TEST(BundleReader, TablesThatOtherWritersMake) {
  const TemporaryFolder folder;
  BundleWriter writer(folder / "m");
  for (int i = 0; i < 100; ++i) writer.Add(fmt::format("layer_{}/kernel", i), Array::Scalar(static_cast<float>(i)));
  writer.Finish();
  const BundleReader original(folder / "m");
  std::vector<std::pair<std::string, std::string>> rows = {{"", Encode(test::Header{.producer = 99})}};
  for (const BundleEntry& e : original.entries())
    rows.emplace_back(e.key, Encode(test::Entry{.offset = e.offset, .size = e.size, .crc = e.masked_crc32c}));
  const test::TableOptions options[] = {{.rows_per_block = 1},
                                        {.rows_per_block = 7, .restart_interval = 1},
                                        {.rows_per_block = 7, .restart_interval = 3, .snappy = true},
                                        {.restart_interval = 1000, .snappy = true}};
  for (const test::TableOptions& option : options) {
    WriteFile(folder / "m.index", test::Table(rows, option));
    const BundleReader reader(folder / "m");
    EXPECT_EQ(reader.header().producer, 99);
    EXPECT_EQ(reader.entries(), original.entries());
    EXPECT_EQ(reader.Read("layer_42/kernel").data<float>()[0], 42.0F);
  }
}

TEST(BundleReader, IsSharedByThreads) {
  const TemporaryFolder folder;
  constexpr int kKeys = 64;
  BundleWriter writer(folder / "m", 8);
  for (int i = 0; i < kKeys; ++i)
    writer.Add(std::to_string(i), Pattern(DType::kFloat32, {100}, static_cast<unsigned>(i)), i % 8);
  writer.Finish();
  const BundleReader reader(folder / "m");
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int& count : wrong)
    threads.emplace_back([&reader, &count] {
      for (int i = 0; i < kKeys; ++i)
        count +=
            !BitwiseEqual(reader.Read(std::to_string(i)), Pattern(DType::kFloat32, {100}, static_cast<unsigned>(i)));
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}
}  // namespace
}  // namespace equiv::io
