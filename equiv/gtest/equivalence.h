// equiv/gtest/equivalence.h - EXPECT_NUMERICALLY_EQUIVALENT and ASSERT_NUMERICALLY_EQUIVALENT.
//
//   EXPECT_NUMERICALLY_EQUIVALENT(equiv::InSession(Dense), equiv::InEager(Dense), {.inputs = {rt::Ones({8, 20})}});
//   EXPECT_NUMERICALLY_EQUIVALENT(expected_array, actual_array, equiv::Tolerance::Ulp(2));
//
// Two sides: runs the staged check (stages.h) and fails with every stage's evidence unless the verdict is EQUIVALENT,
// or WIRING where only step 3 was asked for. Two tensors: compares them (formatter.h). `<< "context"` works as usual.
#pragma once
#include <gtest/gtest.h>

#include "equiv/gtest/formatter.h"
#include "equiv/harness/stages.h"

namespace equiv {
namespace internal {
testing::AssertionResult SidesEquivalent(const char* expected_text, const char* actual_text, Side& expected,
                                         Side& actual, const Options& options);

inline testing::AssertionResult Equivalent(const char* e, const char* a, const SidePtr& expected, const SidePtr& actual,
                                           const Options& options = {}) {
  return SidesEquivalent(e, a, *expected, *actual, options);
}
inline testing::AssertionResult Equivalent(const char* e, const char* a, const Array& expected, const Array& actual,
                                           const Tolerance& tolerance = Tolerance::Allclose(1e-6, 1e-5)) {
  return CompareArrays(e, a, expected, actual, tolerance);
}
}  // namespace internal
}  // namespace equiv

// The arguments may hold braces and commas: everything from the third on is passed through.
#define EQUIV_EQUIVALENT_(on_failure, expected, actual, ...)                                                 \
  GTEST_AMBIGUOUS_ELSE_BLOCKER_                                                                              \
  if (const ::testing::AssertionResult equiv_result =                                                        \
          ::equiv::internal::Equivalent(#expected, #actual, (expected), (actual)__VA_OPT__(, ) __VA_ARGS__)) \
    ;                                                                                                        \
  else                                                                                                       \
    on_failure(equiv_result.failure_message())
#define EXPECT_NUMERICALLY_EQUIVALENT(expected, actual, ...) \
  EQUIV_EQUIVALENT_(GTEST_NONFATAL_FAILURE_, expected, actual __VA_OPT__(, ) __VA_ARGS__)
#define ASSERT_NUMERICALLY_EQUIVALENT(expected, actual, ...) \
  EQUIV_EQUIVALENT_(GTEST_FATAL_FAILURE_, expected, actual __VA_OPT__(, ) __VA_ARGS__)
