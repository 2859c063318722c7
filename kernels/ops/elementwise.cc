// kernels/ops/elementwise.cc - ops that work element by element, their shapes and types.
#include "kernels/cpu/elementwise.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
constexpr const char* kFloats = "T: {float, double}";
constexpr const char* kNumbers = "T: {float, double, int32, int64}";
constexpr const char* kAllNumbers = "T: {bfloat16, half, float, double, int32, int64}";

void Unary(OpRegistry& r, const char* name, const char* doc, const char* types, void (*kernel)(KernelContext&),
           const char* in = "x: T", const char* out = "y: T") {
  r.Add({.name = name,
         .doc = doc,
         .inputs = {in},
         .outputs = {out},
         .attrs = {types},
         .shape = SameAsFirst,
         .kernel = Stateless(kernel)});
}
void Binary(OpRegistry& r, const char* name, const char* doc, const char* types, void (*kernel)(KernelContext&),
            const char* out = "z: T", bool commutative = false) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = {"x: T", "y: T"},
         .outputs = {out},
         .attrs = {types},
         .commutative = commutative,
         .shape = BroadcastFirstTwo,
         .kernel = Stateless(kernel)});
}
void Comparison(OpRegistry& r, const char* name, const char* doc, const char* types, void (*kernel)(KernelContext&)) {
  Binary(r, name, doc, types, kernel, "z: bool");
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
}  // namespace

void RegisterElementwise(OpRegistry& r) {
  Unary(r, "Relu", "max(x, 0), keeping NaN.", kNumbers, cpu::Relu, "features: T", "activations: T");
  Unary(r, "Relu6", "min(max(x, 0), 6), keeping NaN.", kNumbers, cpu::Relu6, "features: T", "activations: T");
  Unary(r, "Elu", "x for x >= 0, else exp(x) - 1.", kFloats, cpu::Elu, "features: T", "activations: T");
  Unary(r, "Softplus", "log(1 + exp(x)).", kFloats, cpu::Softplus, "features: T", "activations: T");
  Unary(r, "Sigmoid", "1 / (1 + exp(-x)).", kFloats, cpu::Sigmoid);
  Unary(r, "Tanh", "Hyperbolic tangent.", kFloats, cpu::Tanh);
  Unary(r, "Exp", "Exponential.", kFloats, cpu::Exp);
  Unary(r, "Log", "Natural logarithm.", kFloats, cpu::Log);
  Unary(r, "Sqrt", "Square root.", kFloats, cpu::Sqrt);
  Unary(r, "Rsqrt", "1 / sqrt(x).", kFloats, cpu::Rsqrt);
  Unary(r, "Square", "x * x.", kNumbers, cpu::Square);
  Unary(r, "Neg", "-x.", kNumbers, cpu::Neg);
  Unary(r, "Abs", "Absolute value.", kNumbers, cpu::Abs);
  Unary(r, "Sign", "-1, 0 or 1; NaN for NaN.", kNumbers, cpu::Sign);
  Unary(r, "Floor", "Largest integer not above x.", kFloats, cpu::Floor);
  Unary(r, "Ceil", "Smallest integer not below x.", kFloats, cpu::Ceil);
  Unary(r, "Round", "Nearest integer, half to even.", kFloats, cpu::Round);
  Unary(r, "Rint", "Nearest integer, half to even.", kFloats, cpu::Round);
  Unary(r, "Selu", "Scaled exponential linear.", kFloats, cpu::Selu, "features: T", "activations: T");
  r.Add({.name = "LeakyRelu",
         .doc = "x for x > 0, else alpha * x.",
         .inputs = {"features: T"},
         .outputs = {"activations: T"},
         .attrs = {"alpha: float = 0.2", "T: {float, double} = float"},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::LeakyRelu)});
  Unary(r, "Softsign", "x / (1 + |x|).", kFloats, cpu::Softsign, "features: T", "activations: T");
  Unary(r, "Erf", "Gauss's error function.", kFloats, cpu::Erf);
  Unary(r, "Log1p", "log(1 + x).", kFloats, cpu::Log1p);
  Unary(r, "Expm1", "exp(x) - 1.", kFloats, cpu::Expm1);
  Unary(r, "Sin", "Sine.", kFloats, cpu::Sin);
  Unary(r, "Cos", "Cosine.", kFloats, cpu::Cos);
  Unary(r, "Reciprocal", "1 / x.", kFloats, cpu::Reciprocal);
  Unary(r, "Inv", "1 / x.", kFloats, cpu::Reciprocal);
  Unary(r, "IsNan", "Whether x is NaN.", kFloats, cpu::IsNan, "x: T", "y: bool");
  Unary(r, "IsInf", "Whether x is infinite.", kFloats, cpu::IsInf, "x: T", "y: bool");
  Unary(r, "IsFinite", "Whether x is neither infinite nor NaN.", kFloats, cpu::IsFinite, "x: T", "y: bool");
  r.Add({.name = "LogicalNot",
         .doc = "not x.",
         .inputs = {"x: bool"},
         .outputs = {"y: bool"},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::LogicalNot)});

  Binary(r, "Add", "x + y, broadcast.", kAllNumbers, cpu::Add);
  Binary(r, "AddV2", "x + y, broadcast.", kAllNumbers, cpu::Add, "z: T", true);
  Binary(r, "Sub", "x - y, broadcast.", kAllNumbers, cpu::Sub);
  Binary(r, "Mul", "x * y, broadcast.", kAllNumbers, cpu::Mul, "z: T", true);
  Binary(r, "RealDiv", "x / y, broadcast.", kFloats, cpu::RealDiv);
  Binary(r, "Maximum", "The larger of x and y; NaN if either is.", kAllNumbers, cpu::Maximum, "z: T", true);
  Binary(r, "Minimum", "The smaller of x and y; NaN if either is.", kAllNumbers, cpu::Minimum, "z: T", true);
  Binary(r, "SquaredDifference", "(x - y)^2, broadcast.", kNumbers, cpu::SquaredDifference, "z: T", true);
  Binary(r, "Pow", "x to the power y, broadcast.", kFloats, cpu::Pow);
  Binary(r, "FloorDiv", "Quotient rounded towards minus infinity.", kNumbers, cpu::FloorDiv);
  Binary(r, "FloorMod", "What FloorDiv leaves: has the sign of y.", kNumbers, cpu::FloorMod);
  Binary(r, "DivNoNan", "x / y, 0 where y is 0.", kFloats, cpu::DivNoNan);
  Binary(r, "Xdivy", "x / y, 0 where x is 0.", kFloats, cpu::Xdivy);
  Binary(r, "Xlogy", "x * log(y), 0 where x is 0.", kFloats, cpu::Xlogy);
  Comparison(r, "Greater", "x > y.", kAllNumbers, cpu::Greater);
  Comparison(r, "GreaterEqual", "x >= y.", kAllNumbers, cpu::GreaterEqual);
  Comparison(r, "Less", "x < y.", kAllNumbers, cpu::Less);
  Comparison(r, "LessEqual", "x <= y.", kAllNumbers, cpu::LessEqual);
  Comparison(r, "Equal", "x == y.", "T: {bfloat16, half, float, double, int32, int64, bool}", cpu::Equal);
  Comparison(r, "NotEqual", "x != y.", "T: {bfloat16, half, float, double, int32, int64, bool}", cpu::NotEqual);
  for (const auto& [name, kernel] :
       {std::pair<const char*, void (*)(KernelContext&)>{"LogicalAnd", cpu::LogicalAnd}, {"LogicalOr", cpu::LogicalOr}})
    r.Add({.name = name,
           .doc = "Logical connective, broadcast.",
           .inputs = {"x: bool", "y: bool"},
           .outputs = {"z: bool"},
           .commutative = true,
           .shape = BroadcastFirstTwo,
           .kernel = Stateless(kernel)});

  r.Add({.name = "SelectV2",
         .doc = "condition ? t : e, all three broadcast.",
         .inputs = {"condition: bool", "t: T", "e: T"},
         .outputs = {"output: T"},
         .attrs = {"T: type"},
         .shape =
             [](ShapeContext& c) {
               c.set_output(0, BroadcastShapes(c, c.input(0), BroadcastShapes(c, c.input(1), c.input(2))));
             },
         .kernel = Stateless(cpu::SelectV2)});
  r.Add({.name = "AddN",
         .doc = "Sum of all inputs, in TensorFlow's grouping.",
         .inputs = {"inputs: N * T"},
         .outputs = {"sum: T"},
         .attrs = {"N: int >= 1", kNumbers},
         .aggregate = true,
         .commutative = true,
         .shape = MergeAll,
         .kernel = Stateless(cpu::AddN)});
  r.Add({.name = "Cast",
         .doc = "Converts to another dtype.",
         .inputs = {"x: SrcT"},
         .outputs = {"y: DstT"},
         .attrs = {"SrcT: type", "DstT: type", "Truncate: bool = false"},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::Cast)});
}
}  // namespace equiv::ops
