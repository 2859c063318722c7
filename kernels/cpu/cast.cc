// kernels/cpu/cast.cc - conversions between element types.
#include <algorithm>
#include <bit>
#include <limits>
#include <type_traits>

#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/elementwise.h"

namespace equiv::cpu {
namespace {
constexpr std::int64_t kBlock = 1 << 15;

// What a float that does not fit becomes is what Eigen's packets make of it on x86: the instruction's most negative
// value, and the nearest one of the 8 and 16-bit types. tf: the last few elements of an array may wrap instead
template <class To, class From>
To FloatToInteger(From v) {
  const double d = static_cast<double>(v);
  using Wide = std::conditional_t<(sizeof(To) < 8), std::int64_t, To>;
  if constexpr (sizeof(To) < 4) {
    const bool fits = d > -0x1p31 - 1 && d < 0x1p31;
    const std::int64_t wide = fits ? static_cast<std::int64_t>(d) : std::numeric_limits<std::int32_t>::lowest();
    return static_cast<To>(
        std::clamp<std::int64_t>(wide, std::numeric_limits<To>::lowest(), std::numeric_limits<To>::max()));
  } else if constexpr (std::is_same_v<To, std::uint64_t>) {
    if (d >= 0x1p63 && d < 0x1p64) return static_cast<To>(d);
    return static_cast<To>(d >= -0x1p63 && d < 0x1p63 ? static_cast<std::int64_t>(d)
                                                      : std::numeric_limits<std::int64_t>::lowest());
  } else {
    constexpr double kLow = sizeof(To) == 8 ? -0x1p63 : -0x1p31 - 1, kHigh = sizeof(To) == 8        ? 0x1p63
                                                                             : std::is_signed_v<To> ? 0x1p31
                                                                                                    : 0x1p32;
    const bool fits = sizeof(To) == 8 ? d >= kLow && d < kHigh : d > kLow && d < kHigh;
    return static_cast<To>(fits ? static_cast<Wide>(d)
                                : static_cast<Wide>(std::numeric_limits<std::make_signed_t<To>>::lowest()));
  }
}
template <class To, class From>
To Convert(From v) {
  if constexpr (HalfPrecision<From> && std::is_same_v<To, bool>)
    return (v.bits & 0x7fff) != 0;  // tf: a denormal bfloat16 counts
  else if constexpr (HalfPrecision<From>)
    return Convert<To>(static_cast<float>(v));
  else if constexpr (HalfPrecision<To>)
    return To(static_cast<float>(v));
  else if constexpr (std::is_same_v<To, bool>)
    return v != From{0};
  else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>)
    return FloatToInteger<To>(v);
  else
    return static_cast<To>(v);
}
// tf: LSBZeroSetter clears the bits the narrower type has no room for, so that the cast rounds towards zero; there is
// none from double to bfloat16
template <class To, class From>
From Truncated(From v) {
  constexpr int kTo = std::is_same_v<To, Float16> ? 10 : std::is_same_v<To, BFloat16> ? 7 : 23;
  if constexpr (std::is_same_v<From, float> && HalfPrecision<To>)
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(v) & ~std::uint32_t{0} << (23 - kTo));
  else if constexpr (std::is_same_v<From, double> && (std::is_same_v<To, Float16> || std::is_same_v<To, float>))
    return std::bit_cast<double>(std::bit_cast<std::uint64_t>(v) & ~std::uint64_t{0} << (52 - kTo));
  else
    return v;
}
template <class F>
void ForRealOrBool(KernelContext& ctx, DType dtype, F&& f) {
  if (dtype == DType::kBool) return f.template operator()<bool>();
  ForReal(ctx, dtype, f);
}
Array CastReal(KernelContext& ctx, const Array& in, DType to, bool truncate) {
  if (in.dtype() == to) return in;
  Array out(to, in.shape());
  ForRealOrBool(ctx, in.dtype(), [&]<class From>() {
    ForRealOrBool(ctx, to, [&]<class To>() {
      const From* x = in.data<From>();
      To* y = out.mutable_data<To>();
      ctx.pool().ParallelRanges(in.num_elements(), kBlock, [&](std::int64_t begin, std::int64_t end) {
        if (truncate && IsFloating(to)) {
          for (std::int64_t i = begin; i < end; ++i) y[i] = Convert<To>(Truncated<To>(x[i]));
          return;
        }
        for (std::int64_t i = begin; i < end; ++i) y[i] = Convert<To>(x[i]);
      });
    });
  });
  return out;
}
// Every second value of `pairs`, from `first` on.
template <class T>
Array Component(const Array& pairs, std::int64_t first) {
  Array out(kDTypeOf<T>, pairs.shape());
  for (std::int64_t i = 0; i < pairs.num_elements(); ++i)
    out.mutable_data<T>()[i] = reinterpret_cast<const T*>(pairs.raw())[2 * i + first];
  return out;
}
template <class T>
Array Pairs(const Array& real, const Array* imaginary) {
  Array out(sizeof(T) == 4 ? DType::kComplex64 : DType::kComplex128, real.shape());
  T* z = reinterpret_cast<T*>(out.raw());
  for (std::int64_t i = 0; i < real.num_elements(); ++i) {
    z[2 * i] = real.data<T>()[i];
    z[2 * i + 1] = imaginary ? imaginary->data<T>()[i] : T{0};
  }
  return out;
}
}  // namespace

void Cast(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const DType from = in.dtype(), to = ctx.output_dtype(0);
  if (from == to) return ctx.set_output(0, in);
  if (SizeOf(from) == 0) UnsupportedDType(ctx, from);
  if (SizeOf(to) == 0) UnsupportedDType(ctx, to);
  Array real = in, imaginary;
  if (from == DType::kComplex64) {
    real = Component<float>(in, 0);
    imaginary = Component<float>(in, 1);
  } else if (from == DType::kComplex128) {
    real = Component<double>(in, 0);
    imaginary = Component<double>(in, 1);
  }
  const bool truncate = ctx.attrs().Get<bool>("Truncate") && !(IsComplex(from) && to == DType::kBFloat16);
  if (!IsComplex(to)) return ctx.set_output(0, CastReal(ctx, real, to, truncate));
  const DType half = to == DType::kComplex64 ? DType::kFloat32 : DType::kFloat64;
  real = CastReal(ctx, real, half, false);
  if (imaginary.has_value()) imaginary = CastReal(ctx, imaginary, half, false);
  const Array* second = imaginary.has_value() ? &imaginary : nullptr;
  ctx.set_output(0, half == DType::kFloat32 ? Pairs<float>(real, second) : Pairs<double>(real, second));
}
}  // namespace equiv::cpu
