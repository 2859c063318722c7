// Dense, Embedding, Dropout, Flatten and other layers without convolution.
#include <fmt/format.h>

#include <algorithm>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/layers/keras.h"
#include "runtime/layers/layer_scope.h"
#include "runtime/random/dropout.h"
#include "runtime/random/seeds.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime {

namespace internal {
Initializer DefaultKernelInitializer() {
  // tf: an initializer given as a string: stateless with TF2 behaviour, the v1 class without (E11)
  return ResourceVariablesEnabled() ? keras::GlorotUniform() : GlorotUniform();
}
Initializer DefaultRecurrentInitializer() {
  return ResourceVariablesEnabled() ? keras::Orthogonal() : OrthogonalInitializer();
}
Initializer DefaultEmbeddingsInitializer() {
  return ResourceVariablesEnabled() ? keras::RandomUniform() : RandomUniformInitializer(-0.05, 0.05);
}
Initializer OrKernelDefault(const Initializer& given, bool v1_style) {
  return given ? given : v1_style ? Initializer{} : DefaultKernelInitializer();
}
Initializer OrZeros(const Initializer& given) { return given ? given : ZerosInitializer(); }
Initializer OrOnes(const Initializer& given) { return given ? given : OnesInitializer(); }
}  // namespace internal

namespace keras {

KerasLayer::KerasLayer(const char* class_name, const Common& options)
    : Layer(class_name, LayerOptions{.name = options.name,
                                     .dtype = options.dtype,
                                     .trainable = options.trainable,
                                     .activity_regularizer = options.activity_regularizer}) {
  input_shape_ = options.input_shape;
}

std::vector<std::int64_t> KerasLayer::Spatial(const std::vector<std::int64_t>& given, int rank, std::int64_t fallback,
                                              const char* what) const {
  if (given.empty()) return std::vector<std::int64_t>(static_cast<std::size_t>(rank), fallback);
  if (given.size() == 1) return std::vector<std::int64_t>(static_cast<std::size_t>(rank), given[0]);
  if (static_cast<int>(given.size()) != rank)
    throw ValueError(fmt::format("The `{}` argument of layer '{}' must be a tuple of {} integers, got {}", what, name(),
                                 rank, given.size()));
  return given;
}

std::int64_t KerasLayer::LastDimension(const PartialShape& shape) const {
  if (!shape.has_rank() || shape.rank() < 1 || shape.dim(shape.rank() - 1) < 0)
    throw ValueError(fmt::format(
        "The last dimension of the inputs to a {} layer should be defined. Found None. Full input shape received: {}",
        class_name(), shape.ToTuple()));
  return shape.dim(shape.rank() - 1);
}

void KerasLayer::RequireRank(const PartialShape& shape, int min_rank, int rank) const {
  if (!shape.has_rank()) return;
  if (rank >= 0 && shape.rank() != rank)
    throw ValueError(
        fmt::format("Input 0 of layer \"{}\" is incompatible with the layer: expected ndim={}, found "
                    "ndim={}. Full shape received: {}",
                    name(), rank, shape.rank(), shape.ToTuple()));
  if (shape.rank() < min_rank)
    throw ValueError(
        fmt::format("Input 0 of layer \"{}\" is incompatible with the layer: expected min_ndim={}, found "
                    "ndim={}. Full shape received: {}",
                    name(), min_rank, shape.rank(), shape.ToTuple()));
}

// Dense

Dense::Dense(std::int64_t units, const DenseOptions& options)
    : KerasLayer("Dense", CommonOf(options)), units_(units), options_(options) {
  if (units < 1)
    throw ValueError(
        fmt::format("Received an invalid value for `units`, expected a positive integer. Received: "
                    "units={}",
                    units));
}

void Dense::Build(const std::vector<PartialShape>& input_shapes) {
  const std::int64_t last = LastDimension(input_shapes.at(0));
  kernel_ = AddWeight({.name = "kernel",
                       .shape = Shape{last, units_},
                       .initializer = internal::OrKernelDefault(options_.kernel_initializer, is_v1_style()),
                       .regularizer = options_.kernel_regularizer,
                       .trainable = true,
                       .constraint = options_.kernel_constraint});
  if (options_.use_bias) bias_ = AddWeight(internal::BiasOf(options_, units_));
}

Outputs Dense::Call(const CallArgs& args) {
  const Tensor& x = args.inputs.at(0);
  RequireRank(x.shape(), 2);
  if (x.shape().dim(x.shape().rank() - 1) != kernel_.shape().dim(0))
    throw ValueError(
        fmt::format("Input 0 of layer \"{}\" is incompatible with the layer: expected axis -1 of input "
                    "shape to have value {}, but received input with shape {}",
                    name(), kernel_.shape().dim(0), x.shape().ToTuple()));
  Tensor y = internal::MatMulWithWeight(x, kernel_);
  if (bias_) y = internal::BiasAddWithWeight(y, bias_);
  return options_.activation ? options_.activation(y) : y;
}

// Embedding

Embedding::Embedding(std::int64_t input_dim, std::int64_t output_dim, const EmbeddingOptions& options)
    : KerasLayer("Embedding", CommonOf(options)), input_dim_(input_dim), output_dim_(output_dim), options_(options) {
  if (input_dim < 1 || output_dim < 1)
    throw ValueError(
        fmt::format("Both `input_dim` and `output_dim` should be positive, Received input_dim = {} and output_dim = {}",
                    input_dim, output_dim));
}
void Embedding::Build(const std::vector<PartialShape>&) {
  embeddings_ = AddWeight({.name = "embeddings",
                           .shape = Shape{input_dim_, output_dim_},
                           .initializer = options_.embeddings_initializer ? options_.embeddings_initializer
                                                                          : internal::DefaultEmbeddingsInitializer(),
                           .regularizer = options_.embeddings_regularizer});
}
Outputs Embedding::Call(const CallArgs& args) {
  Tensor ids = args.inputs.at(0);
  if (ids.dtype() != DType::kInt32 && ids.dtype() != DType::kInt64) ids = Cast(ids, DType::kInt32);
  NameScope scope("embedding_lookup");
  const Tensor axis = Constant(Array::Scalar(std::int32_t{0}), "axis");
  return Current().Add1("GatherV2", {embeddings_.Read(), ids, axis});
}

// Dropout

Dropout::Dropout(double rate, const DropoutOptions& options)
    : KerasLayer("Dropout", CommonOf(options)), rate_(rate), options_(options) {
  if (!(rate >= 0 && rate <= 1))
    throw ValueError(fmt::format("Invalid value {} received for `rate`, expected a value between 0 and 1.", rate));
}
Outputs Dropout::Call(const CallArgs& args) {
  const Tensor& x = args.inputs.at(0);
  if (rate_ == 0) return Identity(x);
  if (!args.training && graph_flavour()) {
    // tf: the learning phase is a placeholder that defaults to inference; the training branch is built, takes a seed,
    // and is never run
    GetSeed(options_.seed);
    NameScope scope("cond");
    return Identity(x, ResourceVariablesEnabled() ? "Identity" : "Merge");
  }
  if (!args.training.value_or(false)) return Identity(x);
  return runtime::Dropout(x, rate_, {.noise_shape = options_.noise_shape, .seed = options_.seed, .name = "dropout"});
}

// Layers without weights

Stateless::Stateless(const char* class_name, Function function, const Common& options)
    : KerasLayer(class_name, options), function_(std::move(function)) {}
Outputs Stateless::Call(const CallArgs& args) { return function_(args.inputs); }

Tensor FlattenTensor(const Tensor& x) { return internal::FlattenTensor(x); }

namespace {
std::shared_ptr<Stateless> Make(const char* class_name, Stateless::Function function, const Common& options) {
  return std::make_shared<Stateless>(class_name, std::move(function), options);
}
const Tensor& Only(const std::vector<Tensor>& inputs) { return inputs.at(0); }
}  // namespace

std::shared_ptr<Stateless> ActivationLayer(const Activation& function, const Common& options) {
  return Make(
      "Activation", [function](const auto& in) { return function ? function(Only(in)) : Identity(Only(in)); }, options);
}
std::shared_ptr<Stateless> ReLU(const Common& options) {
  return Make(
      "ReLU", [](const auto& in) { return Relu(Only(in)); }, options);
}
std::shared_ptr<Stateless> Flatten(const Common& options) {
  return Make(
      "Flatten", [](const auto& in) { return FlattenTensor(Only(in)); }, options);
}
std::shared_ptr<Stateless> Reshape(const std::vector<std::int64_t>& target_shape, const Common& options) {
  return Make(
      "Reshape",
      [target_shape](const auto& in) {
        std::vector<std::int64_t> dims = {-1};
        const PartialShape shape = Only(in).shape();
        if (shape.has_rank() && shape.dim(0) >= 0) dims[0] = shape.dim(0);
        dims.insert(dims.end(), target_shape.begin(), target_shape.end());
        if (dims[0] < 0 && std::ranges::count(dims, -1) > 1)
          throw ValueError("Reshape: an unknown batch size and an unknown target dimension cannot both be inferred");
        return runtime::Reshape(Only(in), dims);
      },
      options);
}

Stateless::Function Pooling(bool max, int rank, const PoolingOptions& o) {
  const auto spread = [rank](const std::vector<std::int64_t>& v) {
    return v.size() == 1 ? std::vector<std::int64_t>(static_cast<std::size_t>(rank), v[0]) : v;
  };
  const std::vector<std::int64_t> size =
      o.pool_size.empty() ? std::vector<std::int64_t>(static_cast<std::size_t>(rank), 2) : spread(o.pool_size);
  const std::vector<std::int64_t> strides = o.strides.empty() ? size : spread(o.strides);
  if (static_cast<int>(size.size()) != rank || static_cast<int>(strides.size()) != rank)
    throw ValueError(fmt::format("a pooling layer over {} dimensions takes {} sizes and strides", rank, rank));
  std::string padding = o.padding;
  std::ranges::transform(padding, padding.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (padding != "VALID" && padding != "SAME")
    throw ValueError(fmt::format("The `padding` argument must be one of 'valid' or 'same'. Received: {}", o.padding));
  return [=](const std::vector<Tensor>& inputs) -> Tensor {
    const Tensor& x = Only(inputs);
    if (x.shape().rank() != rank + 2)
      throw ValueError(
          fmt::format("a pooling layer over {} dimensions expects ndim={}, found ndim={}. Full shape "
                      "received: {}",
                      rank, rank + 2, x.shape().rank(), x.shape().ToTuple()));
    if (rank == 2) {
      const PoolOptions pool{.ksize = size, .strides = strides, .padding = padding};
      return max ? MaxPool(x, pool) : AvgPool(x, pool);
    }
    Context& context = Current();
    if (rank == 1) {
      const Tensor axis = Constant(Array::Scalar(std::int32_t{2}), "ExpandDims/dim");
      const Tensor wide = context.Add1("ExpandDims", {x, axis});
      const PoolOptions pool{.ksize = {size[0], 1}, .strides = {strides[0], 1}, .padding = padding};
      return Squeeze(max ? MaxPool(wide, pool) : AvgPool(wide, pool), {2});
    }
    const auto five = [](const std::vector<std::int64_t>& v) {
      return std::vector<std::int64_t>{1, v[0], v[1], v[2], 1};
    };
    return context.Add1(max ? "MaxPool3D" : "AvgPool3D", {x},
                        {{"ksize", five(size)}, {"strides", five(strides)}, {"padding", padding}});
  };
}
std::shared_ptr<Stateless> MaxPooling(int rank, const PoolingOptions& options) {
  static constexpr const char* kNames[] = {"MaxPooling1D", "MaxPooling2D", "MaxPooling3D"};
  return Make(kNames[rank - 1], Pooling(true, rank, options), CommonOf(options));
}
std::shared_ptr<Stateless> AveragePooling(int rank, const PoolingOptions& options) {
  static constexpr const char* kNames[] = {"AveragePooling1D", "AveragePooling2D", "AveragePooling3D"};
  return Make(kNames[rank - 1], Pooling(false, rank, options), CommonOf(options));
}
std::shared_ptr<Stateless> GlobalAveragePooling2D(const Common& options) {
  return Make(
      "GlobalAveragePooling2D",
      [](const auto& in) {
        return ReduceMean(Only(in), {1, 2});
      },
      options);
}
std::shared_ptr<Stateless> GlobalMaxPooling2D(const Common& options) {
  return Make(
      "GlobalMaxPooling2D",
      [](const auto& in) {
        const Tensor axes = Constant(Array::Of<std::int32_t>(Shape{2}, {1, 2}), "Max/reduction_indices");
        return Current().Add1("Max", {Only(in), axes}, {{"keep_dims", false}});
      },
      options);
}
std::shared_ptr<Stateless> ZeroPadding2D(const std::vector<std::pair<std::int64_t, std::int64_t>>& padding,
                                         const Common& options) {
  if (padding.size() != 2) throw ValueError("`padding` should have two elements (height, width)");
  return Make(
      "ZeroPadding2D",
      [padding](const auto& in) {
        return Pad(Only(in), {{0, 0}, padding[0], padding[1], {0, 0}});
      },
      options);
}
std::shared_ptr<Stateless> Concatenate(int axis, const Common& options) {
  return Make(
      "Concatenate",
      [axis](const auto& in) {
        const int rank = Only(in).shape().rank();
        return Concat(in, axis < 0 ? axis + rank : axis, "concat");
      },
      options);
}
std::shared_ptr<Stateless> AddLayer(const Common& options) {
  return Make(
      "Add",
      [](const auto& in) {
        if (in.size() < 2)
          throw ValueError(
              fmt::format("A merge layer should be called on a list of at least 2 inputs. Got {} inputs.", in.size()));
        Tensor sum = in[0];
        for (std::size_t i = 1; i < in.size(); ++i) sum = sum + in[i];
        return sum;
      },
      options);
}
std::shared_ptr<Stateless> MultiplyLayer(const Common& options) {
  return Make(
      "Multiply",
      [](const auto& in) {
        Tensor product = Only(in);
        for (std::size_t i = 1; i < in.size(); ++i) product = product * in[i];
        return product;
      },
      options);
}

PReLU::PReLU(const Common& options) : KerasLayer("PReLU", options) {}
void PReLU::Build(const std::vector<PartialShape>& input_shapes) {
  const std::vector<std::int64_t>& dims = input_shapes.at(0).dims();
  alpha_ = AddWeight({.name = "alpha",
                      .shape = Shape(std::vector<std::int64_t>(dims.begin() + 1, dims.end())),
                      .initializer = ZerosInitializer()});
}
Outputs PReLU::Call(const CallArgs& args) {
  const Tensor& x = args.inputs.at(0);
  Context& context = Current();
  const Tensor positive = Relu(x);
  const Tensor slope = context.Add1("Neg", {alpha_.operand()});
  const Tensor negative = slope * Relu(context.Add1("Neg", {x}));
  return positive + negative;
}

}  // namespace keras
}  // namespace equiv::runtime
