// kernels/ops/elementwise_binary.cc - functions of two or more arguments, broadcast.
#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/strings_moved.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
constexpr bool kCommutative = true;

void Binary(OpRegistry& r, const char* name, const char* doc, const char* types, void (*kernel)(KernelContext&),
            bool commutative = false) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = {"x: T", "y: T"},
         .outputs = {"z: T"},
         .attrs = {Types("T", types)},
         .commutative = commutative,
         .shape = BroadcastFirstTwo,
         .kernel = Stateless(kernel)});
}
void Comparison(OpRegistry& r, const char* name, const char* doc, void (*kernel)(KernelContext&)) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = {"x: T", "y: T"},
         .outputs = {"z: bool"},
         .attrs = {Types("T", kReal)},
         .shape = BroadcastFirstTwo,
         .kernel = Stateless(kernel)});
}
// tf: unless it is an error, shapes that do not fit give a scalar
void EqualShape(ShapeContext& c) {
  const PartialShape &a = c.input(0), &b = c.input(1);
  if (c.attr<bool>("incompatible_shape_error")) return BroadcastFirstTwo(c);
  if (!a.has_rank() || !b.has_rank()) return c.set_output(0, PartialShape::Unknown());
  for (int i = 1; i <= std::min(a.rank(), b.rank()); ++i) {
    const std::int64_t da = a[a.rank() - i], db = b[b.rank() - i];
    if (da != 1 && db != 1 && (da < 0 || db < 0 || da != db)) return c.set_output(0, PartialShape::Unknown());
  }
  BroadcastFirstTwo(c);
}
void Equality(OpRegistry& r, const char* name, const char* doc, void (*kernel)(KernelContext&)) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = {"x: T", "y: T"},
         .outputs = {"z: bool"},
         .attrs = {"T: type", "incompatible_shape_error: bool = true"},
         .commutative = true,
         .shape = EqualShape,
         .kernel = Stateless(kernel)});
}
void Connective(OpRegistry& r, const char* name, void (*kernel)(KernelContext&)) {
  r.Add({.name = name,
         .doc = "Logical connective, broadcast.",
         .inputs = {"x: bool", "y: bool"},
         .outputs = {"z: bool"},
         .commutative = true,
         .shape = BroadcastFirstTwo,
         .kernel = Stateless(kernel)});
}

// tf: the shape function of AddN merges all inputs
void MergeAll(ShapeContext& c) {
  PartialShape merged = c.input(0);
  for (int i = 1; i < c.num_inputs(); ++i) {
    if (!merged.IsCompatibleWith(c.input(i)))
      c.Fail(fmt::format("Shapes must be equal: {} and {} from merging shape 0 with shape {}", merged.ToString(),
                         c.input(i).ToString(), i));
    merged = merged.MergeWith(c.input(i));
  }
  c.set_output(0, merged);
}
// tf: the shape function of Select
void SelectShape(ShapeContext& c) {
  const PartialShape values = Merge(c, c.input(1), 2), &condition = c.input(0);
  c.set_output(0, values);
  if (!condition.has_rank() || !values.has_rank() || condition.rank() == 0) return;
  if (condition.rank() == 1 && values.rank() != 1) {
    if (values.rank() == 0 || (condition[0] >= 0 && values[0] >= 0 && condition[0] != values[0]))
      c.Fail(fmt::format("a vector condition must have one element for each row: condition {}, values {}",
                         condition.ToString(), values.ToString()));
    return;
  }
  c.set_output(0, Merge(c, values, 0));
}
}  // namespace

void RegisterElementwiseBinary(OpRegistry& r) {
  Binary(r, "Add", "x + y, broadcast.",
         "{bfloat16, half, float, double, uint8, int8, int16, int32, int64, complex64, complex128, string}", cpu::Add);
  r.Add({.name = "AddV2",
         .doc = "x + y, broadcast.",
         .inputs = {"x: T", "y: T"},
         .outputs = {"z: T"},
         .attrs = {Types("T", kNumbers)},
         .aggregate = true,
         .commutative = true,
         .shape = BroadcastFirstTwo,
         .kernel = Stateless(cpu::Add)});
  Binary(r, "Sub", "x - y, broadcast.", kNumbers, cpu::Sub);
  Binary(r, "Mul", "x * y, broadcast.", kNumbers, cpu::Mul, kCommutative);
  Binary(r, "SquaredDifference", "(x - y)^2, broadcast.",
         "{bfloat16, half, float, double, int32, int64, complex64, complex128}", cpu::SquaredDifference, kCommutative);
  Binary(r, "RealDiv", "x / y, broadcast.", kNumbers, cpu::RealDiv);
  Binary(r, "Div", "x / y, integers towards 0, broadcast.", kNumbers, cpu::Div);
  Binary(r, "TruncateDiv", "Quotient rounded towards 0.", kNumbers, cpu::TruncateDiv);
  Binary(r, "FloorDiv", "Quotient rounded towards minus infinity.", kNumbers, cpu::FloorDiv);
  Binary(r, "FloorMod", "What FloorDiv leaves: has the sign of y.", kReal, cpu::FloorMod);
  for (const char* name : {"Mod", "TruncateMod"})
    Binary(r, name, "What TruncateDiv leaves: has the sign of x.", "{int32, int64, half, bfloat16, float, double}",
           cpu::TruncateMod);
  Binary(r, "DivNoNan", "x / y, 0 where y is 0.", kFloatsAndComplex, cpu::DivNoNan);
  Binary(r, "MulNoNan", "x * y, 0 where y is 0.", kFloatsAndComplex, cpu::MulNoNan);
  Binary(r, "Xdivy", "x / y, 0 where x is 0.", kFloatsAndComplex, cpu::Xdivy);
  Binary(r, "Xlogy", "x * log(y), 0 where x is 0.", kFloatsAndComplex, cpu::Xlogy);
  Binary(r, "Xlog1py", "x * log(1 + y), 0 where x is 0.", kFloatsAndComplex, cpu::Xlog1py);
  Binary(r, "Maximum", "The larger of x and y; NaN if either is.", kReal, cpu::Maximum);
  Binary(r, "Minimum", "The smaller of x and y; NaN if either is.", kReal, cpu::Minimum);
  Binary(r, "Pow", "x to the power y, broadcast.", kSignedAndComplex, cpu::Pow);
  r.Add({.name = "Atan2",
         .doc = "The angle of the point (x, y), broadcast.",
         .inputs = {"y: T", "x: T"},
         .outputs = {"z: T"},
         .attrs = {Types("T", kFloats)},
         .shape = BroadcastFirstTwo,
         .kernel = Stateless(cpu::Atan2)});
  Binary(r, "BitwiseAnd", "Bits set in both.", kIntegers, cpu::BitwiseAnd, kCommutative);
  Binary(r, "BitwiseOr", "Bits set in either.", kIntegers, cpu::BitwiseOr, kCommutative);
  Binary(r, "BitwiseXor", "Bits set in one of both.", kIntegers, cpu::BitwiseXor, kCommutative);
  Binary(r, "LeftShift", "x shifted left by y bits.", kIntegers, cpu::LeftShift);
  Binary(r, "RightShift", "x shifted right by y bits, its sign kept.", kIntegers, cpu::RightShift);
  Comparison(r, "Greater", "x > y.", cpu::Greater);
  Comparison(r, "GreaterEqual", "x >= y.", cpu::GreaterEqual);
  Comparison(r, "Less", "x < y.", cpu::Less);
  Comparison(r, "LessEqual", "x <= y.", cpu::LessEqual);
  Equality(r, "Equal", "x == y.", cpu::Equal);
  Equality(r, "NotEqual", "x != y.", cpu::NotEqual);
  Connective(r, "LogicalAnd", cpu::LogicalAnd);
  Connective(r, "LogicalOr", cpu::LogicalOr);
  r.Add({.name = "ApproximateEqual",
         .doc = "Whether x and y are closer than the tolerance.",
         .inputs = {"x: T", "y: T"},
         .outputs = {"z: bool"},
         .attrs = {Types("T", kNumbers), "tolerance: float = 0.00001"},
         .commutative = true,
         .shape = [](ShapeContext& c) { c.set_output(0, Merge(c, c.input(0), 1)); },
         .kernel = Stateless(cpu::ApproximateEqual)});
  r.Add({.name = "SelectV2",
         .doc = "condition ? t : e, all three broadcast.",
         .inputs = {"condition: bool", "t: T", "e: T"},
         .outputs = {"output: T"},
         .attrs = {"T: type"},
         .shape =
             [](ShapeContext& c) {
               c.set_output(0, BroadcastShapes(c, c.input(0), BroadcastShapes(c, c.input(1), c.input(2))));
             },
         .kernel = Stateless(cpu::WithStrings<cpu::SelectV2>)});
  r.Add({.name = "Select",
         .doc = "condition ? t : e; a vector condition picks rows.",
         .inputs = {"condition: bool", "t: T", "e: T"},
         .outputs = {"output: T"},
         .attrs = {"T: type"},
         .shape = SelectShape,
         .kernel = Stateless(cpu::WithStrings<cpu::Select>)});
  r.Add({.name = "ClipByValue",
         .doc = "t brought between two bounds, each a scalar or of t's shape.",
         .inputs = {"t: T", "clip_value_min: T", "clip_value_max: T"},
         .outputs = {"output: T"},
         .attrs = {Types("T", kNumbers)},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::ClipByValue)});
  r.Add({.name = "AddN",
         .doc = "Sum of all inputs, in TensorFlow's grouping.",
         .inputs = {"inputs: N * T"},
         .outputs = {"sum: T"},
         .attrs = {"N: int >= 1",
                   "T: {bfloat16, half, float, double, int8, int16, int32, int64, uint8, uint16, uint32, uint64, "
                   "complex64, complex128, variant}"},
         .aggregate = true,
         .commutative = true,
         .shape = MergeAll,
         .kernel = Stateless(cpu::AddN)});
}
}  // namespace equiv::ops
