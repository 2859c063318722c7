#include "kernels/cpu/image_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/pool_cells.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;

const Ints& FourValues(const FailFn& fail, const AttrMap& attrs, const char* name) {
  const Ints& values = attrs.Get<Ints>(name);
  if (values.size() != 4) fail(fmt::format("{} attribute must contain 4 values, but got: {}", name, values.size()));
  if (values[0] != 1 || values[3] != 1)
    fail(fmt::format("Only support {} across space, got {}", name, ToString(AttrValue(values))));
  return values;
}
Window2D MakeWindowOf(const FailFn& fail, const AttrMap& attrs, const PartialShape& image, std::int64_t height,
                      std::int64_t width) {
  const Ints &strides = FourValues(fail, attrs, "strides"), &rates = FourValues(fail, attrs, "rates");
  const std::string& padding = attrs.Get<std::string>("padding");
  return {SlideWindow(fail, image.dim(1), height, strides[1], rates[1], padding, 0, 0),
          SlideWindow(fail, image.dim(2), width, strides[2], rates[2], padding, 0, 0), LayoutOf("NHWC")};
}
void RequireRank(KernelContext& ctx, int i, const char* name, int rank) {
  if (ctx.input(i).rank() != rank)
    throw InvalidArgumentError(
        fmt::format("{}{} must be {}-dimensional: {}", ctx.Where(), name, rank, ctx.input(i).shape().ToString()));
}

struct Dilation {
  Window2D window;
  std::int64_t batch = 0, depth = 0;
  Shape output;
};
Dilation DilationOf(KernelContext& ctx) {
  RequireRank(ctx, 0, "input", 4);
  RequireRank(ctx, 1, "filter", 3);
  const Shape &image = ctx.input(0).shape(), &filter = ctx.input(1).shape();
  Dilation d{MakeDilationWindow(FailOf(ctx), ctx.attrs(), image, filter), image[0], image[3], {}};
  d.output = Shape{image[0], d.window.h.out, d.window.w.out, image[3]};
  return d;
}
Dilation GradOf(KernelContext& ctx) {
  const Dilation d = DilationOf(ctx);
  if (!(ctx.input(2).shape() == d.output))
    throw InvalidArgumentError(fmt::format("{}out_backprop has incompatible size: {}, expected {}", ctx.Where(),
                                           ctx.input(2).shape().ToString(), d.output.ToString()));
  return d;
}

// The largest cell + filter under window (y, x) of channel c; where, as a cell of the image and of the filter.
template <class T>
struct Largest {
  T value;
  std::int64_t row = 0, column = 0, tap = 0;
};
template <class T>
Largest<T> LargestAt(const Dilation& d, const T* image, const T* filter, std::int64_t y, std::int64_t x,
                     std::int64_t c) {
  const WindowAxis &h = d.window.h, &w = d.window.w;
  const std::int64_t top = y * h.stride - h.before, left = x * w.stride - w.before;
  // tf: where nothing is greater than the lowest value, the window's first cell
  Largest<T> best{LowestOf<T>(), std::max<std::int64_t>(top, 0), std::max<std::int64_t>(left, 0), 0};
  for (std::int64_t i = 0; i < h.size; ++i) {
    const std::int64_t row = top + i * h.dilation;
    if (row < 0 || row >= h.in) continue;
    for (std::int64_t j = 0; j < w.size; ++j) {
      const std::int64_t column = left + j * w.dilation;
      if (column < 0 || column >= w.in) continue;
      const T value = Plus(image[(row * w.in + column) * d.depth + c], filter[(i * w.size + j) * d.depth + c]);
      if (Widen(value) > Widen(best.value)) best = {value, row, column, i * w.size + j};
    }
  }
  return best;
}
// Calls visit(output position, row y, column x) of image n in row-major order.
template <class F>
void ForPositions(const Dilation& d, std::int64_t n, const F& visit) {
  for (std::int64_t y = 0; y < d.window.h.out; ++y)
    for (std::int64_t x = 0; x < d.window.w.out; ++x) visit((n * d.window.h.out + y) * d.window.w.out + x, y, x);
}
constexpr std::int64_t kChannels = 16;  // of a block of work
}  // namespace

Window2D MakePatchWindow(const FailFn& fail, const AttrMap& attrs, const PartialShape& image) {
  const Ints& sizes = FourValues(fail, attrs, "ksizes");
  for (std::int64_t k : sizes)
    if (k <= 0) fail(fmt::format("ksizes must be positive, but got {}", k));
  return MakeWindowOf(fail, attrs, image, sizes[1], sizes[2]);
}
Window2D MakeDilationWindow(const FailFn& fail, const AttrMap& attrs, const PartialShape& image,
                            const PartialShape& filter) {
  if (image.dim(3) >= 0 && filter.dim(2) >= 0 && image.dim(3) != filter.dim(2))
    fail(fmt::format("input and filter must have the same depth: {} vs {}", image.dim(3), filter.dim(2)));
  for (int i = 0; i < 2; ++i)
    if (filter.dim(i) == 0) fail("filter must not be empty: " + filter.ToString());
  return MakeWindowOf(fail, attrs, image, filter.dim(0), filter.dim(1));
}

void ExtractImagePatches(KernelContext& ctx) {
  RequireRank(ctx, 0, "input", 4);
  const Array in = ctx.input(0);
  const std::size_t bytes = SizeOf(in.dtype());
  if (bytes == 0) UnsupportedDType(ctx, in.dtype());
  const Window2D window = MakePatchWindow(FailOf(ctx), ctx.attrs(), in.shape());
  const WindowAxis &h = window.h, &w = window.w;
  const FailFn fail = FailOf(ctx);
  const Shape shape{in.dim(0), h.out, w.out, CheckedMul(fail, CheckedMul(fail, h.size, w.size), in.dim(3))};
  std::byte* out = ctx.Allocate(0, shape).raw();
  if (shape.num_elements() == 0) return;
  const std::size_t length = bytes * static_cast<std::size_t>(in.dim(3));
  ctx.pool().ParallelFor(shape[0] * h.out, [&](std::int64_t row) {
    std::byte* to = out + static_cast<std::size_t>(row * w.out * h.size * w.size) * length;
    for (std::int64_t x = 0; x < w.out; ++x)
      for (std::int64_t i = 0; i < h.size; ++i)
        for (std::int64_t j = 0; j < w.size; ++j, to += length) {
          const std::int64_t iy = row % h.out * h.stride - h.before + i * h.dilation;
          const std::int64_t ix = x * w.stride - w.before + j * w.dilation;
          if (iy < 0 || iy >= h.in || ix < 0 || ix >= w.in)
            std::memset(to, 0, length);
          else
            std::memcpy(to, in.raw() + static_cast<std::size_t>((row / h.out * h.in + iy) * w.in + ix) * length,
                        length);
        }
  });
}

void Dilation2D(KernelContext& ctx) {
  const Dilation d = DilationOf(ctx);
  const std::int64_t image = d.window.h.in * d.window.w.in * d.depth;
  ForOrdered(ctx, ctx.output_dtype(0), [&]<class T>() {
    const T *in = ctx.input(0).data<T>(), *filter = ctx.input(1).data<T>();
    T* out = ctx.Allocate(0, d.output).template mutable_data<T>();
    if (d.output.num_elements() == 0) return;
    ctx.pool().ParallelFor(d.batch * d.window.h.out, [&](std::int64_t row) {
      for (std::int64_t x = 0; x < d.window.w.out; ++x)
        for (std::int64_t c = 0; c < d.depth; ++c)
          out[(row * d.window.w.out + x) * d.depth + c] =
              LargestAt(d, in + row / d.window.h.out * image, filter, row % d.window.h.out, x, c).value;
    });
  });
}

void Dilation2DBackpropInput(KernelContext& ctx) {
  const Dilation d = GradOf(ctx);
  const Array input = ctx.input(0);
  const std::int64_t image = d.window.h.in * d.window.w.in * d.depth, parts = (d.depth + kChannels - 1) / kChannels;
  ForOrdered(ctx, ctx.output_dtype(0), [&]<class T>() {
    const T *in = input.data<T>(), *filter = ctx.input(1).data<T>(), *grad = ctx.input(2).data<T>();
    T* out = ctx.Allocate(0, input.shape()).template mutable_data<T>();
    std::fill_n(out, input.num_elements(), T{});
    ctx.pool().ParallelFor(d.batch * parts, [&](std::int64_t block) {
      const std::int64_t n = block / parts, first = block % parts * kChannels;
      ForPositions(d, n, [&](std::int64_t at, std::int64_t y, std::int64_t x) {
        for (std::int64_t c = first; c < std::min(d.depth, first + kChannels); ++c) {
          const Largest<T> best = LargestAt(d, in + n * image, filter, y, x, c);
          T& to = out[n * image + (best.row * d.window.w.in + best.column) * d.depth + c];
          to = Plus(to, grad[at * d.depth + c]);
        }
      });
    });
  });
}

void Dilation2DBackpropFilter(KernelContext& ctx) {
  const Dilation d = GradOf(ctx);
  const Shape shape = ctx.input(1).shape();
  const std::int64_t image = d.window.h.in * d.window.w.in * d.depth;
  ForOrdered(ctx, ctx.output_dtype(0), [&]<class T>() {
    const T *in = ctx.input(0).data<T>(), *filter = ctx.input(1).data<T>(), *grad = ctx.input(2).data<T>();
    T* out = ctx.Allocate(0, shape).template mutable_data<T>();
    std::fill_n(out, shape.num_elements(), T{});
    // Channels are independent; the images of a batch add up in order.
    ctx.pool().ParallelRanges(d.depth, kChannels, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = 0; n < d.batch; ++n)
        ForPositions(d, n, [&](std::int64_t at, std::int64_t y, std::int64_t x) {
          for (std::int64_t c = begin; c < end; ++c) {
            T& to = out[LargestAt(d, in + n * image, filter, y, x, c).tap * d.depth + c];
            to = Plus(to, grad[at * d.depth + c]);
          }
        });
    });
  });
}

}  // namespace equiv::cpu
