// kernels/cpu/gemm.h - C = A * B in one fixed order of additions: the contraction under Conv2D and MatMul.
//
// Each element of C is the sum over k of a[i,k] * b[k,j], added as a tree over blocks of 256 (gemm_tile.h), the blocks
// from left to right. The order depends on k alone: not on the instruction set, the place in the matrix or the number
// of threads. Nothing is skipped: NaN * 0 stays NaN.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/thread_pool.h"

namespace equiv::cpu {

template <class T>
struct GemmArgs {
  std::int64_t m = 0, n = 0, k = 0;
  // A: element (i, p) at a[i * a_row + p * a_col], or
  const T* a = nullptr;
  std::int64_t a_row = 0, a_col = 1;
  // made on the fly: writes rows [row, row + rows), columns [first, first + count) of A densely to `out`. Called from
  // several threads.
  std::function<void(std::int64_t row, std::int64_t rows, std::int64_t first, std::int64_t count, T* out)> fill_a{};
  // B: element (p, j) at b[p * b_row + j * b_col].
  const T* b = nullptr;
  std::int64_t b_row = 0, b_col = 1;
  // C: element (i, j) at c[i * c_row + j]; written, also when k is 0.
  T* c = nullptr;
  std::int64_t c_row = 0;
};

// T: float, double.
template <class T>
void Gemm(ThreadPool& pool, const GemmArgs<T>& args);

// The instruction sets this processor offers, the best, which is used, first; "baseline" is always there.
std::vector<std::string> GemmInstructionSets();
// Uses another one, for checks that each gives the same bits. ValueError when it is not offered.
void UseGemmInstructionSet(std::string_view name);

}  // namespace equiv::cpu
