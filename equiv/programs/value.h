// equiv/programs/value.h - values of the JSON program language: what a Python variable would hold.
// Private to equiv/programs.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/layers/layer.h"

namespace equiv::programs {

namespace rt = equiv::runtime;

class Value;
using List = std::vector<Value>;
using Dict = std::vector<std::pair<std::string, Value>>;

// The arguments of a call.
struct Arguments {
  List positional = {};
  Dict named = {};
};

struct Function {
  std::string name;
  std::function<Value(Arguments&)> call;
};

// An object of a kind the variant below does not name: attributes on demand.
class Object {
 public:
  virtual ~Object() = default;
  virtual std::string TypeName() const = 0;
  // AttributeError when there is none of this name.
  virtual Value Get(const std::string& name);
  virtual void Set(const std::string& name, const Value& value);
  [[noreturn]] void NoAttribute(const std::string& name) const;
};

// What `with` enters. The guard lives as long as the block; `finish` runs when the block ends without an error.
class ContextManager : public Object {
 public:
  struct Entered;
  explicit ContextManager(std::function<Entered()> enter) : enter_(std::move(enter)) {}
  std::string TypeName() const override { return "ContextManager"; }
  Entered Enter();

 private:
  std::function<Entered()> enter_;
};

class Value {
 public:
  using Variant =
      std::variant<std::monostate, bool, std::int64_t, double, std::string, std::shared_ptr<List>,
                   std::shared_ptr<Dict>, rt::Tensor, rt::Variable, DType, PartialShape, rt::Node*, rt::Initializer,
                   rt::Regularizer, std::shared_ptr<Function>, std::shared_ptr<rt::Module>, std::shared_ptr<Object>>;
  Value() = default;
  Value(Variant v) : v_(std::move(v)) {}                             // NOLINT
  Value(bool b) : v_(b) {}                                           // NOLINT
  Value(std::int64_t i) : v_(i) {}                                   // NOLINT
  Value(int i) : v_(static_cast<std::int64_t>(i)) {}                 // NOLINT
  Value(double d) : v_(d) {}                                         // NOLINT
  Value(std::string s) : v_(std::move(s)) {}                         // NOLINT
  Value(const char* s) : v_(std::string(s)) {}                       // NOLINT
  Value(List list) : v_(std::make_shared<List>(std::move(list))) {}  // NOLINT
  Value(Dict dict) : v_(std::make_shared<Dict>(std::move(dict))) {}  // NOLINT
  Value(rt::Tensor t) : v_(std::move(t)) {}                          // NOLINT
  Value(rt::Variable v) : v_(std::move(v)) {}                        // NOLINT
  Value(DType d) : v_(d) {}                                          // NOLINT
  Value(PartialShape s) : v_(std::move(s)) {}                        // NOLINT
  Value(rt::Node* n) : v_(n) {}                                      // NOLINT
  Value(rt::Initializer i) : v_(std::move(i)) {}                     // NOLINT
  Value(rt::Regularizer r) : v_(std::move(r)) {}                     // NOLINT
  template <class T>
  requires std::is_base_of_v<rt::Module, T> Value(std::shared_ptr<T> m)
      : v_(std::static_pointer_cast<rt::Module>(std::move(m))) {}  // NOLINT
  template <class T>
  requires std::is_base_of_v<Object, T> Value(std::shared_ptr<T> o)
      : v_(std::static_pointer_cast<Object>(std::move(o))) {}  // NOLINT
  static Value Callable(std::string name, std::function<Value(Arguments&)> call) {
    return Value(Variant(std::make_shared<Function>(Function{std::move(name), std::move(call)})));
  }

  template <class T>
  const T* As() const {
    return std::get_if<T>(&v_);
  }
  bool none() const { return std::holds_alternative<std::monostate>(v_); }
  const List* list() const { return As<std::shared_ptr<List>>() ? As<std::shared_ptr<List>>()->get() : nullptr; }
  const Dict* dict() const { return As<std::shared_ptr<Dict>>() ? As<std::shared_ptr<Dict>>()->get() : nullptr; }
  const Function* function() const {
    return As<std::shared_ptr<Function>>() ? As<std::shared_ptr<Function>>()->get() : nullptr;
  }
  rt::Module* module() const {
    return As<std::shared_ptr<rt::Module>>() ? As<std::shared_ptr<rt::Module>>()->get() : nullptr;
  }
  template <class T>
  T* object() const {
    auto* held = As<std::shared_ptr<Object>>();
    return held ? dynamic_cast<T*>(held->get()) : nullptr;
  }
  bool Truth() const;
  // Python's type name and str(): "(16, None, 256)" of a shape.
  std::string TypeName() const;
  std::string ToString() const;
  bool SameAs(const Value& other) const;  // Python's `is`
  const Variant& variant() const { return v_; }

 private:
  Variant v_;
};

struct ContextManager::Entered {
  Value value = {};
  std::shared_ptr<void> guard = {};
  std::function<void()> finish = {};
};

// Conversions, TypeError naming `what` when the value does not fit.
bool ToBool(const Value& value, const char* what);
std::int64_t ToInt(const Value& value, const char* what);
double ToDouble(const Value& value, const char* what);
std::string ToText(const Value& value, const char* what);
std::vector<std::int64_t> ToInts(const Value& value, const char* what);  // an int counts as one
PartialShape ToShape(const Value& value, const char* what);
// Numbers become float32 and int32 constants, nests of them arrays; a variable becomes an operand.
rt::Tensor ToTensor(const Value& value, const char* what, std::optional<DType> dtype = std::nullopt);
Array ToArray(const Value& value, const char* what, std::optional<DType> dtype = std::nullopt);
std::vector<rt::Tensor> ToTensors(const Value& value, const char* what);
rt::Initializer ToInitializer(const Value& value, const char* what);
rt::Regularizer ToRegularizer(const Value& value, const char* what);
rt::Activation ToActivation(const Value& value, const char* what);
std::optional<rt::Reuse> ToReuse(const Value& value);

// Calls a function, a layer, a class.
Value Call(const Value& callee, Arguments arguments);
// Python's getattr and setattr.
Value GetAttribute(const Value& object, const std::string& name);
void SetAttribute(const Value& object, const std::string& name, const Value& value);
rt::Attribute ToAttribute(const Value& value);

}  // namespace equiv::programs
