#include "runtime/layers/slim.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/layers/layer_scope.h"
#include "runtime/layers/v1.h"
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
  Overlay(base.normalizer_fn, over.normalizer_fn);
  Overlay(base.reuse, over.reuse);
  if (!over.outputs_collections.empty()) base.outputs_collections = over.outputs_collections;
  if (!over.variables_collections.empty()) base.variables_collections = over.variables_collections;
  Overlay(base.biases_collections, over.biases_collections);
  base.trainable = base.trainable && over.trainable;
}
Conv2dArgs Merge(Conv2dArgs base, const Conv2dArgs& over) {
  Overlay(base.stride, over.stride);
  Overlay(base.padding, over.padding);
  Overlay(base.stride_width, over.stride_width);
  base.rate = over.rate;
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
  if (!over.outputs_collections.empty()) base.outputs_collections = over.outputs_collections;
  base.scope = over.scope;
  return base;
}
DropoutArgs Merge(DropoutArgs base, const DropoutArgs& over) {
  Overlay(base.keep_prob, over.keep_prob);
  Overlay(base.is_training, over.is_training);
  base.seed = over.seed;
  if (!over.outputs_collections.empty()) base.outputs_collections = over.outputs_collections;
  base.scope = over.scope;
  return base;
}

// Aliases of collected outputs. tf: tensor.aliases
struct Aliases {
  std::vector<std::pair<Tensor, std::string>> names;
};
Tensor Collect(const Tensor& y, const std::vector<std::string>& collections, std::string alias) {
  if (collections.empty()) return y;
  if (alias.ends_with('/')) alias.pop_back();
  Current().Slot<Aliases>().names.emplace_back(y, alias);
  for (const std::string& collection : collections) AddToCollection(collection, y);
  return y;
}

// The getter that gives slim's names to a core layer's weights and puts them in model_variables. tf:
// _build_variable_getter
using Rename = std::vector<std::pair<std::string_view, std::string_view>>;
CustomGetter ModelVariableGetter(Rename rename) {
  return [rename = std::move(rename)](const Getter& getter, const std::string& name, const GetVariableOptions& given) {
    std::string full = name;
    const auto slash = full.rfind('/');
    const std::string last = slash == std::string::npos ? full : full.substr(slash + 1);
    for (const auto& [from, to] : rename)
      if (last == from) full = full.substr(0, full.size() - last.size()) + std::string(to);
    GetVariableOptions options = given;
    for (std::string_view collection : {kGlobalVariables, kModelVariables})
      if (std::ranges::find(options.collections, collection) == options.collections.end())
        options.collections.emplace_back(collection);
    return getter(full, options);
  };
}
const Rename kWeights = {{"bias", "biases"}, {"kernel", "weights"}};
const Rename kSeparable = {
    {"bias", "biases"}, {"depthwise_kernel", "depthwise_weights"}, {"pointwise_kernel", "pointwise_weights"}};

VariableScopeOptions ScopeArgs(std::string_view scope, std::string_view default_name, std::optional<Reuse> reuse,
                               CustomGetter getter = {}) {
  if (scope.empty() && reuse && *reuse != Reuse::kNone)
    throw ValueError("reuse=True cannot be used without a name_or_scope");
  VariableScopeOptions options;
  if (scope.empty()) options.default_name = default_name;
  options.reuse = reuse.value_or(Reuse::kNone);
  options.custom_getter = std::move(getter);
  return options;
}

void Join(const std::vector<Variable>& variables, const std::vector<std::string>& collections) {
  for (const std::string& collection : collections)
    for (const Variable& variable : variables) {
      if (!variable) continue;
      // tf: `variable not in collection` compares values when variables are eager
      if (Current().eager() && !GetCollection(collection).empty())
        throw ValueError("The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()");
      AddToCollectionOnce(collection, variable);
    }
}

template <class Args>
bool Normalized(const Args& args) {
  return args.normalizer_fn ? static_cast<bool>(*args.normalizer_fn) : args.normalizer.has_value();
}
template <class Args>
bool Biased(const Args& args) {
  // biases_initializer=None, an empty initializer here, means no bias (G5)
  return !Normalized(args) && !(args.biases_initializer && !*args.biases_initializer);
}
template <class Args>
Tensor Finish(Tensor x, const Args& args, const std::string& alias, const std::source_location& site) {
  if (Normalized(args)) x = args.normalizer_fn ? (*args.normalizer_fn)(x) : BatchNorm(x, *args.normalizer, {}, site);
  x = !args.activation ? Relu(x) : *args.activation ? (*args.activation)(x) : x;
  return Collect(x, args.outputs_collections, alias);
}
Initializer WeightsInitializer(const std::optional<Initializer>& given) {
  return given && *given ? *given : XavierInitializer();
}
Initializer BiasesInitializer(const std::optional<Initializer>& given) {
  return given && *given ? *given : ZerosInitializer();
}
std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

v1::ConvOptions ConvOptionsOf(const Conv2dArgs& args, const Tensor& x, const std::string& name) {
  v1::ConvOptions options;
  options.strides = {args.stride.value_or(1), args.stride_width.value_or(args.stride.value_or(1))};
  options.dilation_rate = {args.rate};
  options.padding = Lower(args.padding.value_or("SAME"));
  options.use_bias = Biased(args);
  options.kernel_initializer = options.depthwise_initializer = options.pointwise_initializer =
      WeightsInitializer(args.weights_initializer);
  options.bias_initializer = BiasesInitializer(args.biases_initializer);
  if (args.weights_regularizer)
    options.kernel_regularizer = options.depthwise_regularizer = options.pointwise_regularizer =
        *args.weights_regularizer;
  if (args.biases_regularizer) options.bias_regularizer = *args.biases_regularizer;
  options.trainable = args.trainable;
  options.name = name;
  options.dtype = x.dtype();
  return options;
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
  VariableScope scope(args.scope, ScopeArgs(args.scope, "Conv", args.reuse, ModelVariableGetter(kWeights)));
  OwnerScope owner(scope.name(), site);
  if (x.shape().rank() != 4)
    throw ValueError(fmt::format("slim.conv2d '{}': Convolution expects input with rank 4 (NHWC), got {} (shape {})",
                                 scope.name(), x.shape().rank(), x.shape().ToTuple()));
  v1::ConvLayer layer(2, outputs, {kernel.height, kernel.width}, ConvOptionsOf(args, x, scope.name()),
                      {.scope = scope.capture(), .reuse = args.reuse});
  const Tensor y = layer(x).output;
  Join({layer.kernel()}, args.variables_collections);
  Join({layer.bias()}, args.biases_collections.value_or(args.variables_collections));
  return Finish(y, args, scope.name(), site);
}

Tensor SeparableConv2d(const Tensor& x, std::optional<std::int64_t> outputs, Kernel kernel,
                       std::int64_t depth_multiplier, const Conv2dArgs& given, const std::source_location& site) {
  const Conv2dArgs args = Merge({}, given);
  VariableScope scope(args.scope,
                      ScopeArgs(args.scope, "SeparableConv2d", args.reuse, ModelVariableGetter(kSeparable)));
  OwnerScope owner(scope.name(), site);
  v1::ConvOptions options = ConvOptionsOf(args, x, scope.name());
  options.depth_multiplier = depth_multiplier;
  Tensor y;
  if (outputs) {
    v1::SeparableConvLayer layer(2, *outputs, {kernel.height, kernel.width}, options,
                                 {.scope = scope.capture(), .reuse = args.reuse});
    y = layer(x).output;
  } else {
    const std::int64_t channels = internal::StaticChannels(x.shape(), "slim.separable_conv2d");
    const Variable weights =
        ModelVariable("depthwise_weights",
                      {.shape = PartialShape{kernel.height, kernel.width, channels, depth_multiplier},
                       .dtype = x.dtype(),
                       .initializer = options.depthwise_initializer,
                       .regularizer = options.depthwise_regularizer},
                      site);
    const std::int64_t stride = args.stride.value_or(1);
    y = Current().Add1(
        "DepthwiseConv2dNative", {x, weights.operand()},
        {{"strides", std::vector<std::int64_t>{1, stride, stride, 1}}, {"padding", args.padding.value_or("SAME")}},
        "depthwise");
    if (options.use_bias)
      y = runtime::BiasAdd(y, ModelVariable("biases",
                                            {.shape = PartialShape{channels * depth_multiplier},
                                             .dtype = x.dtype(),
                                             .initializer = options.bias_initializer,
                                             .regularizer = options.bias_regularizer},
                                            site));
  }
  return Finish(y, args, scope.name(), site);
}

Tensor Conv2dTranspose(const Tensor& x, std::int64_t outputs, Kernel kernel, const Conv2dArgs& given,
                       const std::source_location& site) {
  const Conv2dArgs args = Merge({}, given);
  VariableScope scope(args.scope, ScopeArgs(args.scope, "Conv2d_transpose", args.reuse, ModelVariableGetter(kWeights)));
  OwnerScope owner(scope.name(), site);
  v1::ConvTransposeLayer layer(2, outputs, {kernel.height, kernel.width}, ConvOptionsOf(args, x, scope.name()),
                               {.scope = scope.capture(), .reuse = args.reuse});
  return Finish(layer(x).output, args, scope.name(), site);
}

Tensor Conv2dInPlane(const Tensor& x, Kernel kernel, const Conv2dArgs& given, const std::source_location& site) {
  const Conv2dArgs args = Merge({}, given);
  VariableScope scope(args.scope, ScopeArgs(args.scope, "ConvInPlane", args.reuse));
  OwnerScope owner(scope.name(), site);
  const std::int64_t channels = internal::StaticChannels(x.shape(), "slim.conv2d_in_plane");
  const Variable weights = ModelVariable("weights",
                                         {.shape = PartialShape{kernel.height, kernel.width, 1, 1},
                                          .dtype = x.dtype(),
                                          .initializer = WeightsInitializer(args.weights_initializer),
                                          .regularizer = args.weights_regularizer.value_or(Regularizer{})},
                                         site);
  Context& context = Current();
  const Tensor multiples =
      Constant(Array::Of<std::int32_t>(Shape{4}, {1, 1, static_cast<std::int32_t>(channels), 1}), "Tile/multiples");
  const Tensor depthwise = context.Add1("Tile", {weights.operand(), multiples});
  const std::int64_t stride = args.stride.value_or(1), width = args.stride_width.value_or(static_cast<int>(stride));
  Tensor y = context.Add1(
      "DepthwiseConv2dNative", {x, depthwise},
      {{"strides", std::vector<std::int64_t>{1, stride, width, 1}}, {"padding", args.padding.value_or("SAME")}},
      "depthwise");
  if (Biased(args))
    y = runtime::BiasAdd(y, ModelVariable("biases",
                                          {.shape = PartialShape{channels},
                                           .dtype = x.dtype(),
                                           .initializer = BiasesInitializer(args.biases_initializer),
                                           .regularizer = args.biases_regularizer.value_or(Regularizer{})},
                                          site));
  return Finish(y, args, scope.name(), site);
}

Tensor FullyConnected(const Tensor& x, std::int64_t outputs, const FullyConnectedArgs& given,
                      const std::source_location& site) {
  const FullyConnectedArgs args = Merge(Top().fully_connected, given);
  VariableScope scope(args.scope, ScopeArgs(args.scope, "fully_connected", args.reuse, ModelVariableGetter(kWeights)));
  OwnerScope owner(scope.name(), site);
  v1::DenseOptions options;
  options.use_bias = Biased(args);
  options.kernel_initializer = WeightsInitializer(args.weights_initializer);
  options.bias_initializer = BiasesInitializer(args.biases_initializer);
  if (args.weights_regularizer) options.kernel_regularizer = *args.weights_regularizer;
  if (args.biases_regularizer) options.bias_regularizer = *args.biases_regularizer;
  options.trainable = args.trainable;
  options.name = scope.name();
  options.dtype = x.dtype();
  v1::DenseLayer layer(outputs, options, {.scope = scope.capture(), .reuse = args.reuse});
  const Tensor y = layer(x).output;
  Join({layer.kernel()}, args.variables_collections);
  Join({layer.bias()}, args.biases_collections.value_or(args.variables_collections));
  return Finish(y, args, scope.name(), site);
}

Tensor BiasAdd(const Tensor& x, const FullyConnectedArgs& args, const std::source_location& site) {
  VariableScope scope(args.scope, ScopeArgs(args.scope, "BiasAdd", args.reuse));
  OwnerScope owner(scope.name(), site);
  const std::int64_t channels = internal::StaticChannels(x.shape(), "slim.bias_add");
  const Variable biases = ModelVariable("biases",
                                        {.shape = PartialShape{channels},
                                         .dtype = x.dtype(),
                                         .initializer = BiasesInitializer(args.biases_initializer),
                                         .regularizer = args.biases_regularizer.value_or(Regularizer{})},
                                        site);
  Tensor y = runtime::BiasAdd(x, biases);
  if (args.activation && *args.activation) y = (*args.activation)(y);
  return Collect(y, args.outputs_collections, scope.name());
}

Tensor LayerNorm(const Tensor& x, const LayerNormArgs& args, const std::source_location& site) {
  VariableScope scope(args.scope, ScopeArgs(args.scope, "LayerNorm", args.reuse));
  OwnerScope owner(scope.name(), site);
  const int rank = x.shape().rank();
  const int norm = args.begin_norm_axis < 0 ? rank + args.begin_norm_axis : args.begin_norm_axis;
  const int params = args.begin_params_axis < 0 ? rank + args.begin_params_axis : args.begin_params_axis;
  if (params >= rank || norm >= rank || params < 0 || norm < 0)
    throw ValueError(
        fmt::format("begin_params_axis ({}) and begin_norm_axis ({}) must be < rank(inputs) ({})", params, norm, rank));
  const std::vector<std::int64_t> dims = x.shape().dims();
  const PartialShape shape(std::vector<std::int64_t>(dims.begin() + params, dims.end()));
  Variable beta, gamma;
  if (args.center)
    beta = ModelVariable("beta", {.shape = shape, .dtype = x.dtype(), .initializer = ZerosInitializer()}, site);
  if (args.scale)
    gamma = ModelVariable("gamma", {.shape = shape, .dtype = x.dtype(), .initializer = OnesInitializer()}, site);
  std::vector<std::int64_t> axes;
  for (int i = norm; i < rank; ++i) axes.push_back(i);
  Context& context = Current();
  Tensor mean, variance;
  {
    NameScope moments("moments");
    mean = ReduceMean(x, axes, true, "mean");
    const Tensor fixed = context.Add1("StopGradient", {mean});
    const Tensor square = context.Add1("SquaredDifference", {x, fixed});
    variance = ReduceMean(square, axes, true, "variance");
  }
  Tensor y;
  {
    NameScope batchnorm("batchnorm");
    Tensor factor = context.Add1("Rsqrt", {variance + 1e-12});
    if (gamma) factor = factor * gamma;
    const Tensor scaled = x * factor, shift = mean * factor;
    y = beta ? scaled + (beta.Read() - shift) : scaled - shift;
  }
  if (args.activation) y = args.activation(y);
  return Collect(y, args.outputs_collections, scope.name());
}

Tensor UnitNorm(const Tensor& x, int dim, double epsilon, std::string_view name) {
  VariableScope scope(name, ScopeArgs(name, "UnitNorm", std::nullopt));
  if (dim < 0 || dim >= x.shape().rank()) throw ValueError("dim must be positive but smaller than the input rank.");
  Context& context = Current();
  const Tensor sum = ReduceSum(context.Add1("Square", {x}), {dim}, true);
  const Tensor lengths = context.Add1("Sqrt", {epsilon + sum});
  std::vector<std::int32_t> multiples(static_cast<std::size_t>(x.shape().rank()), 1);
  multiples[static_cast<std::size_t>(dim)] = static_cast<std::int32_t>(x.shape().dim(dim));
  const Tensor times =
      Constant(Array::Of<std::int32_t>(Shape{static_cast<std::int64_t>(multiples.size())}, multiples), "concat");
  return Divide(x, context.Add1("Tile", {lengths, times}), "div");
}

namespace {
// moving -= (moving - value) * decay, without bias correction. tf: moving_averages.assign_moving_average
CollectionItem AssignMovingAverage(const Variable& moving, const Tensor& value, double decay) {
  NameScope scope("AssignMovingAvg");
  const Tensor factor = Constant(static_cast<float>(1.0 - decay), "decay");
  if (moving.is_reference()) {
    Node* node = moving.AssignSub((moving.Read() - value) * factor, scope.path() + "/");
    return node->output(0);  // tf: a reference update is a tensor
  }
  return moving.AssignSub((moving.Read() - value) * factor);
}

// tf: tf_slim's _fused_batch_norm: rank 2, or updates elsewhere than in UPDATE_OPS
Tensor FusedLegacy(const Tensor& x, const BatchNormParams& params, bool training, std::string_view name,
                   const std::source_location& site) {
  VariableScope scope(name, ScopeArgs(name, "BatchNorm", params.reuse));
  OwnerScope owner(scope.name(), site);
  const std::int64_t channels = internal::StaticChannels(x.shape(), "slim.batch_norm");
  const bool flat = x.shape().rank() == 2;
  const Tensor wide = flat ? Reshape(x, {-1, 1, 1, channels}) : x;
  const auto make = [&](const char* variable, const Initializer& initializer, const Regularizer& regularizer,
                        bool trainable) {
    return ModelVariable(variable,
                         {.shape = PartialShape{channels},
                          .dtype = DType::kFloat32,
                          .initializer = initializer,
                          .regularizer = regularizer,
                          .trainable = trainable,
                          .collections = params.variables_collections},
                         site);
  };
  const Shape shape{channels};
  Tensor offset, scale;
  if (params.center)
    offset = make("beta", internal::OrZeros(params.beta_initializer), params.beta_regularizer, params.trainable);
  else
    offset = Constant(Array::Full(shape, 0.0F));
  if (params.scale)
    scale = make("gamma", internal::OrOnes(params.gamma_initializer), params.gamma_regularizer, params.trainable);
  else
    scale = Constant(Array::Full(shape, 1.0F));
  const Variable mean = make("moving_mean", ZerosInitializer(), {}, false);
  const Variable variance = make("moving_variance", OnesInitializer(), {}, false);
  BatchNormResult r;
  if (training) {
    const Tensor none = Constant(Array(DType::kFloat32, Shape{0}));
    r = FusedBatchNorm(wide, scale, offset, none, none, static_cast<float>(params.epsilon), true);
  } else {
    r = FusedBatchNorm(wide, scale, offset, mean, variance, static_cast<float>(params.epsilon), false);
  }
  Tensor y = r.y;
  if (training) {
    const CollectionItem items[] = {AssignMovingAverage(mean, r.mean, params.decay),
                                    AssignMovingAverage(variance, r.variance, params.decay)};
    if (params.updates_collection) {
      for (const CollectionItem& item : items)
        AddToCollection(*params.updates_collection, Current().eager() ? CollectionItem(UnreadVariable{}) : item);
    } else if (!Current().eager()) {
      std::vector<Node*> nodes;
      for (const CollectionItem& item : items)
        nodes.push_back(std::holds_alternative<Node*>(item) ? std::get<Node*>(item) : std::get<Tensor>(item).node());
      ControlDependencies after(nodes);
      y = Identity(y);
    }
  }
  if (flat) y = Reshape(y, {x.shape().dim(0), channels});
  if (params.activation) y = params.activation(y);
  return Collect(y, params.outputs_collections, scope.name());
}
}  // namespace

Tensor BatchNorm(const Tensor& x, const BatchNormParams& params, std::string_view name,
                 const std::source_location& site) {
  const bool training = params.is_training ? *params.is_training : Top().batch_norm_is_training.value_or(true);
  const int rank = x.shape().rank();
  if (params.fused.value_or(true) && (rank == 2 || rank == 4) &&
      (rank == 2 || params.updates_collection != std::string(kUpdateOps)))
    return FusedLegacy(x, params, training, name, site);
  VariableScope scope(name, ScopeArgs(name, "BatchNorm", params.reuse, ModelVariableGetter({})));
  OwnerScope owner(scope.name(), site);
  v1::BatchNormOptions options;
  options.momentum = params.decay;
  options.epsilon = params.epsilon;
  options.center = params.center;
  options.scale = params.scale;
  options.beta_initializer = params.beta_initializer;
  options.gamma_initializer = params.gamma_initializer;
  options.beta_regularizer = params.beta_regularizer;
  options.gamma_regularizer = params.gamma_regularizer;
  options.trainable = params.trainable;
  options.fused = params.fused;
  options.name = scope.name();
  options.dtype = x.dtype();
  v1::BatchNormLayer layer(options, {.scope = scope.capture(), .reuse = params.reuse});
  Tensor y = layer(CallArgs{{x}, training}).output;
  Join({layer.moving_mean(), layer.moving_variance(), layer.beta(), layer.gamma()}, params.variables_collections);
  if (params.activation) y = params.activation(y);
  return Collect(y, params.outputs_collections, scope.name());
}

namespace {
Tensor Pool2d(bool max, const Tensor& x, Kernel kernel, const PoolArgs& args) {
  NameScope scope(args.scope.empty() ? (max ? "MaxPool2D" : "AvgPool2D") : args.scope);
  v1::PoolingOptions options;
  options.pool_size = {kernel.height, kernel.width};
  options.strides = {args.stride.value_or(2)};
  options.padding = Lower(args.padding.value_or("VALID"));
  v1::StatelessLayer layer(max ? "MaxPooling2D" : "AveragePooling2D", keras::Pooling(max, 2, options), {},
                           {.scope = nullptr, .scope_name = scope.path() + "/"});
  return Collect(layer(x).output, args.outputs_collections, scope.path());
}
}  // namespace

Tensor MaxPool2d(const Tensor& x, Kernel kernel, const PoolArgs& given) {
  return Pool2d(true, x, kernel, Merge(Top().max_pool2d, given));
}
Tensor AvgPool2d(const Tensor& x, Kernel kernel, const PoolArgs& given) {
  return Pool2d(false, x, kernel, Merge(Top().avg_pool2d, given));
}

Tensor Dropout(const Tensor& x, const DropoutArgs& given) {
  const DropoutArgs args = Merge(Top().dropout, given);
  VariableScope scope(args.scope, ScopeArgs(args.scope, "Dropout", std::nullopt));
  OwnerScope owner(scope.name(), Current().call_site());
  keras::DropoutOptions options;
  options.seed = args.seed;
  options.name = scope.name();
  v1::DropoutLayer layer(1.0 - args.keep_prob.value_or(0.5), options, {.scope = scope.capture()});
  const Tensor y = layer(CallArgs{{x}, args.is_training.value_or(true)}).output;
  return Collect(y, args.outputs_collections, scope.name());
}

Tensor Flatten(const Tensor& x, std::string_view name, const std::vector<std::string>& outputs_collections) {
  NameScope scope(name.empty() ? "Flatten" : name);
  return Collect(v1::Flatten(x), outputs_collections, scope.path());
}

Tensor Softmax(const Tensor& x, std::string_view name) {
  VariableScope scope(name, name.empty() ? VariableScope::Default("softmax") : VariableScopeOptions{});
  const std::int64_t classes = internal::StaticChannels(x.shape(), "slim.softmax");
  const Tensor flat = runtime::Softmax(Reshape(x, {-1, classes}));
  if (const std::optional<Shape> shape = x.shape().AsShape()) {
    std::vector<std::int32_t> dims(shape->dims().begin(), shape->dims().end());
    const Tensor target = Constant(Array::Of<std::int32_t>(Shape{shape->rank()}, dims), "Shape");
    return Current().Add1("Reshape", {flat, target});
  }
  const Tensor target = Current().Add1("Shape", {x}, {{"out_type", DType::kInt32}});
  return Current().Add1("Reshape", {flat, target});
}

Tensor RepeatScoped(const Tensor& x, int n, const std::string& layer_name, const ScopedLayer& layer,
                    std::string_view scope) {
  VariableScope outer(scope, ScopeArgs(scope, "Repeat", std::nullopt));
  const std::string base = scope.empty() ? layer_name : std::string(scope);
  Tensor y = x;
  for (int i = 1; i <= n; ++i) y = layer(y, fmt::format("{}_{}", base, i));
  return y;
}

Tensor Repeat(const Tensor& x, int n, const std::string& layer_name, const std::function<Tensor(const Tensor&)>& layer,
              std::string_view scope) {
  return RepeatScoped(
      x, n, layer_name,
      [&](const Tensor& y, const std::string& name) {
        VariableScope inner(name);
        return layer(y);
      },
      scope);
}

Tensor Stack(const Tensor& x, const std::vector<ScopedLayer>& layers, const std::string& layer_name,
             std::string_view scope) {
  VariableScope outer(scope, ScopeArgs(scope, "Stack", std::nullopt));
  const std::string base = scope.empty() ? layer_name : std::string(scope);
  Tensor y = x;
  int i = 0;
  for (const ScopedLayer& layer : layers) y = layer(y, fmt::format("{}_{}", base, ++i));
  return y;
}

std::vector<std::pair<std::string, Tensor>> ConvertCollectionToDict(std::string_view collection) {
  std::vector<std::pair<std::string, Tensor>> named;
  for (const CollectionItem& item : GetCollection(collection)) {
    const Tensor* tensor = std::get_if<Tensor>(&item);
    if (!tensor) continue;
    bool found = false;
    for (const auto& [collected, alias] : Current().Slot<Aliases>().names)
      if (collected == *tensor) {
        named.emplace_back(alias, *tensor);
        found = true;
      }
    if (!found && tensor->symbolic()) named.emplace_back(tensor->node()->name(), *tensor);
  }
  return named;
}

}  // namespace equiv::runtime::slim
