// kernels/cpu/elementwise_loops.h - loops over one or two operands: independent lanes, so vectorising keeps every bit.
#pragma once
#include <array>
#include <cstdint>
#include <type_traits>

#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/elementwise.h"

namespace equiv::cpu {

inline constexpr std::int64_t kElementBlock = 1 << 15;

// y = f(x) for input 0.
template <class T, class R = T, class F>
void Map(KernelContext& ctx, F f) {
  const Array in =
      ctx.input(0);  // keeps the buffer alive; a forwarded buffer is read before it is written, lane by lane
  const T* x = in.data<T>();
  const Shape shape = in.shape();
  R* y = ctx.AllocateOrForward(0, 0, shape).template mutable_data<R>();
  ctx.pool().ParallelRanges(shape.num_elements(), kElementBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = f(x[i]);
  });
}

// Row-major strides of `shape` stretched to `out`: 0 along stretched dimensions.
inline std::array<std::int64_t, kMaxRank> StretchedStrides(const Shape& shape, const Shape& out) {
  std::array<std::int64_t, kMaxRank> strides{};
  std::int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[static_cast<std::size_t>(i + out.rank() - shape.rank())] = shape[i] == 1 ? 0 : step;
    step *= shape[i];
  }
  return strides;
}
// Visits `out`, of at least one dimension, row by row (last dimension): row(offset in out, offset in each operand).
template <std::size_t N, class Row>
void ForRows(const Shape& out, const std::array<std::array<std::int64_t, kMaxRank>, N>& strides, std::int64_t begin,
             std::int64_t end, Row row) {
  const int last = out.rank() - 1;
  const std::int64_t width = out[last];
  for (std::int64_t r = begin; r < end; ++r) {
    std::array<std::int64_t, N> at{};
    std::int64_t rest = r;
    for (int d = last - 1; d >= 0; --d) {
      const std::int64_t i = rest % out[d];
      rest /= out[d];
      for (std::size_t k = 0; k < N; ++k) at[k] += i * strides[k][static_cast<std::size_t>(d)];
    }
    row(r * width, at);
  }
}

// The types that get a loop for each layout of the operands; the others make do with the general one.
template <class T>
inline constexpr bool kFrequent = sizeof(T) >= 4;

// z = f(x, y) for inputs `first` and 1 - first, broadcast. T may be another type of the elements' size.
template <class T, class R, class F>
void Broadcast(KernelContext& ctx, F f, int first = 0) {
  const Array a = ctx.input(first), b = ctx.input(1 - first);
  const auto *x = reinterpret_cast<const T*>(a.raw()), *y = reinterpret_cast<const T*>(b.raw());
  const Shape out = BroadcastShape(ctx, a.shape(), b.shape());
  const std::int64_t n = out.num_elements();
  auto* z = reinterpret_cast<R*>(ctx.Allocate(0, out).raw());
  if (n == 0) return;
  if (n == 1) return ctx.pool().ParallelFor(1, [&](std::int64_t) { z[0] = f(x[0], y[0]); });
  if constexpr (kFrequent<T>) {
    if (a.shape() == b.shape())
      return ctx.pool().ParallelRanges(n, kElementBlock, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) z[i] = f(x[i], y[i]);
      });
    if (b.num_elements() == 1)
      return ctx.pool().ParallelRanges(n, kElementBlock, [&, c = y[0]](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) z[i] = f(x[i], c);
      });
    if (a.num_elements() == 1)
      return ctx.pool().ParallelRanges(n, kElementBlock, [&, c = x[0]](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) z[i] = f(c, y[i]);
      });
  }
  const std::array strides = {StretchedStrides(a.shape(), out), StretchedStrides(b.shape(), out)};
  const std::int64_t width = out[out.rank() - 1], rows = n / width;
  const std::int64_t dx = strides[0][static_cast<std::size_t>(out.rank() - 1)],
                     dy = strides[1][static_cast<std::size_t>(out.rank() - 1)];
  ctx.pool().ParallelRanges(rows, RowsPerBlock(width), [&](std::int64_t begin, std::int64_t end) {
    ForRows<2>(out, strides, begin, end, [&](std::int64_t at, const std::array<std::int64_t, 2>& from) {
      const T *px = x + from[0], *py = y + from[1];
      R* pz = z + at;
      if constexpr (kFrequent<T>)
        if (dx && dy) {
          for (std::int64_t i = 0; i < width; ++i) pz[i] = f(px[i], py[i]);
          return;
        }
      for (std::int64_t i = 0; i < width; ++i) pz[i] = f(px[i * dx], py[i * dy]);
    });
  });
}

// The same for integers of which only the bits matter: signed and unsigned ones share a loop.
template <class F>
void BroadcastBits(KernelContext& ctx, F f) {
  switch (SizeOf(ctx.input(0).dtype())) {
    case 1:
      return Broadcast<std::uint8_t, std::uint8_t>(ctx, f);
    case 2:
      return Broadcast<std::uint16_t, std::uint16_t>(ctx, f);
    case 4:
      return Broadcast<std::uint32_t, std::uint32_t>(ctx, f);
    case 8:
      return Broadcast<std::uint64_t, std::uint64_t>(ctx, f);
    default:
      UnsupportedDType(ctx, ctx.input(0).dtype());
  }
}

}  // namespace equiv::cpu
