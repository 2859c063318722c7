#include "kernels/ops/common_shapes.h"

#include <fmt/format.h>

#include <algorithm>

namespace equiv::ops {

PartialShape BroadcastShapes(ShapeContext& c, const PartialShape& a, const PartialShape& b) {
  if (!a.has_rank() || !b.has_rank()) return PartialShape::Unknown();
  const int rank = std::max(a.rank(), b.rank());
  std::vector<std::int64_t> dims(static_cast<std::size_t>(rank));
  for (int i = 0; i < rank; ++i) {
    const std::int64_t da = i < rank - a.rank() ? 1 : a[i - (rank - a.rank())],
                       db = i < rank - b.rank() ? 1 : b[i - (rank - b.rank())];
    std::int64_t& d = dims[static_cast<std::size_t>(i)];
    if (da == db || db == 1)
      d = da;
    else if (da == 1)
      d = db;
    else if (da < 0)
      d = db;  // an unknown dimension must turn out to be 1 or the other one
    else if (db < 0)
      d = da;
    else
      c.Fail(fmt::format("Dimensions must be equal, but are {} and {}, with input shapes: {}, {}", da, db, a.ToString(),
                         b.ToString()));
  }
  return PartialShape(std::move(dims));
}

int Axis(ShapeContext& c, std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) c.Fail(fmt::format("axis {} is out of range [{}, {})", axis, -rank, rank));
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}
std::optional<std::int64_t> ConstantScalar(ShapeContext& c, int i) {
  const Array* value = c.constant(i);
  if (!value || value->num_elements() != 1) return std::nullopt;
  return value->AsInt64Vector()[0];
}
PartialShape ShapeFromInput(ShapeContext& c, int i) {
  const PartialShape vector = c.WithRank(i, 1);
  if (const Array* dims = c.constant(i)) {
    for (std::int64_t d : dims->AsInt64Vector())
      if (d < -1) c.Fail(fmt::format("Dimension size, given by input {}, must be non-negative but is {}", i, d));
    return PartialShape(dims->AsInt64Vector());
  }
  return vector[0] >= 0 && vector[0] <= kMaxRank ? PartialShape::UnknownOfRank(static_cast<int>(vector[0]))
                                                 : PartialShape::Unknown();
}
PartialShape Merge(ShapeContext& c, const PartialShape& shape, int i) {
  if (!shape.IsCompatibleWith(c.input(i)))
    c.Fail(fmt::format("Shapes must be equal: {} and {} of input {}", shape.ToString(), c.input(i).ToString(), i));
  return shape.MergeWith(c.input(i));
}
// tf: ResizeShapeFn
void ResizeShape(ShapeContext& c) {
  const PartialShape images = c.WithRank(0, 4), size = c.WithRank(1, 1);
  if (size[0] >= 0 && size[0] != 2) c.Fail("Dimension must be 2 but is " + std::to_string(size[0]) + ": size");
  std::int64_t height = -1, width = -1;
  if (const Array* value = c.constant(1)) {
    height = value->AsInt64Vector()[0];
    width = value->AsInt64Vector()[1];
    if (height <= 0 || width <= 0)
      c.Fail(fmt::format("output dimensions must be positive, got {} and {}", height, width));
  }
  c.set_output(0, PartialShape{images[0], height, width, images[3]});
}
}  // namespace equiv::ops
