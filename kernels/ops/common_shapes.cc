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
}  // namespace equiv::ops
