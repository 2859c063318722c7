// runtime/layers/layer.h - Keras-style layers and the shim that tracks v1-style variables of a method.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "runtime/variables/variables.h"

namespace equiv::runtime {

// What a model returns: a main output and named end points in insertion order.
struct Outputs {
  Tensor output;
  std::vector<std::pair<std::string, Tensor>> end_points;
  Outputs() = default;
  Outputs(Tensor t) : output(std::move(t)) {}  // NOLINT
  Outputs(Tensor t, std::vector<std::pair<std::string, Tensor>> points)
      : output(std::move(t)), end_points(std::move(points)) {}
};
struct CallArgs {
  std::vector<Tensor> inputs;
  std::optional<bool> training;  // nullopt: inference (Keras passes None while it builds functional models)
};
using ModelFunction = std::function<Outputs(const CallArgs&)>;

// A layer owning variables made inside Call. Names follow Keras (rule F1: snake case of the class name + counter).
class Layer {
 public:
  // `class_name` is the Python-style class name ("BrokenScalingLayer"); `name` empty: automatic.
  explicit Layer(std::string class_name, std::string name = {});
  virtual ~Layer();
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  // Opens the layer's name scope and runs Call. An error inside is rethrown with Keras's frame around its text
  // ("Exception encountered when calling layer 'n' (type T). ... Call arguments received by layer ..."), same kind.
  Outputs operator()(const CallArgs& args);
  Outputs operator()(const Tensor& x, std::optional<bool> training = std::nullopt) {
    return (*this)(CallArgs{{x}, training});
  }

  const std::string& name() const { return name_; }
  const std::string& class_name() const { return class_name_; }
  // Eager: own attributes' weights, then the store's sorted by key (S10); trainable first, then the others.
  virtual std::vector<Variable> variables() const;
  std::vector<Variable> trainable_variables() const;
  std::vector<Variable> non_trainable_variables() const;
  // Regularisation losses evaluated now, in order of creation (S8).
  virtual std::vector<Tensor> losses() const;

 protected:
  virtual Outputs Call(const CallArgs& args) = 0;
  // Whether Python's call() would take `training`: error frames list the arguments.
  virtual bool takes_training() const { return false; }
  // Runs `body` as a method decorated with track_tf1_style_variables: GetVariable uses this layer's store.
  Outputs TrackTf1StyleVariables(const std::function<Outputs()>& body);
  // Registers a variable kept as attribute (tf: self.v = tf.Variable(...)).
  void TrackAttribute(const Variable& variable) { attributes_.push_back(variable); }

 public:
  const VariableStore& store() const { return store_; }

 private:
  std::string class_name_, name_;
  VariableStore store_;
  std::vector<Variable> attributes_;
  std::vector<std::size_t> tracked_losses_;  // into store_.losses(); twice when tracked methods nest (S8a)
};

// Keras's name for a class: "BrokenScalingLayer" gives "broken_scaling_layer". Rule F1.
std::string SnakeCase(std::string_view class_name);
// The next automatic layer name in the current context: "dense", "dense_1", ... Rule F1.
std::string NextLayerName(std::string_view base);

// A layer made of a v1-style model function: its Call is the function, tracked. tf: guide 003's InceptionResnetV2 layer
class ShimLayer final : public Layer {
 public:
  ShimLayer(std::string class_name, ModelFunction function, std::string name = {});

 protected:
  Outputs Call(const CallArgs& args) override;
  bool takes_training() const override { return true; }

 private:
  ModelFunction function_;
};

// A functional model over one input, holding one layer: building it calls the layer once with training unset (so all
// variables are made then, R44), each later call runs the layer eagerly. tf: tf.keras.Model(inputs, layer(inputs))
class FunctionalModel {
 public:
  // `input_shape` without the batch dimension, as tf.keras.Input(shape=...).
  // Inside a graph the layer is called there, and its variables belong to that graph.
  FunctionalModel(const Shape& input_shape, std::shared_ptr<Layer> layer);
  Outputs operator()(const Tensor& x, std::optional<bool> training = std::nullopt);
  std::vector<Variable> variables() const { return layer_->variables(); }
  std::vector<Tensor> losses() const { return layer_->losses(); }
  Layer& layer() { return *layer_; }

 private:
  std::shared_ptr<Layer> layer_;
};

}  // namespace equiv::runtime
