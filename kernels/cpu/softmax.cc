#include "kernels/cpu/softmax.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/reduce.h"
#include "kernels/cpu/reduce_order.h"

namespace equiv::cpu {
namespace {

template <class T, bool kLog>
void SoftmaxOf(KernelContext& ctx) {
  const T* in = ctx.input(0).data<T>();
  const Shape shape = ctx.input(0).shape();
  T* out = ctx.AllocateOrForward(0, 0, shape).mutable_data<T>();
  if (shape.num_elements() == 0) return;
  const std::int64_t n = shape.dim(shape.rank() - 1);
  ctx.pool().ParallelRanges(shape.num_elements() / n, RowsPerBlock(n * 16), [&](std::int64_t begin, std::int64_t end) {
    std::vector<T> powers(static_cast<std::size_t>(n));
    for (std::int64_t row = begin; row < end; ++row) {
      const T* x = in + row * n;
      T* y = out + row * n;
      const MaxOp<T> larger;
      T max = MaxOp<T>::identity;
      for (std::int64_t i = 0; i < n; ++i) max = larger(max, x[i]);
      for (std::int64_t i = 0; i < n; ++i) {
        y[i] = x[i] - max;
        powers[static_cast<std::size_t>(i)] = ExactExp(y[i]);
      }
      const T sum = SumInOrder(powers.data(), n);
      if constexpr (kLog) {
        const T log = ExactLog(sum);
        for (std::int64_t i = 0; i < n; ++i) y[i] = y[i] - log;
      } else {
        const T inverse = Num<T>(1) / sum;
        for (std::int64_t i = 0; i < n; ++i) y[i] = powers[static_cast<std::size_t>(i)] * inverse;
      }
    }
  });
}

template <bool kLog>
void Run(KernelContext& ctx) {
  if (ctx.input(0).rank() < 1)
    throw InvalidArgumentError(
        fmt::format("{}logits must have >= 1 dimension, got {}", ctx.Where(), ctx.input(0).shape().ToString()));
  ForAnyFloat(ctx, ctx.input(0).dtype(), [&]<class T>() { SoftmaxOf<T, kLog>(ctx); });
}
}  // namespace

void Softmax(KernelContext& ctx) { Run<false>(ctx); }
void LogSoftmax(KernelContext& ctx) { Run<true>(ctx); }

}  // namespace equiv::cpu
