// runtime/layers/v1.h - tf.compat.v1.layers: layers whose weights come from GetVariable. Rules E1-E11.
//
// Classes fix their scope at the first call; functions make a layer of their own at every call and share weights
// through variable scopes only.
#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "runtime/layers/keras.h"

namespace equiv::runtime::v1 {

struct ScopeOptions {
  std::shared_ptr<CapturedScope> scope = nullptr;  // _scope as an object
  std::string scope_name = {};                     // _scope as a string: entered once, at construction
  std::optional<Reuse> reuse = std::nullopt;       // _reuse
};

// Layers made during its life take Keras's names and no scope. tf: keras_style_scope
class KerasStyleScope {
 public:
  KerasStyleScope();
  ~KerasStyleScope();
  KerasStyleScope(const KerasStyleScope&) = delete;
  KerasStyleScope& operator=(const KerasStyleScope&) = delete;
};

namespace internal {
// What all v1 layers add to their Keras form.
class V1State {
 public:
  V1State(const std::string& class_name, const std::string& name, ScopeOptions options);
  std::string base_name;
  std::shared_ptr<CapturedScope> scope, current;
  std::optional<Reuse> reuse;
  bool keras_style = false;
  void SetScope(const std::string& given = {}, const std::shared_ptr<CapturedScope>& object = nullptr);
};
std::string ObjectName(const std::string& class_name, const std::string& name);
template <class Options>
Options Named(const char* class_name, Options options) {
  options.name = ObjectName(class_name, options.name);
  return options;
}
}  // namespace internal

// A Keras layer class in its v1 form.
template <class Base>
class V1 : public Base {
 public:
  template <class Options, class... Args>
  V1(const char* class_name, const Options& options, ScopeOptions scope, Args&&... args)
      : Base(std::forward<Args>(args)..., internal::Named(class_name, options)),
        state_(class_name, options.name, std::move(scope)) {}

  bool is_v1_style() const override { return true; }
  void SetCallScope(const std::string& scope) override { state_.SetScope(scope); }
  void SetCallScope(const std::shared_ptr<CapturedScope>& scope) override { state_.SetScope({}, scope); }
  // "a/dense"; ValueError before the first call. tf: layer.scope_name
  const std::string& scope_name() const {
    if (!state_.scope)
      throw ValueError("No name available for layer scope because the layer \"" + this->name() +
                       "\" has not been used yet. The scope name  is determined the first time the layer instance is "
                       "called. You must therefore call the layer before querying `scope_name`.");
    return state_.scope->name;
  }

  using Base::operator();
  Outputs operator()(const CallArgs& args) override {
    if (state_.keras_style) return Base::operator()(args);
    state_.SetScope();
    VariableScope scope(state_.scope, {.reuse = this->built_ ? Reuse::kTrue : state_.reuse.value_or(Reuse::kNone),
                                       .auxiliary_name_scope = false});
    state_.current = scope.capture();
    Outputs outputs = Base::operator()(args);
    if (!Current().eager())
      for (const CollectionItem& update : this->updates()) runtime::AddToCollectionOnce(kUpdateOps, update);
    return outputs;
  }

  Variable AddWeight(const AddWeightOptions& options, const std::source_location& given = {}) override {
    const std::source_location site = given.line() ? given : Current().call_site();
    if (state_.keras_style) return Base::AddWeight(options, site);
    state_.SetScope();
    const bool trainable =
        options.synchronization != VariableSynchronization::kOnRead && options.trainable.value_or(true);
    VariableScope scope(state_.scope, {.reuse = this->built_ ? Reuse::kTrue : state_.reuse.value_or(Reuse::kNone),
                                       .auxiliary_name_scope = false});
    state_.current = scope.capture();
    NameScope names(CallNameScope());
    GetVariableOptions o;
    o.shape = PartialShape(options.shape);
    o.dtype = options.dtype ? *options.dtype : this->weight_dtype().value_or(DType::kFloat32);
    o.initializer = options.initializer ? options.initializer : scope.capture()->initializer;
    if (!o.initializer) o.initializer = runtime::internal::DefaultKernelInitializerOf(*o.dtype);
    o.trainable = trainable && this->trainable();
    o.constraint = options.constraint;
    o.synchronization = options.synchronization;
    const GotVariable got = GetVariableOrTensor(options.name, o, site);
    const Variable& variable = got.variable;
    if (!variable)
      throw TypeError("v1 layer '" + this->name() + "': a custom getter gave a tensor instead of the variable '" +
                      options.name + "', and a layer cannot hold that");
    const bool listed_trainable = *o.trainable && (Current().eager() || variable.trainable());  // E10
    std::vector<Variable>& weights = listed_trainable ? this->trainable_weights_ : this->non_trainable_weights_;
    if (std::find(weights.begin(), weights.end(), variable) == weights.end()) weights.push_back(variable);
    this->Track(options.name, variable);
    if (options.regularizer && (got.created || runtime::internal::EagerOutside())) {
      this->HandleWeightRegularizer(options.name, variable, options.regularizer);
      runtime::internal::AddStoreLoss(variable, options.regularizer);
    }
    return variable;
  }

 protected:
  std::string CallNameScope() const override {
    if (state_.keras_style) return Base::CallNameScope();
    if (this->graph_flavour() || !Current().eager())
      return state_.current ? state_.current->original_name_scope : std::string();
    return this->name();
  }
  bool casts_inputs() const override { return false; }
  void OnLossAdded(const std::function<Tensor()>& loss) override {
    if (Current().eager()) return;
    const Tensor value = loss();
    if (value.has_value()) AddToCollection(kRegularizationLosses, value);
  }

 private:
  internal::V1State state_;
};

using keras::BatchNormOptions;
using keras::ConvOptions;
using keras::DenseOptions;
using keras::PoolingOptions;

class DenseLayer final : public V1<keras::Dense> {
 public:
  explicit DenseLayer(std::int64_t units, const DenseOptions& options = {}, ScopeOptions scope = {})
      : V1("Dense", options, std::move(scope), units) {}
};
class ConvLayer final : public V1<keras::Conv> {
 public:
  ConvLayer(int rank, std::int64_t filters, std::vector<std::int64_t> kernel_size, const ConvOptions& options = {},
            ScopeOptions scope = {})
      : V1(rank == 1   ? "Conv1D"
           : rank == 2 ? "Conv2D"
                       : "Conv3D",
           options, std::move(scope), rank, filters, std::move(kernel_size)) {}
};
class ConvTransposeLayer final : public V1<keras::ConvTranspose> {
 public:
  ConvTransposeLayer(int rank, std::int64_t filters, std::vector<std::int64_t> kernel_size,
                     const ConvOptions& options = {}, ScopeOptions scope = {})
      : V1(rank == 2 ? "Conv2DTranspose" : "Conv3DTranspose", options, std::move(scope), rank, filters,
           std::move(kernel_size)) {}
};
class SeparableConvLayer final : public V1<keras::SeparableConv> {
 public:
  SeparableConvLayer(int rank, std::int64_t filters, std::vector<std::int64_t> kernel_size,
                     const ConvOptions& options = {}, ScopeOptions scope = {})
      : V1(rank == 1 ? "SeparableConv1D" : "SeparableConv2D", options, std::move(scope), rank, filters,
           std::move(kernel_size)) {}
};
class BatchNormLayer final : public V1<keras::BatchNormalization> {
 public:
  explicit BatchNormLayer(const BatchNormOptions& options = {}, ScopeOptions scope = {})
      : V1("BatchNormalization", options, std::move(scope)) {}

 protected:
  std::optional<bool> default_training() const override { return false; }
};
class DropoutLayer final : public V1<keras::Dropout> {
 public:
  explicit DropoutLayer(double rate = 0.5, const keras::DropoutOptions& options = {}, ScopeOptions scope = {})
      : V1("Dropout", options, std::move(scope), rate) {}

 protected:
  std::optional<bool> default_training() const override { return false; }
};
class StatelessLayer final : public V1<keras::Stateless> {
 public:
  StatelessLayer(const char* class_name, Function function, const keras::Common& options = {}, ScopeOptions scope = {});
};

// The functions. `reuse` as of tf.compat.v1.layers.
Tensor Dense(const Tensor& x, std::int64_t units, const DenseOptions& options = {},
             std::optional<Reuse> reuse = std::nullopt,
             const std::source_location& site = std::source_location::current());
Tensor Conv2D(const Tensor& x, std::int64_t filters, std::vector<std::int64_t> kernel_size,
              const ConvOptions& options = {}, std::optional<Reuse> reuse = std::nullopt,
              const std::source_location& site = std::source_location::current());
Tensor Conv(int rank, const Tensor& x, std::int64_t filters, std::vector<std::int64_t> kernel_size,
            const ConvOptions& options = {}, std::optional<Reuse> reuse = std::nullopt,
            const std::source_location& site = std::source_location::current());
Tensor ConvTranspose(int rank, const Tensor& x, std::int64_t filters, std::vector<std::int64_t> kernel_size,
                     const ConvOptions& options = {}, std::optional<Reuse> reuse = std::nullopt,
                     const std::source_location& site = std::source_location::current());
Tensor SeparableConv(int rank, const Tensor& x, std::int64_t filters, std::vector<std::int64_t> kernel_size,
                     const ConvOptions& options = {}, std::optional<Reuse> reuse = std::nullopt,
                     const std::source_location& site = std::source_location::current());
// `training` nullopt is Python's None: in a graph the learning phase decides, and stays at inference.
Tensor BatchNormalization(const Tensor& x, const BatchNormOptions& options = {}, std::optional<bool> training = false,
                          std::optional<Reuse> reuse = std::nullopt,
                          const std::source_location& site = std::source_location::current());
Tensor MaxPooling(int rank, const Tensor& x, const PoolingOptions& options);
Tensor AveragePooling(int rank, const Tensor& x, const PoolingOptions& options);
inline Tensor MaxPooling2D(const Tensor& x, const PoolingOptions& options) { return MaxPooling(2, x, options); }
inline Tensor AveragePooling2D(const Tensor& x, const PoolingOptions& options) { return AveragePooling(2, x, options); }
Tensor Flatten(const Tensor& x, const std::string& name = {});
Tensor Dropout(const Tensor& x, double rate = 0.5, std::optional<bool> training = false,
               const keras::DropoutOptions& options = {});

}  // namespace equiv::runtime::v1
