// kernels/cpu/half.h - arithmetic of the 16-bit types: each operation in float32, its result rounded at once.
// tf: Eigen::half and Eigen::bfloat16, scalars and packets alike
#pragma once
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/base/dtype.h"

namespace equiv {

template <class T>
concept HalfPrecision = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;

template <HalfPrecision T>
T operator+(T a, T b) {
  return T(static_cast<float>(a) + static_cast<float>(b));
}
template <HalfPrecision T>
T operator-(T a, T b) {
  return T(static_cast<float>(a) - static_cast<float>(b));
}
template <HalfPrecision T>
T operator*(T a, T b) {
  return T(static_cast<float>(a) * static_cast<float>(b));
}
template <HalfPrecision T>
T operator/(T a, T b) {
  return T(static_cast<float>(a) / static_cast<float>(b));
}
template <HalfPrecision T>
T operator-(T a) {
  return T::FromBits(static_cast<std::uint16_t>(a.bits ^ 0x8000u));
}
template <HalfPrecision T>
bool operator==(T a, T b) {
  return static_cast<float>(a) == static_cast<float>(b);
}
template <HalfPrecision T>
bool operator<(T a, T b) {
  return static_cast<float>(a) < static_cast<float>(b);
}
template <HalfPrecision T>
bool operator>(T a, T b) {
  return static_cast<float>(a) > static_cast<float>(b);
}
template <HalfPrecision T>
bool operator<=(T a, T b) {
  return static_cast<float>(a) <= static_cast<float>(b);
}
template <HalfPrecision T>
bool operator>=(T a, T b) {
  return static_cast<float>(a) >= static_cast<float>(b);
}

#define EQUIV_HALF_UNARY(function)                  \
  template <HalfPrecision T>                        \
  T function(T v) {                                 \
    return T(std::function(static_cast<float>(v))); \
  }
#define EQUIV_HALF_BINARY(function)                                        \
  template <HalfPrecision T>                                               \
  T function(T a, T b) {                                                   \
    return T(std::function(static_cast<float>(a), static_cast<float>(b))); \
  }
#define EQUIV_HALF_PREDICATE(function)           \
  template <HalfPrecision T>                     \
  bool function(T v) {                           \
    return std::function(static_cast<float>(v)); \
  }
// Every name the kernels call unqualified, for any element type.
#define EQUIV_UNARY_NAMES(X) \
  X(exp)                     \
  X(expm1)                   \
  X(log)                     \
  X(log1p)                   \
  X(sqrt)                    \
  X(sin)                     \
  X(cos)                     \
  X(tan)                     \
  X(sinh)                    \
  X(cosh) X(tanh) X(asin) X(acos) X(atan) X(asinh) X(acosh) X(atanh) X(floor) X(ceil) X(nearbyint) X(erf) X(erfc)
#define EQUIV_BINARY_NAMES(X) X(pow) X(fmod) X(atan2)
#define EQUIV_PREDICATE_NAMES(X) X(isnan) X(isinf) X(isfinite) X(signbit)
EQUIV_UNARY_NAMES(EQUIV_HALF_UNARY)
EQUIV_BINARY_NAMES(EQUIV_HALF_BINARY)
EQUIV_PREDICATE_NAMES(EQUIV_HALF_PREDICATE)
template <HalfPrecision T>
T abs(T v) {
  return T::FromBits(static_cast<std::uint16_t>(v.bits & 0x7fffu));
}
template <HalfPrecision T>
T copysign(T a, T b) {
  return T::FromBits(static_cast<std::uint16_t>((a.bits & 0x7fffu) | (b.bits & 0x8000u)));
}

namespace cpu {
#define EQUIV_USING(function) using std::function;
EQUIV_UNARY_NAMES(EQUIV_USING)
EQUIV_BINARY_NAMES(EQUIV_USING)
EQUIV_PREDICATE_NAMES(EQUIV_USING)
using std::abs;
using std::copysign;
#undef EQUIV_USING

template <class T>
double AsDouble(T v) {
  if constexpr (HalfPrecision<T>)
    return static_cast<double>(static_cast<float>(v));
  else
    return static_cast<double>(v);
}
// A constant of any element type.
template <class T>
T Num(double v) {
  if constexpr (HalfPrecision<T>)
    return T(static_cast<float>(v));
  else
    return static_cast<T>(v);
}
// Through double: rounded once, and the same bits with any maths library worth the name.
template <class T>
T ExactExp(T x) {
  return Num<T>(std::exp(AsDouble(x)));
}
template <class T>
T ExactLog(T x) {
  return Num<T>(std::log(AsDouble(x)));
}
}  // namespace cpu
#undef EQUIV_UNARY_NAMES
#undef EQUIV_BINARY_NAMES
#undef EQUIV_PREDICATE_NAMES
#undef EQUIV_HALF_UNARY
#undef EQUIV_HALF_BINARY
#undef EQUIV_HALF_PREDICATE

}  // namespace equiv

template <>
struct std::numeric_limits<equiv::Float16> {
  using T = equiv::Float16;
  static constexpr bool is_specialized = true, is_integer = false;
  static T epsilon() { return T::FromBits(0x1400); }
  static T min() { return T::FromBits(0x0400); }
  static T max() { return T::FromBits(0x7bff); }
  static T lowest() { return T::FromBits(0xfbff); }
  static T infinity() { return T::FromBits(0x7c00); }
  static T quiet_NaN() { return T::FromBits(0x7e00); }
};
template <>
struct std::numeric_limits<equiv::BFloat16> {
  using T = equiv::BFloat16;
  static constexpr bool is_specialized = true, is_integer = false;
  static T epsilon() { return T::FromBits(0x3c00); }
  static T min() { return T::FromBits(0x0080); }
  static T max() { return T::FromBits(0x7f7f); }
  static T lowest() { return T::FromBits(0xff7f); }
  static T infinity() { return T::FromBits(0x7f80); }
  static T quiet_NaN() { return T::FromBits(0x7fc0); }
};
