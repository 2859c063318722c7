// kernels/cpu/scatter.h - updates of the elements or slices that indices name, in the order given.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

enum class Scatter { kUpdate, kAdd, kSub, kMul, kDiv, kMin, kMax };

// indices [..., n], updates, shape: zeros with the updates added. tf: bools are or-ed, strings joined
void ScatterNd(KernelContext& ctx);
// tensor, indices [..., n], updates.
template <Scatter kOp>
void TensorScatter(KernelContext& ctx);
// A variable's rows: resource, indices, updates of shape indices.shape + variable.shape[1:], or a scalar.
template <Scatter kOp>
void ResourceScatter(KernelContext& ctx);
// Its elements or slices: ref, indices [..., n], updates.
template <Scatter kOp>
void ResourceScatterNd(KernelContext& ctx);
// The same of reference variables, which are handed on.
template <Scatter kOp>
void RefScatter(KernelContext& ctx);
template <Scatter kOp>
void RefScatterNd(KernelContext& ctx);

// indices..., data...: the slices of data in the places the indices name; the last one wins.
void DynamicStitch(KernelContext& ctx);
// data, partitions: the slices of data by the number of their partition.
void DynamicPartition(KernelContext& ctx);

}  // namespace equiv::cpu
