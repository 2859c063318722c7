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

std::string DTypeText(const Variable& variable) { return variable.dtype_name(); }

void CheckShared(const std::string& key, const GetVariableOptions& o, const Variable& found) {
  if (o.shape && !o.shape->IsCompatibleWith(found.shape()))
    throw ValueError(fmt::format("Trying to share variable {}, but specified shape {} and found shape {}.", key,
                                 o.shape->ToTuple(), found.shape().ToTuple()));
  if (*o.dtype != found.dtype())
    throw ValueError(fmt::format("Trying to share variable {}, but specified dtype {} and found dtype {}.", key,
                                 Name(*o.dtype), DTypeText(found)));
}

// Rule C6.
Initializer DefaultInitializer(const std::string& key, DType dtype) {
  if (IsFloating(dtype)) return GlorotUniform();
  if (IsInteger(dtype) || dtype == DType::kBool || dtype == DType::kString) return ZerosInitializer();
  throw ValueError(fmt::format("An initializer for variable {} of {} is required", key, DTypeRepr(dtype)));
}

[[noreturn]] void ShapeMissing(const std::string& key, const GetVariableOptions& o, bool tracked) {
  if (tracked)
    throw TypeError(fmt::format("{}.__call__() missing 1 required positional argument: 'shape'",
                                o.initializer ? CamelCase(o.initializer.name) : "VarianceScaling"));
  if (!o.shape && !o.initializer)
    throw ValueError(
        fmt::format("Variable {} did not get an initializer, so its `shape` argument must be specified.", key));
  throw ValueError(
      "The initializer passed is not valid. It should be a callable with no arguments and the shape should not be "
      "provided or an instance of `tf.keras.initializers.*' and `shape` should be fully defined.");
}

std::string ShapeList(const Shape& shape) {
  std::string text;
  for (std::int64_t d : shape.dims()) text += fmt::format("{}{}", text.empty() ? "" : ", ", d);
  return "[" + text + "]";
}

std::string TensorRepr(const Tensor& tensor) {
  if (tensor.symbolic())
    return fmt::format("<tf.Tensor '{}' shape={} dtype={}>", TensorName(tensor), tensor.shape().ToTuple(),
                       Name(tensor.dtype()));
  return fmt::format("<tf.Tensor: shape={}, dtype={}, numpy={}>", tensor.shape().ToTuple(), Name(tensor.dtype()),
                     NumpyRepr(tensor.array()));
}

VariableCreationArgs CreationArgs(const std::string& key, const GetVariableOptions& o, bool tracked,
                                  const std::source_location& site) {
  VariableCreationArgs args;
  args.name = key;
  args.trainable = o.trainable.value_or(o.synchronization != VariableSynchronization::kOnRead);
  args.from_get_variable = !tracked;
  args.validate_shape = o.validate_shape;
  args.constraint = o.constraint;
  args.synchronization = o.synchronization;
  args.aggregation = o.aggregation;
  args.use_resource = tracked || o.use_resource.value_or(true);
  if (!tracked) {  // the tracked store ignores collections (S5)
    args.collections = o.collections;
    args.no_collections = o.no_collections;
  }
  args.call_site = site;
  if (o.initial_value) {
    args.initial_value = *o.initial_value;
    args.initial_value_text = TensorRepr(*o.initial_value);
    args.dtype = o.initial_value->dtype();
    return args;
  }
  if (!o.shape && o.initializer.make_without_shape) {
    args.initial_value = o.initializer.make_without_shape;
    args.initial_value_text = "<function>";
    return args;
  }
  const std::optional<Shape> shape = o.shape ? o.shape->AsShape() : std::nullopt;
  if (!o.initializer && !o.shape && !tracked) ShapeMissing(key, o, tracked);
  const Initializer initializer = o.initializer ? o.initializer : DefaultInitializer(key, *o.dtype);
  if (!shape) ShapeMissing(key, o, tracked);
  args.dtype = o.dtype;
  if (!initializer.make)
    throw TypeError(fmt::format("the initializer of variable {} takes no arguments, but a shape was given", key));
  args.initial_value = std::function<Tensor()>(
      [make = initializer.make, shape = *shape, dtype = *o.dtype] { return make(shape, dtype); });
  args.initial_value_text = fmt::format(
      "functools.partial(<{}>, {}, dtype={}{})",
      initializer.python_repr.empty()
          ? fmt::format("tensorflow.python.ops.init_ops.{} object at 0x0", CamelCase(initializer.name))
          : initializer.python_repr,
      ShapeList(*shape), internal::DTypeText(*o.dtype), initializer.python_repr.empty() ? ", partition_info=None" : "");
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

// tf: _VariableStore._get_single_variable
GotVariable GetSingle(const std::string& key, const GetVariableOptions& o, Reuse reuse,
                      const std::source_location& site) {
  Context& context = Current();
  ScopeState& state = StateOf(context);
  if (o.shape && o.initial_value) throw ValueError("If initializer is a constant, do not specify shape.");
  Variable found;
  if (!context.eager())
    if (auto it = state.variables.find(key); it != state.variables.end()) found = it->second;
  if (found) {
    if (reuse == Reuse::kNone)
      throw ValueError(
          fmt::format("Variable {} already exists, disallowed. Did you mean to set reuse=True or "
                      "reuse=tf.AUTO_REUSE in VarScope?{}",
                      key,
                      found.is_reference() ? fmt::format(" Originally defined at:\n\n  File \"{}\", line {}",
                                                         found.created_at().file_name(), found.created_at().line())
                                           : ""));
    CheckShared(key, o, found);
    return {.variable = found};
  }
  if (!context.eager() && reuse == Reuse::kTrue)
    throw ValueError(
        fmt::format("Variable {} does not exist, or was not created with tf.get_variable(). Did you mean to set "
                    "reuse=tf.AUTO_REUSE in VarScope?",
                    key));
  GetVariableOptions resolved = o;
  if (!resolved.use_resource) resolved.use_resource = context.eager() || state.resource_variables;
  const VariableCreationArgs args = CreationArgs(key, resolved, false, site);
  // Names come from the key alone: name scopes play no part (B12).
  NameScope root("");
  const Variable variable = Create(args);
  if (!context.eager()) state.variables.emplace(key, variable);
  if (o.regularizer) AddScopedLoss(o.regularizer, variable, key);
  return {.variable = variable, .created = true};
}

// tf: _EagerVariableStore._get_single_variable of the shim
GotVariable GetTracked(VariableStore& store, const std::string& key, const GetVariableOptions& o, Reuse reuse,
                       const std::source_location& site) {
  if (o.partitioner)
    throw ValueError(
        "`partitioner` arg for `get_variable` is unsupported in TF2. File a bug if you need help. You "
        "passed <function>");
  if (o.shape && o.initial_value) throw ValueError("If initializer is a constant, do not specify shape.");
  if (const Variable found = store.Find(key)) {
    CheckShared(key, o, found);
    return {.variable = found};
  }
  // Eager: every reuse means "if it exists" (S4).
  if (!Current().eager() && reuse == Reuse::kTrue)
    throw ValueError(
        fmt::format("Variable {} does not exist, or was not created with tf.get_variable(). Did you mean to set "
                    "reuse=tf.AUTO_REUSE in VarScope?",
                    key));
  const VariableCreationArgs args = CreationArgs(key, o, !store.for_template, site);
  NameScope root("");
  const Variable variable = Create(args);
  store.Add(key, variable);
  if (o.regularizer && store.for_template)
    AddScopedLoss(o.regularizer, variable, key);
  else if (o.regularizer)
    store.AddLoss({variable.name(), [regularizer = o.regularizer, variable] { return regularizer.loss(variable); }});
  return {.variable = variable, .created = true};
}

// tf: _VariableStore._get_partitioned_variable
GotVariable GetPartitioned(const std::string& key, const GetVariableOptions& o, Reuse reuse,
                           const std::source_location& site) {
  Context& context = Current();
  ScopeState& state = StateOf(context);
  if (!context.eager())
    if (auto it = state.partitioned.find(key); it != state.partitioned.end()) {
      if (reuse == Reuse::kNone)
        throw ValueError(
            fmt::format("Partitioned variable with name {} already exists. Did you mean to set reuse=True or "
                        "reuse=tf.AUTO_REUSE in VarScope?",
                        key));
      return {.partitioned = it->second};
    }
  const std::optional<Shape> shape = o.shape ? o.shape->AsShape() : std::nullopt;
  if (!shape)
    throw ValueError(fmt::format("Shape of a new partitioned variable must be fully defined, but instead was {}.",
                                 o.shape ? o.shape->ToTuple() : "None"));
  if (shape->rank() < 1)
    throw ValueError("A partitioned Variable must have rank at least 1, shape: " + shape->ToTuple());
  const std::vector<std::int64_t> slicing = o.partitioner(*shape, *o.dtype);
  if (static_cast<int>(slicing.size()) != shape->rank())
    throw ValueError(
        fmt::format("Partitioner returned a partition list that does not match the Variable's rank: {} "
                    "parts for shape {}",
                    slicing.size(), shape->ToTuple()));
  PartitionedVariable whole{.name = key, .parts = {}};
  for (int i = 0; i < shape->rank(); ++i)
    if (slicing[static_cast<std::size_t>(i)] > 1) whole.axis = i;
  const std::int64_t parts = slicing[static_cast<std::size_t>(whole.axis)], size = shape->dim(whole.axis);
  GetVariableOptions part = o;
  part.partitioner = {};
  std::vector<std::int64_t> offset(static_cast<std::size_t>(shape->rank()), 0);
  for (std::int64_t i = 0; i < parts; ++i) {
    std::vector<std::int64_t> dims = shape->vector();
    dims[static_cast<std::size_t>(whole.axis)] = size / parts + (i < size % parts ? 1 : 0);
    part.shape = PartialShape(dims);
    const Variable made = GetSingle(fmt::format("{}/part_{}", key, i), part, reuse, site).variable;
    made.impl().save_slice_info =
        SaveSliceInfo{.full_name = key, .full_shape = shape->vector(), .var_offset = offset, .var_shape = dims};
    offset[static_cast<std::size_t>(whole.axis)] += dims[static_cast<std::size_t>(whole.axis)];
    whole.parts.push_back(made);
  }
  if (!context.eager()) state.partitioned.emplace(key, whole);
  return {.partitioned = std::move(whole), .created = true};
}

}  // namespace

GotVariable GetOrCreateVariable(std::string_view name, const GetVariableOptions& options,
                                const std::source_location& site) {
  Context& context = Current();
  ScopeState& state = StateOf(context);
  const CapturedScope& scope = *state.current;
  GetVariableOptions o = options;
  if (o.initial_value && o.dtype && o.initial_value->dtype() != *o.dtype)
    throw ValueError(fmt::format("Initializer type '{}' and explicit dtype '{}' don't match.",
                                 DTypeRepr(o.initial_value->dtype()), DTypeRepr(*o.dtype)));
  const std::string key = JoinScope(scope.name, name);
  if (!o.initializer && !o.initial_value) o.initializer = scope.initializer;
  if (!o.dtype) o.dtype = scope.dtype.value_or(DType::kFloat32);
  if (!o.regularizer && !o.no_regularizer) o.regularizer = scope.regularizer;
  if (!o.partitioner) o.partitioner = scope.partitioner;
  if (!o.constraint) o.constraint = scope.constraint;
  if (!o.use_resource) o.use_resource = scope.use_resource;
  CustomGetter custom = o.custom_getter ? o.custom_getter : scope.custom_getter;
  o.custom_getter = {};
  // tf: VariableScope.get_variable passes reuse=False when executing eagerly, reuse=None becomes the scope's
  const Reuse reuse = context.eager() ? Reuse::kNone : scope.reuse;
  const Getter getter = [&, reuse](const std::string& full, const GetVariableOptions& args) -> GotVariable {
    if (state.store) return GetTracked(*state.store, full, args, reuse, site);
    if (args.partitioner) return GetPartitioned(full, args, reuse, site);
    if (!context.eager() && state.variables.contains(full + "/part_0"))
      throw ValueError(
          fmt::format("No partitioner was provided, but a partitioned version of the variable was found: {}/part_0. "
                      "Perhaps a variable of the same name was already created with partitioning?",
                      full));
    return GetSingle(full, args, reuse, site);
  };
  return custom ? custom(getter, key, o) : getter(key, o);
}

}  // namespace internal

GotVariable GetVariableOrTensor(std::string_view name, const GetVariableOptions& options,
                                const std::source_location& site) {
  return internal::GetOrCreateVariable(name, options, site);
}

Variable GetVariable(std::string_view name, const GetVariableOptions& options, const std::source_location& site) {
  GotVariable got = internal::GetOrCreateVariable(name, options, site);
  if (!got.variable)
    throw TypeError(
        fmt::format("GetVariable('{}'): a custom getter or a partitioner gave something else than one "
                    "variable; use GetVariableOrTensor",
                    name));
  return got.variable;
}

Variable GetLocalVariable(std::string_view name, GetVariableOptions options, const std::source_location& site) {
  options.trainable = false;
  if (options.collections.empty()) options.collections = {std::string(kLocalVariables)};
  return GetVariable(name, options, site);
}

Partitioner FixedSizePartitioner(std::int64_t parts, int axis) {
  if (parts < 1) throw ValueError(fmt::format("num_shards must be positive, got {}", parts));
  return [parts, axis](const Shape& shape, DType) {
    if (axis >= shape.rank())
      throw ValueError(fmt::format("axis {} of the partitioner is out of range for shape {}", axis, shape.ToTuple()));
    std::vector<std::int64_t> slicing(static_cast<std::size_t>(shape.rank()), 1);
    slicing[static_cast<std::size_t>(axis)] = std::min(parts, shape.dim(axis));
    return slicing;
  };
}

}  // namespace equiv::runtime
