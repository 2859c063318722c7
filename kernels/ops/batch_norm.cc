// kernels/ops/batch_norm.cc - the fused batch norms and their gradients, and the batch norm before them.
#include "kernels/cpu/batch_norm.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/batch_norm_grad.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
using Names = std::vector<std::string>;

// Position of the channels; fails when input 0 has not as many dimensions as the format has letters.
int Channels(ShapeContext& c) {
  const std::string& format = c.attr<std::string>("data_format");
  const int rank = static_cast<int>(format.size());
  c.WithRank(0, rank);
  return format[1] == 'C' ? 1 : rank - 1;
}

// tf: FusedBatchNormShape, FusedBatchNormV3Shape
void BatchNormShape(ShapeContext& c) {
  const int channel = Channels(c);
  const PartialShape x = c.WithRank(0, static_cast<int>(c.attr<std::string>("data_format").size()));
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
}
// tf: FusedBatchNormGradShape
void BatchNormGradShape(ShapeContext& c) {
  const int channel = Channels(c);
  const PartialShape dy = c.WithRank(0, static_cast<int>(c.attr<std::string>("data_format").size()));
  PartialShape vector{dy[channel]};
  for (int i = 2; i < 5; ++i) vector = Merge(c, vector, i);
  c.set_output(0, Merge(c, dy, 1));
  c.set_output(1, vector);
  c.set_output(2, vector);
  c.set_output(3, Shape{0});
  c.set_output(4, Shape{0});
}
// tf: BatchNormWithGlobalNormalization's shape function
void GlobalShape(ShapeContext& c) {
  const PartialShape input = c.WithRank(0, 4);
  PartialShape vector{input[3]};
  for (int i = 1; i < 5; ++i) vector = Merge(c, vector, i);
  c.set_output(0, PartialShape{input[0], input[1], input[2], vector[0]});
}

// `v` is the op's version: 1 has one type, 3 knows volumes (and here float64, for checks in double).
Names Types(int v) {
  if (v == 1) return {"T: {float}"};
  if (v == 2) return {"T: {half, bfloat16, float}", "U: {float}"};
  return {"T: {half, bfloat16, float, double}", "U: {float, double}"};
}
std::string Format(int v) {
  return v < 3 ? "data_format: {'NHWC', 'NCHW'} = 'NHWC'" : "data_format: {'NHWC', 'NCHW', 'NDHWC', 'NCDHW'} = 'NHWC'";
}
constexpr const char* kEpsilon = "epsilon: float = 0.0001";
constexpr const char* kFactor = "exponential_avg_factor: float = 1.0";
constexpr const char* kTraining = "is_training: bool = true";

void AddForward(OpRegistry& r, const char* name, int v) {
  const std::string u = v == 1 ? "T" : "U";
  Names outputs{"y: T", "batch_mean: " + u, "batch_variance: " + u, "reserve_space_1: " + u, "reserve_space_2: " + u};
  if (v == 3) outputs.push_back("reserve_space_3: " + u);
  Names attrs = Types(v);
  attrs.insert(attrs.end(), {kEpsilon, kFactor, Format(v), kTraining});
  r.Add({.name = name,
         .doc = "Batch normalisation of an image, in training with the batch's own statistics.",
         .inputs = {"x: T", "scale: " + u, "offset: " + u, "mean: " + u, "variance: " + u},
         .outputs = outputs,
         .attrs = attrs,
         .shape = BatchNormShape,
         .kernel = Stateless(cpu::FusedBatchNorm)});
}
void AddGradient(OpRegistry& r, const char* name, int v) {
  const std::string u = v == 1 ? "T" : "U";
  Names inputs{"y_backprop: T", "x: T", "scale: " + (v == 2 ? "float" : u), "reserve_space_1: " + u,
               "reserve_space_2: " + u};
  if (v == 3) inputs.push_back("reserve_space_3: " + u);
  Names attrs = Types(v);
  attrs.insert(attrs.end(), {kEpsilon, Format(v), kTraining});
  const int first = v == 3 ? 4 : 3;
  r.Add({.name = name,
         .doc = "Gradient of the batch norm it is named after.",
         .inputs = inputs,
         .outputs = {"x_backprop: T", "scale_backprop: " + u, "offset_backprop: " + u,
                     fmt::format("reserve_space_{}: {}", first, u), fmt::format("reserve_space_{}: {}", first + 1, u)},
         .attrs = attrs,
         .shape = BatchNormGradShape,
         .kernel = Stateless(cpu::FusedBatchNormGrad)});
}
}  // namespace

void RegisterBatchNorm(OpRegistry& r) {
  AddForward(r, "FusedBatchNorm", 1);
  AddForward(r, "FusedBatchNormV2", 2);
  AddForward(r, "FusedBatchNormV3", 3);
  AddGradient(r, "FusedBatchNormGrad", 1);
  AddGradient(r, "FusedBatchNormGradV2", 2);
  AddGradient(r, "FusedBatchNormGradV3", 3);
  r.Add({.name = "_FusedBatchNormEx",
         .doc = "Batch normalisation of an image, then an activation.",
         .inputs = {"x: T", "scale: U", "offset: U", "mean: U", "variance: U", "side_input: num_side_inputs * T"},
         .outputs = {"y: T", "batch_mean: U", "batch_variance: U", "reserve_space_1: U", "reserve_space_2: U",
                     "reserve_space_3: U"},
         .attrs = {"T: {half, float, bfloat16}", "U: {float}", kEpsilon, kFactor, "num_side_inputs: int >= 0 = 0",
                   "activation_mode: string = 'Identity'", Format(2), kTraining},
         .shape = BatchNormShape,
         .kernel = Stateless(cpu::FusedBatchNormEx)});
  r.Add({.name = "BatchNormWithGlobalNormalization",
         .doc = "Batch normalisation of an image with given statistics.",
         .inputs = {"t: T", "m: T", "v: T", "beta: T", "gamma: T"},
         .outputs = {"result: T"},
         .attrs = {Types("T", kNumbers), "variance_epsilon: float", "scale_after_normalization: bool"},
         .shape = GlobalShape,
         .kernel = Stateless(cpu::BatchNormWithGlobalNormalization)});
}

}  // namespace equiv::ops
