// kernels/cpu/fused.h - a contraction and what follows it in one op. The bits are those of the ops one after the other.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// Inputs of the contraction, then one vector for BiasAdd or scale, offset, mean and variance for FusedBatchNorm;
// attribute fused_ops: BiasAdd or FusedBatchNorm, then maybe Relu, Relu6, Elu, LeakyRelu, Tanh or Sigmoid.
void FusedConv2D(KernelContext& ctx);
void FusedDepthwiseConv2dNative(KernelContext& ctx);
void FusedMatMul(KernelContext& ctx);

}  // namespace equiv::cpu
