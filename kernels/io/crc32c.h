// kernels/io/crc32c.h - the checksum of checkpoint files: CRC-32C (Castagnoli), as LevelDB and TensorFlow store it.
#pragma once
#include <cstddef>
#include <cstdint>

namespace equiv::io {

// The checksum of what `crc` was the checksum of, followed by `size` bytes. Start with 0.
std::uint32_t ExtendCrc32c(std::uint32_t crc, const void* data, std::size_t size);
// The stored form: a checksum of data that holds checksums is weak. tf: lib/hash/crc32c.h, Mask
inline std::uint32_t MaskCrc32c(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }
inline std::uint32_t UnmaskCrc32c(std::uint32_t masked) {
  const std::uint32_t rotated = masked - 0xa282ead8u;
  return (rotated >> 17) | (rotated << 15);
}

namespace internal {
// What ExtendCrc32c uses where the processor has no instruction for it.
std::uint32_t ExtendCrc32cPortable(std::uint32_t crc, const void* data, std::size_t size);
}  // namespace internal

}  // namespace equiv::io
