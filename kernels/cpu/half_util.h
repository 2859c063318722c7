// kernels/cpu/half_util.h - arithmetic on 16-bit floats in float32, rounded when stored.
#pragma once
#include <type_traits>

#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {

template <class T>
inline constexpr bool kIsHalf = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;
// The type in which values of type T are computed.
template <class T>
using Wide = std::conditional_t<kIsHalf<T>, float, T>;
template <class T>
Wide<T> Widen(T value) {
  return static_cast<Wide<T>>(value);
}
// Calls f.operator()<T>() for float16, bfloat16, float32 or float64.
template <class F>
void ForHalfOrFloating(KernelContext& ctx, DType dtype, F&& f) {
  if (dtype == DType::kFloat16) return f.template operator()<Float16>();
  if (dtype == DType::kBFloat16) return f.template operator()<BFloat16>();
  ForFloating(ctx, dtype, f);
}

}  // namespace equiv::cpu
