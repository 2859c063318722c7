// tf_slim: layers with arg_scope, variables, regularisers.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "equiv/programs/interpreter.h"
#include "equiv/programs/objects.h"
#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/layers/slim.h"

namespace equiv::programs {
namespace {

namespace s = rt::slim;

// arg_scope: keyword arguments by function (rule G7).
using ArgumentScope = std::map<std::string, Dict>;
std::vector<ArgumentScope>& Stack() {
  thread_local std::vector<ArgumentScope> stack;
  return stack;
}
class ArgScopeObject final : public Object {
 public:
  explicit ArgScopeObject(ArgumentScope s) : scope(std::move(s)) {}
  std::string TypeName() const override { return "dict"; }
  ArgumentScope scope;
};
struct Pushed {
  explicit Pushed(ArgumentScope scope) { Stack().push_back(std::move(scope)); }
  ~Pushed() { Stack().pop_back(); }
  Pushed(const Pushed&) = delete;
  Pushed& operator=(const Pushed&) = delete;
};
void Update(Dict& base, const Dict& over) {
  for (const auto& [key, value] : over) {
    auto it = std::ranges::find_if(base, [&](const auto& item) { return item.first == key; });
    if (it == base.end())
      base.emplace_back(key, value);
    else
      it->second = value;
  }
}

std::map<std::string, std::string>& PythonNames() {
  static auto* names = new std::map<std::string, std::string>;
  return *names;
}

// A slim function that arg_scope knows; `python_name` is what repeat and stack number.
void AddScoped(PathTable& t, const std::string& path, const std::string& python_name, const std::string& signature,
               PathTable::Body body) {
  PythonNames()[path] = python_name;
  t.Add("__slim__." + path, signature, std::move(body));
  const Value inner = FindPathForRegistration("__slim__." + path);
  t.AddConstant(path, Value::Callable(path, [path, inner](Arguments& given) {
                  Arguments merged = given;
                  if (!Stack().empty())
                    if (auto it = Stack().back().find(path); it != Stack().back().end()) {
                      Dict named = it->second;
                      Update(named, given.named);
                      merged.named = std::move(named);
                    }
                  return Call(inner, std::move(merged));
                }));
}

std::vector<std::string> Texts(const Value& v) {
  if (v.none()) return {};
  if (v.As<std::string>()) return {*v.As<std::string>()};
  std::vector<std::string> texts;
  if (v.list())
    for (const Value& item : *v.list()) texts.push_back(ToText(item, "collections"));
  return texts;
}
// One list for all variables, or a dictionary by the variable's name.
std::vector<std::string> VariablesCollections(const Bound& a, const char* variable) {
  const Value& given = a["variables_collections"];
  if (!given.dict()) return Texts(given);
  for (const auto& [key, value] : *given.dict())
    if (key == variable) return Texts(value);
  return {};
}
// Takes "scope" out of the arguments meant for the repeated layer; empty when it is absent or None.
std::string TakeScope(Dict& named) {
  std::string scope;
  std::erase_if(named, [&](const auto& item) {
    if (item.first != "scope") return false;
    if (!item.second.none()) scope = ToText(item.second, "scope");
    return true;
  });
  return scope;
}
std::string ScopeName(const Bound& a) {
  if (auto* scope = a["scope"].object<ScopeObject>()) return scope->scope->name;
  return a.Text("scope");
}
s::Kernel KernelOf(const Bound& a) {
  const std::vector<std::int64_t> size = ToInts(a["kernel_size"], "kernel_size");
  return size.size() == 1 ? s::Kernel(size[0]) : s::Kernel(size.at(0), size.at(1));
}

template <class Args>
void Fill(const Bound& a, Args& args) {
  if (a.Given("activation_fn")) args.activation = ToActivation(a["activation_fn"], "activation_fn");
  if (a.Has("normalizer_fn")) {
    const Value fn = a["normalizer_fn"], params = a["normalizer_params"];
    args.normalizer_fn = [fn, params](const rt::Tensor& x) {
      Arguments arguments;
      arguments.positional.push_back(Value(x));
      if (params.dict()) arguments.named = *params.dict();
      return ToTensor(Call(fn, std::move(arguments)), "normalizer_fn");
    };
  }
  if (a.Given("weights_initializer") && a.Has("weights_initializer"))
    args.weights_initializer = ToInitializer(a["weights_initializer"], "weights_initializer");
  if (a.Has("weights_regularizer"))
    args.weights_regularizer = ToRegularizer(a["weights_regularizer"], "weights_regularizer");
  if (a.Given("biases_initializer"))
    args.biases_initializer = ToInitializer(a["biases_initializer"], "biases_initializer");
  if (a.Has("biases_regularizer"))
    args.biases_regularizer = ToRegularizer(a["biases_regularizer"], "biases_regularizer");
  args.reuse = ToReuse(a["reuse"]);
  if (args.reuse == rt::Reuse::kNone) args.reuse.reset();
  args.outputs_collections = Texts(a["outputs_collections"]);
  args.variables_collections = VariablesCollections(a, "weights");
  if (a["variables_collections"].dict()) args.biases_collections = VariablesCollections(a, "biases");
  args.trainable = a.Bool("trainable", true);
  args.scope = ScopeName(a);
}
constexpr const char* kTail =
    "activation_fn, normalizer_fn, normalizer_params, weights_initializer, weights_regularizer, biases_initializer, "
    "biases_regularizer, reuse, variables_collections, outputs_collections, trainable, scope";
s::Conv2dArgs ConvOf(const Bound& a) {
  s::Conv2dArgs args;
  Fill(a, args);
  if (a.Has("stride")) {
    const std::vector<std::int64_t> stride = ToInts(a["stride"], "stride");
    args.stride = static_cast<int>(stride.at(0));
    if (stride.size() > 1) args.stride_width = static_cast<int>(stride[1]);
  }
  if (a.Has("padding")) args.padding = a.Text("padding");
  return args;
}
s::PoolArgs PoolOf(const Bound& a) {
  s::PoolArgs args;
  if (a.Has("stride")) args.stride = static_cast<int>(ToInts(a["stride"], "stride").at(0));
  if (a.Has("padding")) args.padding = a.Text("padding");
  args.outputs_collections = Texts(a["outputs_collections"]);
  args.scope = ScopeName(a);
  return args;
}

rt::GetVariableOptions VariableOptions(const Bound& a) {
  rt::GetVariableOptions o;
  if (a.Has("shape")) o.shape = ToShape(a["shape"], "shape");
  if (const auto* d = a["dtype"].As<DType>()) o.dtype = *d;
  if (a["initializer"].As<rt::Tensor>() || a["initializer"].As<double>() || a["initializer"].list())
    o.initial_value = ToTensor(a["initializer"], "initializer");
  else
    o.initializer = ToInitializer(a["initializer"], "initializer");
  o.regularizer = ToRegularizer(a["regularizer"], "regularizer");
  if (a.Has("trainable")) o.trainable = a.Bool("trainable", true);
  o.collections = Texts(a["collections"]);
  return o;
}
Value ListOf(const std::vector<rt::Variable>& variables) {
  List list;
  for (const rt::Variable& v : variables) list.push_back(Value(v));
  return Value(std::move(list));
}
std::string ScopeText(const Value& v) {
  if (auto* scope = v.object<ScopeObject>()) return scope->scope->name;
  return v.none() ? std::string() : ToText(v, "scope");
}

// layer(x, *args, **kwargs, scope=...)
s::ScopedLayer Layered(const Value& layer, const List& arguments, const Dict& named) {
  return [layer, arguments, named](const rt::Tensor& x, const std::string& scope) {
    Arguments call;
    call.positional.push_back(Value(x));
    call.positional.insert(call.positional.end(), arguments.begin(), arguments.end());
    call.named = named;
    call.named.emplace_back("scope", Value(scope));
    return ToTensor(Call(layer, std::move(call)), "layer");
  };
}
std::string PythonName(const Value& layer) {
  const Function* f = layer.function();
  if (!f) return "repeat";
  auto it = PythonNames().find(f->name);
  return it == PythonNames().end() ? f->name : it->second;
}

}  // namespace

void RegisterSlim(PathTable& t) {
  for (const char* path : {"slim.conv2d", "slim.convolution2d"})
    AddScoped(t, path, "convolution2d",
              std::string("inputs, num_outputs, kernel_size, stride, padding, data_format, rate, ") + kTail,
              [](Bound& a) {
                s::Conv2dArgs args = ConvOf(a);
                args.rate = static_cast<int>(a.Int("rate", 1));
                return Value(s::Conv2d(a.Tensor("inputs"), a.Int("num_outputs", 0), KernelOf(a), args));
              });
  for (const char* path : {"slim.separable_conv2d", "slim.separable_convolution2d"})
    AddScoped(
        t, path, "separable_convolution2d",
        std::string("inputs, num_outputs, kernel_size, depth_multiplier, stride, padding, data_format, rate, ") + kTail,
        [](Bound& a) {
          return Value(s::SeparableConv2d(a.Tensor("inputs"),
                                          a.Has("num_outputs") ? std::optional(a.Int("num_outputs", 0)) : std::nullopt,
                                          KernelOf(a), a.Int("depth_multiplier", 1), ConvOf(a)));
        });
  AddScoped(t, "slim.conv2d_transpose", "convolution2d_transpose",
            std::string("inputs, num_outputs, kernel_size, stride, padding, data_format, ") + kTail, [](Bound& a) {
              return Value(s::Conv2dTranspose(a.Tensor("inputs"), a.Int("num_outputs", 0), KernelOf(a), ConvOf(a)));
            });
  AddScoped(t, "slim.conv2d_in_plane", "convolution2d_in_plane",
            std::string("inputs, kernel_size, stride, padding, ") + kTail,
            [](Bound& a) { return Value(s::Conv2dInPlane(a.Tensor("inputs"), KernelOf(a), ConvOf(a))); });
  AddScoped(t, "slim.fully_connected", "fully_connected", std::string("inputs, num_outputs, ") + kTail, [](Bound& a) {
    s::FullyConnectedArgs args;
    Fill(a, args);
    return Value(s::FullyConnected(a.Tensor("inputs"), a.Int("num_outputs", 0), args));
  });
  AddScoped(
      t, "slim.bias_add", "bias_add",
      "inputs, activation_fn, initializer, regularizer, reuse, variables_collections, outputs_collections, trainable, "
      "data_format, scope",
      [](Bound& a) {
        s::FullyConnectedArgs args;
        args.activation = ToActivation(a["activation_fn"], "activation_fn");
        if (a.Has("initializer")) args.biases_initializer = ToInitializer(a["initializer"], "initializer");
        if (a.Has("regularizer")) args.biases_regularizer = ToRegularizer(a["regularizer"], "regularizer");
        args.reuse = ToReuse(a["reuse"]);
        args.outputs_collections = Texts(a["outputs_collections"]);
        args.scope = ScopeName(a);
        return Value(s::BiasAdd(a.Tensor("inputs"), args));
      });
  AddScoped(
      t, "slim.batch_norm", "batch_norm",
      "inputs, decay, center, scale, epsilon, activation_fn, param_initializers, param_regularizers, "
      "updates_collections, is_training, reuse, variables_collections, outputs_collections, trainable, batch_weights, "
      "fused, data_format, zero_debias_moving_mean, scope",
      [](Bound& a) {
        s::BatchNormParams p;
        p.decay = a.Double("decay", 0.999);
        p.epsilon = a.Double("epsilon", 0.001);
        p.center = a.Bool("center", true);
        p.scale = a.Bool("scale", false);
        p.activation = ToActivation(a["activation_fn"], "activation_fn");
        if (a["param_initializers"].dict())
          for (const auto& [key, value] : *a["param_initializers"].dict()) {
            if (key == "beta") p.beta_initializer = ToInitializer(value, "beta");
            if (key == "gamma") p.gamma_initializer = ToInitializer(value, "gamma");
          }
        if (a["param_regularizers"].dict())
          for (const auto& [key, value] : *a["param_regularizers"].dict()) {
            if (key == "beta") p.beta_regularizer = ToRegularizer(value, "beta");
            if (key == "gamma") p.gamma_regularizer = ToRegularizer(value, "gamma");
          }
        if (a.Given("updates_collections")) {
          p.updates_collection.reset();
          if (a.Has("updates_collections")) p.updates_collection = Texts(a["updates_collections"]).at(0);
        }
        p.is_training = a.Bool("is_training", true);
        if (a.Has("fused")) p.fused = a.Bool("fused", true);
        p.trainable = a.Bool("trainable", true);
        p.reuse = ToReuse(a["reuse"]);
        p.outputs_collections = Texts(a["outputs_collections"]);
        p.variables_collections = VariablesCollections(a, "moving_mean");
        return Value(s::BatchNorm(a.Tensor("inputs"), p, ScopeName(a)));
      });
  AddScoped(t, "slim.layer_norm", "layer_norm",
            "inputs, center, scale, activation_fn, reuse, variables_collections, outputs_collections, trainable, "
            "begin_norm_axis, begin_params_axis, scope",
            [](Bound& a) {
              return Value(s::LayerNorm(a.Tensor("inputs"),
                                        {.center = a.Bool("center", true),
                                         .scale = a.Bool("scale", true),
                                         .activation = ToActivation(a["activation_fn"], "activation_fn"),
                                         .begin_norm_axis = static_cast<int>(a.Int("begin_norm_axis", 1)),
                                         .begin_params_axis = static_cast<int>(a.Int("begin_params_axis", -1)),
                                         .reuse = ToReuse(a["reuse"]),
                                         .outputs_collections = Texts(a["outputs_collections"]),
                                         .scope = ScopeName(a)}));
            });
  AddScoped(t, "slim.max_pool2d", "max_pool2d",
            "inputs, kernel_size, stride, padding, data_format, outputs_collections, scope",
            [](Bound& a) { return Value(s::MaxPool2d(a.Tensor("inputs"), KernelOf(a), PoolOf(a))); });
  AddScoped(t, "slim.avg_pool2d", "avg_pool2d",
            "inputs, kernel_size, stride, padding, data_format, outputs_collections, scope",
            [](Bound& a) { return Value(s::AvgPool2d(a.Tensor("inputs"), KernelOf(a), PoolOf(a))); });
  AddScoped(t, "slim.dropout", "dropout",
            "inputs, keep_prob, noise_shape, is_training, outputs_collections, scope, seed", [](Bound& a) {
              s::DropoutArgs args;
              args.keep_prob = a.Double("keep_prob", 0.5);
              args.is_training = a.Bool("is_training", true);
              if (a.Has("seed")) args.seed = a.Int("seed", 0);
              args.outputs_collections = Texts(a["outputs_collections"]);
              args.scope = ScopeName(a);
              return Value(s::Dropout(a.Tensor("inputs"), args));
            });
  AddScoped(t, "slim.flatten", "flatten", "inputs, outputs_collections, scope", [](Bound& a) {
    return Value(s::Flatten(a.Tensor("inputs"), ScopeName(a), Texts(a["outputs_collections"])));
  });
  AddScoped(t, "slim.softmax", "softmax", "logits, scope",
            [](Bound& a) { return Value(s::Softmax(a.Tensor("logits"), ScopeName(a))); });
  AddScoped(t, "slim.unit_norm", "unit_norm", "inputs, dim, epsilon, scope", [](Bound& a) {
    return Value(
        s::UnitNorm(a.Tensor("inputs"), static_cast<int>(a.Int("dim", 0)), a.Double("epsilon", 1e-7), ScopeName(a)));
  });
  AddScoped(t, "slim.repeat", "repeat", "inputs, repetitions, layer, *, **", [](Bound& a) {
    Dict named = a.rest();
    const std::string scope = TakeScope(named);
    return Value(s::RepeatScoped(a.Tensor("inputs"), static_cast<int>(a.Int("repetitions", 0)), PythonName(a["layer"]),
                                 Layered(a["layer"], a.more(), named), scope));
  });
  AddScoped(t, "slim.stack", "stack", "inputs, layer, stack_args, **", [](Bound& a) {
    Dict named = a.rest();
    const std::string scope = TakeScope(named);
    if (!a["stack_args"].list()) throw ValueError("stack_args need to be a list or tuple");
    std::vector<s::ScopedLayer> layers;
    for (const Value& v : *a["stack_args"].list())
      layers.push_back(Layered(a["layer"], v.list() ? *v.list() : List{v}, named));
    return Value(s::Stack(a.Tensor("inputs"), layers, PythonName(a["layer"]), scope));
  });

  t.Add("slim.arg_scope", "list_ops_or_scope, **", [](Bound& a) {
    const Value given = a["list_ops_or_scope"];
    const Dict named = a.rest();
    return Value(std::make_shared<ContextManager>([given, named]() -> ContextManager::Entered {
      ArgumentScope scope = Stack().empty() ? ArgumentScope{} : Stack().back();
      if (auto* captured = given.object<ArgScopeObject>()) {
        if (!named.empty())
          throw ValueError("When attempting to re-use a scope by suppling adictionary, kwargs must be empty.");
        scope = captured->scope;
      } else if (given.dict()) {
        if (!named.empty())
          throw ValueError("When attempting to re-use a scope by suppling adictionary, kwargs must be empty.");
      } else if (given.list()) {
        for (const Value& op : *given.list()) {
          const Function* f = op.function();
          if (!f || !PythonNames().contains(f->name))
            throw ValueError(fmt::format("('%s is not decorated with @add_arg_scope', ('{}', '{}'))",
                                         f ? f->name.substr(0, f->name.rfind('.')) : op.TypeName(),
                                         f ? f->name.substr(f->name.rfind('.') + 1) : op.ToString()));
          Update(scope[f->name], named);
        }
      } else {
        throw TypeError("list_ops_or_scope must either be a list/tuple or reused scope (i.e. dict)");
      }
      return {.value = Value(std::make_shared<ArgScopeObject>(scope)), .guard = std::make_shared<Pushed>(scope)};
    }));
  });

  t.Add("slim.l2_regularizer", "scale, scope", [](Bound& a) {
    if (a["scale"].As<std::int64_t>())
      throw ValueError(fmt::format("scale cannot be an integer: {}", a["scale"].ToString()));
    return Value(s::L2Regularizer(a.Double("scale", 0)));
  });
  t.Add("slim.l1_regularizer", "scale, scope", [](Bound& a) {
    if (a["scale"].As<std::int64_t>())
      throw ValueError(fmt::format("scale cannot be an integer: {}", a["scale"].ToString()));
    return Value(s::L1Regularizer(a.Double("scale", 0)));
  });
  t.Add("slim.l1_l2_regularizer", "scale_l1, scale_l2, scope",
        [](Bound& a) { return Value(s::L1L2Regularizer(a.Double("scale_l1", 1.0), a.Double("scale_l2", 1.0))); });
  const auto seed = [](const Bound& a) { return a.Has("seed") ? std::optional(a.Int("seed", 0)) : std::nullopt; };
  for (const char* path : {"slim.xavier_initializer", "slim.xavier_initializer_conv2d"})
    t.Add(path, "uniform, seed, dtype",
          [seed](Bound& a) { return Value(s::XavierInitializer(a.Bool("uniform", true), seed(a))); });
  t.Add("slim.variance_scaling_initializer", "factor, mode, uniform, seed, dtype", [seed](Bound& a) {
    return Value(s::VarianceScalingInitializer(a.Double("factor", 2.0), a.Text("mode", "FAN_IN"),
                                               a.Bool("uniform", false), seed(a)));
  });

  constexpr const char* kVariable =
      "name, shape, dtype, initializer, regularizer, trainable, collections, caching_device, device, partitioner";
  AddScoped(t, "slim.variable", "variable", kVariable,
            [](Bound& a) { return Value(s::MakeSlimVariable(a.Text("name"), VariableOptions(a))); });
  AddScoped(t, "slim.model_variable", "model_variable", kVariable,
            [](Bound& a) { return Value(s::ModelVariable(a.Text("name"), VariableOptions(a))); });
  t.Add("slim.local_variable", "initial_value, validate_shape, name, use_resource",
        [](Bound& a) { return Value(s::LocalVariable(a.Tensor("initial_value"), a.Text("name"))); });
  const auto query = [&t](const char* path, std::string_view collection) {
    t.Add(path, "scope, suffix", [collection](Bound& a) {
      return ListOf(s::GetVariables(ScopeText(a["scope"]), a.Text("suffix"), collection));
    });
  };
  query("slim.get_variables", rt::kGlobalVariables);
  query("slim.get_model_variables", rt::kModelVariables);
  query("slim.get_local_variables", rt::kLocalVariables);
  query("slim.get_trainable_variables", rt::kTrainableVariables);
  t.Add("slim.get_variables_by_name", "given_name, scope", [](Bound& a) {
    return ListOf(
        s::GetVariables(ScopeText(a["scope"]), "/" + a.Text("given_name") + ":|^" + a.Text("given_name") + ":"));
  });
  t.Add("slim.get_variables_by_suffix", "suffix, scope",
        [](Bound& a) { return ListOf(s::GetVariables(ScopeText(a["scope"]), a.Text("suffix"))); });
  t.Add("slim.get_unique_variable", "var_op_name",
        [](Bound& a) { return Value(s::GetUniqueVariable(a.Text("var_op_name"))); });
  t.Add("slim.get_variables_to_restore", "include, exclude",
        [](Bound& a) { return ListOf(s::GetVariablesToRestore(Texts(a["include"]), Texts(a["exclude"]))); });
  t.Add("slim.utils.convert_collection_to_dict", "collection, clear_collection", [](Bound& a) {
    Dict items;
    for (const auto& [key, tensor] : s::ConvertCollectionToDict(a.Text("collection")))
      items.emplace_back(key, Value(tensor));
    return Value(std::move(items));
  });
}

}  // namespace equiv::programs
