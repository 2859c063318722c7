// kernels/ops/arrays_slice.cc - ops that take parts of arrays or lay arrays side by side.
#include "kernels/cpu/arrays_slice.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/arrays.h"
#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/slice_geometry.h"
#include "kernels/cpu/strings_moved.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
using Ints = std::vector<std::int64_t>;
constexpr const char* kIndex = "Index: {int32, int64}";

PartialShape MergeAll(ShapeContext& c, int n) {
  PartialShape merged = c.input(0);
  for (int i = 1; i < n; ++i) merged = Merge(c, merged, i);
  return merged;
}
void SetAll(ShapeContext& c, const PartialShape& shape) {
  for (int i = 0; i < c.num_outputs(); ++i) c.set_output(i, shape);
}
PartialShape With(const PartialShape& shape, int axis, std::int64_t dim) {
  Ints dims = shape.dims();
  dims[static_cast<std::size_t>(axis)] = dim;
  return PartialShape(std::move(dims));
}

void PackShape(ShapeContext& c) {
  const PartialShape part = MergeAll(c, c.num_inputs());
  if (!part.has_rank()) return c.set_output(0, part);
  Ints dims = part.dims();
  dims.insert(dims.begin() + Axis(c, c.attr<std::int64_t>("axis"), part.rank() + 1), c.num_inputs());
  c.set_output(0, PartialShape(std::move(dims)));
}
void UnpackShape(ShapeContext& c) {
  const PartialShape in = c.WithRankAtLeast(0, 1);
  if (!in.has_rank()) return SetAll(c, in);
  const int axis = Axis(c, c.attr<std::int64_t>("axis"), in.rank());
  if (in[axis] >= 0 && in[axis] != c.num_outputs())
    c.Fail(fmt::format("Dimension must be {} but is {}: axis {} of {} is to be unpacked", c.num_outputs(), in[axis],
                       axis, in.ToString()));
  Ints dims = in.dims();
  dims.erase(dims.begin() + axis);
  SetAll(c, PartialShape(std::move(dims)));
}
void SplitShape(ShapeContext& c) {
  const PartialShape in = c.WithRankAtLeast(1, 1);
  const std::optional<std::int64_t> given = ConstantScalar(c, 0);
  if (!in.has_rank()) return SetAll(c, in);
  if (!given) return SetAll(c, PartialShape::UnknownOfRank(in.rank()));
  const int axis = Axis(c, *given, in.rank());
  const std::int64_t n = c.num_outputs();
  if (in[axis] >= 0 && in[axis] % n != 0)
    c.Fail(fmt::format("Dimension size must be evenly divisible by {} but is {}: num_split and axis {} of {}", n,
                       in[axis], axis, in.ToString()));
  SetAll(c, With(in, axis, in[axis] >= 0 ? in[axis] / n : -1));
}
void SplitVShape(ShapeContext& c) {
  const PartialShape in = c.WithRankAtLeast(0, 1);
  const std::optional<std::int64_t> given = ConstantScalar(c, 2);
  if (!in.has_rank()) return SetAll(c, in);
  if (!given) return SetAll(c, PartialShape::UnknownOfRank(in.rank()));
  const int axis = Axis(c, *given, in.rank());
  Ints sizes(static_cast<std::size_t>(c.num_outputs()), -1);
  if (const Array* value = c.constant(1)) {
    if (value->num_elements() != c.num_outputs())
      c.Fail(fmt::format("size_splits must have {} values, got {}", c.num_outputs(), value->num_elements()));
    sizes = value->AsInt64Vector();
    if (in[axis] >= 0) sizes = cpu::SplitSizes(FailThrough(c), sizes, in[axis]);
  }
  for (int i = 0; i < c.num_outputs(); ++i) c.set_output(i, With(in, axis, sizes[static_cast<std::size_t>(i)]));
}
// tf: the shape function of Slice
void SliceShape(ShapeContext& c) {
  const PartialShape in = c.input(0), begin_shape = c.WithRank(1, 1), size_shape = c.WithRank(2, 1);
  int rank = in.rank();
  for (const PartialShape* s : {&begin_shape, &size_shape}) {
    if ((*s)[0] < 0) continue;
    if (rank >= 0 && rank != (*s)[0])
      c.Fail(
          fmt::format("begin and size must have one value for each dimension of the input: begin {}, size {}, input {}",
                      begin_shape.ToString(), size_shape.ToString(), in.ToString()));
    rank = static_cast<int>((*s)[0]);
  }
  if (rank < 0) return c.set_output(0, PartialShape::Unknown());
  Ints dims(static_cast<std::size_t>(rank), -1);
  const Array *begin = c.constant(1), *size = c.constant(2);
  if (size) {
    const Ints sizes = size->AsInt64Vector(), begins = begin ? begin->AsInt64Vector() : Ints(dims.size(), -1);
    for (std::size_t i = 0; i < dims.size(); ++i) {
      const std::int64_t dim = in.has_rank() ? in[static_cast<int>(i)] : -1;
      const bool placed = dim >= 0 && begins[i] >= 0;
      dims[i] = sizes[i] == -1 ? (placed ? dim - begins[i] : -1) : sizes[i];
      if (begin && begins[i] < 0) c.Fail(fmt::format("Expected begin[{}] >= 0, but got {}", i, begins[i]));
      if (placed && begins[i] > dim)
        c.Fail(fmt::format("Expected begin[{}] in [0, {}], but got {}", i, dim, begins[i]));
      if (sizes[i] < -1 || (placed && dims[i] > dim - begins[i]))
        c.Fail(placed ? fmt::format("Expected size[{}] in [0, {}], but got {}", i, dim - begins[i], sizes[i])
                      : fmt::format("Expected size[{}] >= 0 or -1, but got {}", i, sizes[i]));
    }
  }
  c.set_output(0, PartialShape(std::move(dims)));
}
void StridedSliceShape(ShapeContext& c) {
  const PartialShape& in = c.input(0);
  std::int64_t count = -1;
  cpu::OptionalInts values[3];
  for (int i = 1; i <= 3; ++i) {
    const PartialShape vector = c.WithRank(i, 1);
    if (const Array* value = c.constant(i)) values[i - 1] = value->AsInt64Vector();
    if (vector[0] < 0) continue;
    if (count >= 0 && count != vector[0])
      c.Fail(fmt::format("Expected begin, end, and strides to be equal size tensors, but got {}, {}, {}",
                         c.input(1).ToString(), c.input(2).ToString(), c.input(3).ToString()));
    count = vector[0];
  }
  if (!in.has_rank() || count < 0) return c.set_output(0, PartialShape::Unknown());
  c.set_output(0, PartialShape(cpu::MakeSliceGeometry(FailThrough(c), c.attrs(), in, static_cast<std::size_t>(count),
                                                      values[0], values[1], values[2])
                                   .output));
}
void TileShape(ShapeContext& c) {
  const PartialShape in = c.input(0), counted = c.WithRank(1, 1);
  const int rank = in.has_rank() ? in.rank() : static_cast<int>(counted[0]);
  if (rank < 0) return c.set_output(0, PartialShape::Unknown());
  if (counted[0] >= 0 && counted[0] != rank)
    c.Fail(fmt::format("multiples must have one value for each dimension of {}, got {}", in.ToString(),
                       counted.ToString()));
  Ints dims(static_cast<std::size_t>(rank), -1);
  if (const Array* multiples = c.constant(1); multiples && in.has_rank()) {
    const Ints times = multiples->AsInt64Vector();
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (times[i] < 0) c.Fail(fmt::format("Expected multiples[{}] >= 0, but got {}", i, times[i]));
      if (const std::int64_t dim = in[static_cast<int>(i)]; dim >= 0)
        dims[i] = cpu::CheckedMul(FailThrough(c), dim, times[i]);
    }
  }
  c.set_output(0, PartialShape(std::move(dims)));
}
void BroadcastToShape(ShapeContext& c) {
  const PartialShape& in = c.input(0);
  const PartialShape wanted = ShapeFromInput(c, 1);
  if (in.has_rank() && wanted.has_rank()) {
    bool fits = in.rank() <= wanted.rank();
    for (int d = 0; fits && d < in.rank(); ++d) {
      const std::int64_t to = wanted[d + wanted.rank() - in.rank()];
      fits = in[d] <= 1 || to < 0 || in[d] == to;
    }
    if (!fits) c.Fail(fmt::format("Incompatible shapes: {} vs. {}", in.ToString(), wanted.ToString()));
  }
  c.set_output(0, wanted);
}
void MirrorPadShape(ShapeContext& c) {
  const PartialShape &in = c.input(0), pads = c.WithRank(1, 2);
  if (!in.has_rank()) return c.set_output(0, in);
  if ((pads[0] >= 0 && pads[0] != in.rank()) || (pads[1] >= 0 && pads[1] != 2))
    c.Fail(fmt::format("paddings must be a matrix with 2 columns and {} rows: {}", in.rank(), pads.ToString()));
  Ints dims(static_cast<std::size_t>(in.rank()), -1);
  if (const Array* value = c.constant(1)) {
    const Ints amounts = value->AsInt64Vector();
    for (std::size_t d = 0; d < dims.size(); ++d) {
      if (amounts[2 * d] < 0 || amounts[2 * d + 1] < 0)
        c.Fail(fmt::format("paddings must be non-negative: {}, {}", amounts[2 * d], amounts[2 * d + 1]));
      if (const std::int64_t dim = in[static_cast<int>(d)]; dim >= 0)
        dims[d] =
            cpu::CheckedAdd(FailThrough(c), cpu::CheckedAdd(FailThrough(c), dim, amounts[2 * d]), amounts[2 * d + 1]);
    }
  }
  c.set_output(0, PartialShape(std::move(dims)));
}
void ReverseShape(ShapeContext& c) {
  const PartialShape dims = c.WithRank(1, 1), &in = c.input(0);
  if (in.has_rank() && dims[0] >= 0 && dims[0] != in.rank())
    c.Fail(fmt::format("'dims' must have one value for each dimension of {}, got {}", in.ToString(), dims[0]));
  c.set_output(0, in);
}
void ReverseSequenceShape(ShapeContext& c) {
  const PartialShape& in = c.input(0);
  c.WithRank(1, 1);
  for (const char* name : {"seq_dim", "batch_dim"}) {
    const std::int64_t d = c.attr<std::int64_t>(name);
    if (in.has_rank() && (d < 0 || d >= in.rank()))
      c.Fail(fmt::format("{} must be < input rank: {} vs. {}", name, d, in.rank()));
  }
  c.set_output(0, in);
}
ShapeFn BlockShape(bool to_depth) {
  return [to_depth](ShapeContext& c) {
    const std::string& format = c.attr<std::string>("data_format");
    const PartialShape in = c.WithRank(0, 4);
    const std::int64_t block = c.attr<std::int64_t>("block_size");
    const int depth = format == "NHWC" ? 3 : 1, height = format == "NHWC" ? 1 : 2;
    Ints dims = in.dims();
    for (int d : {height, height + 1, depth}) {
      std::int64_t& dim = dims[static_cast<std::size_t>(d)];
      const std::int64_t factor = d == depth ? block * block : block;
      if (dim < 0) continue;
      if ((d == depth) == to_depth) {
        dim *= factor;
      } else {
        if (dim % factor != 0)
          c.Fail(fmt::format("Dimension size must be evenly divisible by {} but is {}: dimension {} of {}", factor, dim,
                             d, in.ToString()));
        dim /= factor;
      }
    }
    c.set_output(0, PartialShape(std::move(dims)));
  };
}
}  // namespace

void RegisterArraysSlice(OpRegistry& r) {
  r.Add({.name = "Pack",
         .doc = "Arrays of one shape, stacked along a new axis.",
         .inputs = {"values: N * T"},
         .outputs = {"output: T"},
         .attrs = {"N: int >= 1", "T: type", "axis: int = 0"},
         .shape = PackShape,
         .kernel = Stateless(cpu::WithStrings<cpu::Pack>)});
  r.Add({.name = "Unpack",
         .doc = "The slices along one axis.",
         .inputs = {"value: T"},
         .outputs = {"output: num * T"},
         .attrs = {"num: int >= 0", "T: type", "axis: int = 0"},
         .shape = UnpackShape,
         .kernel = Stateless(cpu::WithStrings<cpu::Unpack>)});
  r.Add({.name = "Split",
         .doc = "Equal parts along one axis.",
         .inputs = {"split_dim: int32", "value: T"},
         .outputs = {"output: num_split * T"},
         .attrs = {"num_split: int >= 1", "T: type"},
         .shape = SplitShape,
         .kernel = Stateless(cpu::WithStrings<cpu::Split>)});
  r.Add({.name = "SplitV",
         .doc = "Parts of given sizes along one axis.",
         .inputs = {"value: T", "size_splits: Tlen", "split_dim: int32"},
         .outputs = {"output: num_split * T"},
         .attrs = {"num_split: int >= 1", "T: type", "Tlen: {int8, int32, int64} = int64"},
         .shape = SplitVShape,
         .kernel = Stateless(cpu::WithStrings<cpu::SplitV>)});
  r.Add({.name = "Slice",
         .doc = "A box of the input.",
         .inputs = {"input: T", "begin: Index", "size: Index"},
         .outputs = {"output: T"},
         .attrs = {"T: type", kIndex},
         .shape = SliceShape,
         .kernel = Stateless(cpu::WithStrings<cpu::Slice>)});
  r.Add({.name = "StridedSlice",
         .doc = "What Python's x[begin:end:stride, ...] takes, with newaxis, ellipsis and single indices as masks.",
         .inputs = {"input: T", "begin: Index", "end: Index", "strides: Index"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "Index: {int16, int32, int64}", "begin_mask: int = 0", "end_mask: int = 0",
                   "ellipsis_mask: int = 0", "new_axis_mask: int = 0", "shrink_axis_mask: int = 0"},
         .shape = StridedSliceShape,
         .kernel = Stateless(cpu::WithStrings<cpu::StridedSlice>)});
  r.Add({.name = "Tile",
         .doc = "The input repeated along its axes.",
         .inputs = {"input: T", "multiples: Tmultiples"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "Tmultiples: {int32, int64} = int32"},
         .shape = TileShape,
         .kernel = Stateless(cpu::WithStrings<cpu::Tile>)});
  r.Add({.name = "ReverseV2",
         .doc = "The input with some axes reversed.",
         .inputs = {"tensor: T", "axis: Tidx"},
         .outputs = {"output: T"},
         .attrs = {"Tidx: {int32, int64} = int32",
                   "T: {uint8, int8, uint16, int16, int32, uint32, int64, uint64, bool, bfloat16, half, float, double, "
                   "complex64, complex128, string}"},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::WithStrings<cpu::ReverseV2>)});
  r.Add({.name = "Reverse",
         .doc = "The input with some axes reversed.",
         .inputs = {"tensor: T", "dims: bool"},
         .outputs = {"output: T"},
         .attrs = {"T: {uint8, int8, uint16, int16, uint32, int32, uint64, int64, bool, bfloat16, half, float, double, "
                   "complex64, complex128, string}"},
         .shape = ReverseShape,
         .kernel = Stateless(cpu::WithStrings<cpu::Reverse>)});
  r.Add({.name = "ReverseSequence",
         .doc = "The beginning of each sequence reversed.",
         .inputs = {"input: T", "seq_lengths: Tlen"},
         .outputs = {"output: T"},
         .attrs = {"seq_dim: int", "batch_dim: int = 0", "T: type", "Tlen: {int32, int64} = int64"},
         .shape = ReverseSequenceShape,
         .kernel = Stateless(cpu::WithStrings<cpu::ReverseSequence>)});
  r.Add({.name = "Roll",
         .doc = "The input moved along axes, what leaves at one end coming in at the other.",
         .inputs = {"input: T", "shift: Tshift", "axis: Taxis"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "Tshift: {int32, int64}", "Taxis: {int32, int64}"},
         .shape = [](ShapeContext& c) { c.set_output(0, c.WithRankAtLeast(0, 1)); },
         .kernel = Stateless(cpu::WithStrings<cpu::Roll>)});
  r.Add({.name = "ParallelConcat",
         .doc = "Rows below one another.",
         .inputs = {"values: N * T"},
         .outputs = {"output: T"},
         .attrs = {"N: int >= 1", "T: type", "shape: shape"},
         .shape = [](ShapeContext& c) { c.set_output(0, c.attr<PartialShape>("shape")); },
         .kernel = Stateless(cpu::WithStrings<cpu::ParallelConcat>)});
  r.Add({.name = "StridedSliceGrad",
         .doc = "Zeros in the shape of StridedSlice's input but for what it took.",
         .inputs = {"shape: Index", "begin: Index", "end: Index", "strides: Index", "dy: T"},
         .outputs = {"output: T"},
         .attrs = {"T: type", kIndex, "begin_mask: int = 0", "end_mask: int = 0", "ellipsis_mask: int = 0",
                   "new_axis_mask: int = 0", "shrink_axis_mask: int = 0"},
         .shape = [](ShapeContext& c) { c.set_output(0, ShapeFromInput(c, 0)); },
         .kernel = Stateless(cpu::WithStrings<cpu::StridedSliceGrad>)});
  r.Add({.name = "BroadcastTo",
         .doc = "The input stretched to a shape.",
         .inputs = {"input: T", "shape: Tidx"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "Tidx: {int32, int64} = int32"},
         .shape = BroadcastToShape,
         .kernel = Stateless(cpu::WithStrings<cpu::BroadcastTo>)});
  r.Add({.name = "MirrorPad",
         .doc = "Mirror images around: REFLECT without repeating the edge, SYMMETRIC with it.",
         .inputs = {"input: T", "paddings: Tpaddings"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "Tpaddings: {int32, int64} = int32", "mode: {'REFLECT', 'SYMMETRIC'}"},
         .shape = MirrorPadShape,
         .kernel = Stateless(cpu::WithStrings<cpu::MirrorPad>)});
  r.Add({.name = "IdentityN",
         .doc = "Its inputs.",
         .inputs = {"input: T"},
         .outputs = {"output: T"},
         .attrs = {"T: list(type) >= 1"},
         .shape =
             [](ShapeContext& c) {
               for (int i = 0; i < c.num_inputs(); ++i) c.set_output(i, c.input(i));
             },
         .kernel = Stateless(cpu::IdentityN)});
  r.Add({.name = "PlaceholderWithDefault",
         .doc = "A value that may be fed, or its input.",
         .inputs = {"input: dtype"},
         .outputs = {"output: dtype"},
         .attrs = {"dtype: type", "shape: shape"},
         .shape =
             [](ShapeContext& c) {
               const auto& shape = c.attr<PartialShape>("shape");
               Merge(c, shape, 0);
               c.set_output(0, shape);
             },
         .kernel = Stateless(cpu::Identity)});
  r.Add({.name = "Rank",
         .doc = "The input's number of dimensions.",
         .inputs = {"input: T"},
         .outputs = {"output: int32"},
         .attrs = {"T: type"},
         .shape = [](ShapeContext& c) { c.set_output(0, Shape{}); },
         .kernel = Stateless(cpu::RankOf)});
  r.Add({.name = "Size",
         .doc = "The input's number of elements.",
         .inputs = {"input: T"},
         .outputs = {"output: out_type"},
         .attrs = {"T: type", "out_type: {int32, int64} = int32"},
         .shape = [](ShapeContext& c) { c.set_output(0, Shape{}); },
         .kernel = Stateless(cpu::SizeOfInput)});
  for (const bool to_depth : {true, false})
    r.Add({.name = to_depth ? "SpaceToDepth" : "DepthToSpace",
           .doc = to_depth ? "Blocks of cells laid behind one another as channels."
                           : "Groups of channels laid out as blocks of cells.",
           .inputs = {"input: T"},
           .outputs = {"output: T"},
           .attrs = {"T: type", "block_size: int >= 2", "data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'"},
           .shape = BlockShape(to_depth),
           .kernel = Stateless(to_depth ? cpu::WithStrings<cpu::SpaceToDepth> : cpu::WithStrings<cpu::DepthToSpace>)});
}

}  // namespace equiv::ops
