#include "runtime/layers/layer_scope.h"

#include <fmt/format.h>

#include <functional>
#include <numeric>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime::internal {

Variable AddWeight(const WeightSpec& spec, const std::source_location& site) {
  GetVariableOptions options;
  options.shape = spec.shape;
  options.dtype = spec.dtype;
  options.initializer = spec.initializer;
  options.trainable = spec.trainable;
  if (spec.model_variable) options.collections = {std::string(kGlobalVariables), std::string(kModelVariables)};
  const GotVariable got = GetOrCreateVariable(spec.variable, options, site);
  if (!got.created || !spec.regularizer) return got.variable;
  Context& context = Current();
  const Variable variable = got.variable;
  if (!context.eager() && !Tracing(context)) {
    NameScope scope(std::string(spec.core_name) + "/Regularizer");
    const Tensor loss = spec.regularizer.loss(variable);
    if (loss.has_value()) AddToCollection(kRegularizationLosses, loss);
  }
  if (VariableStore* store = StateOf(context).store)
    store->AddLoss(
        {variable.name(), [regularizer = spec.regularizer, variable] { return regularizer.loss(variable); }});
  return variable;
}

std::int64_t StaticChannels(const PartialShape& shape, std::string_view what) {
  if (shape.rank() < 1 || shape.dim(shape.rank() - 1) < 0)
    throw ValueError(
        fmt::format("The channel dimension of the inputs of {} should be defined. The input_shape received "
                    "is {}; give the input a static last dimension",
                    what, shape.ToTuple()));
  return shape.dim(shape.rank() - 1);
}

Tensor ConvWithWeight(const Tensor& x, const Variable& kernel, const std::vector<std::int64_t>& strides,
                      std::string_view padding) {
  NameScope scope("Conv2D");
  return Conv2D(x, kernel.Read(), {.strides = strides, .padding = padding}, scope.path() + "/");
}

Tensor MatMulWithWeight(const Tensor& x, const Variable& kernel) {
  if (x.shape().rank() == 2) {
    NameScope scope("MatMul");
    return MatMul(x, kernel.Read(), false, false, scope.path() + "/");
  }
  // tf: Dense contracts the last axis of any rank by tensordot
  NameScope scope("Tensordot");
  std::vector<std::int64_t> dims = x.shape().dims();
  if (std::count(dims.begin(), dims.end(), -1) > 1)
    throw ValueError(fmt::format("a dense layer on a tensor of shape {} needs all dimensions but one to be static",
                                 x.shape().ToTuple()));
  const Tensor weight = kernel.Read();
  const Tensor flat = Reshape(x, {-1, dims.back()});
  dims.back() = kernel.shape().dim(1);
  const Tensor product = MatMul(flat, weight);
  std::vector<std::int32_t> shape(dims.begin(), dims.end());
  const Tensor target =
      Constant(Array::Of<std::int32_t>(Shape{static_cast<std::int64_t>(shape.size())}, shape), "shape");
  return Current().Add1("Reshape", {product, target}, {}, scope.path() + "/");
}

Tensor BiasAddWithWeight(const Tensor& x, const Variable& bias) {
  NameScope scope("BiasAdd");
  return BiasAdd(x, bias.Read(), scope.path() + "/");
}

namespace {
// moving -= (moving - batch) * decay
Node* MoveBy(const Variable& moving, const Tensor& batch, const std::function<Tensor()>& make_decay) {
  NameScope scope("AssignMovingAvg");
  Tensor decay = make_decay();
  if (decay.dtype() != moving.dtype()) decay = Cast(decay, moving.dtype());
  const Tensor delta = (moving.Read() - batch) * decay;
  if (moving.is_reference()) return moving.AssignSub(delta, scope.path() + "/");
  Node* update = moving.AssignSub(delta);
  if (!update) return nullptr;
  ControlDependencies after({update});
  moving.Read();  // the value Python's assign_sub hands back
  return update;
}
}  // namespace

// tf: BatchNormalization._assign_moving_average: 1 - momentum of two numbers is taken in double
Node* MoveAverage(const Variable& moving, const Tensor& batch, double momentum) {
  return MoveBy(moving, batch, [&] { return Constant(static_cast<float>(1.0 - momentum), "decay"); });
}

Moments MomentsOf(const Tensor& x, int axis) {
  NameScope scope("moments");
  std::vector<std::int64_t> axes;
  for (int i = 0; i < x.shape().rank(); ++i)
    if (i != axis) axes.push_back(i);
  const Tensor mean = ReduceMean(x, axes, true, "mean");
  const Tensor fixed = Current().Add1("StopGradient", {mean});
  const Tensor square = Current().Add1("SquaredDifference", {x, fixed});
  const Tensor variance = ReduceMean(square, axes, true, "variance");
  const Tensor squeezed = Squeeze(mean, axes);
  return {squeezed, Squeeze(variance, axes)};
}

namespace {
// tf: nn.batch_normalization; `scale` and `offset` may be empty
Tensor ScaleAndShift(const Tensor& x, const Moments& moments, const Tensor& scale, const Tensor& offset,
                     double epsilon) {
  NameScope scope("batchnorm");
  Tensor factor = Current().Add1("Rsqrt", {moments.variance + epsilon});
  if (scale.has_value()) factor = factor * scale;
  const Tensor scaled = x * factor;
  const Tensor shift = moments.mean * factor;
  return scaled + (offset.has_value() ? offset - shift : Current().Add1("Neg", {shift}));
}
}  // namespace

NormalizeResult Normalize(const Tensor& x, const Variable& gamma, const Variable& beta, const Variable& moving_mean,
                          const Variable& moving_variance, const BatchNormSpec& spec) {
  const int rank = x.shape().rank(), axis = spec.axis < 0 ? spec.axis + rank : spec.axis;
  const bool fused = spec.fused.value_or(true) && rank == 4 && axis == 3;
  const bool update = (spec.training || spec.learning_phase) && spec.trainable;
  const bool eager_updates = InitContext().eager();
  NormalizeResult out;
  const double momentum = spec.training ? spec.momentum : 1.0;
  const auto add_updates = [&](Node* mean_update, Node* variance_update) {
    for (Node* node : {mean_update, variance_update})
      if (node && !Current().eager()) out.updates.push_back(node);
  };
  if (fused) {
    const Shape channels = moving_mean.shape().Require();
    const Tensor scale = gamma ? gamma.Read() : Constant(Array::Full(channels, 1.0F));
    const Tensor offset = beta ? beta.Read() : Constant(Array::Full(channels, 0.0F));
    // Eager leaves the averaging to the kernel, with the factor taken in double; a graph has its own update ops.
    const double factor = eager_updates && spec.training ? 1.0 - spec.momentum : 1.0;
    BatchNormResult r;
    {
      NameScope scope("FusedBatchNormV3");
      const Tensor mean = moving_mean.Read();
      const Tensor variance = moving_variance.Read();
      r = FusedBatchNorm(x, scale, offset, mean, variance, static_cast<float>(spec.epsilon), spec.training,
                         static_cast<float>(factor), scope.path() + "/");
    }
    out.y = r.y;
    if (update && eager_updates) {
      moving_mean.Assign(r.mean);
      moving_variance.Assign(r.variance);
    } else if (update) {
      // The fused layer's momentum is a tensor: 1 - momentum is an op, in float32.
      const Tensor momentum_tensor = Constant(static_cast<float>(momentum));
      const auto decay = [&] { return 1.0 - momentum_tensor; };
      Node* const mean_update = MoveBy(moving_mean, r.mean, decay);
      add_updates(mean_update, MoveBy(moving_variance, r.variance, decay));
    }
    return out;
  }
  // tf: _broadcast: parameters of an inner axis are reshaped to the input's rank
  const auto broadcast = [&](const Tensor& v) {
    if (!v.has_value() || axis == rank - 1) return v;
    std::vector<std::int64_t> dims(static_cast<std::size_t>(rank), 1);
    dims[static_cast<std::size_t>(axis)] = moving_mean.shape().dim(0);
    return Reshape(v, dims);
  };
  const Tensor scale = broadcast(gamma ? gamma.operand() : Tensor());
  const Tensor offset = broadcast(beta ? beta.operand() : Tensor());
  const Moments moments =
      spec.training ? MomentsOf(x, axis) : Moments{moving_mean.operand(), moving_variance.operand()};
  if (update) {
    Node* const mean_update = MoveAverage(moving_mean, moments.mean, momentum);
    add_updates(mean_update, MoveAverage(moving_variance, moments.variance, momentum));
  }
  const Tensor mean = broadcast(moments.mean);
  out.y = ScaleAndShift(x, {mean, broadcast(moments.variance)}, scale, offset, spec.epsilon);
  return out;
}

Tensor FlattenTensor(const Tensor& x) {
  const PartialShape shape = x.shape();
  if (shape.rank() < 1) throw ValueError(fmt::format("Flatten needs a batch dimension, got shape {}", shape.ToTuple()));
  std::int64_t rest = 1;
  for (int i = 1; i < shape.rank(); ++i) {
    if (shape.dim(i) < 0)
      throw ValueError(fmt::format("Flatten needs static dimensions after the batch, got shape {}", shape.ToTuple()));
    rest *= shape.dim(i);
  }
  if (Current().eager()) return Reshape(x, {shape.dim(0), rest});
  const Tensor target =
      Constant(Array::Of<std::int32_t>(Shape{2}, {std::int32_t{-1}, static_cast<std::int32_t>(rest)}), "Const");
  return Current().Add1("Reshape", {x, target});
}

}  // namespace equiv::runtime::internal
