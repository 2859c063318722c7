// runtime/graph/graph_summary.h - what a graph file holds, whether or not it can be imported.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "kernels/base/dtype.h"
#include "kernels/base/shape.h"

namespace equiv::runtime {

struct GraphSummary {
  struct Item {
    std::string name, op;
    DType dtype = DType::kInvalid;
    PartialShape shape;
  };
  struct MissingOp {
    std::string op, first_node;
    std::size_t nodes = 0;
  };
  bool has_meta = false, has_saver = false;
  std::string tensorflow_version;
  std::vector<std::string> tags;
  std::size_t nodes = 0, functions = 0;
  std::vector<Item> inputs;     // placeholders, in the file's order
  std::vector<Item> variables;  // their ops
  // Operations that nobody takes a value from, and that are neither effects, summaries, constants, reads of variables
  // nor handles.
  std::vector<Item> outputs;
  std::vector<std::string> initializers;  // groups of assignments, the largest first
  std::vector<MissingOp> missing_ops;     // in the graph or its functions, by name
  std::vector<std::string> node_names;    // of the graph itself, in the file's order
};

// NotFoundError, DataLossError: see ImportGraphFile.
GraphSummary SummarizeGraphFile(const std::string& path);

}  // namespace equiv::runtime
