#include "kernels/cpu/pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {
namespace {

template <class T>
EQUIV_CPU_CLONES void TakeLarger(const T* __restrict__ in, std::int64_t n, T* __restrict__ out) {
  for (std::int64_t c = 0; c < n; ++c) out[c] = out[c] < in[c] ? in[c] : out[c];
}
template <class T>
EQUIV_CPU_CLONES void AddTo(const T* __restrict__ in, std::int64_t n, T* __restrict__ out) {
  for (std::int64_t c = 0; c < n; ++c) out[c] += in[c];
}
template <class T>
EQUIV_CPU_CLONES void DivideBy(T divisor, std::int64_t n, T* out) {
  for (std::int64_t c = 0; c < n; ++c) out[c] /= divisor;
}

// First and last + 1 window cell of output position `at` that lies inside the image.
std::pair<std::int64_t, std::int64_t> Inside(const WindowAxis& axis, std::int64_t at) {
  const std::int64_t start = at * axis.stride - axis.before;
  return {std::max<std::int64_t>(start, 0), std::min(start + axis.size, axis.in)};
}

template <class T, bool kMax>
void PoolOf(KernelContext& ctx, const Window2D& window, const Shape& shape) {
  const Array& input = ctx.input(0);
  const T* in = input.data<T>();
  T* out = ctx.Allocate(0, shape).mutable_data<T>();
  if (shape.num_elements() == 0) return;
  const WindowAxis &h = window.h, &w = window.w;
  const std::int64_t depth = input.dim(3);
  ctx.pool().ParallelFor(shape.dim(0) * h.out, [&](std::int64_t row) {
    const T* image = in + row / h.out * h.in * w.in * depth;
    const auto [top, bottom] = Inside(h, row % h.out);
    for (std::int64_t x = 0; x < w.out; ++x) {
      T* cell = out + (row * w.out + x) * depth;
      const auto [left, right] = Inside(w, x);
      std::fill_n(cell, depth, kMax ? std::numeric_limits<T>::lowest() : T{0});
      for (std::int64_t iy = top; iy < bottom; ++iy)
        for (std::int64_t ix = left; ix < right; ++ix) {
          const T* from = image + (iy * w.in + ix) * depth;
          if constexpr (kMax)
            TakeLarger(from, depth, cell);
          else
            AddTo(from, depth, cell);
        }
      if constexpr (!kMax)
        DivideBy(static_cast<T>(std::max<std::int64_t>(bottom - top, 0) * std::max<std::int64_t>(right - left, 0)),
                 depth, cell);
    }
  });
}

template <bool kMax>
void Pool(KernelContext& ctx, const char* op) {
  RequireNhwc(ctx);
  const Shape& in = ctx.input(0).shape();
  if (in.rank() != 4)
    throw InvalidArgumentError(fmt::format("{}tensor_in must be 4-dimensional: {}", ctx.Where(), in.ToString()));
  const Window2D window = MakePoolWindow(FailOf(ctx), op, ctx.attrs(), in);
  const Shape shape{in.dim(0), window.h.out, window.w.out, in.dim(3)};
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() { PoolOf<T, kMax>(ctx, window, shape); });
}
}  // namespace

void MaxPool(KernelContext& ctx) { Pool<true>(ctx, "MaxPool"); }
void AvgPool(KernelContext& ctx) { Pool<false>(ctx, "AvgPool"); }

}  // namespace equiv::cpu
