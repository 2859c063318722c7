#include "equiv/gtest/equivalence.h"

namespace equiv::internal {
testing::AssertionResult SidesEquivalent(const char* expected_text, const char* actual_text, Side& expected,
                                         Side& actual, const Options& options) {
  const Verdict verdict = CheckEquivalence(expected, actual, options);
  if (verdict.ok()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "EXPECT_NUMERICALLY_EQUIVALENT(" << expected_text << ", " << actual_text
                                     << ")\n"
                                     << verdict.FailureText();
}
}  // namespace equiv::internal
