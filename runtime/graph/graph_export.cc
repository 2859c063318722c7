#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include <filesystem>
#include <map>
#include <set>

#include "kernels/base/error.h"
#include "kernels/io/file.h"
#include "runtime/function/graph_function.h"
#include "runtime/graph/graph_collections.h"
#include "runtime/graph/graph_def.h"
#include "runtime/graph/graph_file.h"
#include "runtime/graph/proto_convert.h"

namespace equiv::runtime {
namespace {
constexpr int kMinConsumer = 12;  // tf: what TensorFlow 2.15 writes

class Exporter {
 public:
  explicit Exporter(proto::GraphDef& out) : out_(out) {}

  void AddGraph(const Graph& graph) {
    for (const auto& node : graph.nodes()) {
      proto::NodeDef& stored = *out_.add_node();
      FillNode(*node, stored);
      for (const Edge* input : node->inputs())
        stored.add_input(input->index == 0 ? input->node->name()
                                           : fmt::format("{}:{}", input->node->name(), input->index));
      for (const Node* control : node->control_inputs()) stored.add_input("^" + control->name());
    }
    out_.mutable_versions()->set_producer(kGraphVersion);
    out_.mutable_versions()->set_min_consumer(kMinConsumer);
  }

 private:
  void FillNode(const Node& node, proto::NodeDef& stored) {
    stored.set_name(node.name());
    stored.set_op(node.op());
    stored.set_device(node.device());
    for (const auto& [name, value] : node.attrs()) {
      proto::AttrValue& message = (*stored.mutable_attr())[name];
      message = ToProto(value);
      if (const auto* ref = std::get_if<FunctionRef>(&value)) message.mutable_func()->set_name(AddFunction(*ref));
      if (const auto* refs = std::get_if<std::vector<FunctionRef>>(&value))
        for (std::size_t i = 0; i < refs->size(); ++i)
          message.mutable_list()->mutable_func(static_cast<int>(i))->set_name(AddFunction((*refs)[i]));
    }
  }

  // The name under which the function is in the library: its own, unless another function has that.
  std::string AddFunction(const FunctionRef& ref) {
    const auto* function = dynamic_cast<const GraphFunction*>(ref.function.get());
    if (!function) throw UnimplementedError(fmt::format("function '{}' has no graph and cannot be exported", ref.name));
    if (const auto it = names_.find(function); it != names_.end()) return it->second;
    std::string name = ref.name;
    for (int i = 1; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", ref.name, i);
    names_.emplace(function, name);
    proto::FunctionDef def;
    FillFunction(*function, name, def);
    *out_.mutable_library()->add_function() = std::move(def);
    return name;
  }

  void FillFunction(const GraphFunction& function, const std::string& name, proto::FunctionDef& def) {
    const Graph& graph = function.graph();
    proto::OpDef& signature = *def.mutable_signature();
    signature.set_name(name);
    signature.set_is_stateful(function.is_stateful());
    std::map<const Edge*, std::string> arguments;
    const auto add_argument = [&](const Edge* edge) {
      // tf: argument names are [a-z][a-z0-9_]*
      const std::string arg = fmt::format("arg_{}", arguments.size());
      arguments.emplace(edge, arg);
      auto* message = signature.add_input_arg();
      message->set_name(arg);
      message->set_type(static_cast<proto::DataType>(edge->dtype));
    };
    for (const Tensor& input : function.inputs) add_argument(input.edge());
    for (const auto& [outer, inner] : graph.captures()) add_argument(inner);
    const auto text = [&](const Edge* edge) {
      if (const auto it = arguments.find(edge); it != arguments.end()) return it->second;
      const Node& node = *edge->node;
      const ArgDef* arg = OutputArg(node.def(), node.attrs(), static_cast<std::size_t>(edge->index));
      int within = 0;
      while (within < edge->index &&
             OutputArg(node.def(), node.attrs(), static_cast<std::size_t>(edge->index - within - 1)) == arg)
        ++within;
      return fmt::format("{}:{}:{}", NodeName(node), arg->name, within);
    };
    for (const auto& node : graph.nodes()) {
      if (node->num_outputs() == 1 && arguments.contains(&node->edge(0))) continue;
      proto::NodeDef& stored = *def.add_node_def();
      FillNode(*node, stored);
      stored.set_name(NodeName(*node));
      for (const Edge* input : node->inputs()) stored.add_input(text(input));
      for (const Node* control : node->control_inputs())
        if (control->num_outputs() != 1 || !arguments.contains(&control->edge(0)))
          stored.add_input("^" + NodeName(*control));
    }
    for (std::size_t i = 0; i < function.outputs.size(); ++i) {
      const Edge* edge = function.outputs[i].edge();
      const std::string out = fmt::format("output_{}", i);
      auto* message = signature.add_output_arg();
      message->set_name(out);
      message->set_type(static_cast<proto::DataType>(edge->dtype));
      (*def.mutable_ret())[out] = text(edge);
    }
    for (const Node* node : function.stateful) {
      signature.add_control_output(NodeName(*node));
      (*def.mutable_control_ret())[NodeName(*node)] = NodeName(*node);
    }
  }
  // Arguments and nodes share one space of names in a function.
  static std::string NodeName(const Node& node) {
    return node.name().starts_with("arg_") ? "node_" + node.name() : node.name();
  }

  proto::GraphDef& out_;
  std::map<const GraphFunction*, std::string> names_;
  std::set<std::string> taken_;
};

std::string Serialize(const google::protobuf::Message& message, bool as_text) {
  std::string bytes;
  if (as_text) {
    google::protobuf::TextFormat::PrintToString(message, &bytes);
    return bytes;
  }
  if (message.ByteSizeLong() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw ResourceExhaustedError(
        fmt::format("the graph takes {} bytes; a file of this format holds at most 2 GiB: keep weights in a checkpoint",
                    message.ByteSizeLong()));
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);  // maps in the order of their keys
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

proto::MetaGraphDef MetaGraphOf(const Graph& graph, const std::optional<SaverDef>& saver) {
  proto::MetaGraphDef meta;
  Exporter(*meta.mutable_graph_def()).AddGraph(graph);
  meta.mutable_meta_info_def()->set_tensorflow_version("2.15.1");
  internal::WriteCollections(graph, meta);
  if (saver) {
    proto::SaverDef& s = *meta.mutable_saver_def();
    s.set_filename_tensor_name(saver->filename_tensor_name);
    s.set_save_tensor_name(saver->save_tensor_name);
    s.set_restore_op_name(saver->restore_op_name);
    s.set_max_to_keep(saver->max_to_keep);
    s.set_sharded(saver->sharded);
    s.set_keep_checkpoint_every_n_hours(saver->keep_checkpoint_every_n_hours);
    s.set_version(static_cast<proto::SaverDef::CheckpointFormatVersion>(saver->version));
  }
  return meta;
}
}  // namespace

std::string SerializeGraph(const Graph& graph, bool as_text) {
  proto::GraphDef def;
  Exporter(def).AddGraph(graph);
  return Serialize(def, as_text);
}
std::string SerializeMetaGraph(const Graph& graph, const std::optional<SaverDef>& saver, bool as_text) {
  return Serialize(MetaGraphOf(graph, saver), as_text);
}
std::string WriteGraph(const Graph& graph, const std::string& folder, const std::string& name, bool as_text) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string path = (std::filesystem::path(folder) / name).string();
  io::WriteFile(path, SerializeGraph(graph, as_text));
  return path;
}
void ExportMetaGraph(const Graph& graph, const std::string& path, const std::optional<SaverDef>& saver, bool as_text) {
  io::WriteFile(path, SerializeMetaGraph(graph, saver, as_text));
}
}  // namespace equiv::runtime
