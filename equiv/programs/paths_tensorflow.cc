// tf.* functions that make tensors, and the helpers h.* of the program language.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "equiv/harness/guards.h"
#include "equiv/harness/random_tool.h"
#include "equiv/programs/interpreter.h"
#include "equiv/programs/objects.h"
#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/random/random_ops.h"
#include "runtime/random/seeds.h"

namespace equiv::programs {
namespace {

std::optional<DType> DTypeOf(const Value& v) {
  if (const auto* d = v.As<DType>()) return *d;
  if (const auto* s = v.As<std::string>()) {
    if (auto d = ParseDType(*s)) return d;
    throw TypeError(fmt::format("Cannot convert '{}' to a TensorFlow DType.", *s));
  }
  return std::nullopt;
}

rt::Number NumberOf(const Value& v, const char* what) {
  if (const auto* i = v.As<std::int64_t>()) return rt::Number(*i);
  return rt::Number(ToDouble(v, what));
}
rt::ShapeArgument ShapeArg(const Bound& a) {
  if (const auto* t = a["shape"].As<rt::Tensor>()) return rt::ShapeArgument(*t);
  return rt::ShapeArgument(ToShape(a["shape"], "shape").Require());
}
std::optional<std::int64_t> Seed(const Bound& a) {
  return a.Has("seed") ? std::optional(a.Int("seed", 0)) : std::nullopt;
}
Value Unary(const char* op, Bound& a) { return Value(rt::Current().Add1(op, {a.Tensor("x")}, {}, a.Text("name"))); }

// op(x, y) where either may be a Python number: it takes the other's dtype and, in a graph, becomes a constant x or y
// inside the op's scope.
template <class Op>
Value WithNumbers(const Bound& a, const char* op_name, Op op) {
  const Value &x = a["x"], &y = a["y"];
  const auto dtype = [](const Value& v) -> std::optional<DType> {
    if (const auto* t = v.As<rt::Tensor>()) return t->dtype();
    if (const auto* var = v.As<rt::Variable>()) return var->dtype();
    return std::nullopt;
  };
  const bool plain = (dtype(x) || x.As<std::shared_ptr<Object>>()) && (dtype(y) || y.As<std::shared_ptr<Object>>());
  if (plain || rt::Current().eager())
    return Value(op(ToTensor(x, "x", dtype(x) ? std::nullopt : dtype(y)),
                    ToTensor(y, "y", dtype(y) ? std::nullopt : dtype(x)), a.Text("name")));
  rt::NameScope scope(a.Text("name", op_name));
  const auto operand = [&](const Value& v, const char* name, std::optional<DType> other) {
    return dtype(v) ? rt::ReadOperand(ToTensor(v, name)) : rt::Constant(ToArray(v, name, other), name);
  };
  const rt::Tensor left = operand(x, "x", dtype(y)), right = operand(y, "y", dtype(x));
  return Value(op(left, right, scope.path() + "/"));
}

Value Binary(const std::string& op, const Value& x, const Value& y) {
  const auto number = [](const Value& v) -> std::optional<double> {
    if (const double* d = v.As<double>()) return *d;
    if (const auto* i = v.As<std::int64_t>()) return static_cast<double>(*i);
    return std::nullopt;
  };
  const std::optional<double> nx = number(x), ny = number(y);
  if (nx && ny) {
    if (x.As<std::int64_t>() && y.As<std::int64_t>() && op != "/") {
      const std::int64_t i = *x.As<std::int64_t>(), j = *y.As<std::int64_t>();
      return Value(op == "+" ? i + j : op == "-" ? i - j : i * j);
    }
    return Value(op == "+" ? *nx + *ny : op == "-" ? *nx - *ny : op == "*" ? *nx * *ny : *nx / *ny);
  }
  if (nx) {
    const rt::Tensor t = ToTensor(y, "y");
    if (op == "+") return Value(*nx + t);
    if (op == "-") return Value(*nx - t);
    if (op == "*") return Value(*nx * t);
    const rt::Tensor numerator = rt::ScalarConstant(*nx, t.dtype(), "truediv/x");
    return Value(numerator / t);
  }
  const rt::Tensor t = ToTensor(x, "x");
  if (ny) {
    if (op == "+") return Value(t + *ny);
    if (op == "-") return Value(t - *ny);
    if (op == "*") return Value(t * *ny);
    return Value(t / *ny);
  }
  const rt::Tensor u = ToTensor(y, "y");
  if (op == "+") return Value(t + u);
  if (op == "-") return Value(t - u);
  if (op == "*") return Value(t * u);
  return Value(t / u);
}

std::vector<std::int64_t> Axes(const Bound& a) {
  return a.Has("axis") ? ToInts(a["axis"], "axis") : std::vector<std::int64_t>{};
}

// A full reduction over a tensor, named as tf.reduce_*: the axes are a constant "Const".
rt::Tensor Reduce(const char* op, const rt::Tensor& x, const std::vector<std::int64_t>& axes, bool keepdims,
                  const std::string& name) {
  if (axes.empty() && x.shape().has_rank() && !rt::Current().eager()) {
    std::vector<std::int32_t> all;
    for (int i = 0; i < x.shape().rank(); ++i) all.push_back(i);
    // tf: the axes of a full reduction
    const rt::Tensor index =
        rt::Constant(Array::Of<std::int32_t>(Shape{static_cast<std::int64_t>(all.size())}, all), "Const");
    return rt::Current().Add1(op, {x, index}, {{"keep_dims", keepdims}}, name);
  }
  return std::string_view(op) == "Sum" ? rt::ReduceSum(x, axes, keepdims, name)
                                       : rt::ReduceMean(x, axes, keepdims, name);
}

class ToolObject final : public Object, public std::enable_shared_from_this<ToolObject> {
 public:
  ToolObject(std::int64_t seed, const std::string& mode) : tool(seed, mode) {}
  std::string TypeName() const override { return "DeterministicRandomTestTool"; }
  Value Get(const std::string& name) override {
    if (name == "operation_seed") return Value(tool.operation_seed());
    if (name == "scope")
      return Value::Callable(name, [self = shared_from_this()](Arguments&) {
        return Value(std::make_shared<ContextManager>([self]() -> ContextManager::Entered {
          auto guard = std::make_shared<DeterministicRandomTestTool::ScopeGuard>(self->tool.Scope());
          return {.value = {}, .guard = guard};
        }));
      });
    NoAttribute(name);
  }
  void Set(const std::string& name, const Value& value) override {
    if (name != "operation_seed") NoAttribute(name);
    tool.set_operation_seed(ToInt(value, "operation_seed"));
  }
  DeterministicRandomTestTool tool;
};

class GraphObject final : public Object, public std::enable_shared_from_this<GraphObject> {
 public:
  std::string TypeName() const override { return "Graph"; }
  Value Get(const std::string& name) override {
    if (name == "as_default")
      return Value::Callable(name, [self = shared_from_this()](Arguments&) {
        return Value(std::make_shared<ContextManager>([self]() -> ContextManager::Entered {
          return {.value = Value(self), .guard = std::make_shared<rt::GraphScope>(self->graph)};
        }));
      });
    if (name == "finalize")
      return Value::Callable(name, [self = shared_from_this()](Arguments&) {
        self->graph.Finalize();
        return Value();
      });
    NoAttribute(name);
  }
  rt::Graph graph;
};

template <class Make>
Value Manager(Make make) {
  return Value(std::make_shared<ContextManager>([make]() -> ContextManager::Entered { return make(); }));
}

nlohmann::json Observation(const Value& v) {
  if (v.none()) return nullptr;
  if (const bool* b = v.As<bool>()) return *b;
  if (const auto* i = v.As<std::int64_t>()) return *i;
  if (const double* d = v.As<double>()) return *d;
  if (v.list()) {
    nlohmann::json items = nlohmann::json::array();
    for (const Value& item : *v.list()) items.push_back(Observation(item));
    return items;
  }
  return v.ToString();
}

}  // namespace

void RegisterTensorFlow(PathTable& t) {
  for (DType d : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16, DType::kInt32, DType::kInt64,
                  DType::kInt16, DType::kInt8, DType::kUInt8, DType::kUInt16, DType::kBool, DType::kString,
                  DType::kComplex64, DType::kComplex128})
    for (const char* module : {"tf.", "v1."}) t.AddConstant(module + std::string(Name(d)), Value(d));

  for (const std::string m : {"tf.", "v1."}) {
    t.Add(m + "ones", "shape, dtype, name", [](Bound& a) {
      return Value(rt::Ones(ToShape(a["shape"], "shape").Require(), DTypeOf(a["dtype"]).value_or(DType::kFloat32),
                            a.Text("name")));
    });
    t.Add(m + "zeros", "shape, dtype, name", [](Bound& a) {
      return Value(rt::Zeros(ToShape(a["shape"], "shape").Require(), DTypeOf(a["dtype"]).value_or(DType::kFloat32),
                             a.Text("name")));
    });
    t.Add(m + "constant", "value, dtype, shape, name", [](Bound& a) {
      Array value = ToArray(a["value"], "value", DTypeOf(a["dtype"]));
      if (a.Has("shape")) {
        const Shape shape = ToShape(a["shape"], "shape").Require();
        if (value.num_elements() == 1 && shape.num_elements() != 1) {
          rt::EagerScope eager;
          value = rt::Fill(shape, rt::Tensor(value.Reshaped(Shape{}))).array();
        } else {
          value = value.Reshaped(shape);
        }
      }
      return Value(rt::Constant(std::move(value), a.Text("name")));
    });
    t.Add(m + "fill", "dims, value, name", [](Bound& a) {
      const Shape dims = ToShape(a["dims"], "dims").Require();
      if (a["value"].As<rt::Tensor>() || a["value"].As<rt::Variable>() || rt::Current().eager())
        return Value(rt::Fill(dims, a.Tensor("value"), a.Text("name")));
      rt::NameScope scope(a.Text("name", "Fill"));
      List sizes;
      for (std::int64_t d : dims.dims()) sizes.push_back(Value(d));
      const rt::Tensor shape =
          rt::Constant(ToArray(Value(std::move(sizes)), "dims", DType::kInt32).Reshaped(Shape{dims.rank()}), "dims");
      const rt::Tensor value = rt::Constant(ToArray(a["value"], "value"), "value");
      return Value(rt::Current().Add1("Fill", {shape, value}, {}, scope.path() + "/"));
    });
    t.Add(m + "identity", "input, name",
          [](Bound& a) { return Value(rt::Identity(a.Tensor("input"), a.Text("name"))); });
    t.Add(m + "add", "x, y, name", [](Bound& a) {
      return WithNumbers(a, "Add", [](const rt::Tensor& x, const rt::Tensor& y, const std::string& name) {
        return rt::Add(x, y, name);
      });
    });
    t.Add(m + "multiply", "x, y, name", [](Bound& a) {
      return WithNumbers(a, "Mul", [](const rt::Tensor& x, const rt::Tensor& y, const std::string& name) {
        return rt::Multiply(x, y, name);
      });
    });
    t.Add(m + "subtract", "x, y, name", [](Bound& a) {
      return WithNumbers(a, "Sub", [](const rt::Tensor& x, const rt::Tensor& y, const std::string& name) {
        return rt::Sub(x, y, name);
      });
    });
    t.Add(m + "divide", "x, y, name", [](Bound& a) {
      return WithNumbers(a, "truediv", [](const rt::Tensor& x, const rt::Tensor& y, const std::string& name) {
        return rt::Divide(x, y, name);
      });
    });
    for (const char* name : {"matmul", "linalg.matmul"})
      t.Add(m + name, "a, b, transpose_a, transpose_b, name", [](Bound& a) {
        return Value(rt::MatMul(a.Tensor("a"), a.Tensor("b"), a.Bool("transpose_a", false),
                                a.Bool("transpose_b", false), a.Text("name")));
      });
    for (const char* name : {"add_n", "math.add_n"})
      t.Add(m + name, "inputs, name", [](Bound& a) {
        const std::vector<rt::Tensor> inputs = ToTensors(a["inputs"], "inputs");
        // tf: a single tensor passes through, named or not
        if (inputs.size() == 1)
          return a.Has("name") ? Value(rt::Identity(inputs[0], a.Text("name"))) : Value(inputs[0]);
        return Value(rt::AddN(inputs, a.Text("name")));
      });
    for (const char* name : {"reduce_sum", "math.reduce_sum"})
      t.Add(m + name, "input_tensor, axis, keepdims, name", [](Bound& a) {
        return Value(Reduce("Sum", a.Tensor("input_tensor"), Axes(a), a.Bool("keepdims", false), a.Text("name")));
      });
    for (const char* name : {"reduce_mean", "math.reduce_mean"})
      t.Add(m + name, "input_tensor, axis, keepdims, name", [](Bound& a) {
        return Value(Reduce("Mean", a.Tensor("input_tensor"), Axes(a), a.Bool("keepdims", false), a.Text("name")));
      });
    t.Add(m + "reshape", "tensor, shape, name",
          [](Bound& a) { return Value(rt::Reshape(a.Tensor("tensor"), ToInts(a["shape"], "shape"), a.Text("name"))); });
    t.Add(m + "concat", "values, axis, name", [](Bound& a) {
      return Value(rt::Concat(ToTensors(a["values"], "values"), a.Int("axis", 0), a.Text("name")));
    });
    t.Add(m + "cast", "x, dtype, name", [](Bound& a) {
      return Value(rt::Cast(a.Tensor("x"), DTypeOf(a["dtype"]).value_or(DType::kFloat32), a.Text("name")));
    });
    t.Add(m + "squeeze", "input, axis, name",
          [](Bound& a) { return Value(rt::Squeeze(a.Tensor("input"), Axes(a), a.Text("name"))); });
    t.Add(m + "nn.relu", "x, name", [](Bound& a) { return Unary("Relu", a); });
    t.Add(m + "nn.tanh", "x, name", [](Bound& a) { return Unary("Tanh", a); });
    t.Add(m + "nn.sigmoid", "x, name", [](Bound& a) { return Unary("Sigmoid", a); });
    t.Add(m + "nn.elu", "x, name", [](Bound& a) { return Unary("Elu", a); });
    t.Add(m + "nn.relu6", "x, name", [](Bound& a) { return Unary("Relu6", a); });
    t.Add(m + "nn.softplus", "x, name", [](Bound& a) { return Unary("Softplus", a); });
    for (const auto& [name, op] : std::initializer_list<std::pair<const char*, const char*>>{{"tanh", "Tanh"},
                                                                                             {"sigmoid", "Sigmoid"},
                                                                                             {"exp", "Exp"},
                                                                                             {"abs", "Abs"},
                                                                                             {"square", "Square"},
                                                                                             {"sqrt", "Sqrt"},
                                                                                             {"negative", "Neg"},
                                                                                             {"math.square", "Square"},
                                                                                             {"math.log", "Log"}})
      t.Add(m + name, "x, name", [op = op](Bound& a) { return Unary(op, a); });
    t.Add(m + "nn.softmax", "logits, axis, name",
          [](Bound& a) { return Value(rt::Softmax(a.Tensor("logits"), a.Text("name"))); });
    t.Add(m + "nn.bias_add", "value, bias, data_format, name",
          [](Bound& a) { return Value(rt::BiasAdd(a.Tensor("value"), a.Tensor("bias"), a.Text("name"))); });
    t.Add(m + "nn.l2_loss", "t, name", [](Bound& a) { return Value(rt::L2Loss(a.Tensor("t"), a.Text("name"))); });
    t.Add(m + "nn.conv2d", "input, filters, strides, padding, data_format, dilations, name", [](Bound& a) {
      return Value(
          rt::Conv2D(a.Tensor("input"), a.Tensor("filters"),
                     {.strides = a.Has("strides") ? ToInts(a["strides"], "strides") : std::vector<std::int64_t>{1},
                      .padding = a.Text("padding", "SAME")},
                     a.Text("name")));
    });
    for (const char* name : {"random.uniform", "random_uniform"})
      t.Add(m + name, "shape, minval, maxval, dtype, seed, name", [](Bound& a) {
        rt::UniformOptions o;
        const std::string text = a.Text("name");
        if (a.Has("minval")) o.minval = NumberOf(a["minval"], "minval");
        if (a.Has("maxval")) o.maxval = NumberOf(a["maxval"], "maxval");
        o.dtype = DTypeOf(a["dtype"]).value_or(DType::kFloat32);
        o.seed = Seed(a);
        o.name = text;
        return Value(rt::RandomUniform(ShapeArg(a), o));
      });
    for (const char* name : {"random.normal", "random_normal"})
      t.Add(m + name, "shape, mean, stddev, dtype, seed, name", [](Bound& a) {
        const std::string text = a.Text("name");
        return Value(rt::RandomNormal(ShapeArg(a), {.mean = a.Double("mean", 0),
                                                    .stddev = a.Double("stddev", 1),
                                                    .dtype = DTypeOf(a["dtype"]).value_or(DType::kFloat32),
                                                    .seed = Seed(a),
                                                    .name = text}));
      });
    for (const char* name : {"random.truncated_normal", "truncated_normal"})
      t.Add(m + name, "shape, mean, stddev, dtype, seed, name", [](Bound& a) {
        const std::string text = a.Text("name");
        return Value(rt::TruncatedNormal(ShapeArg(a), {.mean = a.Double("mean", 0),
                                                       .stddev = a.Double("stddev", 1),
                                                       .dtype = DTypeOf(a["dtype"]).value_or(DType::kFloat32),
                                                       .seed = Seed(a),
                                                       .name = text}));
      });
    for (const char* name : {"random.set_seed", "set_random_seed", "random.set_random_seed"})
      t.Add(m + name, "seed", [](Bound& a) {
        rt::SetRandomSeed(a.Int("seed", 0));
        return Value();
      });
    t.Add(m + "name_scope", "name, default_name, values", [](Bound& a) {
      const std::string name = a.Has("name") ? a.Text("name") : a.Text("default_name");
      return Manager([name]() -> ContextManager::Entered {
        auto scope = std::make_shared<rt::NameScope>(name);
        return {.value = Value(scope->path().empty() ? std::string() : scope->path() + "/"), .guard = scope};
      });
    });
    t.Add(m + "control_dependencies", "control_inputs", [](Bound& a) {
      std::vector<rt::Node*> nodes;
      if (a["control_inputs"].list())
        for (const Value& v : *a["control_inputs"].list()) {
          if (const auto* n = v.As<rt::Node*>()) nodes.push_back(*n);
          if (const auto* x = v.As<rt::Tensor>(); x && x->symbolic()) nodes.push_back(x->node());
        }
      return Manager([nodes]() -> ContextManager::Entered {
        return {.value = {}, .guard = std::make_shared<rt::ControlDependencies>(nodes)};
      });
    });
    t.Add(m + "Graph", "", [](Bound&) { return Value(std::make_shared<GraphObject>()); });
    t.Add(m + "TensorShape", "dims",
          [](Bound& a) { return a.Has("dims") ? Value(ToShape(a["dims"], "dims")) : Value(PartialShape()); });
    t.Add(m + "group", "*", [](Bound& a) {
      std::vector<rt::Node*> nodes;
      for (const Value& v : a.more())
        if (const auto* n = v.As<rt::Node*>()) nodes.push_back(*n);
      rt::Node* node = rt::Group(nodes);
      return node ? Value(node) : Value();
    });
  }
  t.Add("v1.get_default_graph", "", [](Bound&) { return Value(); });
  t.Add("tf.keras.utils.set_random_seed", "seed", [](Bound& a) {
    rt::SetKerasRandomSeed(a.Int("seed", 0));
    return Value();
  });
  t.Add("v1.keras.utils.DeterministicRandomTestTool", "seed, mode",
        [](Bound& a) { return Value(std::make_shared<ToolObject>(a.Int("seed", 42), a.Text("mode", "constant"))); });
}

void RegisterHelpers(PathTable& t) {
  const auto creator = [](std::function<rt::Variable(const rt::VariableNext&, rt::VariableCreationArgs)> f) {
    class CreatorObject final : public Object {
     public:
      explicit CreatorObject(rt::VariableCreator c) : creator(std::move(c)) {}
      std::string TypeName() const override { return "function"; }
      Value Get(const std::string& name) override {
        if (name != "__creator__") NoAttribute(name);
        return Manager([c = creator]() -> ContextManager::Entered {
          return {.value = {}, .guard = std::make_shared<rt::VariableCreatorScope>(c)};
        });
      }
      rt::VariableCreator creator;
    };
    return Value(std::make_shared<CreatorObject>(
        [f](const rt::VariableNext& next, const rt::VariableCreationArgs& args) { return f(next, args); }));
  };
  for (const char* path : {"v1.variable_creator_scope", "tf.variable_creator_scope"})
    t.Add(path, "variable_creator", [](Bound& a) { return GetAttribute(a["variable_creator"], "__creator__"); });
  t.Add("h.log_creator", "tag", [creator](Bound& a) {
    return creator([tag = a.Text("tag")](const rt::VariableNext& next, const rt::VariableCreationArgs& args) {
      rt::Variable v = next(args);
      nlohmann::json note = {{"arg_name", args.name ? nlohmann::json(*args.name) : nlohmann::json()},
                             {"trainable", args.trainable ? nlohmann::json(*args.trainable) : nlohmann::json()},
                             {"result", v.name()}};
      CurrentProgram().Note("creator " + tag, note);
      return v;
    });
  });
  t.Add("h.suffix_creator", "suffix", [creator](Bound& a) {
    return creator([suffix = a.Text("suffix")](const rt::VariableNext& next, rt::VariableCreationArgs args) {
      args.name = (args.name && !args.name->empty() ? *args.name : "Variable") + suffix;
      return next(args);
    });
  });
  t.Add("h.nontrainable_creator", "", [creator](Bound&) {
    return creator([](const rt::VariableNext& next, rt::VariableCreationArgs args) {
      args.trainable = false;
      return next(args);
    });
  });

  const auto getter = [](rt::CustomGetter g) { return Value(std::make_shared<GetterObject>(std::move(g))); };
  t.Add("h.suffix_getter", "suffix", [getter](Bound& a) {
    return getter([suffix = a.Text("suffix")](const rt::Getter& g, const std::string& name,
                                              const rt::GetVariableOptions& o) { return g(name + suffix, o); });
  });
  t.Add("h.nontrainable_getter", "", [getter](Bound&) {
    return getter([](const rt::Getter& g, const std::string& name, const rt::GetVariableOptions& given) {
      rt::GetVariableOptions o = given;
      o.trainable = false;
      return g(name, o);
    });
  });
  t.Add("h.times_getter", "factor", [getter](Bound& a) {
    return getter([factor = a["factor"]](const rt::Getter& g, const std::string& name,
                                         const rt::GetVariableOptions& o) -> rt::GotVariable {
      const rt::GotVariable got = g(name, o);
      const Value weight = got.variable ? Value(got.variable) : Value(got.tensor);
      rt::GotVariable result;
      result.tensor = ToTensor(Binary("*", weight, factor), "product");
      return result;
    });
  });
  t.Add("h.log_getter", "tag", [getter](Bound& a) {
    return getter([tag = a.Text("tag")](const rt::Getter& g, const std::string& name, const rt::GetVariableOptions& o) {
      CurrentProgram().Note("getter " + tag, name);
      return g(name, o);
    });
  });
  t.Add("h.assert_no_variable_creations", "", [](Bound&) {
    return Manager([]() -> ContextManager::Entered {
      return {.value = {}, .guard = std::make_shared<AssertNoVariableCreations>()};
    });
  });
  t.Add("h.catch_and_raise_created_variables", "", [](Bound&) {
    return Manager([]() -> ContextManager::Entered {
      auto guard = std::make_shared<CatchAndRaiseCreatedVariables>();
      // The creator scope must be gone before the text is made, and Finish comes after the block.
      return {.value = {}, .guard = nullptr, .finish = [guard] { guard->Finish(); }};
    });
  });
  t.Add("h.scaled_square", "scale", [](Bound& a) {
    return Value(rt::Regularizer{"reg", [scale = a.Double("scale", 1)](const rt::Variable& w) {
                                   const rt::Tensor square = w.operand() * w.operand();
                                   return scale * Reduce("Sum", square, {}, false, {});
                                 }});
  });
  t.Add("h.none_regularizer", "", [](Bound&) {
    return Value(rt::Regularizer{"none", [](const rt::Variable&) { return rt::Tensor(); }});
  });
  t.Add("h.zero_arg_ones", "shape", [](Bound& a) {
    const Shape shape = ToShape(a["shape"], "shape").Require();
    return Value(rt::Initializer{.name = "function", .make_without_shape = [shape] { return rt::Ones(shape); }});
  });
  t.Add("h.shape_callable", "value", [](Bound& a) {
    return Value(
        rt::Initializer{.name = "init", .make = [value = a.Double("value", 0)](const Shape& shape, DType dtype) {
                          rt::Tensor cast;
                          {
                            rt::NameScope scope("Cast");
                            cast = rt::Cast(rt::Constant(static_cast<float>(value), "x"), dtype);
                          }
                          return rt::Fill(shape, cast);
                        }});
  });
  t.Add("h.shape", "*", [](Bound& a) {
    List dims = a.more();
    return Value(ToShape(Value(std::move(dims)), "dims"));
  });
  t.Add("h._i.note", "label, value", [](Bound& a) {
    CurrentProgram().Note(a.Text("label"), Observation(a["value"]));
    return Value();
  });
  t.Add("h._i.binary", "op, a, b", [](Bound& a) { return Binary(a.Text("op"), a["a"], a["b"]); });
  t.Add("h._i.set_op_seed", "tool, value", [](Bound& a) {
    SetAttribute(a["tool"], "operation_seed", a["value"]);
    return Value();
  });
  t.Add("h._i.slice1", "shape", [](Bound& a) {
    const PartialShape shape = ToShape(a["shape"], "shape");
    return Value(PartialShape(std::vector<std::int64_t>(shape.dims().begin() + 1, shape.dims().end())));
  });
  t.Add("h._i.keys", "d", [](Bound& a) {
    List keys;
    if (a["d"].dict())
      for (const auto& [key, value] : *a["d"].dict()) keys.push_back(Value(key));
    return Value(std::move(keys));
  });
}

}  // namespace equiv::programs
