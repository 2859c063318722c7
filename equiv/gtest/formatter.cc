#include "equiv/gtest/formatter.h"

namespace equiv {
testing::AssertionResult CompareArrays(const char* expected_text, const char* actual_text, const Array& expected,
                                       const Array& actual, const Tolerance& tolerance) {
  const Report report = Compare(expected, actual, tolerance);
  if (report.ok() && !report.nothing_compared) return testing::AssertionSuccess();
  return testing::AssertionFailure() << actual_text << " is not equivalent to " << expected_text << "\n"
                                     << report.ToString();
}
}  // namespace equiv
