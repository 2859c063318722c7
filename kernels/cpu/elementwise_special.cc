// kernels/cpu/elementwise_special.cc - trigonometric, hyperbolic and special functions.
#include <math.h>  // lgamma_r, which unlike lgamma writes no global variable

#include <cmath>
#include <limits>
#include <numbers>

#include "kernels/cpu/elementwise_loops.h"

namespace equiv::cpu {
namespace {

template <class F>
void Floating(KernelContext& ctx, F f) {
  ForAnyFloat(ctx, ctx.input(0).dtype(), [&]<class T>() { Map<T>(ctx, [f](T v) { return f(v); }); });
}

// The quantile of the standard normal distribution for 0 < p < 1: a rough start, then Halley's steps on the
// distribution's tail, which erfc gives to full accuracy; long double, as a far tail would be flushed to zero.
double NormalQuantile(double p) {
  if (p == 0.5) return 0;
  using Long = long double;
  const Long tail = std::min<Long>(p, 1 - static_cast<Long>(p));
  const Long t = std::sqrt(-2 * std::log(tail));
  // Abramowitz and Stegun 26.2.23, absolute error below 4.5e-4
  Long x = t - (2.515517L + t * (0.802853L + t * 0.010328L)) / (1 + t * (1.432788L + t * (0.189269L + t * 0.001308L)));
  for (int step = 0; step < 3; ++step) {
    const Long density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi_v<Long>);
    const Long error = (std::erfc(x / std::numbers::sqrt2_v<Long>) / 2 - tail) / density;
    x += error / (1 + x * error / 2);
  }
  return static_cast<double>(p < 0.5 ? -x : x);
}
double QuantileOf(double p) {
  if (p == 0) return -std::numeric_limits<double>::infinity();
  if (p == 1) return std::numeric_limits<double>::infinity();
  return p > 0 && p < 1 ? NormalQuantile(p) : std::numeric_limits<double>::quiet_NaN();
}

// By recurrence up to x >= 10, then the asymptotic series; reflection below 0.
double DigammaOf(double x) {
  if (x == std::numeric_limits<double>::infinity()) return x;
  double reflection = 0;
  if (x <= 0) {
    const double fraction = x - std::nearbyint(x);
    if (fraction == 0 || std::isinf(x)) return std::numeric_limits<double>::quiet_NaN();
    if (std::abs(fraction) != 0.5) reflection = std::numbers::pi / std::tan(std::numbers::pi * fraction);
    x = 1 - x;
  }
  double sum = 0;
  for (; x < 10; x += 1) sum -= 1 / x;
  const double s = 1 / (x * x);
  // Bernoulli numbers over their index: B2/2, B4/4, ...
  const double series =
      s * (1.0 / 12 - s * (1.0 / 120 -
                           s * (1.0 / 252 - s * (1.0 / 240 - s * (1.0 / 132 - s * (691.0 / 32760 - s * (1.0 / 12)))))));
  return sum + std::log(x) - 0.5 / x - series - reflection;
}
float LogGamma(float v) {
  int sign = 0;
  return ::lgammaf_r(v, &sign);
}
double LogGamma(double v) {
  int sign = 0;
  return ::lgamma_r(v, &sign);
}
}  // namespace

void Tan(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return tan(v); });
}
void Asin(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return asin(v); });
}
void Acos(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return acos(v); });
}
void Atan(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return atan(v); });
}
void Sinh(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return sinh(v); });
}
void Cosh(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return cosh(v); });
}
void Asinh(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return asinh(v); });
}
void Acosh(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return acosh(v); });
}
void Atanh(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return atanh(v); });
}
void Erfc(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return erfc(v); });
}
void Ndtri(KernelContext& ctx) {
  ForFloating(ctx, ctx.input(0).dtype(),
              [&]<class T>() { Map<T>(ctx, [](T v) { return static_cast<T>(QuantileOf(static_cast<double>(v))); }); });
}
// tf: erfinv_op, by way of ndtri((x + 1) / 2), which loses what is small in x
void Erfinv(KernelContext& ctx) {
  ForFloating(ctx, ctx.input(0).dtype(), [&]<class T>() {
    Map<T>(ctx, [](T v) {
      const T quantile = static_cast<T>(QuantileOf(static_cast<double>(T{0.5} * v + T{0.5})));
      return quantile * static_cast<T>(std::numbers::sqrt2 / 2);
    });
  });
}
namespace {
// tf: no kernel for bfloat16
template <class F>
void NoBFloat16(KernelContext& ctx, F f) {
  if (ctx.input(0).dtype() == DType::kFloat16)
    return Map<Float16>(ctx, [f](Float16 v) { return Float16(f(static_cast<float>(v))); });
  ForFloating(ctx, ctx.input(0).dtype(), [&]<class T>() { Map<T>(ctx, f); });
}
}  // namespace
void Lgamma(KernelContext& ctx) {
  NoBFloat16(ctx, [](auto v) { return LogGamma(v); });
}
void Digamma(KernelContext& ctx) {
  NoBFloat16(ctx, [](auto v) { return static_cast<decltype(v)>(DigammaOf(static_cast<double>(v))); });
}
}  // namespace equiv::cpu
