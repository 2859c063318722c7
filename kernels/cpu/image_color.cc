#include "kernels/cpu/image_color.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "kernels/base/flush.h"
#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {
namespace {
constexpr std::int64_t kPixels = 1 << 13;

float Scalar(KernelContext& ctx, const char* name) {
  if (ctx.input(1).rank() != 0)
    throw InvalidArgumentError(
        fmt::format("{}{} must be scalar: {}", ctx.Where(), name, ctx.input(1).shape().ToString()));
  return ctx.input(1).data<float>()[0];
}
void RequireImage(KernelContext& ctx, int least) {
  if (ctx.input(0).rank() < least)
    throw InvalidArgumentError(
        fmt::format("{}input must be at least {}-D, got shape{}", ctx.Where(), least, ctx.input(0).shape().ToString()));
}
// Calls f(in, out) for every pixel of three channels.
template <class T, class F>
void ForPixels(KernelContext& ctx, int least, const F& f) {
  RequireImage(ctx, least);
  const Array in = ctx.input(0);
  if (const std::int64_t channels = in.dim(in.rank() - 1); channels != 3)
    throw InvalidArgumentError(
        fmt::format("{}input must have 3 channels but instead has {} channels.", ctx.Where(), channels));
  const T* x = in.data<T>();
  T* y = ctx.Allocate(0, in.shape()).template mutable_data<T>();
  ctx.pool().ParallelRanges(in.num_elements() / 3, kPixels, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = 3 * begin; i < 3 * end; i += 3) f(x + i, y + i);
  });
}

// Sums of the rows of [n, channels]. tf: AdjustContrastOpv2 folds the image in halves until one row is left
void FoldSum(const float* x, std::int64_t n, std::int64_t channels, std::vector<float>& sums) {
  sums.resize(static_cast<std::size_t>(((n + 1) / 2) * channels));
  const float* from = x;
  for (std::int64_t left = n; left > 1 || from == x;) {
    const std::int64_t right = left / 2;
    left -= right;
    for (std::int64_t i = 0; i < right * channels; ++i)
      sums[static_cast<std::size_t>(i)] = from[i] + from[left * channels + i];
    if (from == x && left > right)
      std::copy_n(x + right * channels, channels, sums.begin() + static_cast<std::ptrdiff_t>(right * channels));
    from = sums.data();
  }
}

// Hue in sixths of the circle, with the least and the largest component. tf: adjust_hue_op.cc
struct Hue {
  float hue = 0, low = 0, high = 0;
};
Hue HueOf(float r, float g, float b) {
  // Which component is largest, in the middle and smallest; equal ones count on either side.
  float middle = 0;
  int sector = 0;
  Hue h;
  const auto set = [&](float low, float mid, float high, int s) {
    h.low = low, middle = mid, h.high = high, sector = s;
  };
  if (r < g) {
    if (b < r)
      set(b, r, g, 1);
    else if (b > g)
      set(r, g, b, 3);
    else
      set(r, b, g, 2);
  } else if (b < g) {
    set(b, g, r, 0);
  } else if (b > r) {
    set(g, r, b, 4);
  } else {
    set(g, b, r, 5);
  }
  if (h.high == h.low) return h;
  const float ratio = (middle - h.low) / (h.high - h.low);
  h.hue = static_cast<float>(sector) + (sector % 2 == 0 ? ratio : 1 - ratio);
  return h;
}
// `hue` in [0, 6); NaN gives a NaN in the middle.
void FromHue(const Hue& h, float* out) {
  const int sector = h.hue >= 0 && h.hue < 6 ? static_cast<int>(h.hue) : 6;
  float ratio = h.hue - static_cast<float>(sector);
  if (sector % 2 == 1) ratio = 1 - ratio;
  const float middle = h.low + ratio * (h.high - h.low);
  // Positions of the largest, the middle and the smallest component.
  static constexpr int kOrder[7][3] = {{0, 1, 2}, {1, 0, 2}, {1, 2, 0}, {2, 1, 0}, {2, 0, 1}, {0, 2, 1}, {0, 2, 1}};
  out[kOrder[sector][0]] = h.high;
  out[kOrder[sector][1]] = middle;
  out[kOrder[sector][2]] = h.low;
}
// In [0, 6), by steps of 6 as TensorFlow goes, unless that would take long.
float Turned(float hue) {
  if (!(std::abs(hue) < 6e4F)) hue = std::fmod(hue, 6.0F);
  while (hue < 0) hue += 6;
  while (hue >= 6) hue -= 6;
  return hue;
}

struct Hsv {
  float h = 0, s = 0, v = 0;
};
// tf: adjust_saturation_op.cc
Hsv HsvOf(float r, float g, float b) {
  Hsv out;
  out.v = std::max(r, std::max(g, b));
  const float range = out.v - std::min(r, std::min(g, b));
  out.s = out.v > 0 ? range / out.v : 0.0F;
  const float norm = 1.0F / (6.0F * range);
  const auto turned = [](float part, double sixths) {
    return static_cast<float>(static_cast<double>(part) + sixths / 6.0);
  };
  out.h = r == out.v ? norm * (g - b) : g == out.v ? turned(norm * (b - r), 2.0) : turned(norm * (r - g), 4.0);
  if (range <= 0) out.h = 0;
  if (out.h < 0) out.h += 1;
  return out;
}
void FromHsv(const Hsv& in, float* out) {
  const float c = in.s * in.v, m = in.v - c, turn = in.h * 6;
  float rest = turn;
  if (!(std::abs(rest) < 6e4F)) rest = std::fmod(rest, 2.0F);
  while (rest <= 0) rest += 2;
  while (rest >= 2) rest -= 2;
  const float x = c * (1 - std::abs(rest - 1));
  const int sector = turn > -1 && turn < 6 ? static_cast<int>(turn) : 6;
  const std::array<std::array<float, 3>, 7> rgb = {
      {{c, x, 0}, {x, c, 0}, {0, c, x}, {0, x, c}, {x, 0, c}, {c, 0, x}, {0, 0, 0}}};
  for (std::size_t i = 0; i < 3; ++i) out[i] = rgb[static_cast<std::size_t>(sector)][i] + m;
}
}  // namespace

void AdjustContrast(KernelContext& ctx) {
  const Array in = ctx.input(0);
  RequireImage(ctx, 3);
  const float factor = Scalar(ctx, "contrast_factor");
  const Shape& shape = in.shape();
  float* out = ctx.Allocate(0, shape).mutable_data<float>();
  if (shape.num_elements() == 0) return;
  const ScopedFlushDenormals flush;
  const std::int64_t channels = shape[shape.rank() - 1], pixels = shape[shape.rank() - 3] * shape[shape.rank() - 2];
  const std::int64_t images = shape.num_elements() / (pixels * channels);
  std::vector<float> mean(static_cast<std::size_t>(images * channels));
  ctx.pool().ParallelFor(images, [&](std::int64_t n) {
    std::vector<float> sums;
    FoldSum(in.data<float>() + n * pixels * channels, pixels, channels, sums);
    for (std::int64_t c = 0; c < channels; ++c)
      mean[static_cast<std::size_t>(n * channels + c)] =
          sums[static_cast<std::size_t>(c)] * (1.0F / static_cast<float>(pixels));
  });
  ctx.pool().ParallelRanges(images * pixels, RowsPerBlock(channels), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float *x = in.data<float>() + i * channels, *m = mean.data() + i / pixels * channels;
      for (std::int64_t c = 0; c < channels; ++c) out[i * channels + c] = m[c] + factor * (x[c] - m[c]);
    }
  });
}

void AdjustHue(KernelContext& ctx) {
  const float delta = Scalar(ctx, "delta");
  ForPixels<float>(ctx, 3, [delta](const float* in, float* out) {
    Hue hue = HueOf(in[0], in[1], in[2]);
    hue.hue = Turned(hue.hue + delta * 6);
    FromHue(hue, out);
  });
}
void AdjustSaturation(KernelContext& ctx) {
  const float scale = Scalar(ctx, "scale");
  ForPixels<float>(ctx, 3, [scale](const float* in, float* out) {
    Hsv hsv = HsvOf(in[0], in[1], in[2]);
    hsv.s = std::min(1.0F, std::max(0.0F, hsv.s * scale));
    FromHsv(hsv, out);
  });
}

// tf: colorspace_op.h
void RGBToHSV(KernelContext& ctx) {
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    ForPixels<T>(ctx, 1, [](const T* in, T* out) {
      const T r = in[0], g = in[1], b = in[2], v = std::max({r, g, b}), range = v - std::min({r, g, b});
      const T norm = (T{1} / range) * (T{1} / T{6});
      T h = r == v ? norm * (g - b) : g == v ? norm * (b - r) + T{2} / T{6} : norm * (r - g) + T{4} / T{6};
      if (!(range > T{0})) h = T{0};
      if (h < T{0}) h += T{1};
      out[0] = h;
      out[1] = v > T{0} ? range / v : T{0};
      out[2] = v;
    });
  });
}
void HSVToRGB(KernelContext& ctx) {
  ForFloating(ctx, ctx.output_dtype(0), [&]<class T>() {
    ForPixels<T>(ctx, 1, [](const T* in, T* out) {
      const T turn = in[0] * T{6}, s = in[1], v = in[2], grey = -s + T{1};
      const auto cut = [](T x) { return std::min(std::max(x, T{0}), T{1}); };
      out[0] = (grey + s * cut(std::abs(turn - T{3}) - T{1})) * v;
      out[1] = (grey + s * cut(-std::abs(turn - T{2}) + T{2})) * v;
      out[2] = (grey + s * cut(-std::abs(turn - T{4}) + T{2})) * v;
    });
  });
}

}  // namespace equiv::cpu
