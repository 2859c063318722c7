#include "kernels/io/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace equiv::io {
namespace {
constexpr std::uint32_t kPolynomial = 0x82f63b78u;  // bit-reversed

using Table = std::array<std::array<std::uint32_t, 256>, 8>;
// Table k advances a byte's remainder over k further bytes.
constexpr Table MakeTable() {
  Table t{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t c = b;
    for (int i = 0; i < 8; ++i) c = (c >> 1) ^ (c & 1 ? kPolynomial : 0);
    t[0][b] = c;
  }
  for (std::size_t b = 0; b < 256; ++b)
    for (std::size_t k = 1; k < 8; ++k) t[k][b] = (t[k - 1][b] >> 8) ^ t[0][t[k - 1][b] & 0xff];
  return t;
}
constexpr Table kTable = MakeTable();

std::uint64_t Load64(const unsigned char* p) {
  std::uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

#if defined(__x86_64__)
// The instruction has a latency of three: three runs at once, joined by moving a remainder over the zeros behind it.
constexpr std::size_t kRun = 2048;

// Moves a remainder over kRun zero bytes, a byte of it at a time.
using Shift = std::array<std::array<std::uint32_t, 256>, 4>;
Shift MakeShift() {
  Shift s;
  for (std::size_t k = 0; k < 4; ++k)
    for (std::uint32_t b = 0; b < 256; ++b) {
      std::uint32_t c = b << (8 * k);
      for (std::size_t i = 0; i < kRun; ++i) c = (c >> 8) ^ kTable[0][c & 0xff];
      s[k][b] = c;
    }
  return s;
}
std::uint32_t OverRun(const Shift& s, std::uint32_t c) {
  return s[0][c & 0xff] ^ s[1][(c >> 8) & 0xff] ^ s[2][(c >> 16) & 0xff] ^ s[3][c >> 24];
}

__attribute__((target("sse4.2"))) std::uint32_t Hardware(std::uint32_t crc, const unsigned char* p, std::size_t n) {
  static const Shift shift = MakeShift();
  std::uint64_t c = crc;
  while (n >= 3 * kRun) {
    std::uint64_t c1 = 0, c2 = 0;
    for (std::size_t i = 0; i < kRun; i += 8) {
      c = _mm_crc32_u64(c, Load64(p + i));
      c1 = _mm_crc32_u64(c1, Load64(p + kRun + i));
      c2 = _mm_crc32_u64(c2, Load64(p + 2 * kRun + i));
    }
    c = OverRun(shift, OverRun(shift, static_cast<std::uint32_t>(c)) ^ static_cast<std::uint32_t>(c1)) ^ c2;
    p += 3 * kRun;
    n -= 3 * kRun;
  }
  for (; n >= 8; n -= 8, p += 8) c = _mm_crc32_u64(c, Load64(p));
  auto small = static_cast<std::uint32_t>(c);
  for (; n > 0; --n, ++p) small = _mm_crc32_u8(small, *p);
  return small;
}
#endif
}  // namespace

std::uint32_t internal::ExtendCrc32cPortable(std::uint32_t crc, const void* data, std::size_t n) {
  const auto* p = static_cast<const unsigned char*>(data);
  std::uint32_t c = ~crc;
  for (; n >= 8; n -= 8, p += 8) {
    const std::uint64_t v = Load64(p) ^ c;
    c = 0;
    for (std::size_t k = 0; k < 8; ++k) c ^= kTable[7 - k][(v >> (8 * k)) & 0xff];
  }
  for (; n > 0; --n, ++p) c = (c >> 8) ^ kTable[0][(c ^ *p) & 0xff];
  return ~c;
}

std::uint32_t ExtendCrc32c(std::uint32_t crc, const void* data, std::size_t size) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  if (has_instruction) return ~Hardware(~crc, static_cast<const unsigned char*>(data), size);
#endif
  return internal::ExtendCrc32cPortable(crc, data, size);
}
}  // namespace equiv::io
