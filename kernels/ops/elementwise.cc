// kernels/ops/elementwise.cc - activations and functions of one argument.
#include "kernels/cpu/elementwise.h"

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {

void Activation(OpRegistry& r, const char* name, const char* doc, const char* types, void (*kernel)(KernelContext&)) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = {"features: T"},
         .outputs = {"activations: T"},
         .attrs = {Types("T", types)},
         .shape = SameAsFirst,
         .kernel = Stateless(kernel)});
}
void Unary(OpRegistry& r, const char* name, const char* doc, const char* types, void (*kernel)(KernelContext&),
           const char* out = "y: T") {
  r.Add({.name = name,
         .doc = doc,
         .inputs = {"x: T"},
         .outputs = {out},
         .attrs = {Types("T", types)},
         .shape = SameAsFirst,
         .kernel = Stateless(kernel)});
}
}  // namespace

void RegisterElementwise(OpRegistry& r) {
  Activation(r, "Relu", "max(x, 0), keeping NaN.", kReal, cpu::Relu);
  Activation(r, "Relu6", "min(max(x, 0), 6), keeping NaN.", kReal, cpu::Relu6);
  Activation(r, "Elu", "x for x >= 0, else exp(x) - 1.", kFloats, cpu::Elu);
  Activation(r, "Selu", "Scaled exponential linear.", kFloats, cpu::Selu);
  Activation(r, "Softplus", "log(1 + exp(x)).", kFloats, cpu::Softplus);
  Activation(r, "Softsign", "x / (1 + |x|).", kFloats, cpu::Softsign);
  r.Add({.name = "LeakyRelu",
         .doc = "x for x > 0, else alpha * x.",
         .inputs = {"features: T"},
         .outputs = {"activations: T"},
         .attrs = {"alpha: float = 0.2", Types("T", kFloats, "float")},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::LeakyRelu)});
  Unary(r, "Sigmoid", "1 / (1 + exp(-x)).", kFloatsAndComplex, cpu::Sigmoid);
  Unary(r, "Tanh", "Hyperbolic tangent.", kFloatsAndComplex, cpu::Tanh);
  Unary(r, "Exp", "Exponential.", kFloatsAndComplex, cpu::Exp);
  Unary(r, "Expm1", "exp(x) - 1.", kFloatsAndComplex, cpu::Expm1);
  Unary(r, "Log", "Natural logarithm.", kFloatsAndComplex, cpu::Log);
  Unary(r, "Log1p", "log(1 + x).", kFloatsAndComplex, cpu::Log1p);
  Unary(r, "Sqrt", "Square root.", kFloatsAndComplex, cpu::Sqrt);
  Unary(r, "Rsqrt", "1 / sqrt(x).", kFloatsAndComplex, cpu::Rsqrt);
  Unary(r, "Square", "x * x.", kNumbers, cpu::Square);
  Unary(r, "Neg", "-x.", kSignedAndComplex, cpu::Neg);
  Unary(r, "Abs", "Absolute value.", kSigned, cpu::Abs);
  Unary(r, "Sign", "-1, 0 or 1; NaN for NaN.", kSignedAndComplex, cpu::Sign);
  Unary(r, "Floor", "Largest integer not above x.", kFloats, cpu::Floor);
  Unary(r, "Ceil", "Smallest integer not below x.", kFloats, cpu::Ceil);
  Unary(r, "Round", "Nearest integer, half to even.", kSignedAndComplex, cpu::Round);
  Unary(r, "Rint", "Nearest integer, half to even.", kFloats, cpu::Rint);
  Unary(r, "Reciprocal", "1 / x.", kSignedAndComplex, cpu::Reciprocal);
  Unary(r, "Inv", "1 / x.", kSignedAndComplex, cpu::Reciprocal);
  Unary(r, "Invert", "Every bit inverted.", kIntegers, cpu::Invert);
  Unary(r, "Sin", "Sine.", kFloatsAndComplex, cpu::Sin);
  Unary(r, "Cos", "Cosine.", kFloatsAndComplex, cpu::Cos);
  Unary(r, "Tan", "Tangent.", kFloatsAndComplex, cpu::Tan);
  Unary(r, "Asin", "Inverse sine.", kFloatsAndComplex, cpu::Asin);
  Unary(r, "Acos", "Inverse cosine.", kFloatsAndComplex, cpu::Acos);
  Unary(r, "Atan", "Inverse tangent.", kFloatsAndComplex, cpu::Atan);
  Unary(r, "Sinh", "Hyperbolic sine.", kFloatsAndComplex, cpu::Sinh);
  Unary(r, "Cosh", "Hyperbolic cosine.", kFloatsAndComplex, cpu::Cosh);
  Unary(r, "Asinh", "Inverse hyperbolic sine.", kFloatsAndComplex, cpu::Asinh);
  Unary(r, "Acosh", "Inverse hyperbolic cosine.", kFloatsAndComplex, cpu::Acosh);
  Unary(r, "Atanh", "Inverse hyperbolic tangent.", kFloatsAndComplex, cpu::Atanh);
  Unary(r, "Erf", "Gauss's error function.", kFloats, cpu::Erf);
  Unary(r, "Erfc", "1 - erf(x).", kFloats, cpu::Erfc);
  Unary(r, "Erfinv", "Inverse of erf.", kFloats, cpu::Erfinv);
  Unary(r, "Ndtri", "Quantile of the standard normal distribution.", kFloats, cpu::Ndtri);
  Unary(r, "Lgamma", "Logarithm of the absolute value of gamma(x).", kFloats, cpu::Lgamma);
  Unary(r, "Digamma", "Derivative of log(gamma(x)).", kFloats, cpu::Digamma);
  Unary(r, "IsNan", "Whether x is NaN.", kFloats, cpu::IsNan, "y: bool");
  Unary(r, "IsInf", "Whether x is infinite.", kFloats, cpu::IsInf, "y: bool");
  Unary(r, "IsFinite", "Whether x is neither infinite nor NaN.", kFloats, cpu::IsFinite, "y: bool");
  r.Add({.name = "LogicalNot",
         .doc = "not x.",
         .inputs = {"x: bool"},
         .outputs = {"y: bool"},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::LogicalNot)});
  r.Add({.name = "Cast",
         .doc = "Converts to another dtype.",
         .inputs = {"x: SrcT"},
         .outputs = {"y: DstT"},
         .attrs = {"SrcT: type", "DstT: type", "Truncate: bool = false"},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::Cast)});
}
}  // namespace equiv::ops
