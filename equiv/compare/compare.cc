#include "equiv/compare/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "equiv/compare/decimal.h"
#include "equiv/compare/elements.h"
#include "kernels/base/flush.h"
#include "kernels/base/thread_pool.h"

namespace equiv {
namespace {

constexpr std::int64_t kBlock = 1 << 14;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using internal::Element;
using internal::IsFinite;
using internal::IsInf;
using internal::IsNaN;

void Raise(Report::Worst& worst, double error, std::int64_t index, double expected, double actual) {
  if (error > worst.error) worst = {error, index, expected, actual, 0, 0};
}
void Raise(Report::Worst& worst, double error, std::int64_t index, const std::complex<double>& expected,
           const std::complex<double>& actual) {
  if (error > worst.error) worst = {error, index, expected.real(), actual.real(), expected.imag(), actual.imag()};
}

// The slow look at one block that holds a difference in bits.
template <class T>
void Examine(const T* e, const T* a, std::int64_t begin, std::int64_t end, Report& r) {
  using E = Element<T>;
  const Tolerance& t = r.tolerance;
  for (std::int64_t i = begin; i < end; ++i) {
    const auto ev = E::Value(e[i]), av = E::Value(a[i]);
    const bool e_finite = IsFinite(ev), a_finite = IsFinite(av);
    r.expected_nan += IsNaN(ev);
    r.actual_nan += IsNaN(av);
    r.expected_inf += IsInf(ev);
    r.actual_inf += IsInf(av);
    bool differs = true;
    if (e_finite && a_finite) {
      const double error = E::AbsError(e[i], a[i]);
      const std::int64_t ulp = E::Ulp(e[i], a[i]);
      Raise(r.absolute, error, i, ev, av);
      const double size = std::abs(ev);
      if (error > 0) Raise(r.relative, size == 0 ? kInfinity : error / size, i, ev, av);
      Raise(r.ulp, static_cast<double>(ulp), i, ev, av);
      switch (t.kind) {
        case Tolerance::Kind::kAllclose:
          differs = !(error <= t.atol + t.rtol * size);
          if (differs) r.needed = std::max(r.needed, error - t.rtol * size);
          break;
        case Tolerance::Kind::kUlp:
          differs = ulp > t.max_ulp && !(size <= t.zero_zone && std::abs(av) <= t.zero_zone);
          if (differs) r.needed = std::max(r.needed, static_cast<double>(ulp));
          break;
        case Tolerance::Kind::kBitwise:
          differs = std::memcmp(e + i, a + i, sizeof(T)) != 0;
          break;
      }
    } else {
      const bool same = t.kind == Tolerance::Kind::kBitwise ? std::memcmp(e + i, a + i, sizeof(T)) == 0
                                                            : (IsNaN(ev) && IsNaN(av)) || ev == av;
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
  } else if constexpr (internal::kHasNaN<T>) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto v = Element<T>::Value(p[i]);
      nan += IsNaN(v);
      infinities += IsInf(v);
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

// Byte for byte, whatever the tolerance.
void CompareStrings(const TensorView& expected, const TensorView& actual, Report& report) {
  const auto *e = static_cast<const std::string*>(expected.data()), *a = static_cast<const std::string*>(actual.data());
  bool constant = true;
  for (std::int64_t i = 0; i < report.compared; ++i) {
    constant &= e[i] == e[0];
    if (e[i] == a[i]) continue;
    if (report.first_differing < 0) {
      report.first_differing = i;
      report.expected_text = e[i];
      report.actual_text = a[i];
    }
    ++report.differing;
  }
  report.bitwise_equal = report.differing == 0;
  report.all_equal_constant = report.bitwise_equal && constant && report.compared > 1;
  if (report.differing > 0) report.needed = kInfinity;
}

}  // namespace

std::int64_t UlpDistance(float a, float b) { return Element<float>::Ulp(a, b); }
std::int64_t UlpDistance(double a, double b) { return Element<double>::Ulp(a, b); }

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
  if (expected.dtype() == DType::kString) {
    CompareStrings(expected, actual, report);
  } else if (!internal::WithElementType(expected.dtype(),
                                        [&]<class T>(T) { CompareElements<T>(expected, actual, report); })) {
    throw UnimplementedError(fmt::format("Compare: no comparison of {} tensors", Name(expected.dtype())));
  }
  return report;
}
}  // namespace equiv
