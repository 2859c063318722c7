#include "equiv/compare/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "equiv/compare/elements.h"
#include "kernels/base/flush.h"
#include "kernels/base/thread_pool.h"

namespace equiv {
namespace {
constexpr std::int64_t kBlock = 1 << 15;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Mean and squared deviation of one block, which join without cancellation.
struct Part {
  std::int64_t finite = 0, nan = 0, inf = 0, zeros = 0;
  double min = std::numeric_limits<double>::infinity(), max = -min, mean = 0, squares = 0;
  __int128 integer_min = std::numeric_limits<std::uint64_t>::max(),
           integer_max = std::numeric_limits<std::int64_t>::min();

  void Join(const Part& other) {
    nan += other.nan;
    inf += other.inf;
    zeros += other.zeros;
    if (other.finite == 0) return;
    const auto a = static_cast<double>(finite), b = static_cast<double>(other.finite), n = a + b;
    const double apart = other.mean - mean;
    mean = a == 0 ? other.mean : mean + apart * (b / n);
    squares += other.squares + (a == 0 ? 0 : apart * apart * (a * b / n));
    finite += other.finite;
    min = std::min(min, other.min);
    max = std::max(max, other.max);
    integer_min = std::min(integer_min, other.integer_min);
    integer_max = std::max(integer_max, other.integer_max);
  }
};

template <class Get>
Part OfBlock(std::int64_t n, const Get& get) {
  Part part;
  double sum = 0;
  const auto each = [&](const auto& f) {
    for (std::int64_t i = 0; i < n; ++i) f(get(i));
  };
  each([&](double v) {
    if (!std::isfinite(v)) {
      (std::isnan(v) ? part.nan : part.inf) += 1;
      return;
    }
    ++part.finite;
    part.zeros += v == 0;
    part.min = std::min(part.min, v);
    part.max = std::max(part.max, v);
    sum += v / static_cast<double>(n);  // no overflow for the largest doubles
  });
  if (part.finite == 0) return part;
  part.mean = sum * (static_cast<double>(n) / static_cast<double>(part.finite));
  each([&](double v) {
    if (std::isfinite(v)) part.squares += (v - part.mean) * (v - part.mean);
  });
  return part;
}

template <class T>
double Magnitude(T x) {
  if constexpr (internal::kIsComplex<T>) {
    const std::complex<double> v = internal::Element<T>::Value(x);
    return internal::IsNaN(v) ? kNaN : std::abs(v);
  } else {
    return internal::Element<T>::Value(x);
  }
}

template <class T>
Part OfElements(const T* data, std::int64_t elements) {
  std::vector<Part> parts(static_cast<std::size_t>((elements + kBlock - 1) / kBlock));
  ThreadPool::Default().ParallelFor(static_cast<std::int64_t>(parts.size()), [&](std::int64_t b) {
    const ScopedKeepDenormals keep;  // the pool flushes them
    const T* p = data + b * kBlock;
    const std::int64_t n = std::min(kBlock, elements - b * kBlock);
    Part part = OfBlock(n, [p](std::int64_t i) { return Magnitude(p[i]); });
    if constexpr (std::is_integral_v<T>) {
      const auto [low, high] = std::minmax_element(p, p + n);
      part.integer_min = *low;
      part.integer_max = *high;
    }
    parts[static_cast<std::size_t>(b)] = part;
  });
  Part all;
  for (const Part& part : parts) all.Join(part);
  return all;
}
}  // namespace

Statistics ComputeStatistics(const TensorView& tensor) {
  Part all;
  Statistics s;
  s.elements = tensor.num_elements();
  if (tensor.dtype() == DType::kString) {
    const auto* p = static_cast<const std::string*>(tensor.data());
    all = OfBlock(s.elements, [p](std::int64_t i) { return static_cast<double>(p[i].size()); });
    s.integer = true;
    all.integer_min = static_cast<__int128>(all.min);
    all.integer_max = static_cast<__int128>(all.max);
  } else if (!internal::WithElementType(tensor.dtype(), [&]<class T>(T) {
               all = OfElements(static_cast<const T*>(tensor.data()), s.elements);
               s.integer = std::is_integral_v<T>;
             })) {
    throw UnimplementedError(fmt::format("no statistics of {} tensors", Name(tensor.dtype())));
  }
  s.finite = all.finite;
  s.nan = all.nan;
  s.inf = all.inf;
  s.zeros = all.zeros;
  if (all.finite == 0) {
    s.min = s.max = s.mean = s.std = kNaN;
    s.integer = false;
    return s;
  }
  s.min = all.min;
  s.max = all.max;
  s.mean = all.mean;
  s.std = std::sqrt(all.squares / static_cast<double>(all.finite));
  s.integer_min = all.integer_min;
  s.integer_max = all.integer_max;
  return s;
}
}  // namespace equiv
