#include "runtime/layers/v1.h"

#include <fmt/format.h>

#include "kernels/base/error.h"
#include "runtime/layers/layer_scope.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime {

namespace internal {
bool EagerOutside() { return InitContext().eager(); }
void AddStoreLoss(const Variable& variable, const Regularizer& regularizer) {
  if (VariableStore* store = StateOf(Current()).store)
    store->AddLoss({variable.name(), [regularizer, variable] { return regularizer.loss(variable); }});
}
Initializer DefaultKernelInitializerOf(DType dtype) {
  return IsFloating(dtype) ? DefaultKernelInitializer() : ZerosInitializer();
}
}  // namespace internal

namespace v1 {
namespace {
thread_local int keras_style = 0;
}  // namespace

KerasStyleScope::KerasStyleScope() { ++keras_style; }
KerasStyleScope::~KerasStyleScope() { --keras_style; }

namespace internal {

std::string ObjectName(const std::string& class_name, const std::string& name) {
  return name.empty() ? NextLayerName(SnakeCase(class_name), false) : name;
}

V1State::V1State(const std::string& class_name, const std::string& name, ScopeOptions options)
    : base_name(name.empty() ? SnakeCase(class_name) : name), reuse(options.reuse), keras_style(v1::keras_style > 0) {
  if (keras_style) {
    if (options.scope || !options.scope_name.empty())
      throw ValueError(fmt::format("scope argument not allowed when keras style layers are enabled, but saw: {}",
                                   options.scope ? options.scope->name : options.scope_name));
    if (options.reuse)
      throw ValueError(fmt::format("reuse argument not allowed when keras style layers are enabled, but saw: {}",
                                   *options.reuse == Reuse::kTrue   ? "True"
                                   : *options.reuse == Reuse::kAuto ? "AUTO_REUSE"
                                                                    : "False"));
    return;
  }
  if (options.scope) {
    VariableScope entered(options.scope);
    scope = entered.capture();
  } else if (!options.scope_name.empty()) {
    VariableScope entered(options.scope_name);
    scope = entered.capture();
  }
}

void V1State::SetScope(const std::string& given, const std::shared_ptr<CapturedScope>& object) {
  if (scope) return;
  if (object) {
    VariableScope entered(object);
    scope = entered.capture();
    return;
  }
  if ((reuse && *reuse != Reuse::kNone) || !given.empty()) {
    VariableScope entered(given.empty() ? base_name : given);
    scope = entered.capture();
  } else {
    VariableScope entered("", VariableScope::Default(base_name));
    scope = entered.capture();
  }
}

}  // namespace internal

StatelessLayer::StatelessLayer(const char* class_name, Function function, const keras::Common& options,
                               ScopeOptions scope)
    : V1(class_name, options, std::move(scope), class_name, std::move(function)) {}

namespace {
template <class Options>
ScopeOptions ByName(const Options& options, std::optional<Reuse> reuse) {
  return {.scope = nullptr, .scope_name = options.name, .reuse = reuse};
}
constexpr const char* kMaxPooling[] = {"MaxPooling1D", "MaxPooling2D", "MaxPooling3D"};
constexpr const char* kAveragePooling[] = {"AveragePooling1D", "AveragePooling2D", "AveragePooling3D"};
}  // namespace

Tensor Dense(const Tensor& x, std::int64_t units, const DenseOptions& options, std::optional<Reuse> reuse,
             const std::source_location& site) {
  CallSite called(site);
  return DenseLayer(units, options, ByName(options, reuse))(CallArgs{{x}, std::nullopt}).output;
}
Tensor Conv(int rank, const Tensor& x, std::int64_t filters, std::vector<std::int64_t> kernel_size,
            const ConvOptions& options, std::optional<Reuse> reuse, const std::source_location& site) {
  CallSite called(site);
  return ConvLayer(rank, filters, std::move(kernel_size), options, ByName(options, reuse))(CallArgs{{x}, std::nullopt})
      .output;
}
Tensor Conv2D(const Tensor& x, std::int64_t filters, std::vector<std::int64_t> kernel_size, const ConvOptions& options,
              std::optional<Reuse> reuse, const std::source_location& site) {
  CallSite called(site);
  return Conv(2, x, filters, std::move(kernel_size), options, reuse, site);
}
Tensor ConvTranspose(int rank, const Tensor& x, std::int64_t filters, std::vector<std::int64_t> kernel_size,
                     const ConvOptions& options, std::optional<Reuse> reuse, const std::source_location& site) {
  CallSite called(site);
  return ConvTransposeLayer(rank, filters, std::move(kernel_size), options,
                            ByName(options, reuse))(CallArgs{{x}, std::nullopt})
      .output;
}
Tensor SeparableConv(int rank, const Tensor& x, std::int64_t filters, std::vector<std::int64_t> kernel_size,
                     const ConvOptions& options, std::optional<Reuse> reuse, const std::source_location& site) {
  CallSite called(site);
  return SeparableConvLayer(rank, filters, std::move(kernel_size), options,
                            ByName(options, reuse))(CallArgs{{x}, std::nullopt})
      .output;
}
Tensor BatchNormalization(const Tensor& x, const BatchNormOptions& options, std::optional<bool> training,
                          std::optional<Reuse> reuse, const std::source_location& site) {
  CallSite called(site);
  return BatchNormLayer(options, ByName(options, reuse))(CallArgs{{x}, training, true}).output;
}
Tensor MaxPooling(int rank, const Tensor& x, const PoolingOptions& options) {
  return StatelessLayer(kMaxPooling[rank - 1], keras::Pooling(true, rank, options),
                        keras::CommonOf(options))(CallArgs{{x}, std::nullopt})
      .output;
}
Tensor AveragePooling(int rank, const Tensor& x, const PoolingOptions& options) {
  return StatelessLayer(kAveragePooling[rank - 1], keras::Pooling(false, rank, options), keras::CommonOf(options))(x)
      .output;
}
Tensor Flatten(const Tensor& x, const std::string& name) {
  keras::Common options;
  options.name = name;
  return StatelessLayer(
             "Flatten", [](const auto& in) { return keras::FlattenTensor(in.at(0)); }, options)(x)
      .output;
}
Tensor Dropout(const Tensor& x, double rate, std::optional<bool> training, const keras::DropoutOptions& options) {
  return DropoutLayer(rate, options)(CallArgs{{x}, training, true}).output;
}

}  // namespace v1
}  // namespace equiv::runtime
