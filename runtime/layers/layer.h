// runtime/layers/layer.h - Keras-style layers, and the shim that tracks v1-style variables of a method.
//
// A layer made while a graph is current follows TensorFlow's v1 base layer (names made unique by the graph, updates
// collected, losses as graph tensors); otherwise the v2 one. Rules F1-F11 of TensorFlow's naming.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "runtime/layers/module.h"

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
  bool training_given = false;   // Python's training=None given by the caller: a layer's own default does not count
};
using ModelFunction = std::function<Outputs(const CallArgs&)>;
using Activation = std::function<Tensor(const Tensor&)>;

class Layer;

// One call of a layer on the tensors of a functional model.
struct InboundNode {
  std::shared_ptr<Layer> layer;
  std::vector<Tensor> inputs, outputs;
  std::vector<std::shared_ptr<InboundNode>> parents;  // one per input
  std::optional<bool> training;                       // given explicitly
  bool is_input = false;
};

struct AddWeightOptions {
  std::string name = {};  // empty: "Variable"
  Shape shape = {};
  std::optional<DType> dtype = std::nullopt;  // default: the layer's, else float32
  Initializer initializer = {};               // default: glorot uniform, zeros for integers
  Regularizer regularizer = {};
  std::optional<bool> trainable = std::nullopt;
  Constraint constraint = {};
  VariableSynchronization synchronization = VariableSynchronization::kAuto;
};

struct LayerOptions {
  std::string name = {};  // empty: automatic, numbered
  std::optional<DType> dtype = std::nullopt;
  bool trainable = true;
  std::function<Tensor(const Tensor&)> activity_regularizer = {};
};

// A layer owning variables made inside Build, Call or a tracked method.
class Layer : public Module {
 public:
  // `class_name` is the Python-style class name ("BrokenScalingLayer").
  explicit Layer(std::string class_name, std::string name = {});
  Layer(std::string class_name, const LayerOptions& options);
  ~Layer() override;

  // Opens the layer's name scope, builds the layer once and runs Call. An error inside is rethrown with Keras's frame
  // around its text ("Exception encountered when calling layer 'n' (type T). ... Call arguments received by layer
  // ..."), same kind. On tensors of a functional model (see Input) the layer is traced and a node is recorded.
  virtual Outputs operator()(const CallArgs& args);
  Outputs operator()(const Tensor& x, std::optional<bool> training = std::nullopt,
                     const std::source_location& site = std::source_location::current()) {
    CallSite called(site);
    return (*this)(CallArgs{{x}, training});
  }
  // Makes the weights for inputs of these shapes, outside a call: without the layer's name in front (F3).
  void BuildFor(const std::vector<PartialShape>& input_shapes);

  bool built() const { return built_; }
  bool trainable() const { return trainable_; }
  // Of this layer and all below.
  void set_trainable(bool trainable);

  // Own weights in order of creation, then sub-layers in order of assignment; trainable ones first (F6).
  virtual std::vector<Variable> weights() const;
  virtual std::vector<Variable> trainable_weights() const;
  virtual std::vector<Variable> non_trainable_weights() const;
  std::vector<Variable> variables() const override { return weights(); }
  std::vector<Variable> trainable_variables() const override { return trainable_weights(); }
  std::vector<Variable> non_trainable_variables() const override { return non_trainable_weights(); }
  // Regularisation losses evaluated now: own tensors, own callables, then sub-layers (F7).
  std::vector<Tensor> losses() const;
  // Graph only: the updates of this layer and those below, e.g. of moving averages.
  std::vector<CollectionItem> updates() const;

  void SetAttribute(const std::string& name, Attribute value) override;
  // Adds a weight under the current name scope. `site`: default: where the layer was called. Virtual for v1 layers,
  // which ask GetVariable.
  virtual Variable AddWeight(const AddWeightOptions& options, const std::source_location& site = {});
  // Evaluated whenever losses() is read.
  void AddLoss(std::function<Tensor()> loss);
  // In a call only (ValueError); in eager forgotten at the next outermost call.
  void AddLoss(const Tensor& loss);

  const VariableStore& store() const;
  // The layers directly below, in order.
  std::vector<std::shared_ptr<Layer>> sublayers() const;
  const std::vector<std::shared_ptr<InboundNode>>& inbound_nodes() const { return inbound_nodes_; }
  // Whether Python's call() takes `training`: it is then handed down from the enclosing call, and error frames list it.
  virtual bool takes_training() const { return false; }
  // tf: isinstance(layer, legacy_tf_layers.base.Layer)
  virtual bool is_v1_style() const { return false; }
  // What the first layer of a Sequential may be given, without the batch dimension. tf: input_shape=
  const std::optional<PartialShape>& input_shape() const { return input_shape_; }
  void set_input_shape(std::optional<PartialShape> shape) { input_shape_ = std::move(shape); }
  // The scope of a v1 layer's first call. tf: layer(x, scope=...)
  virtual void SetCallScope(const std::string&) {}
  virtual void SetCallScope(const std::shared_ptr<CapturedScope>&) {}

 protected:
  virtual Outputs Call(const CallArgs& args) = 0;
  virtual void Build(const std::vector<PartialShape>& input_shapes);
  // The scope of a call; graph flavour: the name, made unique by the graph.
  virtual std::string CallNameScope() const;
  virtual bool casts_inputs() const { return true; }
  virtual std::optional<bool> default_training() const { return std::nullopt; }
  // Call tells "not given" from "inference": in a graph the learning phase is a tensor then.
  virtual bool uses_learning_phase() const { return false; }
  // The arguments of an error frame after the input. Default: training where the layer takes it.
  virtual std::string FrameArguments(const CallArgs& args) const;
  virtual Outputs FunctionalCall(const CallArgs& args);
  virtual void OnLossAdded(const std::function<Tensor()>&) {}
  // Registers a variable kept as attribute (tf: self.v = tf.Variable(...)).
  void TrackAttribute(const Variable& variable);
  // Makes a layer or module a part of this one: its weights and losses count.
  void TrackLayer(const std::shared_ptr<Module>& module);
  // What holds the weights of AddWeight as dependencies. tf: a cell, in recurrent layers
  virtual Trackable& WeightHolder() { return *this; }
  void AddUpdate(const CollectionItem& update) { updates_.push_back(update); }
  void HandleWeightRegularizer(const std::string& name, const Variable& variable, const Regularizer& regularizer);

  Attribute::Dict Properties() const override;
  void AddTrackedLosses(std::size_t first_new) override;
  void OnStoreCreated() override;

  bool graph_flavour() const { return graph_flavour_; }
  std::optional<DType> dtype_;
  std::optional<PartialShape> input_shape_;
  std::optional<DType> weight_dtype() const { return dtype_; }
  bool built_ = false, trainable_ = true;
  std::vector<Variable> trainable_weights_, non_trainable_weights_;
  std::vector<std::shared_ptr<InboundNode>> inbound_nodes_;

  friend class Model;
  void MaybeBuild(const std::vector<Tensor>& inputs);
  Outputs CallFramed(const CallArgs& args, bool framed);
  std::shared_ptr<Layer> Shared() const;
  // This layer first, then all below, depth first.
  void Flatten(std::vector<const Layer*>& found) const;
  std::vector<const Module*> Children() const;

 private:
  struct Tracked {
    const VariableStore* store = nullptr;  // the own store, at its place among the attributes
    std::shared_ptr<Module> module;
  };
  bool graph_flavour_;
  std::function<Tensor(const Tensor&)> activity_regularizer_;
  std::vector<Tracked> tracked_;
  std::vector<std::function<Tensor()>> callable_losses_;
  std::vector<Tensor> losses_, eager_losses_;
  std::vector<CollectionItem> updates_;

 protected:
  const std::vector<Tracked>& tracked() const { return tracked_; }
  static std::vector<Variable> VariablesOf(const Tracked& tracked);
  void ClearTracked() { tracked_.clear(); }
};

// The next automatic name of a layer in the current context: "dense", "dense_1", ... Rule F1. One based: v1 layers.
std::string NextLayerName(std::string_view base, bool zero_based = true);
// Forgets the numbers. tf: tf.keras.backend.clear_session
void ResetLayerNames();

// A layer made of a v1-style model function: its Call is the function, tracked. tf: guide 003's InceptionResnetV2 layer
class ShimLayer final : public Layer {
 public:
  ShimLayer(std::string class_name, ModelFunction function, std::string name = {});
  bool takes_training() const override { return true; }

 protected:
  Outputs Call(const CallArgs& args) override;

 private:
  ModelFunction function_;
};

// Adds `item` unless the collection holds it.
void AddToCollectionOnce(std::string_view collection, const CollectionItem& item);

namespace internal {
// Whether variables made now are eager: also true in functions traced from eager code. tf:
// executing_eagerly_outside_functions
bool EagerOutside();
// The store of the tracked method being run takes note of a layer's loss.
void AddStoreLoss(const Variable& variable, const Regularizer& regularizer);
Initializer DefaultKernelInitializerOf(DType dtype);
struct CallState {
  bool in_call = false;
  std::optional<bool> training;
};
CallState& CurrentCall();
// Whether `tensor` belongs to a functional model under construction, and the node it came from.
bool IsKerasTensor(const Tensor& tensor);
std::shared_ptr<InboundNode> HistoryOf(const Tensor& tensor);
void RecordHistory(const Tensor& tensor, std::shared_ptr<InboundNode> node);
// A tensor of a functional model, standing for `like`. Eager only; a graph uses its own tensors.
Tensor NewKerasTensor(DType dtype, const PartialShape& shape, const std::string& name);
void ForgetKerasTensors();
}  // namespace internal

}  // namespace equiv::runtime
