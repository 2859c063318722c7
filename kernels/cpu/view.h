// kernels/cpu/view.h - copies of a strided view: what slices, tiles, reversals and block moves come down to.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/base/kernel.h"

namespace equiv::cpu {

// A view of `input`: element (i0, i1, ...) is at offset + i0 * strides[0] + ..., in elements; strides may be 0 or
// negative. Any number of dimensions.
struct View {
  std::int64_t offset = 0;
  std::vector<std::int64_t> dims, strides;
};
// Row-major strides.
std::vector<std::int64_t> StridesOf(const Shape& shape);
// The view's elements, row-major, as an array of `shape`. `input`'s dtype has a fixed size.
Array CopyOfView(ThreadPool& pool, const Array& input, View view, const Shape& shape);
// The same as output `i`. UnimplementedError on a dtype without a fixed size.
void CopyView(KernelContext& ctx, const Array& input, View view, int i, const Shape& shape);

}  // namespace equiv::cpu
