// kernels/cpu/complex.h - complex64 and complex128: made of two arrays and taken apart.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

void Complex(KernelContext& ctx);  // real, imag, broadcast
void Real(KernelContext& ctx);
void Imag(KernelContext& ctx);
void Conj(KernelContext& ctx);
void ComplexAbs(KernelContext& ctx);
void Angle(KernelContext& ctx);

}  // namespace equiv::cpu
