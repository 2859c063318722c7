#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "kernels/cpu/elementwise_loops.h"
#include "kernels/cpu/strings.h"

namespace equiv::cpu {
namespace {

template <class F>
void Floating(KernelContext& ctx, F f) {
  ForAnyFloat(ctx, ctx.input(0).dtype(),
              [&]<class T>() { Broadcast<T, T>(ctx, [f](T a, T b) -> T { return f(a, b); }); });
}
// Sums, differences and products: integers wrap around, so their signs do not matter.
template <class F>
void Arithmetic(KernelContext& ctx, F f) {
  if (!IsInteger(ctx.input(0).dtype())) return Floating(ctx, f);
  BroadcastBits(ctx, [f]<class U>(U a, U b) -> U { return f(a, b); });
}
template <class F>
void Real(KernelContext& ctx, F f) {
  ForReal(ctx, ctx.input(0).dtype(), [&]<class T>() { Broadcast<T, T>(ctx, [f](T a, T b) -> T { return f(a, b); }); });
}
// Comparisons alone would let a denormal through where TensorFlow's minps and maxps flush it.
template <class T>
T FlushTiny(T v) {
  if constexpr (std::is_integral_v<T> || std::is_same_v<T, Float16>)
    return v;
  else
    return abs(v) < std::numeric_limits<T>::min() ? copysign(T{0}, v) : v;
}
}  // namespace

Shape BroadcastShape(KernelContext& ctx, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const int rank = std::max(a.rank(), b.rank());
  std::vector<std::int64_t> dims(static_cast<std::size_t>(rank));
  for (int i = 0; i < rank; ++i) {
    const std::int64_t da = i < rank - a.rank() ? 1 : a[i - (rank - a.rank())],
                       db = i < rank - b.rank() ? 1 : b[i - (rank - b.rank())];
    if (da != db && da != 1 && db != 1)
      throw InvalidArgumentError(fmt::format("{}Incompatible shapes: {} vs. {}; dimensions must be equal or 1",
                                             ctx.Where(), a.ToString(), b.ToString()));
    dims[static_cast<std::size_t>(i)] = da == 1 ? db : da;
  }
  return Shape(dims);
}

void Add(KernelContext& ctx) {
  if (ctx.input(0).dtype() == DType::kString) return ConcatenateStrings(ctx);
  Arithmetic(ctx, []<class T>(T a, T b) { return Plus(a, b); });
}
void Sub(KernelContext& ctx) {
  Arithmetic(ctx, []<class T>(T a, T b) { return Minus(a, b); });
}
void Mul(KernelContext& ctx) {
  Arithmetic(ctx, []<class T>(T a, T b) { return Times(a, b); });
}
void RealDiv(KernelContext& ctx) {
  Floating(ctx, []<class T>(T a, T b) { return a / b; });
}
void Maximum(KernelContext& ctx) {
  Real(ctx, []<class T>(T a, T b) { return a != a ? a : b != b ? b : FlushTiny(a < b ? b : a); });
}
void Minimum(KernelContext& ctx) {
  Real(ctx, []<class T>(T a, T b) { return a != a ? a : b != b ? b : FlushTiny(b < a ? b : a); });
}
void SquaredDifference(KernelContext& ctx) {
  Arithmetic(ctx, []<class T>(T a, T b) {
    const T difference = Minus(a, b);
    return Times(difference, difference);
  });
}
void Atan2(KernelContext& ctx) {
  Floating(ctx, []<class T>(T a, T b) { return atan2(a, b); });
}
void DivNoNan(KernelContext& ctx) {
  Floating(ctx, []<class T>(T a, T b) { return b == T{0} ? T{0} : a / b; });
}
void MulNoNan(KernelContext& ctx) {
  Floating(ctx, []<class T>(T a, T b) { return b == T{0} ? T{0} : a * b; });
}
void Xdivy(KernelContext& ctx) {
  Floating(ctx, []<class T>(T a, T b) { return a == T{0} ? T{0} : a / b; });
}
void Xlogy(KernelContext& ctx) {
  Floating(ctx, []<class T>(T a, T b) { return a == T{0} ? T{0} : a * log(FlushTiny(b)); });
}
void Xlog1py(KernelContext& ctx) {
  Floating(ctx, []<class T>(T a, T b) { return a == T{0} ? T{0} : a * log1p(b); });
}

namespace {
// By squaring, as products wrap around. tf: safe_scalar_binary_pow_op
template <class T>
T IntegerPower(T base, T exponent) {
  T result{1};
  for (auto e = static_cast<std::make_unsigned_t<T>>(exponent); e != 0; e = static_cast<decltype(e)>(e >> 1)) {
    if (e & 1) result = Times(result, base);
    base = Times(base, base);
  }
  return result;
}
}  // namespace
void Pow(KernelContext& ctx) {
  const DType dtype = ctx.input(0).dtype();
  if (!IsInteger(dtype)) return Floating(ctx, []<class T>(T a, T b) { return pow(a, b); });
  ForSigned(ctx, dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      for (T exponent : ctx.input(1).span<T>())
        if (exponent < 0)
          throw InvalidArgumentError(ctx.Where() + "Integers to negative integer powers are not allowed");
      Broadcast<T, T>(ctx, IntegerPower<T>);
    }
  });
}

namespace {
template <class T>
T FloorQuotient(T a, T b) {
  if constexpr (std::is_unsigned_v<T>) {
    return static_cast<T>(a / b);
  } else if constexpr (std::is_integral_v<T>) {
    if (b == static_cast<T>(-1)) return Minus(T{0}, a);  // the lowest value wraps
    return static_cast<T>(a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0));
  } else {
    return floor(a / b);
  }
}
template <class T>
T FloorRest(T a, T b) {
  if constexpr (std::is_unsigned_v<T>) {
    return static_cast<T>(a % b);
  } else if constexpr (std::is_integral_v<T>) {
    if (b == static_cast<T>(-1)) return T{0};
    const T rest = static_cast<T>(a % b);
    return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
  } else {
    const T rest = fmod(a, b);
    return rest != T{0} && (rest < T{0}) != (b < T{0}) ? rest + b : rest;
  }
}
template <class T>
T TruncatedQuotient(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if constexpr (std::is_signed_v<T>)
      if (b == static_cast<T>(-1)) return Minus(T{0}, a);
    return static_cast<T>(a / b);
  } else {
    const T quotient = a / b;
    return quotient < T{0} ? ceil(quotient) : floor(quotient);
  }
}
template <class T>
T TruncatedRest(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return b == static_cast<T>(-1) ? T{0} : static_cast<T>(a % b);
  else
    return fmod(a, b);
}
template <class T>
void RequireNoZero(KernelContext& ctx) {
  if constexpr (std::is_integral_v<T>)
    for (T v : ctx.input(1).span<T>())
      if (v == T{0}) throw InvalidArgumentError(ctx.Where() + "Integer division by zero");
}
}  // namespace
void Div(KernelContext& ctx) {
  if (!IsInteger(ctx.input(0).dtype())) return RealDiv(ctx);
  TruncateDiv(ctx);
}
void TruncateDiv(KernelContext& ctx) {
  ForReal(ctx, ctx.input(0).dtype(), [&]<class T>() {
    RequireNoZero<T>(ctx);
    Broadcast<T, T>(ctx, TruncatedQuotient<T>);
  });
}
void TruncateMod(KernelContext& ctx) {
  ForNumeric(ctx, ctx.input(0).dtype(), [&]<class T>() {
    RequireNoZero<T>(ctx);
    Broadcast<T, T>(ctx, TruncatedRest<T>);
  });
}
void FloorDiv(KernelContext& ctx) {
  ForReal(ctx, ctx.input(0).dtype(), [&]<class T>() {
    RequireNoZero<T>(ctx);
    Broadcast<T, T>(ctx, FloorQuotient<T>);
  });
}
void FloorMod(KernelContext& ctx) {
  ForReal(ctx, ctx.input(0).dtype(), [&]<class T>() {
    RequireNoZero<T>(ctx);
    Broadcast<T, T>(ctx, FloorRest<T>);
  });
}

namespace {
// tf: a shift below 0 counts as 0, one beyond the width as the width less 1
template <class T>
int ShiftBy(T count) {
  constexpr int kMost = static_cast<int>(sizeof(T)) * 8 - 1;
  if constexpr (std::is_signed_v<T>)
    if (count < 0) return 0;
  return count > static_cast<T>(kMost) ? kMost : static_cast<int>(count);
}
template <class F>
void Integers(KernelContext& ctx, F f) {
  ForInteger(ctx, ctx.input(0).dtype(),
             [&]<class T>() { Broadcast<T, T>(ctx, [f](T a, T b) -> T { return f(a, b); }); });
}
}  // namespace
void BitwiseAnd(KernelContext& ctx) {
  BroadcastBits(ctx, []<class U>(U a, U b) { return static_cast<U>(a & b); });
}
void BitwiseOr(KernelContext& ctx) {
  BroadcastBits(ctx, []<class U>(U a, U b) { return static_cast<U>(a | b); });
}
void BitwiseXor(KernelContext& ctx) {
  BroadcastBits(ctx, []<class U>(U a, U b) { return static_cast<U>(a ^ b); });
}
void LeftShift(KernelContext& ctx) {
  Integers(ctx, []<class T>(T a, T b) {
    using U = std::conditional_t<(sizeof(T) < 4), std::uint32_t, std::make_unsigned_t<T>>;
    return static_cast<T>(static_cast<U>(a) << ShiftBy(b));
  });
}
void RightShift(KernelContext& ctx) {
  Integers(ctx, []<class T>(T a, T b) { return static_cast<T>(a >> ShiftBy(b)); });
}
void Invert(KernelContext& ctx) {
  ForInteger(ctx, ctx.input(0).dtype(), [&]<class T>() { Map<T>(ctx, [](T v) { return static_cast<T>(~v); }); });
}
}  // namespace equiv::cpu
