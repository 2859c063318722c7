// runtime/layers/layer_scope.h - what v1 layers and slim share: weights with their losses, and moving averages.
// Private to runtime/layers.
#pragma once
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/graph/graph.h"
#include "runtime/layers/layer.h"
#include "runtime/variables/variables.h"

namespace equiv::runtime::internal {

struct WeightSpec {
  std::string_view core_name;  // "kernel": names the loss
  std::string_view variable;   // "weights": names the variable
  Shape shape;
  DType dtype = DType::kFloat32;
  Initializer initializer;
  Regularizer regularizer;
  bool trainable = true;
  bool model_variable = false;  // slim: joins model_variables as well
};
// get_variable in the current scope; the regulariser's loss is made in name scope `<core_name>/Regularizer` (G4, E6),
// once per new variable, and joins REGULARIZATION_LOSSES in a graph and the store of a tracked method.
Variable AddWeight(const WeightSpec& spec, const std::source_location& site);

// The last dimension of [n,h,w,c], or ValueError naming `what` when it is not static.
std::int64_t StaticChannels(const PartialShape& shape, std::string_view what);

// A read of `weight` inside the name scope of op `op`, and the op on top of it named like the scope.
Tensor ConvWithWeight(const Tensor& x, const Variable& kernel, const std::vector<std::int64_t>& strides,
                      std::string_view padding);
Tensor MatMulWithWeight(const Tensor& x, const Variable& kernel);
Tensor BiasAddWithWeight(const Tensor& x, const Variable& bias);

// Defaults of layers: the strings glorot_uniform, orthogonal and uniform, and given-or-zeros, given-or-ones.
Initializer DefaultKernelInitializer();
Initializer DefaultRecurrentInitializer();
Initializer DefaultEmbeddingsInitializer();
// Given, else the layer's default; empty for a v1 layer, whose variable scope decides.
Initializer OrKernelDefault(const Initializer& given, bool v1_style);
Initializer OrZeros(const Initializer& given);
Initializer OrOnes(const Initializer& given);

// The bias of `units` of any layer whose options describe one.
template <class Options>
AddWeightOptions BiasOf(const Options& options, std::int64_t units) {
  return {.name = "bias",
          .shape = Shape{units},
          .initializer = OrZeros(options.bias_initializer),
          .regularizer = options.bias_regularizer,
          .trainable = true,
          .constraint = options.bias_constraint};
}

// moving -= (moving - batch) * (1 - momentum); the update in a graph, null in eager.
Node* MoveAverage(const Variable& moving, const Tensor& batch, double momentum);

struct Moments {
  Tensor mean, variance;
};
// Mean and variance over every axis but `axis`. tf: nn.moments without keepdims
Moments MomentsOf(const Tensor& x, int axis);

struct BatchNormSpec {
  double momentum, epsilon;
  bool training;
  bool learning_phase = false;  // a graph's placeholder decides: inference, with update ops that change nothing
  bool trainable = true;
  int axis = -1;
  std::optional<bool> fused = std::nullopt;  // default: rank 4
};
struct NormalizeResult {
  Tensor y;
  std::vector<CollectionItem> updates;  // graphs: the ops that move the averages
};
// Normalises over all axes but one. `gamma` and `beta` may be empty (ones, zeros). In training the moving averages
// move: a graph gets two update ops, eager assigns at once. Rank 4 with the axis last uses the fused kernel.
NormalizeResult Normalize(const Tensor& x, const Variable& gamma, const Variable& beta, const Variable& moving_mean,
                          const Variable& moving_variance, const BatchNormSpec& spec);

// tf: keras.layers.Flatten: [n, product of the rest].
Tensor FlattenTensor(const Tensor& x);

}  // namespace equiv::runtime::internal
