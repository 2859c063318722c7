// kernels/cpu/gemm_matmul.h - MatMul and BatchMatMulV2. float32 and float64, the order of additions of gemm.h.
#pragma once
#include "kernels/base/kernel.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

// a [m,k], b [k,n] (or transposed by transpose_a, transpose_b) -> [m,n].
void MatMul(KernelContext& ctx);
// x [...,m,k], y [...,k,n] (or adjoint by adj_x, adj_y), leading dimensions broadcast -> [...,m,n].
void BatchMatMulV2(KernelContext& ctx);

// The result's shape, also of partly known ones; fails when the inner or the leading dimensions do not fit.
PartialShape MatMulShape(const FailFn& fail, const PartialShape& a, const PartialShape& b, bool transpose_a,
                         bool transpose_b);

}  // namespace equiv::cpu
