#include "equiv/compare/npy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <complex>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kernels/base/error.h"

namespace equiv {
namespace {
std::string Path(const std::string& name) { return testing::TempDir() + "/" + name; }
std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream s;
  s << in.rdbuf();
  return s.str();
}
Array Parse(const std::string& bytes) { return ParseNpy(std::as_bytes(std::span(bytes)), "x.npy"); }
std::string Npy(const std::string& header, const std::string& data) {
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + data;
}

TEST(Npy, RoundTripsEveryDtype) {
  const auto check = [](const Array& a) {
    WriteNpy(Path("a.npy"), a);
    EXPECT_TRUE(BitwiseEqual(ReadNpy(Path("a.npy")), a)) << Name(a.dtype());
    EXPECT_FALSE(std::filesystem::exists(Path("a.npy.part")));
  };
  check(Array::Of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  check(Array::Of<double>({}, {1.5}));
  check(Array::Of<std::int64_t>({0, 4}, {}));
  check(Array::Of<std::uint8_t>({3}, {0, 127, 255}));
  check(Array::Of<bool>({2}, {true, false}));
  check(Array::Of<Float16>({1}, {Float16(0.5f)}));
}
TEST(Npy, TheHeaderIsAlignedAsNumPyDoes) {
  WriteNpy(Path("b.npy"), Array::Of<float>({2}, {1, 2}));
  const std::string bytes = Bytes(Path("b.npy"));
  EXPECT_EQ(bytes.size(), 128u + 8u);
  EXPECT_THAT(bytes, testing::HasSubstr("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"));
}
TEST(Npy, EveryTruncationIsNoticed) {
  WriteNpy(Path("c.npy"), Array::Of<float>({3}, {1, 2, 3}));
  const std::string whole = Bytes(Path("c.npy"));
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_THROW(Parse(whole.substr(0, n)), DataLossError) << n;
  EXPECT_THROW(Parse(whole + "x"), DataLossError);
}
TEST(Npy, WhatIsNotReadIsSaid) {
  for (const char* descr : {"'|O'", "'<M8[s]'", "'<f16'", "'|V1'", "'<f1'", "'|V3'", "[('qint8', '<i2')]", "''"})
    EXPECT_THROW(Parse(Npy(fmt::format("{{'descr': {}, 'fortran_order': False, 'shape': (1,), }}", descr), "abcd")),
                 UnimplementedError)
        << descr;
  EXPECT_THROW(Parse(Npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "abcd")),
               UnimplementedError);
  EXPECT_THROW(Parse(Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "abcd")),
               DataLossError);
  EXPECT_THROW(Parse(Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 4), }", "abcd")),
               DataLossError);
  EXPECT_THROW(Parse(Npy("{'descr': '<f4', 'shape': (1,), }", "abcd")), DataLossError);
  EXPECT_THROW(Parse("not numpy at all"), DataLossError);
  EXPECT_THROW(ReadNpy(Path("absent.npy")), NotFoundError);
  EXPECT_THROW(ReadNpy(testing::TempDir()), NotFoundError);
  EXPECT_THROW(ReadNpy("/dev/null"), NotFoundError);
}
TEST(Npy, DamagedHeadersAreErrors) {
  const auto damaged = [](const std::string& header) {
    EXPECT_THROW(Parse(Npy(header, "abcd")), DataLossError) << header;
  };
  damaged("");
  damaged("{");
  damaged("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x");
  damaged("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }");
  damaged("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }");
  damaged("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }");
  damaged("{'descr': '<f4', 'fortran_order': False, 'shape': (1, }");
  damaged("{'descr': '|S99999999999', 'fortran_order': False, 'shape': (1,), }");
  damaged("{'descr': '|Sx', 'fortran_order': False, 'shape': (1,), }");
  damaged("{'descr': '|S0', 'fortran_order': False, 'shape': (99999999999,), }");  // nothing in the file, all in memory
  damaged("{'descr': '|S9999999999', 'fortran_order': False, 'shape': (0,), }");   // four bytes too many
  damaged("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}");
  EXPECT_THROW(Parse(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)), DataLossError);
  EXPECT_THROW(Parse(std::string("\x93NUMPY\x09\x00\xff\xff\xff\xff", 12)), UnimplementedError);
}
TEST(Npy, WritesTheBytesThatNumPyWrites) {
  std::vector<std::complex<float>> z;
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 5; ++i) z.emplace_back(static_cast<float>(i - 2), 0.5f * static_cast<float>(i));
  for (int i = 0; i < 24; ++i) bytes.push_back(static_cast<std::uint8_t>(i - 2));
  Array vector(DType::kComplex64, {5}), qint8(DType::kQInt8, {2});
  std::memcpy(vector.raw(), z.data(), vector.num_bytes());
  std::memcpy(qint8.raw(), "\1\2", 2);
  const std::pair<const char*, Array> files[] = {
      {"matrix", Array::Of<float>({2, 3}, {-2, -1, 0, 1, 2, 3})},
      {"vector", vector},
      {"scalar", Array::Scalar(std::int64_t{7})},
      {"bytes", Array::Strings({3}, {"abc", "", "defgh"})},
      {"bfloat16", Array::Of<BFloat16>({4}, {BFloat16(-2), BFloat16(-1), BFloat16(0), BFloat16(1)})},
      {"bool", Array::Of<bool>({3, 1}, {true, true, false})},
      {"deep", Array::Of<std::uint8_t>({1, 2, 1, 2, 1, 2, 1, 3}, bytes)},
      {"wide", Array::Of<std::int8_t>({0, 123456789012}, {})},
      {"qint8", qint8},
  };
  for (const auto& [name, array] : files) {
    const std::string stored = fmt::format("{}/suites/equiv/compare/data/numpy_{}.npy", EQUIV_SOURCE_DIR, name);
    EXPECT_TRUE(BitwiseEqual(ReadNpy(stored), array)) << name;
    WriteNpy(Path("again.npy"), array);
    EXPECT_EQ(Bytes(Path("again.npy")), Bytes(stored)) << name;
  }
}
TEST(Npy, WhatCannotBeStoredIsSaidBeforeAnythingIsWritten) {
  std::filesystem::remove(Path("refused.npy"));
  EXPECT_THROW(WriteNpy(Path("refused.npy"), Array::Strings({1}, {std::string("a\0", 2)})), UnimplementedError);
  EXPECT_THROW(WriteNpy(Path("refused.npy"), Array(DType::kFloat8E5M2, {1})), UnimplementedError);
  EXPECT_THROW(WriteNpy(Path("absent/x.npy"), Array::Scalar(1.0f)), NotFoundError);
  EXPECT_FALSE(std::filesystem::exists(Path("refused.npy")));
}
TEST(Npy, TextThatIsNoUnicodeIsRefused) {
  const std::string header = "{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }";
  EXPECT_EQ(Parse(Npy(header, std::string("a\0\0\0", 4))).strings()[0], "a");
  EXPECT_THROW(Parse(Npy(header, std::string("\0\xd8\0\0", 4))), DataLossError);
  EXPECT_THROW(Parse(Npy(header, std::string("\0\0\x11\0", 4))), DataLossError);
}
TEST(Npy, BoolsBecomeZeroOrOne) {
  const Array a = Parse(Npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", std::string("\0\2\1", 3)));
  EXPECT_TRUE(BitwiseEqual(a, Array::Of<bool>({3}, {false, true, true})));
}
}  // namespace
}  // namespace equiv
