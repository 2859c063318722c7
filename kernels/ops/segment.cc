// kernels/ops/segment.cc - rows put together by the number of their segment, and counts of numbers.
#include "kernels/cpu/segment.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
using Ints = std::vector<std::int64_t>;

void Append(Ints& dims, const PartialShape& shape, int begin) {
  for (int d = begin; d < shape.rank(); ++d) dims.push_back(shape[d]);
}
// tf: SegmentReductionShapeFn
void SortedShape(ShapeContext& c) {
  const PartialShape data = c.WithRankAtLeast(0, 1);
  c.WithRank(1, 1);
  if (!data.has_rank()) return c.set_output(0, data);
  Ints dims{-1};
  Append(dims, data, 1);
  c.set_output(0, PartialShape(std::move(dims)));
}
// tf: SegmentReductionWithNumSegmentsShapeFn
void UnsortedShape(ShapeContext& c) {
  const PartialShape &data = c.input(0), &ids = c.input(1);
  c.WithRank(2, 0);
  const std::optional<std::int64_t> segments = ConstantScalar(c, 2);
  if (segments && *segments < 0) c.Fail(fmt::format("num_segments must be non-negative, got {}", *segments));
  if (!data.has_rank() || !ids.has_rank()) return c.set_output(0, PartialShape::Unknown());
  bool fits = ids.rank() <= data.rank();
  for (int d = 0; fits && d < ids.rank(); ++d) fits = data[d] < 0 || ids[d] < 0 || data[d] == ids[d];
  if (!fits)
    c.Fail(fmt::format("data.shape = {} does not start with segment_ids.shape = {}", data.ToString(), ids.ToString()));
  Ints dims{segments.value_or(-1)};
  Append(dims, data, ids.rank());
  c.set_output(0, PartialShape(std::move(dims)));
}
std::int64_t Bins(ShapeContext& c) {
  c.WithRank(1, 0);
  const std::int64_t size = ConstantScalar(c, 1).value_or(-1);
  if (c.constant(1) && size < 0) c.Fail(fmt::format("size ({}) must be non-negative", size));
  return size;
}
void BincountShape(ShapeContext& c) { c.set_output(0, PartialShape{Bins(c)}); }
void DenseBincountShape(ShapeContext& c) {
  const std::int64_t size = Bins(c);
  const PartialShape& in = c.input(0);
  if (!in.has_rank()) return c.set_output(0, PartialShape::Unknown());
  if (in.rank() > 2) c.Fail(fmt::format("Shape must be at most rank 2 but is rank {}", in.rank()));
  c.set_output(0, in.rank() == 2 ? PartialShape{in[0], size} : PartialShape{size});
}

struct Kind {
  const char *sorted, *unsorted, *doc;
  void (*sorted_kernel)(KernelContext&);
  void (*unsorted_kernel)(KernelContext&);
  const char *types, *unsorted_ids;
};
}  // namespace

void RegisterSegment(OpRegistry& r) {
  const char* const any_index = "{int16, int32, int64}";
  for (const Kind& k : {Kind{"SegmentSum", "UnsortedSegmentSum", "Rows added up by the number of their segment.",
                             cpu::SegmentSum, cpu::UnsortedSegmentSum, kNumbers, any_index},
                        Kind{"SegmentProd", "UnsortedSegmentProd", "Rows multiplied by the number of their segment.",
                             cpu::SegmentProd, cpu::UnsortedSegmentProd, kNumbers, kIndices},
                        Kind{"SegmentMax", "UnsortedSegmentMax", "Largest elements of the rows of each segment.",
                             cpu::SegmentMax, cpu::UnsortedSegmentMax, kReal, kIndices},
                        Kind{"SegmentMin", "UnsortedSegmentMin", "Smallest elements of the rows of each segment.",
                             cpu::SegmentMin, cpu::UnsortedSegmentMin, kReal, kIndices},
                        Kind{"SegmentMean", nullptr, "Means of the rows of each segment.", cpu::SegmentMean, nullptr,
                             kNumbers, nullptr}}) {
    r.Add({.name = k.sorted,
           .doc = k.doc,
           .inputs = {"data: T", "segment_ids: Tindices"},
           .outputs = {"output: T"},
           .attrs = {Types("T", k.types), Types("Tindices", kIndices)},
           .shape = SortedShape,
           .kernel = Stateless(k.sorted_kernel)});
    if (!k.unsorted) continue;
    r.Add({.name = k.unsorted,
           .doc = k.doc,
           .inputs = {"data: T", "segment_ids: Tindices", "num_segments: Tnumsegments"},
           .outputs = {"output: T"},
           .attrs = {Types("T", k.types), Types("Tindices", k.unsorted_ids), Types("Tnumsegments", kIndices, "int32")},
           .shape = UnsortedShape,
           .kernel = Stateless(k.unsorted_kernel)});
  }
  r.Add({.name = "Bincount",
         .doc = "How often each number below size occurs, or the sum of its weights.",
         .inputs = {"arr: int32", "size: int32", "weights: T"},
         .outputs = {"bins: T"},
         .attrs = {"T: {int32, int64, float, double}"},
         .shape = BincountShape,
         .kernel = Stateless(cpu::Bincount)});
  r.Add({.name = "DenseBincount",
         .doc = "How often each number below size occurs, row by row, or the sum of its weights.",
         .inputs = {"input: Tidx", "size: Tidx", "weights: T"},
         .outputs = {"output: T"},
         .attrs = {Types("Tidx", kIndices), "T: {int32, int64, float, double}", "binary_output: bool = false"},
         .shape = DenseBincountShape,
         .kernel = Stateless(cpu::DenseBincount)});
}

}  // namespace equiv::ops
