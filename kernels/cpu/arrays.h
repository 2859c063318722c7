// kernels/cpu/arrays.h - kernels that move data and leave its bits alone.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

void Const(KernelContext& ctx);        // attribute value
void Placeholder(KernelContext& ctx);  // always fails: a value has to be fed
void NoOp(KernelContext& ctx);
void Identity(KernelContext& ctx);
void Fill(KernelContext& ctx);  // dims, value
void ZerosLike(KernelContext& ctx);
void OnesLike(KernelContext& ctx);
void ShapeOf(KernelContext& ctx);  // attribute out_type
void Reshape(KernelContext& ctx);  // tensor, shape with at most one -1
void Squeeze(KernelContext& ctx);  // attribute squeeze_dims
void ExpandDims(KernelContext& ctx);
void ConcatV2(KernelContext& ctx);  // values..., axis
void Concat(KernelContext& ctx);    // axis, values...
void Pad(KernelContext& ctx);       // zeros around
void PadV2(KernelContext& ctx);     // a given value around
void Transpose(KernelContext& ctx);
void Diag(KernelContext& ctx);      // [d...] -> [d..., d...], zeros beside the diagonal
void DiagPart(KernelContext& ctx);  // [d..., d...] -> [d...]

// The shape a Reshape to `wanted` gives `elements` values. InvalidArgumentError through `fail` when it cannot.
Shape ReshapedShape(KernelContext& ctx, std::int64_t elements, const std::vector<std::int64_t>& wanted);

}  // namespace equiv::cpu
