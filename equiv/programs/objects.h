// equiv/programs/objects.h - instances of classes a program defines, and small objects of the language.
// Private to equiv/programs.
#pragma once
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "equiv/programs/value.h"
#include "runtime/function/function.h"
#include "runtime/layers/model.h"
#include "runtime/layers/template.h"

namespace equiv::programs {

// Names in scope; a body has one of its own whose parent is where the definition stands.
struct Environment {
  std::map<std::string, Value> values;
  std::shared_ptr<Environment> parent;
  const Value* Find(const std::string& name) const {
    for (const Environment* e = this; e; e = e->parent.get())
      if (auto it = e->values.find(name); it != e->values.end()) return &it->second;
    return nullptr;
  }
};
using Scope = std::shared_ptr<Environment>;

// A function or method of the program.
struct Definition {
  std::string name;
  std::vector<std::string> params;
  std::map<std::string, Value> defaults;
  nlohmann::ordered_json body;
  Scope scope;
  bool shim = false, tf_function = false;
  // Binds the arguments as Python would and runs the body. TypeError for missing or unknown ones.
  Value Invoke(const List& positional, const Dict& named) const;
  bool Takes(const std::string& param) const;
};
struct ClassDefinition {
  std::string name, base;
  std::vector<std::string> init_params;
  nlohmann::ordered_json init;
  Dict super_kw;
  std::map<std::string, std::shared_ptr<Definition>> methods;
  Scope scope;
};

// The Python side of an object whose class the program defined.
class Instance {
 public:
  explicit Instance(std::shared_ptr<ClassDefinition> definition) : definition_(std::move(definition)) {}
  virtual ~Instance() = default;
  const ClassDefinition& definition() const { return *definition_; }
  std::map<std::string, Value> attributes;
  // Runs a method, tracked or traced as it was declared. `self`: this object.
  Value Method(const std::string& name, const Value& self, const Arguments& arguments);

 private:
  std::shared_ptr<ClassDefinition> definition_;
  std::map<std::string, std::shared_ptr<rt::Function>> functions_;
};
class PlainInstance final : public Object, public Instance, public std::enable_shared_from_this<PlainInstance> {
 public:
  using Instance::Instance;
  std::string TypeName() const override { return definition().name; }
  Value Get(const std::string& name) override;
  void Set(const std::string& name, const Value& value) override { attributes[name] = value; }
};
class ModuleInstance final : public rt::Module, public Instance {
 public:
  ModuleInstance(std::shared_ptr<ClassDefinition> definition, const std::string& name)
      : Module(definition->name, name), Instance(std::move(definition)) {}
};
// Layers and models: Call hands over to the method `call` with the arguments of the pending Python call.
template <class Base>
class LayerInstance final : public Base, public Instance {
 public:
  LayerInstance(std::shared_ptr<ClassDefinition> definition, const std::string& name)
      : Base(definition->name, name), Instance(definition) {}
  bool takes_training() const override {
    auto it = definition().methods.find("call");
    return it != definition().methods.end() && it->second->Takes("training");
  }
  // layer(*arguments) as Python has it; any nest of tensors comes back.
  Value CallWith(const Arguments& arguments);

 protected:
  rt::Outputs Call(const rt::CallArgs& args) override;
  void Build(const std::vector<PartialShape>& shapes) override;

 private:
  Arguments pending_;
  bool inputs_are_list_ = false;
  Value result_;
  Value Self() { return Value(std::static_pointer_cast<rt::Module>(this->shared_from_this())); }
};
extern template class LayerInstance<rt::Layer>;
extern template class LayerInstance<rt::Model>;

// The instance behind a value; null when its class is not the program's.
Instance* InstanceOf(const Value& value);

class ScopeObject final : public Object {
 public:
  explicit ScopeObject(std::shared_ptr<rt::CapturedScope> s) : scope(std::move(s)) {}
  std::string TypeName() const override { return "VariableScope"; }
  Value Get(const std::string& name) override;
  std::shared_ptr<rt::CapturedScope> scope;
};
// A custom getter, and a partitioner.
class GetterObject final : public Object {
 public:
  explicit GetterObject(rt::CustomGetter g) : getter(std::move(g)) {}
  std::string TypeName() const override { return "function"; }
  rt::CustomGetter getter;
};
class PartitionerObject final : public Object {
 public:
  explicit PartitionerObject(rt::Partitioner p) : partitioner(std::move(p)) {}
  std::string TypeName() const override { return "function"; }
  rt::Partitioner partitioner;
};
class PartitionedObject final : public Object {
 public:
  explicit PartitionedObject(rt::PartitionedVariable v) : variable(std::move(v)) {}
  std::string TypeName() const override { return "PartitionedVariable"; }
  Value Get(const std::string& name) override;
  rt::PartitionedVariable variable;
};
class TemplateObject final : public Object {
 public:
  TemplateObject(std::shared_ptr<rt::Template> t, Value f, Dict b)
      : made(std::move(t)), function(std::move(f)), bound(std::move(b)) {}
  std::string TypeName() const override { return "Template"; }
  Value Get(const std::string& name) override;
  std::shared_ptr<rt::Template> made;
  Value function;
  Dict bound;
};

// Tensors in a nest, in order; and the same nest with others in their place.
void FlattenTensors(const Value& nest, std::vector<rt::Tensor>& tensors);
Value PackTensors(const Value& nest, const std::vector<rt::Tensor>& tensors, std::size_t& next,
                  bool keep_variables = false);
// Runs `body` as a traced function of the tensors among `arguments`; the rest is part of the signature.
Value CallTraced(rt::Function& function, const Arguments& arguments,
                 const std::function<Value(const Arguments&)>& body);

}  // namespace equiv::programs
