// kernels/cpu/conv_space.h - convolution over up to three spatial axes and its two gradients, float32 and float64.
//
// Input [n, i0, i1, i2, c], filter [k0, k1, k2, c/groups, o], output [n, o0, o1, o2, o]; an image has a last axis of 1.
// Forward and filter gradient are matrix products (gemm.h) over im2col, padding counting as zeros. The input gradient
// is the product of output gradient and turned filter, whose parts each input cell adds up in the order of the output
// positions they come from. tf: Col2im. No order depends on the number of threads.
#pragma once
#include <array>
#include <cstdint>

#include "kernels/base/thread_pool.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

struct ConvSpace {
  std::array<WindowAxis, 3> axes;
  std::int64_t batch = 0, in_depth = 0, out_depth = 0, groups = 1;

  std::int64_t group_depth() const { return groups == 0 ? 0 : in_depth / groups; }
  std::int64_t in_cells() const { return axes[0].in * axes[1].in * axes[2].in; }
  std::int64_t out_cells() const { return axes[0].out * axes[1].out * axes[2].out; }
  std::int64_t taps() const { return axes[0].size * axes[1].size * axes[2].size; }
};

template <class T>
void SpaceForward(ThreadPool& pool, const ConvSpace& s, const T* input, const T* filter, T* output);
// grad: gradient of the output.
template <class T>
void SpaceInputGrad(ThreadPool& pool, const ConvSpace& s, const T* filter, const T* grad, T* input_grad);
template <class T>
void SpaceFilterGrad(ThreadPool& pool, const ConvSpace& s, const T* input, const T* grad, T* filter_grad);

}  // namespace equiv::cpu
