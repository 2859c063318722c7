#include "runtime/layers/slim.h"

#include <fmt/format.h>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/layers/layer_scope.h"
#include "runtime/random/dropout.h"
#include "runtime/random/initializers.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime::slim {
namespace {

thread_local std::vector<ArgScope::Defaults> arg_scopes;

const ArgScope::Defaults& Top() {
  static const ArgScope::Defaults none;
  return arg_scopes.empty() ? none : arg_scopes.back();
}

template <class T>
void Overlay(std::optional<T>& base, const std::optional<T>& over) {
  if (over) base = over;
}
// A normalizer and "no normalizer" are two values of one argument.
template <class Args>
void OverlayNormalizer(Args& base, const Args& over) {
  if (over.normalizer) {
    base.normalizer = over.normalizer;
    base.no_normalizer.reset();
  }
  if (over.no_normalizer) {
    base.no_normalizer = over.no_normalizer;
    if (*over.no_normalizer) base.normalizer.reset();
  }
}
template <class Args>
void OverlayWeights(Args& base, const Args& over) {
  Overlay(base.activation, over.activation);
  OverlayNormalizer(base, over);
  Overlay(base.weights_initializer, over.weights_initializer);
  Overlay(base.weights_regularizer, over.weights_regularizer);
  Overlay(base.biases_initializer, over.biases_initializer);
  Overlay(base.biases_regularizer, over.biases_regularizer);
}
Conv2dArgs Merge(Conv2dArgs base, const Conv2dArgs& over) {
  Overlay(base.stride, over.stride);
  Overlay(base.padding, over.padding);
  OverlayWeights(base, over);
  base.scope = over.scope;
  return base;
}
FullyConnectedArgs Merge(FullyConnectedArgs base, const FullyConnectedArgs& over) {
  OverlayWeights(base, over);
  base.scope = over.scope;
  return base;
}
PoolArgs Merge(PoolArgs base, const PoolArgs& over) {
  Overlay(base.stride, over.stride);
  Overlay(base.padding, over.padding);
  base.scope = over.scope;
  return base;
}
DropoutArgs Merge(DropoutArgs base, const DropoutArgs& over) {
  Overlay(base.keep_prob, over.keep_prob);
  Overlay(base.is_training, over.is_training);
  base.scope = over.scope;
  return base;
}

// variable_scope(scope, default), and the op path of the layer object inside: it opens a name scope of its own name
// below and leaves it empty, which takes the name. tf: Layer.__init__ with _scope
class SlimScope {
 public:
  SlimScope(std::string_view scope, std::string_view default_name, const std::source_location& site)
      : scope_(scope, scope.empty() ? VariableScope::Default(default_name) : VariableScopeOptions{}),
        owner_(scope_.name(), site) {
    const std::string& path = scope_.name();
    Current().OpenNameScope(std::string_view(path).substr(path.rfind('/') + 1));
  }

 private:
  VariableScope scope_;
  OwnerScope owner_;
};

Tensor Finish(Tensor x, bool has_normalizer, const std::optional<BatchNormParams>& normalizer,
              const std::optional<Activation>& activation, const std::source_location& site) {
  if (has_normalizer) x = BatchNorm(x, *normalizer, {}, site);
  if (!activation) return Relu(x);
  return *activation ? (*activation)(x) : x;
}

void Weight(internal::WeightSpec spec, const std::optional<Initializer>& initializer,
            const std::optional<Regularizer>& regularizer, Variable& out, const std::source_location& site) {
  if (initializer && *initializer) spec.initializer = *initializer;
  if (regularizer) spec.regularizer = *regularizer;
  spec.model_variable = true;
  out = internal::AddWeight(spec, site);
}

}  // namespace

ArgScope::ArgScope(const Defaults& defaults) {
  Defaults merged = Top();
  merged.conv2d = Merge(merged.conv2d, defaults.conv2d);
  merged.fully_connected = Merge(merged.fully_connected, defaults.fully_connected);
  merged.max_pool2d = Merge(merged.max_pool2d, defaults.max_pool2d);
  merged.avg_pool2d = Merge(merged.avg_pool2d, defaults.avg_pool2d);
  merged.dropout = Merge(merged.dropout, defaults.dropout);
  Overlay(merged.batch_norm_is_training, defaults.batch_norm_is_training);
  arg_scopes.push_back(std::move(merged));
}
ArgScope::~ArgScope() { arg_scopes.pop_back(); }

Tensor Conv2d(const Tensor& x, std::int64_t outputs, Kernel kernel, const Conv2dArgs& given,
              const std::source_location& site) {
  const Conv2dArgs args = Merge(Top().conv2d, given);
  if (x.shape().rank() != 4)
    throw ValueError(
        fmt::format("slim.conv2d '{}' needs an input of rank 4 (NHWC), got shape {}", args.scope, x.shape().ToTuple()));
  const bool normalized = args.normalizer.has_value();
  SlimScope scope(args.scope, "Conv", site);
  const Shape shape{kernel.height, kernel.width, internal::StaticChannels(x, "slim.conv2d"), outputs};
  Variable weights, biases;
  Weight({.core_name = "kernel",
          .variable = "weights",
          .shape = shape,
          .dtype = x.dtype(),
          .initializer = XavierInitializer(),
          .regularizer = {}},
         args.weights_initializer, args.weights_regularizer, weights, site);
  // biases_initializer=None, an empty initializer here, means no bias (G5)
  const bool biased = !normalized && !(args.biases_initializer && !*args.biases_initializer);
  if (biased)
    Weight({.core_name = "bias",
            .variable = "biases",
            .shape = Shape{outputs},
            .dtype = x.dtype(),
            .initializer = ZerosInitializer(),
            .regularizer = {}},
           args.biases_initializer, args.biases_regularizer, biases, site);
  const std::int64_t stride = args.stride.value_or(1);
  Tensor y = internal::ConvWithWeight(x, weights, {stride, stride}, args.padding.value_or("SAME"));
  if (biased) y = internal::BiasAddWithWeight(y, biases);
  return Finish(std::move(y), normalized, args.normalizer, args.activation, site);
}

Tensor FullyConnected(const Tensor& x, std::int64_t outputs, const FullyConnectedArgs& given,
                      const std::source_location& site) {
  const FullyConnectedArgs args = Merge(Top().fully_connected, given);
  const bool normalized = args.normalizer.has_value();
  SlimScope scope(args.scope, "fully_connected", site);
  const Shape shape{internal::StaticChannels(x, "slim.fully_connected"), outputs};
  Variable weights, biases;
  Weight({.core_name = "kernel",
          .variable = "weights",
          .shape = shape,
          .dtype = x.dtype(),
          .initializer = XavierInitializer(),
          .regularizer = {}},
         args.weights_initializer, args.weights_regularizer, weights, site);
  const bool biased = !normalized && !(args.biases_initializer && !*args.biases_initializer);
  if (biased)
    Weight({.core_name = "bias",
            .variable = "biases",
            .shape = Shape{outputs},
            .dtype = x.dtype(),
            .initializer = ZerosInitializer(),
            .regularizer = {}},
           args.biases_initializer, args.biases_regularizer, biases, site);
  Tensor y = internal::MatMulWithWeight(x, weights);
  if (biased) y = internal::BiasAddWithWeight(y, biases);
  return Finish(std::move(y), normalized, args.normalizer, args.activation, site);
}

Tensor BatchNorm(const Tensor& x, const BatchNormParams& params, std::string_view name,
                 const std::source_location& site) {
  SlimScope scope(name, "BatchNorm", site);
  const Shape shape{internal::StaticChannels(x, "slim.batch_norm")};
  Variable gamma, beta, moving_mean, moving_variance;
  auto add = [&](std::string_view variable, const Initializer& initializer, bool trainable) {
    return internal::AddWeight({.core_name = variable,
                                .variable = variable,
                                .shape = shape,
                                .dtype = x.dtype(),
                                .initializer = initializer,
                                .regularizer = {},
                                .trainable = trainable,
                                .model_variable = true},
                               site);
  };
  if (params.scale) gamma = add("gamma", OnesInitializer(), true);
  if (params.center) beta = add("beta", ZerosInitializer(), true);
  moving_mean = add("moving_mean", ZerosInitializer(), false);
  moving_variance = add("moving_variance", OnesInitializer(), false);
  const bool training = params.is_training ? *params.is_training : Top().batch_norm_is_training.value_or(true);
  return internal::Normalize(x, gamma, beta, moving_mean, moving_variance,
                             {.momentum = params.decay,
                              .epsilon = params.epsilon,
                              .training = training,
                              .updates_collection = params.updates_collection});
}

Tensor MaxPool2d(const Tensor& x, Kernel kernel, const PoolArgs& given) {
  const PoolArgs args = Merge(Top().max_pool2d, given);
  NameScope scope(args.scope.empty() ? "MaxPool2D" : args.scope);
  const std::int64_t stride = args.stride.value_or(2);
  return MaxPool(x, {.ksize = {kernel.height, kernel.width},
                     .strides = {stride, stride},
                     .padding = args.padding ? std::string_view(*args.padding) : "VALID"});
}

Tensor AvgPool2d(const Tensor& x, Kernel kernel, const PoolArgs& given) {
  const PoolArgs args = Merge(Top().avg_pool2d, given);
  NameScope scope(args.scope.empty() ? "AvgPool2D" : args.scope);
  const std::int64_t stride = args.stride.value_or(2);
  return AvgPool(x, {.ksize = {kernel.height, kernel.width},
                     .strides = {stride, stride},
                     .padding = args.padding ? std::string_view(*args.padding) : "VALID"});
}

Tensor Dropout(const Tensor& x, const DropoutArgs& given) {
  const DropoutArgs args = Merge(Top().dropout, given);
  SlimScope scope(args.scope, "Dropout", Current().call_site());
  if (!args.is_training.value_or(true)) return Identity(x);
  return runtime::Dropout(x, 1.0 - args.keep_prob.value_or(0.5));
}

Tensor Flatten(const Tensor& x, std::string_view scope) {
  NameScope name(scope.empty() ? "Flatten" : scope);
  VariableScope layer("", VariableScope::Default("flatten"));
  NextLayerName("flatten");  // an unnamed layer takes a number (F2)
  return internal::FlattenTensor(x);
}

Tensor Softmax(const Tensor& x, std::string_view name) {
  VariableScope scope(name, name.empty() ? VariableScope::Default("softmax") : VariableScopeOptions{});
  const std::int64_t classes = internal::StaticChannels(x, "slim.softmax");
  const Tensor flat = runtime::Softmax(Reshape(x, {-1, classes}));
  if (const std::optional<Shape> shape = x.shape().AsShape()) {
    std::vector<std::int32_t> dims(shape->dims().begin(), shape->dims().end());
    const Tensor target = Constant(Array::Of<std::int32_t>(Shape{shape->rank()}, dims), "Shape");
    return Current().Add1("Reshape", {flat, target});
  }
  const Tensor target = Current().Add1("Shape", {x}, {{"out_type", DType::kInt32}});
  return Current().Add1("Reshape", {flat, target});
}

Tensor Repeat(const Tensor& x, int n, const std::string& layer_name, const std::function<Tensor(const Tensor&)>& layer,
              std::string_view scope) {
  VariableScope outer(scope, scope.empty() ? VariableScope::Default("Repeat") : VariableScopeOptions{});
  const std::string base = scope.empty() ? layer_name : std::string(scope);
  Tensor y = x;
  for (int i = 1; i <= n; ++i) {
    VariableScope inner(fmt::format("{}_{}", base, i));
    y = layer(y);
  }
  return y;
}

}  // namespace equiv::runtime::slim
