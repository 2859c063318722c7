// equiv/compare/tolerance.h - how far apart two elements may be.
#pragma once
#include <cstdint>
#include <string>

namespace equiv {

class Tolerance {
 public:
  enum class Kind { kAllclose, kUlp, kBitwise };

  // |actual - expected| <= atol + rtol * |expected|, judged in a wider type than the elements'. The scale is the
  // expected side, as `desired` is in numpy.testing.assert_allclose. NaN equals NaN.
  // InvalidArgumentError: a negative or non-finite bound.
  static Tolerance Allclose(double rtol, double atol);
  // At most `max` representable values apart (integers: their difference), +0 and -0 being one value. Two values both
  // within `zero_zone` of zero are equal. NaN equals NaN. InvalidArgumentError: a negative bound, a NaN zone.
  static Tolerance Ulp(std::int64_t max, double zero_zone = 0);
  // The same bits: -0 differs from +0, NaNs differ by payload.
  static Tolerance Bitwise();

  Kind kind() const { return kind_; }
  double rtol() const { return rtol_; }
  double atol() const { return atol_; }
  std::int64_t max_ulp() const { return max_ulp_; }
  double zero_zone() const { return zero_zone_; }
  // "Allclose(rtol=1e-06, atol=1e-05)", "Ulp(2)", "Ulp(2, zero_zone=1e-30)", "Bitwise()".
  std::string ToString() const;

 private:
  explicit Tolerance(Kind kind) : kind_(kind) {}
  Kind kind_;
  double rtol_ = 0, atol_ = 0, zero_zone_ = 0;
  std::int64_t max_ulp_ = 0;
};

}  // namespace equiv
