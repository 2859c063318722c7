// kernels/cpu/slice_geometry.h - what a StridedSlice takes, for its shape function and its kernel.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/base/attr.h"
#include "kernels/base/shape.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

struct SliceDim {
  std::int64_t begin = 0, stride = 1;
  std::int64_t size = -1;  // -1 when not known
};
struct SliceGeometry {
  std::vector<SliceDim> dims;        // one per input dimension
  std::vector<std::int64_t> output;  // the result's shape; -1 when not known
};
using OptionalInts = std::optional<std::vector<std::int64_t>>;
// tf: ValidateStridedSliceOp. `in` has a rank; `count` values in each vector, of which some may not be known.
SliceGeometry MakeSliceGeometry(const FailFn& fail, const AttrMap& attrs, const PartialShape& in, std::size_t count,
                                const OptionalInts& begin, const OptionalInts& end, const OptionalInts& strides);

}  // namespace equiv::cpu
