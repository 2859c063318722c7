// kernels/cpu/gemm_matmul.h - products of matrices. float32 and float64 in the order of additions of gemm.h, bfloat16
// in float32 rounded once, half in half from left to right, integers wrapping around.
#pragma once
#include "kernels/base/kernel.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

// a [m,k], b [k,n] (or transposed by transpose_a, transpose_b) -> [m,n].
void MatMul(KernelContext& ctx);
// x [...,m,k], y [...,k,n] (or adjoint by adj_x, adj_y), leading dimensions broadcast -> [...,m,n].
void BatchMatMulV2(KernelContext& ctx);
void BatchMatMul(KernelContext& ctx);    // leading dimensions equal
void BatchMatMulV3(KernelContext& ctx);  // factors of other types than the product
// The products of BatchMatMulV2, of shape MatMulShape. UnimplementedError on a type without a kernel.
Array BatchProduct(KernelContext& ctx, const Array& x, const Array& y, bool transpose_x, bool transpose_y);

// The result's shape, also of partly known ones; fails when the inner or the leading dimensions do not fit.
PartialShape MatMulShape(const FailFn& fail, const PartialShape& a, const PartialShape& b, bool transpose_a,
                         bool transpose_b);

}  // namespace equiv::cpu
