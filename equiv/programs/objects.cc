#include "equiv/programs/objects.h"

#include <fmt/format.h>

#include <algorithm>

#include "equiv/programs/interpreter.h"
#include "equiv/programs/statements.h"
#include "kernels/base/error.h"
#include "runtime/core/ops.h"

namespace equiv::programs {

bool Definition::Takes(const std::string& param) const { return std::ranges::find(params, param) != params.end(); }

Value Definition::Invoke(const List& positional, const Dict& named) const {
  auto environment = std::make_shared<Environment>();
  environment->parent = scope;
  if (positional.size() > params.size())
    throw TypeError(
        fmt::format("{}() takes {} positional arguments but {} were given", name, params.size(), positional.size()));
  std::map<std::string, Value> bound;
  for (std::size_t i = 0; i < positional.size(); ++i) bound[params[i]] = positional[i];
  for (const auto& [key, value] : named) {
    if (!Takes(key)) throw TypeError(fmt::format("{}() got an unexpected keyword argument '{}'", name, key));
    if (bound.contains(key)) throw TypeError(fmt::format("{}() got multiple values for argument '{}'", name, key));
    bound[key] = value;
  }
  for (const std::string& param : params) {
    auto given = bound.find(param);
    auto fallback = defaults.find(param);
    if (given == bound.end() && fallback == defaults.end())
      throw TypeError(fmt::format("{}() missing 1 required positional argument: '{}'", name, param));
    const bool use_default = given == bound.end() || (given->second.none() && fallback != defaults.end());
    environment->values[param] = use_default ? fallback->second : given->second;
  }
  return RunBody(body, environment);
}

Value Instance::Method(const std::string& name, const Value& self, const Arguments& arguments) {
  const std::shared_ptr<Definition> method = definition_->methods.at(name);
  const auto invoke = [&](const Arguments& given) {
    List positional = {self};
    positional.insert(positional.end(), given.positional.begin(), given.positional.end());
    return method->Invoke(positional, given.named);
  };
  const auto tracked = [&](const Arguments& given) -> Value {
    if (!method->shim) return invoke(given);
    rt::Module* module = self.module();
    if (!module)
      throw ValueError(fmt::format(
          "`@tf.compat.v1.keras.utils.track_tf1_layers_and_variables` must be applied to a method of a subclassed "
          "`tf.Module`, `tf.keras.layers.Layer`, or `tf.keras.Model` and which takes `self` as the first argument. "
          "But, "
          "the first argument passed to the decorated method was <{} object>, which does not extend Module, Layer, or "
          "Model.",
          definition_->name));
    return module->TrackTf1StyleVariables([&] { return invoke(given); });
  };
  if (!method->tf_function) return tracked(arguments);
  std::shared_ptr<rt::Function>& function = functions_[name];
  if (!function) function = std::make_shared<rt::Function>(name);
  return CallTraced(*function, arguments, tracked);
}

Value PlainInstance::Get(const std::string& name) {
  if (auto it = attributes.find(name); it != attributes.end()) return it->second;
  if (definition().methods.contains(name)) {
    const Value self(shared_from_this());
    return Value::Callable(name, [this, self, name](Arguments& a) { return Method(name, self, a); });
  }
  NoAttribute(name);
}

Instance* InstanceOf(const Value& value) {
  if (rt::Module* module = value.module()) return dynamic_cast<Instance*>(module);
  if (const auto* object = value.As<std::shared_ptr<Object>>()) return dynamic_cast<Instance*>(object->get());
  return nullptr;
}

void FlattenTensors(const Value& nest, std::vector<rt::Tensor>& tensors) {
  if (const auto* t = nest.As<rt::Tensor>()) tensors.push_back(*t);
  if (const auto* v = nest.As<rt::Variable>()) tensors.push_back(v->operand());
  if (nest.list())
    for (const Value& item : *nest.list()) FlattenTensors(item, tensors);
  if (nest.dict())
    for (const auto& [key, item] : *nest.dict()) FlattenTensors(item, tensors);
}

Value PackTensors(const Value& nest, const std::vector<rt::Tensor>& tensors, std::size_t& next, bool keep_variables) {
  if (nest.As<rt::Variable>() && keep_variables) {
    ++next;
    return nest;
  }
  if (nest.As<rt::Tensor>() || nest.As<rt::Variable>()) return Value(tensors.at(next++));
  if (nest.list()) {
    List items;
    for (const Value& item : *nest.list()) items.push_back(PackTensors(item, tensors, next, keep_variables));
    return Value(std::move(items));
  }
  if (nest.dict()) {
    Dict items;
    for (const auto& [key, item] : *nest.dict())
      items.emplace_back(key, PackTensors(item, tensors, next, keep_variables));
    return Value(std::move(items));
  }
  return nest;
}

Value CallTraced(rt::Function& function, const Arguments& arguments,
                 const std::function<Value(const Arguments&)>& body) {
  // Tensors are the inputs; everything else belongs to the signature.
  std::vector<rt::Tensor> inputs;
  std::string key;
  const std::function<Value(const Value&)> note = [&](const Value& v) -> Value {
    if (const auto* t = v.As<rt::Tensor>()) {
      inputs.push_back(*t);
      key += "T";
      return v;
    }
    key += v.TypeName() + v.ToString() + ";";
    if (v.list())
      for (const Value& item : *v.list()) note(item);
    return v;
  };
  for (const Value& v : arguments.positional) note(v);
  for (const auto& [name, v] : arguments.named) {
    key += name + "=";
    note(v);
  }
  // The structure of the result is known from the trace; kept per function and signature.
  static std::map<std::pair<const rt::Function*, std::string>, Value> structures;
  std::string shapes = key;
  for (const rt::Tensor& t : inputs) shapes += t.shape().ToString();
  const auto slot = std::make_pair(static_cast<const rt::Function*>(&function), shapes);
  const std::vector<rt::Tensor> outputs = function.Call(
      inputs,
      [&](const std::vector<rt::Tensor>& traced) {
        std::size_t next = 0;
        Arguments inner;
        const auto swap = [&](const Value& v) {
          std::vector<rt::Tensor> held;
          if (v.As<rt::Tensor>()) return Value(traced.at(next++));
          if (v.list() || v.dict()) return PackTensors(v, traced, next);
          return v;
        };
        for (const Value& v : arguments.positional) inner.positional.push_back(swap(v));
        for (const auto& [name, v] : arguments.named) inner.named.emplace_back(name, swap(v));
        const Value result = body(inner);
        structures[slot] = result;
        std::vector<rt::Tensor> tensors;
        FlattenTensors(result, tensors);
        return tensors;
      },
      key);
  std::size_t next = 0;
  return PackTensors(structures[slot], outputs, next);
}

template <class Base>
Value LayerInstance<Base>::CallWith(const Arguments& arguments) {
  pending_ = arguments;
  rt::CallArgs args;
  Value first;
  if (!pending_.positional.empty()) {
    first = pending_.positional.front();
    pending_.positional.erase(pending_.positional.begin());
  } else {
    auto call = definition().methods.find("call");
    if (call == definition().methods.end())
      throw UnimplementedError(
          fmt::format("layer '{}' (type {}) has no method `call`", this->name(), definition().name));
    const std::string input_name = call->second->params.empty() ? "inputs" : call->second->params.at(1);
    auto it = std::ranges::find_if(pending_.named, [&](const auto& item) { return item.first == input_name; });
    if (it == pending_.named.end()) throw ValueError("The first argument to `Layer.call` must always be passed.");
    first = it->second;
    pending_.named.erase(it);
  }
  inputs_are_list_ = first.list() != nullptr;
  if (first.As<std::int64_t>() || first.As<double>()) first = Value(ToTensor(first, "inputs"));
  if (inputs_are_list_) {
    args.inputs = ToTensors(first, "inputs");
  } else {
    args.inputs = {ToTensor(first, "inputs")};
  }
  for (auto it = pending_.named.begin(); it != pending_.named.end(); ++it)
    if (it->first == "training") {
      if (!it->second.none()) args.training = ToBool(it->second, "training");
      pending_.named.erase(it);
      break;
    }
  // `training` may come by position, after the inputs.
  if (auto call = definition().methods.find("call"); call != definition().methods.end()) {
    const auto& params = call->second->params;
    for (std::size_t i = 2; i < params.size(); ++i)
      if (params[i] == "training" && pending_.positional.size() > i - 2 && !pending_.positional[i - 2].none())
        args.training = ToBool(pending_.positional[i - 2], "training");
  }
  const Arguments kept = pending_;
  const rt::Outputs outputs = (*this)(args);
  pending_ = kept;
  std::vector<rt::Tensor> flat = {outputs.output};
  for (const auto& [key, tensor] : outputs.end_points) flat.push_back(tensor);
  std::size_t next = 0;
  return PackTensors(result_, flat, next, true);
}

template <class Base>
rt::Outputs LayerInstance<Base>::Call(const rt::CallArgs& args) {
  if (!definition().methods.contains("call"))
    throw UnimplementedError(fmt::format("layer '{}' (type {}) has no method `call`", this->name(), definition().name));
  const auto& method = *definition().methods.at("call");
  Arguments arguments = pending_;
  Value inputs(args.inputs[0]);
  if (inputs_are_list_) {
    List items;
    for (const rt::Tensor& t : args.inputs) items.push_back(Value(t));
    inputs = Value(std::move(items));
  }
  arguments.positional.insert(arguments.positional.begin(), inputs);
  if (method.Takes("training")) {
    std::size_t position = 0;
    for (std::size_t i = 1; i < method.params.size(); ++i)
      if (method.params[i] == "training") position = i - 1;
    const Value training = args.training ? Value(*args.training) : Value();
    if (arguments.positional.size() > position) {
      arguments.positional[position] = training;
    } else {
      arguments.named.emplace_back("training", training);
    }
  }
  pending_ = {};  // what a nested call of this layer would see
  const Value result = Method("call", Self(), arguments);
  result_ = result;
  std::vector<rt::Tensor> flat;
  FlattenTensors(result, flat);
  if (flat.empty()) {
    if (!result.none() && (result.As<double>() || result.As<std::int64_t>())) {
      result_ = Value(ToTensor(result, "result"));
      return rt::Outputs(*result_.As<rt::Tensor>());
    }
    throw ValueError(
        fmt::format("A layer's `call` method should return a Tensor or a list of Tensors, not None (layer: "
                    "{}).",
                    this->name()));
  }
  rt::Outputs outputs(flat[0]);
  for (std::size_t i = 1; i < flat.size(); ++i) outputs.end_points.emplace_back(std::to_string(i), flat[i]);
  return outputs;
}

template <class Base>
void LayerInstance<Base>::Build(const std::vector<PartialShape>& shapes) {
  if (!definition().methods.contains("build")) return;
  Value shape(shapes.at(0));
  if (inputs_are_list_) {
    List items;
    for (const PartialShape& s : shapes) items.push_back(Value(s));
    shape = Value(std::move(items));
  }
  Arguments arguments;
  arguments.positional.push_back(shape);
  Method("build", Self(), arguments);
}

template class LayerInstance<rt::Layer>;
template class LayerInstance<rt::Model>;

Value ScopeObject::Get(const std::string& name) {
  if (name == "name") return Value(scope->name);
  if (name == "original_name_scope") return Value(scope->original_name_scope);
  if (name == "reuse")
    return scope->reuse == rt::Reuse::kAuto ? Value("_ReuseMode.AUTO_REUSE") : Value(scope->reuse == rt::Reuse::kTrue);
  if (name == "reuse_variables")
    return Value::Callable(name, [s = scope](Arguments&) {
      s->ReuseVariables();
      return Value();
    });
  const auto collection = [&](std::string_view key) {
    return Value::Callable(name, [s = scope, key](Arguments&) {
      List items;
      for (const rt::Variable& v : rt::VariablesOf(key, s->name.empty() ? std::string() : s->name + "/"))
        items.push_back(Value(v));
      return Value(std::move(items));
    });
  };
  if (name == "global_variables") return collection(rt::kGlobalVariables);
  if (name == "trainable_variables") return collection(rt::kTrainableVariables);
  if (name == "local_variables") return collection(rt::kLocalVariables);
  if (name == "initializer") return scope->initializer ? Value(scope->initializer) : Value();
  if (name == "regularizer") return scope->regularizer ? Value(scope->regularizer) : Value();
  if (name == "dtype") return Value(scope->dtype.value_or(DType::kFloat32));
  NoAttribute(name);
}

Value PartitionedObject::Get(const std::string& name) {
  if (name == "name") return Value(variable.name);
  if (name == "__tensor__") {
    std::vector<rt::Tensor> parts;
    for (const rt::Variable& part : variable.parts) parts.push_back(part.operand());
    return Value(rt::Concat(parts, variable.axis, variable.name.substr(variable.name.rfind('/') + 1)));
  }
  if (name == "shape") {
    std::vector<std::int64_t> dims = variable.parts.at(0).shape().dims();
    for (std::size_t i = 1; i < variable.parts.size(); ++i)
      dims[static_cast<std::size_t>(variable.axis)] += variable.parts[i].shape().dim(variable.axis);
    return Value(PartialShape(dims));
  }
  NoAttribute(name);
}

Value TemplateObject::Get(const std::string& name) {
  const auto list = [](const std::vector<rt::Variable>& variables) {
    List items;
    for (const rt::Variable& v : variables) items.push_back(Value(v));
    return Value(std::move(items));
  };
  if (name == "variables" || name == "weights") return list(made->variables());
  if (name == "trainable_variables" || name == "trainable_weights") return list(made->trainable_variables());
  if (name == "name") return Value(made->name());
  NoAttribute(name);
}

}  // namespace equiv::programs
