// kernels/cpu/cross_entropy.h - softmax cross entropy and its gradient, row by row. float32 and float64.
//
// Exponentials and logarithms go through double and are rounded once; sums are in TensorFlow's order.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// features, labels [n, classes], either stretched to the other -> loss [n], backprop [n, classes]. A
// label of 0 at a feature of -inf gives NaN, as in TensorFlow.
void SoftmaxCrossEntropyWithLogits(KernelContext& ctx);
// features [n, classes], labels [n].
void SparseSoftmaxCrossEntropyWithLogits(KernelContext& ctx);

}  // namespace equiv::cpu
