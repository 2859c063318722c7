// kernels/ops/arrays.cc - ops that make, move and reshape arrays.
#include "kernels/cpu/arrays.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/strings_moved.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {

void FillShape(ShapeContext& c) { c.set_output(0, ShapeFromInput(c, 0)); }
// tf: ReshapeShape: one -1 is worked out where everything else is known
void ReshapeShape(ShapeContext& c) {
  const Array* wanted = c.constant(1);
  const PartialShape& in = c.input(0);
  if (!wanted) {
    const PartialShape& dims = c.input(1);
    const bool counted = dims.has_rank() && dims.rank() == 1 && dims[0] >= 0 && dims[0] <= kMaxRank;
    return c.set_output(0, counted ? PartialShape::UnknownOfRank(static_cast<int>(dims[0])) : PartialShape::Unknown());
  }
  std::vector<std::int64_t> dims = wanted->AsInt64Vector();
  std::int64_t known = 1;
  int unknown = -1;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] < -1) c.Fail(fmt::format("Size {} must be non-negative, not {}", i, dims[i]));
    if (dims[i] == -1) {
      if (unknown >= 0) c.Fail(fmt::format("Only one input size may be -1, not both {} and {}", unknown, i));
      unknown = static_cast<int>(i);
    } else {
      known = cpu::CheckedMul(FailThrough(c), known, dims[i]);
    }
  }
  if (const std::optional<Shape> shape = in.AsShape()) {
    const std::int64_t elements = shape->num_elements();
    const bool fits = unknown < 0 ? known == elements : known != 0 && elements % known == 0;
    if (!fits)
      c.Fail(fmt::format("Cannot reshape a tensor with {} elements to shape {}: input shape is {}", elements,
                         PartialShape(dims).ToString(), in.ToString()));
    if (unknown >= 0) dims[static_cast<std::size_t>(unknown)] = elements / known;
  }
  c.set_output(0, PartialShape(std::move(dims)));
}
void SqueezeShape(ShapeContext& c) {
  const PartialShape& in = c.input(0);
  const auto& axes = c.attr<std::vector<std::int64_t>>("squeeze_dims");
  if (!in.has_rank()) return c.set_output(0, PartialShape::Unknown());
  if (axes.empty() && !in.IsFullyDefined()) return c.set_output(0, PartialShape::Unknown());
  std::vector<bool> drop(static_cast<std::size_t>(in.rank()), false);
  for (std::int64_t axis : axes) drop[static_cast<std::size_t>(Axis(c, axis, in.rank()))] = true;
  std::vector<std::int64_t> dims;
  for (int i = 0; i < in.rank(); ++i) {
    const bool named = drop[static_cast<std::size_t>(i)];
    if (named && in[i] != 1 && in[i] >= 0)
      c.Fail(fmt::format("Can not squeeze dim[{}], expected a dimension of 1, got {}", i, in[i]));
    if (!named && !(axes.empty() && in[i] == 1)) dims.push_back(in[i]);
  }
  c.set_output(0, PartialShape(std::move(dims)));
}
void ExpandDimsShape(ShapeContext& c) {
  const PartialShape& in = c.input(0);
  const std::optional<std::int64_t> axis = ConstantScalar(c, 1);
  if (!in.has_rank()) return c.set_output(0, PartialShape::Unknown());
  if (!axis) return c.set_output(0, PartialShape::UnknownOfRank(in.rank() + 1));
  std::vector<std::int64_t> dims = in.dims();
  dims.insert(dims.begin() + Axis(c, *axis, in.rank() + 1), 1);
  c.set_output(0, PartialShape(std::move(dims)));
}
// tf: ConcatShapeHelper
void ConcatShapeOf(ShapeContext& c, int first, int axis_input) {
  const int end = first + c.num_inputs() - 1;
  int rank = -1;
  for (int i = first; i < end; ++i) {
    if (!c.input(i).has_rank()) continue;
    if (rank >= 0 && rank != c.input(i).rank())
      c.Fail(fmt::format("Shapes must have equal rank, but are {} and {}", rank, c.input(i).rank()));
    rank = c.input(i).rank();
  }
  if (rank < 0) return c.set_output(0, PartialShape::Unknown());
  const std::optional<std::int64_t> given = ConstantScalar(c, axis_input);
  if (!given) return c.set_output(0, PartialShape::UnknownOfRank(rank));
  const int axis = Axis(c, *given, rank);
  std::vector<std::int64_t> dims(static_cast<std::size_t>(rank), -1);
  dims[static_cast<std::size_t>(axis)] = 0;
  for (int i = first; i < end; ++i) {
    for (int d = 0; d < rank; ++d) {
      std::int64_t& out = dims[static_cast<std::size_t>(d)];
      const std::int64_t here = c.input(i).has_rank() ? c.input(i)[d] : -1;
      if (d == axis) {
        if (out < 0 || here < 0)
          out = -1;
        else if (__builtin_add_overflow(out, here, &out))
          c.Fail(fmt::format("dimension {} of the result is larger than 2**63 - 1", d));
      } else if (out < 0) {
        out = here;
      } else if (here >= 0 && here != out) {
        c.Fail(fmt::format("Dimension {} in both shapes must be equal, but are {} and {}. Shapes are {} and {}", d, out,
                           here, c.input(first).ToString(), c.input(i).ToString()));
      }
    }
  }
  c.set_output(0, PartialShape(std::move(dims)));
}
void ConcatV2Shape(ShapeContext& c) { ConcatShapeOf(c, 0, c.num_inputs() - 1); }
void ConcatShape(ShapeContext& c) { ConcatShapeOf(c, 1, 0); }
void DiagShape(ShapeContext& c) {
  const PartialShape in = c.WithRankAtLeast(0, 1);
  if (!in.has_rank()) return c.set_output(0, in);
  std::vector<std::int64_t> dims = in.dims();
  dims.insert(dims.end(), in.dims().begin(), in.dims().end());
  c.set_output(0, PartialShape(std::move(dims)));
}
void PadShape(ShapeContext& c) {
  const PartialShape pads = c.WithRank(1, 2);
  const PartialShape& in = c.input(0);
  if (pads[1] >= 0 && pads[1] != 2) c.Fail("paddings must have shape [n, 2], got " + pads.ToString());
  if (in.has_rank() && pads[0] >= 0 && pads[0] != in.rank())
    c.Fail(fmt::format("The first dimension of paddings must be the rank of inputs: paddings {}, inputs {}",
                       pads.ToString(), in.ToString()));
  const Array* value = c.constant(1);
  if (!in.has_rank())
    return c.set_output(
        0, pads[0] >= 0 ? PartialShape::UnknownOfRank(static_cast<int>(pads[0])) : PartialShape::Unknown());
  if (!value) return c.set_output(0, PartialShape::UnknownOfRank(in.rank()));
  const std::vector<std::int64_t> amounts = value->AsInt64Vector();
  std::vector<std::int64_t> dims = in.dims();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::int64_t before = amounts[2 * i], after = amounts[2 * i + 1];
    if (before < 0 || after < 0) c.Fail(fmt::format("Paddings must be non-negative: {} {}", before, after));
    if (dims[i] >= 0)
      dims[i] = cpu::CheckedAdd(FailThrough(c), cpu::CheckedAdd(FailThrough(c), dims[i], before), after);
  }
  c.set_output(0, PartialShape(std::move(dims)));
}
void TransposeShape(ShapeContext& c) {
  const PartialShape& in = c.input(0);
  const Array* perm = c.constant(1);
  if (!perm || !in.has_rank())
    return c.set_output(0, in.has_rank() ? PartialShape::UnknownOfRank(in.rank()) : PartialShape::Unknown());
  std::vector<std::int64_t> dims;
  for (std::int64_t p : perm->AsInt64Vector()) {
    if (p < 0 || p >= in.rank()) c.Fail(fmt::format("perm dim {} is out of range of input rank {}", p, in.rank()));
    dims.push_back(in[static_cast<int>(p)]);
  }
  if (static_cast<int>(dims.size()) != in.rank())
    c.Fail(fmt::format("perm must have as many entries as the input has dimensions: {} for {}", dims.size(),
                       in.ToString()));
  c.set_output(0, PartialShape(std::move(dims)));
}
OpDef Passing(const char* name, std::vector<std::string> attrs = {}) {
  attrs.insert(attrs.begin(), "T: type");
  return {.name = name,
          .doc = "Its input.",
          .inputs = {"input: T"},
          .outputs = {"output: T"},
          .attrs = std::move(attrs),
          .shape = SameAsFirst,
          .kernel = Stateless(cpu::Identity)};
}
void ConstShape(ShapeContext& c) {
  const Array& value = c.attr<Array>("value");
  if (value.dtype() != c.attr<DType>("dtype"))  // tf: ConstantOp, "Inconsistency between attr and dtype"
    c.Fail(
        fmt::format("the value is {}, attribute 'dtype' says {}", Name(value.dtype()), Name(c.attr<DType>("dtype"))));
  c.set_output(0, value.shape());
}
}  // namespace

void RegisterArrays(OpRegistry& r) {
  r.Add({.name = "Const",
         .doc = "A constant.",
         .outputs = {"output: dtype"},
         .attrs = {"value: tensor", "dtype: type"},
         .shape = ConstShape,
         .kernel = Stateless(cpu::Const)});
  r.Add({.name = "Placeholder",
         .doc = "A value to be fed.",
         .outputs = {"output: dtype"},
         .attrs = {"dtype: type", "shape: shape = unknown"},
         .shape = [](ShapeContext& c) { c.set_output(0, c.attr<PartialShape>("shape")); },
         .kernel = Stateless(cpu::Placeholder)});
  r.Add({.name = "NoOp",
         .doc = "Does nothing; holds control dependencies.",
         .shape = [](ShapeContext&) {},
         .kernel = Stateless(cpu::NoOp)});
  for (const char* name : {"Identity", "StopGradient", "Snapshot", "DebugGradientIdentity"}) r.Add(Passing(name));
  r.Add(Passing("PreventGradient", {"message: string = ''"}));
  r.Add(Passing("DebugIdentity", {"device_name: string = ''", "tensor_name: string = ''",
                                  "debug_urls: list(string) = []", "gated_grpc: bool = false"}));
  OpDef guarantee = Passing("GuaranteeConst");
  guarantee.stateful = true;
  r.Add(std::move(guarantee));
  r.Add({.name = "Fill",
         .doc = "A shape filled with one value.",
         .inputs = {"dims: index_type", "value: T"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "index_type: {int32, int64} = int32"},
         .shape = FillShape,
         .kernel = Stateless(cpu::WithStrings<cpu::Fill>)});
  r.Add({.name = "ZerosLike",
         .doc = "Zeros in the input's shape.",
         .inputs = {"x: T"},
         .outputs = {"y: T"},
         .attrs = {"T: type"},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::WithStrings<cpu::ZerosLike>)});
  r.Add({.name = "OnesLike",
         .doc = "Ones in the input's shape.",
         .inputs = {"x: T"},
         .outputs = {"y: T"},
         .attrs = {"T: {bfloat16, half, float, double, int8, uint8, int16, uint16, int32, uint32, int64, uint64, "
                   "complex64, complex128, bool}"},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::OnesLike)});
  r.Add({.name = "Shape",
         .doc = "The input's shape.",
         .inputs = {"input: T"},
         .outputs = {"output: out_type"},
         .attrs = {"T: type", "out_type: {int32, int64} = int32"},
         .shape = [](ShapeContext& c) { c.set_output(0, PartialShape(std::vector<std::int64_t>{c.input(0).rank()})); },
         .kernel = Stateless(cpu::ShapeOf)});
  r.Add({.name = "Reshape",
         .doc = "The same elements in another shape; one dimension may be -1.",
         .inputs = {"tensor: T", "shape: Tshape"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "Tshape: {int32, int64} = int32"},
         .shape = ReshapeShape,
         .kernel = Stateless(cpu::Reshape)});
  r.Add({.name = "Squeeze",
         .doc = "Drops dimensions of size 1.",
         .inputs = {"input: T"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "squeeze_dims: list(int) >= 0 = []"},
         .shape = SqueezeShape,
         .kernel = Stateless(cpu::Squeeze)});
  r.Add({.name = "ExpandDims",
         .doc = "Inserts a dimension of size 1.",
         .inputs = {"input: T", "dim: Tdim"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "Tdim: {int32, int64} = int32"},
         .shape = ExpandDimsShape,
         .kernel = Stateless(cpu::ExpandDims)});
  r.Add({.name = "ConcatV2",
         .doc = "Joins along one axis.",
         .inputs = {"values: N * T", "axis: Tidx"},
         .outputs = {"output: T"},
         .attrs = {"N: int >= 2", "T: type", "Tidx: {int32, int64} = int32"},
         .shape = ConcatV2Shape,
         .kernel = Stateless(cpu::WithStrings<cpu::ConcatV2>)});
  r.Add({.name = "Concat",
         .doc = "Joins along one axis.",
         .inputs = {"concat_dim: int32", "values: N * T"},
         .outputs = {"output: T"},
         .attrs = {"N: int >= 2", "T: type"},
         .shape = ConcatShape,
         .kernel = Stateless(cpu::WithStrings<cpu::Concat>)});
  r.Add({.name = "Pad",
         .doc = "Zeros around.",
         .inputs = {"input: T", "paddings: Tpaddings"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "Tpaddings: {int32, int64} = int32"},
         .shape = PadShape,
         .kernel = Stateless(cpu::WithStrings<cpu::Pad>)});
  r.Add({.name = "PadV2",
         .doc = "A given value around.",
         .inputs = {"input: T", "paddings: Tpaddings", "constant_values: T"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "Tpaddings: {int32, int64} = int32"},
         .shape = PadShape,
         .kernel = Stateless(cpu::WithStrings<cpu::PadV2>)});
  r.Add({.name = "Transpose",
         .doc = "Permutes dimensions.",
         .inputs = {"x: T", "perm: Tperm"},
         .outputs = {"y: T"},
         .attrs = {"T: type", "Tperm: {int32, int64} = int32"},
         .shape = TransposeShape,
         .kernel = Stateless(cpu::WithStrings<cpu::Transpose>)});
  r.Add({.name = "Diag",
         .doc = "A tensor of twice the rank with the input on its diagonal.",
         .inputs = {"diagonal: T"},
         .outputs = {"output: T"},
         .attrs = {"T: {bfloat16, half, float, double, int32, int64, complex64, complex128}"},
         .shape = DiagShape,
         .kernel = Stateless(cpu::Diag)});
  r.Add({.name = "DiagPart",
         .doc = "The diagonal of a tensor whose shape is twice the same.",
         .inputs = {"input: T"},
         .outputs = {"diagonal: T"},
         .attrs = {"T: {bfloat16, half, float, double, int32, int64, complex64, complex128}"},
         .shape =
             [](ShapeContext& c) {
               const PartialShape& in = c.input(0);
               if (!in.has_rank()) return c.set_output(0, in);
               if (in.rank() == 0 || in.rank() % 2 != 0)
                 c.Fail("Input must have even and positive rank, got shape " + in.ToString());
               c.set_output(
                   0, PartialShape(std::vector<std::int64_t>(in.dims().begin(), in.dims().begin() + in.rank() / 2)));
             },
         .kernel = Stateless(cpu::DiagPart)});
}
}  // namespace equiv::ops
