#include "kernels/cpu/volume_pool.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/cpu/channels_first.h"
#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/pool_cells.h"
#include "kernels/cpu/volume_geometry.h"

namespace equiv::cpu {
namespace {

// The cells of window (i, j, k) of volume n, clipped.
struct Box {
  std::pair<std::int64_t, std::int64_t> x, y, z;
  std::int64_t size() const { return (x.second - x.first) * (y.second - y.first) * (z.second - z.first); }
};
Box BoxAt(const Window3D& window, std::int64_t i, std::int64_t j, std::int64_t k) {
  return {CellsInside(window.axes[0], i), CellsInside(window.axes[1], j), CellsInside(window.axes[2], k)};
}
// Calls visit(offset of the cell in its volume) in row-major order.
template <class F>
void ForCells(const Window3D& window, const Box& box, std::int64_t depth, const F& visit) {
  const auto& [x, y, z] = window.axes;
  for (std::int64_t i = box.x.first; i < box.x.second; ++i)
    for (std::int64_t j = box.y.first; j < box.y.second; ++j)
      for (std::int64_t k = box.z.first; k < box.z.second; ++k) visit(((i * y.in + j) * z.in + k) * depth);
}
// Calls visit(offset of the window's cell in the output, offset of the input's volume, box) for the windows of one row.
template <class F>
void ForWindows(const Window3D& window, std::int64_t depth, std::int64_t row, const F& visit) {
  const auto& [x, y, z] = window.axes;
  const std::int64_t volume = row / (x.out * y.out) * x.in * y.in * z.in * depth;
  for (std::int64_t k = 0; k < z.out; ++k)
    visit((row * z.out + k) * depth, volume, BoxAt(window, row / y.out % x.out, row % y.out, k));
}

template <class T, bool kMax>
void PoolOf(KernelContext& ctx, const Window3D& window, const Shape& shape) {
  const T* in = ctx.input(0).data<T>();
  T* out = ctx.Allocate(0, shape).mutable_data<T>();
  if (shape.num_elements() == 0) return;
  const std::int64_t depth = shape.dim(4);
  ctx.pool().ParallelFor(shape[0] * shape[1] * shape[2], [&](std::int64_t row) {
    ForWindows(window, depth, row, [&](std::int64_t at, std::int64_t volume, const Box& box) {
      T* cell = out + at;
      std::fill_n(cell, depth, kMax ? LowestOf<T>() : T{0});
      ForCells(window, box, depth, [&](std::int64_t from) {
        if constexpr (kMax)
          TakeLarger(in + volume + from, depth, cell);
        else
          AddCell(in + volume + from, depth, cell);
      });
      if constexpr (!kMax) DivideCell(box.size(), depth, cell);
    });
  });
}

template <bool kMax>
void Pool(KernelContext& ctx, const char* op) {
  const Shape& in = ctx.input(0).shape();
  RequireVolume(ctx, "tensor_in", in);
  const Window3D window = MakePoolWindow3D(FailOf(ctx), op, ctx.attrs(), in);
  const Shape shape = VolumeShape(window, in.dim(0), in.dim(4)).Require();
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() { PoolOf<T, kMax>(ctx, window, shape); });
}

// The window over `volume`, whose output must have the shape `pooled`.
Window3D GradWindow(KernelContext& ctx, const char* op, const Shape& volume, const Shape& pooled, const char* name) {
  RequireVolume(ctx, "input", volume);
  const Window3D window = MakePoolWindow3D(FailOf(ctx), op, ctx.attrs(), volume);
  const Shape expected = VolumeShape(window, volume[0], volume[4]).Require();
  if (!(expected == pooled))
    throw InvalidArgumentError(fmt::format("{}Expected {} shape to be {}, but got {}", ctx.Where(), name,
                                           expected.ToString(), pooled.ToString()));
  return window;
}
void RequireShape(KernelContext& ctx, const char* name, const Shape& expected, const Shape& got) {
  if (!(expected == got))
    throw InvalidArgumentError(fmt::format("{}Expected {} shape to be {}, but got {}", ctx.Where(), name,
                                           expected.ToString(), got.ToString()));
}
// Windows overlap, so the rows of one volume are worked through in order; volumes are independent.
template <class F>
void ForVolumes(ThreadPool& pool, const Window3D& window, std::int64_t batch, std::int64_t depth, const F& visit) {
  const std::int64_t rows = window.axes[0].out * window.axes[1].out;
  pool.ParallelFor(batch, [&](std::int64_t n) {
    for (std::int64_t row = n * rows; row < (n + 1) * rows; ++row) ForWindows(window, depth, row, visit);
  });
}
const LayoutArgs kThreeVolumes{.images = {0, 1, 2}, .sizes = {}, .results = {0}};
}  // namespace

void MaxPool3D(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, {.images = {0}, .sizes = {}, .results = {0}}, MaxPool3D);
  Pool<true>(ctx, "MaxPool3D");
}
void AvgPool3D(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, {.images = {0}, .sizes = {}, .results = {0}}, AvgPool3D);
  Pool<false>(ctx, "AvgPool3D");
}

void MaxPool3DGrad(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, kThreeVolumes, MaxPool3DGrad);
  const Array input = ctx.input(0), pooled = ctx.input(1);
  const Window3D window = GradWindow(ctx, "MaxPool3DGrad", input.shape(), ctx.input(2).shape(), "grad");
  RequireShape(ctx, "orig_output", ctx.input(2).shape(), pooled.shape());
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    const T *in = input.data<T>(), *largest = pooled.data<T>(), *grad = ctx.input(2).data<T>();
    T* out = ctx.Allocate(0, input.shape()).template mutable_data<T>();
    std::fill_n(out, input.num_elements(), T{0});
    const std::int64_t depth = input.dim(4);
    const auto spread = [&](std::int64_t at, std::int64_t volume, const Box& box) {
      ForCells(window, box, depth, [&](std::int64_t cell) {
        for (std::int64_t c = 0; c < depth; ++c)
          if (in[volume + cell + c] == largest[at + c]) out[volume + cell + c] += grad[at + c];
      });
    };
    ForVolumes(ctx.pool(), window, input.dim(0), depth, spread);
  });
}

void MaxPool3DGradGrad(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, kThreeVolumes, MaxPool3DGradGrad);
  const Array input = ctx.input(0), pooled = ctx.input(1);
  const Window3D window = GradWindow(ctx, "MaxPool3DGradGrad", input.shape(), pooled.shape(), "orig_output");
  RequireShape(ctx, "grad", input.shape(), ctx.input(2).shape());
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    const T *in = input.data<T>(), *largest = pooled.data<T>(), *grad = ctx.input(2).data<T>();
    T* out = ctx.Allocate(0, pooled.shape()).template mutable_data<T>();
    const std::int64_t depth = input.dim(4);
    const auto pick = [&](std::int64_t at, std::int64_t volume, const Box& box) {
      for (std::int64_t c = 0; c < depth; ++c) {
        bool found = false;
        out[at + c] = T{0};
        ForCells(window, box, depth, [&](std::int64_t cell) {
          if (found || !(in[volume + cell + c] == largest[at + c])) return;
          found = true;
          out[at + c] = grad[volume + cell + c];
        });
      }
    };
    ForVolumes(ctx.pool(), window, input.dim(0), depth, pick);
  });
}

void AvgPool3DGrad(KernelContext& ctx) {
  if (ChannelsFirst(ctx)) return RunChannelsLast(ctx, {.images = {1}, .sizes = {0}, .results = {0}}, AvgPool3DGrad);
  const Shape shape = CheckedShape(FailOf(ctx), ctx.input(0).AsInt64Vector());
  const Window3D window = GradWindow(ctx, "AvgPool3DGrad", shape, ctx.input(1).shape(), "grad");
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    const T* grad = ctx.input(1).data<T>();
    T* out = ctx.Allocate(0, shape).template mutable_data<T>();
    std::fill_n(out, shape.num_elements(), T{0});
    const std::int64_t depth = shape[4];
    const auto spread = [&](std::int64_t at, std::int64_t volume, const Box& box) {
      const T share = T{1} / static_cast<T>(box.size());
      ForCells(window, box, depth, [&](std::int64_t cell) {
        for (std::int64_t c = 0; c < depth; ++c) out[volume + cell + c] += share * grad[at + c];
      });
    };
    ForVolumes(ctx.pool(), window, shape[0], depth, spread);
  });
}

}  // namespace equiv::cpu
