// kernels/cpu/pool_grad.h - gradients of MaxPool and AvgPool. float32 and float64, NHWC.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// orig_input, orig_output, grad: each gradient goes to the first largest cell of its window, row by row.
void MaxPoolGrad(KernelContext& ctx);
void AvgPoolGrad(KernelContext& ctx);  // orig_input_shape, grad

}  // namespace equiv::cpu
