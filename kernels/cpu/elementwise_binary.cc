#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/elementwise.h"

namespace equiv::cpu {
namespace {
constexpr std::int64_t kBlock = 1 << 15;

// Row-major strides of `shape` stretched to `out`: 0 along stretched dimensions.
std::array<std::int64_t, kMaxRank> StretchedStrides(const Shape& shape, const Shape& out) {
  std::array<std::int64_t, kMaxRank> strides{};
  std::int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[static_cast<std::size_t>(i + out.rank() - shape.rank())] = shape[i] == 1 ? 0 : step;
    step *= shape[i];
  }
  return strides;
}
// Visits `out` row by row (last dimension): row(offset in out, offset in each operand).
template <std::size_t N, class Row>
void ForRows(const Shape& out, const std::array<std::array<std::int64_t, kMaxRank>, N>& strides, std::int64_t begin,
             std::int64_t end, Row row) {
  const int last = out.rank() - 1;
  const std::int64_t width = out[last];
  for (std::int64_t r = begin; r < end; ++r) {
    std::array<std::int64_t, N> at{};
    std::int64_t rest = r;
    for (int d = last - 1; d >= 0; --d) {
      const std::int64_t i = rest % out[d];
      rest /= out[d];
      for (std::size_t k = 0; k < N; ++k) at[k] += i * strides[k][static_cast<std::size_t>(d)];
    }
    row(r * width, at);
  }
}

template <class T, class R, class F>
void Broadcast(KernelContext& ctx, F f) {
  const Array a = ctx.input(0), b = ctx.input(1);
  const T *x = a.data<T>(), *y = b.data<T>();
  const Shape out = BroadcastShape(ctx, a.shape(), b.shape());
  const std::int64_t n = out.num_elements();
  R* z = ctx.Allocate(0, out).template mutable_data<R>();
  if (a.shape() == b.shape()) {
    ctx.pool().ParallelRanges(n, kBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) z[i] = f(x[i], y[i]);
    });
  } else if (b.num_elements() == 1 && a.num_elements() == n) {
    ctx.pool().ParallelRanges(n, kBlock, [&, c = y[0]](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) z[i] = f(x[i], c);
    });
  } else if (a.num_elements() == 1 && b.num_elements() == n) {
    ctx.pool().ParallelRanges(n, kBlock, [&, c = x[0]](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) z[i] = f(c, y[i]);
    });
  } else if (n > 0) {
    const std::array strides = {StretchedStrides(a.shape(), out), StretchedStrides(b.shape(), out)};
    const std::int64_t width = out[out.rank() - 1], rows = n / width;
    const std::int64_t dx = strides[0][static_cast<std::size_t>(out.rank() - 1)],
                       dy = strides[1][static_cast<std::size_t>(out.rank() - 1)];
    ctx.pool().ParallelRanges(rows, RowsPerBlock(width), [&](std::int64_t begin, std::int64_t end) {
      ForRows<2>(out, strides, begin, end, [&](std::int64_t at, const std::array<std::int64_t, 2>& from) {
        const T *px = x + from[0], *py = y + from[1];
        R* pz = z + at;
        if (dx && dy)
          for (std::int64_t i = 0; i < width; ++i) pz[i] = f(px[i], py[i]);
        else
          for (std::int64_t i = 0; i < width; ++i) pz[i] = f(px[i * dx], py[i * dy]);
      });
    });
  }
}
// Half precision: in float32, rounded once. tf: Eigen's half arithmetic does the same
template <class T, class F>
void HalfBroadcast(KernelContext& ctx, F f) {
  Broadcast<T, T>(ctx, [f](T a, T b) { return T(f(static_cast<float>(a), static_cast<float>(b))); });
}
template <class F>
void Arithmetic(KernelContext& ctx, F f) {
  const DType dtype = ctx.input(0).dtype();
  if (dtype == DType::kFloat16) return HalfBroadcast<Float16>(ctx, f);
  if (dtype == DType::kBFloat16) return HalfBroadcast<BFloat16>(ctx, f);
  ForNumeric(ctx, dtype, [&]<class T>() { Broadcast<T, T>(ctx, [f](T a, T b) -> T { return f(a, b); }); });
}
template <class F>
void Comparison(KernelContext& ctx, F f) {
  const DType dtype = ctx.input(0).dtype();
  if (dtype == DType::kFloat16)
    return Broadcast<Float16, bool>(
        ctx, [f](Float16 a, Float16 b) { return f(static_cast<float>(a), static_cast<float>(b)); });
  if (dtype == DType::kBFloat16)
    return Broadcast<BFloat16, bool>(
        ctx, [f](BFloat16 a, BFloat16 b) { return f(static_cast<float>(a), static_cast<float>(b)); });
  if (dtype == DType::kBool) return Broadcast<bool, bool>(ctx, [f](bool a, bool b) { return f(a, b); });
  ForNumeric(ctx, dtype, [&]<class T>() { Broadcast<T, bool>(ctx, [f](T a, T b) { return f(a, b); }); });
}
// Comparisons alone would let a denormal through where TensorFlow's minps and maxps flush it.
template <class T>
T FlushTiny(T v) {
  if constexpr (std::is_floating_point_v<T>)
    return std::abs(v) < std::numeric_limits<T>::min() ? std::copysign(T{0}, v) : v;
  else
    return v;
}
// Integers wrap around as unsigned ones do.
template <class T>
using Wrapping = std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>, std::type_identity<T>>;
template <class T, class F>
T Wrap(T a, T b, F f) {
  using U = typename Wrapping<T>::type;
  return static_cast<T>(f(static_cast<U>(a), static_cast<U>(b)));
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
  Arithmetic(ctx, []<class T>(T a, T b) { return Wrap(a, b, [](auto x, auto y) { return x + y; }); });
}
void Sub(KernelContext& ctx) {
  Arithmetic(ctx, []<class T>(T a, T b) { return Wrap(a, b, [](auto x, auto y) { return x - y; }); });
}
void Mul(KernelContext& ctx) {
  Arithmetic(ctx, []<class T>(T a, T b) { return Wrap(a, b, [](auto x, auto y) { return x * y; }); });
}
void RealDiv(KernelContext& ctx) {
  ForFloating(ctx, ctx.input(0).dtype(), [&]<class T>() { Broadcast<T, T>(ctx, [](T a, T b) { return a / b; }); });
}
void Maximum(KernelContext& ctx) {
  Arithmetic(ctx, []<class T>(T a, T b) { return a != a ? a : b != b ? b : FlushTiny(a < b ? b : a); });
}
void Minimum(KernelContext& ctx) {
  Arithmetic(ctx, []<class T>(T a, T b) { return a != a ? a : b != b ? b : FlushTiny(b < a ? b : a); });
}
void SquaredDifference(KernelContext& ctx) {
  Arithmetic(ctx, []<class T>(T a, T b) { return Wrap(a, b, [](auto x, auto y) { return (x - y) * (x - y); }); });
}
void Pow(KernelContext& ctx) {
  ForFloating(ctx, ctx.input(0).dtype(),
              [&]<class T>() { Broadcast<T, T>(ctx, [](T a, T b) { return std::pow(a, b); }); });
}
namespace {
void RequireNoZero(KernelContext& ctx) {
  const Array& y = ctx.input(1);
  const auto check = [&]<class T>() {
    for (T v : y.span<T>())
      if (v == T{0}) throw InvalidArgumentError(ctx.Where() + "Integer division by zero");
  };
  if (y.dtype() == DType::kInt32) check.operator()<std::int32_t>();
  if (y.dtype() == DType::kInt64) check.operator()<std::int64_t>();
}
template <class T>
T FloorQuotient(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == static_cast<T>(-1)) return Wrap(T{0}, a, [](auto x, auto y) { return x - y; });  // the lowest value wraps
    return static_cast<T>(a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0));
  } else {
    return std::floor(a / b);
  }
}
template <class T>
T FloorRest(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == static_cast<T>(-1)) return T{0};
    const T rest = static_cast<T>(a % b);
    return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
  } else {
    const T rest = std::fmod(a, b);
    return rest != T{0} && (rest < T{0}) != (b < T{0}) ? rest + b : rest;
  }
}
template <class F>
void Floating(KernelContext& ctx, F f) {
  ForFloating(ctx, ctx.input(0).dtype(), [&]<class T>() { Broadcast<T, T>(ctx, [f](T a, T b) { return f(a, b); }); });
}
}  // namespace
void FloorDiv(KernelContext& ctx) {
  RequireNoZero(ctx);
  ForNumeric(ctx, ctx.input(0).dtype(), [&]<class T>() { Broadcast<T, T>(ctx, FloorQuotient<T>); });
}
void FloorMod(KernelContext& ctx) {
  RequireNoZero(ctx);
  ForNumeric(ctx, ctx.input(0).dtype(), [&]<class T>() { Broadcast<T, T>(ctx, FloorRest<T>); });
}
void DivNoNan(KernelContext& ctx) {
  Floating(ctx, []<class T>(T a, T b) { return b == T{0} ? T{0} : a / b; });
}
void Xdivy(KernelContext& ctx) {
  Floating(ctx, []<class T>(T a, T b) { return a == T{0} ? T{0} : a / b; });
}
void Xlogy(KernelContext& ctx) {
  Floating(ctx, []<class T>(T a, T b) { return a == T{0} ? T{0} : a * std::log(FlushTiny(b)); });
}
void Greater(KernelContext& ctx) {
  Comparison(ctx, [](auto a, auto b) { return a > b; });
}
void GreaterEqual(KernelContext& ctx) {
  Comparison(ctx, [](auto a, auto b) { return a >= b; });
}
void Less(KernelContext& ctx) {
  Comparison(ctx, [](auto a, auto b) { return a < b; });
}
void LessEqual(KernelContext& ctx) {
  Comparison(ctx, [](auto a, auto b) { return a <= b; });
}
void Equal(KernelContext& ctx) {
  Comparison(ctx, [](auto a, auto b) { return a == b; });
}
void NotEqual(KernelContext& ctx) {
  Comparison(ctx, [](auto a, auto b) { return a != b; });
}
void LogicalAnd(KernelContext& ctx) {
  Broadcast<bool, bool>(ctx, [](bool a, bool b) { return a && b; });
}
void LogicalOr(KernelContext& ctx) {
  Broadcast<bool, bool>(ctx, [](bool a, bool b) { return a || b; });
}

namespace {
template <class Bits>
void SelectBits(KernelContext& ctx) {
  const Array c = ctx.input(0), a = ctx.input(1), b = ctx.input(2);
  const Shape out = BroadcastShape(ctx, c.shape(), BroadcastShape(ctx, a.shape(), b.shape()));
  const bool* condition = c.data<bool>();
  const auto *x = reinterpret_cast<const Bits*>(a.raw()), *y = reinterpret_cast<const Bits*>(b.raw());
  auto* z = reinterpret_cast<Bits*>(ctx.Allocate(0, out).raw());
  const std::int64_t n = out.num_elements();
  if (n == 0) return;
  if (out.rank() == 0) {
    z[0] = condition[0] ? x[0] : y[0];
    return;
  }
  const std::array strides = {StretchedStrides(c.shape(), out), StretchedStrides(a.shape(), out),
                              StretchedStrides(b.shape(), out)};
  const auto last = static_cast<std::size_t>(out.rank() - 1);
  const std::int64_t width = out[out.rank() - 1];
  ctx.pool().ParallelRanges(n / width, RowsPerBlock(width), [&](std::int64_t begin, std::int64_t end) {
    ForRows<3>(out, strides, begin, end, [&](std::int64_t at, const std::array<std::int64_t, 3>& from) {
      for (std::int64_t i = 0; i < width; ++i)
        z[at + i] = condition[from[0] + i * strides[0][last]] ? x[from[1] + i * strides[1][last]]
                                                              : y[from[2] + i * strides[2][last]];
    });
  });
}
}  // namespace

void SelectV2(KernelContext& ctx) {
  switch (SizeOf(ctx.input(1).dtype())) {
    case 1:
      return SelectBits<std::uint8_t>(ctx);
    case 2:
      return SelectBits<std::uint16_t>(ctx);
    case 4:
      return SelectBits<std::uint32_t>(ctx);
    case 8:
      return SelectBits<std::uint64_t>(ctx);
    default:
      UnsupportedDType(ctx, ctx.input(1).dtype());
  }
}

void AddN(KernelContext& ctx) {
  const std::size_t n = static_cast<std::size_t>(ctx.num_inputs());
  const Shape shape = ctx.input(0).shape();
  for (int i = 1; i < ctx.num_inputs(); ++i)
    if (!(ctx.input(i).shape() == shape))
      throw InvalidArgumentError(
          fmt::format("{}Inputs to operation AddN must have the same size and shape. Input 0: {} != input {}: {}",
                      ctx.Where(), shape.ToString(), i, ctx.input(i).shape().ToString()));
  ForNumeric(ctx, ctx.input(0).dtype(), [&]<class T>() {
    std::vector<const T*> in;
    for (std::size_t k = 0; k < n; ++k) in.push_back(ctx.input(static_cast<int>(k)).data<T>());
    T* out = ctx.Allocate(0, shape).template mutable_data<T>();
    std::size_t first = n;
    if (n > 9) first = n % 8 <= 1 ? n % 8 + 8 : n % 8;
    ctx.pool().ParallelRanges(shape.num_elements(), kBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        T total = in[0][i];
        for (std::size_t k = 1; k < first; ++k) total = static_cast<T>(total + in[k][i]);
        for (std::size_t k = first; k < n; k += 8) {
          T group = in[k][i];
          for (std::size_t j = 1; j < 8; ++j) group = static_cast<T>(group + in[k + j][i]);
          total = static_cast<T>(total + group);
        }
        out[i] = total;
      }
    });
  });
}

namespace {
template <class F>
void ForAny(KernelContext& ctx, DType dtype, F&& f) {
  switch (dtype) {
    case DType::kFloat16:
      return f.template operator()<Float16>();
    case DType::kBFloat16:
      return f.template operator()<BFloat16>();
    case DType::kBool:
      return f.template operator()<bool>();
    case DType::kInt8:
      return f.template operator()<std::int8_t>();
    case DType::kInt16:
      return f.template operator()<std::int16_t>();
    case DType::kUInt8:
      return f.template operator()<std::uint8_t>();
    case DType::kUInt16:
      return f.template operator()<std::uint16_t>();
    case DType::kUInt32:
      return f.template operator()<std::uint32_t>();
    case DType::kUInt64:
      return f.template operator()<std::uint64_t>();
    default:
      return ForNumeric(ctx, dtype, f);
  }
}
template <class T>
auto Widen(T v) {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>)
    return static_cast<float>(v);
  else
    return v;
}
// What x86 does with a float that does not fit: the most negative value. tf: the same instruction
template <class To, class From>
To Convert(From v) {
  if constexpr (std::is_same_v<To, Float16> || std::is_same_v<To, BFloat16>) {
    return To(static_cast<float>(v));
  } else if constexpr (std::is_same_v<To, bool>) {
    return v != From{0};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    using Wide = std::conditional_t<(sizeof(To) < 4), std::int32_t,
                                    std::conditional_t<std::is_same_v<To, std::uint32_t>, std::int64_t, To>>;
    constexpr double kLow = static_cast<double>(std::numeric_limits<Wide>::lowest()),
                     kHigh = static_cast<double>(std::numeric_limits<Wide>::max());
    const double d = static_cast<double>(v);
    if (!(d > kLow - 1 && d < kHigh + 1))
      return static_cast<To>(
          std::numeric_limits<std::conditional_t<std::is_unsigned_v<Wide>, std::int64_t, Wide>>::lowest());
    return static_cast<To>(static_cast<Wide>(v));
  } else {
    return static_cast<To>(v);
  }
}
}  // namespace

void Cast(KernelContext& ctx) {
  const Array in = ctx.input(0);
  if (in.dtype() == ctx.output_dtype(0)) return ctx.set_output(0, in);
  ForAny(ctx, in.dtype(), [&]<class From>() {
    ForAny(ctx, ctx.output_dtype(0), [&]<class To>() {
      const From* x = in.data<From>();
      To* y = ctx.Allocate(0, in.shape()).template mutable_data<To>();
      ctx.pool().ParallelRanges(in.num_elements(), kBlock, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) y[i] = Convert<To>(Widen(x[i]));
      });
    });
  });
}
}  // namespace equiv::cpu
