// kernels/cpu/pool.h - MaxPool and AvgPool. float32 and float64, NHWC.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// Largest cell under each window; cells outside the image never win, nor does a NaN.
// tf: SpatialMaxPool, starts from lowest() and keeps the old value unless the new one is greater
void MaxPool(KernelContext& ctx);
// Sum of the cells inside the image, row by row, divided by their number. tf: SpatialAvgPool
void AvgPool(KernelContext& ctx);

}  // namespace equiv::cpu
