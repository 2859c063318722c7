#include <cmath>
#include <limits>

#include "kernels/cpu/elementwise_loops.h"

namespace equiv::cpu {
namespace {

template <class F>
void Floating(KernelContext& ctx, F f) {
  ForAnyFloat(ctx, ctx.input(0).dtype(), [&]<class T>() { Map<T>(ctx, [f](T v) { return f(v); }); });
}
template <class F>
void Signed(KernelContext& ctx, F f) {
  ForSigned(ctx, ctx.input(0).dtype(), [&]<class T>() { Map<T>(ctx, [f](T v) { return f(v); }); });
}
template <class F>
void Real(KernelContext& ctx, F f) {
  ForReal(ctx, ctx.input(0).dtype(), [&]<class T>() { Map<T>(ctx, [f](T v) { return f(v); }); });
}
template <class F>
void Predicate(KernelContext& ctx, F f) {
  ForAnyFloat(ctx, ctx.input(0).dtype(), [&]<class T>() { Map<T, bool>(ctx, [f](T v) { return f(v); }); });
}
// |v|; the lowest integer stays what it is.
template <class T>
T Magnitude(T v) {
  if constexpr (std::is_integral_v<T>)
    return v < 0 ? Minus(T{0}, v) : v;
  else
    return abs(v);
}
}  // namespace

// tf: NaN stays NaN, everything not above 0 (denormals too: they are flushed) becomes +0.
void Relu(KernelContext& ctx) {
  Real(ctx, []<class T>(T v) { return v <= T{0} ? T{0} : v; });
}
void Relu6(KernelContext& ctx) {
  Real(ctx, []<class T>(T v) { return v <= T{0} ? T{0} : v > T{6} ? T{6} : v; });
}
// tf: exp(x) - 1 in two steps: 0 where x is small
void Elu(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return v < T{0} ? exp(v) - T{1} : v; });
}
void Sigmoid(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) {
    if constexpr (HalfPrecision<T>) {  // tf: the generic scalar_logistic_op
      const T e = exp(v);
      return isinf(e) ? T{1} : e / (T{1} + e);
    } else {
      return T{1} / (T{1} + exp(-v));
    }
  });
}
void Tanh(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return tanh(v); });
}
// tf: softplus_op.h: thresholds at log(epsilon) + 2 on both sides; Eigen's epsilon of half is 2^-13
void Softplus(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) {
    const T epsilon = std::is_same_v<T, Float16> ? Num<T>(0x1p-13) : std::numeric_limits<T>::epsilon();
    const T threshold = log(epsilon) + T{2};
    if (v > -threshold) return v;
    const T e = exp(v);
    return v < threshold ? e : log1p(e);
  });
}
void Exp(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return exp(v); });
}
void Log(KernelContext& ctx) {
  // The library's log looks at the bits, so a denormal is flushed by hand.
  Floating(ctx, []<class T>(T v) {
    if constexpr (std::is_same_v<T, Float16>)
      return log(v);
    else
      return log(abs(v) < std::numeric_limits<T>::min() ? copysign(T{0}, v) : v);
  });
}
void Sqrt(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return sqrt(v); });
}
void Rsqrt(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) {
    if constexpr (HalfPrecision<T>)
      return T(1.0F / std::sqrt(static_cast<float>(v)));
    else
      return T{1} / sqrt(v);
  });
}
void Square(KernelContext& ctx) {
  Real(ctx, []<class T>(T v) { return Times(v, v); });
}
void Neg(KernelContext& ctx) {
  Signed(ctx, []<class T>(T v) {
    if constexpr (std::is_integral_v<T>)
      return Minus(T{0}, v);
    else
      return -v;
  });
}
void Abs(KernelContext& ctx) {
  Signed(ctx, []<class T>(T v) { return Magnitude(v); });
}
void Sign(KernelContext& ctx) {
  // tf: Eigen's psign gives |x| where x equals 0, so a denormal keeps its size
  Signed(ctx, []<class T>(T v) { return v > T{0} ? T{1} : v < T{0} ? Num<T>(-1) : v == T{0} ? Magnitude(v) : v; });
}
void Floor(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return floor(v); });
}
void Ceil(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return ceil(v); });
}
void Round(KernelContext& ctx) {
  if (ctx.input(0).dtype() == DType::kInt32 || ctx.input(0).dtype() == DType::kInt64)
    return ctx.set_output(0, ctx.input(0));
  Floating(ctx, []<class T>(T v) { return nearbyint(v); });
}
void Rint(KernelContext& ctx) {
  ForFloating(ctx, ctx.input(0).dtype(), [&]<class T>() { Map<T>(ctx, [](T v) { return nearbyint(v); }); });
}
void Selu(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) {
    constexpr double kScale = 1.0507009873554804934193349852946, kScaleAlpha = 1.7580993408473768599402175208123;
    return v < T{0} ? Num<T>(kScaleAlpha) * (exp(v) - T{1}) : Num<T>(kScale) * v;
  });
}
void LeakyRelu(KernelContext& ctx) {
  const float alpha = ctx.attrs().Get<float>("alpha");
  Floating(ctx, [alpha]<class T>(T v) { return v > T{0} ? v : v * static_cast<T>(alpha); });
}
void Softsign(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return v / (abs(v) + T{1}); });
}
void Erf(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return erf(v); });
}
void Log1p(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return log1p(v); });
}
void Expm1(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return expm1(v); });
}
void Sin(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return sin(v); });
}
void Cos(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return cos(v); });
}
void Reciprocal(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return T{1} / v; });
}
void IsNan(KernelContext& ctx) {
  Predicate(ctx, [](auto v) { return isnan(v); });
}
void IsInf(KernelContext& ctx) {
  Predicate(ctx, [](auto v) { return isinf(v); });
}
void IsFinite(KernelContext& ctx) {
  Predicate(ctx, [](auto v) { return isfinite(v); });
}
void LogicalNot(KernelContext& ctx) {
  Map<bool>(ctx, [](bool v) { return !v; });
}
}  // namespace equiv::cpu
