#include "equiv/programs/value.h"

#include <fmt/format.h>

#include "equiv/programs/interpreter.h"
#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/random/initializers.h"
#include "runtime/variables/regularizers.h"

namespace equiv::programs {

Value Object::Get(const std::string& name) { NoAttribute(name); }
void Object::Set(const std::string& name, const Value&) { NoAttribute(name); }
void Object::NoAttribute(const std::string& name) const {
  throw AttributeError(fmt::format("'{}' object has no attribute '{}'", TypeName(), name));
}
ContextManager::Entered ContextManager::Enter() { return enter_(); }

bool Value::Truth() const {
  if (none()) return false;
  if (const bool* b = As<bool>()) return *b;
  if (const auto* i = As<std::int64_t>()) return *i != 0;
  if (const double* d = As<double>()) return *d != 0;
  if (const auto* s = As<std::string>()) return !s->empty();
  if (list()) return !list()->empty();
  if (dict()) return !dict()->empty();
  if (const auto* shape = As<PartialShape>()) return shape->has_rank();
  return true;
}

std::string Value::TypeName() const {
  static constexpr const char* kNames[] = {
      "NoneType", "bool",        "int",       "float",       "str",         "list",     "dict",   "Tensor", "Variable",
      "DType",    "TensorShape", "Operation", "Initializer", "Regularizer", "function", "Module", "object"};
  if (module()) return module()->class_name();
  if (const auto* o = As<std::shared_ptr<Object>>()) return (*o)->TypeName();
  return kNames[v_.index()];
}

std::string Value::ToString() const {
  if (none()) return "None";
  if (const bool* b = As<bool>()) return *b ? "True" : "False";
  if (const auto* i = As<std::int64_t>()) return std::to_string(*i);
  if (const double* d = As<double>()) return fmt::format("{}", *d);
  if (const auto* s = As<std::string>()) return *s;
  if (const auto* shape = As<PartialShape>()) return shape->ToTuple();
  if (const auto* dtype = As<DType>()) return fmt::format("<dtype: '{}'>", Name(*dtype));
  if (list()) {
    std::string text;
    for (const Value& v : *list()) {
      const std::string item = v.As<std::string>() ? "'" + v.ToString() + "'" : v.ToString();
      text += (text.empty() ? "" : ", ") + item;
    }
    return "[" + text + "]";
  }
  return "<" + TypeName() + ">";
}

bool Value::SameAs(const Value& other) const {
  if (v_.index() != other.v_.index()) return false;
  return std::visit(
      [&](const auto& a) -> bool {
        using T = std::decay_t<decltype(a)>;
        const T& b = std::get<T>(other.v_);
        if constexpr (std::is_same_v<T, rt::Initializer> || std::is_same_v<T, rt::Regularizer>) {
          return false;
        } else {
          return a == b;
        }
      },
      v_);
}

namespace {
[[noreturn]] void Wrong(const Value& value, const char* what, const char* expected) {
  throw TypeError(
      fmt::format("argument '{}': expected {}, got {} ({})", what, expected, value.ToString(), value.TypeName()));
}
}  // namespace

bool ToBool(const Value& value, const char* what) {
  if (const bool* b = value.As<bool>()) return *b;
  if (const auto* i = value.As<std::int64_t>()) return *i != 0;
  Wrong(value, what, "a bool");
}
std::int64_t ToInt(const Value& value, const char* what) {
  if (const auto* i = value.As<std::int64_t>()) return *i;
  if (const bool* b = value.As<bool>()) return *b;
  Wrong(value, what, "an integer");
}
double ToDouble(const Value& value, const char* what) {
  if (const double* d = value.As<double>()) return *d;
  if (const auto* i = value.As<std::int64_t>()) return static_cast<double>(*i);
  Wrong(value, what, "a number");
}
std::string ToText(const Value& value, const char* what) {
  if (const auto* s = value.As<std::string>()) return *s;
  Wrong(value, what, "a string");
}
std::vector<std::int64_t> ToInts(const Value& value, const char* what) {
  if (value.As<std::int64_t>()) return {*value.As<std::int64_t>()};
  if (const auto* shape = value.As<PartialShape>()) return shape->dims();
  if (!value.list()) Wrong(value, what, "an integer or a list of integers");
  std::vector<std::int64_t> ints;
  for (const Value& v : *value.list()) ints.push_back(v.none() ? -1 : ToInt(v, what));
  return ints;
}
PartialShape ToShape(const Value& value, const char* what) {
  if (const auto* shape = value.As<PartialShape>()) return *shape;
  std::vector<std::int64_t> dims;
  if (value.As<std::int64_t>()) {
    dims.push_back(*value.As<std::int64_t>());
  } else if (value.list()) {
    for (const Value& v : *value.list()) dims.push_back(v.none() ? -1 : ToInt(v, what));
  } else {
    Wrong(value, what, "a shape");
  }
  return PartialShape(std::move(dims));
}

namespace {
struct Numbers {
  std::vector<std::int64_t> dims;
  std::vector<double> values;
  bool floating = false, boolean = false;
};
void Gather(const Value& value, std::size_t depth, Numbers& n, const char* what) {
  if (value.list()) {
    if (n.dims.size() == depth) n.dims.push_back(static_cast<std::int64_t>(value.list()->size()));
    if (n.dims[depth] != static_cast<std::int64_t>(value.list()->size()))
      throw ValueError(fmt::format("argument '{}': Can't convert non-rectangular Python sequence to Tensor.", what));
    for (const Value& v : *value.list()) Gather(v, depth + 1, n, what);
    return;
  }
  if (value.As<bool>()) {
    n.boolean = true;
    n.values.push_back(*value.As<bool>());
    return;
  }
  n.floating |= value.As<double>() != nullptr;
  n.values.push_back(ToDouble(value, what));
}
template <class T>
Array Fill(const Shape& shape, const std::vector<double>& values) {
  Array array(kDTypeOf<T>, shape);
  T* out = array.mutable_data<T>();
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = static_cast<T>(values[i]);
  return array;
}
}  // namespace

Array ToArray(const Value& value, const char* what, std::optional<DType> dtype) {
  Numbers n;
  Gather(value, 0, n, what);
  const DType wanted = dtype ? *dtype : n.floating ? DType::kFloat32 : n.boolean ? DType::kBool : DType::kInt32;
  const Shape shape(n.dims);
  switch (wanted) {
    case DType::kFloat32:
      return Fill<float>(shape, n.values);
    case DType::kFloat64:
      return Fill<double>(shape, n.values);
    case DType::kInt32:
      return Fill<std::int32_t>(shape, n.values);
    case DType::kInt64:
      return Fill<std::int64_t>(shape, n.values);
    case DType::kUInt8:
      return Fill<std::uint8_t>(shape, n.values);
    case DType::kBool:
      return Fill<bool>(shape, n.values);
    default: {
      rt::EagerScope eager;
      return rt::Cast(rt::Tensor(Fill<float>(shape, n.values)), wanted).array();
    }
  }
}

rt::Tensor ToTensor(const Value& value, const char* what, std::optional<DType> dtype) {
  if (const auto* t = value.As<rt::Tensor>()) return *t;
  if (const auto* v = value.As<rt::Variable>()) return v->operand();
  if (const auto* shape = value.As<PartialShape>()) {
    List dims;
    for (std::int64_t d : shape->dims()) dims.push_back(Value(d));
    return rt::Constant(ToArray(Value(dims), what, DType::kInt32));
  }
  if (const auto* o = value.As<std::shared_ptr<Object>>()) return ToTensor((*o)->Get("__tensor__"), what, dtype);
  if (value.none()) throw ValueError(fmt::format("argument '{}': None values not supported.", what));
  return rt::Constant(ToArray(value, what, dtype));
}
std::vector<rt::Tensor> ToTensors(const Value& value, const char* what) {
  std::vector<rt::Tensor> tensors;
  if (!value.list()) return {ToTensor(value, what)};
  for (const Value& v : *value.list()) tensors.push_back(ToTensor(v, what));
  return tensors;
}

rt::Initializer ToInitializer(const Value& value, const char* what) {
  if (value.none()) return {};
  if (const auto* i = value.As<rt::Initializer>()) return *i;
  if (const auto* s = value.As<std::string>()) {
    if (*s == "zeros") return rt::ZerosInitializer();
    if (*s == "ones") return rt::OnesInitializer();
    if (!rt::ResourceVariablesEnabled()) {
      // Without TF2 behaviour the names stand for the v1 classes, which draw from stateful ops.
      if (*s == "glorot_uniform") return rt::GlorotUniform();
      if (*s == "glorot_normal") return rt::GlorotNormal();
      if (*s == "he_normal") return rt::HeNormal();
      if (*s == "he_uniform") return rt::HeUniform();
      if (*s == "lecun_normal") return rt::LecunNormal();
      if (*s == "lecun_uniform") return rt::LecunUniform();
      if (*s == "random_normal") return rt::RandomNormalInitializer(0, 0.05);
      if (*s == "random_uniform") return rt::RandomUniformInitializer(-0.05, 0.05);
      if (*s == "truncated_normal") return rt::TruncatedNormalInitializer(0, 0.05);
      if (*s == "orthogonal") return rt::OrthogonalInitializer();
    }
    if (*s == "glorot_uniform") return rt::keras::GlorotUniform();
    if (*s == "glorot_normal") return rt::keras::GlorotNormal();
    if (*s == "he_normal") return rt::keras::HeNormal();
    if (*s == "he_uniform") return rt::keras::HeUniform();
    if (*s == "lecun_normal") return rt::keras::LecunNormal();
    if (*s == "lecun_uniform") return rt::keras::LecunUniform();
    if (*s == "random_normal") return rt::keras::RandomNormal();
    if (*s == "random_uniform") return rt::keras::RandomUniform();
    if (*s == "truncated_normal") return rt::keras::TruncatedNormal();
    if (*s == "orthogonal") return rt::keras::Orthogonal();
    throw ValueError(fmt::format("Unknown initializer: '{}'. Please ensure you are using a known initializer", *s));
  }
  if (value.function()) {
    // A class stands for an object of it.
    const Value made = Call(value, {});
    if (const auto* i = made.As<rt::Initializer>()) return *i;
    return {.name = "function", .make_without_shape = [value, what] { return ToTensor(Call(value, {}), what); }};
  }
  Wrong(value, what, "an initializer");
}

rt::Regularizer ToRegularizer(const Value& value, const char* what) {
  if (value.none()) return {};
  if (const auto* r = value.As<rt::Regularizer>()) return *r;
  if (const auto* s = value.As<std::string>()) {
    if (*s == "l1") return rt::L1();
    if (*s == "l2") return rt::L2();
    if (*s == "l1_l2") return rt::L1L2(0.01, 0.01);
    throw ValueError(fmt::format("Unknown regularizer: '{}'. Please ensure you are using a known regularizer", *s));
  }
  if (value.function())
    return {"function", [value, what](const rt::Variable& weight) -> rt::Tensor {
              Arguments arguments;
              arguments.positional.push_back(Value(weight));
              const Value loss = Call(value, std::move(arguments));
              return loss.none() ? rt::Tensor() : ToTensor(loss, what);
            }};
  Wrong(value, what, "a regularizer");
}

rt::Activation ToActivation(const Value& value, const char* what) {
  if (value.none()) return {};
  if (const auto* s = value.As<std::string>()) {
    if (*s == "linear") return {};
    if (*s == "relu") return [](const rt::Tensor& x) { return rt::Relu(x); };
    if (*s == "softmax") return [](const rt::Tensor& x) { return rt::Softmax(x); };
    static constexpr std::pair<const char*, const char*> kOps[] = {
        {"tanh", "Tanh"},   {"sigmoid", "Sigmoid"}, {"elu", "Elu"},           {"selu", "Selu"},
        {"relu6", "Relu6"}, {"exponential", "Exp"}, {"softplus", "Softplus"}, {"softsign", "Softsign"}};
    for (const auto& [name, op] : kOps)
      if (*s == name) return [op = op](const rt::Tensor& x) { return rt::Current().Add1(op, {x}); };
    throw ValueError(fmt::format("Unknown activation function: '{}'. Please ensure you are using a known one", *s));
  }
  if (value.function() || value.module())
    return [value, what](const rt::Tensor& x) {
      Arguments arguments;
      arguments.positional.push_back(Value(x));
      return ToTensor(Call(value, std::move(arguments)), what);
    };
  Wrong(value, what, "an activation");
}

std::optional<rt::Reuse> ToReuse(const Value& value) {
  if (value.none()) return std::nullopt;
  if (const bool* b = value.As<bool>()) return *b ? rt::Reuse::kTrue : rt::Reuse::kNone;
  if (value.As<std::string>() && value.As<std::string>()->ends_with("AUTO_REUSE")) return rt::Reuse::kAuto;
  throw ValueError("The reuse parameter must be True or False or None.");
}

rt::Attribute ToAttribute(const Value& value) {
  if (const auto* v = value.As<rt::Variable>()) return {*v};
  if (const auto* m = value.As<std::shared_ptr<rt::Module>>()) return {*m};
  if (value.list()) {
    rt::Attribute::List items;
    for (const Value& item : *value.list()) items.push_back(ToAttribute(item));
    return {std::move(items)};
  }
  if (value.dict()) {
    rt::Attribute::Dict items;
    for (const auto& [key, item] : *value.dict()) items.emplace_back(key, ToAttribute(item));
    return {std::move(items)};
  }
  return {};
}

}  // namespace equiv::programs
