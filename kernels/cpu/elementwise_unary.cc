#include <cmath>
#include <limits>

#include "kernels/base/flush.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/elementwise.h"

namespace equiv::cpu {
namespace {
constexpr std::int64_t kBlock = 1 << 15;

// One loop per function: independent lanes, so vectorising keeps every bit. `inline` keeps it out of the clones' way.
template <class T, class F>
void Map(KernelContext& ctx, F f) {
  const Array in =
      ctx.input(0);  // keeps the buffer alive; a forwarded buffer is read before it is written, lane by lane
  const T* x = in.data<T>();
  const Shape shape = in.shape();
  const std::int64_t n = shape.num_elements();
  T* y = ctx.AllocateOrForward(0, 0, shape).template mutable_data<T>();
  ctx.pool().ParallelRanges(n, kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = f(x[i]);
  });
}
template <class F>
void Floating(KernelContext& ctx, F f) {
  ForFloating(ctx, ctx.input(0).dtype(), [&]<class T>() { Map<T>(ctx, [f](T v) { return f(v); }); });
}
template <class F>
void Numeric(KernelContext& ctx, F f) {
  ForNumeric(ctx, ctx.input(0).dtype(), [&]<class T>() { Map<T>(ctx, [f](T v) { return f(v); }); });
}
template <class F>
void Predicate(KernelContext& ctx, F f) {
  const Array in = ctx.input(0);
  ForFloating(ctx, in.dtype(), [&]<class T>() {
    const T* x = in.data<T>();
    bool* y = ctx.Allocate(0, in.shape()).template mutable_data<bool>();
    for (std::int64_t i = 0, n = in.num_elements(); i < n; ++i) y[i] = f(x[i]);
  });
}
template <class T>
T Magnitude(T v) {
  return std::abs(v);
}
}  // namespace

// tf: NaN stays NaN, everything not above 0 (denormals too: they are flushed) becomes +0.
void Relu(KernelContext& ctx) {
  Numeric(ctx, []<class T>(T v) { return v <= T{0} ? T{0} : v; });
}
void Relu6(KernelContext& ctx) {
  Numeric(ctx, []<class T>(T v) { return v <= T{0} ? T{0} : v > T{6} ? T{6} : v; });
}
void Elu(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return v < T{0} ? std::expm1(v) : v; });
}
void Sigmoid(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return T{1} / (T{1} + std::exp(-v)); });
}
void Tanh(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return std::tanh(v); });
}
// tf: softplus_op.h: thresholds at log(epsilon) + 2 on both sides
void Softplus(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) {
    const T threshold = std::log(std::numeric_limits<T>::epsilon()) + T{2};
    if (v > -threshold) return v;
    const T e = std::exp(v);
    return v < threshold ? e : std::log1p(e);
  });
}
void Exp(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return std::exp(v); });
}
void Log(KernelContext& ctx) {
  // The library's log looks at the bits, so a denormal is flushed by hand.
  Floating(ctx, []<class T>(T v) {
    return std::log(std::abs(v) < std::numeric_limits<T>::min() ? std::copysign(T{0}, v) : v);
  });
}
void Sqrt(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return std::sqrt(v); });
}
void Rsqrt(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return T{1} / std::sqrt(v); });
}
void Square(KernelContext& ctx) {
  Numeric(ctx, []<class T>(T v) { return static_cast<T>(v * v); });
}
void Neg(KernelContext& ctx) {
  Numeric(ctx, []<class T>(T v) { return static_cast<T>(-v); });
}
void Abs(KernelContext& ctx) {
  Numeric(ctx, []<class T>(T v) { return static_cast<T>(std::abs(v)); });
}
void Sign(KernelContext& ctx) {
  // tf: Eigen's psign gives |x| where x equals 0, so a denormal keeps its size
  Numeric(ctx, []<class T>(T v) {
    return v > T{0} ? T{1} : v < T{0} ? static_cast<T>(-1) : v == T{0} ? Magnitude(v) : v;
  });
}
void Floor(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return std::floor(v); });
}
void Ceil(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return std::ceil(v); });
}
void Round(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return std::nearbyint(v); });
}
void Selu(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) {
    constexpr double kScale = 1.0507009873554804934193349852946, kScaleAlpha = 1.7580993408473768599402175208123;
    return v < T{0} ? static_cast<T>(kScaleAlpha) * std::expm1(v) : static_cast<T>(kScale) * v;
  });
}
void LeakyRelu(KernelContext& ctx) {
  const float alpha = ctx.attrs().Get<float>("alpha");
  Floating(ctx, [alpha]<class T>(T v) { return v > T{0} ? v : v * static_cast<T>(alpha); });
}
void Softsign(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return v / (std::abs(v) + T{1}); });
}
void Erf(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return std::erf(v); });
}
void Log1p(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return std::log1p(v); });
}
void Expm1(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return std::expm1(v); });
}
void Sin(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return std::sin(v); });
}
void Cos(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return std::cos(v); });
}
void Reciprocal(KernelContext& ctx) {
  Floating(ctx, []<class T>(T v) { return T{1} / v; });
}
void IsNan(KernelContext& ctx) {
  Predicate(ctx, [](auto v) { return std::isnan(v); });
}
void IsInf(KernelContext& ctx) {
  Predicate(ctx, [](auto v) { return std::isinf(v); });
}
void IsFinite(KernelContext& ctx) {
  Predicate(ctx, [](auto v) { return std::isfinite(v); });
}
void LogicalNot(KernelContext& ctx) {
  Map<bool>(ctx, [](bool v) { return !v; });
}
}  // namespace equiv::cpu
