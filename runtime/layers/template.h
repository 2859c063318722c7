// runtime/layers/template.h - functions that share their variables over all calls. tf: tf.compat.v1.make_template
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/variables/variables.h"

namespace equiv::runtime {

struct TemplateOptions {
  bool create_scope_now = false;
  std::string unique_name = {};  // graphs only (ValueError in eager)
  CustomGetter custom_getter = {};
};
// Opens variable_scope(None, default_name=name) at the first call, or now, and re-enters it with reuse at each later
// one (rule D6). In eager the variables live in the store of the tracked method in which the template was made or first
// called (U1, U2), or in a store of its own.
class Template {
 public:
  explicit Template(std::string name, const TemplateOptions& options = {});
  // Runs `body` inside the template's scope.
  void Run(const std::function<void()>& body);
  template <class Function>
  auto operator()(Function&& function) {
    decltype(function()) result{};
    Run([&] { result = function(); });
    return result;
  }
  const std::string& name() const { return name_; }
  std::vector<Variable> variables() const;
  std::vector<Variable> trainable_variables() const;

 private:
  std::string name_;
  TemplateOptions options_;
  bool eager_, called_ = false;
  std::shared_ptr<CapturedScope> scope_;
  VariableStore* outer_store_ = nullptr;
  VariableStore own_store_;
};

}  // namespace equiv::runtime
