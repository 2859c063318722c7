// runtime/layers/module.h - objects that own variables, through attributes. tf: tf.Module
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/checkpoint/trackable.h"
#include "runtime/variables/variables.h"

namespace equiv::runtime {

class Module : public Trackable, public std::enable_shared_from_this<Module> {
 public:
  // `name` empty: the snake case of the class name, not made unique.
  explicit Module(std::string class_name, std::string name = {});
  ~Module() override;

  const std::string& name() const { return name_; }
  const std::string& class_name() const { return class_name_; }

  // tf: self.name = value. Setting a name again replaces what it held. Variables and objects become dependencies that
  // checkpoints save under the name.
  virtual void SetAttribute(const std::string& name, Attribute value);
  // Attributes sorted by name, dictionaries by key, an object's own before those of its sub-modules (rule F6); each
  // variable once. tf: Module.variables
  virtual std::vector<Variable> variables() const;
  virtual std::vector<Variable> trainable_variables() const;
  virtual std::vector<Variable> non_trainable_variables() const;

  // Runs `body` as a method decorated with track_tf1_style_variables: GetVariable and v1 layers use this object's
  // store.
  template <class Body>
  auto TrackTf1StyleVariables(Body&& body) {
    ShimCall call(*this);
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      call.Finish();
    } else {
      auto result = body();
      call.Finish();
      return result;
    }
  }
  // "<Module object>"
  std::string Describe() const override { return "<" + class_name_ + " object>"; }

  // Null before the first tracked call.
  const VariableStore* tracked_store() const { return store_.get(); }

 protected:
  // What the walk over attributes sees, unsorted. tf: vars(module)
  virtual Attribute::Dict Properties() const;
  // Called after a tracked method: the losses the store has gained since it began.
  virtual void AddTrackedLosses(std::size_t first_new);
  virtual void OnStoreCreated() {}

 private:
  friend class Layer;
  class ShimCall {
   public:
    explicit ShimCall(Module& module);
    void Finish();  // not called after an exception: then nothing is added

   private:
    Module& module_;
    std::size_t before_;
    VariableStoreScope scope_;
  };
  VariableStore& Store();
  // The variables of the store: layers by key, then variables by key (S10, T4).
  Attribute::Dict StoreProperties() const;
  void Walk(std::vector<Variable>& found, std::vector<const void*>& seen) const;

  std::string class_name_, name_;
  Attribute::Dict attributes_;  // in order of assignment
  std::unique_ptr<VariableStore> store_;
};

// Keras's name for a class: "BrokenScalingLayer" gives "broken_scaling_layer". Rule F1.
std::string SnakeCase(std::string_view class_name);

// The object kept under `name` in the store of the tracked method being run, made by `create` the first time; its key
// is
// "<variable scope>/<name>" (shim.md T1-T4). Outside one: ValueError in eager; a graph simply makes a new one.
// tf: tf.compat.v1.keras.utils.get_or_create_layer
std::shared_ptr<Module> GetOrCreateLayer(std::string_view name, const std::function<std::shared_ptr<Module>()>& create);

}  // namespace equiv::runtime
