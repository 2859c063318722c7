// Variables of slim and queries over them.
#include <fmt/format.h>

#include <algorithm>

#include "kernels/base/error.h"
#include "runtime/layers/slim.h"

namespace equiv::runtime::slim {

Variable MakeSlimVariable(std::string_view name, GetVariableOptions options, const std::source_location& site) {
  if (options.collections.empty()) options.collections = {std::string(kGlobalVariables)};
  return GetVariable(name, options, site);
}
Variable ModelVariable(std::string_view name, GetVariableOptions options, const std::source_location& site) {
  options.collections.push_back(std::string(kGlobalVariables));
  options.collections.push_back(std::string(kModelVariables));
  return GetVariable(name, options, site);
}
Variable LocalVariable(const Tensor& initial_value, const std::string& name, const std::source_location& site) {
  return MakeVariable(initial_value, {.trainable = false, .name = name, .collections = {std::string(kLocalVariables)}},
                      site);
}

std::vector<Variable> GetVariables(std::string_view scope, std::string_view suffix, std::string_view collection) {
  std::string pattern(scope);
  if (!suffix.empty()) pattern += ".*" + std::string(suffix) + (suffix.find(':') == std::string_view::npos ? ":" : "");
  return VariablesOf(collection, pattern);
}
Variable GetUniqueVariable(std::string_view name) {
  const std::vector<Variable> candidates = GetVariables({}, name);
  if (candidates.empty()) throw ValueError(fmt::format("Couldn't find variable {}", name));
  for (const Variable& v : candidates)
    if (v.op_name() == name) return v;
  throw ValueError(fmt::format("Variable {} does not uniquely identify a variable", name));
}
std::vector<Variable> GetVariablesToRestore(const std::vector<std::string>& include,
                                            const std::vector<std::string>& exclude) {
  std::vector<Variable> chosen, left_out;
  if (include.empty()) chosen = GetVariables();
  for (const std::string& scope : include)
    for (const Variable& v : GetVariables(scope)) chosen.push_back(v);
  for (const std::string& scope : exclude)
    for (const Variable& v : GetVariables(scope)) left_out.push_back(v);
  std::erase_if(chosen, [&](const Variable& v) { return std::ranges::find(left_out, v) != left_out.end(); });
  return chosen;
}

}  // namespace equiv::runtime::slim
