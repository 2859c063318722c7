#include "runtime/checkpoint/saver_graph.h"

#include <fmt/format.h>

#include <map>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"

namespace equiv::runtime::internal {
namespace {

Tensor StringConstant(const std::vector<std::string>& values, std::string_view name = {}) {
  return Constant(Array::Strings(Shape{std::ssize(values)}, values), name);
}
Tensor StringConstant(const std::string& value, std::string_view name = {}) {
  return Constant(Array::Strings({}, {value}), name);
}

// What is written of a variable: its own read, or the reference itself.
Tensor Saved(const SaveSpec& spec) {
  if (!spec.variable) return spec.constant;
  return spec.variable.is_reference() ? spec.variable.handle() : spec.variable.value();
}

Node* AddSave(Graph& graph, const Tensor& filename, const std::vector<SaveSpec>& specs) {
  NameScope scope("SaveV2");
  std::vector<std::string> names, slices;
  for (const SaveSpec& spec : specs) {
    names.push_back(spec.key);
    slices.push_back(spec.slice);
  }
  std::vector<Value> inputs = {filename, StringConstant(names, "tensor_names"),
                               StringConstant(slices, "shape_and_slices")};
  for (const SaveSpec& spec : specs) inputs.push_back(Saved(spec));
  return graph.AddNode("SaveV2", inputs, {}, scope.path() + "/");
}

// tf: with_dependencies: the prefix, once the tensors are written
Tensor After(const std::vector<Node*>& nodes, const Tensor& value, std::string_view name) {
  ControlDependencies after(nodes);
  return Identity(value, name);
}

std::vector<Tensor> AddRead(const Tensor& filename, const std::vector<SaveSpec>& specs) {
  NameScope scope("RestoreV2");
  std::vector<std::string> names, slices;
  std::vector<DType> dtypes;
  for (const SaveSpec& spec : specs) {
    names.push_back(spec.key);
    slices.push_back(spec.slice);
    dtypes.push_back(Saved(spec).dtype());
  }
  const Value inputs[] = {filename, StringConstant(names, "tensor_names"), StringConstant(slices, "shape_and_slices")};
  return Current().AddOp("RestoreV2", inputs, {{"dtypes", dtypes}}, scope.path() + "/");
}

Node* AddRestoreOf(const SaveSpec& spec, const Tensor& restored, bool reshape) {
  if (spec.variable) return AddRestore(spec.variable, restored, reshape);
  return Current().graph()->AddNode("NoOp", std::span<const Value>(), {});  // tf: NoRestoreSaveable
}

Node* AddRestores(const Tensor& filename, const std::vector<SaveSpec>& specs, const SaverOptions& options,
                  std::string_view name) {
  std::vector<Node*> assigns;
  if (options.restore_sequentially) {
    for (const SaveSpec& spec : specs) {
      ControlDependencies after(assigns.empty() ? std::vector<Node*>{} : std::vector<Node*>{assigns.back()});
      assigns.push_back(AddRestoreOf(spec, AddRead(filename, {spec}).at(0), options.reshape));
    }
  } else {
    const std::vector<Tensor> restored = AddRead(filename, specs);
    for (std::size_t i = 0; i < specs.size(); ++i)
      assigns.push_back(AddRestoreOf(specs[i], restored[i], options.reshape));
  }
  return Group(assigns, name);
}

// tf: BaseSaverBuilder._GroupByDevices
std::map<std::string, std::vector<SaveSpec>> ByDevice(const std::vector<SaveSpec>& specs) {
  std::map<std::string, std::string> device_of;
  for (const SaveSpec& spec : specs) {
    const Tensor& place = spec.variable ? spec.variable.handle() : spec.constant;
    const std::string& device = place.node()->device();
    const auto [it, fresh] = device_of.emplace(spec.key, device);
    if (!fresh && it->second != device)
      throw ValueError(fmt::format("All tensors of a saveable object must be on the same device: {}", spec.key));
  }
  std::map<std::string, std::vector<SaveSpec>> groups;
  for (const SaveSpec& spec : specs) groups[device_of.at(spec.key)].push_back(spec);
  return groups;
}
}  // namespace

Node* AddRestore(const Variable& variable, Tensor restored, bool reshape) {
  Graph& graph = *Current().graph();
  if (reshape) restored = Reshape(restored, variable.shape().Require().vector());
  if (variable.is_reference()) {
    const Value inputs[] = {variable.handle(), restored};
    return graph.AddNode("Assign", inputs, {{"validate_shape", !reshape && variable.shape().IsFullyDefined()}});
  }
  const Value inputs[] = {variable.handle(), Identity(restored)};
  return graph.AddNode("AssignVariableOp", inputs, {{"dtype", variable.dtype()}});
}

SaverDef AddSaverOps(Graph& graph, const std::vector<SaveSpec>& specs, const SaverOptions& options) {
  NameScope scope(options.name);
  const auto with_default = [&](const Tensor& value, std::string_view name) {
    return Current().Add1("PlaceholderWithDefault", {value}, {{"shape", PartialShape(Shape{})}}, name);
  };
  Tensor filename;
  {
    NameScope inside("filename");
    filename = with_default(StringConstant("model", "input"), inside.path() + "/");
  }
  filename = with_default(filename, "Const");  // tf: the name is kept for old programs
  SaverDef def{.filename_tensor_name = TensorName(filename)};
  if (!options.sharded) {
    const Node* save = AddSave(graph, filename, specs);
    def.save_tensor_name = TensorName(After({const_cast<Node*>(save)}, filename, "control_dependency"));
    def.restore_op_name = AddRestores(filename, specs, options, "restore_all")->name();
    return def;
  }
  const std::map<std::string, std::vector<SaveSpec>> devices = ByDevice(specs);
  const Tensor parts = Current().Add1("StringJoin", {filename, StringConstant("_temp/part")});
  const Tensor shards = Constant(Array::Scalar(static_cast<std::int32_t>(devices.size())), "num_shards");
  std::vector<Value> prefixes;
  std::vector<Node*> saves;
  std::int32_t shard = 0;
  for (const auto& [device, on_device] : devices) {
    DeviceScope there(device);
    NameScope named("ShardedFilename");
    const Tensor number = Constant(Array::Scalar(shard++), "shard");
    const Tensor prefix = Current().Add1("ShardedFilename", {parts, number, shards}, {}, named.path() + "/");
    prefixes.push_back(prefix);
  }
  shard = 0;
  std::vector<Value> written;
  for (const auto& [device, on_device] : devices) {
    DeviceScope there(device);
    const Tensor& prefix = prefixes[static_cast<std::size_t>(shard++)];
    Node* save = AddSave(graph, prefix, on_device);
    written.push_back(After({save}, prefix, "control_dependency"));
    saves.push_back(written.back().node());
  }
  Node* merge = nullptr;
  {
    ControlDependencies after(saves);
    NameScope named("MergeV2Checkpoints");
    const Value all = Current().AddOp("Pack", written, {{"axis", std::int64_t{0}}}, "checkpoint_prefixes").at(0);
    const Value inputs[] = {all, filename};
    merge = graph.AddNode("MergeV2Checkpoints", inputs, {}, named.path() + "/");
  }
  def.save_tensor_name = TensorName(After({merge}, filename, "Identity"));
  std::vector<Node*> restores;
  for (const auto& [device, on_device] : devices) {
    DeviceScope there(device);
    restores.push_back(AddRestores(filename, on_device, options, "restore_shard"));
  }
  def.restore_op_name = Group(restores, "restore_all")->name();
  return def;
}
}  // namespace equiv::runtime::internal
