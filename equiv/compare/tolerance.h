// equiv/compare/tolerance.h - how far apart two values may be.
#pragma once
#include <cstdint>
#include <string>

namespace equiv {

struct Tolerance {
  enum class Kind { kAllclose, kUlp, kBitwise };
  Kind kind = Kind::kAllclose;
  double rtol = 0, atol = 0;
  std::int64_t max_ulp = 0;
  double zero_zone = 0;

  // |actual - expected| <= atol + rtol * |expected|, in double. tf: numpy.testing.assert_allclose(actual, expected)
  // ValueError when a bound is negative or NaN.
  static Tolerance Allclose(double rtol, double atol);
  // At most `max_ulp` representable values between them, or both within [-zero_zone, zero_zone]. Integers: the
  // difference.
  static Tolerance Ulp(std::int64_t max_ulp, double zero_zone = 0);
  // The same bits.
  static Tolerance Bitwise();
  std::string ToString() const;  // "rtol 1e-06, atol 1e-05"
};

}  // namespace equiv
