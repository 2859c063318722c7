// kernels/cpu/random_fill.cc - from words to numbers.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "kernels/base/error.h"
#include "kernels/cpu/random.h"

namespace equiv::cpu {
namespace {

// Groups of one generator block that make a unit of work.
constexpr std::int64_t kGroupsPerRange = 1 << 13;

// tf: Uint32ToFloat and its kin: random mantissa bits below 1, minus 1
float UnitFloat(std::uint32_t x) { return std::bit_cast<float>(0x3f800000u | (x & 0x7fffffu)) - 1.0f; }
double UnitDouble(std::uint32_t x0, std::uint32_t x1) {
  return std::bit_cast<double>(std::uint64_t{1023} << 52 | std::uint64_t{x0 & 0xfffffu} << 32 | x1) - 1.0;
}

template <class T>
struct Traits;  // Compute: where Box-Muller runs; kPerBlock: outputs a block makes
template <>
struct Traits<float> {
  using Compute = float;
  static constexpr int kPerBlock = 4;
  static float Unit(const Philox::Block& b, int i) { return UnitFloat(b[static_cast<std::size_t>(i)]); }
};
template <>
struct Traits<double> {
  using Compute = double;
  static constexpr int kPerBlock = 2;
  static double Unit(const Philox::Block& b, int i) {
    return UnitDouble(b[static_cast<std::size_t>(2 * i)], b[static_cast<std::size_t>(2 * i + 1)]);
  }
};
template <>
struct Traits<Float16> {
  using Compute = float;
  static constexpr int kPerBlock = 4;
  static Float16 Unit(const Philox::Block& b, int i) {
    const auto bits = static_cast<std::uint16_t>(15u << 10 | (b[static_cast<std::size_t>(i)] & 0x3ffu));
    return Float16(static_cast<float>(Float16::FromBits(bits)) - 1.0f);
  }
};
template <>
struct Traits<BFloat16> {
  using Compute = float;
  static constexpr int kPerBlock = 4;
  static BFloat16 Unit(const Philox::Block& b, int i) {
    const auto bits = static_cast<std::uint16_t>(127u << 7 | (b[static_cast<std::size_t>(i)] & 0x7fu));
    return BFloat16(static_cast<float>(BFloat16::FromBits(bits)) - 1.0f);
  }
};

// tf: BoxMullerFloat. The C library's own logf, sinf and cosf: their last bits are part of the contract.
struct Pair {
  float first, second;
};
Pair BoxMuller(std::uint32_t x0, std::uint32_t x1) {
  const float u1 = std::max(UnitFloat(x0), 1.0e-7f);
  const auto v1 = static_cast<float>(2.0 * std::numbers::pi * static_cast<double>(UnitFloat(x1)));
  const float u2 = std::sqrt(-2.0f * std::log(u1));
  return {std::sin(v1) * u2, std::cos(v1) * u2};
}
struct PairDouble {
  double first, second;
};
PairDouble BoxMuller(std::uint32_t x0, std::uint32_t x1, std::uint32_t x2, std::uint32_t x3) {
  const double u1 = std::max(UnitDouble(x0, x1), 1.0e-7);
  const double v1 = 2 * std::numbers::pi * UnitDouble(x2, x3);
  const double u2 = std::sqrt(-2.0 * std::log(u1));
  return {std::sin(v1) * u2, std::cos(v1) * u2};
}

// Calls group(generator at the group's first block, first output, count) for every group, in fixed ranges of groups.
template <class Group>
void ForGroups(std::int64_t n, int per_group, std::int64_t blocks_per_group, const Philox& generator, ThreadPool& pool,
               const Group& group) {
  const std::int64_t groups = (n + per_group - 1) / per_group;
  pool.ParallelRanges(groups, kGroupsPerRange, [&](std::int64_t begin, std::int64_t end) {
    Philox g = generator.After(static_cast<std::uint64_t>(begin * blocks_per_group));
    for (std::int64_t i = begin; i < end; ++i) {
      Philox here = g;
      group(here, i * per_group, static_cast<int>(std::min<std::int64_t>(per_group, n - i * per_group)));
      g.Skip(static_cast<std::uint64_t>(blocks_per_group));
    }
  });
}

template <class T>
void FillUniform(const Philox& generator, Array& out, ThreadPool& pool) {
  T* p = out.mutable_data<T>();
  ForGroups(out.num_elements(), Traits<T>::kPerBlock, 1, generator, pool, [p](Philox& g, std::int64_t at, int count) {
    const Philox::Block block = g.Next();
    for (int i = 0; i < count; ++i) p[at + i] = Traits<T>::Unit(block, i);
  });
}

template <class T>
void FillNormal(const Philox& generator, Array& out, ThreadPool& pool) {
  T* p = out.mutable_data<T>();
  ForGroups(out.num_elements(), Traits<T>::kPerBlock, 1, generator, pool, [p](Philox& g, std::int64_t at, int count) {
    const Philox::Block b = g.Next();
    if constexpr (std::is_same_v<T, double>) {
      const PairDouble pair = BoxMuller(b[0], b[1], b[2], b[3]);
      p[at] = pair.first;
      if (count > 1) p[at + 1] = pair.second;
    } else {
      const Pair low = BoxMuller(b[0], b[1]), high = BoxMuller(b[2], b[3]);
      const float values[4] = {low.first, low.second, high.first, high.second};
      for (int i = 0; i < count; ++i) p[at + i] = T(values[i]);
    }
  });
}

// tf: TruncatedNormalDistribution: candidates with |x| < 2 until the group is full, always from the group's own blocks
template <class T>
void FillTruncated(const Philox& generator, Array& out, ThreadPool& pool) {
  T* p = out.mutable_data<T>();
  constexpr int kGroup = Traits<T>::kPerBlock;
  ForGroups(out.num_elements(), kGroup, 64 * kGroup, generator, pool, [p](Philox& g, std::int64_t at, int count) {
    PhiloxWords words(g);
    for (int have = 0; have < count;) {
      const auto offer = [&](auto candidate) {
        if (have < count && std::abs(candidate) < 2) p[at + have++] = T(candidate);
      };
      const std::uint32_t x0 = words(), x1 = words();
      if constexpr (std::is_same_v<T, double>) {
        const std::uint32_t x2 = words(), x3 = words();
        const PairDouble pair = BoxMuller(x0, x1, x2, x3);
        offer(pair.first);
        offer(pair.second);
      } else {
        const Pair pair = BoxMuller(x0, x1);
        offer(pair.first);
        offer(pair.second);
      }
    }
  });
}

template <class T>
void Fill(Distribution distribution, const Philox& generator, Array& out, ThreadPool& pool) {
  switch (distribution) {
    case Distribution::kUniform:
      return FillUniform<T>(generator, out, pool);
    case Distribution::kNormal:
      return FillNormal<T>(generator, out, pool);
    case Distribution::kTruncatedNormal:
      return FillTruncated<T>(generator, out, pool);
  }
}

template <class U>
constexpr int kIntsPerBlock = sizeof(U) == 8 ? 2 : 4;
template <class U>
U IntAt(const Philox::Block& b, int i) {
  const auto at = static_cast<std::size_t>(i);
  if constexpr (sizeof(U) == 8)
    return b[2 * at] | std::uint64_t{b[2 * at + 1]} << 32;
  else
    return b[at];
}
// U: the unsigned type of the output's width; `map` turns a word into an output pattern.
template <class U, class Map>
void FillInts(const Philox& generator, Array& out, ThreadPool& pool, const Map& map) {
  U* p = reinterpret_cast<U*>(out.raw());
  ForGroups(out.num_elements(), kIntsPerBlock<U>, 1, generator, pool, [p, &map](Philox& g, std::int64_t at, int count) {
    const Philox::Block block = g.Next();
    for (int i = 0; i < count; ++i) p[at + i] = map(IntAt<U>(block, i));
  });
}
template <class U>
void FillIntRange(const Philox& generator, std::int64_t low, std::int64_t high, Array& out, ThreadPool& pool) {
  const U base = static_cast<U>(low), range = static_cast<U>(high) - base;
  FillInts<U>(generator, out, pool, [base, range](U x) { return base + x % range; });
}

}  // namespace

void FillRandom(Distribution distribution, const Philox& generator, Array& out, ThreadPool& pool) {
  switch (out.dtype()) {
    case DType::kFloat32:
      return Fill<float>(distribution, generator, out, pool);
    case DType::kFloat64:
      return Fill<double>(distribution, generator, out, pool);
    case DType::kFloat16:
      return Fill<Float16>(distribution, generator, out, pool);
    case DType::kBFloat16:
      return Fill<BFloat16>(distribution, generator, out, pool);
    default:
      throw InternalError("FillRandom: no distribution over " + std::string(Name(out.dtype())));
  }
}
void FillUniformInt(const Philox& generator, std::int64_t low, std::int64_t high, Array& out, ThreadPool& pool) {
  if (SizeOf(out.dtype()) == 8)
    FillIntRange<std::uint64_t>(generator, low, high, out, pool);
  else
    FillIntRange<std::uint32_t>(generator, low, high, out, pool);
}
void FillFullInt(const Philox& generator, Array& out, ThreadPool& pool) {
  if (SizeOf(out.dtype()) == 8)
    FillInts<std::uint64_t>(generator, out, pool, [](std::uint64_t x) { return x; });
  else
    FillInts<std::uint32_t>(generator, out, pool, [](std::uint32_t x) { return x; });
}

}  // namespace equiv::cpu
