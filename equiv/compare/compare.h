// equiv/compare/compare.h - compares two tensors in one pass, without copies.
//
// Rules, for floating dtypes:
//   NaN         equals NaN, differs from everything else
//   infinities  equal when of the same sign; differ from everything else whatever the tolerance
//   -0          equals +0
//   subnormals  are numbers like others; nothing is flushed
// Complex numbers are near each other when the modulus of their difference is small; one that has a NaN part is NaN.
// Bitwise compares bits instead: NaN payloads and the sign of zero count. Integers and bool compare exactly up to the
// tolerance, strings byte for byte. Another dtype or shape is a difference, and nothing else is compared then. Empty
// tensors compare nothing.
#pragma once
#include <cstdint>
#include <string>

#include "equiv/compare/tolerance.h"
#include "equiv/compare/view.h"

namespace equiv {

struct Report {
  // The element where an error is largest. -1: no finite pair differs.
  struct Worst {
    double error = 0;
    std::int64_t index = -1;
    double expected = 0, actual = 0;
    double expected_imag = 0, actual_imag = 0;  // of complex numbers
  };
  Tolerance tolerance;
  DType dtype = DType::kInvalid;
  Shape shape;
  std::string mismatch;        // dtype or shape differ: how
  std::int64_t compared = 0;   // elements
  std::int64_t differing = 0;  // elements beyond the tolerance
  std::int64_t expected_nan = 0, actual_nan = 0, expected_inf = 0, actual_inf = 0;
  std::int64_t first_differing = -1;
  std::string expected_text, actual_text;  // strings: the first that differ
  bool nothing_compared = false;
  bool bitwise_equal = false;
  bool all_equal_constant = false;  // more than one element, all of them one and the same value on both sides
  double max_abs_error = 0;         // over finite pairs; absolute.error
  Worst absolute, relative, ulp;    // relative and ulp are filled in only when the tensors differ in a bit
  // The smallest atol (with this rtol) that would pass, or ulp distance; infinity when NaN or infinities differ.
  double needed = 0, allowed = 0;

  bool ok() const { return mismatch.empty() && differing == 0; }
  // At most 30 lines.
  std::string ToString() const;
};

// UnimplementedError for the dtypes resource and variant.
Report Compare(const TensorView& expected, const TensorView& actual, const Tolerance& tolerance);

// Representable values between a and b; 0 for equal values (-0 and +0 too), largest int64 when one of them is NaN.
std::int64_t UlpDistance(float a, float b);
std::int64_t UlpDistance(double a, double b);

}  // namespace equiv
