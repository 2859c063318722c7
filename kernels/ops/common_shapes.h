// kernels/ops/common_shapes.h - shape functions several families share.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "kernels/base/op_def.h"

namespace equiv::ops {

// Output 0 has the shape of input 0.
inline void SameAsFirst(ShapeContext& c) { c.set_output(0, c.input(0)); }
// tf: BroadcastBinaryOpOutputShapeFnHelper. Fails with "Dimensions must be equal, but are 2 and 3 ...".
PartialShape BroadcastShapes(ShapeContext& c, const PartialShape& a, const PartialShape& b);
inline void BroadcastFirstTwo(ShapeContext& c) { c.set_output(0, BroadcastShapes(c, c.input(0), c.input(1))); }
// Fails through the context: what the geometry functions of kernels/cpu take.
inline std::function<void(const std::string&)> FailThrough(ShapeContext& c) {
  return [&c](const std::string& message) { c.Fail(message); };
}
// `axis` counted from the front; fails when it is out of range.
int Axis(ShapeContext& c, std::int64_t axis, int rank);
// The value of integer input i when it is one known number.
std::optional<std::int64_t> ConstantScalar(ShapeContext& c, int i);
// The shape integer vector i stands for, as far as it is known.
PartialShape ShapeFromInput(ShapeContext& c, int i);
// Input i merged into `shape`; fails where both contradict.
PartialShape Merge(ShapeContext& c, const PartialShape& shape, int i);
// Images of input 0 in the size that input 1 gives.
void ResizeShape(ShapeContext& c);

}  // namespace equiv::ops
