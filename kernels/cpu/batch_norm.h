// kernels/cpu/batch_norm.h - batch norm of images and volumes, in every layout.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// x [n,...,c], scale, offset, mean, variance [c] -> y, batch_mean, batch_variance, reserve_space_1, 2 and maybe 3. x is
// float32 or float64, statistics alike, or float16 or bfloat16 with statistics of float32.
//
// y = (x - mean) * (rsqrt(variance + epsilon) * scale) + offset, in that order. In training mean is the sum over rows
// (TensorFlow's order) times 1/N, the variance that of the population, from centred values; batch_variance is Bessel
// corrected, and with exponential_avg_factor f != 1 both become (1-f) * given + f * new. reserve_space_1 and 2 hold
// what the gradient needs: the batch's mean and population variance, or in inference the given ones. reserve_space_3 is
// a placeholder scalar. tf: functor::FusedBatchNorm<CPUDevice>
void FusedBatchNorm(KernelContext& ctx);
// Followed by a relu where attribute activation_mode says so.
void FusedBatchNormEx(KernelContext& ctx);
// t [n,h,w,c], m, v, beta, gamma [c] -> (t - m) * (rsqrt(v + epsilon) * gamma) + beta; gamma counts as 1 unless
// scale_after_normalization. float32, float64.
void BatchNormWithGlobalNormalization(KernelContext& ctx);

}  // namespace equiv::cpu
