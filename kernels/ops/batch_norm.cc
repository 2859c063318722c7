// kernels/ops/batch_norm.cc - FusedBatchNormV3.
#include "kernels/cpu/batch_norm.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::ops {
namespace {

// tf: FusedBatchNormV3Shape
void BatchNormShape(ShapeContext& c) {
  const PartialShape x = c.WithRank(0, 4);
  const int channel = cpu::LayoutOf(c.attr<std::string>("data_format")).depth;
  std::int64_t depth = x.dim(channel);
  const bool given = !c.attr<bool>("is_training") || c.attr<float>("exponential_avg_factor") != 1.0F;
  static const char* const kNames[] = {"x", "scale", "offset", "mean", "variance"};
  for (int i = 1; i < 5; ++i) {
    const PartialShape vector = c.WithRank(i, 1);
    if (i >= 3 && !given) continue;
    if (depth >= 0 && vector.dim(0) >= 0 && depth != vector.dim(0))
      c.Fail(fmt::format(
          "Dimensions must be equal, but are {0} and {1}: {2} must have the same number of elements as the channels of "
          "x, got {1} and {0}",
          depth, vector.dim(0), kNames[i]));
    if (depth < 0) depth = vector.dim(0);
  }
  std::vector<std::int64_t> dims = x.dims();
  dims[static_cast<std::size_t>(channel)] = depth;
  c.set_output(0, PartialShape(std::move(dims)));
  for (int i = 1; i < 5; ++i) c.set_output(i, PartialShape{depth});
  c.set_output(5, PartialShape::Unknown());
}
}  // namespace

void RegisterBatchNorm(OpRegistry& r) {
  r.Add({.name = "FusedBatchNormV3",
         .doc = "Batch normalisation of an image, in training with the batch's own statistics.",
         .inputs = {"x: T", "scale: U", "offset: U", "mean: U", "variance: U"},
         .outputs = {"y: T", "batch_mean: U", "batch_variance: U", "reserve_space_1: U", "reserve_space_2: U",
                     "reserve_space_3: U"},
         .attrs = {"T: {float, double}", "U: {float, double}", "epsilon: float = 0.0001",
                   "exponential_avg_factor: float = 1.0", "data_format: {'NHWC', 'NCHW'} = 'NHWC'",
                   "is_training: bool = true"},
         .shape = BatchNormShape,
         .kernel = Stateless(cpu::FusedBatchNormV3)});
}

}  // namespace equiv::ops
