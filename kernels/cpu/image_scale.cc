#include "kernels/cpu/image_scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {
namespace {

// A cubic's weights at multiples of 1/1024: of a cell at distance x, and of one at distance x + 1.
constexpr std::int64_t kSteps = 1024;
struct CubicTable {
  std::array<float, kSteps + 1> near, far;
};
CubicTable MakeTable(double a) {
  CubicTable t;
  for (std::int64_t i = 0; i <= kSteps; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const float distance = static_cast<float>(static_cast<double>(i) / kSteps);
    const double x = static_cast<double>(distance), y = static_cast<double>(static_cast<float>(x + 1.0));
    t.near[at] = static_cast<float>(((a + 2) * x - (a + 3)) * x * x + 1);
    t.far[at] = static_cast<float>(((a * y - 5 * a) * y + 8 * a) * y - 4 * a);
  }
  return t;
}
}  // namespace

std::int64_t Scaler::Nearest(std::int64_t i) const {
  const float at = (static_cast<float>(i) + (half ? 0.5F : 0.0F)) * scale;
  const auto cell = static_cast<std::int64_t>(align ? std::round(at) : std::floor(at));
  return std::clamp<std::int64_t>(cell, 0, in - 1);
}

Scaler MakeScaler(KernelContext& ctx, std::int64_t in, std::int64_t out) {
  Scaler s{.in = in,
           .out = out,
           .scale = 1,
           .align = ctx.attrs().Get<bool>("align_corners"),
           .half = ctx.attrs().Find("half_pixel_centers") && ctx.attrs().Get<bool>("half_pixel_centers")};
  if (s.align && s.half)
    throw InvalidArgumentError(ctx.Where() + "If half_pixel_centers is True, align_corners must be False.");
  s.scale = s.align && out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                               : static_cast<float>(in) / static_cast<float>(out);
  return s;
}

std::vector<Blend> Blends(const Scaler& s) {
  std::vector<Blend> blends;
  for (std::int64_t i = 0; i < s.out; ++i) {
    const float at = s.At(i), floor = std::floor(at);
    blends.push_back({std::clamp<std::int64_t>(static_cast<std::int64_t>(floor), 0, s.in - 1),
                      std::min(static_cast<std::int64_t>(std::ceil(at)), s.in - 1), at - floor});
  }
  return blends;
}

std::vector<Cubic> Cubics(const Scaler& s) {
  static const CubicTable keys = MakeTable(-0.5), legacy = MakeTable(-0.75);
  const CubicTable& table = s.half ? keys : legacy;
  std::vector<Cubic> cubics;
  for (std::int64_t i = 0; i < s.out; ++i) {
    const float at = s.At(i), floor = std::floor(at);
    const std::int64_t first = static_cast<std::int64_t>(floor) - 1;
    const auto step = static_cast<std::size_t>(std::lrint((at - floor) * static_cast<float>(kSteps)));
    Cubic c{.cell = {},
            .weight = {table.far[step], table.near[step], table.near[kSteps - step], table.far[kSteps - step]}};
    float sum = 0;
    for (std::int64_t k = 0; k < 4; ++k) {
      c.cell[k] = std::clamp<std::int64_t>(first + k, 0, s.in - 1);
      if (s.half && c.cell[k] != first + k) c.weight[k] = 0;
      sum = k == 0 ? c.weight[k] : sum + c.weight[k];
    }
    if (s.half && std::abs(sum) >= 1000.0F * std::numeric_limits<float>::min()) {
      const float inverse = 1.0F / sum;
      for (float& w : c.weight) w *= inverse;
    }
    cubics.push_back(c);
  }
  return cubics;
}

Shape ResizedShape(KernelContext& ctx) {
  const Shape& in = ctx.input(0).shape();
  if (in.rank() != 4) throw InvalidArgumentError(ctx.Where() + "input must be 4-dimensional: " + in.ToString());
  if (ctx.input(1).rank() != 1 || ctx.input(1).num_elements() != 2)
    throw InvalidArgumentError(ctx.Where() + "size must be a vector of 2 values, got shape " +
                               ctx.input(1).shape().ToString());
  const std::vector<std::int64_t> size = ctx.input(1).AsInt64Vector();
  if (size[0] <= 0 || size[1] <= 0)
    throw InvalidArgumentError(
        fmt::format("{}output dimensions must be positive, got {} and {}", ctx.Where(), size[0], size[1]));
  if (in[1] <= 0 || in[2] <= 0)
    throw InvalidArgumentError(ctx.Where() + "input image must be of non-zero size: " + in.ToString());
  return CheckedShape(FailOf(ctx), {in[0], size[0], size[1], in[3]});
}

}  // namespace equiv::cpu
