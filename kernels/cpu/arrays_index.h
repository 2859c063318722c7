// kernels/cpu/arrays_index.h - kernels that look elements up, look for them, or run along an axis.
#pragma once
#include "kernels/base/kernel.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

void Gather(KernelContext& ctx);         // params, indices: along the first axis
void GatherV2(KernelContext& ctx);       // params, indices, axis; attribute batch_dims
void GatherBatches(KernelContext& ctx);  // params, indices: along axis batch_dims, an attribute
void GatherNd(KernelContext& ctx);       // params, indices [..., n]: n leading axes
void OneHot(KernelContext& ctx);         // indices, depth, on_value, off_value; attribute axis
// The first of the largest or smallest elements; a NaN is never taken. Attribute output_type.
void ArgMax(KernelContext& ctx);
void ArgMin(KernelContext& ctx);
void TopK(KernelContext& ctx);      // input: along the last axis, largest first, then by index; NaN last; attribute k
void TopKV2(KernelContext& ctx);    // input, k
void Range(KernelContext& ctx);     // start, limit, delta: float32, float64, int32, int64
void LinSpace(KernelContext& ctx);  // start, stop, num: float32, float64
void Cumsum(KernelContext& ctx);    // x, axis; attributes exclusive, reverse
void Cumprod(KernelContext& ctx);
// predictions [n, classes], targets [n]: whether fewer than k classes are above the target; false if any is not
// finite. Attribute k.
void InTopK(KernelContext& ctx);
void InTopKV2(KernelContext& ctx);  // predictions, targets, k
void All(KernelContext& ctx);       // input, reduction_indices; attribute keep_dims
void Any(KernelContext& ctx);

// Elements of the range of three scalars; -1 for types without a kernel. Fails when it would not end.
std::int64_t RangeLength(const FailFn& fail, const Array& start, const Array& limit, const Array& delta);

}  // namespace equiv::cpu
