// kernels/cpu/checked_math.h - sizes from untrusted numbers, without overflow.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/base/shape.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

inline std::int64_t CheckedAdd(const FailFn& fail, std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) fail("a size overflows: " + std::to_string(a) + " + " + std::to_string(b));
  return sum;
}
inline std::int64_t CheckedMul(const FailFn& fail, std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product))
    fail("a size overflows: " + std::to_string(a) + " * " + std::to_string(b));
  return product;
}
// The shape of these dimensions; fails when there is none.
inline Shape CheckedShape(const FailFn& fail, const std::vector<std::int64_t>& dims) {
  try {
    return Shape(dims);
  } catch (const InvalidArgumentError& error) {
    fail(error.what());
    throw;
  }
}

}  // namespace equiv::cpu
