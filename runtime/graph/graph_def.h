// runtime/graph/graph_def.h - graphs in and out of TensorFlow's files: GraphDef and MetaGraphDef, binary or text,
// gzipped or not.
//
//   Graph graph;                                        WriteGraph(graph, "/tmp", "model.pb", /*as_text=*/false);
//   MetaGraph meta = ImportGraphFile(graph, "model.meta");
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/graph/graph.h"
#include "runtime/variables/variables.h"

namespace equiv::runtime {

struct ImportOptions {
  std::string import_scope = {};                 // all names below this scope
  std::map<std::string, Tensor> input_map = {};  // "x:0" in the file: the tensor of the graph that takes its place
  // Only what these operations and tensors need, by their names in the file; empty: everything.
  std::vector<std::string> targets = {};
  // Called for each stateful random op among them, in the order of the file: its attributes seed and seed2 instead of
  // the stored ones. Functions keep theirs.
  std::function<std::pair<std::int64_t, std::int64_t>()> seeds = {};
};

// tf: SaverDef
struct SaverDef {
  std::string filename_tensor_name = {}, save_tensor_name = {}, restore_op_name = {};
  int max_to_keep = 0;
  bool sharded = false;
  float keep_checkpoint_every_n_hours = 0;
  int version = 2;
};

// What a file says beside the graph itself.
struct MetaGraph {
  bool has_meta = false;  // false: the file is a GraphDef
  std::string tensorflow_version = {};
  std::vector<std::string> tags = {};
  std::optional<SaverDef> saver = std::nullopt;
  // The variables of the collection `variables`; of a file without collections: of every variable op, in its order.
  std::vector<Variable> variables = {};
  std::vector<std::string> op_types = {};  // of nodes and function bodies, sorted
  std::size_t nodes = 0, functions = 0;
};

// Adds the nodes, functions and collections of a file to the graph.
//
// NotFoundError: no such file. DataLossError: it is neither a GraphDef nor a MetaGraphDef, or the gzip stream is
// damaged. UnimplementedError naming every op of the file that is not known here.
// InvalidArgumentError naming node and file: inputs that no node gives, wrong attributes, types or shapes, cycles,
// functions that do not fit their callers; a file for newer programs. After an error the graph is as it was.
// tf: tf.import_graph_def, tf.compat.v1.train.import_meta_graph
MetaGraph ImportGraphFile(Graph& graph, const std::string& path, const ImportOptions& options = {});
// The same from memory; `where` names it in errors.
MetaGraph ImportGraph(Graph& graph, std::string_view bytes, const std::string& where,
                      const ImportOptions& options = {});

// GraphDef that TensorFlow imports and runs. Shapes are TensorFlow's to infer. tf: graph.as_graph_def()
std::string SerializeGraph(const Graph& graph, bool as_text = false);
// MetaGraphDef with the graph's collections and, where given, a saver. tf: tf.compat.v1.train.export_meta_graph
std::string SerializeMetaGraph(const Graph& graph, const std::optional<SaverDef>& saver = std::nullopt,
                               bool as_text = false);
// The file appears whole or not at all. Returns its path. tf: tf.io.write_graph
std::string WriteGraph(const Graph& graph, const std::string& folder, const std::string& name, bool as_text = true);
void ExportMetaGraph(const Graph& graph, const std::string& path, const std::optional<SaverDef>& saver = std::nullopt,
                     bool as_text = false);

}  // namespace equiv::runtime
