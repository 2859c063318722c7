#include "equiv/compare/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  EXPECT_THROW(Parse(Npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "abcd")), UnimplementedError);
  EXPECT_THROW(Parse(Npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", "abcd")), UnimplementedError);
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
}
}  // namespace
}  // namespace equiv
