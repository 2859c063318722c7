// CRC-32C, in both implementations, against published vectors and the definition.
#include "kernels/io/crc32c.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

namespace equiv::io {
namespace {
using Crc = std::uint32_t (*)(std::uint32_t, const void*, std::size_t);

// The definition: one bit at a time.
std::uint32_t BitByBit(std::uint32_t crc, const void* data, std::size_t size) {
  crc = ~crc;
  for (std::size_t i = 0; i < size; ++i) {
    crc ^= static_cast<const unsigned char*>(data)[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}
std::vector<unsigned char> Noise(std::size_t size) {
  std::vector<unsigned char> bytes(size);
  std::uint32_t state = 12345;
  for (unsigned char& b : bytes) b = static_cast<unsigned char>((state = state * 1664525u + 1013904223u) >> 24);
  return bytes;
}

class Crc32c : public testing::TestWithParam<Crc> {};
INSTANTIATE_TEST_SUITE_P(Io, Crc32c, testing::Values(&ExtendCrc32c, &internal::ExtendCrc32cPortable),
                         [](const auto& info) { return info.index == 0 ? "Chosen" : "Portable"; });

// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
TEST_P(Crc32c, PublishedVectors) {
  const auto crc = [](const std::string& bytes) { return GetParam()(0, bytes.data(), bytes.size()); };
  EXPECT_EQ(crc(""), 0u);
  EXPECT_EQ(crc("123456789"), 0xe3069283u);
  EXPECT_EQ(crc("a"), 0xc1d04330u);
  EXPECT_EQ(crc(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc(std::string(32, '\xff')), 0x62a8ab43u);
  std::string up(32, '\0');
  std::iota(up.begin(), up.end(), '\0');
  EXPECT_EQ(crc(up), 0x46dd794eu);
  EXPECT_EQ(crc(std::string(up.rbegin(), up.rend())), 0x113fdb5cu);
  const unsigned char scsi_read[] = {0x01, 0xc0, 0, 0, 0, 0, 0,    0, 0,    0, 0, 0,    0, 0, 0, 0,
                                     0x14, 0,    0, 0, 0, 0, 0x04, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
                                     0x28, 0,    0, 0, 0, 0, 0,    0, 0x02, 0, 0, 0,    0, 0, 0, 0};
  static_assert(sizeof scsi_read == 48);
  EXPECT_EQ(GetParam()(0, scsi_read, sizeof scsi_read), 0xd9963a56u);
}

// Every length around the widths that the implementations work in, at every alignment.
TEST_P(Crc32c, EveryLengthAtEveryAlignment) {
  const std::vector<unsigned char> bytes = Noise(40000);
  std::vector<std::size_t> lengths(70);
  std::iota(lengths.begin(), lengths.end(), 0u);
  for (const std::size_t run : {2048u, 4096u, 6144u, 8192u, 12288u, 18432u, 36864u})
    for (const std::size_t length : {run - 9, run - 1, run, run + 1, run + 8, run + 15}) lengths.push_back(length);
  for (const std::size_t length : lengths)
    for (std::size_t start = 0; start < 9; ++start)
      ASSERT_EQ(GetParam()(0, bytes.data() + start, length), BitByBit(0, bytes.data() + start, length))
          << length << " bytes from " << start;
}
TEST_P(Crc32c, ExtendsAtEveryCut) {
  const std::vector<unsigned char> bytes = Noise(7000);
  const std::uint32_t whole = BitByBit(0, bytes.data(), bytes.size());
  for (std::size_t cut = 0; cut <= bytes.size(); cut += cut < 40 ? 1 : 397) {
    const std::uint32_t first = GetParam()(0, bytes.data(), cut);
    ASSERT_EQ(GetParam()(first, bytes.data() + cut, bytes.size() - cut), whole) << cut;
  }
}

// tf: the mask of an empty tensor, as every stored checkpoint with one shows it
TEST(Crc32cMask, StoredFormIsRotatedAndMoved) {
  EXPECT_EQ(MaskCrc32c(0), 0xa282ead8u);
  EXPECT_EQ(MaskCrc32c(0x00008000u), 0xa282ead9u);
  EXPECT_EQ(MaskCrc32c(0x00000001u), 0xa284ead8u);
  EXPECT_EQ(MaskCrc32c(0xffffffffu), 0xa282ead7u);
  std::uint32_t crc = 1;
  for (int i = 0; i < 10000; ++i, crc = crc * 1664525u + 1013904223u) {
    ASSERT_EQ(UnmaskCrc32c(MaskCrc32c(crc)), crc);
    ASSERT_NE(MaskCrc32c(crc), crc);
    ASSERT_NE(MaskCrc32c(MaskCrc32c(crc)), crc);
  }
}
}  // namespace
}  // namespace equiv::io
