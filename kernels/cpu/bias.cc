#include "kernels/cpu/bias.h"

#include <fmt/format.h>

#include <vector>

#include "kernels/base/flush.h"
#include "kernels/cpu/pool_cells.h"

namespace equiv::cpu {
namespace {

// [outer, channels, inner]: inner is 1 with channels last.
struct BiasShape {
  std::int64_t outer = 1, channels = 1, inner = 1;
};
BiasShape ShapeOf(KernelContext& ctx, const Shape& shape) {
  if (shape.rank() < 2)
    throw InvalidArgumentError(fmt::format("{}Input tensor must be at least 2D: {}", ctx.Where(), shape.ToString()));
  const AttrValue* format = ctx.attrs().Find("data_format");  // BiasAddV1 has none
  const int at = format && std::get<std::string>(*format) == "NCHW" ? 1 : shape.rank() - 1;
  BiasShape b;
  for (int i = 0; i < shape.rank(); ++i) (i < at ? b.outer : i == at ? b.channels : b.inner) *= shape[i];
  return b;
}
template <class T>
EQUIV_CPU_CLONES void AddRow(const T* in, const T* bias, std::int64_t n, T* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = Plus(in[i], bias[i]);
}
template <class T>
EQUIV_CPU_CLONES void AddOne(const T* in, T bias, std::int64_t n, T* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = Plus(in[i], bias);
}

template <class T>
void BiasAddOf(KernelContext& ctx, const BiasShape& s) {
  const T *in = ctx.input(0).data<T>(), *bias = ctx.input(1).data<T>();
  const Shape shape = ctx.input(0).shape();
  T* out = ctx.AllocateOrForward(0, 0, shape).mutable_data<T>();
  if (shape.num_elements() == 0) return;
  const std::int64_t length = s.inner == 1 ? s.channels : s.inner, rows = shape.num_elements() / length;
  ctx.pool().ParallelRanges(rows, RowsPerBlock(length), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      if (s.inner == 1)
        AddRow(in + row * length, bias, length, out + row * length);
      else
        AddOne(in + row * length, bias[row % s.channels], length, out + row * length);
  });
}

// The type sums are made in: double, or the integer itself.
template <class T>
using SumType = std::conditional_t<std::is_integral_v<T>, T, double>;

template <class T>
void BiasAddGradOf(KernelContext& ctx, const Array& grad, const BiasShape& s) {
  using S = SumType<T>;
  const ScopedFlushDenormals flush;
  const T* x = grad.data<T>();
  T* out = ctx.Allocate(0, Shape{s.channels}).template mutable_data<T>();
  const auto wide = [](T v) { return static_cast<S>(Widen(v)); };
  if (s.inner > 1) {  // a channel's runs lie apart: each channel by itself
    ctx.pool().ParallelFor(s.channels, [&](std::int64_t c) {
      S sum = 0;
      for (std::int64_t n = 0; n < s.outer; ++n)
        for (std::int64_t i = 0; i < s.inner; ++i) sum = Plus(sum, wide(x[(n * s.channels + c) * s.inner + i]));
      out[c] = static_cast<T>(static_cast<Wide<T>>(sum));
    });
    return;
  }
  const std::int64_t rows = s.inner == 0 ? 0 : s.outer, block = RowsPerBlock(s.channels),
                     blocks = (rows + block - 1) / block;
  std::vector<S> parts(static_cast<std::size_t>(blocks * s.channels)), sums(static_cast<std::size_t>(s.channels));
  ctx.pool().ParallelRanges(rows, block, [&](std::int64_t begin, std::int64_t end) {
    S* part = parts.data() + begin / block * s.channels;
    for (std::int64_t row = begin; row < end; ++row)
      for (std::int64_t c = 0; c < s.channels; ++c) part[c] = Plus(part[c], wide(x[row * s.channels + c]));
  });
  for (std::size_t i = 0; i < parts.size(); ++i) sums[i % sums.size()] = Plus(sums[i % sums.size()], parts[i]);
  for (std::size_t c = 0; c < sums.size(); ++c) out[c] = static_cast<T>(static_cast<Wide<T>>(sums[c]));
}
}  // namespace

void BiasAdd(KernelContext& ctx) {
  const Shape &value = ctx.input(0).shape(), &bias = ctx.input(1).shape();
  const BiasShape s = ShapeOf(ctx, value);
  if (bias.rank() != 1)
    throw InvalidArgumentError(fmt::format("{}Biases must be 1D: {}", ctx.Where(), bias.ToString()));
  if (bias.dim(0) != s.channels)
    throw InvalidArgumentError(fmt::format(
        "{}Must provide as many biases as the {} dimension of the input tensor: {} vs. {}", ctx.Where(),
        ctx.attrs().Find("data_format") && ctx.attrs().Get<std::string>("data_format") == "NCHW" ? "second" : "last",
        bias.ToString(), value.ToString()));
  ForReal(ctx, ctx.output_dtype(0), [&]<class T>() { BiasAddOf<T>(ctx, s); });
}

void BiasAddGrad(KernelContext& ctx) {
  const Array grad = ctx.input(0);
  const BiasShape s = ShapeOf(ctx, grad.shape());
  ForReal(ctx, grad.dtype(), [&]<class T>() { BiasAddGradOf<T>(ctx, grad, s); });
}

}  // namespace equiv::cpu
