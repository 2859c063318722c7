// kernels/cpu/batch_norm.h - FusedBatchNormV3. float32 and float64, NHWC.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// x [n,h,w,c], scale, offset, mean, variance [c] -> y, batch_mean, batch_variance, reserve_space_1..3.
//
// y = (x - mean) * (rsqrt(variance + epsilon) * scale) + offset, in that order. In training mean is the sum over rows
// (TensorFlow's order) times 1/N, the variance that of the population, from centred values; batch_variance is Bessel
// corrected, and with exponential_avg_factor f != 1 both become (1-f) * given + f * new. reserve_space_1 and 2 hold
// what the gradient needs: the batch's mean and population variance, or in inference the given ones. reserve_space_3 is
// a placeholder scalar. tf: functor::FusedBatchNorm<CPUDevice>
void FusedBatchNormV3(KernelContext& ctx);

}  // namespace equiv::cpu
