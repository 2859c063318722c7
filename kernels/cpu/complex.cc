#include "kernels/cpu/complex.h"

#include <cmath>
#include <complex>

#include "kernels/cpu/elementwise_loops.h"

namespace equiv::cpu {
namespace {
// Calls f.operator()<T>() with the type of a part.
template <class F>
void ForComplex(KernelContext& ctx, DType dtype, F&& f) {
  if (dtype == DType::kComplex64) return f.template operator()<float>();
  if (dtype == DType::kComplex128) return f.template operator()<double>();
  UnsupportedDType(ctx, dtype);
}
template <class R, class F>
void MapComplex(KernelContext& ctx, const Array& in, F f) {
  auto* y = reinterpret_cast<R*>(ctx.Allocate(0, in.shape()).raw());
  ctx.pool().ParallelRanges(in.num_elements(), kElementBlock,
                            [&](std::int64_t begin, std::int64_t end) { f(begin, end, y); });
}
// tf: the definitions allow parts of another width than the number's, for which there is no kernel
template <class T>
void RequirePart(KernelContext& ctx, DType part) {
  if (part != kDTypeOf<T>) UnsupportedDType(ctx, part);
}
template <class F>
void Part(KernelContext& ctx, F f) {
  const Array in = ctx.input(0);
  ForComplex(ctx, in.dtype(), [&]<class T>() {
    RequirePart<T>(ctx, ctx.output_dtype(0));
    const auto* x = reinterpret_cast<const std::complex<T>*>(in.raw());
    MapComplex<T>(ctx, in, [&](std::int64_t begin, std::int64_t end, T* y) {
      for (std::int64_t i = begin; i < end; ++i) y[i] = f(x[i]);
    });
  });
}
}  // namespace

void Complex(KernelContext& ctx) {
  ForComplex(ctx, ctx.output_dtype(0), [&]<class T>() {
    RequirePart<T>(ctx, ctx.input(0).dtype());
    Broadcast<T, std::complex<T>>(ctx, [](T a, T b) { return std::complex<T>(a, b); });
  });
}
void Real(KernelContext& ctx) {
  Part(ctx, [](const auto& v) { return v.real(); });
}
void Imag(KernelContext& ctx) {
  Part(ctx, [](const auto& v) { return v.imag(); });
}
void ComplexAbs(KernelContext& ctx) {
  Part(ctx, [](const auto& v) { return std::abs(v); });
}
void Angle(KernelContext& ctx) {
  Part(ctx, [](const auto& v) { return std::atan2(v.imag(), v.real()); });
}
void Conj(KernelContext& ctx) {
  const Array in = ctx.input(0);
  ForComplex(ctx, in.dtype(), [&]<class T>() {
    const auto* x = reinterpret_cast<const std::complex<T>*>(in.raw());
    MapComplex<std::complex<T>>(ctx, in, [&](std::int64_t begin, std::int64_t end, std::complex<T>* y) {
      for (std::int64_t i = begin; i < end; ++i) y[i] = {x[i].real(), -x[i].imag()};
    });
  });
}

}  // namespace equiv::cpu
