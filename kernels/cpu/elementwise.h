// kernels/cpu/elementwise.h - arithmetic element by element, with NumPy's broadcasting.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// tf: BroadcastBinaryOpShape; the shape both operands stretch to, InvalidArgumentError when they do not.
Shape BroadcastShape(KernelContext& ctx, const Shape& a, const Shape& b);

// One argument. float32, float64 (Abs, Neg, Sign, Square also int32, int64; Relu and Relu6 too).
void Relu(KernelContext& ctx);
void Relu6(KernelContext& ctx);
void Elu(KernelContext& ctx);
void Sigmoid(KernelContext& ctx);
void Tanh(KernelContext& ctx);
void Softplus(KernelContext& ctx);
void Exp(KernelContext& ctx);
void Log(KernelContext& ctx);
void Sqrt(KernelContext& ctx);
void Rsqrt(KernelContext& ctx);
void Square(KernelContext& ctx);
void Neg(KernelContext& ctx);
void Abs(KernelContext& ctx);
void Sign(KernelContext& ctx);
void Floor(KernelContext& ctx);
void Ceil(KernelContext& ctx);
void Round(KernelContext& ctx);  // half to even
void Selu(KernelContext& ctx);
void LeakyRelu(KernelContext& ctx);  // attribute alpha
void Softsign(KernelContext& ctx);
void Erf(KernelContext& ctx);
void Log1p(KernelContext& ctx);
void Expm1(KernelContext& ctx);
void Sin(KernelContext& ctx);
void Cos(KernelContext& ctx);
void Reciprocal(KernelContext& ctx);
void IsNan(KernelContext& ctx);  // to bool, as the next two
void IsInf(KernelContext& ctx);
void IsFinite(KernelContext& ctx);
void LogicalNot(KernelContext& ctx);

// Two arguments, broadcast. Numbers: float16, bfloat16 (computed in float32, rounded once), float32, float64, int32,
// int64.
void Add(KernelContext& ctx);
void Sub(KernelContext& ctx);
void Mul(KernelContext& ctx);
void RealDiv(KernelContext& ctx);
void Maximum(KernelContext& ctx);  // NaN if either is NaN; the first argument when equal
void Minimum(KernelContext& ctx);
void SquaredDifference(KernelContext& ctx);
void Pow(KernelContext& ctx);
void FloorDiv(KernelContext& ctx);  // rounds towards minus infinity; InvalidArgumentError on an integer 0
void FloorMod(KernelContext& ctx);  // what FloorDiv leaves: of the divisor's sign
void DivNoNan(KernelContext& ctx);  // 0 where y is 0
void Xdivy(KernelContext& ctx);     // 0 where x is 0
void Xlogy(KernelContext& ctx);     // x * log(y), 0 where x is 0
void Greater(KernelContext& ctx);
void GreaterEqual(KernelContext& ctx);
void Less(KernelContext& ctx);
void LessEqual(KernelContext& ctx);
void Equal(KernelContext& ctx);
void NotEqual(KernelContext& ctx);
void LogicalAnd(KernelContext& ctx);
void LogicalOr(KernelContext& ctx);

// condition ? x : y, all three broadcast. Copies bits, so any dtype of a fixed size.
void SelectV2(KernelContext& ctx);
// tf: aggregate_ops.cc: n mod 8 terms first (8 if that is 0, 9 if it is 1), then groups of eight, each summed left to
// right.
void AddN(KernelContext& ctx);
// Float to integer truncates; to bool: != 0 (NaN is true).
void Cast(KernelContext& ctx);

}  // namespace equiv::cpu
