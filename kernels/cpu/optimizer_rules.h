// kernels/cpu/optimizer_rules.h - what dense and sparse steps share.
#pragma once
#include <algorithm>
#include <cmath>

namespace equiv::cpu {

// tf: Eigen's psign, |x| where x equals 0, so NaN stays NaN
template <class T>
T SignOf(T x) {
  return x > T{0} ? T{1} : x < T{0} ? static_cast<T>(-1) : std::abs(x);
}
// sign(x) * max(|x| - l1, 0) / (1 + l2), or without the threshold where l1 is 0.
template <class T>
T Shrink(T x, bool thresholded, T l1, T l2) {
  if (!thresholded) return x / (T{1} + l2);
  return SignOf(x) * std::max(std::abs(x) - l1, T{0}) / (T{1} + l2);
}
// accum^-power; -0.5 is the square root.
template <class T>
T FtrlRoot(T accum, T power) {
  return power == static_cast<T>(-0.5) ? std::sqrt(accum) : std::pow(accum, -power);
}

}  // namespace equiv::cpu
