#include "runtime/layers/template.h"

#include <fmt/format.h>

#include <optional>

#include "kernels/base/error.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime {

Template::Template(std::string name, const TemplateOptions& options)
    : name_(std::move(name)), options_(options), eager_(Current().eager()), outer_store_(CurrentVariableStore()) {
  if (eager_ && !options.unique_name.empty())
    throw ValueError("unique_name_ cannot be used when eager execution is enabled.");
  own_store_.for_template = true;
  if (options.create_scope_now) {
    VariableScopeOptions o;
    o.custom_getter = options.custom_getter;
    o.pure = true;
    if (options.unique_name.empty()) o.default_name = name_;
    VariableScope scope(options.unique_name, o);
    scope_ = scope.capture();
  }
}

void Template::Run(const std::function<void()>& body) {
  VariableScopeOptions o;
  std::optional<VariableScope> scope;
  if (scope_) {
    o.reuse = eager_ ? Reuse::kAuto : called_ ? Reuse::kTrue : Reuse::kNone;
    scope.emplace(scope_, o);
  } else {
    o.custom_getter = options_.custom_getter;
    if (options_.unique_name.empty()) o.default_name = name_;
    scope.emplace(options_.unique_name, o);
    scope_ = scope->capture();
  }
  if (eager_) {
    if (!called_ && !outer_store_) outer_store_ = CurrentVariableStore();
    VariableStoreScope store(outer_store_ ? *outer_store_ : own_store_);
    body();
    called_ = true;
    return;
  }
  const std::vector<Variable> before = TrainableVariables();
  body();
  const std::vector<Variable> after = TrainableVariables();
  if (called_ && after.size() != before.size()) {
    std::string made;
    for (std::size_t i = before.size(); i < after.size(); ++i) made += (made.empty() ? "" : ", ") + after[i].Describe();
    throw ValueError(
        fmt::format("Trainable variable created when calling a template after the first time, perhaps you used "
                    "tf.Variable when you meant tf.get_variable: [{}]",
                    made));
  }
  called_ = true;
}

std::vector<Variable> Template::variables() const {
  if (!scope_) return {};
  std::vector<Variable> found;
  if (!eager_) return VariablesOf(kGlobalVariables, scope_->name + "/");
  const std::string prefix = scope_->name + "/";
  for (const auto& [key, variable] : (outer_store_ ? *outer_store_ : own_store_).variables())
    if (key.starts_with(prefix)) found.push_back(variable);
  return found;
}
std::vector<Variable> Template::trainable_variables() const {
  std::vector<Variable> all = variables();
  std::erase_if(all, [](const Variable& v) { return !v.trainable(); });
  return all;
}

}  // namespace equiv::runtime
