// kernels/cpu/linalg.h - linear algebra on the innermost matrices. float32 and float64; each matrix on one thread.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

void MatrixInverse(KernelContext& ctx);  // attribute adjoint; half too, in float32
void MatrixSolve(KernelContext& ctx);    // matrix, rhs; attribute adjoint
void MatrixDeterminant(KernelContext& ctx);
void Cholesky(KernelContext& ctx);  // of the lower triangle; NaN where the matrix is not positive definite
void Cross(KernelContext& ctx);     // of vectors of 3; every floating type and integer

}  // namespace equiv::cpu
