// kernels/cpu/elementwise.h - arithmetic element by element, with NumPy's broadcasting.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// tf: BroadcastBinaryOpShape; the shape both operands stretch to, InvalidArgumentError when they do not.
Shape BroadcastShape(KernelContext& ctx, const Shape& a, const Shape& b);

// One argument. float16, bfloat16, float32, float64; Abs, Neg and Sign also signed integers, Square, Relu and Relu6
// every integer. Half precision: each step in float32, rounded at once (half.h).
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
void Rint(KernelContext& ctx);
void Selu(KernelContext& ctx);
void LeakyRelu(KernelContext& ctx);  // attribute alpha
void Softsign(KernelContext& ctx);
void Erf(KernelContext& ctx);
void Log1p(KernelContext& ctx);
void Expm1(KernelContext& ctx);
void Sin(KernelContext& ctx);
void Cos(KernelContext& ctx);
void Reciprocal(KernelContext& ctx);
void Tan(KernelContext& ctx);
void Asin(KernelContext& ctx);
void Acos(KernelContext& ctx);
void Atan(KernelContext& ctx);
void Sinh(KernelContext& ctx);
void Cosh(KernelContext& ctx);
void Asinh(KernelContext& ctx);
void Acosh(KernelContext& ctx);
void Atanh(KernelContext& ctx);
void Erfc(KernelContext& ctx);
void Erfinv(KernelContext& ctx);   // float32, float64
void Ndtri(KernelContext& ctx);    // float32, float64
void Lgamma(KernelContext& ctx);   // no bfloat16
void Digamma(KernelContext& ctx);  // no bfloat16
void IsNan(KernelContext& ctx);    // to bool, as the next two
void IsInf(KernelContext& ctx);
void IsFinite(KernelContext& ctx);
void LogicalNot(KernelContext& ctx);

void Invert(KernelContext& ctx);  // integers: every bit

// Two arguments, broadcast. float16, bfloat16, float32, float64; integers where said.
void Add(KernelContext& ctx);  // integers too, wrapping around; strings are joined
void Sub(KernelContext& ctx);
void Mul(KernelContext& ctx);
void SquaredDifference(KernelContext& ctx);
void RealDiv(KernelContext& ctx);
void Maximum(KernelContext& ctx);  // integers too; NaN if either is NaN; the first argument when equal
void Minimum(KernelContext& ctx);
void Pow(KernelContext& ctx);  // signed integers too; InvalidArgumentError on a negative power of integers
void Atan2(KernelContext& ctx);
void DivNoNan(KernelContext& ctx);  // 0 where y is 0
void MulNoNan(KernelContext& ctx);  // 0 where y is 0, whatever x is
void Xdivy(KernelContext& ctx);     // 0 where x is 0
void Xlogy(KernelContext& ctx);     // x * log(y), 0 where x is 0
void Xlog1py(KernelContext& ctx);   // x * log(1 + y), 0 where x is 0
// Integers too; InvalidArgumentError on an integer 0.
void Div(KernelContext& ctx);          // integers towards 0
void TruncateDiv(KernelContext& ctx);  // towards 0
void TruncateMod(KernelContext& ctx);  // what TruncateDiv leaves: of the dividend's sign; no small types
void FloorDiv(KernelContext& ctx);     // towards minus infinity
void FloorMod(KernelContext& ctx);     // what FloorDiv leaves: of the divisor's sign
// Integers.
void BitwiseAnd(KernelContext& ctx);
void BitwiseOr(KernelContext& ctx);
void BitwiseXor(KernelContext& ctx);
void LeftShift(KernelContext& ctx);
void RightShift(KernelContext& ctx);
// To bool; floating types and integers.
void Greater(KernelContext& ctx);
void GreaterEqual(KernelContext& ctx);
void Less(KernelContext& ctx);
void LessEqual(KernelContext& ctx);
void Equal(KernelContext& ctx);  // bool, strings and complex numbers too; attribute incompatible_shape_error
void NotEqual(KernelContext& ctx);
void ApproximateEqual(KernelContext& ctx);  // attribute tolerance; no broadcasting
void LogicalAnd(KernelContext& ctx);
void LogicalOr(KernelContext& ctx);

// condition ? x : y, all three broadcast. Copies bits, so any dtype of a fixed size.
void SelectV2(KernelContext& ctx);
// The same without broadcasting, but for a scalar condition and one of a vector that picks rows.
void Select(KernelContext& ctx);
void ClipByValue(KernelContext& ctx);  // t, clip_value_min, clip_value_max: scalars or of t's shape; NaN stays
// tf: aggregate_ops.cc: n mod 8 terms first (8 if that is 0, 9 if it is 1), then groups of eight, each summed left to
// right.
void AddN(KernelContext& ctx);
// Float to integer truncates; to bool: != 0 (NaN is true). Attribute Truncate: towards 0 between floating types.
void Cast(KernelContext& ctx);

}  // namespace equiv::cpu
