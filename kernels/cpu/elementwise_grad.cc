#include "kernels/cpu/elementwise_grad.h"

#include <fmt/format.h>

#include <cmath>

#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {
namespace {
constexpr std::int64_t kBlock = 1 << 15;
constexpr double kSeluScale = 1.0507009873554804934193349852946, kSeluScaleAlpha = 1.7580993408473768599402175208123;

template <bool kIntegers = false, class F>
void Pairs(KernelContext& ctx, F f) {
  const Array a = ctx.input(0), b = ctx.input(1);
  RequireSameShapes(ctx, 0, 1);
  ForReal(ctx, a.dtype(), [&]<class T>() {
    if constexpr (kIntegers || !std::is_integral_v<T>) {
      const T *x = a.data<T>(), *y = b.data<T>();
      T* z = ctx.Allocate(0, a.shape()).template mutable_data<T>();
      ctx.pool().ParallelRanges(a.num_elements(), kBlock, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) z[i] = f(x[i], y[i]);
      });
    } else {
      UnsupportedDType(ctx, a.dtype());
    }
  });
}
}  // namespace

// tf: a product with 0 or 1, so a gradient that is not finite shows everywhere
void ReluGrad(KernelContext& ctx) {
  Pairs<true>(ctx, []<class T>(T g, T x) { return Times(g, x > T{0} ? T{1} : T{0}); });
}
void Relu6Grad(KernelContext& ctx) {
  Pairs<true>(ctx, []<class T>(T g, T x) { return Times(g, x > T{0} && x < T{6} ? T{1} : T{0}); });
}
void EluGrad(KernelContext& ctx) {
  Pairs(ctx, []<class T>(T g, T y) { return y < T{0} ? (y + T{1}) * g : g; });
}
void SeluGrad(KernelContext& ctx) {
  Pairs(ctx, []<class T>(T g, T y) { return y < T{0} ? g * (y + Num<T>(kSeluScaleAlpha)) : g * Num<T>(kSeluScale); });
}
void LeakyReluGrad(KernelContext& ctx) {
  const float alpha = ctx.attrs().Get<float>("alpha");
  Pairs(ctx, [alpha]<class T>(T g, T x) { return x > T{0} ? g : g * static_cast<T>(alpha); });
}
void SoftplusGrad(KernelContext& ctx) {
  Pairs(ctx, []<class T>(T g, T x) { return g / (exp(-x) + T{1}); });
}
void SoftsignGrad(KernelContext& ctx) {
  Pairs(ctx, []<class T>(T g, T x) {
    const T d = T{1} + abs(x);
    return g / (d * d);
  });
}
void SigmoidGrad(KernelContext& ctx) {
  Pairs(ctx, []<class T>(T y, T dy) { return dy * (y * (T{1} - y)); });
}
void TanhGrad(KernelContext& ctx) {
  Pairs(ctx, []<class T>(T y, T dy) { return dy * (T{1} - y * y); });
}
void SqrtGrad(KernelContext& ctx) {
  // tf: no gradient stays none, even at 0
  Pairs(ctx, []<class T>(T y, T dy) { return dy == T{0} ? T{0} : Num<T>(0.5) * dy / y; });
}
void RsqrtGrad(KernelContext& ctx) {
  Pairs(ctx, []<class T>(T y, T dy) { return ((Num<T>(-0.5) * dy) * y) * (y * y); });
}
void ReciprocalGrad(KernelContext& ctx) {
  Pairs(ctx, []<class T>(T y, T dy) { return -dy * (y * y); });
}

}  // namespace equiv::cpu
