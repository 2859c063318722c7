#include "kernels/cpu/cross_entropy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/reduce.h"
#include "kernels/cpu/reduce_order.h"

namespace equiv::cpu {
namespace {

// Turns a row of logits, `step` apart, into centred ones and their powers; returns the powers' sum.
template <class T>
T Powers(const T* x, std::int64_t step, std::int64_t n, T* centred, T* powers) {
  const MaxOp<T> larger;
  T max = MaxOp<T>::identity;
  for (std::int64_t i = 0; i < n; ++i) max = larger(max, x[i * step]);
  for (std::int64_t i = 0; i < n; ++i) {
    centred[i] = x[i * step] - max;
    powers[i] = ExactExp(centred[i]);
  }
  return SumInOrder(powers, n);
}
}  // namespace

void SoftmaxCrossEntropyWithLogits(KernelContext& ctx) {
  const Array features = ctx.input(0), labels = ctx.input(1);
  const Shape shape = BroadcastShape(ctx, features.shape(), labels.shape());
  if (shape.rank() != 2 || features.rank() != 2 || labels.rank() != 2)
    throw InvalidArgumentError(fmt::format("{}logits and labels must be 2-dimensional, got {} and {}", ctx.Where(),
                                           features.shape().ToString(), labels.shape().ToString()));
  const std::int64_t rows = shape[0], n = shape[1];
  const auto row_step = [](const Array& a) { return a.dim(0) == 1 ? 0 : a.dim(1); };
  const auto step = [](const Array& a) -> std::int64_t { return a.dim(1) == 1 ? 0 : 1; };
  ForAnyFloat(ctx, features.dtype(), [&]<class T>() {
    T* loss = ctx.Allocate(0, Shape{rows}).template mutable_data<T>();
    T* backprop = ctx.Allocate(1, shape).template mutable_data<T>();
    if (rows == 0) return;
    ctx.pool().ParallelRanges(rows, RowsPerBlock(n * 16), [&](std::int64_t begin, std::int64_t end) {
      std::vector<T> centred(static_cast<std::size_t>(n)), terms(static_cast<std::size_t>(n));
      for (std::int64_t row = begin; row < end; ++row) {
        const T* y = labels.data<T>() + row * row_step(labels);
        T* out = backprop + row * n;
        const T sum =
            Powers(features.data<T>() + row * row_step(features), step(features), n, centred.data(), terms.data());
        const T log = ExactLog(sum);
        for (std::int64_t i = 0; i < n; ++i) {
          const T label = y[i * step(labels)];
          T& term = terms[static_cast<std::size_t>(i)];
          out[i] = term / sum - label;
          term = label * (log - centred[static_cast<std::size_t>(i)]);
        }
        loss[row] = SumInOrder(terms.data(), n);
      }
    });
  });
}

void SparseSoftmaxCrossEntropyWithLogits(KernelContext& ctx) {
  const Array features = ctx.input(0), labels = ctx.input(1);
  if (features.rank() != 2)
    throw InvalidArgumentError(ctx.Where() + "logits must be 2-D, but got shape " + features.shape().ToString());
  if (labels.rank() != 1)
    throw InvalidArgumentError(ctx.Where() + "labels must be 1-D, but got shape " + labels.shape().ToString());
  const std::int64_t rows = features.dim(0), n = features.dim(1);
  if (labels.dim(0) != rows)
    throw InvalidArgumentError(
        fmt::format("{}logits and labels must have the same first dimension, got logits shape {} and labels shape {}",
                    ctx.Where(), features.shape().ToString(), labels.shape().ToString()));
  const std::vector<std::int64_t> label = labels.AsInt64Vector();
  for (std::int64_t value : label)
    if (value < 0 || value >= n)
      throw InvalidArgumentError(
          fmt::format("{}Received a label value of {} which is outside the valid range of [0, {}).  Label values: {}",
                      ctx.Where(), value, n, fmt::join(label, " ")));
  ForAnyFloat(ctx, features.dtype(), [&]<class T>() {
    T* loss = ctx.Allocate(0, Shape{rows}).template mutable_data<T>();
    T* backprop = ctx.Allocate(1, features.shape()).template mutable_data<T>();
    if (rows == 0) return;
    ctx.pool().ParallelRanges(rows, RowsPerBlock(n * 16), [&](std::int64_t begin, std::int64_t end) {
      std::vector<T> centred(static_cast<std::size_t>(n));
      for (std::int64_t row = begin; row < end; ++row) {
        T* out = backprop + row * n;
        const T sum = Powers(features.data<T>() + row * n, 1, n, centred.data(), out);
        const auto at = static_cast<std::size_t>(label[static_cast<std::size_t>(row)]);
        for (std::int64_t i = 0; i < n; ++i) out[i] = out[i] / sum;
        out[at] = out[at] - Num<T>(1);
        loss[row] = ExactLog(sum) - centred[at];
      }
    });
  });
}

}  // namespace equiv::cpu
