#include "equiv/compare/decimal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace equiv {
namespace {
// As numpy.float32 and Python's float print them.
TEST(Decimal, FloatsAsNumPyPrintsThem) {
  EXPECT_EQ(FormatFloat(1.22548f), "1.22548");
  EXPECT_EQ(FormatFloat(0.001182976f), "0.001182976");
  EXPECT_EQ(FormatFloat(1.0f / 3), "0.33333334");
  EXPECT_EQ(FormatFloat(5), "5.0");
  EXPECT_EQ(FormatFloat(-0.0f), "-0.0");
  EXPECT_EQ(FormatFloat(1e-5f), "1e-05");
  EXPECT_EQ(FormatFloat(0.0001f), "0.0001");
  EXPECT_EQ(FormatFloat(16777216), "16777216.0");
  EXPECT_EQ(FormatFloat(NAN), "nan");
  EXPECT_EQ(FormatFloat(-INFINITY), "-inf");
  EXPECT_EQ(FormatFloat(std::numeric_limits<float>::denorm_min()), "1e-45");
}
TEST(Decimal, DoublesAsPythonPrintsThem) {
  EXPECT_EQ(FormatDouble(0.1), "0.1");
  EXPECT_EQ(FormatDouble(1e16), "1e+16");
  EXPECT_EQ(FormatDouble(1e15), "1000000000000000.0");
  EXPECT_EQ(FormatDouble(1.5e-300), "1.5e-300");
  EXPECT_EQ(FormatDouble(123456.789), "123456.789");
}
TEST(Decimal, Hexadecimal) { EXPECT_EQ(FormatHex(1.5), "0x1.8p+0"); }
}  // namespace
}  // namespace equiv
