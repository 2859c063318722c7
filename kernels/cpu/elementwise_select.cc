// kernels/cpu/elementwise_select.cc - what chooses between values, clips them, or adds many of them.
#include <fmt/format.h>

#include <array>
#include <cstring>

#include "kernels/cpu/elementwise_loops.h"

namespace equiv::cpu {
namespace {
template <class Bits>
void SelectBits(KernelContext& ctx) {
  const Array c = ctx.input(0), a = ctx.input(1), b = ctx.input(2);
  const Shape out = BroadcastShape(ctx, c.shape(), BroadcastShape(ctx, a.shape(), b.shape()));
  const bool* condition = c.data<bool>();
  const auto *x = reinterpret_cast<const Bits*>(a.raw()), *y = reinterpret_cast<const Bits*>(b.raw());
  auto* z = reinterpret_cast<Bits*>(ctx.Allocate(0, out).raw());
  const std::int64_t n = out.num_elements();
  if (n == 0) return;
  if (out.rank() == 0) {
    z[0] = condition[0] ? x[0] : y[0];
    return;
  }
  const std::array strides = {StretchedStrides(c.shape(), out), StretchedStrides(a.shape(), out),
                              StretchedStrides(b.shape(), out)};
  const auto last = static_cast<std::size_t>(out.rank() - 1);
  const std::int64_t width = out[out.rank() - 1];
  ctx.pool().ParallelRanges(n / width, RowsPerBlock(width), [&](std::int64_t begin, std::int64_t end) {
    ForRows<3>(out, strides, begin, end, [&](std::int64_t at, const std::array<std::int64_t, 3>& from) {
      for (std::int64_t i = 0; i < width; ++i)
        z[at + i] = condition[from[0] + i * strides[0][last]] ? x[from[1] + i * strides[1][last]]
                                                              : y[from[2] + i * strides[2][last]];
    });
  });
}
struct Element16 {
  std::uint64_t half[2];
};
}  // namespace

void SelectV2(KernelContext& ctx) {
  switch (SizeOf(ctx.input(1).dtype())) {
    case 1:
      return SelectBits<std::uint8_t>(ctx);
    case 2:
      return SelectBits<std::uint16_t>(ctx);
    case 4:
      return SelectBits<std::uint32_t>(ctx);
    case 8:
      return SelectBits<std::uint64_t>(ctx);
    case 16:
      return SelectBits<Element16>(ctx);
    default:
      UnsupportedDType(ctx, ctx.input(1).dtype());
  }
}

// tf: SelectOp::Compute
void Select(KernelContext& ctx) {
  const Array c = ctx.input(0), a = ctx.input(1), b = ctx.input(2);
  const bool rows = c.rank() == 1 && a.rank() != 1;
  if (c.rank() != 0 && !rows) {
    RequireSameShapes(ctx, 0, 1);
    RequireSameShapes(ctx, 0, 2);
  }
  if (!(a.shape() == b.shape()))
    throw InvalidArgumentError(fmt::format("{}'then' and 'else' must have the same size.  but received: {} vs. {}",
                                           ctx.Where(), a.shape().ToString(), b.shape().ToString()));
  const bool* condition = c.data<bool>();
  if (c.rank() == 0) return ctx.set_output(0, condition[0] ? a : b);
  if (rows && a.rank() == 0)
    throw InvalidArgumentError(ctx.Where() + "'then' must be at least a vector, but saw shape: []");
  if (rows && a.dim(0) != c.dim(0))
    throw InvalidArgumentError(
        fmt::format("{}Number of batches of 'then' must match size of 'cond', but saw: {} vs. {}", ctx.Where(),
                    a.dim(0), c.dim(0)));
  const std::size_t size = SizeOf(a.dtype());
  if (size == 0) UnsupportedDType(ctx, a.dtype());
  std::byte* out = ctx.Allocate(0, a.shape()).raw();
  if (a.num_elements() == 0) return;
  const std::int64_t n = c.num_elements(), bytes = a.num_elements() / n * static_cast<std::int64_t>(size);
  ctx.pool().ParallelRanges(n, RowsPerBlock(bytes), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      std::memcpy(out + i * bytes, (condition[i] ? a : b).raw() + i * bytes, static_cast<std::size_t>(bytes));
  });
}

void ClipByValue(KernelContext& ctx) {
  const Array t = ctx.input(0), low = ctx.input(1), high = ctx.input(2);
  const Shape shape = t.shape();
  const bool low_scalar = low.rank() == 0, high_scalar = high.rank() == 0;
  if ((!low_scalar && !(low.shape() == shape)) || (!high_scalar && !(high.shape() == shape)))
    throw InvalidArgumentError(
        fmt::format("{}clip_value_min and clip_value_max must be either of the same shape as input, or a scalar. input "
                    "shape: {}clip_value_min shape: {}clip_value_max shape: {}",
                    ctx.Where(), shape.ToString(), low.shape().ToString(), high.shape().ToString()));
  // tf: no kernel for uint32 and uint64
  if (t.dtype() == DType::kUInt32 || t.dtype() == DType::kUInt64) UnsupportedDType(ctx, t.dtype());
  ForReal(ctx, t.dtype(), [&]<class T>() {
    const T *x = t.data<T>(), *lo = low.data<T>(), *hi = high.data<T>();
    T* y = ctx.AllocateOrForward(0, 0, shape).template mutable_data<T>();
    ctx.pool().ParallelRanges(shape.num_elements(), kElementBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T upper = hi[high_scalar ? 0 : i], lower = lo[low_scalar ? 0 : i];
        const T capped = upper < x[i] ? upper : x[i];
        y[i] = capped < lower ? lower : capped;
      }
    });
  });
}

void AddN(KernelContext& ctx) {
  const std::size_t n = static_cast<std::size_t>(ctx.num_inputs());
  const Shape shape = ctx.input(0).shape();
  for (int i = 1; i < ctx.num_inputs(); ++i) RequireSameShapes(ctx, 0, i);
  ForReal(ctx, ctx.input(0).dtype(), [&]<class T>() {
    std::vector<const T*> in;
    for (std::size_t k = 0; k < n; ++k) in.push_back(ctx.input(static_cast<int>(k)).data<T>());
    T* out = ctx.Allocate(0, shape).template mutable_data<T>();
    std::size_t first = n;
    if (n > 9) first = n % 8 <= 1 ? n % 8 + 8 : n % 8;
    ctx.pool().ParallelRanges(shape.num_elements(), kElementBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        T total = in[0][i];
        for (std::size_t k = 1; k < first; ++k) total = Plus(total, in[k][i]);
        for (std::size_t k = first; k < n; k += 8) {
          T group = in[k][i];
          for (std::size_t j = 1; j < 8; ++j) group = Plus(group, in[k + j][i]);
          total = Plus(total, group);
        }
        out[i] = total;
      }
    });
  });
}
}  // namespace equiv::cpu
