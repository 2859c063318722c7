// equiv/compare/compare.h - compares two tensors and says where and by how much they differ.
//
// Rules:
//  - NaN equals NaN under Allclose and Ulp; a NaN on one side only is a mismatch. Bitwise compares bits: payloads count.
//  - Equal infinities are equal; an infinity against anything else is a mismatch whatever the tolerance.
//  - -0 equals +0 except under Bitwise. Subnormals count in full: nothing is flushed, whatever mode the caller runs in.
//  - Integers are compared exactly over their whole range; a bool is 0 or 1.
//  - Another dtype or shape is a failure, and no element is compared. Two empty tensors agree, with nothing_compared set.
// The result does not depend on the number of threads.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "equiv/compare/tolerance.h"
#include "equiv/compare/view.h"

namespace equiv {

// Where an error is largest; ties go to the first element in row-major order.
struct Extreme {
  double value = 0;
  std::int64_t index = -1;  // flat; -1: no finite pair differs
  std::string expected, actual;
};

struct Report {
  bool ok() const { return mismatch_text.empty() && mismatches == 0; }

  Tolerance tolerance = Tolerance::Bitwise();
  DType dtype = DType::kInvalid;
  Shape shape;
  std::string mismatch_text;       // dtypes or shapes differ; empty when the elements were compared
  std::int64_t compared = 0;       // pairs of elements
  std::int64_t mismatches = 0;     // pairs outside the tolerance
  bool bitwise_equal = false;      // dtype, shape and every bit
  bool all_equal_constant = false; // more than one element, and all elements of both sides are one same value
  bool nothing_compared = true;    // no pair of elements
  std::int64_t nan_expected = 0, nan_actual = 0, inf_expected = 0, inf_actual = 0;
  // Mismatches with a NaN or an infinity on one side at least.
  std::int64_t nonfinite_mismatches = 0;

  // The largest |actual - expected|; infinity when a pair mismatches by a NaN or an infinity (at the first such pair).
  double max_abs_error = 0;
  std::int64_t max_abs_index = -1;
  // Likewise relative to |expected| and in representable values. Known when `detailed`: always but for large float32
  // tensors that agree.
  bool detailed = false;
  double max_rel_error = 0, max_ulp_error = 0;
  std::int64_t max_rel_index = -1, max_ulp_index = -1;
  // The same over finite pairs only, with the two values as text.
  Extreme worst_abs, worst_rel, worst_ulp;
  // What would have sufficed, when !ok(): atol at the given rtol, rtol at the given atol, ULPs outside the zero zone.
  // Infinity: no such bound.
  double needed_atol = 0, needed_rtol = 0, needed_ulp = 0;
  struct Difference {
    std::int64_t index;
    std::string expected, actual;
  };
  std::vector<Difference> first_differences;  // the first few pairs outside the tolerance

  // At most 30 lines, without a final newline.
  std::string ToString() const;
};

Report Compare(const TensorView& expected, const TensorView& actual, const Tolerance& tolerance);

// "[0,3,1]" for a flat row-major index; "[]" for a scalar.
std::string MultiIndex(const Shape& shape, std::int64_t flat);

}  // namespace equiv
