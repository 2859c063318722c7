// kernels/cpu/compute_util.h - small things the arithmetic kernels share: dispatch over dtypes, blocks, vector clones.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>

#include "kernels/base/error.h"
#include "kernels/base/kernel.h"
#include "kernels/cpu/conv_geometry.h"

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
// Rows of `depth` elements that make a block of work worth a thread; depends on the problem only.
inline std::int64_t RowsPerBlock(std::int64_t depth) {
  return std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, depth));
}

}  // namespace equiv::cpu
