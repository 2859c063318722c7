// kernels/cpu/optimizers.h - steps of optimisers, for float32 and float64: variables in, variables changed.
//
// The first inputs are handles: the variable and its slots. Scalars, gradient and flags are found by the names the op
// gives them, so a reference op and its resource twin share a kernel.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

void ApplyGradientDescent(KernelContext& ctx);
void ApplyProximalGradientDescent(KernelContext& ctx);
void ApplyMomentum(KernelContext& ctx);
void ApplyKerasMomentum(KernelContext& ctx);
void ApplyAdam(KernelContext& ctx);
void ApplyAdamWithAmsgrad(KernelContext& ctx);
void ApplyAdaMax(KernelContext& ctx);
void ApplyAdagrad(KernelContext& ctx);
void ApplyAdagradV2(KernelContext& ctx);
void ApplyAdagradDA(KernelContext& ctx);
void ApplyProximalAdagrad(KernelContext& ctx);
void ApplyAdadelta(KernelContext& ctx);
void ApplyRMSProp(KernelContext& ctx);
void ApplyCenteredRMSProp(KernelContext& ctx);
void ApplyFtrl(KernelContext& ctx);
void ApplyFtrlV2(KernelContext& ctx);
void ApplyAddSign(KernelContext& ctx);
void ApplyPowerSign(KernelContext& ctx);

// Rows only: inputs grad and indices. An index out of range changes nothing.
void SparseApplyProximalGradientDescent(KernelContext& ctx);
void SparseApplyMomentum(KernelContext& ctx);
void SparseApplyKerasMomentum(KernelContext& ctx);
void SparseApplyAdagrad(KernelContext& ctx);
void SparseApplyAdagradV2(KernelContext& ctx);
void SparseApplyAdagradDA(KernelContext& ctx);
void SparseApplyProximalAdagrad(KernelContext& ctx);
void SparseApplyAdadelta(KernelContext& ctx);
void SparseApplyRMSProp(KernelContext& ctx);
void SparseApplyCenteredRMSProp(KernelContext& ctx);
void SparseApplyFtrl(KernelContext& ctx);
void SparseApplyFtrlV2(KernelContext& ctx);

}  // namespace equiv::cpu
