// kernels/ops/complex.cc - complex numbers: made of two arrays and taken apart.
#include "kernels/cpu/complex.h"

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
constexpr const char* kComplexT = "T: {complex64, complex128} = complex64";

void Part(OpRegistry& r, const char* name, const char* doc, const char* input, const char* output,
          void (*kernel)(KernelContext&)) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = {input},
         .outputs = {output},
         .attrs = {kComplexT, "Tout: {float, double} = float"},
         .shape = SameAsFirst,
         .kernel = Stateless(kernel)});
}
}  // namespace

void RegisterComplex(OpRegistry& r) {
  r.Add({.name = "Complex",
         .doc = "Complex numbers of their parts, broadcast.",
         .inputs = {"real: T", "imag: T"},
         .outputs = {"out: Tout"},
         .attrs = {"T: {float, double} = float", "Tout: {complex64, complex128} = complex64"},
         .shape = BroadcastFirstTwo,
         .kernel = Stateless(cpu::Complex)});
  Part(r, "Real", "Real parts.", "input: T", "output: Tout", cpu::Real);
  Part(r, "Imag", "Imaginary parts.", "input: T", "output: Tout", cpu::Imag);
  Part(r, "ComplexAbs", "Absolute values of complex numbers.", "x: T", "y: Tout", cpu::ComplexAbs);
  Part(r, "Angle", "Angles of complex numbers.", "input: T", "output: Tout", cpu::Angle);
  r.Add({.name = "Conj",
         .doc = "Complex conjugates.",
         .inputs = {"input: T"},
         .outputs = {"output: T"},
         .attrs = {"T: {complex64, complex128, variant} = complex64"},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::Conj)});
}

}  // namespace equiv::ops
