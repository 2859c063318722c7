// Partitioned tensors: stored in parts, read whole or in other boxes; and bundles merged into one.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"
#include "suites/kernels/io/hand_made.h"

namespace equiv::io {
namespace {
using test::Caught;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Dims = std::vector<std::int64_t>;

Array Iota(DType dtype, const Shape& shape) {
  Array array(dtype, shape);
  for (std::size_t i = 0; i < array.num_bytes(); ++i)
    array.raw()[i] = static_cast<std::byte>(dtype == DType::kBool ? i % 3 == 0 : i * 7 + 1);
  return array;
}
// The box of an array, element by element.
Array Cut(const Array& array, const TensorSlice& slice) {
  const Dims sizes = slice.ShapeWithin(array.shape().dims());
  Array part(array.dtype(), Shape(sizes));
  const std::size_t width = SizeOf(array.dtype());
  for (std::int64_t i = 0; i < part.num_elements(); ++i) {
    std::int64_t rest = i, source = 0, stride = 1;
    for (std::size_t d = sizes.size(); d-- > 0;) {
      const std::int64_t start = slice.extents[d].length < 0 ? 0 : slice.extents[d].start;
      source += (start + rest % sizes[d]) * stride;
      rest /= sizes[d];
      stride *= array.dim(static_cast<int>(d));
    }
    std::memcpy(part.raw() + static_cast<std::size_t>(i) * width,
                array.raw() + static_cast<std::size_t>(source) * width, width);
  }
  return part;
}
// `axis` cut at the given places.
std::vector<TensorSlice> Parts(const Shape& shape, int axis, Dims cuts) {
  cuts.insert(cuts.begin(), 0);
  cuts.push_back(shape.dim(axis));
  std::vector<TensorSlice> parts;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    TensorSlice slice;
    for (int d = 0; d < shape.rank(); ++d) slice.extents.push_back({0, shape.dim(d)});
    slice.extents[static_cast<std::size_t>(axis)] = {cuts[i], cuts[i + 1] - cuts[i]};
    parts.push_back(slice);
  }
  return parts;
}
std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

// All boxes of a small tensor, from parts along each axis.
TEST(Slices, EveryBoxFromPartsAlongEveryAxis) {
  const Shape shape{4, 3, 5};
  const Array whole = Iota(DType::kInt32, shape);
  std::vector<std::vector<SliceExtent>> extents(3);
  for (int d = 0; d < 3; ++d) {
    extents[static_cast<std::size_t>(d)].push_back({});
    for (std::int64_t start = 0; start < shape.dim(d); ++start)
      for (std::int64_t length = 1; start + length <= shape.dim(d); length += 2)
        extents[static_cast<std::size_t>(d)].push_back({start, length});
  }
  const TemporaryFolder folder;
  for (int axis = 0; axis < 3; ++axis) {
    const std::string prefix = folder / fmt::format("axis{}", axis);
    BundleWriter writer(prefix, 2);
    int shard = 0;
    for (const TensorSlice& part : Parts(shape, axis, axis == 1 ? Dims{1} : Dims{1, 2}))
      writer.AddSlice("v", shape.dims(), part, Cut(whole, part), shard++ % 2);
    writer.Finish();
    const BundleReader reader(prefix);
    ASSERT_EQ(reader.entries().size(), 1u) << "the rows of slices are hidden";
    EXPECT_EQ(reader.slice_entries().size(), axis == 1 ? 2u : 3u);
    EXPECT_EQ(reader.entries()[0].shape, shape.vector());
    ASSERT_TRUE(BitwiseEqual(reader.Read("v"), whole)) << axis;
    for (const SliceExtent& a : extents[0])
      for (const SliceExtent& b : extents[1])
        for (const SliceExtent& c : extents[2]) {
          const TensorSlice box{{a, b, c}};
          ASSERT_TRUE(BitwiseEqual(reader.ReadSlice("v", box), Cut(whole, box))) << axis << " " << box.ToString();
        }
  }
}
TEST(Slices, OfEveryDType) {
  const TemporaryFolder folder;
  const Shape shape{5, 2};
  for (const DType dtype :
       {DType::kFloat32, DType::kFloat64, DType::kBool, DType::kBFloat16, DType::kFloat16, DType::kInt8, DType::kUInt16,
        DType::kInt64, DType::kComplex64, DType::kComplex128, DType::kQInt8, DType::kInt4}) {
    const Array whole = Iota(dtype, shape);
    const std::string prefix = folder / std::string(Name(dtype));
    BundleWriter writer(prefix);
    for (const TensorSlice& part : Parts(shape, 0, {2})) writer.AddSlice("v", shape.dims(), part, Cut(whole, part));
    writer.Add("w", whole);
    writer.Finish();
    const BundleReader reader(prefix);
    const TensorSlice box{{{1, 3}, {1, 1}}};
    for (const char* key : {"v", "w"}) {
      EXPECT_TRUE(BitwiseEqual(reader.Read(key), whole)) << Name(dtype) << " " << key;
      EXPECT_TRUE(BitwiseEqual(reader.ReadSlice(key, box), Cut(whole, box))) << Name(dtype) << " " << key;
    }
  }
}
// A part of strings is read as it is stored; other boxes of them are refused. tf: "Dtype string not supported."
TEST(Slices, OfStrings) {
  const TemporaryFolder folder;
  const Dims shape{3};
  BundleWriter writer(folder / "m");
  writer.AddSlice("s", shape, {{{0, 2}}}, Array::Strings({2}, {"a", "b"}));
  writer.AddSlice("s", shape, {{{2, 1}}}, Array::Strings({1}, {"c"}));
  writer.Finish();
  const BundleReader reader(folder / "m");
  EXPECT_THAT(reader.ReadSlice("s", {{{0, 2}}}).strings(), ElementsAre("a", "b"));
  EXPECT_EQ(
      Caught([&] {
        reader.ReadSlice("s", {{{1, 2}}});
      }),
      fmt::format("UnimplementedError: {}: key s: slice 1,2 of a string tensor is put together from several parts "
                  "or cut from one; strings are read as they are stored",
                  folder / "m"));
  EXPECT_THAT(Caught([&] { reader.Read("s"); }), HasSubstr("UnimplementedError"));
}
// tf: BundleWriter::AddSlice
TEST(Slices, AllOfItIsAnOrdinaryTensor) {
  const TemporaryFolder folder;
  const Array whole = Iota(DType::kFloat32, {2, 2});
  BundleWriter writer(folder / "m");
  writer.AddSlice("v", whole.shape().dims(), {{{0, 2}, {0, 2}}}, whole);
  writer.Finish();
  const BundleReader reader(folder / "m");
  EXPECT_FALSE(reader.Find("v")->partitioned());
  EXPECT_THAT(reader.slice_entries(), IsEmpty());
}
// Offsets beyond 32 bits; only the parts that are stored can be read.
TEST(Slices, OfATensorLargerThanMemory) {
  const TemporaryFolder folder;
  const Dims shape{std::int64_t{1} << 40, 1024};
  const TensorSlice last{{{(std::int64_t{1} << 40) - 2, 2}, {1000, 3}}};
  const Array part = Iota(DType::kFloat32, {2, 3});
  BundleWriter writer(folder / "m");
  writer.AddSlice("v", shape, last, part);
  writer.Finish();
  const BundleReader reader(folder / "m");
  EXPECT_TRUE(BitwiseEqual(reader.ReadSlice("v", last), part));
  EXPECT_TRUE(BitwiseEqual(reader.ReadSlice("v", {{{(std::int64_t{1} << 40) - 1, 1}, {1001, 1}}}),
                           Cut(part, {{{1, 1}, {1, 1}}})));
  EXPECT_EQ(
      Caught([&] { reader.Read("v"); }),
      fmt::format("InvalidArgumentError: {}: Does not have sufficient slices for partitioned tensor v to restore in "
                  "slice_spec: -:-",
                  folder / "m"));
}

TEST(Slices, RefusedWhileWriting) {
  const TemporaryFolder folder;
  const std::string prefix = folder / "m";
  const Dims shape{4, 2};
  const Array two = Iota(DType::kFloat32, {2, 2});
  const TensorSlice first{{{0, 2}, {}}}, second{{{2, 2}, {}}};
  BundleWriter writer(prefix);
  writer.AddSlice("v", shape, first, two);
  const std::string who = fmt::format("InvalidArgumentError: checkpoint '{}': ", prefix);
  EXPECT_EQ(Caught([&] { writer.AddSlice("v", shape, first, two); }),
            fmt::format("InvalidArgumentError: Adding duplicate key: v slice 0,2:- (checkpoint '{}')", prefix));
  EXPECT_EQ(Caught([&] {
              writer.AddSlice("v", shape, second, Iota(DType::kInt32, {2, 2}));
            }),
            who + "the slices of 'v' differ in dtype or full shape");
  EXPECT_EQ(Caught([&] {
              writer.AddSlice("v", Dims{5, 2}, second, two);
            }),
            who + "the slices of 'v' differ in dtype or full shape");
  EXPECT_EQ(Caught([&] {
              writer.AddSlice("v", shape, second, Iota(DType::kFloat32, {2, 1}));
            }),
            who + "slice 4 2 2,2:- of 'v' does not have the shape [2,1] of its value");
  EXPECT_EQ(Caught([&] {
              writer.AddSlice("v", shape, {{{3, 2}, {}}}, two);
            }),
            who + "key v: slice 3,2:- reaches beyond dimension 0 of shape [4,2]");
  EXPECT_EQ(Caught([&] { writer.Add("v", two); }),
            fmt::format("InvalidArgumentError: Adding duplicate key: v (checkpoint '{}')", prefix));
  writer.Add("w", two);
  EXPECT_EQ(
      Caught([&] { writer.AddSlice("w", shape, first, two); }),
      fmt::format("InvalidArgumentError: Adding duplicate key: w (checkpoint '{}'), whole and in slices", prefix));
  EXPECT_EQ(Caught([&] { writer.AddSlice("", shape, first, two); }), who + "a key is empty");
  // None of the refused calls left anything behind.
  writer.AddSlice("v", shape, second, two);
  writer.Finish();
  const BundleReader reader(prefix);
  EXPECT_EQ(reader.slice_entries().size(), 2u);
  EXPECT_EQ(ReadFile(prefix + ".data-00000-of-00001").size(), 3 * two.num_bytes());
}
TEST(Slices, ABoxOutsideTheTensorCannotBeRead) {
  const TemporaryFolder folder;
  BundleWriter writer(folder / "m");
  writer.Add("v", Iota(DType::kFloat32, {4, 2}));
  writer.Finish();
  EXPECT_EQ(Caught([&] {
              BundleReader(folder / "m").ReadSlice("v", {{{3, 2}, {}}});
            }),
            fmt::format("InvalidArgumentError: {}: key v: slice 3,2:- reaches beyond dimension 0 of shape [4,2]",
                        folder / "m"));
}

// A sharded save: each part in a bundle of its own, then one checkpoint.
TEST(MergeBundles, ShardsInTheOrderOfTheirRows) {
  const TemporaryFolder folder;
  const Array a = Iota(DType::kFloat32, {3}), b = Iota(DType::kInt64, {}), c = Iota(DType::kBool, {2, 2});
  const Shape shape{4, 1};
  const Array v = Iota(DType::kFloat32, shape);
  const std::vector<TensorSlice> parts = Parts(shape, 0, {1});
  const std::vector<std::string> prefixes = {folder / "part-0", folder / "part-1", folder / "part-2"};
  {
    BundleWriter zero(prefixes[0]), one(prefixes[1]), two(prefixes[2]);
    zero.Add("z", a);
    zero.AddSlice("v", shape.dims(), parts[0], Cut(v, parts[0]));
    one.Add("b", b);
    one.Add("a", c);
    two.AddSlice("v", shape.dims(), parts[1], Cut(v, parts[1]));
    zero.Finish();
    one.Finish();
    two.Finish();
  }
  MergeBundles(prefixes, folder / "m");
  const BundleReader reader(folder / "m");
  EXPECT_EQ(reader.header().num_shards, 3);
  EXPECT_TRUE(BitwiseEqual(reader.Read("z"), a));
  EXPECT_TRUE(BitwiseEqual(reader.Read("b"), b));
  EXPECT_TRUE(BitwiseEqual(reader.Read("a"), c));
  EXPECT_TRUE(BitwiseEqual(reader.Read("v"), v));
  EXPECT_EQ(reader.Find("z")->shard, 0);
  EXPECT_EQ(reader.Find("a")->shard, 1);
  EXPECT_THAT(reader.Find("v")->slices, ElementsAre(parts[0], parts[1]));
  EXPECT_THAT(FilesIn(folder.path()),
              ElementsAre("m.data-00000-of-00003", "m.data-00001-of-00003", "m.data-00002-of-00003", "m.index"));
}
TEST(MergeBundles, PartsWithoutTensorsDisappear) {
  const TemporaryFolder folder;
  BundleWriter(folder / "empty").Finish();
  BundleWriter full(folder / "full");
  full.Add("a", Iota(DType::kFloat32, {3}));
  full.Finish();
  MergeBundles(std::vector<std::string>{folder / "empty", folder / "full"}, folder / "m");
  EXPECT_EQ(BundleReader(folder / "m").header().num_shards, 1);
  EXPECT_THAT(FilesIn(folder.path()), ElementsAre("m.data-00000-of-00001", "m.index"));
}
// The shards of the merged checkpoint trade places: its rows meet them in another order.
TEST(MergeBundles, IntoOneOfItsParts) {
  const TemporaryFolder folder;
  const Array a = Iota(DType::kFloat32, {3}), b = Iota(DType::kInt64, {}), c = Iota(DType::kBool, {});
  for (const bool other : {false, true}) {
    BundleWriter writer(folder / "m", 2);
    writer.Add("a", a, 1);
    writer.Add("b", b, 0);
    writer.Finish();
    std::vector<std::string> prefixes = {folder / "m"};
    if (other) {
      BundleWriter more(folder / "n");
      more.Add("c", c);
      more.Finish();
      prefixes.push_back(folder / "n");
    }
    MergeBundles(prefixes, folder / "m");
    const BundleReader reader(folder / "m");
    EXPECT_TRUE(BitwiseEqual(reader.Read("a"), a));
    EXPECT_TRUE(BitwiseEqual(reader.Read("b"), b));
    if (other) {
      EXPECT_TRUE(BitwiseEqual(reader.Read("c"), c));
    }
    EXPECT_EQ(FilesIn(folder.path()).size(), other ? 4u : 3u);
  }
}
TEST(MergeBundles, RefusesWhatDoesNotFitAndChangesNothing) {
  const TemporaryFolder folder;
  const std::string a = folder / "a", b = folder / "b", m = folder / "m";
  const auto write = [&](const std::string& prefix, const std::string& key, const Array& array) {
    BundleWriter writer(prefix);
    writer.Add(key, array);
    writer.Finish();
  };
  write(m, "old", Iota(DType::kFloat32, {3}));
  write(a, "x", Iota(DType::kFloat32, {3}));
  write(b, "x", Iota(DType::kFloat32, {3}));
  const auto merge = [&](std::vector<std::string> prefixes) { return Caught([&] { MergeBundles(prefixes, m); }); };
  EXPECT_EQ(merge({}), "InvalidArgumentError: MergeV2Checkpoints: at least one checkpoint prefix is needed");
  EXPECT_EQ(merge({a, b}),
            fmt::format("InvalidArgumentError: Duplicate tensor keyed by x encountered, when merging prefix: {}", b));
  EXPECT_EQ(merge({a, a}),
            fmt::format("InvalidArgumentError: Duplicate tensor keyed by x encountered, when merging prefix: {}", a));
  EXPECT_THAT(merge({a, folder / "missing"}), HasSubstr("NotFoundError: " + (folder / "missing.index")));
  const auto with_header = [&](const test::Header& header) {
    WriteFile(b + ".index", test::Table({{"", Encode(header)}}));
    return merge({a, b});
  };
  EXPECT_EQ(with_header({.endianness = 1}),
            fmt::format("InvalidArgumentError: Merging bundles with conflicting endianness: {} and {}", a, b));
  EXPECT_EQ(
      with_header({.producer = 7}),
      fmt::format("InvalidArgumentError: Merging bundles with different format versions: 1 in {}, 7 in {}", a, b));
  WriteFile(b + ".index", test::Table({{"", Encode(test::Header{})}, {"y", Encode(test::Entry{.shard = 5})}}));
  EXPECT_EQ(merge({a, b}), fmt::format("NotFoundError: {}.data-00005-of-00001; No such file or directory", b));
  EXPECT_TRUE(BitwiseEqual(BundleReader(m).Read("old"), Iota(DType::kFloat32, {3})));
  EXPECT_TRUE(BitwiseEqual(BundleReader(a).Read("x"), Iota(DType::kFloat32, {3})));
  EXPECT_THAT(FilesIn(folder.path()), UnorderedElementsAre("a.data-00000-of-00001", "a.index", "b.data-00000-of-00001",
                                                           "b.index", "m.data-00000-of-00001", "m.index"));
}
// Big-endian parts stay big-endian.
TEST(MergeBundles, KeepsTheByteOrder) {
  const TemporaryFolder folder;
  const Array value = Array::Of<std::int32_t>({2}, {1, 2});
  BundleWriter writer(folder / "a");
  writer.Add("x", value);
  writer.Finish();
  const BundleEntry e = *BundleReader(folder / "a").Find("x");
  WriteFile(folder / "a.index",
            test::Table({{"", Encode(test::Header{.endianness = 1})},
                         {"x", Encode(test::Entry{.dtype = 3, .shape = {2}, .size = 8, .crc = e.masked_crc32c})}}));
  const Array turned = BundleReader(folder / "a").Read("x");
  EXPECT_EQ(turned.data<std::int32_t>()[0], 1 << 24);
  MergeBundles(std::vector<std::string>{folder / "a"}, folder / "m");
  EXPECT_TRUE(BitwiseEqual(BundleReader(folder / "m").Read("x"), turned));
}
}  // namespace
}  // namespace equiv::io
