// kernels/cpu/arrays_shape.h - kernels about shapes, and checks that hand their input on.
#pragma once
#include <utility>
#include <vector>

#include "kernels/base/kernel.h"
#include "kernels/base/shape.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

void ShapeN(KernelContext& ctx);                 // the shape of each input; attribute out_type
void BroadcastArgs(KernelContext& ctx);          // s0, s1: the shape both broadcast to
void BroadcastGradientArgs(KernelContext& ctx);  // s0, s1: the axes along which each was broadcast
void ConcatOffset(KernelContext& ctx);           // concat_dim, shapes: where each begins in the concatenation
void EnsureShape(KernelContext& ctx);            // fails unless the input fits attribute shape
void CheckNumerics(KernelContext& ctx);          // fails with attribute message on an infinity or NaN
void CheckNumericsV2(KernelContext& ctx);        // tells +Inf from -Inf
void Empty(KernelContext& ctx);                  // shape; zeros, so that a program always gives the same
void Bitcast(KernelContext& ctx);                // the same bytes as another type
void UnravelIndex(KernelContext& ctx);           // indices, dims -> coordinates

// The shape after a Bitcast from elements of `from` bytes to elements of `to` bytes.
PartialShape BitcastShape(const FailFn& fail, const PartialShape& in, std::size_t from, std::size_t to);

}  // namespace equiv::cpu
