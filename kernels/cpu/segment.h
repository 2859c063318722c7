// kernels/cpu/segment.h - rows put together by the number of their segment, and counts of numbers.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// data, segment_ids (sorted, one for each row) -> as many rows as the last id + 1. A segment without rows is 0, or 1
// for the product. Floating types and integers.
void SegmentSum(KernelContext& ctx);
void SegmentMean(KernelContext& ctx);
void SegmentProd(KernelContext& ctx);
void SegmentMax(KernelContext& ctx);
void SegmentMin(KernelContext& ctx);

// data, segment_ids (a prefix of data's shape), num_segments: rows in their order; a negative id is left out. A segment
// without rows is 0, 1, the lowest or the highest number.
void UnsortedSegmentSum(KernelContext& ctx);
void UnsortedSegmentProd(KernelContext& ctx);
void UnsortedSegmentMax(KernelContext& ctx);
void UnsortedSegmentMin(KernelContext& ctx);

void Bincount(KernelContext& ctx);       // arr, size, weights (of arr's size, or empty)
void DenseBincount(KernelContext& ctx);  // input of rank 1 or 2: row by row; attribute binary_output

}  // namespace equiv::cpu
