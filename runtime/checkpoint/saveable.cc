#include "runtime/checkpoint/saveable.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "kernels/base/error.h"
#include "kernels/base/thread_pool.h"
#include "kernels/io/tensor_bundle.h"

namespace equiv::runtime::internal {
namespace {

std::vector<Variable> Parts(const Saver::Saveable& saveable) {
  if (const auto* variable = std::get_if<Variable>(&saveable)) return {*variable};
  if (const auto* partitioned = std::get_if<PartitionedVariable>(&saveable)) return partitioned->parts;
  return std::get<std::vector<Variable>>(saveable);
}

void RequireVariables(const std::vector<Variable>& parts, const std::string& name) {
  if (parts.empty() || std::ranges::any_of(parts, [](const Variable& v) { return !v; }))
    throw TypeError(fmt::format("Variable to save is not a Variable: '{}' holds none", name));
}

// The specs of one name. tf: saveable_objects_for_op
std::vector<SaveSpec> SpecsOfOne(const std::string& name, const std::vector<Variable>& parts) {
  RequireVariables(parts, name);
  if (parts.size() == 1 && !parts[0].save_slice_info()) return {{name, "", parts[0]}};
  std::vector<SaveSpec> specs;
  for (const Variable& part : parts) {
    const auto& info = part.save_slice_info();
    if (!info) throw ValueError(fmt::format("Slices must all be slices: {}", part.name()));
    if (info->full_name != parts[0].save_slice_info()->full_name)
      throw ValueError(fmt::format("Slices must all be from the same tensor: {} != {}",
                                   parts[0].save_slice_info()->full_name, info->full_name));
    specs.push_back({name, info->Spec(), part});
  }
  return specs;
}

std::vector<SaveSpec> Join(const std::map<std::string, std::vector<Variable>>& by_name) {
  std::vector<SaveSpec> all;
  std::vector<const void*> seen;
  for (const auto& [name, parts] : by_name) {
    for (const SaveSpec& spec : SpecsOfOne(name, parts)) {
      if (std::ranges::find(seen, &spec.variable.impl()) != seen.end())
        throw ValueError(fmt::format("The same saveable will be restored with two names: {}", name));
      seen.push_back(&spec.variable.impl());
      all.push_back(spec);
    }
  }
  return all;
}
}  // namespace

std::vector<SaveSpec> SpecsOf(const Saver::VarList& variables, bool eager) {
  std::map<std::string, std::vector<Variable>> by_name;
  for (const Saver::Saveable& saveable : variables) {
    if (const auto* partitioned = std::get_if<PartitionedVariable>(&saveable)) {
      if (!by_name.emplace(partitioned->name, partitioned->parts).second)
        throw ValueError(fmt::format("At least two variables have the same name: {}", partitioned->name));
      continue;
    }
    for (const Variable& variable : Parts(saveable)) {
      if (!variable) throw TypeError("Variable to save is not a Variable: an empty handle");
      if (variable.save_slice_info()) {
        by_name[variable.save_slice_info()->full_name].push_back(variable);
        continue;
      }
      auto [it, fresh] = by_name.emplace(variable.op_name(), std::vector<Variable>{variable});
      if (fresh || (eager && it->second[0] == variable)) continue;
      if (eager)
        throw ValueError(
            fmt::format("Two different ResourceVariable objects with the same shared_name '{}' were passed to the "
                        "Saver. This likely means that they were created in different Graphs or isolated contexts, "
                        "and may not be checkpointed together.",
                        variable.op_name()));
      throw ValueError(fmt::format("At least two variables have the same name: {}", variable.op_name()));
    }
  }
  return Join(by_name);
}

std::vector<SaveSpec> SpecsOf(const Saver::VarDict& variables) {
  std::map<std::string, std::vector<Variable>> by_name;
  for (const auto& [name, saveable] : variables)
    if (!by_name.emplace(name, Parts(saveable)).second)
      throw ValueError(fmt::format("At least two variables have the same name: {}", name));
  return Join(by_name);
}

void WriteEagerly(const std::vector<SaveSpec>& specs, const std::string& prefix) {
  std::vector<Array> values;
  for (const SaveSpec& spec : specs) {
    if (!spec.variable.storage())
      throw ValueError(
          fmt::format("Can only save/restore eager variables when executing eagerly, got '{}', which "
                      "belongs to a graph; give its session",
                      spec.variable.name()));
    values.push_back(spec.variable.storage()->Read("Saver"));
  }
  io::BundleWriter writer(prefix);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const io::ShapeAndSlice part = io::ParseShapeAndSlice(specs[i].slice);
    if (part.whole)
      writer.Add(specs[i].key, values[i]);
    else
      writer.AddSlice(specs[i].key, part.full_shape, part.slice, values[i]);
  }
  writer.Finish();
}

std::shared_ptr<equiv::Variable> StorageOf(const Variable& variable, Session* session) {
  if (variable.storage()) return variable.storage();
  if (!session)
    throw RuntimeError(fmt::format(
        "the value of '{}' lives in a session: give one, or make one the default with SessionScope", variable.name()));
  if (&session->graph() != variable.graph())
    throw ValueError(fmt::format("'{}' is not an element of the session's graph", variable.name()));
  return session->VariableStorage(*variable.handle().node());
}

void AssignFrom(const io::BundleReader& reader, const std::vector<SaveSpec>& specs, const AssignOptions& options) {
  const auto read = [&](std::size_t i) {
    const SaveSpec& spec = specs[i];
    const Variable& variable = spec.variable;
    const io::BundleEntry* entry = reader.Find(spec.key);
    if (!entry) throw NotFoundError(fmt::format("Key {} not found in checkpoint '{}'", spec.key, reader.prefix()));
    if (entry->dtype != variable.dtype())
      throw InvalidArgumentError(
          fmt::format("tensor_name = {}; expected dtype {} does not equal original dtype {} (checkpoint '{}')",
                      spec.key, DataTypeString(variable.dtype()), DataTypeString(entry->dtype), reader.prefix()));
    const io::ShapeAndSlice part = io::ParseShapeAndSlice(spec.slice);
    if (!part.whole && part.full_shape != entry->shape)
      throw InvalidArgumentError(
          fmt::format("tensor_name = {}; shape in shape_and_slice spec [{}] does not match the shape stored in "
                      "checkpoint: [{}] (checkpoint '{}')",
                      spec.key, fmt::join(part.full_shape, ","), fmt::join(entry->shape, ","), reader.prefix()));
    Array value = part.whole ? reader.Read(*entry) : reader.ReadSlice(spec.key, part.slice);
    if (options.reshape && variable.shape().IsFullyDefined()) value = value.Reshaped(variable.shape().Require());
    if (!variable.shape().IsCompatibleWith(value.shape()))
      throw ValueError(
          fmt::format("Received incompatible tensor with shape {} when attempting to restore variable with shape {} "
                      "and name {}.",
                      value.shape().ToTuple(), variable.shape().ToTuple(),
                      options.tensor_names ? variable.name() : variable.op_name()));
    return value;
  };
  const std::vector<Array> values = io::ReadTogether(specs.size(), read, ThreadPool::Default());
  for (std::size_t i = 0; i < specs.size(); ++i)
    StorageOf(specs[i].variable, options.session)->Assign(values[i], "restore");
}
}  // namespace equiv::runtime::internal
