// equiv/gtest/matchers.h - gMock matchers on tensors.
//
//   EXPECT_THAT(logits, equiv::NumericallyEquals(expected, equiv::Tolerance::Ulp(4)));
#pragma once
#include <gmock/gmock.h>

#include "equiv/compare/compare.h"
#include "kernels/base/op_builder.h"

namespace equiv {

// Matches an Array, or a Value that holds one, under the rules of compare.h. A symbolic Value, no value, and a dtype
// that cannot be compared do not match; the explanation says so.
class NumericallyEqualsMatcher {
 public:
  using is_gtest_matcher = void;
  NumericallyEqualsMatcher(Array expected, const Tolerance& tolerance)
      : expected_(std::move(expected)), tolerance_(tolerance) {}
  bool MatchAndExplain(const Array& actual, std::ostream* explanation) const;
  bool MatchAndExplain(const Value& actual, std::ostream* explanation) const;
  void DescribeTo(std::ostream* out) const;
  void DescribeNegationTo(std::ostream* out) const;

 private:
  Array expected_;
  Tolerance tolerance_;
};

inline NumericallyEqualsMatcher NumericallyEquals(Array expected,
                                                  const Tolerance& tolerance = Tolerance::Allclose(1e-6, 1e-5)) {
  return {std::move(expected), tolerance};
}

}  // namespace equiv
