#include "runtime/graph/graph_collections.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <map>

#include "kernels/base/error.h"
#include "kernels/io/file.h"
#include "runtime/variables/scope_state.h"
#include "runtime/variables/variable_impl.h"

namespace equiv::runtime::internal {
namespace {

// Collections of a file that mean nothing here, by name, serialised.
struct KeptCollections {
  std::map<std::string, std::string> by_name;
};
// The variables that were made from messages, by the name of their first output.
struct ImportedVariables {
  std::map<std::string, Variable> by_name;
};

std::string Scoped(const std::string& scope, const std::string& name) {
  return scope.empty() || name.empty() ? name : scope + "/" + name;
}
Node* NodeOf(const Graph& graph, const std::string& tensor_name) {
  return graph.FindNode(tensor_name.substr(0, tensor_name.find(':')));
}

// A handle to the variable that `op` makes; its read and its initialiser where they are known.
Variable Make(Graph& graph, Node* op, Tensor snapshot, Node* initializer, bool trainable) {
  ImportedVariables& imported = graph.Slot<ImportedVariables>();
  Variable& variable = imported.by_name[op->name()];
  if (variable) return variable;
  auto impl = std::make_shared<Variable::Impl>();
  impl->op_name = op->name();
  impl->dtype = op->attrs().Get<DType>("dtype");
  impl->shape = op->attrs().Get<PartialShape>("shape");
  impl->trainable = trainable;
  impl->reference = op->op() != "VarHandleOp";
  impl->graph = &graph;
  impl->handle = op->output(0);
  impl->snapshot = std::move(snapshot);
  impl->initializer = initializer;
  return variable = Variable(std::move(impl));
}

Variable FromMessage(Graph& graph, const proto::VariableDef& def, const std::string& scope) {
  Node* op = NodeOf(graph, Scoped(scope, def.variable_name()));
  if (!op || (op->op() != "VarHandleOp" && op->op() != "VariableV2" && op->op() != "Variable")) return {};
  Tensor snapshot;
  if (Node* read = NodeOf(graph, Scoped(scope, def.snapshot_name())); read && read->num_outputs() > 0)
    snapshot = read->output(0);
  Variable variable = Make(graph, op, snapshot, NodeOf(graph, Scoped(scope, def.initializer_name())), def.trainable());
  if (def.has_save_slice_info_def()) {
    const auto& s = def.save_slice_info_def();
    SaveSliceInfo info{.full_name = s.full_name(),
                       .full_shape = {s.full_shape().begin(), s.full_shape().end()},
                       .var_offset = {s.var_offset().begin(), s.var_offset().end()},
                       .var_shape = {s.var_shape().begin(), s.var_shape().end()}};
    variable.impl().save_slice_info = std::move(info);
  }
  return variable;
}

// Bytes that are a variable; false for control flow contexts and other messages.
bool ParseVariable(const std::string& bytes, proto::VariableDef& def) {
  return def.ParseFromString(bytes) && !def.variable_name().empty() &&
         def.variable_name().find(':') != std::string::npos &&
         def.GetReflection()->GetUnknownFields(def).field_count() == 0;
}
}  // namespace

void CheckCollections(const Graph& graph, const proto::MetaGraphDef& meta, const std::string& scope,
                      const std::string& where) {
  for (const auto& [name, collection] : meta.collection_def())
    for (const std::string& item : collection.node_list().value()) {
      const std::string full = Scoped(scope, item);
      if (full.find(':') == std::string::npos || !NodeOf(graph, full)) continue;
      try {
        graph.FindTensor(full);
      } catch (const Error& error) {
        throw InvalidArgumentError(fmt::format("{}: collection '{}': {}", where, io::Printable(name), error.what()));
      }
    }
}

void ReadCollections(Graph& graph, const proto::MetaGraphDef& meta, const std::string& scope) {
  const google::protobuf::LogSilencer silent;
  const GraphScope current(graph);
  std::vector<std::string> names;
  for (const auto& [name, collection] : meta.collection_def()) names.push_back(name);
  std::ranges::sort(names);
  for (const std::string& name : names) {
    const proto::CollectionDef& collection = meta.collection_def().at(name);
    if (collection.kind_case() == proto::CollectionDef::kNodeList) {
      for (const std::string& item : collection.node_list().value()) {
        const std::string full = Scoped(scope, item);
        Node* node = NodeOf(graph, full);
        if (!node) continue;
        if (full.find(':') == std::string::npos)
          AddToCollection(name, node);
        else
          AddToCollection(name, graph.FindTensor(full));
      }
      continue;
    }
    proto::CollectionDef rest;
    if (collection.kind_case() == proto::CollectionDef::kBytesList) {
      for (const std::string& item : collection.bytes_list().value()) {
        proto::VariableDef def;
        if (!ParseVariable(item, def)) {
          rest.mutable_bytes_list()->add_value(item);
        } else if (const Variable variable = FromMessage(graph, def, scope)) {
          AddToCollection(name, variable);
        }
      }
    } else {
      rest = collection;
    }
    if (rest.kind_case() != proto::CollectionDef::KIND_NOT_SET)
      graph.Slot<KeptCollections>().by_name[name] = rest.SerializeAsString();
  }
}

std::vector<Variable> VariablesOfFile(Graph& graph, const proto::MetaGraphDef& meta, const std::string& scope) {
  const GraphScope current(graph);
  if (meta.collection_def().contains(std::string(kGlobalVariables)) ||
      meta.collection_def().contains(std::string(kLocalVariables))) {
    std::vector<Variable> variables;
    for (const std::string_view collection : {kGlobalVariables, kLocalVariables})
      for (const Variable& v : VariablesOf(collection))
        if (std::ranges::find(variables, v) == variables.end()) variables.push_back(v);
    return variables;
  }
  std::vector<Variable> variables;
  for (const auto& node : meta.graph_def().node()) {
    if (node.op() != "VarHandleOp" && node.op() != "VariableV2") continue;
    Node* op = graph.FindNode(Scoped(scope, node.name()));
    if (!op) continue;
    // The names that TensorFlow's own constructors give.
    const bool resource = op->op() == "VarHandleOp";
    Node* read = graph.FindNode(op->name() + (resource ? "/Read/ReadVariableOp" : "/read"));
    variables.push_back(Make(graph, op, read && read->num_outputs() > 0 ? read->output(0) : Tensor(),
                             graph.FindNode(op->name() + "/Assign"), true));
  }
  return variables;
}

void WriteCollections(const Graph& graph, proto::MetaGraphDef& meta) {
  auto& mutable_graph = const_cast<Graph&>(graph);  // slots are made on first use
  const auto tensor_name = [](const Tensor& t) { return t.symbolic() ? TensorName(t) : std::string(); };
  for (const auto& [name, items] : mutable_graph.Slot<Collections>().items) {
    proto::CollectionDef collection;
    for (const CollectionItem& item : items) {
      if (const auto* variable = std::get_if<Variable>(&item)) {
        if (variable->graph() != &graph) continue;
        const Variable::Impl& impl = variable->impl();
        proto::VariableDef def;
        def.set_variable_name(impl.op_name + ":0");
        if (impl.initializer) def.set_initializer_name(impl.initializer->name());
        def.set_snapshot_name(tensor_name(impl.snapshot));
        def.set_is_resource(!impl.reference);
        def.set_trainable(impl.trainable);
        if (impl.initializer && impl.initializer->inputs().size() > 1)
          def.set_initial_value_name(TensorName(Tensor(impl.initializer->inputs()[1])));
        if (impl.save_slice_info) {
          auto* info = def.mutable_save_slice_info_def();
          info->set_full_name(impl.save_slice_info->full_name);
          for (const std::int64_t d : impl.save_slice_info->full_shape) info->add_full_shape(d);
          for (const std::int64_t d : impl.save_slice_info->var_offset) info->add_var_offset(d);
          for (const std::int64_t d : impl.save_slice_info->var_shape) info->add_var_shape(d);
        }
        collection.mutable_bytes_list()->add_value(def.SerializeAsString());
      } else if (const auto* tensor = std::get_if<Tensor>(&item)) {
        if (tensor->symbolic()) collection.mutable_node_list()->add_value(TensorName(*tensor));
      } else if (Node* const* node = std::get_if<Node*>(&item)) {
        if (*node) collection.mutable_node_list()->add_value((*node)->name());
      }
    }
    if (collection.kind_case() != proto::CollectionDef::KIND_NOT_SET)
      (*meta.mutable_collection_def())[name] = std::move(collection);
  }
  for (const auto& [name, bytes] : mutable_graph.Slot<KeptCollections>().by_name) {
    proto::CollectionDef kept;
    if (!kept.ParseFromString(bytes)) continue;
    proto::CollectionDef& there = (*meta.mutable_collection_def())[name];
    if (there.kind_case() == proto::CollectionDef::KIND_NOT_SET || there.kind_case() == kept.kind_case())
      there.MergeFrom(kept);
  }
}
}  // namespace equiv::runtime::internal
