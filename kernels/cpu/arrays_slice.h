// kernels/cpu/arrays_slice.h - kernels that take parts of arrays or lay arrays side by side; bits stay as they are.
#pragma once
#include <vector>

#include "kernels/base/kernel.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

void Pack(KernelContext& ctx);    // values..., attribute axis
void Unpack(KernelContext& ctx);  // attributes num, axis
void Split(KernelContext& ctx);   // split_dim, value; equal parts
void SplitV(KernelContext& ctx);  // value, size_splits with at most one -1, split_dim
void Slice(KernelContext& ctx);   // input, begin, size (-1: to the end)
void StridedSlice(KernelContext& ctx);
void Tile(KernelContext& ctx);       // input, multiples
void ReverseV2(KernelContext& ctx);  // tensor, axis
void Reverse(KernelContext& ctx);    // tensor, dims: whether each axis is reversed
// input, seq_lengths: the first elements of each sequence reversed; attributes seq_dim, batch_dim.
void ReverseSequence(KernelContext& ctx);
void Roll(KernelContext& ctx);              // input, shift, axis: what leaves at one end comes in at the other
void ParallelConcat(KernelContext& ctx);    // values of one row each; attribute shape
void StridedSliceGrad(KernelContext& ctx);  // shape, begin, end, strides, dy -> zeros but for the slice
void BroadcastTo(KernelContext& ctx);       // input, shape
void MirrorPad(KernelContext& ctx);         // input, paddings; attribute mode
void IdentityN(KernelContext& ctx);
void RankOf(KernelContext& ctx);
void SizeOfInput(KernelContext& ctx);   // attribute out_type
void SpaceToDepth(KernelContext& ctx);  // attribute block_size, NHWC
void DepthToSpace(KernelContext& ctx);

// The sizes SplitV takes from a dimension of `dim` elements: one -1 is worked out.
std::vector<std::int64_t> SplitSizes(const FailFn& fail, std::vector<std::int64_t> sizes, std::int64_t dim);

}  // namespace equiv::cpu
