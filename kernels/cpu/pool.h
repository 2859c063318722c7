// kernels/cpu/pool.h - MaxPool and AvgPool, in every layout.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// Largest cell under each window; cells outside the image never win, nor does a NaN. Integers and floats of any size.
// tf: SpatialMaxPool, starts from lowest() and keeps the old value unless the new one is greater
void MaxPool(KernelContext& ctx);
// With ksize and strides as inputs 1 and 2.
void MaxPoolV2(KernelContext& ctx);
// Sum of the cells inside the image, row by row, divided by their number. Floats; the sum is of the image's type.
// tf: SpatialAvgPool
void AvgPool(KernelContext& ctx);
// The kernel with attributes ksize and strides taken from inputs `first` and `first` + 1, which it does not see.
void RunWithWindowInputs(KernelContext& ctx, int first, void (*kernel)(KernelContext&));

}  // namespace equiv::cpu
