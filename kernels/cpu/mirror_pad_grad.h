// kernels/cpu/mirror_pad_grad.h - gradient of MirrorPad.
#pragma once
#include "kernels/base/kernel.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

// The shape that MirrorPad made `padded` from; fails on paddings it would not have taken.
PartialShape UnpaddedShape(const FailFn& fail, const PartialShape& padded, const std::vector<std::int64_t>& paddings,
                           bool reflect);
// input, paddings [rank, 2]: each cell and its mirror images, added up one dimension after the other. All types pools
// take.
void MirrorPadGrad(KernelContext& ctx);

}  // namespace equiv::cpu
