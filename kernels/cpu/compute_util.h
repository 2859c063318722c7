// kernels/cpu/compute_util.h - small things the arithmetic kernels share: dispatch over dtypes, blocks, vector clones.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>

#include "kernels/base/error.h"
#include "kernels/base/kernel.h"
#include "kernels/base/op_def.h"
#include "kernels/cpu/conv_geometry.h"
#include "kernels/cpu/half.h"

// The function is compiled for several instruction sets and the best is taken when the program starts. Only for loops
// whose vectorisation cannot change a bit: independent lanes. (Sanitizers run before ifuncs may be resolved.)
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define EQUIV_CPU_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define EQUIV_CPU_CLONES
#endif

namespace equiv::cpu {

// Throws InvalidArgumentError with op and node in front.
inline FailFn FailOf(KernelContext& ctx) {
  return [&ctx](const std::string& message) { throw InvalidArgumentError(ctx.Where() + message); };
}
// tf: the CPU kernels refuse NCHW when they run; graphs holding it can be built.
inline void RequireNhwc(KernelContext& ctx) {
  const std::string& format = ctx.attrs().Get<std::string>("data_format");
  if (format != "NHWC")
    throw UnimplementedError(ctx.Where() + "only the NHWC tensor format is supported on the CPU; data_format is " +
                             format + ". Transpose the input and set data_format to NHWC");
}
[[noreturn]] inline void UnsupportedDType(KernelContext& ctx, DType dtype) {
  throw UnimplementedError(ctx.Where() + "has no CPU kernel for " + std::string(Name(dtype)));
}
// A kernel for float32 alone, of an op whose definition allows more types.
template <void (*kKernel)(KernelContext&)>
void FloatOnly(KernelContext& ctx) {
  for (const char* attr : {"T", "T_threshold"})
    if (const AttrValue* type = ctx.attrs().Find(attr); type && std::get<DType>(*type) != DType::kFloat32)
      UnsupportedDType(ctx, std::get<DType>(*type));
  kKernel(ctx);
}
// tf: OpKernelContext::ValidateInputsAreSameShape
inline void RequireSameShapes(KernelContext& ctx, int i, int j) {
  const Shape &a = ctx.input(i).shape(), &b = ctx.input(j).shape();
  if (!(a == b))
    throw InvalidArgumentError(fmt::format(
        "{}Inputs to operation {} of type {} must have the same size and shape.  Input {}: {} != input {}: {}",
        ctx.Where(), ctx.node_name(), ctx.def().name, i, a.ToString(), j, b.ToString()));
}
// Calls f.operator()<T>() for float32 or float64.
template <class F>
void ForFloating(KernelContext& ctx, DType dtype, F&& f) {
  if (dtype == DType::kFloat32) return f.template operator()<float>();
  if (dtype == DType::kFloat64) return f.template operator()<double>();
  UnsupportedDType(ctx, dtype);
}
// ... or int32, int64.
template <class F>
void ForNumeric(KernelContext& ctx, DType dtype, F&& f) {
  if (dtype == DType::kInt32) return f.template operator()<std::int32_t>();
  if (dtype == DType::kInt64) return f.template operator()<std::int64_t>();
  ForFloating(ctx, dtype, f);
}
// ... every floating type, the 16-bit ones with the arithmetic of half.h.
template <class F>
void ForAnyFloat(KernelContext& ctx, DType dtype, F&& f) {
  if (dtype == DType::kFloat16) return f.template operator()<Float16>();
  if (dtype == DType::kBFloat16) return f.template operator()<BFloat16>();
  ForFloating(ctx, dtype, f);
}
// ... every integer type.
template <class F>
void ForInteger(KernelContext& ctx, DType dtype, F&& f) {
  switch (dtype) {
    case DType::kInt8:
      return f.template operator()<std::int8_t>();
    case DType::kInt16:
      return f.template operator()<std::int16_t>();
    case DType::kInt32:
      return f.template operator()<std::int32_t>();
    case DType::kInt64:
      return f.template operator()<std::int64_t>();
    case DType::kUInt8:
      return f.template operator()<std::uint8_t>();
    case DType::kUInt16:
      return f.template operator()<std::uint16_t>();
    case DType::kUInt32:
      return f.template operator()<std::uint32_t>();
    case DType::kUInt64:
      return f.template operator()<std::uint64_t>();
    default:
      UnsupportedDType(ctx, dtype);
  }
}
// ... every floating and integer type.
template <class F>
void ForReal(KernelContext& ctx, DType dtype, F&& f) {
  if (IsInteger(dtype)) return ForInteger(ctx, dtype, f);
  ForAnyFloat(ctx, dtype, f);
}
// ... every floating and signed integer type.
template <class F>
void ForSigned(KernelContext& ctx, DType dtype, F&& f) {
  if (dtype == DType::kInt8) return f.template operator()<std::int8_t>();
  if (dtype == DType::kInt16) return f.template operator()<std::int16_t>();
  if (dtype == DType::kInt32) return f.template operator()<std::int32_t>();
  if (dtype == DType::kInt64) return f.template operator()<std::int64_t>();
  ForAnyFloat(ctx, dtype, f);
}

// f(a, b) of + - or *. Integers wrap around, as unsigned ones of at least 32 bits do.
template <class T, class F>
T Wrap(T a, T b, F f) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::conditional_t<(sizeof(T) < 4), std::uint32_t, std::make_unsigned_t<T>>;
    return static_cast<T>(f(static_cast<U>(a), static_cast<U>(b)));
  } else {
    return f(a, b);
  }
}
template <class T>
T Plus(T a, T b) {
  return Wrap(a, b, [](auto x, auto y) { return x + y; });
}
template <class T>
T Minus(T a, T b) {
  return Wrap(a, b, [](auto x, auto y) { return x - y; });
}
template <class T>
T Times(T a, T b) {
  return Wrap(a, b, [](auto x, auto y) { return x * y; });
}

// Rows of `depth` elements that make a block of work worth a thread; depends on the problem only.
inline std::int64_t RowsPerBlock(std::int64_t depth) {
  return std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, depth));
}

}  // namespace equiv::cpu
