// runtime/training/optimizer.h - optimisers in eager execution: the variables they make, and their updates. Rule F10.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/checkpoint/trackable.h"
#include "runtime/variables/variables.h"

namespace equiv::runtime {

// tf: tf.keras.optimizers.* and, with `legacy`, tf.keras.optimizers.legacy.*, Keras 2.15. Checkpoints hold the slots as
// a list of variables; those of a legacy optimiser as slot variables, which a restoration makes where they are missing.
class Optimizer final : public Trackable {
 public:
  enum class Kind { kSgd, kAdam, kRmsprop, kAdagrad };
  struct Options {
    double learning_rate = 0.001, momentum = 0.0, beta_1 = 0.9, beta_2 = 0.999, rho = 0.9, epsilon = 1e-7,
           initial_accumulator = 0.1;
    bool legacy = false;
    std::string name = {};  // default: "SGD", "Adam", ...
  };
  // Makes `iteration` and `learning_rate` at once; a legacy optimiser makes all of its variables at the first update.
  Optimizer(Kind kind, const Options& options);
  // Makes the slots, without the optimiser's name in front. tf: optimizer.build
  void Build(const std::vector<Variable>& variables);
  // Gradients have the shape and dtype of their variables (ValueError); an empty one is left out. Eager only.
  void ApplyGradients(const std::vector<std::pair<Tensor, Variable>>& gradients);
  // The iteration and the slots. tf: optimizer.variables; legacy: optimizer.weights
  std::vector<Variable> variables() const;
  const std::string& name() const { return options_.name; }

  std::string Describe() const override;
  bool has_slots() const override { return true; }
  // In order of creation. tf: get_slot_names
  std::vector<std::string> SlotNames() const override;
  // Of a legacy optimiser: "m", "v", "momentum", "rms", "accumulator"; empty if there is none. tf: get_slot
  Variable Slot(const Variable& variable, const std::string& slot_name) const override;
  // ValueError unless legacy: a checkpoint with slots was written by a legacy optimiser.
  Variable CreateSlot(const Variable& variable, const std::string& slot_name, const Array& value) override;

 private:
  struct SlotVariable {
    Variable of;
    std::string name;
    Variable variable;
  };
  Variable FindSlot(const Variable& variable, const std::string& slot_name) const;
  Variable AddSlot(const Variable& of, const std::string& slot, const Tensor& initial);
  void BuildLegacy(const std::vector<Variable>& variables);
  void Update(const Tensor& gradient, const Variable& variable);
  void UpdateLegacy(const Tensor& gradient, const Variable& variable);
  Kind kind_;
  Options options_;
  Variable iteration_, learning_rate_;
  std::vector<std::pair<std::string, Variable>> hyper_;  // of a legacy optimiser, sorted
  std::shared_ptr<TrackableList> variables_;
  std::vector<SlotVariable> slots_;  // in order of creation
  std::vector<Variable> known_;      // variables with slots
  bool built_ = false;
};

}  // namespace equiv::runtime
