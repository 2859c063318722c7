#include "kernels/cpu/slice_geometry.h"

#include <fmt/format.h>

#include <algorithm>

namespace equiv::cpu {
namespace {

// One entry of the slice as written, spread over the input's dimensions.
struct Range {
  std::optional<std::int64_t> begin, end, stride;
  bool begin_masked = false, end_masked = false, shrink = false;
};

std::int64_t Length(std::int64_t begin, std::int64_t end, std::int64_t stride) {
  const std::int64_t interval = end - begin;
  if (interval == 0 || (interval < 0) != (stride < 0)) return 0;
  return interval / stride + (interval % stride != 0 ? 1 : 0);
}

SliceDim Take(const FailFn& fail, const Range& r, std::int64_t dim, std::size_t index) {
  if (r.stride == 0) fail(fmt::format("strides[{}] must be non-zero", index));
  if (r.shrink && r.stride && *r.stride < 0) fail("only stride 1 allowed on non-range indexing.");
  SliceDim out{.begin = 0, .stride = r.stride.value_or(1), .size = r.shrink ? 1 : -1};
  if (r.shrink) {
    if (!r.begin || dim < 0) return out;
    out.begin = *r.begin < 0 ? dim + *r.begin : *r.begin;
    if (out.begin < 0 || out.begin >= dim)
      fail(fmt::format("slice index {} of dimension {} out of bounds: it has {} elements", *r.begin, index, dim));
    return out;
  }
  if (dim < 0 || !r.stride || (!r.begin && !r.begin_masked) || (!r.end && !r.end_masked)) return out;
  const bool forward = *r.stride > 0;
  const std::int64_t low = forward ? 0 : -1, high = forward ? dim : dim - 1;
  const auto place = [&](std::int64_t v) { return std::clamp(v < 0 ? dim + v : v, low, high); };
  out.begin = r.begin_masked ? (forward ? low : high) : place(*r.begin);
  const std::int64_t end = r.end_masked ? (forward ? high : low) : place(*r.end);
  out.size = Length(out.begin, end, *r.stride);
  return out;
}
}  // namespace

SliceGeometry MakeSliceGeometry(const FailFn& fail, const AttrMap& attrs, const PartialShape& in, std::size_t count,
                                const OptionalInts& begin, const OptionalInts& end, const OptionalInts& strides) {
  if (count > 32) fail(fmt::format("a slice of {} entries; at most 32 can be told apart", count));
  const auto bit = [&](const char* name, std::size_t i) { return (attrs.Get<std::int64_t>(name) >> i & 1) != 0; };
  std::size_t ellipsis = count, added_behind = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (bit("ellipsis_mask", i)) {
      if (ellipsis < count) fail("Multiple ellipses in slice spec not allowed");
      ellipsis = i;
    } else if (ellipsis < count && bit("new_axis_mask", i)) {
      ++added_behind;
    }
  }
  SliceGeometry g;
  const auto rank = static_cast<std::size_t>(in.rank());
  const auto at = [](const OptionalInts& v, std::size_t i) {
    return v ? std::optional<std::int64_t>((*v)[i]) : std::nullopt;
  };
  for (std::size_t i = 0; i <= count; ++i) {
    if (i == ellipsis) {  // one behind the last entry unless written
      const std::size_t behind = i < count ? count - i - 1 - added_behind : 0;
      for (const std::size_t stop = rank > behind ? rank - behind : 0; g.dims.size() < stop;) {
        const std::int64_t dim = in[static_cast<int>(g.dims.size())];
        g.dims.push_back({.begin = 0, .stride = 1, .size = dim});
        g.output.push_back(dim);
      }
    } else if (i < count && bit("new_axis_mask", i)) {
      g.output.push_back(1);
    } else if (i < count) {
      const std::size_t d = g.dims.size();
      if (d >= rank) fail(fmt::format("Index out of range using input dim {}; input has only {} dims", d, rank));
      const Range range{.begin = at(begin, i),
                        .end = at(end, i),
                        .stride = at(strides, i),
                        .begin_masked = bit("begin_mask", i),
                        .end_masked = bit("end_mask", i),
                        .shrink = bit("shrink_axis_mask", i)};
      g.dims.push_back(Take(fail, range, in[static_cast<int>(d)], d));
      if (!range.shrink) g.output.push_back(g.dims.back().size);
    }
  }
  return g;
}

}  // namespace equiv::cpu
