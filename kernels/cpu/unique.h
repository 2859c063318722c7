// kernels/cpu/unique.h - kernels whose result's size depends on the values.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// x -> its values in the order of their first appearance, and which of them each element is (as often as attribute
// out_idx can count). A NaN equals nothing. Integers, bool, floating types, strings.
void Unique(KernelContext& ctx);
void UniqueWithCounts(KernelContext& ctx);  // and how often each appears
void UniqueV2(KernelContext& ctx);          // x, axis: slices of an array
void UniqueWithCountsV2(KernelContext& ctx);
// x, y: the elements of x that are not in y, and where they stand.
void ListDiff(KernelContext& ctx);
void Where(KernelContext& ctx);              // the places of what is not 0, one a row
void InvertPermutation(KernelContext& ctx);  // y[x[i]] = i

}  // namespace equiv::cpu
