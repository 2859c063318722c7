// kernels/cpu/batch_norm_grad.h - gradient of the fused batch norms.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// y_backprop, x, scale, reserve_space_1 (mean), reserve_space_2 (variance), maybe reserve_space_3 -> x_backprop,
// scale_backprop, offset_backprop and two empty ones. Types and layouts as in batch_norm.h. Sums in double, in blocks
// of rows.
void FusedBatchNormGrad(KernelContext& ctx);

}  // namespace equiv::cpu
