// runtime/layers/keras.h - the layers of tf.keras.layers. Names, weights and their order are Keras 2.15's (rules E5,
// F1-F8); inputs are channels-last. The v1 forms of the same layers stand in v1.h.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/layers/layer.h"
#include "runtime/random/initializers.h"
#include "runtime/variables/regularizers.h"

namespace equiv::runtime {

namespace keras {

// What every layer takes, at the end of each options struct. `input_shape` (without the batch dimension) is for the
// first layer of a Sequential. Unset initialisers: glorot uniform for kernels, zeros for biases.
struct Common {
  std::string name = {};
  bool trainable = true;
  std::optional<DType> dtype = std::nullopt;
  std::optional<PartialShape> input_shape = std::nullopt;
  Activation activity_regularizer = {};
};
template <class Options>
Common CommonOf(const Options& o) {
  return {o.name, o.trainable, o.dtype, o.input_shape, o.activity_regularizer};
}
struct DenseOptions {
  Activation activation = {};
  bool use_bias = true;
  Initializer kernel_initializer = {}, bias_initializer = {};
  Regularizer kernel_regularizer = {}, bias_regularizer = {};
  Constraint kernel_constraint = {}, bias_constraint = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DType> dtype = std::nullopt;
  std::optional<PartialShape> input_shape = std::nullopt;
  Activation activity_regularizer = {};
};
struct ConvOptions {
  std::vector<std::int64_t> strides = {};  // one per spatial dimension, or one for all; default 1
  std::string padding = "valid";           // valid, same
  std::vector<std::int64_t> dilation_rate = {};
  std::int64_t groups = 1;
  Activation activation = {};
  bool use_bias = true;
  Initializer kernel_initializer = {}, bias_initializer = {};
  Regularizer kernel_regularizer = {}, bias_regularizer = {};
  Constraint kernel_constraint = {}, bias_constraint = {};
  // Separable and depthwise convolutions.
  std::int64_t depth_multiplier = 1;
  Initializer depthwise_initializer = {}, pointwise_initializer = {};
  Regularizer depthwise_regularizer = {}, pointwise_regularizer = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DType> dtype = std::nullopt;
  std::optional<PartialShape> input_shape = std::nullopt;
  Activation activity_regularizer = {};
};
struct EmbeddingOptions {
  Initializer embeddings_initializer = {};  // default: random uniform
  Regularizer embeddings_regularizer = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DType> dtype = std::nullopt;
  std::optional<PartialShape> input_shape = std::nullopt;
  Activation activity_regularizer = {};
};
struct BatchNormOptions {
  int axis = -1;
  double momentum = 0.99, epsilon = 1e-3;
  bool center = true, scale = true;
  Initializer beta_initializer = {}, gamma_initializer = {}, moving_mean_initializer = {},
              moving_variance_initializer = {};
  Regularizer beta_regularizer = {}, gamma_regularizer = {};
  std::optional<bool> fused = std::nullopt;  // default: rank 4
  bool renorm = false;                       // batch renormalisation without clipping
  double renorm_momentum = 0.99;
  std::string name = {};
  bool trainable = true;
  std::optional<DType> dtype = std::nullopt;
  std::optional<PartialShape> input_shape = std::nullopt;
  Activation activity_regularizer = {};
};
struct LayerNormOptions {
  double epsilon = 1e-3;
  bool center = true, scale = true;
  std::string name = {};
  bool trainable = true;
  std::optional<DType> dtype = std::nullopt;
  std::optional<PartialShape> input_shape = std::nullopt;
  Activation activity_regularizer = {};
};
struct DropoutOptions {
  std::optional<std::vector<std::int64_t>> noise_shape = std::nullopt;
  OpSeed seed = std::nullopt;
  std::string name = {};
  bool trainable = true;
  std::optional<DType> dtype = std::nullopt;
  std::optional<PartialShape> input_shape = std::nullopt;
  Activation activity_regularizer = {};
};
struct PoolingOptions {
  std::vector<std::int64_t> pool_size = {}, strides = {};  // default 2; strides: the pool size
  std::string padding = "valid";
  std::string name = {};
  bool trainable = true;
  std::optional<DType> dtype = std::nullopt;
  std::optional<PartialShape> input_shape = std::nullopt;
  Activation activity_regularizer = {};
};
struct RecurrentOptions {
  bool return_sequences = false, use_bias = true, go_backwards = false;
  std::string name = {};
  bool trainable = true;
  std::optional<DType> dtype = std::nullopt;
  std::optional<PartialShape> input_shape = std::nullopt;
  Activation activity_regularizer = {};
};

// A layer made by a class of this file.
class KerasLayer : public Layer {
 protected:
  KerasLayer(const char* class_name, const Common& options);
  // One value per spatial dimension.
  std::vector<std::int64_t> Spatial(const std::vector<std::int64_t>& given, int rank, std::int64_t fallback,
                                    const char* what) const;
  std::int64_t LastDimension(const PartialShape& shape) const;  // ValueError when unknown
  void RequireRank(const PartialShape& shape, int min_rank, int rank = -1) const;
};

// activation(x * kernel + bias). Input [..., n] of rank 2 or more.
class Dense : public KerasLayer {
 public:
  explicit Dense(std::int64_t units, const DenseOptions& options = {});
  const Variable& kernel() const { return kernel_; }
  const Variable& bias() const { return bias_; }

 protected:
  void Build(const std::vector<PartialShape>& input_shapes) override;
  Outputs Call(const CallArgs& args) override;
  std::int64_t units_;
  DenseOptions options_;
  Variable kernel_, bias_;
};

// Convolution over 1, 2 or 3 spatial dimensions. tf: Conv1D, Conv2D, Conv3D
class Conv : public KerasLayer {
 public:
  Conv(int rank, std::int64_t filters, std::vector<std::int64_t> kernel_size, const ConvOptions& options = {});
  const Variable& kernel() const { return kernel_; }
  const Variable& bias() const { return bias_; }

 protected:
  Conv(const char* class_name, int rank, std::int64_t filters, std::vector<std::int64_t> kernel_size,
       const ConvOptions& options);
  void Build(const std::vector<PartialShape>& input_shapes) override;
  Outputs Call(const CallArgs& args) override;
  Tensor Finish(Tensor y) const;  // bias and activation
  int rank_;
  std::int64_t filters_;
  std::vector<std::int64_t> kernel_size_, strides_, dilations_;
  ConvOptions options_;
  Variable kernel_, bias_;
};
// tf: Conv2DTranspose, Conv3DTranspose
class ConvTranspose : public Conv {
 public:
  ConvTranspose(int rank, std::int64_t filters, std::vector<std::int64_t> kernel_size, const ConvOptions& options = {});

 protected:
  void Build(const std::vector<PartialShape>& input_shapes) override;
  Outputs Call(const CallArgs& args) override;
};
class DepthwiseConv2D : public Conv {
 public:
  DepthwiseConv2D(std::vector<std::int64_t> kernel_size, const ConvOptions& options = {});

 protected:
  void Build(const std::vector<PartialShape>& input_shapes) override;
  Outputs Call(const CallArgs& args) override;
};
// Depthwise, then a 1x1 convolution. tf: SeparableConv1D, SeparableConv2D
class SeparableConv : public Conv {
 public:
  SeparableConv(int rank, std::int64_t filters, std::vector<std::int64_t> kernel_size, const ConvOptions& options = {});

 protected:
  void Build(const std::vector<PartialShape>& input_shapes) override;
  Outputs Call(const CallArgs& args) override;
  Variable pointwise_;
};

// Rows of a table. Input: integers (other dtypes are cast).
class Embedding : public KerasLayer {
 public:
  Embedding(std::int64_t input_dim, std::int64_t output_dim, const EmbeddingOptions& options = {});

 protected:
  void Build(const std::vector<PartialShape>& input_shapes) override;
  Outputs Call(const CallArgs& args) override;
  bool casts_inputs() const override { return false; }

 private:
  std::int64_t input_dim_, output_dim_;
  EmbeddingOptions options_;
  Variable embeddings_;
};

class BatchNormalization : public KerasLayer {
 public:
  explicit BatchNormalization(const BatchNormOptions& options = {});
  bool takes_training() const override { return true; }
  const Variable& gamma() const { return gamma_; }
  const Variable& beta() const { return beta_; }
  const Variable& moving_mean() const { return moving_mean_; }
  const Variable& moving_variance() const { return moving_variance_; }

 protected:
  void Build(const std::vector<PartialShape>& input_shapes) override;
  Outputs Call(const CallArgs& args) override;
  BatchNormOptions options_;
  int axis_ = -1, rank_ = -1;
  Variable gamma_, beta_, moving_mean_, moving_variance_;

 private:
  Tensor Renormalize(const Tensor& x);
  Variable moving_stddev_, renorm_mean_, renorm_stddev_;
};

// Normalises over the last axis.
class LayerNormalization : public KerasLayer {
 public:
  explicit LayerNormalization(const LayerNormOptions& options = {});

 protected:
  void Build(const std::vector<PartialShape>& input_shapes) override;
  Outputs Call(const CallArgs& args) override;

 private:
  LayerNormOptions options_;
  Variable gamma_, beta_;
};

// Stateful masks: the random tool governs them.
class Dropout : public KerasLayer {
 public:
  explicit Dropout(double rate, const DropoutOptions& options = {});
  bool takes_training() const override { return true; }

 protected:
  Outputs Call(const CallArgs& args) override;
  bool uses_learning_phase() const override { return true; }
  double rate_;
  DropoutOptions options_;
};

// A layer without weights, made of a function: Activation, ReLU, Flatten, Reshape, pools, ZeroPadding2D, merges.
class Stateless : public KerasLayer {
 public:
  using Function = std::function<Tensor(const std::vector<Tensor>&)>;
  Stateless(const char* class_name, Function function, const Common& options = {});

 protected:
  Outputs Call(const CallArgs& args) override;

 private:
  Function function_;
};
Stateless::Function Pooling(bool max, int rank, const PoolingOptions& options);
Tensor FlattenTensor(const Tensor& x);
std::shared_ptr<Stateless> ActivationLayer(const Activation& function, const Common& options = {});
std::shared_ptr<Stateless> ReLU(const Common& options = {});
std::shared_ptr<Stateless> Flatten(const Common& options = {});
std::shared_ptr<Stateless> Reshape(const std::vector<std::int64_t>& target_shape, const Common& options = {});
std::shared_ptr<Stateless> MaxPooling(int rank, const PoolingOptions& options = {});
std::shared_ptr<Stateless> AveragePooling(int rank, const PoolingOptions& options = {});
std::shared_ptr<Stateless> GlobalAveragePooling2D(const Common& options = {});
std::shared_ptr<Stateless> GlobalMaxPooling2D(const Common& options = {});
std::shared_ptr<Stateless> ZeroPadding2D(const std::vector<std::pair<std::int64_t, std::int64_t>>& padding = {{1, 1},
                                                                                                              {1, 1}},
                                         const Common& options = {});
std::shared_ptr<Stateless> Concatenate(int axis = -1, const Common& options = {});
std::shared_ptr<Stateless> AddLayer(const Common& options = {});
std::shared_ptr<Stateless> MultiplyLayer(const Common& options = {});

// max(0, x) + alpha * min(0, x), alpha learned.
class PReLU : public KerasLayer {
 public:
  explicit PReLU(const Common& options = {});

 protected:
  void Build(const std::vector<PartialShape>& input_shapes) override;
  Outputs Call(const CallArgs& args) override;

 private:
  Variable alpha_;
};

// Recurrent layers over [batch, time, features], the state unrolled over the static number of steps.
enum class Recurrent { kSimple, kLstm, kGru };
class RecurrentLayer : public KerasLayer {
 public:
  RecurrentLayer(Recurrent kind, std::int64_t units, const RecurrentOptions& options = {});
  const RecurrentOptions& options() const { return options_; }
  Recurrent kind() const { return kind_; }
  std::int64_t units() const { return units_; }

 protected:
  void Build(const std::vector<PartialShape>& input_shapes) override;
  Outputs Call(const CallArgs& args) override;
  Trackable& WeightHolder() override { return *cell_; }

 private:
  Recurrent kind_;
  std::int64_t units_;
  RecurrentOptions options_;
  std::string cell_name_;
  std::shared_ptr<TrackableDict> cell_ = std::make_shared<TrackableDict>();  // what checkpoints see of the cell
  Variable kernel_, recurrent_, bias_;
};
// Runs a recurrent layer forwards and a copy of it backwards, and joins the results along the last axis.
class Bidirectional : public KerasLayer {
 public:
  explicit Bidirectional(std::shared_ptr<RecurrentLayer> layer, const Common& options = {});

 protected:
  void Build(const std::vector<PartialShape>& input_shapes) override;
  Outputs Call(const CallArgs& args) override;

 private:
  std::shared_ptr<RecurrentLayer> forward_, backward_;
};

}  // namespace keras
}  // namespace equiv::runtime
