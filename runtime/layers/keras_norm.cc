// Normalisation.
#include <fmt/format.h>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/layers/keras.h"
#include "runtime/layers/layer_scope.h"

namespace equiv::runtime::keras {

BatchNormalization::BatchNormalization(const BatchNormOptions& options)
    : KerasLayer("BatchNormalization", CommonOf(options)), options_(options) {}

void BatchNormalization::Build(const std::vector<PartialShape>& input_shapes) {
  const PartialShape& shape = input_shapes.at(0);
  if (!shape.has_rank()) throw ValueError(fmt::format("layer '{}' needs an input of known rank", name()));
  rank_ = shape.rank();
  axis_ = options_.axis < 0 ? options_.axis + shape.rank() : options_.axis;
  if (axis_ < 0 || axis_ >= shape.rank())
    throw ValueError(
        fmt::format("Invalid value for `axis` argument. Expected 0 <= axis < inputs.rank (with "
                    "inputs.rank={}). Received: axis={}",
                    shape.rank(), options_.axis));
  if (shape.dim(axis_) < 0)
    throw ValueError(fmt::format("Input has undefined `axis` dimension. Received input with shape {} and axis=[{}]",
                                 shape.ToTuple(), axis_));
  if (!is_v1_style() && options_.fused.value_or(false) && shape.rank() != 4)
    throw ValueError(
        fmt::format("Batch normalization layers with `fused=True` only support 4D or 5D input tensors. "
                    "Received tensor with shape: {}",
                    shape.ToTuple()));
  const Shape size{shape.dim(axis_)};
  if (!is_v1_style()) Track("axis", Attribute::List{});  // tf: a list of numbers is a dependency too
  if (options_.scale)
    gamma_ = AddWeight({.name = "gamma",
                        .shape = size,
                        .initializer = internal::OrOnes(options_.gamma_initializer),
                        .regularizer = options_.gamma_regularizer,
                        .trainable = true});
  if (options_.center)
    beta_ = AddWeight({.name = "beta",
                       .shape = size,
                       .initializer = internal::OrZeros(options_.beta_initializer),
                       .regularizer = options_.beta_regularizer,
                       .trainable = true});
  const auto statistic = [&](const char* name, const Initializer& initializer, const Shape& of) {
    return AddWeight({.name = name,
                      .shape = of,
                      .initializer = initializer,
                      .trainable = false,
                      .synchronization = VariableSynchronization::kOnRead});
  };
  moving_mean_ = statistic("moving_mean", internal::OrZeros(options_.moving_mean_initializer), size);
  moving_variance_ = statistic("moving_variance", internal::OrOnes(options_.moving_variance_initializer), size);
  if (options_.renorm) {
    const Initializer variance = internal::OrOnes(options_.moving_variance_initializer);
    const Initializer stddev = {.name = "sqrt", .make = [variance](const Shape& shape, DType dtype) {
                                  return Current().Add1("Sqrt", {variance.make(shape, dtype)});
                                }};
    moving_stddev_ = statistic("moving_stddev", stddev, size);
    renorm_mean_ = statistic("renorm_mean", ZerosInitializer(), size);
    renorm_stddev_ = statistic("renorm_stddev", stddev, size);
  }
}

Outputs BatchNormalization::Call(const CallArgs& args) {
  const Tensor& x = args.inputs.at(0);
  RequireRank(x.shape(), 0, rank_);
  if (x.shape().dim(axis_) != moving_mean_.shape().dim(0))
    throw ValueError(
        fmt::format("Input 0 of layer \"{}\" is incompatible with the layer: expected axis {} of input shape "
                    "to have value {}, but received input with shape {}",
                    name(), axis_, moving_mean_.shape().dim(0), x.shape().ToTuple()));
  bool training = args.training.value_or(false);
  if (!trainable_) training = false;
  if (options_.renorm && training) return Renormalize(x);
  const internal::NormalizeResult result =
      internal::Normalize(x, gamma_, beta_, moving_mean_, moving_variance_,
                          {.momentum = options_.momentum,
                           .epsilon = options_.epsilon,
                           .training = training,
                           .learning_phase = graph_flavour() && !args.training && trainable_,
                           .axis = axis_,
                           .fused = options_.renorm ? std::optional(false) : options_.fused});
  for (const CollectionItem& update : result.updates) AddUpdate(update);
  return result.y;
}

// tf: BatchNormalizationBase._renorm_correction_and_moments
Tensor BatchNormalization::Renormalize(const Tensor& x) {
  Context& context = Current();
  const int rank = x.shape().rank();
  std::vector<std::int64_t> dims(static_cast<std::size_t>(rank), 1);
  dims[static_cast<std::size_t>(axis_)] = moving_mean_.shape().dim(0);
  auto [mean, variance] = internal::MomentsOf(x, axis_);
  const Tensor stddev = context.Add1("Sqrt", {variance + options_.epsilon});
  const Tensor floor = context.Add1("Sqrt", {ScalarConstant(options_.epsilon, x.dtype())});
  const Tensor reference = context.Add1("Maximum", {renorm_stddev_.Read(), floor});
  const Tensor r = stddev / reference, d = (mean - renorm_mean_.Read()) / reference;
  std::vector<Node*> renorm_updates = {internal::MoveAverage(renorm_mean_, mean, options_.renorm_momentum),
                                       internal::MoveAverage(renorm_stddev_, stddev, options_.renorm_momentum)};
  {
    ControlDependencies after(renorm_updates);
    mean = Identity(mean);
    variance = Identity(variance);
  }
  Node* mean_update = internal::MoveAverage(moving_mean_, mean, options_.momentum);
  Node* stddev_update =
      internal::MoveAverage(moving_stddev_, context.Add1("Sqrt", {variance + options_.epsilon}), options_.momentum);
  Node* variance_update = nullptr;
  {
    ControlDependencies after({stddev_update});
    const Tensor moved = moving_stddev_.Read();
    NameScope scope("AssignNewValue");
    variance_update = moving_variance_.Assign(Relu(moved * moved - options_.epsilon), scope.path() + "/");
  }
  for (Node* node : {mean_update, variance_update})
    if (node) AddUpdate(node);
  const auto broadcast = [&](const Tensor& v) {
    return !v.has_value() || axis_ == rank - 1 ? v : runtime::Reshape(v, dims);
  };
  Tensor scale = broadcast(r), offset = broadcast(d);
  if (gamma_) {
    const Tensor gamma = broadcast(gamma_.Read());
    scale = scale * gamma;
    offset = offset * gamma;
  }
  if (beta_) offset = offset + broadcast(beta_.Read());
  const Tensor factor = context.Add1("Rsqrt", {broadcast(variance) + options_.epsilon}) * scale;
  return x * factor + (offset - broadcast(mean) * factor);
}

LayerNormalization::LayerNormalization(const LayerNormOptions& options)
    : KerasLayer("LayerNormalization", CommonOf(options)), options_(options) {}

void LayerNormalization::Build(const std::vector<PartialShape>& input_shapes) {
  const Shape size{LastDimension(input_shapes.at(0))};
  Track("axis", Attribute::List{});
  if (options_.scale) gamma_ = AddWeight({.name = "gamma", .shape = size, .initializer = OnesInitializer()});
  if (options_.center) beta_ = AddWeight({.name = "beta", .shape = size, .initializer = ZerosInitializer()});
}

// tf: moments over the last axis, then the batch normalisation formula with the parameters broadcast
Outputs LayerNormalization::Call(const CallArgs& args) {
  const Tensor& x = args.inputs.at(0);
  Context& context = Current();
  const std::int64_t last = x.shape().rank() - 1;
  Tensor mean, variance;
  {
    NameScope scope("moments");
    mean = ReduceMean(x, {last}, true, "mean");
    const Tensor square = context.Add1("SquaredDifference", {x, context.Add1("StopGradient", {mean})});
    variance = ReduceMean(square, {last}, true, "variance");
  }
  NameScope scope("batchnorm");
  Tensor factor = context.Add1("Rsqrt", {variance + options_.epsilon});
  if (gamma_) factor = factor * gamma_;
  const Tensor scaled = x * factor;
  const Tensor shift = mean * factor;
  return beta_ ? scaled + (beta_.Read() - shift) : scaled - shift;
}

}  // namespace equiv::runtime::keras
