// kernels/cpu/softmax.h - Softmax and LogSoftmax over the last axis. float32 and float64.
//
// tf: SoftmaxEigenImpl. A row with NaN or +inf is NaN throughout, and so is one of nothing but -inf.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// exp(x - max) * (1 / sum(exp(x - max))).
void Softmax(KernelContext& ctx);
// (x - max) - log(sum(exp(x - max))).
void LogSoftmax(KernelContext& ctx);

}  // namespace equiv::cpu
