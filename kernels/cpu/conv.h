// kernels/cpu/conv.h - Conv2D, DepthwiseConv2dNative. float32 and float64, in every layout.
//
// Conv2D is one matrix product (gemm.h) whose rows are output positions and whose columns are output channels; the sum
// runs over (filter row, filter column, input channel). Padding cells count as zeros.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// input [n,h,w,c], filter [kh,kw,c/groups,o] -> [n,h',w',o].
void Conv2D(KernelContext& ctx);
// input [n,h,w,c], filter [kh,kw,c,m] -> [n,h',w',c*m]; output channel c*m + k. Taps are added in row-major order.
void DepthwiseConv2dNative(KernelContext& ctx);

}  // namespace equiv::cpu
