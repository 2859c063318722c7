#include "runtime/checkpoint/checkpoint_utils.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "kernels/base/error.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/checkpoint_state.h"
#include "runtime/checkpoint/saveable.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/checkpoint/saver_graph.h"
#include "runtime/core/log.h"
#include "runtime/core/ops.h"
#include "runtime/variables/scope_state.h"
#include "runtime/variables/variable_impl.h"

namespace equiv::runtime {
namespace {

// {'a': [3], 'old/x': [1, 2]}
std::string ShapeMapText(const CheckpointReader& reader) {
  std::vector<std::string> items;
  for (const std::string& key : reader.KeysInMapOrder())
    items.push_back(fmt::format("'{}': [{}]", key, fmt::join(reader.Entry(key).shape, ", ")));
  return fmt::format("{{{}}}", fmt::join(items, ", "));
}

class CheckpointInitializer {
 public:
  CheckpointInitializer(const std::string& path, const CheckpointReader& reader) : path_(path), reader_(reader) {}

  void FromTensor(const std::string& tensor, const std::vector<Variable>& variables, bool whole) const {
    if (!reader_.HasTensor(tensor))
      throw ValueError(fmt::format("Tensor {} is not found in {} checkpoint {}", tensor, path_, ShapeMapText(reader_)));
    const std::vector<std::int64_t>& stored = reader_.Entry(tensor).shape;
    if (whole && !variables.at(0).shape().IsCompatibleWith(PartialShape(stored)))
      throw ValueError(
          fmt::format("Shape of variable {} ({}) doesn't match with shape of tensor {} ([{}]) from checkpoint reader.",
                      variables[0].name(), variables[0].shape().ToTuple(), tensor, fmt::join(stored, ", ")));
    Set(tensor, variables, whole);
  }

  // `scope` of the graph, with or without a slash at its end, from a scope of the checkpoint.
  void FromScope(const std::string& from, const std::string& to) const {
    const std::string scope = to.substr(0, to.find_last_of('/') == std::string::npos ? 0 : to.find_last_of('/'));
    if (!from.ends_with('/'))
      throw ValueError(
          fmt::format("Assignment map with scope only name {} should map to scope only {}. Should be 'scope/': "
                      "'other_scope/'.",
                      scope, from));
    const internal::ScopeState& state = internal::StateOf(Current());
    std::set<std::string> names;
    for (const auto& [name, variable] : state.variables)
      if (scope.empty() || name.starts_with(scope + "/")) names.insert(name.substr(0, name.find("/part_")));
    for (const std::string& name : names) {
      std::string tensor = name.substr(scope.size());
      if (to != "/" && !tensor.empty()) tensor.erase(0, 1);
      if (from != "/") tensor = from + tensor;
      if (tensor.ends_with('/')) tensor.pop_back();
      if (!reader_.HasTensor(tensor)) {
        const std::size_t rest = std::min(name.size(), scope.size() + 1);
        throw ValueError(
            fmt::format("Tensor {} ({} in {}) is not found in {} checkpoint", tensor, name.substr(rest), from, path_));
      }
      bool whole = true;
      Set(tensor, *Named(name, whole), whole);
    }
  }

  // What GetVariable made under this name.
  static std::optional<std::vector<Variable>> Named(const std::string& name, bool& whole) {
    const internal::ScopeState& state = internal::StateOf(Current());
    if (const auto it = state.variables.find(name); it != state.variables.end()) return std::vector{it->second};
    std::vector<Variable> parts;
    for (auto it = state.variables.find(name + "/part_0"); it != state.variables.end();
         it = state.variables.find(fmt::format("{}/part_{}", name, parts.size())))
      parts.push_back(it->second);
    if (parts.empty()) return std::nullopt;
    whole = false;
    return parts;
  }

 private:
  void Set(const std::string& tensor, const std::vector<Variable>& variables, bool whole) const {
    std::string full_name;
    for (const Variable& variable : variables) {
      std::string slice;
      if (!whole) {
        const auto& info = variable.save_slice_info();
        if (!info) throw ValueError(fmt::format("'{}' is no part of a partitioned variable", variable.name()));
        if (full_name.empty()) full_name = info->full_name;
        if (full_name != info->full_name)
          throw ValueError(
              fmt::format("Slices must all be from the same tensor: {} != {}", full_name, info->full_name));
        slice = info->Spec();
      }
      SetOne(tensor, variable, slice);
    }
  }

  void SetOne(const std::string& tensor, const Variable& variable, const std::string& slice) const {
    if (!variable.graph()) {
      internal::AssignFrom(reader_.bundle(), {{tensor, slice, variable}});
      return;
    }
    if (variable.graph() != Current().graph())
      throw ValueError(fmt::format("'{}' must be from the current graph", variable.name()));
    const DeviceScope device(variable.handle().node()->device()), cpu("/cpu:0");
    const auto constant = [](const std::string& text, const char* name) {
      return Constant(Array::Strings(std::string_view(name) == "prefix" ? Shape{} : Shape{1}, {text}), name);
    };
    Tensor restored;
    {
      NameScope scope("checkpoint_initializer");
      const Value inputs[] = {constant(reader_.prefix(), "prefix"), constant(tensor, "tensor_names"),
                              constant(slice, "shape_and_slices")};
      restored = Current().Add1("RestoreV2", {inputs[0], inputs[1], inputs[2]},
                                {{"dtypes", std::vector<DType>{variable.dtype()}}}, scope.path() + "/");
    }
    variable.impl().initializer = internal::AddRestore(variable, restored, /*reshape=*/false);
  }

  const std::string& path_;
  const CheckpointReader& reader_;
};

// The name of a variable, or of the whole that parts belong to. tf: _infer_var_name
std::string InferredName(const Variable& variable) {
  const auto& info = variable.save_slice_info();
  return info ? info->full_name : variable.op_name();
}
}  // namespace

void InitFromCheckpoint(const std::string& path, const AssignmentMap& assignment_map) {
  const std::unique_ptr<CheckpointReader> reader = LoadCheckpoint(path);
  const CheckpointInitializer from(path, *reader);
  AssignmentMap sorted = assignment_map;
  std::ranges::stable_sort(sorted, {}, &AssignmentMap::value_type::first);
  for (const auto& [tensor, target] : sorted) {
    if (const auto* variable = std::get_if<Variable>(&target)) {
      if (!*variable) throw ValueError(fmt::format("InitFromCheckpoint: no variable is given for '{}'", tensor));
      from.FromTensor(tensor, {*variable}, true);
    } else if (const auto* parts = std::get_if<std::vector<Variable>>(&target)) {
      if (parts->empty()) throw ValueError(fmt::format("InitFromCheckpoint: no parts are given for '{}'", tensor));
      from.FromTensor(tensor, *parts, false);
    } else {
      const std::string& name = std::get<std::string>(target);
      bool whole = true;
      if (const auto named = CheckpointInitializer::Named(name, whole))
        from.FromTensor(tensor, *named, whole);
      else
        from.FromScope(tensor, name);
    }
  }
}

std::string WarmStartSettings::ToString() const {
  std::string variables = "None";
  if (const auto* pattern = std::get_if<std::string>(&vars_to_warm_start)) {
    variables = "'" + *pattern + "'";
  } else if (const auto* patterns = std::get_if<std::vector<std::string>>(&vars_to_warm_start)) {
    variables = patterns->empty() ? "[]" : fmt::format("['{}']", fmt::join(*patterns, "', '"));
  } else if (const auto* given = std::get_if<std::vector<Variable>>(&vars_to_warm_start)) {
    std::vector<std::string> texts;
    for (const Variable& v : *given) texts.push_back(v.Describe());
    variables = fmt::format("[{}]", fmt::join(texts, ", "));
  }
  std::vector<std::string> renames;
  for (const auto& [now, before] : var_name_to_prev_var_name) renames.push_back(fmt::format("'{}': '{}'", now, before));
  return fmt::format(
      "WarmStartSettings(ckpt_to_initialize_from='{}', vars_to_warm_start={}, var_name_to_vocab_info={{}}, "
      "var_name_to_prev_var_name={{{}}})",
      ckpt_to_initialize_from, variables, fmt::join(renames, ", "));
}

void WarmStart(const WarmStartSettings& settings) {
  const std::string& path = settings.ckpt_to_initialize_from;
  Log(LogLevel::kInfo, "Warm-starting from: " + path);
  std::vector<Variable> variables;
  if (const auto* patterns = std::get_if<std::vector<std::string>>(&settings.vars_to_warm_start)) {
    for (const std::string& pattern : *patterns) {
      const std::vector<Variable> found = VariablesOf(kGlobalVariables, pattern);
      variables.insert(variables.end(), found.begin(), found.end());
    }
  } else if (const auto* given = std::get_if<std::vector<Variable>>(&settings.vars_to_warm_start)) {
    variables = *given;
  } else {
    Log(LogLevel::kInfo, "Warm-starting variables only in TRAINABLE_VARIABLES.");
    if (const auto* pattern = std::get_if<std::string>(&settings.vars_to_warm_start))
      variables = VariablesOf(kTrainableVariables, *pattern);
  }
  std::vector<std::pair<std::string, std::vector<Variable>>> grouped;
  for (const Variable& variable : variables) {
    const std::string name = InferredName(variable);
    const auto it = std::ranges::find(grouped, name, &std::pair<std::string, std::vector<Variable>>::first);
    if (it == grouped.end())
      grouped.push_back({name, {variable}});
    else if (std::ranges::find(it->second, variable) == it->second.end())
      it->second.push_back(variable);
  }
  auto renames = settings.var_name_to_prev_var_name;
  const bool automatic = renames.empty();
  if (automatic && !grouped.empty()) {
    // tf: _get_object_checkpoint_renames
    const std::unique_ptr<CheckpointReader> reader = LoadCheckpoint(path);
    if (reader->HasTensor(kObjectGraphKey)) {
      renames = ObjectGraphKeyMapping(reader->prefix());
      std::vector<std::string> missing;
      for (const auto& [name, group] : grouped)
        if (std::ranges::find(renames, name, &std::pair<std::string, std::string>::first) == renames.end())
          missing.push_back("'" + name + "'");
      if (!missing.empty())
        throw ValueError(
            fmt::format("Attempting to warm-start from an object-based checkpoint, but found that the checkpoint did "
                        "not contain values for all variables. The following variables were missing: {{{}}}",
                        fmt::join(missing, ", ")));
    }
  }
  std::set<std::string> used;
  for (const auto& [name, group] : grouped) {
    std::string tensor = name;
    for (const auto& [now, before] : renames)
      if (now == name) {
        tensor = before;
        used.insert(name);
      }
    if (group.size() == 1 && !group[0].save_slice_info())
      InitFromCheckpoint(path, {{tensor, group[0]}});
    else
      InitFromCheckpoint(path, {{tensor, group}});
  }
  Log(LogLevel::kInfo, fmt::format("Warm-started {} variables.", grouped.size()));
  std::vector<std::string> unused, viable;
  for (const auto& [now, before] : renames)
    if (!used.contains(now)) unused.push_back("'" + now + "'");
  for (const auto& [name, group] : grouped) viable.push_back("'" + name + "'");
  if (!automatic && !unused.empty())
    throw ValueError(
        fmt::format("You provided the following variables in var_name_to_prev_var_name that were not used: {{{}}}.  "
                    "Perhaps you misspelled them?  Here is the list of viable variable names: dict_keys([{}])",
                    fmt::join(unused, ", "), fmt::join(viable, ", ")));
}
}  // namespace equiv::runtime
