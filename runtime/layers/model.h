// runtime/layers/model.h - Keras models: subclassed, functional over inputs, sequential. Rules D3, F3, F4.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "runtime/checkpoint/checkpoint.h"
#include "runtime/layers/layer.h"

namespace equiv::runtime {

// Base of models written as a class. In eager, making one makes three int64 counters named Variable (train, test,
// predict), which creators see and weights() does not (rule D3). tf: tf.keras.Model
class Model : public Layer {
 public:
  explicit Model(std::string class_name, std::string name = {});
  bool takes_training() const override { return true; }
  // Layer by layer, then the model's own: not trainable ones first, as a layer has it.
  std::vector<Variable> weights() const override;
  std::vector<Variable> trainable_weights() const override;
  std::vector<Variable> non_trainable_weights() const override;

  // Writes an object-based checkpoint whose root is the model, with its optimiser if it is an attribute, and the state
  // file of the folder. In a graph values come from the default session. ValueError: the weights do not exist yet.
  // UnimplementedError: a path ending in .h5, .hdf5 or .keras. tf: save_weights, TensorFlow format
  void SaveWeights(const std::string& path);
  // Reads what SaveWeights, Checkpoint(model) or, by names, a Saver wrote; layers that are built later take their
  // values then. AssertionError where nothing but the root matches. tf: load_weights
  std::shared_ptr<LoadStatus> LoadWeights(const std::string& path);

 protected:
  bool casts_inputs() const override { return false; }
  // ValueError where asking for weights before they exist is an error.
  virtual void RequireWeights() const {}

 private:
  std::vector<Variable> counters_;
};

struct InputOptions {
  DType dtype = DType::kFloat32;
  std::string name = {};  // empty: input_1, input_2, ...
};
// The input of a functional model; `shape` without the batch dimension, -1 where unknown. tf: tf.keras.Input
Tensor Input(const PartialShape& shape, const InputOptions& options = {});

// The layers between `inputs` and `outputs`. ValueError when an output does not come from the inputs, or two layers
// share a name. tf: tf.keras.Model(inputs, outputs)
class Functional : public Model {
 public:
  Functional(std::vector<Tensor> inputs, std::vector<Tensor> outputs, std::string name = {});
  const std::vector<std::shared_ptr<Layer>>& layers() const { return layers_; }
  const std::vector<Tensor>& inputs() const { return inputs_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }
  // "layer-i" for each layer, "layer_with_weights-j" before it for those with weights, then the model's own.
  std::vector<TrackableChild> TrackableChildren() const override;

 protected:
  Functional(std::string class_name, std::string name) : Model(std::move(class_name), std::move(name)) {}
  void SetNetwork(std::vector<Tensor> inputs, std::vector<Tensor> outputs);
  Outputs Call(const CallArgs& args) override;
  virtual std::vector<std::shared_ptr<Layer>> checkpointed_layers() const { return layers_; }
  // Hands the `last` layers (0: all) what a restoration holds for them.
  void HandleDeferredLayers(std::size_t last);

  std::vector<Tensor> inputs_, outputs_;
  std::vector<std::shared_ptr<Layer>> layers_;       // inputs first
  std::vector<std::shared_ptr<InboundNode>> nodes_;  // in the order they run
};

// tf: tf.keras.Sequential. The first layer may carry an input shape (SetInputShape), else the first call decides.
class Sequential : public Functional {
 public:
  explicit Sequential(std::string name = {});
  explicit Sequential(const std::vector<std::shared_ptr<Layer>>& layers, std::string name = {},
                      const std::source_location& site = std::source_location::current());
  void Add(std::shared_ptr<Layer> layer, const std::source_location& site = std::source_location::current());
  // tf: Sequential.build(input_shape), with the batch dimension
  void BuildModel(const PartialShape& input_shape);
  std::vector<std::shared_ptr<Layer>> layers() const;

 protected:
  void RequireWeights() const override;
  Outputs Call(const CallArgs& args) override;
  std::vector<std::shared_ptr<Layer>> checkpointed_layers() const override { return stack_; }

 private:
  void Infer(const PartialShape& shape, DType dtype);
  std::vector<std::shared_ptr<Layer>> stack_;
  bool explicit_input_ = false, initialized_ = false;
  PartialShape inferred_;
};

// The layer behind an Input. tf: tf.keras.layers.InputLayer
class InputLayer final : public Layer {
 public:
  InputLayer(const PartialShape& batch_shape, const InputOptions& options);
  const Tensor& tensor() const { return tensor_; }
  // The input node; call once after construction, when the layer is held by a shared_ptr.
  void Register();

 protected:
  Outputs Call(const CallArgs& args) override { return args.inputs.at(0); }

 private:
  Tensor tensor_;
};

// A functional model over one input, holding one layer: building it calls the layer once with training unset (so all
// variables are made then, R44), each later call runs the layer. tf: tf.keras.Model(inputs, layer(inputs))
class FunctionalModel {
 public:
  // `input_shape` without the batch dimension, as tf.keras.Input(shape=...).
  FunctionalModel(const Shape& input_shape, std::shared_ptr<Layer> layer);
  Outputs operator()(const Tensor& x, std::optional<bool> training = std::nullopt);
  std::vector<Variable> variables() const { return layer_->variables(); }
  std::vector<Tensor> losses() const { return layer_->losses(); }
  Layer& layer() { return *layer_; }

 private:
  std::shared_ptr<Layer> layer_;
};

}  // namespace equiv::runtime
