// kernels/cpu/volume_pool.h - MaxPool3D, AvgPool3D and their gradients. float32 and float64, in every layout.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

void MaxPool3D(KernelContext& ctx);
void AvgPool3D(KernelContext& ctx);  // the mean of the cells inside the volume
// orig_input, orig_output, grad: each gradient goes to every cell of its window that equals orig_output.
// tf: LaunchMaxPooling3dGradOp, unlike MaxPoolGrad, which takes the first one
void MaxPool3DGrad(KernelContext& ctx);
// Each window takes the value of `grad` at its first cell equal to orig_output.
void MaxPool3DGradGrad(KernelContext& ctx);
void AvgPool3DGrad(KernelContext& ctx);  // orig_input_shape, grad

}  // namespace equiv::cpu
