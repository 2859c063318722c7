// equiv/compare/statistics.h - a tensor in a few numbers.
#pragma once
#include <cstdint>

#include "equiv/compare/view.h"

namespace equiv {

// Numbers: min, max, mean and standard deviation (population, as numpy.std) over the finite elements; of complex
// numbers, of their moduli; bool counts as 0 and 1. Strings: of their lengths in bytes. Sums are added in a fixed
// order.
struct Statistics {
  std::int64_t elements = 0, finite = 0, nan = 0, inf = 0, zeros = 0;  // zeros: -0 too, empty strings
  double min = 0, max = 0, mean = 0, std = 0;                          // NaN when nothing is finite
  // Of integers, exactly.
  bool integer = false;
  __int128 integer_min = 0, integer_max = 0;
};

// UnimplementedError for the dtypes resource and variant.
Statistics ComputeStatistics(const TensorView& tensor);

}  // namespace equiv
