// kernels/cpu/bias.h - a vector along the channels, and its gradient. Floats of any size and signed integers.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// value + bias [c]. The channels are the last dimension, or the second with data_format NCHW, at any rank.
void BiasAdd(KernelContext& ctx);
// Sum over all dimensions but the channels, in double for floats. tf: bfloat16 is added up in bfloat16, less exactly
void BiasAddGrad(KernelContext& ctx);

}  // namespace equiv::cpu
