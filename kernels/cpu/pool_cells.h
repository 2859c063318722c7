// kernels/cpu/pool_cells.h - what the pools share: windows clipped to the image, and loops over the channels of a cell.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/cpu/conv_geometry.h"
#include "kernels/cpu/half_util.h"

namespace equiv::cpu {

// First and last + 1 cell of window `at` that lie inside the image.
inline std::pair<std::int64_t, std::int64_t> CellsInside(const WindowAxis& axis, std::int64_t at) {
  const std::int64_t start = at * axis.stride - axis.before;
  return {std::max<std::int64_t>(start, 0), std::min(start + axis.size, axis.in)};
}

// The smallest finite value.
template <class T>
T LowestOf() {
  if constexpr (std::is_same_v<T, Float16>)
    return Float16::FromBits(0xfbff);
  else if constexpr (std::is_same_v<T, BFloat16>)
    return BFloat16::FromBits(0xff7f);
  else
    return std::numeric_limits<T>::lowest();
}

// Calls f.operator()<T>() for every type with an order that pools take.
template <class F>
void ForOrdered(KernelContext& ctx, DType dtype, F&& f) {
  switch (dtype) {
    case DType::kInt8:
      return f.template operator()<std::int8_t>();
    case DType::kUInt8:
      return f.template operator()<std::uint8_t>();
    case DType::kInt16:
      return f.template operator()<std::int16_t>();
    case DType::kUInt16:
      return f.template operator()<std::uint16_t>();
    case DType::kInt32:
      return f.template operator()<std::int32_t>();
    case DType::kUInt32:
      return f.template operator()<std::uint32_t>();
    case DType::kInt64:
      return f.template operator()<std::int64_t>();
    case DType::kUInt64:
      return f.template operator()<std::uint64_t>();
    default:
      ForHalfOrFloating(ctx, dtype, f);
  }
}

// tf: a cell wins only when it is greater, so a NaN never does
template <class T>
EQUIV_CPU_CLONES void TakeLarger(const T* __restrict__ in, std::int64_t n, T* __restrict__ out) {
  for (std::int64_t c = 0; c < n; ++c) out[c] = Widen(out[c]) < Widen(in[c]) ? in[c] : out[c];
}
template <class T>
EQUIV_CPU_CLONES void AddCell(const T* __restrict__ in, std::int64_t n, T* __restrict__ out) {
  for (std::int64_t c = 0; c < n; ++c) out[c] = static_cast<T>(Widen(out[c]) + Widen(in[c]));
}
template <class T>
EQUIV_CPU_CLONES void DivideCell(std::int64_t count, std::int64_t n, T* out) {
  const Wide<T> divisor = Widen(static_cast<T>(static_cast<Wide<T>>(count)));
  for (std::int64_t c = 0; c < n; ++c) out[c] = static_cast<T>(Widen(out[c]) / divisor);
}

}  // namespace equiv::cpu
