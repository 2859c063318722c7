// kernels/base/philox.h - the counter-based generator Philox4x32-10 (Salmon et al., Random123), seeded as TensorFlow
// does.
#pragma once
#include <array>
#include <cstdint>

namespace equiv {

// State: a 64-bit key and a 128-bit counter. tf: random::PhiloxRandom
class Philox {
 public:
  using Block = std::array<std::uint32_t, 4>;
  Philox() = default;
  Philox(std::uint64_t key, std::uint64_t counter_low, std::uint64_t counter_high)
      : key_(key), low_(counter_low), high_(counter_high) {}
  // The generator of an op with attributes (seed, seed2). tf: GuardedPhiloxRandom::Init
  static Philox FromSeeds(std::int64_t seed, std::int64_t seed2) {
    return {static_cast<std::uint64_t>(seed), 0, static_cast<std::uint64_t>(seed2)};
  }
  // The generator of a stateless op with seed [s0, s1]. tf: StatelessRandomGetKeyCounter
  static Philox FromStatelessSeed(std::int64_t s0, std::int64_t s1) {
    const Block o = Philox(0x02461e293ec8f720u, static_cast<std::uint64_t>(s0), static_cast<std::uint64_t>(s1)).Next();
    return {Join(o[0], o[1]), 0, Join(o[2], o[3])};
  }
  std::uint64_t key() const { return key_; }
  std::uint64_t counter_low() const { return low_; }
  std::uint64_t counter_high() const { return high_; }

  // Moves on by `blocks` blocks of four words.
  void Skip(std::uint64_t blocks) {
    low_ += blocks;
    high_ += low_ < blocks;
  }
  Philox After(std::uint64_t blocks) const {
    Philox copy = *this;
    copy.Skip(blocks);
    return copy;
  }
  Block Next() {
    std::uint32_t c0 = Low(low_), c1 = High(low_), c2 = Low(high_), c3 = High(high_), k0 = Low(key_), k1 = High(key_);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
      c0 = High(p1) ^ c1 ^ k0;
      c2 = High(p0) ^ c3 ^ k1;
      c1 = Low(p1);
      c3 = Low(p0);
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    Skip(1);
    return {c0, c1, c2, c3};
  }

 private:
  static std::uint32_t Low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
  static std::uint32_t High(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }
  static std::uint64_t Join(std::uint32_t low, std::uint32_t high) { return low | std::uint64_t{high} << 32; }
  std::uint64_t key_ = 0, low_ = 0, high_ = 0;
};

// The words of a generator one after another.
class PhiloxWords {
 public:
  explicit PhiloxWords(Philox generator) : generator_(generator) {}
  std::uint32_t operator()() {
    if (used_ == 4) {
      block_ = generator_.Next();
      used_ = 0;
    }
    return block_[used_++];
  }

 private:
  Philox generator_;
  Philox::Block block_{};
  std::size_t used_ = 4;
};

}  // namespace equiv
