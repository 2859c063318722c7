#include <fmt/format.h>

#include <cctype>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/random/initializers.h"
#include "runtime/variables/scope_state.h"
#include "runtime/variables/variable_impl.h"

namespace equiv::runtime {
namespace internal {
namespace {

// One request, with what the scope adds filled in.
struct Request {
  std::string key, name;
  std::optional<PartialShape> shape;
  DType dtype = DType::kFloat32;
  Initializer initializer;
  std::optional<Tensor> constant;
  bool tracked = false;  // inside a tracked method
};

void CheckShared(const Request& request, const Variable& found) {
  if (request.shape && !request.shape->IsCompatibleWith(found.shape()))
    throw ValueError(fmt::format("Trying to share variable {}, but specified shape {} and found shape {}.", request.key,
                                 request.shape->ToTuple(), found.shape().ToTuple()));
  if (request.dtype != found.dtype())
    throw ValueError(fmt::format("Trying to share variable {}, but specified dtype {} and found dtype {}.", request.key,
                                 Name(request.dtype), Name(found.dtype())));
}

// Rule C6.
Initializer DefaultInitializer(const Request& request) {
  if (IsFloating(request.dtype)) return GlorotUniform();
  if (IsInteger(request.dtype) || request.dtype == DType::kBool) return ZerosInitializer();
  if (request.dtype == DType::kString)
    return {"zeros", [](const Shape& shape, DType) {
              return Constant(
                  Array::Strings(shape, std::vector<std::string>(static_cast<std::size_t>(shape.num_elements()))));
            }};
  throw ValueError(
      fmt::format("An initializer for variable {} of {} is required", request.key, DTypeRepr(request.dtype)));
}

[[noreturn]] void ShapeMissing(const Request& request) {
  if (request.tracked)
    throw TypeError(fmt::format("{}.__call__() missing 1 required positional argument: 'shape'",
                                request.initializer ? CamelCase(request.initializer.name) : "VarianceScaling"));
  if (!request.shape && !request.initializer)
    throw ValueError(
        fmt::format("Variable {} did not get an initializer, so its `shape` argument must be specified.", request.key));
  throw ValueError(
      "The initializer passed is not valid. It should be a callable with no arguments and the shape should not be "
      "provided or an instance of `tf.keras.initializers.*' and `shape` should be fully defined.");
}

std::string ShapeList(const Shape& shape) {
  std::string text;
  for (std::int64_t d : shape.dims()) text += fmt::format("{}{}", text.empty() ? "" : ", ", d);
  return "[" + text + "]";
}

VariableCreationArgs CreationArgs(const Request& request, const GetVariableOptions& options,
                                  const std::source_location& site) {
  VariableCreationArgs args;
  args.name = request.key;
  args.trainable = options.trainable.value_or(true);
  args.from_get_variable = !request.tracked;
  if (!request.tracked) {  // the tracked store ignores collections (S5)
    args.collections = options.collections;
    args.no_collections = options.no_collections;
  }
  args.call_site = site;
  if (request.constant) {
    if (request.shape) throw ValueError("If initializer is a constant, do not specify shape.");
    args.initial_value = *request.constant;
    args.initial_value_text =
        request.constant->symbolic()
            ? fmt::format("<tf.Tensor '{}' shape={} dtype={}>", TensorName(*request.constant),
                          request.constant->shape().ToTuple(), Name(request.constant->dtype()))
            : fmt::format("<tf.Tensor: shape={}, dtype={}, numpy={}>", request.constant->shape().ToTuple(),
                          Name(request.constant->dtype()), NumpyRepr(request.constant->array()));
    args.dtype = request.constant->dtype();
    return args;
  }
  const std::optional<Shape> shape = request.shape ? request.shape->AsShape() : std::nullopt;
  if (!shape) ShapeMissing(request);
  const Initializer initializer = request.initializer ? request.initializer : DefaultInitializer(request);
  args.dtype = request.dtype;
  args.initial_value = std::function<Tensor()>(
      [make = initializer.make, shape = *shape, dtype = request.dtype] { return make(shape, dtype); });
  args.initial_value_text = fmt::format(
      "functools.partial(<tensorflow.python.ops.init_ops.{} object at 0x0>, {}, dtype={}, partition_info=None)",
      CamelCase(initializer.name), ShapeList(*shape), DTypeText(request.dtype));
  return args;
}

// Rule C11: a probe in the root name scope, then the loss that counts.
void AddScopedLoss(const Regularizer& regularizer, const Variable& variable, const std::string& key) {
  Tensor loss = regularizer.loss(variable);
  if (!loss.has_value()) return;
  if (!Current().eager()) {
    NameScope scope(key + "/Regularizer/");
    loss = regularizer.loss(variable);
  }
  AddToCollection(kRegularizationLosses, loss);
}

}  // namespace

GotVariable GetOrCreateVariable(std::string_view name, const GetVariableOptions& options,
                                const std::source_location& site) {
  Context& context = Current();
  ScopeState& state = StateOf(context);
  const CapturedScope& scope = *state.current;
  if (options.initial_value && options.dtype && options.initial_value->dtype() != *options.dtype)
    throw ValueError(fmt::format("Initializer type '{}' and explicit dtype '{}' don't match.",
                                 DTypeRepr(options.initial_value->dtype()), DTypeRepr(*options.dtype)));
  Request request;
  request.key = JoinScope(scope.name, name);
  request.shape = options.shape;
  request.constant = options.initial_value;
  request.initializer = options.initializer ? options.initializer : scope.initializer;
  request.dtype = options.dtype ? *options.dtype : scope.dtype ? *scope.dtype : DType::kFloat32;
  request.tracked = state.store != nullptr;
  const Regularizer regularizer = options.regularizer      ? options.regularizer
                                  : options.no_regularizer ? Regularizer{}
                                                           : scope.regularizer;
  // Eager without a store never looks up (C13); a tracked method takes every reuse for "if it exists" (S4).
  Variable found;
  if (state.store) {
    found = state.store->Find(request.key);
  } else if (!context.eager()) {
    if (auto it = state.variables.find(request.key); it != state.variables.end()) found = it->second;
  }
  if (found) {
    if (!state.store && scope.reuse == Reuse::kNone)
      throw ValueError(
          fmt::format("Variable {} already exists, disallowed. Did you mean to set reuse=True or "
                      "reuse=tf.AUTO_REUSE in VarScope?",
                      request.key));
    CheckShared(request, found);
    return {found, false};
  }
  if (!context.eager() && scope.reuse == Reuse::kTrue)
    throw ValueError(
        fmt::format("Variable {} does not exist, or was not created with tf.get_variable(). Did you mean to set "
                    "reuse=tf.AUTO_REUSE in VarScope?",
                    request.key));
  const VariableCreationArgs args = CreationArgs(request, options, site);
  // Names come from the key alone: name scopes play no part (B12).
  NameScope root("");
  const Variable variable = Create(args);
  if (state.store) {
    state.store->Add(request.key, variable);
    if (regularizer)
      state.store->AddLoss({variable.name(), [regularizer, variable] { return regularizer.loss(variable); }});
    return {variable, true};
  }
  if (!context.eager()) state.variables.emplace(request.key, variable);
  if (regularizer) AddScopedLoss(regularizer, variable, request.key);
  return {variable, true};
}

}  // namespace internal

Variable GetVariable(std::string_view name, const GetVariableOptions& options, const std::source_location& site) {
  return internal::GetOrCreateVariable(name, options, site).variable;
}

}  // namespace equiv::runtime
