#include "kernels/cpu/conv_space.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/gemm.h"

namespace equiv::cpu {
namespace {

std::int64_t CellOf(const WindowAxis& axis, std::int64_t out, std::int64_t tap) {
  return out * axis.stride - axis.before + tap * axis.dilation;
}
// Input cell under tap `tap` of output position `position`, both counted row-major; -1 in the padding.
std::int64_t InputCell(const ConvSpace& s, std::int64_t position, std::int64_t tap) {
  const auto& [x, y, z] = s.axes;
  const std::int64_t c2 = CellOf(z, position % z.out, tap % z.size);
  const std::int64_t c1 = CellOf(y, position / z.out % y.out, tap / z.size % y.size);
  const std::int64_t c0 = CellOf(x, position / (z.out * y.out), tap / (z.size * y.size));
  const bool inside = c0 >= 0 && c0 < x.in && c1 >= 0 && c1 < y.in && c2 >= 0 && c2 < z.in;
  return inside ? (c0 * y.in + c1) * z.in + c2 : -1;
}

// The windows that cover one input cell, along one axis, in the order of their positions.
struct Cover {
  std::int64_t out, tap;
};
std::vector<std::vector<Cover>> Covers(const WindowAxis& axis) {
  std::vector<std::vector<Cover>> covers(static_cast<std::size_t>(axis.in));
  for (std::int64_t out = 0; out < axis.out; ++out)
    for (std::int64_t tap = 0; tap < axis.size; ++tap) {
      const std::int64_t cell = CellOf(axis, out, tap);
      if (cell >= 0 && cell < axis.in) covers[static_cast<std::size_t>(cell)].push_back({out, tap});
    }
  return covers;
}

template <class T>
EQUIV_CPU_CLONES void AddRow(const T* __restrict__ from, std::int64_t n, T* __restrict__ to) {
  for (std::int64_t i = 0; i < n; ++i) to[i] += from[i];
}

// Columns of the product held at once; only memory depends on it.
constexpr std::int64_t kPartElements = std::int64_t{1} << 23;
}  // namespace

template <class T>
void SpaceForward(ThreadPool& pool, const ConvSpace& s, const T* input, const T* filter, T* output) {
  const std::int64_t depth = s.group_depth(), cells = s.out_cells(), group_out = s.out_depth / s.groups;
  for (std::int64_t group = 0; group < s.groups; ++group) {
    GemmArgs<T> gemm{.m = s.batch * cells, .n = group_out, .k = s.taps() * depth};
    gemm.b = filter + group * group_out;
    gemm.b_row = s.out_depth;
    gemm.c = output + group * group_out;
    gemm.c_row = s.out_depth;
    gemm.fill_a = [&s, input, group, depth, cells](std::int64_t row, std::int64_t rows, std::int64_t first,
                                                   std::int64_t count, T* out) {
      for (std::int64_t i = row; i < row + rows; ++i) {
        const T* image = input + i / cells * s.in_cells() * s.in_depth + group * depth;
        for (std::int64_t k = first, end = first + count; k < end;) {
          const std::int64_t channel = k % depth, length = std::min(depth - channel, end - k);
          const std::int64_t cell = InputCell(s, i % cells, k / depth);
          if (cell < 0)
            std::fill_n(out, length, T{0});
          else
            std::memcpy(out, image + cell * s.in_depth + channel, static_cast<std::size_t>(length) * sizeof(T));
          out += length;
          k += length;
        }
      }
    };
    Gemm(pool, gemm);
  }
}

template <class T>
void SpaceInputGrad(ThreadPool& pool, const ConvSpace& s, const T* filter, const T* grad, T* input_grad) {
  const auto& [x, y, z] = s.axes;
  const std::int64_t depth = s.group_depth(), group_out = s.out_depth / s.groups, columns = s.taps() * depth;
  std::fill_n(input_grad, s.batch * s.in_cells() * s.in_depth, T{0});
  if (s.batch == 0 || s.out_cells() == 0 || columns == 0 || group_out == 0) return;
  const std::array covers = {Covers(x), Covers(y), Covers(z)};
  // A slab is one position along the first axis of one image.
  const std::int64_t slab_rows = y.out * z.out, slabs = s.batch * x.out;
  const std::int64_t at_once = std::clamp<std::int64_t>(kPartElements / (slab_rows * columns), 1, slabs);
  std::vector<T> parts(static_cast<std::size_t>(at_once * slab_rows * columns));
  for (std::int64_t group = 0; group < s.groups; ++group)
    for (std::int64_t first = 0; first < slabs; first += at_once) {
      const std::int64_t last = std::min(first + at_once, slabs);
      GemmArgs<T> gemm{.m = (last - first) * slab_rows, .n = columns, .k = group_out};
      gemm.a = grad + first * slab_rows * s.out_depth + group * group_out;
      gemm.a_row = s.out_depth;
      gemm.b = filter + group * group_out;
      gemm.b_row = 1;
      gemm.b_col = s.out_depth;
      gemm.c = parts.data();
      gemm.c_row = columns;
      Gemm(pool, gemm);
      const std::int64_t first_image = first / x.out, images = (last - 1) / x.out + 1 - first_image;
      pool.ParallelFor(images * x.in, [&](std::int64_t row) {
        const std::int64_t image = first_image + row / x.in, c0 = row % x.in;
        for (std::int64_t c1 = 0; c1 < y.in; ++c1)
          for (std::int64_t c2 = 0; c2 < z.in; ++c2) {
            T* to = input_grad + (((image * x.in + c0) * y.in + c1) * z.in + c2) * s.in_depth + group * depth;
            for (const Cover& p : covers[0][static_cast<std::size_t>(c0)]) {
              const std::int64_t slab = image * x.out + p.out - first;
              if (slab < 0 || slab >= last - first) continue;
              for (const Cover& q : covers[1][static_cast<std::size_t>(c1)])
                for (const Cover& r : covers[2][static_cast<std::size_t>(c2)])
                  AddRow(parts.data() + (slab * slab_rows + q.out * z.out + r.out) * columns +
                             ((p.tap * y.size + q.tap) * z.size + r.tap) * depth,
                         depth, to);
            }
          }
      });
    }
}

template <class T>
void SpaceFilterGrad(ThreadPool& pool, const ConvSpace& s, const T* input, const T* grad, T* filter_grad) {
  const std::int64_t depth = s.group_depth(), cells = s.out_cells(), group_out = s.out_depth / s.groups;
  for (std::int64_t group = 0; group < s.groups; ++group) {
    GemmArgs<T> gemm{.m = s.taps() * depth, .n = group_out, .k = s.batch * cells};
    gemm.b = grad + group * group_out;
    gemm.b_row = s.out_depth;
    gemm.c = filter_grad + group * group_out;
    gemm.c_row = s.out_depth;
    gemm.fill_a = [&s, input, group, depth, cells](std::int64_t row, std::int64_t rows, std::int64_t first,
                                                   std::int64_t count, T* out) {
      // Neighbouring rows are channels of one tap: the cell is looked up once for all of them.
      for (std::int64_t i = row, end = row + rows; i < end;) {
        const std::int64_t channel = i % depth, length = std::min(depth - channel, end - i);
        for (std::int64_t p = 0; p < count; ++p) {
          const std::int64_t position = first + p, cell = InputCell(s, position % cells, i / depth);
          const T* from =
              input + (position / cells * s.in_cells() + std::max<std::int64_t>(cell, 0)) * s.in_depth + group * depth;
          for (std::int64_t j = 0; j < length; ++j) out[j * count + p] = cell < 0 ? T{0} : from[channel + j];
        }
        out += length * count;
        i += length;
      }
    };
    Gemm(pool, gemm);
  }
}

template void SpaceForward(ThreadPool&, const ConvSpace&, const float*, const float*, float*);
template void SpaceForward(ThreadPool&, const ConvSpace&, const double*, const double*, double*);
template void SpaceInputGrad(ThreadPool&, const ConvSpace&, const float*, const float*, float*);
template void SpaceInputGrad(ThreadPool&, const ConvSpace&, const double*, const double*, double*);
template void SpaceFilterGrad(ThreadPool&, const ConvSpace&, const float*, const float*, float*);
template void SpaceFilterGrad(ThreadPool&, const ConvSpace&, const double*, const double*, double*);

}  // namespace equiv::cpu
