// kernels/cpu/gemm_tile.h - the innermost loops of every contraction: a panel of C += A * B, held in registers.
//
// Private to gemm.cc. The one order in which the products of an element are added is written here: four products in
// pairs, four such quads to a run, four runs to a group, four groups to a block, each level summed from zero, block
// sums added to the element. So equal terms (weights all alike) lose next to nothing. Lanes are columns: neither the
// width of a vector nor the height of a tile takes part in the order.
#pragma once
#include <cstdint>
#include <cstring>

namespace equiv::cpu::internal {

inline constexpr std::int64_t kRun = 16;
inline constexpr std::int64_t kGroup = 64;
inline constexpr std::int64_t kBlockK = 256;

// C[m, n] (+)= A[m, k] * B[k, n] for one panel: k <= kBlockK, n at most the panel's width.
template <class T>
struct PanelArgs {
  std::int64_t m, n, k;
  const T* a;
  std::int64_t lda;
  const T* b;
  std::int64_t ldb;  // whole panel width readable in each row
  T* c;
  std::int64_t ldc;
  bool first;  // C is written, not added to
};

template <class T, int kBytes>
struct VectorOf {
  // aligned(alignof(T)): loads and stores of this type need no alignment.
  typedef T Type __attribute__((vector_size(kBytes), aligned(alignof(T)), may_alias));
};

template <int kRows, int kVectors, class V>
[[gnu::always_inline]] inline void Add(const V (&from)[kRows][kVectors], V (&to)[kRows][kVectors]) {
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) to[r][v] += from[r][v];
}

// kRows x (kVectors vectors) of C, rows from `row` on.
template <class T, int kBytes, int kRows, int kVectors>
[[gnu::always_inline]] inline void Tile(const PanelArgs<T>& p, std::int64_t row) {
  using V = typename VectorOf<T, kBytes>::Type;
  constexpr int kLanes = kBytes / static_cast<int>(sizeof(T));
  constexpr int kWidth = kLanes * kVectors;
  const T* a = p.a + row * p.lda;
  V total[kRows][kVectors] = {};
  for (std::int64_t group_begin = 0; group_begin < p.k; group_begin += kGroup) {
    const std::int64_t group_end = group_begin + kGroup < p.k ? group_begin + kGroup : p.k;
    V group[kRows][kVectors] = {};
    for (std::int64_t begin = group_begin; begin < group_end; begin += kRun) {
      const std::int64_t end = begin + kRun < group_end ? begin + kRun : group_end;
      V sum[kRows][kVectors] = {};
      const T* b = p.b + begin * p.ldb;
      std::int64_t k = begin;
      for (; k + 4 <= end; k += 4, b += 4 * p.ldb) {
        V bv[4][kVectors];
#pragma GCC unroll 16
        for (int q = 0; q < 4; ++q)
#pragma GCC unroll 16
          for (int v = 0; v < kVectors; ++v) bv[q][v] = *reinterpret_cast<const V*>(b + q * p.ldb + v * kLanes);
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
          const T* x = a + r * p.lda + k;
#pragma GCC unroll 16
          for (int v = 0; v < kVectors; ++v)
            sum[r][v] += (x[0] * bv[0][v] + x[1] * bv[1][v]) + (x[2] * bv[2][v] + x[3] * bv[3][v]);
        }
      }
      for (; k < end; ++k, b += p.ldb)
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 16
          for (int v = 0; v < kVectors; ++v)
            sum[r][v] += a[r * p.lda + k] * *reinterpret_cast<const V*>(b + v * kLanes);
      Add<kRows, kVectors>(sum, group);
    }
    Add<kRows, kVectors>(group, total);
  }
  T* c = p.c + row * p.ldc;
  if (p.n == kWidth) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        V* out = reinterpret_cast<V*>(c + r * p.ldc + v * kLanes);
        *out = p.first ? total[r][v] : *out + total[r][v];
      }
    return;
  }
  T spill[kRows][kWidth];
  std::memcpy(spill, total, sizeof spill);
  for (int r = 0; r < kRows; ++r)
    for (std::int64_t j = 0; j < p.n; ++j) {
      T& out = c[r * p.ldc + j];
      out = p.first ? spill[r][j] : out + spill[r][j];
    }
}

template <class T, int kBytes, int kRows, int kVectors>
[[gnu::always_inline]] inline void Panel(const PanelArgs<T>& p) {
  std::int64_t row = 0;
  for (; row + kRows <= p.m; row += kRows) Tile<T, kBytes, kRows, kVectors>(p, row);
  if constexpr (kRows > 4)
    if (row + 4 <= p.m) Tile<T, kBytes, 4, kVectors>(p, row), row += 4;
  if constexpr (kRows > 2)
    if (row + 2 <= p.m) Tile<T, kBytes, 2, kVectors>(p, row), row += 2;
  if constexpr (kRows > 1)
    if (row < p.m) Tile<T, kBytes, 1, kVectors>(p, row);
}

}  // namespace equiv::cpu::internal
