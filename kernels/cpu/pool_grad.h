// kernels/cpu/pool_grad.h - gradients of MaxPool and AvgPool, in every layout.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// orig_input, orig_output, grad: each gradient goes to the first largest cell of its window, row by row.
void MaxPoolGrad(KernelContext& ctx);
void MaxPoolGradV2(KernelContext& ctx);  // with ksize and strides as inputs 3 and 4
// The gradient of that by grad: each window takes the value of `grad` at its first cell equal to orig_output.
void MaxPoolGradGrad(KernelContext& ctx);
void MaxPoolGradGradV2(KernelContext& ctx);
void AvgPoolGrad(KernelContext& ctx);  // orig_input_shape, grad

// input -> the largest cell of each window, and its position ((y * width + x) * depth + c), counted in its image or,
// with include_batch_in_index, in the whole batch. A first cell that is NaN stays. tf: SpatialMaxPoolWithArgMaxHelper
void MaxPoolWithArgmax(KernelContext& ctx);
// input, grad, argmax: each gradient to the position given for it; InvalidArgumentError on one outside its image.
void MaxPoolGradWithArgmax(KernelContext& ctx);

}  // namespace equiv::cpu
