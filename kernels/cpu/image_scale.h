// kernels/cpu/image_scale.h - where the cells of a resized image lie in the original. tf: image_resizer_state.h
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/base/kernel.h"

namespace equiv::cpu {

// How positions of one axis of `out` cells map to an axis of `in` cells.
struct Scaler {
  std::int64_t in = 0, out = 0;
  float scale = 1;
  bool align = false, half = false;
  // The position, counted in cells of the original, of cell i's centre (half) or corner.
  float At(std::int64_t i) const {
    return half ? (static_cast<float>(i) + 0.5F) * scale - 0.5F : static_cast<float>(i) * scale;
  }
  // The nearest cell of the original.
  std::int64_t Nearest(std::int64_t i) const;
};
// Reads align_corners and, where the op has it, half_pixel_centers.
Scaler MakeScaler(KernelContext& ctx, std::int64_t in, std::int64_t out);

// The two cells a position lies between.
struct Blend {
  std::int64_t lower, upper;
  float weight;  // of the upper cell
};
std::vector<Blend> Blends(const Scaler& s);

// The four cells around a position, with the weights of a cubic.
struct Cubic {
  std::int64_t cell[4];
  float weight[4];
};
// tf: with half_pixel_centers Keys' cubic (-0.5) that leaves out cells beyond the edge, else -0.75 that repeats the
// edge
std::vector<Cubic> Cubics(const Scaler& s);

// InvalidArgumentError unless input 0 is an image with cells and input 1 two positive sizes; the resized shape.
Shape ResizedShape(KernelContext& ctx);

}  // namespace equiv::cpu
