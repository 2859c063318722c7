// kernels/cpu/batch_norm_grad.h - FusedBatchNormGradV3. float32 and float64, NHWC.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// y_backprop, x, scale, reserve_space_1 (mean), reserve_space_2 (variance), reserve_space_3 -> x_backprop,
// scale_backprop, offset_backprop and two that hold nothing. Sums in double, in blocks of rows.
void FusedBatchNormGradV3(KernelContext& ctx);

}  // namespace equiv::cpu
