// equiv/gtest/matchers.h - EXPECT_THAT(tensor, NumericallyEquivalentTo(expected, Tolerance::Ulp(2)))
#pragma once
#include <gmock/gmock.h>

#include "equiv/compare/compare.h"
#include "kernels/base/op_builder.h"

namespace equiv {
namespace internal {
inline const Array& ArrayOf(const Array& array) { return array; }
inline const Array& ArrayOf(const Value& value) { return value.array(); }
}  // namespace internal

// Matches an Array, or an eager tensor, of equal dtype and shape whose elements are within `tolerance` of `expected`.
MATCHER_P2(NumericallyEquivalentTo, expected, tolerance,
           (negation ? std::string("is not within ") : std::string("is within ")) + tolerance.ToString() +
               " of the expected tensor") {
  const Report report = Compare(internal::ArrayOf(expected), internal::ArrayOf(arg), tolerance);
  *result_listener << report.ToString();
  return report.ok() && !report.nothing_compared;
}
inline auto NumericallyEquivalentTo(const Array& expected) {
  return NumericallyEquivalentTo(expected, Tolerance::Allclose(1e-6, 1e-5));
}

}  // namespace equiv
