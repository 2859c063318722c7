// kernels/cpu/volume.h - Conv3D with its gradients. float32 and float64, in every layout.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// input [n,d,h,w,c], filter [kd,kh,kw,c/groups,o] -> [n,d',h',w',o].
void Conv3D(KernelContext& ctx);
void Conv3DBackpropInputV2(KernelContext& ctx);   // input_sizes, filter, out_backprop
void Conv3DBackpropFilterV2(KernelContext& ctx);  // input, filter_sizes, out_backprop

}  // namespace equiv::cpu
