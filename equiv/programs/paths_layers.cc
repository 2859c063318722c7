// Keras layers and models, compat.v1.layers, the shim.
#include <fmt/format.h>

#include <algorithm>

#include "equiv/programs/interpreter.h"
#include "equiv/programs/objects.h"
#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/layers/keras.h"
#include "runtime/layers/model.h"
#include "runtime/layers/v1.h"

namespace equiv::programs {
namespace {

namespace k = rt::keras;

// Fills the fields every options struct shares.
template <class Options>
void FillCommon(const Bound& a, Options& o) {
  o.name = a.Text("name");
  for (const std::pair<std::string, Value>& item : a.rest()) {
    const std::string& key = item.first;
    const Value& value = item.second;
    if (value.none() && key != "dtype") continue;
    if (key == "trainable")
      o.trainable = ToBool(value, "trainable");
    else if (key == "dtype") {
      if (const auto* d = value.As<DType>())
        o.dtype = *d;
      else if (value.As<std::string>())
        o.dtype = ParseDType(*value.As<std::string>());
    } else if (key == "input_shape")
      o.input_shape = ToShape(value, "input_shape");
    else if (key == "input_dim")
      o.input_shape = PartialShape{ToInt(value, "input_dim")};
    else if (key == "activity_regularizer") {
      const Value regularizer = value;
      o.activity_regularizer = [regularizer](const rt::Tensor& x) -> rt::Tensor {
        if (const auto* r = regularizer.As<rt::Regularizer>()) return r->of_tensor ? r->of_tensor(x) : rt::Tensor();
        Arguments arguments;
        arguments.positional.push_back(Value(x));
        return ToTensor(Call(regularizer, std::move(arguments)), "activity_regularizer");
      };
    } else if (key != "_scope" && key != "_reuse" && key != "reuse" && key != "autocast" && key != "data_format" &&
               !key.ends_with("_constraint") && key != "kernel_initializer" && key != "kernel_regularizer" &&
               key != "return_state" && key != "unroll" && key != "stateful" && key != "interpolation")
      throw TypeError(fmt::format("('Keyword argument not understood:', '{}')", key));
  }
}
template <class Options>
void FillDense(const Bound& a, Options& o) {
  FillCommon(a, o);
  o.activation = ToActivation(a["activation"], "activation");
  o.use_bias = a.Given("use_bias") ? a["use_bias"].Truth() : true;
  o.kernel_initializer = ToInitializer(a["kernel_initializer"], "kernel_initializer");
  o.bias_initializer = ToInitializer(a["bias_initializer"], "bias_initializer");
  o.kernel_regularizer = ToRegularizer(a["kernel_regularizer"], "kernel_regularizer");
  o.bias_regularizer = ToRegularizer(a["bias_regularizer"], "bias_regularizer");
}
constexpr const char* kDense =
    "units, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, name, **";
k::DenseOptions DenseOf(const Bound& a) {
  k::DenseOptions o;
  FillDense(a, o);
  return o;
}
constexpr const char* kConvTail =
    "strides, padding, data_format, dilation_rate, groups, activation, use_bias, kernel_initializer, bias_initializer, "
    "kernel_regularizer, bias_regularizer, depth_multiplier, depthwise_initializer, pointwise_initializer, "
    "depthwise_regularizer, pointwise_regularizer, name, **";
k::ConvOptions ConvOf(const Bound& a) {
  k::ConvOptions o;
  FillDense(a, o);
  if (a.Has("strides")) o.strides = ToInts(a["strides"], "strides");
  o.padding = a.Text("padding", "valid");
  if (a.Has("dilation_rate")) o.dilation_rate = ToInts(a["dilation_rate"], "dilation_rate");
  o.groups = a.Int("groups", 1);
  o.depth_multiplier = a.Int("depth_multiplier", 1);
  o.depthwise_initializer = ToInitializer(a["depthwise_initializer"], "depthwise_initializer");
  o.pointwise_initializer = ToInitializer(a["pointwise_initializer"], "pointwise_initializer");
  o.depthwise_regularizer = ToRegularizer(a["depthwise_regularizer"], "depthwise_regularizer");
  o.pointwise_regularizer = ToRegularizer(a["pointwise_regularizer"], "pointwise_regularizer");
  return o;
}
constexpr const char* kBatchNorm =
    "axis, momentum, epsilon, center, scale, beta_initializer, gamma_initializer, moving_mean_initializer, "
    "moving_variance_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint, training, "
    "trainable, name, reuse, renorm, renorm_clipping, renorm_momentum, fused, **";
k::BatchNormOptions BatchNormOf(const Bound& a) {
  k::BatchNormOptions o;
  FillCommon(a, o);
  if (a.Has("axis")) o.axis = static_cast<int>(ToInts(a["axis"], "axis").at(0));
  o.momentum = a.Double("momentum", 0.99);
  o.epsilon = a.Double("epsilon", 1e-3);
  o.center = a.Bool("center", true);
  o.scale = a.Bool("scale", true);
  o.beta_initializer = ToInitializer(a["beta_initializer"], "beta_initializer");
  o.gamma_initializer = ToInitializer(a["gamma_initializer"], "gamma_initializer");
  o.moving_mean_initializer = ToInitializer(a["moving_mean_initializer"], "moving_mean_initializer");
  o.moving_variance_initializer = ToInitializer(a["moving_variance_initializer"], "moving_variance_initializer");
  o.beta_regularizer = ToRegularizer(a["beta_regularizer"], "beta_regularizer");
  o.gamma_regularizer = ToRegularizer(a["gamma_regularizer"], "gamma_regularizer");
  o.trainable = a.Bool("trainable", true);
  o.renorm = a.Bool("renorm", false);
  if (a.Has("fused")) o.fused = a.Bool("fused", true);
  return o;
}
k::PoolingOptions PoolOf(const Bound& a) {
  k::PoolingOptions o;
  FillCommon(a, o);
  if (a.Has("pool_size")) o.pool_size = ToInts(a["pool_size"], "pool_size");
  if (a.Has("strides")) o.strides = ToInts(a["strides"], "strides");
  o.padding = a.Text("padding", "valid");
  return o;
}
k::Common CommonOf(const Bound& a) {
  k::Common o;
  FillCommon(a, o);
  return o;
}

std::optional<rt::Reuse> ReuseOf(const Bound& a) {
  for (const auto& [key, value] : a.rest())
    if (key == "reuse" || key == "_reuse") return ToReuse(value);
  return std::nullopt;
}
rt::v1::ScopeOptions ScopeOf(const Bound& a) {
  rt::v1::ScopeOptions o;
  for (const auto& [key, value] : a.rest()) {
    if (key == "_reuse") o.reuse = ToReuse(value);
    if (key == "_scope" && !value.none()) {
      if (auto* s = value.object<ScopeObject>())
        o.scope = s->scope;
      else
        o.scope_name = ToText(value, "_scope");
    }
  }
  return o;
}
// None given is not the same as not given.
std::optional<bool> Training(const Bound& a) {
  if (!a.Given("training")) return false;
  return a.Has("training") ? std::optional(a.Bool("training", false)) : std::nullopt;
}
std::vector<rt::Tensor> Tensors(const Value& v) { return ToTensors(v, "tensors"); }

void RegisterKeras(PathTable& t, const std::string& m) {
  t.Add(m + "Dense", kDense, [](Bound& a) { return Value(std::make_shared<k::Dense>(a.Int("units", 0), DenseOf(a))); });
  for (int rank : {1, 2, 3})
    for (const std::string stem : {"Conv", "Convolution"})
      t.Add(fmt::format("{}{}{}D", m, stem, rank), std::string("filters, kernel_size, ") + kConvTail, [rank](Bound& a) {
        return Value(
            std::make_shared<k::Conv>(rank, a.Int("filters", 0), ToInts(a["kernel_size"], "kernel_size"), ConvOf(a)));
      });
  for (int rank : {2, 3})
    t.Add(fmt::format("{}Conv{}DTranspose", m, rank), std::string("filters, kernel_size, ") + kConvTail,
          [rank](Bound& a) {
            return Value(std::make_shared<k::ConvTranspose>(rank, a.Int("filters", 0),
                                                            ToInts(a["kernel_size"], "kernel_size"), ConvOf(a)));
          });
  for (int rank : {1, 2})
    t.Add(fmt::format("{}SeparableConv{}D", m, rank), std::string("filters, kernel_size, ") + kConvTail,
          [rank](Bound& a) {
            return Value(std::make_shared<k::SeparableConv>(rank, a.Int("filters", 0),
                                                            ToInts(a["kernel_size"], "kernel_size"), ConvOf(a)));
          });
  t.Add(m + "DepthwiseConv2D", std::string("kernel_size, ") + kConvTail, [](Bound& a) {
    return Value(std::make_shared<k::DepthwiseConv2D>(ToInts(a["kernel_size"], "kernel_size"), ConvOf(a)));
  });
  t.Add(m + "Embedding", "input_dim, output_dim, embeddings_initializer, embeddings_regularizer, name, **",
        [](Bound& a) {
          k::EmbeddingOptions o;
          FillCommon(a, o);
          o.embeddings_initializer = ToInitializer(a["embeddings_initializer"], "embeddings_initializer");
          o.embeddings_regularizer = ToRegularizer(a["embeddings_regularizer"], "embeddings_regularizer");
          return Value(std::make_shared<k::Embedding>(a.Int("input_dim", 0), a.Int("output_dim", 0), o));
        });
  t.Add(m + "BatchNormalization", kBatchNorm,
        [](Bound& a) { return Value(std::make_shared<k::BatchNormalization>(BatchNormOf(a))); });
  t.Add(m + "LayerNormalization", "axis, epsilon, center, scale, name, **", [](Bound& a) {
    k::LayerNormOptions o;
    FillCommon(a, o);
    o.epsilon = a.Double("epsilon", 1e-3);
    o.center = a.Bool("center", true);
    o.scale = a.Bool("scale", true);
    return Value(std::make_shared<k::LayerNormalization>(o));
  });
  t.Add(m + "Dropout", "rate, noise_shape, seed, name, **", [](Bound& a) {
    k::DropoutOptions o;
    FillCommon(a, o);
    if (a.Has("seed")) o.seed = a.Int("seed", 0);
    if (a.Has("noise_shape")) o.noise_shape = ToInts(a["noise_shape"], "noise_shape");
    return Value(std::make_shared<k::Dropout>(a.Double("rate", 0.5), o));
  });
  t.Add(m + "Activation", "activation, name, **",
        [](Bound& a) { return Value(k::ActivationLayer(ToActivation(a["activation"], "activation"), CommonOf(a))); });
  t.Add(m + "ReLU", "name, **", [](Bound& a) { return Value(k::ReLU(CommonOf(a))); });
  t.Add(m + "PReLU", "name, **", [](Bound& a) { return Value(std::make_shared<k::PReLU>(CommonOf(a))); });
  t.Add(m + "Flatten", "data_format, name, **", [](Bound& a) { return Value(k::Flatten(CommonOf(a))); });
  t.Add(m + "Reshape", "target_shape, name, **",
        [](Bound& a) { return Value(k::Reshape(ToInts(a["target_shape"], "target_shape"), CommonOf(a))); });
  for (int rank : {1, 2, 3}) {
    for (const std::string stem : {"MaxPooling", "MaxPool"})
      t.Add(fmt::format("{}{}{}D", m, stem, rank), "pool_size, strides, padding, name, **",
            [rank](Bound& a) { return Value(k::MaxPooling(rank, PoolOf(a))); });
    for (const std::string stem : {"AveragePooling", "AvgPool"})
      t.Add(fmt::format("{}{}{}D", m, stem, rank), "pool_size, strides, padding, name, **",
            [rank](Bound& a) { return Value(k::AveragePooling(rank, PoolOf(a))); });
  }
  for (const char* name : {"GlobalAveragePooling2D", "GlobalAvgPool2D"})
    t.Add(m + name, "name, **", [](Bound& a) { return Value(k::GlobalAveragePooling2D(CommonOf(a))); });
  for (const char* name : {"GlobalMaxPooling2D", "GlobalMaxPool2D"})
    t.Add(m + name, "name, **", [](Bound& a) { return Value(k::GlobalMaxPooling2D(CommonOf(a))); });
  t.Add(m + "ZeroPadding2D", "padding, name, **", [](Bound& a) {
    std::vector<std::pair<std::int64_t, std::int64_t>> padding = {{1, 1}, {1, 1}};
    if (a["padding"].As<std::int64_t>()) {
      const std::int64_t n = a.Int("padding", 1);
      padding = {{n, n}, {n, n}};
    } else if (a["padding"].list()) {
      padding.clear();
      for (const Value& v : *a["padding"].list()) {
        const std::vector<std::int64_t> pair = ToInts(v, "padding");
        padding.emplace_back(pair.at(0), pair.size() > 1 ? pair[1] : pair[0]);
      }
    }
    return Value(k::ZeroPadding2D(padding, CommonOf(a)));
  });
  t.Add(m + "Concatenate", "axis, name, **",
        [](Bound& a) { return Value(k::Concatenate(static_cast<int>(a.Int("axis", -1)), CommonOf(a))); });
  t.Add(m + "Add", "name, **", [](Bound& a) { return Value(k::AddLayer(CommonOf(a))); });
  t.Add(m + "Multiply", "name, **", [](Bound& a) { return Value(k::MultiplyLayer(CommonOf(a))); });
  const auto recurrent = [&](const char* name, k::Recurrent kind) {
    t.Add(m + name, "units, return_sequences, use_bias, go_backwards, name, **", [kind](Bound& a) {
      k::RecurrentOptions o;
      FillCommon(a, o);
      o.return_sequences = a.Bool("return_sequences", false);
      o.use_bias = a.Bool("use_bias", true);
      o.go_backwards = a.Bool("go_backwards", false);
      return Value(std::make_shared<k::RecurrentLayer>(kind, a.Int("units", 0), o));
    });
  };
  recurrent("SimpleRNN", k::Recurrent::kSimple);
  recurrent("LSTM", k::Recurrent::kLstm);
  recurrent("GRU", k::Recurrent::kGru);
  t.Add(m + "Bidirectional", "layer, name, **", [](Bound& a) {
    auto held = a["layer"].As<std::shared_ptr<rt::Module>>();
    return Value(std::make_shared<k::Bidirectional>(
        held ? std::dynamic_pointer_cast<k::RecurrentLayer>(*held) : nullptr, CommonOf(a)));
  });
  t.Add(m + "InputLayer", "input_shape, dtype, name, **", [](Bound& a) {
    std::vector<std::int64_t> dims = {-1};
    const PartialShape shape = ToShape(a["input_shape"], "input_shape");
    dims.insert(dims.end(), shape.dims().begin(), shape.dims().end());
    auto layer = std::make_shared<rt::InputLayer>(PartialShape(dims), rt::InputOptions{.name = a.Text("name")});
    layer->Register();
    return Value(layer);
  });
}

void RegisterV1(PathTable& t) {
  namespace v1 = rt::v1;
  const std::string m = "v1.layers.";
  t.Add(m + "dense", std::string("inputs, ") + kDense,
        [](Bound& a) { return Value(v1::Dense(a.Tensor("inputs"), a.Int("units", 0), DenseOf(a), ReuseOf(a))); });
  t.Add(m + "Dense", kDense,
        [](Bound& a) { return Value(std::make_shared<v1::DenseLayer>(a.Int("units", 0), DenseOf(a), ScopeOf(a))); });
  for (int rank : {1, 2, 3}) {
    t.Add(fmt::format("{}conv{}d", m, rank), std::string("inputs, filters, kernel_size, ") + kConvTail,
          [rank](Bound& a) {
            return Value(v1::Conv(rank, a.Tensor("inputs"), a.Int("filters", 0),
                                  ToInts(a["kernel_size"], "kernel_size"), ConvOf(a), ReuseOf(a)));
          });
    t.Add(fmt::format("{}Conv{}D", m, rank), std::string("filters, kernel_size, ") + kConvTail, [rank](Bound& a) {
      return Value(std::make_shared<v1::ConvLayer>(rank, a.Int("filters", 0), ToInts(a["kernel_size"], "kernel_size"),
                                                   ConvOf(a), ScopeOf(a)));
    });
    t.Add(fmt::format("{}max_pooling{}d", m, rank), "inputs, pool_size, strides, padding, data_format, name, **",
          [rank](Bound& a) { return Value(v1::MaxPooling(rank, a.Tensor("inputs"), PoolOf(a))); });
    t.Add(fmt::format("{}average_pooling{}d", m, rank), "inputs, pool_size, strides, padding, data_format, name, **",
          [rank](Bound& a) { return Value(v1::AveragePooling(rank, a.Tensor("inputs"), PoolOf(a))); });
  }
  for (int rank : {2, 3})
    t.Add(fmt::format("{}conv{}d_transpose", m, rank), std::string("inputs, filters, kernel_size, ") + kConvTail,
          [rank](Bound& a) {
            return Value(v1::ConvTranspose(rank, a.Tensor("inputs"), a.Int("filters", 0),
                                           ToInts(a["kernel_size"], "kernel_size"), ConvOf(a), ReuseOf(a)));
          });
  for (int rank : {1, 2})
    t.Add(fmt::format("{}separable_conv{}d", m, rank), std::string("inputs, filters, kernel_size, ") + kConvTail,
          [rank](Bound& a) {
            return Value(v1::SeparableConv(rank, a.Tensor("inputs"), a.Int("filters", 0),
                                           ToInts(a["kernel_size"], "kernel_size"), ConvOf(a), ReuseOf(a)));
          });
  t.Add(m + "batch_normalization", std::string("inputs, ") + kBatchNorm, [](Bound& a) {
    return Value(v1::BatchNormalization(a.Tensor("inputs"), BatchNormOf(a), Training(a), ToReuse(a["reuse"])));
  });
  t.Add(m + "BatchNormalization", kBatchNorm,
        [](Bound& a) { return Value(std::make_shared<v1::BatchNormLayer>(BatchNormOf(a), ScopeOf(a))); });
  t.Add(m + "flatten", "inputs, name, data_format",
        [](Bound& a) { return Value(v1::Flatten(a.Tensor("inputs"), a.Text("name"))); });
  t.Add(m + "dropout", "inputs, rate, noise_shape, seed, training, name", [](Bound& a) {
    k::DropoutOptions o;
    o.name = a.Text("name");
    if (a.Has("seed")) o.seed = a.Int("seed", 0);
    if (a.Has("noise_shape")) o.noise_shape = ToInts(a["noise_shape"], "noise_shape");
    return Value(v1::Dropout(a.Tensor("inputs"), a.Double("rate", 0.5), Training(a), o));
  });
  t.Add(m + "Dropout", "rate, noise_shape, seed, name, **", [](Bound& a) {
    k::DropoutOptions o;
    FillCommon(a, o);
    if (a.Has("seed")) o.seed = a.Int("seed", 0);
    return Value(std::make_shared<v1::DropoutLayer>(a.Double("rate", 0.5), o, ScopeOf(a)));
  });
  t.Add(m + "Flatten", "name, **", [](Bound& a) {
    return Value(std::make_shared<v1::StatelessLayer>(
        "Flatten", [](const auto& in) { return k::FlattenTensor(in.at(0)); }, CommonOf(a), ScopeOf(a)));
  });
  t.Add("v1.keras.__internal__.legacy.layers.experimental.keras_style_scope", "", [](Bound&) {
    return Value(std::make_shared<ContextManager>(
        []() -> ContextManager::Entered { return {.value = {}, .guard = std::make_shared<v1::KerasStyleScope>()}; }));
  });
}

}  // namespace

void RegisterLayers(PathTable& t) {
  RegisterKeras(t, "tf.keras.layers.");
  RegisterV1(t);
  for (const char* path : {"tf.keras.Input", "tf.keras.layers.Input"})
    t.Add(path, "shape, batch_size, name, dtype, **", [](Bound& a) {
      rt::InputOptions o;
      o.name = a.Text("name");
      if (const auto* d = a["dtype"].As<DType>()) o.dtype = *d;
      return Value(rt::Input(ToShape(a["shape"], "shape"), o));
    });
  for (const char* path : {"tf.keras.Model", "tf.keras.models.Model"})
    t.Add(path, "inputs, outputs, name, **", [](Bound& a) {
      return Value(std::make_shared<rt::Functional>(Tensors(a["inputs"]), Tensors(a["outputs"]), a.Text("name")));
    });
  for (const char* path : {"tf.keras.Sequential", "tf.keras.models.Sequential"})
    t.Add(path, "layers, name", [](Bound& a) {
      auto model = std::make_shared<rt::Sequential>(a.Text("name"));
      if (a["layers"].list())
        for (const Value& v : *a["layers"].list()) {
          const auto* held = v.As<std::shared_ptr<rt::Module>>();
          auto layer = held ? std::dynamic_pointer_cast<rt::Layer>(*held) : nullptr;
          if (!layer)
            throw TypeError(
                fmt::format("The added layer must be an instance of class Layer. Received: layer={}", v.ToString()));
          model->Add(layer);
        }
      return Value(model);
    });
  t.Add("tf.keras.backend.clear_session", "", [](Bound&) {
    rt::ResetLayerNames();
    return Value();
  });
  t.Add("v1.keras.utils.get_or_create_layer", "name, create_layer_method", [](Bound& a) {
    const Value create = a["create_layer_method"];
    return Value(rt::GetOrCreateLayer(a.Text("name"), [create]() -> std::shared_ptr<rt::Module> {
      const Value made = Call(create, {});
      const auto* held = made.As<std::shared_ptr<rt::Module>>();
      return held ? *held : nullptr;
    }));
  });
}

}  // namespace equiv::programs
