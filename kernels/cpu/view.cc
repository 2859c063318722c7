#include "kernels/cpu/view.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {
namespace {

struct Element16 {
  std::uint64_t half[2];
};

// Drops dimensions of 1 and joins those that lie densely behind one another; at least one dimension is left.
void Simplify(View& view) {
  View out{.offset = view.offset, .dims = {}, .strides = {}};
  for (std::size_t d = 0; d < view.dims.size(); ++d) {
    if (view.dims[d] == 1) continue;
    if (!out.dims.empty() && out.strides.back() == view.strides[d] * view.dims[d]) {
      out.dims.back() *= view.dims[d];
      out.strides.back() = view.strides[d];
    } else {
      out.dims.push_back(view.dims[d]);
      out.strides.push_back(view.strides[d]);
    }
  }
  if (out.dims.empty()) out.dims = {1}, out.strides = {1};
  view = std::move(out);
}

template <class T>
void Copy(ThreadPool& pool, const T* in, const View& view, T* out) {
  const std::size_t last = view.dims.size() - 1;
  const std::int64_t width = view.dims[last], step = view.strides[last];
  std::int64_t rows = 1;
  for (std::size_t d = 0; d < last; ++d) rows *= view.dims[d];
  pool.ParallelRanges(rows, RowsPerBlock(width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      std::int64_t rest = row, at = view.offset;
      for (std::size_t d = last; d-- > 0;) {
        at += rest % view.dims[d] * view.strides[d];
        rest /= view.dims[d];
      }
      T* to = out + row * width;
      if (step == 1)
        std::memcpy(to, in + at, static_cast<std::size_t>(width) * sizeof(T));
      else
        for (std::int64_t i = 0; i < width; ++i) to[i] = in[at + i * step];
    }
  });
}
}  // namespace

std::vector<std::int64_t> StridesOf(const Shape& shape) {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(shape.rank()));
  std::int64_t step = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    strides[static_cast<std::size_t>(d)] = step;
    step *= shape[d];
  }
  return strides;
}

Array CopyOfView(ThreadPool& pool, const Array& in, View view, const Shape& shape) {
  const std::size_t size = SizeOf(in.dtype());
  Array out(in.dtype(), shape);
  if (shape.num_elements() == 0) return out;
  Simplify(view);
  const auto copy = [&]<class T>() {
    Copy(pool, reinterpret_cast<const T*>(in.raw()), view, reinterpret_cast<T*>(out.raw()));
  };
  if (size == 1)
    copy.operator()<std::uint8_t>();
  else if (size == 2)
    copy.operator()<std::uint16_t>();
  else if (size == 4)
    copy.operator()<std::uint32_t>();
  else if (size == 8)
    copy.operator()<std::uint64_t>();
  else
    copy.operator()<Element16>();
  return out;
}
void CopyView(KernelContext& ctx, const Array& input, View view, int i, const Shape& shape) {
  if (SizeOf(input.dtype()) == 0) UnsupportedDType(ctx, input.dtype());
  ctx.set_output(i, CopyOfView(ctx.pool(), input, std::move(view), shape));
}

}  // namespace equiv::cpu
