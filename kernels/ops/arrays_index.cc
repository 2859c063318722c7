// kernels/ops/arrays_index.cc - ops that look elements up, look for them, or run along an axis.
#include "kernels/cpu/arrays_index.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/reduce.h"
#include "kernels/cpu/strings_moved.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
using Ints = std::vector<std::int64_t>;
constexpr const char* kTidx = "Tidx: {int32, int64} = int32";

void Append(Ints& dims, const PartialShape& shape, int begin, int end) {
  for (int d = begin; d < end; ++d) dims.push_back(shape[d]);
}
void GatherShape(ShapeContext& c) {
  const PartialShape params = c.WithRankAtLeast(0, 1), &indices = c.input(1);
  if (!params.has_rank() || !indices.has_rank()) return c.set_output(0, PartialShape::Unknown());
  Ints dims = indices.dims();
  Append(dims, params, 1, params.rank());
  c.set_output(0, PartialShape(std::move(dims)));
}
// tf: the shape function of GatherV2
void GatherV2Shape(ShapeContext& c) {
  const PartialShape params = c.WithRankAtLeast(0, 1), &indices = c.input(1);
  if (!params.has_rank() || !indices.has_rank()) return c.set_output(0, PartialShape::Unknown());
  const std::int64_t given = c.attr<std::int64_t>("batch_dims");
  const std::int64_t batch_dims = given < 0 ? given + indices.rank() : given;
  if (batch_dims < 0 || batch_dims > indices.rank())
    c.Fail(fmt::format("batch_dims {} must be in [{}, {}]", given, -indices.rank(), indices.rank()));
  const std::optional<std::int64_t> axis_value = ConstantScalar(c, 2);
  if (!axis_value)
    return c.set_output(0,
                        PartialShape::UnknownOfRank(params.rank() - 1 + indices.rank() - static_cast<int>(batch_dims)));
  const int axis = Axis(c, *axis_value, params.rank());
  if (batch_dims > axis) c.Fail(fmt::format("batch_dims ({}) must be at most axis ({})", batch_dims, axis));
  Ints dims;
  Append(dims, params, 0, axis);
  for (int d = 0; d < batch_dims; ++d) {
    if (params[d] >= 0 && indices[d] >= 0 && params[d] != indices[d])
      c.Fail(fmt::format("Dimensions must be equal, but are {} and {}: batch dimension {} of params {} and indices {}",
                         params[d], indices[d], d, params.ToString(), indices.ToString()));
    if (params[d] < 0) dims[static_cast<std::size_t>(d)] = indices[d];
  }
  Append(dims, indices, static_cast<int>(batch_dims), indices.rank());
  Append(dims, params, axis + 1, params.rank());
  c.set_output(0, PartialShape(std::move(dims)));
}
void GatherNdShape(ShapeContext& c) {
  const PartialShape &params = c.input(0), indices = c.WithRankAtLeast(1, 1);
  if (!params.has_rank() || !indices.has_rank() || indices.dims().back() < 0)
    return c.set_output(0, PartialShape::Unknown());
  const auto depth = static_cast<int>(indices.dims().back());
  if (depth > params.rank())
    c.Fail(fmt::format("indices.shape[-1] must be <= params.rank, but saw indices shape: {} and params shape: {}",
                       indices.ToString(), params.ToString()));
  Ints dims;
  Append(dims, indices, 0, indices.rank() - 1);
  Append(dims, params, depth, params.rank());
  c.set_output(0, PartialShape(std::move(dims)));
}
void OneHotShape(ShapeContext& c) {
  const PartialShape& indices = c.input(0);
  const std::optional<std::int64_t> depth = ConstantScalar(c, 1);
  if (depth && *depth < 0) c.Fail(fmt::format("depth must be non-negative, got: {}", *depth));
  for (int i = 1; i < 4; ++i) c.WithRank(i, 0);
  if (!indices.has_rank()) return c.set_output(0, indices);
  Ints dims = indices.dims();
  dims.insert(dims.begin() + Axis(c, c.attr<std::int64_t>("axis"), indices.rank() + 1), depth.value_or(-1));
  c.set_output(0, PartialShape(std::move(dims)));
}
void ArgShape(ShapeContext& c) {
  const PartialShape in = c.WithRankAtLeast(0, 1);
  const std::optional<std::int64_t> axis = ConstantScalar(c, 1);
  if (!in.has_rank()) return c.set_output(0, in);
  if (!axis) return c.set_output(0, PartialShape::UnknownOfRank(in.rank() - 1));
  Ints dims = in.dims();
  dims.erase(dims.begin() + Axis(c, *axis, in.rank()));
  c.set_output(0, PartialShape(std::move(dims)));
}
void TopKShapeOf(ShapeContext& c, const std::optional<std::int64_t>& k) {
  const PartialShape in = c.WithRankAtLeast(0, 1);
  if (k && *k < 0) c.Fail(fmt::format("Need k >= 0, got {}", *k));
  PartialShape out = in;
  if (in.has_rank()) {
    Ints dims = in.dims();
    if (k && dims.back() >= 0 && dims.back() < *k)
      c.Fail(fmt::format("input must have last dimension >= k = {} but is {}", *k, dims.back()));
    dims.back() = k.value_or(-1);
    out = PartialShape(std::move(dims));
  }
  c.set_output(0, out);
  c.set_output(1, out);
}
void TopKShape(ShapeContext& c) { TopKShapeOf(c, c.attr<std::int64_t>("k")); }
void TopKV2Shape(ShapeContext& c) {
  c.WithRank(1, 0);
  TopKShapeOf(c, ConstantScalar(c, 1));
}
void InTopKShape(ShapeContext& c) { c.set_output(0, PartialShape{Merge(c, {c.WithRank(0, 2)[0]}, 1)[0]}); }
// tf: the shape function of LinSpace
void LinSpaceShape(ShapeContext& c) {
  for (int i = 0; i < 3; ++i) c.WithRank(i, 0);
  const std::optional<std::int64_t> n = ConstantScalar(c, 2);
  if (n && *n <= 0) c.Fail(fmt::format("Requires num > 0: {}", *n));
  c.set_output(0, PartialShape{n.value_or(-1)});
}
void RangeShape(ShapeContext& c) {
  for (int i = 0; i < 3; ++i) c.WithRank(i, 0);
  const Array *start = c.constant(0), *limit = c.constant(1), *delta = c.constant(2);
  const bool known = start && limit && delta;
  c.set_output(0, PartialShape{known ? cpu::RangeLength(FailThrough(c), *start, *limit, *delta) : -1});
}
void BoolReductionShape(ShapeContext& c) {
  const PartialShape& in = c.input(0);
  const bool keep = c.attr<bool>("keep_dims");
  const Array* axes = c.constant(1);
  if (!in.has_rank() || (!axes && !keep)) return c.set_output(0, PartialShape::Unknown());
  if (!axes) return c.set_output(0, PartialShape::UnknownOfRank(in.rank()));
  const std::vector<bool> reduced = cpu::ReducedAxes(FailThrough(c), axes->AsInt64Vector(), in.rank());
  Ints dims;
  for (int d = 0; d < in.rank(); ++d) {
    const bool gone = reduced[static_cast<std::size_t>(d)];
    if (!gone || keep) dims.push_back(gone ? 1 : in[d]);
  }
  c.set_output(0, PartialShape(std::move(dims)));
}
}  // namespace

void RegisterArraysIndex(OpRegistry& r) {
  r.Add({.name = "Gather",
         .doc = "Slices of the first axis, by index.",
         .inputs = {"params: Tparams", "indices: Tindices"},
         .outputs = {"output: Tparams"},
         .attrs = {"validate_indices: bool = true", "Tparams: type", "Tindices: {int32, int64}"},
         .shape = GatherShape,
         .kernel = Stateless(cpu::WithStrings<cpu::Gather>)});
  r.Add({.name = "GatherV2",
         .doc = "Slices of one axis, by index.",
         .inputs = {"params: Tparams", "indices: Tindices", "axis: Taxis"},
         .outputs = {"output: Tparams"},
         .attrs = {"batch_dims: int = 0", "Tparams: type", "Tindices: {int16, int32, int64}", "Taxis: {int32, int64}"},
         .shape = GatherV2Shape,
         .kernel = Stateless(cpu::WithStrings<cpu::GatherV2>)});
  r.Add({.name = "GatherNd",
         .doc = "Elements or slices, by the indices along the last axis.",
         .inputs = {"params: Tparams", "indices: Tindices"},
         .outputs = {"output: Tparams"},
         .attrs = {"Tparams: type", "Tindices: {int16, int32, int64}"},
         .shape = GatherNdShape,
         .kernel = Stateless(cpu::WithStrings<cpu::GatherNd>)});
  r.Add({.name = "OneHot",
         .doc = "on_value where an index points, off_value elsewhere.",
         .inputs = {"indices: TI", "depth: int32", "on_value: T", "off_value: T"},
         .outputs = {"output: T"},
         .attrs = {"axis: int = -1", "T: type", "TI: {uint8, int8, int32, int64} = int64"},
         .shape = OneHotShape,
         .kernel = Stateless(cpu::WithStrings<cpu::OneHot>)});
  for (const bool max : {true, false})
    r.Add(
        {.name = max ? "ArgMax" : "ArgMin",
         .doc = max ? "Index of the first largest element along one axis."
                    : "Index of the first smallest element along one axis.",
         .inputs = {"input: T", "dimension: Tidx"},
         .outputs = {"output: output_type"},
         .attrs = {"T: {bfloat16, half, float, double, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool}",
                   max ? "Tidx: {int16, int32, int64} = int32" : kTidx,
                   max ? "output_type: {int16, uint16, int32, int64} = int64" : "output_type: {int32, int64} = int64"},
         .shape = ArgShape,
         .kernel = Stateless(max ? cpu::ArgMax : cpu::ArgMin)});
  r.Add({.name = "TopKV2",
         .doc = "The k largest elements of each row, and where they are.",
         .inputs = {"input: T", "k: Tk"},
         .outputs = {"values: T", "indices: index_type"},
         .attrs = {"sorted: bool = true", Types("T", kReal), "Tk: {int16, int32, int64} = int32",
                   "index_type: {int16, int32, int64} = int32"},
         .shape = TopKV2Shape,
         .kernel = Stateless(cpu::TopKV2)});
  r.Add({.name = "TopK",
         .doc = "The k largest elements of each row, and where they are.",
         .inputs = {"input: T"},
         .outputs = {"values: T", "indices: int32"},
         .attrs = {"k: int >= 0", "sorted: bool = true", Types("T", kReal)},
         .shape = TopKShape,
         .kernel = Stateless(cpu::TopK)});
  r.Add({.name = "Range",
         .doc = "start, start + delta, ... up to limit.",
         .inputs = {"start: Tidx", "limit: Tidx", "delta: Tidx"},
         .outputs = {"output: Tidx"},
         .attrs = {"Tidx: {bfloat16, half, float, double, int8, int16, int32, int64, uint16, uint32} = int32"},
         .shape = RangeShape,
         .kernel = Stateless(cpu::Range)});
  r.Add({.name = "LinSpace",
         .doc = "num values at equal distances from start to stop.",
         .inputs = {"start: T", "stop: T", "num: Tidx"},
         .outputs = {"output: T"},
         .attrs = {Types("T", kFloats), kTidx},
         .shape = LinSpaceShape,
         .kernel = Stateless(cpu::LinSpace)});
  for (const bool sum : {true, false})
    r.Add({.name = sum ? "Cumsum" : "Cumprod",
           .doc = sum ? "Running sums along one axis." : "Running products along one axis.",
           .inputs = {"x: T", "axis: Tidx"},
           .outputs = {"out: T"},
           .attrs = {"exclusive: bool = false", "reverse: bool = false", Types("T", kNumbers), kTidx},
           .shape = SameAsFirst,
           .kernel = Stateless(sum ? cpu::Cumsum : cpu::Cumprod)});
  r.Add({.name = "InTopK",
         .doc = "Whether each target is among the k largest predictions.",
         .inputs = {"predictions: float", "targets: T"},
         .outputs = {"precision: bool"},
         .attrs = {"k: int", Types("T", kIndices, "int32")},
         .shape = InTopKShape,
         .kernel = Stateless(cpu::InTopK)});
  r.Add({.name = "InTopKV2",
         .doc = "Whether each target is among the k largest predictions.",
         .inputs = {"predictions: float", "targets: T", "k: T"},
         .outputs = {"precision: bool"},
         .attrs = {Types("T", kIndices, "int32")},
         .shape = InTopKShape,
         .kernel = Stateless(cpu::InTopKV2)});
  for (const bool all : {true, false})
    r.Add({.name = all ? "All" : "Any",
           .doc = all ? "Whether all are true, over axes." : "Whether any is true, over axes.",
           .inputs = {"input: bool", "reduction_indices: Tidx"},
           .outputs = {"output: bool"},
           .attrs = {"keep_dims: bool = false", kTidx},
           .shape = BoolReductionShape,
           .kernel = Stateless(all ? cpu::All : cpu::Any)});
}

}  // namespace equiv::ops
