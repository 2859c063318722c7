// kernels/cpu/space_batch.h - blocks of cells moved between the spatial dimensions and the batch. Any dtype.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/base/kernel.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

// The result of spreading `blocks` over the dimensions after the first. `pads`: two for each block, added before
// (to_batch) or cut off after. Unknown dimensions stay unknown. tf: SpaceToBatchShapeHelper, BatchToSpaceShapeHelper
PartialShape SpaceBatchShape(const FailFn& fail, const PartialShape& input, const std::vector<std::int64_t>& blocks,
                             const std::vector<std::int64_t>& pads, bool to_batch);

void SpaceToBatchND(KernelContext& ctx);  // input, block_shape [m], paddings [m, 2]
void BatchToSpaceND(KernelContext& ctx);  // input, block_shape [m], crops [m, 2]
// The same over height and width, with attribute block_size for both.
void SpaceToBatch(KernelContext& ctx);
void BatchToSpace(KernelContext& ctx);

}  // namespace equiv::cpu
