// equiv/gtest/formatter.h - the comparison of two arrays as a GoogleTest result.
#pragma once
#include <gtest/gtest.h>

#include "equiv/compare/compare.h"

namespace equiv {

// Success, or a failure that names both expressions and tells where and by how much the arrays differ. Two empty arrays,
// and arrays without a value or of a dtype that cannot be compared, fail: nothing was checked.
testing::AssertionResult CompareArrays(const char* expected_text, const char* actual_text, const Array& expected,
                                       const Array& actual, const Tolerance& tolerance);

}  // namespace equiv
