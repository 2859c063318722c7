// Variables, scopes, initialisers, regularisers, templates.
#include <fmt/format.h>

#include "equiv/programs/interpreter.h"
#include "equiv/programs/objects.h"
#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/random/initializers.h"
#include "runtime/variables/regularizers.h"

namespace equiv::programs {
namespace {

std::optional<DType> DTypeOf(const Value& v) {
  if (const auto* d = v.As<DType>()) return *d;
  if (const auto* s = v.As<std::string>()) return ParseDType(*s);
  return std::nullopt;
}
std::vector<std::string> Texts(const Value& v, const char* what) {
  std::vector<std::string> texts;
  if (v.As<std::string>()) return {*v.As<std::string>()};
  if (v.list())
    for (const Value& item : *v.list()) texts.push_back(ToText(item, what));
  return texts;
}
rt::CustomGetter GetterOf(const Value& v) {
  if (v.none()) return {};
  if (auto* g = v.object<GetterObject>()) return g->getter;
  if (!v.function()) throw ValueError("custom_getter must be callable; got " + v.ToString());
  return {};
}
rt::Partitioner PartitionerOf(const Value& v) {
  auto* p = v.object<PartitionerObject>();
  return p ? p->partitioner : rt::Partitioner();
}
bool IsConstant(const Value& v) {
  return v.As<rt::Tensor>() || v.As<rt::Variable>() || v.As<double>() || v.As<std::int64_t>() || v.list() ||
         v.As<bool>();
}
Value FromGot(const rt::GotVariable& got) {
  if (got.variable) return Value(got.variable);
  if (!got.partitioned.parts.empty()) return Value(std::make_shared<PartitionedObject>(got.partitioned));
  return Value(got.tensor);
}

constexpr const char* kGetVariable =
    "name, shape, dtype, initializer, regularizer, trainable, collections, caching_device, partitioner, "
    "validate_shape, "
    "use_resource, custom_getter, constraint, synchronization, aggregation";

rt::GetVariableOptions OptionsOf(const Bound& a) {
  rt::GetVariableOptions o;
  if (a.Has("shape")) o.shape = ToShape(a["shape"], "shape");
  o.dtype = DTypeOf(a["dtype"]);
  if (IsConstant(a["initializer"])) {
    if (o.dtype && !a["initializer"].As<rt::Tensor>() && !a["initializer"].As<rt::Variable>()) {
      // tf: a Python constant has the dtype numpy or convert_to_tensor gives it
      const DType own = ToArray(a["initializer"], "initializer").dtype();
      if (own != *o.dtype)
        throw ValueError(fmt::format("Initializer type '<dtype: '{}'>' and explicit dtype '<dtype: '{}'>' don't match.",
                                     Name(own), Name(*o.dtype)));
    }
    // A Python constant is made where the variable is.
    const Value& v = a["initializer"];
    o.initial_value =
        v.As<rt::Tensor>() || v.As<rt::Variable>() ? ToTensor(v, "initializer") : rt::Tensor(ToArray(v, "initializer"));
  } else if (a.Has("initializer")) {
    // A class or a zero-argument function.
    o.initializer = ToInitializer(a["initializer"], "initializer");
  }
  if (a.Has("regularizer")) o.regularizer = ToRegularizer(a["regularizer"], "regularizer");
  if (a.Has("trainable")) o.trainable = a.Bool("trainable", true);
  if (a.Has("collections")) {
    o.collections = Texts(a["collections"], "collections");
    o.no_collections = o.collections.empty();
  }
  o.partitioner = PartitionerOf(a["partitioner"]);
  o.validate_shape = a.Bool("validate_shape", true);
  if (a.Has("use_resource")) o.use_resource = a.Bool("use_resource", true);
  o.custom_getter = GetterOf(a["custom_getter"]);
  if (a.Has("constraint")) {
    const Value constraint = a["constraint"];
    o.constraint = [constraint](const rt::Tensor& x) {
      Arguments arguments;
      arguments.positional.push_back(Value(x));
      return ToTensor(Call(constraint, std::move(arguments)), "constraint");
    };
  }
  if (a.Has("synchronization") && a.Text("synchronization") == "ON_READ")
    o.synchronization = rt::VariableSynchronization::kOnRead;
  if (a.Has("aggregation") && a.Text("aggregation") == "SUM") o.aggregation = rt::VariableAggregation::kSum;
  return o;
}

rt::VariableScopeOptions ScopeOptionsOf(const Bound& a) {
  rt::VariableScopeOptions o;
  o.initializer = IsConstant(a["initializer"]) ? rt::ConstantInitializer(ToDouble(a["initializer"], "initializer"))
                                               : ToInitializer(a["initializer"], "initializer");
  o.regularizer = ToRegularizer(a["regularizer"], "regularizer");
  o.dtype = DTypeOf(a["dtype"]);
  o.custom_getter = GetterOf(a["custom_getter"]);
  o.partitioner = PartitionerOf(a["partitioner"]);
  o.caching_device = a.Text("caching_device");
  if (a.Has("use_resource")) o.use_resource = a.Bool("use_resource", true);
  return o;
}

Value VariableScopeManager(const Bound& a) {
  const Value name = a["name_or_scope"];
  if (name.none() && !a.Has("default_name")) throw TypeError("If default_name is None then name_or_scope is required");
  rt::VariableScopeOptions o = ScopeOptionsOf(a);
  o.reuse = ToReuse(a["reuse"]).value_or(rt::Reuse::kNone);
  if (a.Given("auxiliary_name_scope")) {
    if (!a["auxiliary_name_scope"].As<bool>())
      throw TypeError(fmt::format("The auxiliary_name_scope must be `True` or `False`, while get {}",
                                  a["auxiliary_name_scope"].ToString()));
    o.auxiliary_name_scope = *a["auxiliary_name_scope"].As<bool>();
  }
  if (name.none()) o.default_name = a.Text("default_name");
  return Value(std::make_shared<ContextManager>([name, o]() -> ContextManager::Entered {
    std::shared_ptr<rt::VariableScope> scope;
    if (auto* object = name.object<ScopeObject>()) {
      scope = std::make_shared<rt::VariableScope>(object->scope, o);
    } else if (name.none()) {
      scope = std::make_shared<rt::VariableScope>("", o);
    } else if (name.As<std::string>()) {
      scope = std::make_shared<rt::VariableScope>(*name.As<std::string>(), o);
    } else {
      throw TypeError("VariableScope: name_or_scope must be a string or VariableScope.");
    }
    return {.value = Value(std::make_shared<ScopeObject>(scope->capture())), .guard = scope};
  }));
}

std::optional<std::int64_t> SeedOf(const Bound& a) {
  return a.Has("seed") ? std::optional(a.Int("seed", 0)) : std::nullopt;
}
rt::VarianceScalingOptions ScalingOf(const Bound& a) {
  return {.scale = a.Double("scale", 1),
          .mode = a.Text("mode", "fan_in"),
          .distribution = a.Text("distribution", "truncated_normal"),
          .seed = SeedOf(a)};
}

// A v1 constant initialiser; a list may be shorter than the shape in a graph (C7).
rt::Initializer ConstantOf(const Value& value, std::optional<DType> own) {
  return {
      .name = "constant", .make = [value, own](const Shape& shape, DType given) -> rt::Tensor {
        const DType dtype = own && given == DType::kInvalid ? *own : given;
        if (!value.list()) return rt::ConstantInitializer(ToDouble(value, "value")).make(shape, dtype);
        const Array list = ToArray(value, "value", dtype);
        const std::int64_t have = list.num_elements(), want = shape.num_elements();
        if (have == want) return rt::Constant(list.Reshaped(shape), "Const");
        if (have > want)
          throw ValueError(fmt::format("Too many elements provided. Needed at most {}, but received {}", want, have));
        if (rt::Current().eager() && have != 1)
          throw TypeError(
              fmt::format("Eager execution of tf.constant with unsupported shape. Tensor {} (converted "
                          "from {}) has {} elements, but got `shape` {} with {} elements).",
                          value.ToString(), value.ToString(), have, shape.ToTuple(), want));
        Array filled(dtype, shape);
        const std::size_t size = SizeOf(dtype);
        for (std::int64_t i = 0; i < want; ++i)
          std::memcpy(filled.raw() + static_cast<std::size_t>(i) * size,
                      list.raw() + static_cast<std::size_t>(std::min(i, have - 1)) * size, size);
        return rt::Constant(std::move(filled), "Const");
      }};
}
rt::Initializer IdentityOf(double gain) {
  return {.name = "identity", .make = [gain](const Shape& shape, DType dtype) -> rt::Tensor {
            if (shape.rank() != 2)
              throw ValueError(fmt::format("Identity matrix initializer can only be used for 2D matrices. Got shape {}",
                                           shape.ToTuple()));
            List rows;
            for (std::int64_t i = 0; i < shape[0]; ++i) {
              List row;
              for (std::int64_t j = 0; j < shape[1]; ++j) row.push_back(Value(i == j ? gain : 0.0));
              rows.push_back(Value(std::move(row)));
            }
            return rt::Constant(ToArray(Value(std::move(rows)), "identity", dtype).Reshaped(shape));
          }};
}

template <class T>
Value ListOf(const std::vector<T>& items) {
  List list;
  for (const T& item : items) list.push_back(Value(item));
  return Value(std::move(list));
}
Value FromItems(const std::vector<rt::CollectionItem>& items) {
  List list;
  for (const rt::CollectionItem& item : items)
    std::visit(
        [&](const auto& held) {
          if constexpr (std::is_same_v<std::decay_t<decltype(held)>, rt::UnreadVariable>) {
            list.push_back(Value("UnreadVariable"));
          } else {
            list.push_back(Value(held));
          }
        },
        item);
  return Value(std::move(list));
}
std::string ScopeText(const Value& v) {
  if (auto* s = v.object<ScopeObject>()) return s->scope->name;
  return v.none() ? std::string() : ToText(v, "scope");
}

Value NewVariable(const Bound& a, bool v1) {
  rt::VariableOptions o;
  if (a.Has("trainable")) o.trainable = a.Bool("trainable", true);
  o.name = a.Text("name");
  o.dtype = DTypeOf(a["dtype"]);
  if (v1) {
    if (a.Has("collections")) {
      o.collections = Texts(a["collections"], "collections");
      o.no_collections = o.collections.empty();
    }
    o.use_resource =
        a.Has("use_resource") ? a.Bool("use_resource", true) : rt::Current().eager() || rt::ResourceVariablesEnabled();
  }
  const Value& initial = a["initial_value"];
  if (initial.none()) throw ValueError("initial_value must be specified.");
  if (initial.As<double>()) return Value(rt::MakeVariable(*initial.As<double>(), o));
  if (initial.As<std::int64_t>()) {
    if (!o.dtype) o.dtype = DType::kInt32;
    return Value(rt::MakeVariable(static_cast<double>(*initial.As<std::int64_t>()), o));
  }
  if (initial.function()) {
    const Value made = Call(initial, {});
    return Value(rt::MakeVariable(ToTensor(made, "initial_value"), o));
  }
  if (initial.As<rt::Tensor>() || initial.As<rt::Variable>())
    return Value(rt::MakeVariable(ToTensor(initial, "initial_value"), o));
  return Value(rt::MakeVariable(rt::Tensor(ToArray(initial, "initial_value", o.dtype)), o));
}

}  // namespace

void RegisterVariables(PathTable& t) {
  t.AddConstant("v1.AUTO_REUSE", Value("AUTO_REUSE"));
  for (const char* m : {"tf.", "v1."}) {
    for (const char* name : {"AUTO", "NONE", "ON_WRITE", "ON_READ"})
      t.AddConstant(std::string(m) + "VariableSynchronization." + name, Value(name));
    for (const char* name : {"NONE", "SUM", "MEAN", "ONLY_FIRST_REPLICA"})
      t.AddConstant(std::string(m) + "VariableAggregation." + name, Value(name));
  }

  t.Add("tf.Variable",
        "initial_value, trainable, validate_shape, caching_device, name, variable_def, dtype, import_scope, "
        "constraint, synchronization, aggregation, shape",
        [](Bound& a) { return NewVariable(a, false); });
  t.Add("v1.Variable",
        "initial_value, trainable, collections, validate_shape, caching_device, name, variable_def, dtype, "
        "expected_shape, import_scope, constraint, use_resource, synchronization, aggregation, shape",
        [](Bound& a) { return NewVariable(a, true); });
  t.Add("v1.get_variable", kGetVariable,
        [](Bound& a) { return FromGot(rt::GetVariableOrTensor(a.Text("name"), OptionsOf(a))); });
  t.Add("v1.get_local_variable", kGetVariable,
        [](Bound& a) { return Value(rt::GetLocalVariable(a.Text("name"), OptionsOf(a))); });
  constexpr const char* kScope =
      "name_or_scope, default_name, values, initializer, regularizer, caching_device, partitioner, custom_getter, "
      "reuse, "
      "dtype, use_resource, constraint, auxiliary_name_scope";
  t.Add("v1.variable_scope", kScope, [](Bound& a) { return VariableScopeManager(a); });
  t.Add("v1.variable_op_scope",
        "values, name_or_scope, default_name, initializer, regularizer, caching_device, partitioner, custom_getter, "
        "reuse, "
        "dtype, use_resource, constraint, auxiliary_name_scope",
        [](Bound& a) { return VariableScopeManager(a); });
  t.Add("v1.get_variable_scope", "",
        [](Bound&) { return Value(std::make_shared<ScopeObject>(rt::CurrentVariableScope())); });
  t.Add("v1.no_regularizer", "weight", [](Bound&) { return Value(); });

  const auto collection = [&t](const char* path, std::string_view key) {
    t.Add(path, "scope", [key](Bound& a) { return FromItems(rt::GetCollection(key, ScopeText(a["scope"]))); });
  };
  collection("v1.global_variables", rt::kGlobalVariables);
  collection("v1.trainable_variables", rt::kTrainableVariables);
  collection("v1.local_variables", rt::kLocalVariables);
  collection("v1.model_variables", rt::kModelVariables);
  collection("v1.losses.get_regularization_losses", rt::kRegularizationLosses);
  t.Add("v1.get_collection", "key, scope",
        [](Bound& a) { return FromItems(rt::GetCollection(a.Text("key"), ScopeText(a["scope"]))); });
  t.Add("v1.add_to_collection", "name, value", [](Bound& a) {
    if (const auto* v = a["value"].As<rt::Variable>()) rt::AddToCollection(a.Text("name"), *v);
    if (const auto* x = a["value"].As<rt::Tensor>()) rt::AddToCollection(a.Text("name"), *x);
    if (const auto* n = a["value"].As<rt::Node*>()) rt::AddToCollection(a.Text("name"), *n);
    return Value();
  });
  t.Add("v1.losses.get_regularization_loss", "scope, name", [](Bound& a) {
    std::vector<rt::Tensor> losses;
    for (const rt::CollectionItem& item : rt::GetCollection(rt::kRegularizationLosses, ScopeText(a["scope"])))
      if (const auto* x = std::get_if<rt::Tensor>(&item)) losses.push_back(*x);
    if (losses.empty()) return Value(rt::Constant(0.0F));
    const std::string name = a.Text("name", "total_regularization_loss");
    if (losses.size() == 1) return Value(rt::Identity(losses[0], name));
    return Value(rt::AddN(losses, name));
  });
  t.Add("v1.global_variables_initializer", "", [](Bound&) {
    rt::Node* node = rt::GlobalVariablesInitializer();
    return node ? Value(node) : Value();
  });

  t.Add("v1.make_template", "name_, func_, create_scope_now_, unique_name_, custom_getter_, **", [](Bound& a) {
    auto made = std::make_shared<rt::Template>(
        a.Text("name_"), rt::TemplateOptions{.create_scope_now = a.Bool("create_scope_now_", false),
                                             .unique_name = a.Text("unique_name_"),
                                             .custom_getter = GetterOf(a["custom_getter_"])});
    return Value(std::make_shared<TemplateObject>(made, a["func_"], a.rest()));
  });
  t.Add("h.fixed_partitioner", "n",
        [](Bound& a) { return Value(std::make_shared<PartitionerObject>(rt::FixedSizePartitioner(a.Int("n", 1)))); });

  // v1 initialisers, under both of their names.
  const auto v1 = [&t](std::initializer_list<const char*> names, const char* signature, PathTable::Body body) {
    for (const char* name : names) t.Add(name, signature, body);
  };
  const auto named = [](rt::Initializer i, const char* class_name) {
    i.python_repr = fmt::format("tensorflow.python.ops.init_ops.{} object at 0x0", class_name);
    return Value(std::move(i));
  };
  (void)named;
  v1({"v1.zeros_initializer", "v1.initializers.zeros", "v1.initializers.Zeros"}, "dtype",
     [](Bound&) { return Value(rt::ZerosInitializer()); });
  v1({"v1.ones_initializer", "v1.initializers.ones", "v1.initializers.Ones"}, "dtype",
     [](Bound&) { return Value(rt::OnesInitializer()); });
  v1({"v1.constant_initializer", "v1.initializers.constant"}, "value, dtype, verify_shape",
     [](Bound& a) { return Value(ConstantOf(a.Given("value") ? a["value"] : Value(0), DTypeOf(a["dtype"]))); });
  v1({"v1.random_uniform_initializer", "v1.initializers.random_uniform"}, "minval, maxval, seed, dtype", [](Bound& a) {
    return Value(rt::RandomUniformInitializer(a.Double("minval", 0), a.Double("maxval", 1), SeedOf(a)));
  });
  v1({"v1.random_normal_initializer", "v1.initializers.random_normal"}, "mean, stddev, seed, dtype", [](Bound& a) {
    return Value(rt::RandomNormalInitializer(a.Double("mean", 0), a.Double("stddev", 1), SeedOf(a)));
  });
  v1({"v1.truncated_normal_initializer", "v1.initializers.truncated_normal"}, "mean, stddev, seed, dtype",
     [](Bound& a) {
       return Value(rt::TruncatedNormalInitializer(a.Double("mean", 0), a.Double("stddev", 1), SeedOf(a)));
     });
  v1({"v1.variance_scaling_initializer", "v1.initializers.variance_scaling"}, "scale, mode, distribution, seed, dtype",
     [](Bound& a) { return Value(rt::VarianceScaling(ScalingOf(a))); });
  v1({"v1.glorot_uniform_initializer", "v1.initializers.glorot_uniform"}, "seed, dtype",
     [](Bound& a) { return Value(rt::GlorotUniform(SeedOf(a))); });
  v1({"v1.glorot_normal_initializer", "v1.initializers.glorot_normal"}, "seed, dtype",
     [](Bound& a) { return Value(rt::GlorotNormal(SeedOf(a))); });
  v1({"v1.initializers.he_normal"}, "seed, dtype", [](Bound& a) { return Value(rt::HeNormal(SeedOf(a))); });
  v1({"v1.initializers.he_uniform"}, "seed, dtype", [](Bound& a) { return Value(rt::HeUniform(SeedOf(a))); });
  v1({"v1.initializers.lecun_normal"}, "seed, dtype", [](Bound& a) { return Value(rt::LecunNormal(SeedOf(a))); });
  v1({"v1.initializers.lecun_uniform"}, "seed, dtype", [](Bound& a) { return Value(rt::LecunUniform(SeedOf(a))); });
  v1({"v1.orthogonal_initializer", "v1.initializers.orthogonal"}, "gain, seed, dtype",
     [](Bound& a) { return Value(rt::OrthogonalInitializer(a.Double("gain", 1), SeedOf(a))); });
  v1({"v1.initializers.identity"}, "gain, dtype", [](Bound& a) { return Value(IdentityOf(a.Double("gain", 1))); });
  v1({"v1.uniform_unit_scaling_initializer"}, "factor, seed, dtype",
     [](Bound& a) { return Value(rt::UniformUnitScaling(a.Double("factor", 1), SeedOf(a))); });

  // Keras initialisers, as classes, as functions, and directly below tf.
  for (const std::string m : {"tf.keras.initializers.", "tf.initializers.", "v1.keras.initializers."}) {
    const auto add = [&](std::initializer_list<const char*> names, const char* signature, PathTable::Body body) {
      for (const char* name : names) t.Add(m + name, signature, body);
    };
    add({"Zeros", "zeros"}, "", [](Bound&) { return Value(rt::ZerosInitializer()); });
    add({"Ones", "ones"}, "", [](Bound&) { return Value(rt::OnesInitializer()); });
    add({"Constant", "constant"}, "value", [](Bound& a) {
      return Value(rt::Initializer{
          .name = "constant", .make = [v = a.Given("value") ? a["value"] : Value(0)](const Shape& shape, DType dtype) {
            return ConstantOf(v, std::nullopt).make(shape, dtype);
          }});
    });
    add({"GlorotUniform", "glorot_uniform"}, "seed",
        [](Bound& a) { return Value(rt::keras::GlorotUniform(SeedOf(a))); });
    add({"GlorotNormal", "glorot_normal"}, "seed", [](Bound& a) { return Value(rt::keras::GlorotNormal(SeedOf(a))); });
    add({"HeNormal", "he_normal"}, "seed", [](Bound& a) { return Value(rt::keras::HeNormal(SeedOf(a))); });
    add({"HeUniform", "he_uniform"}, "seed", [](Bound& a) { return Value(rt::keras::HeUniform(SeedOf(a))); });
    add({"LecunNormal", "lecun_normal"}, "seed", [](Bound& a) { return Value(rt::keras::LecunNormal(SeedOf(a))); });
    add({"LecunUniform", "lecun_uniform"}, "seed", [](Bound& a) { return Value(rt::keras::LecunUniform(SeedOf(a))); });
    add({"RandomNormal", "random_normal"}, "mean, stddev, seed", [](Bound& a) {
      return Value(rt::keras::RandomNormal(a.Double("mean", 0), a.Double("stddev", 0.05), SeedOf(a)));
    });
    add({"RandomUniform", "random_uniform"}, "minval, maxval, seed", [](Bound& a) {
      return Value(rt::keras::RandomUniform(a.Double("minval", -0.05), a.Double("maxval", 0.05), SeedOf(a)));
    });
    add({"TruncatedNormal", "truncated_normal"}, "mean, stddev, seed", [](Bound& a) {
      return Value(rt::keras::TruncatedNormal(a.Double("mean", 0), a.Double("stddev", 0.05), SeedOf(a)));
    });
    add({"VarianceScaling", "variance_scaling"}, "scale, mode, distribution, seed",
        [](Bound& a) { return Value(rt::keras::VarianceScaling(ScalingOf(a))); });
    add({"Orthogonal", "orthogonal"}, "gain, seed",
        [](Bound& a) { return Value(rt::keras::Orthogonal(a.Double("gain", 1), SeedOf(a))); });
  }

  for (const std::string m : {"tf.keras.regularizers.", "v1.keras.regularizers."}) {
    for (const char* name : {"L2", "l2"})
      t.Add(m + name, "l2, **", [](Bound& a) {
        double l2 = a.Double("l2", 0.01);
        for (const auto& [key, value] : a.rest())
          if (key == "l") l2 = ToDouble(value, "l");
        return Value(rt::L2(l2));
      });
    for (const char* name : {"L1", "l1"})
      t.Add(m + name, "l1, **", [](Bound& a) {
        double l1 = a.Double("l1", 0.01);
        for (const auto& [key, value] : a.rest())
          if (key == "l") l1 = ToDouble(value, "l");
        return Value(rt::L1(l1));
      });
    t.Add(m + "L1L2", "l1, l2", [](Bound& a) { return Value(rt::L1L2(a.Double("l1", 0), a.Double("l2", 0))); });
    t.Add(m + "l1_l2", "l1, l2", [](Bound& a) { return Value(rt::L1L2(a.Double("l1", 0.01), a.Double("l2", 0.01))); });
    t.Add(m + "get", "identifier", [](Bound& a) {
      if (a["identifier"].none()) return Value();
      return Value(ToRegularizer(a["identifier"], "identifier"));
    });
  }
}

}  // namespace equiv::programs
