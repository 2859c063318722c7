// kernels/ops/common_shapes.h - shape functions several families share.
#pragma once
#include "kernels/base/op_def.h"

namespace equiv::ops {

// Output 0 has the shape of input 0.
inline void SameAsFirst(ShapeContext& c) { c.set_output(0, c.input(0)); }
// tf: BroadcastBinaryOpOutputShapeFnHelper. Fails with "Dimensions must be equal, but are 2 and 3 ...".
PartialShape BroadcastShapes(ShapeContext& c, const PartialShape& a, const PartialShape& b);
inline void BroadcastFirstTwo(ShapeContext& c) { c.set_output(0, BroadcastShapes(c, c.input(0), c.input(1))); }

}  // namespace equiv::ops
