// equiv/gtest/formatter.h - comparisons as gtest results.
#pragma once
#include <gtest/gtest.h>

#include "equiv/compare/compare.h"

namespace equiv {

// For EXPECT_PRED_FORMAT-like use; the texts are the argument expressions. Fails also when nothing was compared.
testing::AssertionResult CompareArrays(const char* expected_text, const char* actual_text, const Array& expected,
                                       const Array& actual, const Tolerance& tolerance);

}  // namespace equiv
