#include "equiv/compare/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "equiv/compare/decimal.h"
#include "kernels/base/flush.h"
#include "kernels/base/thread_pool.h"

namespace equiv {
namespace {

constexpr std::int64_t kBlock = 1 << 14;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T, class Bits>
std::int64_t Distance(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<std::int64_t>::max();
  // Monotonous integers: negative numbers mirrored below zero.
  const auto order = [](T x) -> __int128 {
    const auto bits = std::bit_cast<Bits>(x);
    constexpr Bits kSign = Bits{1} << (8 * sizeof(Bits) - 1);
    return bits & kSign ? -static_cast<__int128>(bits & ~kSign) : static_cast<__int128>(bits);
  };
  const __int128 d = order(a) - order(b), size = d < 0 ? -d : d;
  return size > std::numeric_limits<std::int64_t>::max() ? std::numeric_limits<std::int64_t>::max()
                                                         : static_cast<std::int64_t>(size);
}

// How the compared number of each dtype is seen.
template <class T>
struct Element {
  static double Value(T x) { return static_cast<double>(x); }
  static std::int64_t Ulp(T a, T b) {
    const __int128 d = static_cast<__int128>(a) - static_cast<__int128>(b), size = d < 0 ? -d : d;
    return size > std::numeric_limits<std::int64_t>::max() ? std::numeric_limits<std::int64_t>::max()
                                                           : static_cast<std::int64_t>(size);
  }
  static double AbsError(T a, T b) {
    return static_cast<double>(a > b ? static_cast<__int128>(a) - b : static_cast<__int128>(b) - a);
  }
};
template <>
struct Element<bool> {
  static double Value(bool x) { return x; }
  static std::int64_t Ulp(bool a, bool b) { return a != b; }
  static double AbsError(bool a, bool b) { return a != b; }
};
template <>
struct Element<float> {
  static double Value(float x) { return x; }
  static std::int64_t Ulp(float a, float b) { return UlpDistance(a, b); }
  static double AbsError(float a, float b) { return std::abs(static_cast<double>(a) - static_cast<double>(b)); }
};
template <>
struct Element<double> {
  static double Value(double x) { return x; }
  static std::int64_t Ulp(double a, double b) { return UlpDistance(a, b); }
  static double AbsError(double a, double b) { return std::abs(a - b); }
};
// 16-bit floats: steps of their own width.
template <class H>
struct HalfElement {
  static double Value(H x) { return static_cast<double>(static_cast<float>(x)); }
  static std::int64_t Ulp(H a, H b) {
    if (std::isnan(Value(a)) || std::isnan(Value(b))) return std::numeric_limits<std::int64_t>::max();
    const auto order = [](H x) {
      return x.bits & 0x8000u ? -static_cast<int>(x.bits & 0x7fffu) : static_cast<int>(x.bits);
    };
    return std::abs(order(a) - order(b));
  }
  static double AbsError(H a, H b) { return std::abs(Value(a) - Value(b)); }
};
template <>
struct Element<Float16> : HalfElement<Float16> {};
template <>
struct Element<BFloat16> : HalfElement<BFloat16> {};

void Raise(Report::Worst& worst, double error, std::int64_t index, double expected, double actual) {
  if (error > worst.error) worst = {error, index, expected, actual};
}

// The slow look at one block that holds a difference in bits.
template <class T>
void Examine(const T* e, const T* a, std::int64_t begin, std::int64_t end, Report& r) {
  using E = Element<T>;
  const Tolerance& t = r.tolerance;
  for (std::int64_t i = begin; i < end; ++i) {
    const double ev = E::Value(e[i]), av = E::Value(a[i]);
    const bool e_finite = std::isfinite(ev), a_finite = std::isfinite(av);
    r.expected_nan += std::isnan(ev);
    r.actual_nan += std::isnan(av);
    r.expected_inf += std::isinf(ev);
    r.actual_inf += std::isinf(av);
    bool differs = true;
    if (e_finite && a_finite) {
      const double error = E::AbsError(e[i], a[i]);
      const std::int64_t ulp = E::Ulp(e[i], a[i]);
      Raise(r.absolute, error, i, ev, av);
      if (error > 0) Raise(r.relative, ev == 0 ? kInfinity : error / std::abs(ev), i, ev, av);
      Raise(r.ulp, static_cast<double>(ulp), i, ev, av);
      switch (t.kind) {
        case Tolerance::Kind::kAllclose:
          differs = !(error <= t.atol + t.rtol * std::abs(ev));
          if (differs) r.needed = std::max(r.needed, error - t.rtol * std::abs(ev));
          break;
        case Tolerance::Kind::kUlp:
          differs = ulp > t.max_ulp && !(std::abs(ev) <= t.zero_zone && std::abs(av) <= t.zero_zone);
          if (differs) r.needed = std::max(r.needed, static_cast<double>(ulp));
          break;
        case Tolerance::Kind::kBitwise:
          differs = std::memcmp(e + i, a + i, sizeof(T)) != 0;
          break;
      }
    } else {
      const bool same = t.kind == Tolerance::Kind::kBitwise ? std::memcmp(e + i, a + i, sizeof(T)) == 0
                                                            : (std::isnan(ev) && std::isnan(av)) || ev == av;
      differs = !same;
      if (differs) r.needed = kInfinity;
    }
    if (differs) {
      if (r.first_differing < 0) r.first_differing = i;
      ++r.differing;
    }
  }
}

template <class T>
std::int64_t CountNaN(const T* p, std::int64_t begin, std::int64_t end, std::int64_t& infinities) {
  std::int64_t nan = 0;
  if constexpr (std::is_floating_point_v<T>) {
    std::int64_t inf = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      nan += p[i] != p[i];
      inf += std::abs(p[i]) == std::numeric_limits<T>::infinity();
    }
    infinities += inf;
  } else if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double v = Element<T>::Value(p[i]);
      nan += std::isnan(v);
      infinities += std::isinf(v);
    }
  }
  return nan;
}

// Joins block results in order, so that ties fall to the first element at any thread count.
void Merge(Report& into, const Report& from) {
  into.differing += from.differing;
  into.expected_nan += from.expected_nan;
  into.actual_nan += from.actual_nan;
  into.expected_inf += from.expected_inf;
  into.actual_inf += from.actual_inf;
  if (into.first_differing < 0) into.first_differing = from.first_differing;
  for (auto worst : {&Report::absolute, &Report::relative, &Report::ulp})
    if ((from.*worst).error > (into.*worst).error) into.*worst = from.*worst;
  into.needed = std::max(into.needed, from.needed);
}

template <class T>
void CompareElements(const TensorView& expected, const TensorView& actual, Report& report) {
  const auto *e = static_cast<const T*>(expected.data()), *a = static_cast<const T*>(actual.data());
  const std::int64_t n = report.compared, blocks = (n + kBlock - 1) / kBlock;
  struct Part {
    Report report;
    bool same_bits = true, constant = true;
  };
  std::vector<std::unique_ptr<Part>> parts(static_cast<std::size_t>(blocks));  // only blocks with something to say
  std::vector<char> varies(static_cast<std::size_t>(blocks), 0);
  ThreadPool::Default().ParallelFor(blocks, [&](std::int64_t b) {
    ScopedKeepDenormals keep;  // the pool flushes them
    const std::int64_t begin = b * kBlock, end = std::min(n, begin + kBlock);
    const std::size_t bytes = static_cast<std::size_t>(end - begin) * sizeof(T);
    const bool same = std::memcmp(e + begin, a + begin, bytes) == 0;
    varies[static_cast<std::size_t>(b)] =
        std::memcmp(e, e + begin, sizeof(T)) != 0 || std::memcmp(e + begin, e + begin + 1, bytes - sizeof(T)) != 0;
    Report part;
    part.tolerance = report.tolerance;
    if (same) {
      part.expected_nan = part.actual_nan = CountNaN(e, begin, end, part.expected_inf);
      part.actual_inf = part.expected_inf;
      if (part.expected_nan == 0 && part.expected_inf == 0) return;
    } else {
      Examine(e, a, begin, end, part);
    }
    parts[static_cast<std::size_t>(b)] = std::make_unique<Part>(Part{std::move(part), same});
  });
  report.bitwise_equal = true;
  for (const auto& part : parts) {
    if (!part) continue;
    Merge(report, part->report);
    report.bitwise_equal &= part->same_bits;
  }
  report.all_equal_constant =
      report.bitwise_equal && n > 1 && std::none_of(varies.begin(), varies.end(), [](char v) { return v != 0; });
  report.max_abs_error = report.absolute.error;
}

}  // namespace

std::int64_t UlpDistance(float a, float b) { return Distance<float, std::uint32_t>(a, b); }
std::int64_t UlpDistance(double a, double b) { return Distance<double, std::uint64_t>(a, b); }

Tolerance Tolerance::Allclose(double rtol, double atol) {
  if (!(rtol >= 0) || !(atol >= 0))
    throw ValueError(fmt::format("Tolerance: rtol and atol must be >= 0, got {} and {}", rtol, atol));
  return {.kind = Kind::kAllclose, .rtol = rtol, .atol = atol};
}
Tolerance Tolerance::Ulp(std::int64_t max_ulp, double zero_zone) {
  if (max_ulp < 0 || !(zero_zone >= 0))
    throw ValueError(fmt::format("Tolerance: max_ulp and zero_zone must be >= 0, got {} and {}", max_ulp, zero_zone));
  return {.kind = Kind::kUlp, .max_ulp = max_ulp, .zero_zone = zero_zone};
}
Tolerance Tolerance::Bitwise() { return {.kind = Kind::kBitwise}; }
std::string Tolerance::ToString() const {
  switch (kind) {
    case Kind::kAllclose:
      return fmt::format("rtol {}, atol {}", FormatDouble(rtol), FormatDouble(atol));
    case Kind::kUlp:
      return zero_zone > 0 ? fmt::format("{} ULP, zero zone {}", max_ulp, FormatDouble(zero_zone))
                           : fmt::format("{} ULP", max_ulp);
    case Kind::kBitwise:
      break;
  }
  return "bitwise";
}

Report Compare(const TensorView& expected, const TensorView& actual, const Tolerance& tolerance) {
  Report report;
  report.tolerance = tolerance;
  report.dtype = expected.dtype();
  report.shape = expected.shape();
  report.allowed =
      tolerance.kind == Tolerance::Kind::kAllclose ? tolerance.atol : static_cast<double>(tolerance.max_ulp);
  if (expected.dtype() != actual.dtype())
    report.mismatch =
        fmt::format("dtypes differ: expected {}, actual {}", Name(expected.dtype()), Name(actual.dtype()));
  else if (expected.shape() != actual.shape())
    report.mismatch =
        fmt::format("shapes differ: expected {}, actual {}", expected.shape().ToString(), actual.shape().ToString());
  if (!report.mismatch.empty()) {
    report.nothing_compared = true;
    return report;
  }
  report.compared = expected.num_elements();
  if (report.compared == 0) {
    report.nothing_compared = report.bitwise_equal = true;
    return report;
  }
  switch (expected.dtype()) {
    case DType::kFloat32:
      CompareElements<float>(expected, actual, report);
      break;
    case DType::kFloat64:
      CompareElements<double>(expected, actual, report);
      break;
    case DType::kFloat16:
      CompareElements<Float16>(expected, actual, report);
      break;
    case DType::kBFloat16:
      CompareElements<BFloat16>(expected, actual, report);
      break;
    case DType::kInt8:
      CompareElements<std::int8_t>(expected, actual, report);
      break;
    case DType::kInt16:
      CompareElements<std::int16_t>(expected, actual, report);
      break;
    case DType::kInt32:
      CompareElements<std::int32_t>(expected, actual, report);
      break;
    case DType::kInt64:
      CompareElements<std::int64_t>(expected, actual, report);
      break;
    case DType::kUInt8:
      CompareElements<std::uint8_t>(expected, actual, report);
      break;
    case DType::kUInt16:
      CompareElements<std::uint16_t>(expected, actual, report);
      break;
    case DType::kUInt32:
      CompareElements<std::uint32_t>(expected, actual, report);
      break;
    case DType::kUInt64:
      CompareElements<std::uint64_t>(expected, actual, report);
      break;
    case DType::kBool:
      CompareElements<bool>(expected, actual, report);
      break;
    default:
      throw UnimplementedError(fmt::format("Compare: no comparison of {} tensors", Name(expected.dtype())));
  }
  return report;
}
}  // namespace equiv
