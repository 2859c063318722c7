#include "kernels/cpu/pool.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/cpu/channels_first.h"
#include "kernels/cpu/pool_cells.h"

namespace equiv::cpu {
namespace {

template <class T, bool kMax>
void PoolOf(KernelContext& ctx, const Window2D& window, const Shape& shape) {
  const Array& input = ctx.input(0);
  const T* in = input.data<T>();
  T* out = ctx.Allocate(0, shape).mutable_data<T>();
  if (shape.num_elements() == 0) return;
  const WindowAxis &h = window.h, &w = window.w;
  const std::int64_t depth = input.dim(3);
  ctx.pool().ParallelFor(shape.dim(0) * h.out, [&](std::int64_t row) {
    const T* image = in + row / h.out * h.in * w.in * depth;
    const auto [top, bottom] = CellsInside(h, row % h.out);
    for (std::int64_t x = 0; x < w.out; ++x) {
      T* cell = out + (row * w.out + x) * depth;
      const auto [left, right] = CellsInside(w, x);
      std::fill_n(cell, depth, kMax ? LowestOf<T>() : T{});
      for (std::int64_t iy = top; iy < bottom; ++iy)
        for (std::int64_t ix = left; ix < right; ++ix) {
          const T* from = image + (iy * w.in + ix) * depth;
          if constexpr (kMax)
            TakeLarger(from, depth, cell);
          else
            AddCell(from, depth, cell);
        }
      if constexpr (!kMax)
        DivideCell(std::max<std::int64_t>(bottom - top, 0) * std::max<std::int64_t>(right - left, 0), depth, cell);
    }
  });
}

template <bool kMax>
void Pool(KernelContext& ctx, const char* op) {
  const Shape& in = ctx.input(0).shape();
  if (in.rank() != 4)
    throw InvalidArgumentError(fmt::format("{}tensor_in must be 4-dimensional: {}", ctx.Where(), in.ToString()));
  const Window2D window = MakePoolWindow(FailOf(ctx), op, ctx.attrs(), in);
  const Shape shape{in.dim(0), window.h.out, window.w.out, in.dim(3)};
  const auto pool = [&]<class T>() { PoolOf<T, kMax>(ctx, window, shape); };
  if constexpr (kMax)
    ForOrdered(ctx, ctx.output_dtype(0), pool);
  else
    ForHalfOrFloating(ctx, ctx.output_dtype(0), pool);
}
}  // namespace

void MaxPool(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, {.images = {0}, .sizes = {}, .results = {0}}, MaxPool);
  Pool<true>(ctx, "MaxPool");
}
void AvgPool(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, {.images = {0}, .sizes = {}, .results = {0}}, AvgPool);
  Pool<false>(ctx, "AvgPool");
}
void MaxPoolV2(KernelContext& ctx) { RunWithWindowInputs(ctx, 1, MaxPool); }

void RunWithWindowInputs(KernelContext& ctx, int first, void (*kernel)(KernelContext&)) {
  AttrMap attrs = ctx.attrs();
  static const char* const kNames[] = {"ksize", "strides"};
  for (int i = 0; i < 2; ++i) {
    const Array& values = ctx.input(first + i);
    if (values.rank() != 1 || values.num_elements() != 4)
      throw InvalidArgumentError(fmt::format("{}Sliding window {} field must specify 4 dimensions, got shape {}",
                                             ctx.Where(), kNames[i], values.shape().ToString()));
    attrs.Set(kNames[i], values.AsInt64Vector());
  }
  std::vector<Array> inputs, outputs(1);
  for (int i = 0; i < first; ++i) inputs.push_back(ctx.input(i));
  const DType dtype = ctx.output_dtype(0);
  KernelContext inner(ctx.def(), attrs, ctx.node_name(), inputs, outputs, {&dtype, 1}, ctx.resources(), ctx.pool());
  kernel(inner);
  ctx.set_output(0, std::move(outputs[0]));
}

}  // namespace equiv::cpu
