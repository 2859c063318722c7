// TensorFlow's float32 normals are the C library's logf, sinf and cosf bit for bit: all inputs they ever see.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace {
struct Hash {
  std::uint64_t h = 1469598103934665603u;
  void Add(float f) { h = (h ^ std::bit_cast<std::uint32_t>(f)) * 1099511628211u; }
};

TEST(CLibrary, LogSinCosGiveTheBitsOfTheReference) {
  Hash logs, waves;
  for (std::uint32_t m = 0; m < 1u << 23; ++m) {
    const float f = std::bit_cast<float>(0x3f800000u | m) - 1.0f;
    logs.Add(std::log(std::max(f, 1.0e-7f)));
    const auto v = static_cast<float>(2.0 * std::numbers::pi * static_cast<double>(f));
    waves.Add(std::sin(v));
    waves.Add(std::cos(v));
  }
  EXPECT_EQ(logs.h, 0x1a5b47449ecf5a53u) << "logf rounds differently here: float32 normals will not equal TensorFlow's";
  EXPECT_EQ(waves.h, 0x3c25a7dd9f305530u)
      << "sinf or cosf rounds differently here: float32 normals will not equal TensorFlow's";
}
}  // namespace
