// kernels/cpu/matrix_diag.h - diagonals and bands of the innermost matrices. Any dtype of a fixed size.
#pragma once
#include <optional>

#include "kernels/base/kernel.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

void MatrixBandPart(KernelContext& ctx);  // input, num_lower, num_upper: zeros outside; a negative number keeps all
// input [..., rows, cols], k (one diagonal or a range of them), padding_value -> [..., diagonals,] longest diagonal.
void MatrixDiagPart(KernelContext& ctx);  // the main diagonal
void MatrixDiagPartV2(KernelContext& ctx);
void MatrixDiagPartV3(KernelContext& ctx);  // attribute align: where shorter diagonals lie
// diagonal, k, num_rows, num_cols (-1: worked out), padding_value -> matrices.
void MatrixDiag(KernelContext& ctx);
void MatrixDiagV2(KernelContext& ctx);
void MatrixDiagV3(KernelContext& ctx);
// input, diagonal, k: the input with those diagonals replaced.
void MatrixSetDiag(KernelContext& ctx);
void MatrixSetDiagV2(KernelContext& ctx);
void MatrixSetDiagV3(KernelContext& ctx);

// Diagonals lower..upper, above the main one when positive.
struct DiagRange {
  std::int64_t lower = 0, upper = 0;
  bool single() const { return lower == upper; }
  std::int64_t count() const { return upper - lower + 1; }
};
// From input k. tf: ValidateKTensor and the checks after it
DiagRange MakeDiagRange(const FailFn& fail, const Array& k);
// Fails unless both lie in a matrix of rows x cols; either may be -1, not known.
void CheckDiagRange(const FailFn& fail, const DiagRange& range, std::int64_t rows, std::int64_t cols);
// The longest of them.
std::int64_t LongestDiagonal(const DiagRange& range, std::int64_t rows, std::int64_t cols);
struct DiagMatrixSize {
  std::int64_t rows, cols;
};
// The matrix MatrixDiagV3 makes of diagonals of which the longest has `length` elements.
DiagMatrixSize SizeFromDiagonals(const FailFn& fail, const DiagRange& range, std::int64_t length, std::int64_t rows,
                                 std::int64_t cols);

}  // namespace equiv::cpu
