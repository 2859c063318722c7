#include "runtime/random/seeds.h"

#include <algorithm>
#include <array>
#include <bit>
#include <random>
#include <vector>

#include "kernels/base/error.h"
#include "runtime/core/context.h"
#include "runtime/eager/eager.h"

namespace equiv::runtime {
namespace {
constexpr std::int64_t kMaxSeed = 2147483647;         // tf: MAXINT32
constexpr std::int64_t kDefaultGraphSeed = 87654321;  // tf: DEFAULT_GRAPH_SEED

std::int64_t Mod(std::int64_t x) {
  const std::int64_t m = x % kMaxSeed;
  return m < 0 ? m + kMaxSeed : m;
}

// Of one graph, or of eager execution.
struct ContextSeeds {
  std::optional<std::int64_t> seed;
  std::int64_t unseeded_calls = 0;       // graph: earlier GetSeed() calls while a seed was set
  std::optional<PythonRandom> internal;  // eager: op seeds for ops without one
};
thread_local std::vector<SeedFunction> replacements;
thread_local std::optional<PythonRandom> keras_seeds;
}  // namespace

// std::mt19937's engine, filled as CPython's init_by_array does.
struct PythonRandom::State {
  static constexpr std::size_t kN = 624;
  std::array<std::uint32_t, kN> mt;
  std::size_t index = kN;

  void InitGenrand(std::uint32_t s) {
    mt[0] = s;
    for (std::size_t i = 1; i < kN; ++i)
      mt[i] = 1812433253u * (mt[i - 1] ^ mt[i - 1] >> 30) + static_cast<std::uint32_t>(i);
  }
  void InitByArray(const std::vector<std::uint32_t>& key) {
    InitGenrand(19650218u);
    std::size_t i = 1, j = 0;
    const auto wrap = [&] {
      if (++i >= kN) {
        mt[0] = mt[kN - 1];
        i = 1;
      }
    };
    for (std::size_t k = std::max(kN, key.size()); k > 0; --k) {
      mt[i] = (mt[i] ^ (mt[i - 1] ^ mt[i - 1] >> 30) * 1664525u) + key[j] + static_cast<std::uint32_t>(j);
      wrap();
      j = (j + 1) % key.size();
    }
    for (std::size_t k = kN - 1; k > 0; --k) {
      mt[i] = (mt[i] ^ (mt[i - 1] ^ mt[i - 1] >> 30) * 1566083941u) - static_cast<std::uint32_t>(i);
      wrap();
    }
    mt[0] = 0x80000000u;
  }
  std::uint32_t Next() {
    if (index == kN) {
      for (std::size_t i = 0; i < kN; ++i) {
        const std::uint32_t y = (mt[i] & 0x80000000u) | (mt[(i + 1) % kN] & 0x7fffffffu);
        mt[i] = mt[(i + 397) % kN] ^ y >> 1 ^ (y & 1u ? 0x9908b0dfu : 0u);
      }
      index = 0;
    }
    std::uint32_t y = mt[index++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
  }
};

PythonRandom::PythonRandom(std::int64_t seed) : state_(std::make_unique<State>()) {
  const std::uint64_t magnitude = seed < 0 ? ~static_cast<std::uint64_t>(seed) + 1 : static_cast<std::uint64_t>(seed);
  std::vector<std::uint32_t> words = {static_cast<std::uint32_t>(magnitude)};
  if (magnitude >> 32) words.push_back(static_cast<std::uint32_t>(magnitude >> 32));
  state_->InitByArray(words);
}
PythonRandom::~PythonRandom() = default;
PythonRandom::PythonRandom(PythonRandom&&) noexcept = default;
PythonRandom& PythonRandom::operator=(PythonRandom&&) noexcept = default;

std::int64_t PythonRandom::RandInt(std::int64_t low, std::int64_t high) {
  const std::uint64_t n = static_cast<std::uint64_t>(high - low) + 1;
  const auto bits = static_cast<int>(std::bit_width(n));
  if (low > high || bits > 32) throw InternalError("PythonRandom::RandInt: the range must hold 1 to 2^32-1 values");
  std::uint64_t x;
  do x = state_->Next() >> (32 - bits);
  while (x >= n);
  return low + static_cast<std::int64_t>(x);
}

void SetRandomSeed(std::int64_t seed) {
  Context& context = Current();
  ContextSeeds& seeds = context.Slot<ContextSeeds>();
  seeds.seed = seed;
  if (context.eager()) {
    seeds.internal.emplace(seed);
    EagerContext::Get().ClearKernelCache();
  }
}
std::optional<std::int64_t> RandomSeed() { return Current().Slot<ContextSeeds>().seed; }

SeedPair GetSeed(std::optional<std::int64_t> op_seed) {
  if (!replacements.empty()) {
    const SeedFunction replacement = replacements.back();  // a copy: it may open scopes of its own
    return replacement(op_seed);
  }
  Context& context = Current();
  ContextSeeds& seeds = context.Slot<ContextSeeds>();
  SeedPair pair;
  if (seeds.seed) {
    std::int64_t second;
    if (op_seed)
      second = *op_seed;
    else if (context.eager())
      second = seeds.internal->RandInt(0, kMaxSeed);
    else
      second = seeds.unseeded_calls++;
    pair = {Mod(*seeds.seed), Mod(second)};
  } else if (op_seed) {
    pair = {kDefaultGraphSeed, Mod(*op_seed)};
  } else {
    return {0, 0};
  }
  if (pair == SeedPair{0, 0}) return {0, kMaxSeed};
  return pair;
}

ScopedGetSeed::ScopedGetSeed(SeedFunction replacement) { replacements.push_back(std::move(replacement)); }
ScopedGetSeed::~ScopedGetSeed() { replacements.pop_back(); }

void SetKerasRandomSeed(std::int64_t seed) {
  keras_seeds.emplace(seed);
  SetRandomSeed(seed);
}
void ForgetKerasRandomSeed() { keras_seeds.reset(); }
std::int64_t NextKerasSeed() {
  if (keras_seeds) return keras_seeds->RandInt(1, 1000000000);
  std::random_device device;
  return 1 + static_cast<std::int64_t>(device() % 1000000000u);
}
}  // namespace equiv::runtime
