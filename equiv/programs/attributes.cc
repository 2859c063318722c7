// Calls, getattr and setattr.
#include <fmt/format.h>

#include <algorithm>

#include "equiv/programs/interpreter.h"
#include "equiv/programs/objects.h"
#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/layers/v1.h"

namespace equiv::programs {
namespace {

template <class T>
Value ListOf(const std::vector<T>& items) {
  List list;
  for (const T& item : items) list.push_back(Value(item));
  return Value(std::move(list));
}
Value FromOutputs(const rt::Outputs& outputs) {
  if (outputs.end_points.empty()) return Value(outputs.output);
  List items = {Value(outputs.output)};
  for (const auto& [name, tensor] : outputs.end_points) items.push_back(Value(tensor));
  return Value(std::move(items));
}

// A layer of the library, called from Python: inputs, then training (and mask, ignored) by position or name.
Value CallLayer(rt::Layer& layer, Arguments& arguments) {
  rt::CallArgs args;
  if (arguments.positional.empty())
    for (auto it = arguments.named.begin(); it != arguments.named.end(); ++it)
      if (it->first == "inputs") {
        arguments.positional.push_back(it->second);
        arguments.named.erase(it);
        break;
      }
  if (arguments.positional.empty()) throw ValueError("The first argument to `Layer.call` must always be passed.");
  args.inputs = ToTensors(arguments.positional[0], "inputs");
  if (arguments.positional.size() > 1 && !arguments.positional[1].none())
    args.training = ToBool(arguments.positional[1], "training");
  for (const auto& [name, value] : arguments.named) {
    if (name == "training") {
      args.training_given = true;
      if (!value.none()) args.training = ToBool(value, "training");
    } else if (name == "scope" && layer.is_v1_style()) {
      if (auto* scope = value.object<ScopeObject>()) {
        layer.SetCallScope(scope->scope);
      } else if (!value.none()) {
        layer.SetCallScope(ToText(value, "scope"));
      }
    } else if (name != "mask") {
      throw TypeError(fmt::format("{}.call() got an unexpected keyword argument '{}'", layer.class_name(), name));
    }
  }
  return FromOutputs(layer(args));
}

Value AddWeight(rt::Layer& layer, Arguments& arguments) {
  Bound a("add_weight",
          {"name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint", "use_resource",
           "synchronization", "aggregation", "**"},
          arguments);
  rt::AddWeightOptions o;
  o.name = a.Text("name");
  if (a.Has("shape")) o.shape = ToShape(a["shape"], "shape").Require();
  if (a.Has("dtype")) {
    if (const auto* d = a["dtype"].As<DType>()) o.dtype = *d;
    if (const auto* s = a["dtype"].As<std::string>()) o.dtype = ParseDType(*s);
  }
  o.initializer = ToInitializer(a["initializer"], "initializer");
  o.regularizer = ToRegularizer(a["regularizer"], "regularizer");
  if (a.Has("trainable")) o.trainable = a.Bool("trainable", true);
  return Value(layer.AddWeight(o));
}

Value AddLoss(rt::Layer& layer, Arguments& arguments) {
  Bound a("add_loss", {"losses", "**"}, arguments);
  const List losses = a["losses"].list() ? *a["losses"].list() : List{a["losses"]};
  for (const Value& loss : losses) {
    if (loss.none()) continue;
    if (loss.function()) {
      layer.AddLoss(std::function<rt::Tensor()>([loss] {
        const Value made = Call(loss, {});
        return made.none() ? rt::Tensor() : ToTensor(made, "loss");
      }));
    } else {
      layer.AddLoss(ToTensor(loss, "loss"));
    }
  }
  return {};
}

Value BuildLayer(rt::Layer& layer, Arguments& arguments) {
  Bound a("build", {"input_shape"}, arguments);
  if (auto* sequential = dynamic_cast<rt::Sequential*>(&layer)) {
    sequential->BuildModel(ToShape(a["input_shape"], "input_shape"));
    return {};
  }
  std::vector<PartialShape> shapes;
  const Value& given = a["input_shape"];
  const bool nested = given.list() && !given.list()->empty() &&
                      (given.list()->front().list() || given.list()->front().As<PartialShape>());
  if (nested) {
    for (const Value& v : *given.list()) shapes.push_back(ToShape(v, "input_shape"));
  } else {
    shapes.push_back(ToShape(given, "input_shape"));
  }
  layer.BuildFor(shapes);
  return {};
}

template <class Layer>
bool WeightOf(const rt::Module& module, const std::string& name, Value& out) {
  const auto* layer = dynamic_cast<const Layer*>(&module);
  if (!layer) return false;
  const auto give = [&](const rt::Variable& v) {
    out = v ? Value(v) : Value();
    return true;
  };
  if constexpr (std::is_same_v<Layer, rt::keras::BatchNormalization>) {
    if (name == "gamma") return give(layer->gamma());
    if (name == "beta") return give(layer->beta());
    if (name == "moving_mean") return give(layer->moving_mean());
    if (name == "moving_variance") return give(layer->moving_variance());
  } else {
    if (name == "kernel") return give(layer->kernel());
    if (name == "bias") return give(layer->bias());
  }
  return false;
}

std::optional<Value> LayerAttribute(rt::Layer& layer, const std::shared_ptr<rt::Module>& held,
                                    const std::string& name) {
  if (name == "weights" || name == "variables") return ListOf(layer.weights());
  if (name == "trainable_weights" || name == "trainable_variables") return ListOf(layer.trainable_weights());
  if (name == "non_trainable_weights" || name == "non_trainable_variables")
    return ListOf(layer.non_trainable_weights());
  if (name == "losses") return ListOf(layer.losses());
  if (name == "trainable") return Value(layer.trainable());
  if (name == "built") return Value(layer.built());
  if (name == "dtype") return Value("float32");
  if (name == "updates") {
    List items;
    for (const rt::CollectionItem& item : layer.updates()) {
      if (const auto* node = std::get_if<rt::Node*>(&item)) items.push_back(Value(*node));
      if (const auto* tensor = std::get_if<rt::Tensor>(&item)) items.push_back(Value(*tensor));
    }
    return Value(std::move(items));
  }
  if (name == "layers") {
    List items;
    if (auto* sequential = dynamic_cast<rt::Sequential*>(&layer)) {
      for (const auto& l : sequential->layers()) items.push_back(Value(l));
    } else if (auto* functional = dynamic_cast<rt::Functional*>(&layer)) {
      for (const auto& l : functional->layers()) items.push_back(Value(l));
    } else {
      for (const auto& l : layer.sublayers()) items.push_back(Value(l));
    }
    return Value(std::move(items));
  }
  const auto method = [&](Value (*function)(rt::Layer&, Arguments&)) {
    return Value::Callable(name,
                           [held, function](Arguments& a) { return function(static_cast<rt::Layer&>(*held), a); });
  };
  if (name == "add_weight" || name == "add_variable") return method(AddWeight);
  if (name == "add_loss") return method(AddLoss);
  if (name == "build") return method(BuildLayer);
  if (name == "apply" || name == "call") return method(CallLayer);
  if (name == "add")
    if (auto* sequential = dynamic_cast<rt::Sequential*>(&layer))
      return Value::Callable(name, [held, sequential](Arguments& a) {
        auto added = a.positional.at(0).As<std::shared_ptr<rt::Module>>();
        auto as_layer = added ? std::dynamic_pointer_cast<rt::Layer>(*added) : nullptr;
        if (!as_layer)
          throw TypeError(fmt::format("The added layer must be an instance of class Layer. Received: layer={}",
                                      a.positional.at(0).ToString()));
        sequential->Add(as_layer);
        return Value();
      });
  Value weight;
  if (WeightOf<rt::keras::Dense>(layer, name, weight) || WeightOf<rt::keras::Conv>(layer, name, weight) ||
      WeightOf<rt::keras::BatchNormalization>(layer, name, weight))
    return weight;
  if (name == "scope_name") {
    if (auto* v = dynamic_cast<rt::v1::DenseLayer*>(&layer)) return Value(v->scope_name());
    if (auto* v = dynamic_cast<rt::v1::ConvLayer*>(&layer)) return Value(v->scope_name());
    if (auto* v = dynamic_cast<rt::v1::BatchNormLayer*>(&layer)) return Value(v->scope_name());
  }
  return std::nullopt;
}

Value VariableAttribute(const rt::Variable& v, const std::string& name) {
  if (name == "name") return Value(v.name());
  if (name == "shape") return Value(v.shape());
  if (name == "dtype") return Value(v.dtype());
  if (name == "trainable") return Value(v.trainable());
  if (name == "assign" || name == "assign_add" || name == "assign_sub")
    return Value::Callable(name, [v, name](Arguments& a) {
      Bound b(name, {"value", "use_locking", "name", "read_value"}, a);
      const rt::Tensor value = ToTensor(b["value"], "value", v.dtype());
      rt::Node* node = nullptr;
      if (name == "assign") node = v.Assign(value);
      if (name == "assign_add") node = v.AssignAdd(value);
      if (name == "assign_sub") node = v.AssignSub(value);
      if (!node) return Value(v);
      rt::ControlDependencies after({node});
      return Value(v.Read());
    });
  if (name == "value" || name == "read_value")
    return Value::Callable(name, [v](Arguments&) { return Value(v.Read()); });
  if (name == "initializer") return Value(v.initializer());
  throw AttributeError(fmt::format("'ResourceVariable' object has no attribute '{}'", name));
}

}  // namespace

Value Call(const Value& callee, Arguments arguments) {
  if (const Function* f = callee.function()) return f->call(arguments);
  if (const auto* held = callee.As<std::shared_ptr<rt::Module>>()) {
    const std::shared_ptr<rt::Module> module = *held;
    if (auto* instance = dynamic_cast<Instance*>(module.get());
        instance && instance->definition().methods.contains("__call__"))
      return instance->Method("__call__", callee, arguments);
    if (auto* layer = dynamic_cast<LayerInstance<rt::Layer>*>(module.get())) return layer->CallWith(arguments);
    if (auto* model = dynamic_cast<LayerInstance<rt::Model>*>(module.get())) return model->CallWith(arguments);
    if (auto* layer = dynamic_cast<rt::Layer*>(module.get())) return CallLayer(*layer, arguments);
  }
  if (auto* t = callee.object<TemplateObject>()) {
    Value result;
    for (const auto& item : t->bound)
      if (std::ranges::none_of(arguments.named, [&](const auto& n) { return n.first == item.first; }))
        arguments.named.push_back(item);
    const std::shared_ptr<rt::Template> made = t->made;
    const Value function = t->function;
    made->Run([&] { result = Call(function, arguments); });
    return result;
  }
  if (auto* plain = callee.object<PlainInstance>(); plain && plain->definition().methods.contains("__call__"))
    return plain->Method("__call__", callee, arguments);
  if (const auto* regularizer = callee.As<rt::Regularizer>()) {
    const Value x = arguments.positional.empty() ? Value() : arguments.positional[0];
    if (const auto* variable = x.As<rt::Variable>()) return Value(regularizer->loss(*variable));
    if (regularizer->of_tensor) return Value(regularizer->of_tensor(ToTensor(x, "x")));
    throw TypeError("this regularizer takes a variable");
  }
  if (const auto* object = callee.As<std::shared_ptr<Object>>()) {
    const Value callable = (*object)->Get("__call__");
    return Call(callable, std::move(arguments));
  }
  // An initializer or a regularizer is an object that can be called.
  if (const auto* initializer = callee.As<rt::Initializer>()) {
    Bound a("initializer", {"shape", "dtype", "**"}, arguments);
    return Value(initializer->make(ToShape(a["shape"], "shape").Require(),
                                   a["dtype"].As<DType>() ? *a["dtype"].As<DType>() : DType::kFloat32));
  }
  throw TypeError(fmt::format("'{}' object is not callable", callee.TypeName()));
}

Value GetAttribute(const Value& object, const std::string& name) {
  if (Instance* instance = InstanceOf(object)) {
    if (auto it = instance->attributes.find(name); it != instance->attributes.end()) return it->second;
    // `build` and `call` run through the layer's own protocol only when the program asks for them by name.
    if (instance->definition().methods.contains(name) && name != "call")
      return Value::Callable(name,
                             [object, instance, name](Arguments& a) { return instance->Method(name, object, a); });
    if (name == "call" && instance->definition().methods.contains(name))
      return Value::Callable(name, [object, instance](Arguments& a) { return instance->Method("call", object, a); });
  }
  if (const auto* held = object.As<std::shared_ptr<rt::Module>>()) {
    rt::Module& module = **held;
    if (name == "name") return Value(module.name());
    if (auto* layer = dynamic_cast<rt::Layer*>(&module)) {
      if (std::optional<Value> value = LayerAttribute(*layer, *held, name)) return *value;
    } else {
      if (name == "variables") return ListOf(module.variables());
      if (name == "trainable_variables") return ListOf(module.trainable_variables());
      if (name == "non_trainable_variables") return ListOf(module.non_trainable_variables());
    }
    throw AttributeError(fmt::format("'{}' object has no attribute '{}'", module.class_name(), name));
  }
  if (const auto* variable = object.As<rt::Variable>()) return VariableAttribute(*variable, name);
  if (const auto* tensor = object.As<rt::Tensor>()) {
    if (name == "name") {
      if (tensor->symbolic()) {
        // The tensors of a functional model built eagerly go by the name of their input layer.
        const auto node = rt::internal::HistoryOf(*tensor);
        if (node && node->is_input && rt::Current().eager()) return Value(tensor->node()->name());
        return Value(rt::TensorName(*tensor));
      }
      throw AttributeError("Tensor.name is undefined when eager execution is enabled.");
    }
    if (name == "shape") return Value(tensor->shape());
    if (name == "dtype") return Value(tensor->dtype());
    if (name == "op" && tensor->symbolic()) return Value(tensor->node());
    throw AttributeError(fmt::format("'Tensor' object has no attribute '{}'", name));
  }
  if (const auto* node = object.As<rt::Node*>()) {
    if (name == "name" && *node) return Value((*node)->name());
    throw AttributeError(fmt::format("'Operation' object has no attribute '{}'", name));
  }
  if (const auto* shape = object.As<PartialShape>()) {
    if (name == "rank" || name == "ndims") return shape->has_rank() ? Value(shape->rank()) : Value();
    if (name == "as_list")
      return Value::Callable(name, [s = *shape](Arguments&) {
        List dims;
        for (std::int64_t d : s.dims()) dims.push_back(d < 0 ? Value() : Value(d));
        return Value(std::move(dims));
      });
    throw AttributeError(fmt::format("'TensorShape' object has no attribute '{}'", name));
  }
  if (const auto* dtype = object.As<DType>())
    if (name == "name") return Value(std::string(Name(*dtype)));
  if (object.dict()) {
    for (const auto& [key, value] : *object.dict())
      if (key == name) return value;
  }
  if (const auto* o = object.As<std::shared_ptr<Object>>()) return (*o)->Get(name);
  throw AttributeError(fmt::format("'{}' object has no attribute '{}'", object.TypeName(), name));
}

void SetAttribute(const Value& object, const std::string& name, const Value& value) {
  if (rt::Module* module = object.module()) {
    auto* layer = dynamic_cast<rt::Layer*>(module);
    if (layer && name == "trainable") {
      layer->set_trainable(ToBool(value, "trainable"));
      return;
    }
    if (Instance* instance = InstanceOf(object)) {
      instance->attributes[name] = value;
      module->SetAttribute(name, ToAttribute(value));
      return;
    }
    throw AttributeError(fmt::format("Can't set the attribute \"{}\" of a {}", name, module->class_name()));
  }
  if (const auto* o = object.As<std::shared_ptr<Object>>()) {
    (*o)->Set(name, value);
    return;
  }
  throw AttributeError(fmt::format("'{}' object has no attribute '{}'", object.TypeName(), name));
}

}  // namespace equiv::programs
