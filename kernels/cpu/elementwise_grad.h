// kernels/cpu/elementwise_grad.h - gradients of elementwise ops: two arguments of one shape. float32 and float64.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// gradients, features (EluGrad, SeluGrad: outputs)
void ReluGrad(KernelContext& ctx);
void Relu6Grad(KernelContext& ctx);
void EluGrad(KernelContext& ctx);
void SeluGrad(KernelContext& ctx);
void LeakyReluGrad(KernelContext& ctx);  // attribute alpha
void SoftplusGrad(KernelContext& ctx);
void SoftsignGrad(KernelContext& ctx);
// y, dy
void SigmoidGrad(KernelContext& ctx);
void TanhGrad(KernelContext& ctx);
void SqrtGrad(KernelContext& ctx);
void RsqrtGrad(KernelContext& ctx);
void ReciprocalGrad(KernelContext& ctx);

}  // namespace equiv::cpu
