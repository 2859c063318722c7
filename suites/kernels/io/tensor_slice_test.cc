// Slices: their text, their place in a tensor, and the keys under which they are stored.
#include "kernels/io/tensor_slice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "suites/kernels/io/hand_made.h"

namespace equiv::io {
namespace {
using test::Caught;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

struct StartVector {
  std::int64_t start;
  const char* code;
};
// tf: what SaveV2 of TensorFlow 2.15.1 stored for "a" of shape [start + 2], slice "start,1"; both sides of every width.
constexpr StartVector kStarts[] = {{0, "80"},
                                   {1, "81"},
                                   {63, "bf"},
                                   {64, "c040"},
                                   {65, "c041"},
                                   {8191, "dfff"},
                                   {8192, "e02000"},
                                   {(1 << 20) - 1, "efffff"},
                                   {1 << 20, "f0100000"},
                                   {(1 << 27) - 1, "f7ffffff"},
                                   {1 << 27, "f808000000"},
                                   {(std::int64_t{1} << 34) - 1, "fbffffffff"},
                                   {std::int64_t{1} << 34, "fc0400000000"},
                                   {(std::int64_t{1} << 41) - 1, "fdffffffffff"},
                                   {std::int64_t{1} << 41, "fe020000000000"},
                                   {(std::int64_t{1} << 48) - 1, "feffffffffffff"},
                                   {std::int64_t{1} << 48, "ff01000000000000"},
                                   {(std::int64_t{1} << 55) - 1, "ff7fffffffffffff"},
                                   {std::int64_t{1} << 55, "ff8080000000000000"},
                                   {(std::int64_t{1} << 62) - 1, "ffbfffffffffffffff"},
                                   {std::int64_t{1} << 62, "ffc04000000000000000"},
                                   {INT64_MAX - 2, "ffc07ffffffffffffffd"}};
TEST(SliceKey, StartsOfEveryWidth) {
  std::string before;
  for (const auto& [start, code] : kStarts) {
    const std::string key = EncodeSliceKey("a", {{{start, 1}}});
    EXPECT_EQ(Hex(key), std::string("006100010101") + code + "81") << start;
    EXPECT_LT(before, key) << "the code keeps the order: " << start;
    before = key;
  }
}
// tf: as above, for slice "0,2:1,1"
TEST(SliceKey, NamesOfAnyBytes) {
  const auto key = [](std::string_view name) { return Hex(EncodeSliceKey(name, {{{0, 2}, {1, 1}}})); };
  EXPECT_EQ(key(std::string_view("\0", 1)), "0000ff0001010280828181");
  EXPECT_EQ(key(std::string_view("a\0b", 3)),
            "006100ff6200010102"
            "80828181");
  EXPECT_EQ(key("\xff"),
            "00ff0000010102"
            "80828181");
  EXPECT_EQ(key("a\xff"
                "b"),
            "0061ff006200010102"
            "80828181");
  EXPECT_EQ(key(std::string_view("\xff\0", 2)), "00ff0000ff0001010280828181");
  EXPECT_EQ(key("gr\xc3\xb6\xc3\x9f"
                "e"),
            "006772c3b6c39f650001010280828181");
}
TEST(SliceKey, WholeDimensionsAndScalars) {
  EXPECT_EQ(Hex(EncodeSliceKey("emb/table", {{{0, 3}, {0, 3}}})),
            "00656d622f7461626c65000101028083"
            "8083");
  EXPECT_EQ(Hex(EncodeSliceKey("a", TensorSlice::Whole(2))),
            "00610001"
            "0102"
            "807f"
            "807f");
  EXPECT_EQ(Hex(EncodeSliceKey("a", {})), "0061000100");
}

TEST(TensorSlice, TextAndShape) {
  const TensorSlice slice{{{0, 3}, {}, {2, 0}}};
  EXPECT_EQ(slice.ToString(), "0,3:-:2,0");
  EXPECT_EQ(TensorSlice{}.ToString(), "");
  EXPECT_EQ(slice.ShapeWithin(std::vector<std::int64_t>{5, 4, 2}), (std::vector<std::int64_t>{3, 4, 0}));
  EXPECT_EQ(TensorSlice{}.ShapeWithin({}), std::vector<std::int64_t>{});
}
TEST(TensorSlice, OutsideTheTensor) {
  const auto within = [](TensorSlice slice, std::vector<std::int64_t> shape) {
    return Caught([&] { slice.ShapeWithin(shape); });
  };
  EXPECT_EQ(within({{{0, 3}}}, {5, 3}),
            "InvalidArgumentError: slice 0,3 has 1 dimensions, the tensor of shape [5,3] has 2");
  EXPECT_EQ(within({{{3, 3}, {}}}, {5, 3}),
            "InvalidArgumentError: slice 3,3:- reaches beyond dimension 0 of shape [5,3]");
  EXPECT_EQ(within({{{}, {-1, 2}}}, {5, 3}),
            "InvalidArgumentError: slice -:-1,2 reaches beyond dimension 1 of shape [5,3]");
  EXPECT_THAT(within({{{INT64_MAX, 1}}}, {5}), HasSubstr("reaches beyond dimension 0"));
  EXPECT_THAT(within({{{1, INT64_MAX}}}, {5}), HasSubstr("reaches beyond dimension 0"));
}

struct Spec {
  const char* text;
  std::vector<std::int64_t> shape;
  TensorSlice slice;
};
TEST(ShapeAndSlice, IsReadAndWritten) {
  const Spec specs[] = {{"5 3 0,3:-", {5, 3}, {{{0, 3}, {}}}},
                        {"5 3 3,2:0,3", {5, 3}, {{{3, 2}, {0, 3}}}},
                        {"7 -", {7}, {{{}}}},
                        {"0 0,0", {0}, {{{0, 0}}}},
                        {"1099511627776 1099511627775,1", {1099511627776}, {{{1099511627775, 1}}}}};
  for (const Spec& spec : specs) {
    const ShapeAndSlice parsed = ParseShapeAndSlice(spec.text);
    EXPECT_FALSE(parsed.whole) << spec.text;
    EXPECT_EQ(parsed.full_shape, spec.shape) << spec.text;
    EXPECT_EQ(parsed.slice, spec.slice) << spec.text;
    EXPECT_EQ(FormatShapeAndSlice(spec.shape, spec.slice), spec.text);
  }
  EXPECT_TRUE(ParseShapeAndSlice("").whole);
}
TEST(ShapeAndSlice, WhatIsNoneIsQuoted) {
  const std::pair<const char*, const char*> cases[] = {{"5", "neither '-' nor 'start,length'"},
                                                       {"5 3 0,3", "another number of extents than of dimensions"},
                                                       {"5 0,3:-", "another number of extents than of dimensions"},
                                                       {"x 0,3", "a dimension is no number"},
                                                       {"5  0,3", "a dimension is no number"},
                                                       {"-5 0,3", "a dimension is no number"},
                                                       {"99999999999999999999 -", "a dimension is no number"},
                                                       {"5 0", "neither '-' nor 'start,length'"},
                                                       {"5 0,x", "neither '-' nor 'start,length'"},
                                                       {"5 -1,2", "neither '-' nor 'start,length'"},
                                                       {"5 0,-2", "neither '-' nor 'start,length'"},
                                                       {"5 3 0,3:", "an extent is missing"},
                                                       {"5 4,3", "reaches beyond dimension 0"},
                                                       {"5 6,0", "reaches beyond dimension 0"}};
  for (const auto& [text, why] : cases)
    EXPECT_THAT(Caught([&, text = text] { ParseShapeAndSlice(text); }),
                AllOf(StartsWith("InvalidArgumentError: '" + std::string(text) + "' is no shape and slice: "),
                      HasSubstr(why), HasSubstr("'5 3 0,3:-'")))
        << text;
}
}  // namespace
}  // namespace equiv::io
