#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/base/flush.h"
#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/image_resize.h"
#include "kernels/cpu/pool_cells.h"

namespace equiv::cpu {
namespace {

// Where the cells of a crop lie along one axis of its image. tf: crop_and_resize_op.cc
struct CropAxis {
  std::int64_t size = 0;  // of the image
  std::int64_t crop = 0;  // cells
  float low = 0, high = 0;
  float step = 0;  // from cell to cell
  void SetStep() { step = crop > 1 ? (high - low) * last() / static_cast<float>(crop - 1) : 0.0F; }
  float last() const { return static_cast<float>(size - 1); }
  float At(std::int64_t i) const {
    if (crop <= 1) return static_cast<float>(0.5 * static_cast<double>(low + high) * static_cast<double>(size - 1));
    return low * last() + static_cast<float>(i) * step;
  }
  bool Inside(float at) const { return at >= 0 && at <= last(); }
};
struct CropBox {
  std::int64_t image = 0;
  CropAxis y, x;
};
// A position between two cells.
struct Between {
  std::int64_t lower, upper;
  float weight;
  explicit Between(float at)
      : lower(static_cast<std::int64_t>(std::floor(at))),
        upper(static_cast<std::int64_t>(std::ceil(at))),
        weight(at - static_cast<float>(lower)) {}
};

// `image`: height and width; `crop`: those of the crops.
std::vector<CropBox> Boxes(KernelContext& ctx, const Array& boxes, const Array& index, std::int64_t batch,
                           std::int64_t height, std::int64_t width, std::int64_t crop_height, std::int64_t crop_width) {
  const auto refuse = [&](const std::string& text) { throw InvalidArgumentError(ctx.Where() + text); };
  if (boxes.rank() != 2 || boxes.dim(1) != 4) refuse("boxes must be [num_boxes,4], got " + boxes.shape().ToString());
  if (!(index.shape() == Shape{boxes.dim(0)}))
    refuse(fmt::format("box_index has incompatible shape: {} for boxes {}", index.shape().ToString(),
                       boxes.shape().ToString()));
  if (height <= 0 || width <= 0) refuse("image dimensions must be positive");
  if (crop_height <= 0 || crop_width <= 0) refuse("crop dimensions must be positive");
  std::vector<CropBox> list;
  const float* b = boxes.data<float>();
  for (std::int64_t i = 0; i < boxes.dim(0); ++i, b += 4) {
    const std::int64_t image = index.data<std::int32_t>()[i];
    if (image < 0 || image >= batch)
      throw OutOfRangeError(fmt::format("{}box_index has values outside [0, batch_size): {} is not in [0, {})",
                                        ctx.Where(), image, batch));
    for (int k = 0; k < 4; ++k)
      if (!std::isfinite(b[k])) refuse("Boxes contains at least one element that is not finite");
    list.push_back({image, {height, crop_height, b[0], b[2]}, {width, crop_width, b[1], b[3]}});
    list.back().y.SetStep();
    list.back().x.SetStep();
  }
  return list;
}
bool Bilinear(KernelContext& ctx) { return ctx.attrs().Get<std::string>("method") == "bilinear"; }
std::int64_t Nearest(float at) { return static_cast<std::int64_t>(std::round(at)); }

template <class T>
void Crop(const T* image, const CropBox& box, std::int64_t depth, bool bilinear, float outside, float* out) {
  const std::int64_t stride = box.x.size * depth;
  for (std::int64_t i = 0; i < box.y.crop; ++i)
    for (std::int64_t j = 0; j < box.x.crop; ++j, out += depth) {
      const float y = box.y.At(i), x = box.x.At(j);
      if (!box.y.Inside(y) || !box.x.Inside(x)) {
        std::fill_n(out, depth, outside);
      } else if (bilinear) {
        const Between v(y), h(x);
        const T *top = image + v.lower * stride, *bottom = image + v.upper * stride;
        for (std::int64_t c = 0; c < depth; ++c) {
          const auto at = [c, depth](const T* row, std::int64_t cell) {
            return static_cast<float>(row[cell * depth + c]);
          };
          const float a = at(top, h.lower), d = at(bottom, h.lower);
          const float upper = a + (at(top, h.upper) - a) * h.weight, lower = d + (at(bottom, h.upper) - d) * h.weight;
          out[c] = upper + (lower - upper) * v.weight;
        }
      } else {
        const T* cell = image + Nearest(y) * stride + Nearest(x) * depth;
        for (std::int64_t c = 0; c < depth; ++c) out[c] = static_cast<float>(cell[c]);
      }
    }
}

// Adds a crop's gradient to the image it came from.
template <class T>
void Uncrop(const float* grad, const CropBox& box, std::int64_t depth, bool bilinear, T* image) {
  const std::int64_t stride = box.x.size * depth;
  for (std::int64_t i = 0; i < box.y.crop; ++i)
    for (std::int64_t j = 0; j < box.x.crop; ++j, grad += depth) {
      const float y = box.y.At(i), x = box.x.At(j);
      if (!box.y.Inside(y) || !box.x.Inside(x)) continue;
      const auto add = [&](std::int64_t row, std::int64_t column, std::int64_t c, float value) {
        T& to = image[row * stride + column * depth + c];
        to = Plus(to, static_cast<T>(value));
      };
      const Between v(y), h(x);
      for (std::int64_t c = 0; c < depth; ++c) {
        if (!bilinear) {
          add(Nearest(y), Nearest(x), c, grad[c]);
          continue;
        }
        const float top = (1.0F - v.weight) * grad[c], bottom = v.weight * grad[c];
        add(v.lower, h.lower, c, (1.0F - h.weight) * top);
        add(v.lower, h.upper, c, h.weight * top);
        add(v.upper, h.lower, c, (1.0F - h.weight) * bottom);
        add(v.upper, h.upper, c, h.weight * bottom);
      }
    }
}

// The gradient of a box's four numbers.
template <class T>
void BoxGrad(const float* grad, const T* image, CropBox box, std::int64_t depth, float out[4]) {
  const std::int64_t stride = box.x.size * depth;
  const auto ratio = [](const CropAxis& a) { return a.crop > 1 ? a.last() / static_cast<float>(a.crop - 1) : 0.0F; };
  const float down = ratio(box.y), right = ratio(box.x);
  // tf: CropAndResizeBackpropBoxes divides first
  box.y.step = (box.y.high - box.y.low) * down;
  box.x.step = (box.x.high - box.x.low) * right;
  // How an axis' ends move the position of cell i.
  const auto add = [](const CropAxis& a, float step, std::int64_t i, float change, float& low, float& high) {
    if (a.crop <= 1) {
      const double both = static_cast<double>(change) * 0.5 * static_cast<double>(a.size - 1);
      low = static_cast<float>(static_cast<double>(low) + both);
      high = static_cast<float>(static_cast<double>(high) + both);
      return;
    }
    low += change * (a.last() - static_cast<float>(i) * step);
    high += change * (static_cast<float>(i) * step);
  };
  std::fill_n(out, 4, 0.0F);
  for (std::int64_t i = 0; i < box.y.crop; ++i)
    for (std::int64_t j = 0; j < box.x.crop; ++j, grad += depth) {
      const float y = box.y.At(i), x = box.x.At(j);
      if (!box.y.Inside(y) || !box.x.Inside(x)) continue;
      const Between v(y), h(x);
      for (std::int64_t c = 0; c < depth; ++c) {
        const auto at = [&](std::int64_t row, std::int64_t column) {
          return static_cast<float>(image[row * stride + column * depth + c]);
        };
        const float top_left = at(v.lower, h.lower), top_right = at(v.lower, h.upper);
        const float bottom_left = at(v.upper, h.lower), bottom_right = at(v.upper, h.upper);
        const float dy = (1.0F - h.weight) * (bottom_left - top_left) + h.weight * (bottom_right - top_right);
        const float dx = (1.0F - v.weight) * (top_right - top_left) + v.weight * (bottom_right - bottom_left);
        add(box.y, down, i, dy * grad[c], out[0], out[2]);
        add(box.x, right, j, dx * grad[c], out[1], out[3]);
      }
    }
}
void RequireRank4(KernelContext& ctx, const char* name, const Array& a) {
  if (a.rank() != 4) throw InvalidArgumentError(ctx.Where() + name + " must be 4-D: " + a.shape().ToString());
}
}  // namespace

void CropAndResize(KernelContext& ctx) {
  const Array image = ctx.input(0), size = ctx.input(3);
  RequireRank4(ctx, "input image", image);
  if (!(size.shape() == Shape{2}))
    throw InvalidArgumentError(ctx.Where() + "crop_size must have two elements, got " + size.shape().ToString());
  const std::vector<std::int64_t> crop = size.AsInt64Vector();
  const std::vector<CropBox> boxes =
      Boxes(ctx, ctx.input(1), ctx.input(2), image.dim(0), image.dim(1), image.dim(2), crop[0], crop[1]);
  const std::int64_t depth = image.dim(3), cells = image.dim(1) * image.dim(2) * depth;
  const Shape shape = CheckedShape(FailOf(ctx), {static_cast<std::int64_t>(boxes.size()), crop[0], crop[1], depth});
  const bool bilinear = Bilinear(ctx);
  const float outside = ctx.attrs().Get<float>("extrapolation_value");
  ForOrdered(ctx, image.dtype(), [&]<class T>() {
    float* out = ctx.Allocate(0, shape).mutable_data<float>();
    ctx.pool().ParallelFor(shape[0], [&](std::int64_t b) {
      const CropBox& box = boxes[static_cast<std::size_t>(b)];
      Crop(image.data<T>() + box.image * cells, box, depth, bilinear, outside, out + b * crop[0] * crop[1] * depth);
    });
  });
}

void CropAndResizeGradImage(KernelContext& ctx) {
  const Array grads = ctx.input(0), size = ctx.input(3);
  RequireRank4(ctx, "grads image", grads);
  if (!(size.shape() == Shape{4}))
    throw InvalidArgumentError(ctx.Where() + "image_size must have 4 elements, got " + size.shape().ToString());
  const Shape shape = CheckedShape(FailOf(ctx), size.AsInt64Vector());
  if (shape[3] != grads.dim(3))
    throw InvalidArgumentError(
        fmt::format("{}image_size and grads are incompatible: depth {} and {}", ctx.Where(), shape[3], grads.dim(3)));
  const std::vector<CropBox> boxes =
      Boxes(ctx, ctx.input(1), ctx.input(2), shape[0], shape[1], shape[2], grads.dim(1), grads.dim(2));
  if (grads.dim(0) != static_cast<std::int64_t>(boxes.size()))
    throw InvalidArgumentError(
        fmt::format("{}boxes and grads have incompatible shape: {} and {}", ctx.Where(), boxes.size(), grads.dim(0)));
  const std::int64_t depth = shape[3], cells = shape[1] * shape[2] * depth;
  const std::int64_t crop = grads.dim(1) * grads.dim(2) * depth;
  const bool bilinear = Bilinear(ctx);
  ForHalfOrFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    const ScopedFlushDenormals flush;
    T* out = ctx.Allocate(0, shape).template mutable_data<T>();
    std::fill_n(out, shape.num_elements(), T{});
    // Boxes may overlap, so an image takes its boxes one after the other.
    ctx.pool().ParallelFor(shape[0], [&](std::int64_t n) {
      for (std::size_t b = 0; b < boxes.size(); ++b)
        if (boxes[b].image == n)
          Uncrop(grads.data<float>() + static_cast<std::int64_t>(b) * crop, boxes[b], depth, bilinear, out + n * cells);
    });
  });
}

void CropAndResizeGradBoxes(KernelContext& ctx) {
  const Array grads = ctx.input(0), image = ctx.input(1);
  RequireRank4(ctx, "grads image", grads);
  RequireRank4(ctx, "input image", image);
  if (image.dim(3) != grads.dim(3))
    throw InvalidArgumentError(
        fmt::format("{}image, grads depth differ: {} and {}", ctx.Where(), image.dim(3), grads.dim(3)));
  const std::vector<CropBox> boxes =
      Boxes(ctx, ctx.input(2), ctx.input(3), image.dim(0), image.dim(1), image.dim(2), grads.dim(1), grads.dim(2));
  if (grads.dim(0) != static_cast<std::int64_t>(boxes.size()))
    throw InvalidArgumentError(
        fmt::format("{}boxes and grads have incompatible shape: {} and {}", ctx.Where(), boxes.size(), grads.dim(0)));
  const std::int64_t depth = image.dim(3), cells = image.dim(1) * image.dim(2) * depth;
  ForOrdered(ctx, image.dtype(), [&]<class T>() {
    float* out = ctx.Allocate(0, Shape{grads.dim(0), 4}).mutable_data<float>();
    ctx.pool().ParallelFor(grads.dim(0), [&](std::int64_t b) {
      const CropBox& box = boxes[static_cast<std::size_t>(b)];
      BoxGrad(grads.data<float>() + b * grads.dim(1) * grads.dim(2) * depth, image.data<T>() + box.image * cells, box,
              depth, out + b * 4);
    });
  });
}

}  // namespace equiv::cpu
