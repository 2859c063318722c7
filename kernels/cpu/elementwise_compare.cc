// kernels/cpu/elementwise_compare.cc - comparisons and logical connectives.
#include <fmt/format.h>

#include <complex>

#include "kernels/cpu/elementwise_loops.h"

namespace equiv::cpu {
namespace {

template <class F>
void Compare(KernelContext& ctx, F f, int first = 0) {
  ForReal(ctx, ctx.input(0).dtype(), [&]<class T>() {
    Broadcast<T, bool>(
        ctx, [f](T a, T b) { return f(a, b); }, first);
  });
}
void InvertOutput(KernelContext& ctx) {
  bool* z = ctx.output(0).mutable_data<bool>();
  for (std::int64_t i = 0, n = ctx.output(0).num_elements(); i < n; ++i) z[i] = !z[i];
}
constexpr auto kSame = [](const auto& a, const auto& b) { return a == b; };
void EqualStrings(KernelContext& ctx) {
  const Array a = ctx.input(0), b = ctx.input(1);
  const Shape out = BroadcastShape(ctx, a.shape(), b.shape());
  bool* z = ctx.Allocate(0, out).mutable_data<bool>();
  const std::vector<std::string>&x = a.strings(), &y = b.strings();
  if (out.rank() == 0) {
    z[0] = x[0] == y[0];
    return;
  }
  if (out.num_elements() == 0) return;
  const std::array strides = {StretchedStrides(a.shape(), out), StretchedStrides(b.shape(), out)};
  const auto last = static_cast<std::size_t>(out.rank() - 1);
  ForRows<2>(out, strides, 0, out.num_elements() / out[out.rank() - 1],
             [&](std::int64_t at, const std::array<std::int64_t, 2>& from) {
               for (std::int64_t i = 0; i < out[out.rank() - 1]; ++i)
                 z[at + i] = x[static_cast<std::size_t>(from[0] + i * strides[0][last])] ==
                             y[static_cast<std::size_t>(from[1] + i * strides[1][last])];
             });
}
bool Broadcasts(const Shape& a, const Shape& b) {
  for (int i = 1; i <= std::min(a.rank(), b.rank()); ++i) {
    const std::int64_t da = a[a.rank() - i], db = b[b.rank() - i];
    if (da != db && da != 1 && db != 1) return false;
  }
  return true;
}
// tf: shapes that do not fit make the arrays unequal as a whole, unless they are to be an error
bool Unequal(KernelContext& ctx, bool answer) {
  if (ctx.attrs().Get<bool>("incompatible_shape_error") || Broadcasts(ctx.input(0).shape(), ctx.input(1).shape()))
    return false;
  ctx.set_output(0, Array::Scalar(answer));
  return true;
}
void EqualElements(KernelContext& ctx) {
  const DType dtype = ctx.input(0).dtype();
  if (IsInteger(dtype)) {
    switch (SizeOf(dtype)) {
      case 1:
        return Broadcast<std::uint8_t, bool>(ctx, kSame);
      case 2:
        return Broadcast<std::uint16_t, bool>(ctx, kSame);
      case 4:
        return Broadcast<std::uint32_t, bool>(ctx, kSame);
      default:
        return Broadcast<std::uint64_t, bool>(ctx, kSame);
    }
  }
  switch (dtype) {
    case DType::kBool:
      return Broadcast<std::uint8_t, bool>(ctx, kSame);
    case DType::kString:
      return EqualStrings(ctx);
    case DType::kComplex64:
      return Broadcast<std::complex<float>, bool>(ctx, kSame);
    case DType::kComplex128:
      return Broadcast<std::complex<double>, bool>(ctx, kSame);
    default:
      ForAnyFloat(ctx, dtype, [&]<class T>() { Broadcast<T, bool>(ctx, [](T a, T b) { return a == b; }); });
  }
}
}  // namespace

void Less(KernelContext& ctx) {
  Compare(ctx, [](auto a, auto b) { return a < b; });
}
void LessEqual(KernelContext& ctx) {
  Compare(ctx, [](auto a, auto b) { return a <= b; });
}
void Greater(KernelContext& ctx) {
  Compare(
      ctx, [](auto a, auto b) { return a < b; }, 1);
}
void GreaterEqual(KernelContext& ctx) {
  Compare(
      ctx, [](auto a, auto b) { return a <= b; }, 1);
}
void Equal(KernelContext& ctx) {
  if (!Unequal(ctx, false)) EqualElements(ctx);
}
void NotEqual(KernelContext& ctx) {
  if (Unequal(ctx, true)) return;
  EqualElements(ctx);
  InvertOutput(ctx);
}
void ApproximateEqual(KernelContext& ctx) {
  const Array a = ctx.input(0), b = ctx.input(1);
  if (!(a.shape() == b.shape()))
    throw InvalidArgumentError(fmt::format("{}x and y must be of the same shape. x shape: {}. y shape: {}", ctx.Where(),
                                           a.shape().ToString(), b.shape().ToString()));
  const float tolerance = ctx.attrs().Get<float>("tolerance");
  ForFloating(ctx, a.dtype(), [&]<class T>() {
    Broadcast<T, bool>(ctx, [tolerance](T x, T y) { return abs(x - y) < static_cast<T>(tolerance); });
  });
}
void LogicalAnd(KernelContext& ctx) {
  Broadcast<bool, bool>(ctx, [](bool a, bool b) { return a && b; });
}
void LogicalOr(KernelContext& ctx) {
  Broadcast<bool, bool>(ctx, [](bool a, bool b) { return a || b; });
}
}  // namespace equiv::cpu
