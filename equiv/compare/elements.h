// equiv/compare/elements.h - how numbers of each dtype are seen by comparisons and statistics. Private to
// equiv/compare.
#pragma once
#include <bit>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "kernels/base/dtype.h"

namespace equiv::internal {

inline constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();  // more steps than can be counted

// One byte of a bool tensor: files may hold other values than 0 and 1.
struct BoolByte {
  std::uint8_t bits;
};
// 8-bit floats: sign, 5 bits of exponent, 2 of mantissa as in float16; and 4 of exponent, 3 of mantissa, no infinity.
struct Float8E5M2 {
  std::uint8_t bits;
};
struct Float8E4M3FN {
  std::uint8_t bits;
};

inline float ToFloat(Float16 x) { return static_cast<float>(x); }
inline float ToFloat(BFloat16 x) { return static_cast<float>(x); }
inline float ToFloat(Float8E5M2 x) {
  return static_cast<float>(Float16::FromBits(static_cast<std::uint16_t>(x.bits << 8)));
}
inline float ToFloat(Float8E4M3FN x) {
  const int exponent = (x.bits >> 3) & 15, mantissa = x.bits & 7;
  float magnitude = std::numeric_limits<float>::quiet_NaN();
  if (exponent == 0)
    magnitude = std::ldexp(static_cast<float>(mantissa), -9);
  else if (exponent != 15 || mantissa != 7)
    magnitude = std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
  return x.bits & 0x80 ? -magnitude : magnitude;
}

template <class Integer>
std::int64_t Steps(Integer a, Integer b) {
  const __int128 d = static_cast<__int128>(a) - static_cast<__int128>(b), size = d < 0 ? -d : d;
  return size > kFar ? kFar : static_cast<std::int64_t>(size);
}
// Bits of a float as an integer that counts representable values: negative numbers mirrored below zero.
template <class Bits>
__int128 Ordered(Bits bits) {
  constexpr auto kSign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
  const auto magnitude = static_cast<__int128>(static_cast<Bits>(bits & static_cast<Bits>(~kSign)));
  return bits & kSign ? -magnitude : magnitude;
}
template <class T, class Bits>
std::int64_t FloatSteps(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return kFar;
  return Steps(Ordered(std::bit_cast<Bits>(a)), Ordered(std::bit_cast<Bits>(b)));
}

// Value: the number; Ulp: representable values in between; AbsError: |a - b| without overflow.
template <class T>
struct Element {
  static_assert(std::is_integral_v<T>);
  static double Value(T x) { return static_cast<double>(x); }
  static std::int64_t Ulp(T a, T b) { return Steps(a, b); }
  static double AbsError(T a, T b) {
    return static_cast<double>(a > b ? static_cast<__int128>(a) - b : static_cast<__int128>(b) - a);
  }
};
template <>
struct Element<BoolByte> {
  static double Value(BoolByte x) { return x.bits != 0 ? 1 : 0; }
  static std::int64_t Ulp(BoolByte a, BoolByte b) { return (a.bits != 0) != (b.bits != 0); }
  static double AbsError(BoolByte a, BoolByte b) { return static_cast<double>(Ulp(a, b)); }
};
template <>
struct Element<float> {
  static double Value(float x) { return x; }
  static std::int64_t Ulp(float a, float b) { return FloatSteps<float, std::uint32_t>(a, b); }
  static double AbsError(float a, float b) { return std::abs(static_cast<double>(a) - static_cast<double>(b)); }
};
template <>
struct Element<double> {
  static double Value(double x) { return x; }
  static std::int64_t Ulp(double a, double b) { return FloatSteps<double, std::uint64_t>(a, b); }
  static double AbsError(double a, double b) { return std::abs(a - b); }
};
// 16- and 8-bit floats: steps of their own width.
template <class H>
struct SmallFloat {
  static double Value(H x) { return static_cast<double>(ToFloat(x)); }
  static std::int64_t Ulp(H a, H b) {
    if (std::isnan(Value(a)) || std::isnan(Value(b))) return kFar;
    return Steps(Ordered(a.bits), Ordered(b.bits));
  }
  static double AbsError(H a, H b) { return std::abs(Value(a) - Value(b)); }
};
template <>
struct Element<Float16> : SmallFloat<Float16> {};
template <>
struct Element<BFloat16> : SmallFloat<BFloat16> {};
template <>
struct Element<Float8E5M2> : SmallFloat<Float8E5M2> {};
template <>
struct Element<Float8E4M3FN> : SmallFloat<Float8E4M3FN> {};
// Distances of complex numbers are moduli; the steps are those of the part that is further off.
template <class F>
struct ComplexElement {
  using C = std::complex<F>;
  static std::complex<double> Value(C x) { return {static_cast<double>(x.real()), static_cast<double>(x.imag())}; }
  static std::int64_t Ulp(C a, C b) {
    return std::max(Element<F>::Ulp(a.real(), b.real()), Element<F>::Ulp(a.imag(), b.imag()));
  }
  static double AbsError(C a, C b) { return std::abs(Value(a) - Value(b)); }
};
template <>
struct Element<std::complex<float>> : ComplexElement<float> {};
template <>
struct Element<std::complex<double>> : ComplexElement<double> {};

template <class T>
inline constexpr bool kIsComplex = std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;
// Whether NaN can occur.
template <class T>
inline constexpr bool kHasNaN = !std::is_integral_v<T> && !std::is_same_v<T, BoolByte>;

inline bool IsNaN(double x) { return std::isnan(x); }
inline bool IsNaN(const std::complex<double>& x) { return std::isnan(x.real()) || std::isnan(x.imag()); }
inline bool IsInf(double x) { return std::isinf(x); }
inline bool IsInf(const std::complex<double>& x) { return std::isinf(x.real()) || std::isinf(x.imag()); }
inline bool IsFinite(double x) { return std::isfinite(x); }
inline bool IsFinite(const std::complex<double>& x) { return std::isfinite(x.real()) && std::isfinite(x.imag()); }

// Calls `f(T{})` with the element type of a dtype of numbers; false for another dtype.
template <class F>
bool WithElementType(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kFloat32:
      return f(float{}), true;
    case DType::kFloat64:
      return f(double{}), true;
    case DType::kFloat16:
      return f(Float16{}), true;
    case DType::kBFloat16:
      return f(BFloat16{}), true;
    case DType::kFloat8E5M2:
      return f(Float8E5M2{}), true;
    case DType::kFloat8E4M3FN:
      return f(Float8E4M3FN{}), true;
    case DType::kComplex64:
      return f(std::complex<float>{}), true;
    case DType::kComplex128:
      return f(std::complex<double>{}), true;
    case DType::kInt8:
    case DType::kQInt8:
    case DType::kInt4:
      return f(std::int8_t{}), true;
    case DType::kInt16:
    case DType::kQInt16:
      return f(std::int16_t{}), true;
    case DType::kInt32:
    case DType::kQInt32:
      return f(std::int32_t{}), true;
    case DType::kInt64:
      return f(std::int64_t{}), true;
    case DType::kUInt8:
    case DType::kQUInt8:
    case DType::kUInt4:
      return f(std::uint8_t{}), true;
    case DType::kUInt16:
    case DType::kQUInt16:
      return f(std::uint16_t{}), true;
    case DType::kUInt32:
      return f(std::uint32_t{}), true;
    case DType::kUInt64:
      return f(std::uint64_t{}), true;
    case DType::kBool:
      return f(BoolByte{}), true;
    default:
      return false;
  }
}

}  // namespace equiv::internal
