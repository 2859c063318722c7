// equiv/harness/graph_side.h - a graph read from a file as one side of a check.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "equiv/harness/side.h"
#include "runtime/session/session.h"
#include "runtime/variables/variables.h"

namespace equiv {

// Names are those of the file: "x:0" for a tensor; "x" for an operation, or for a tensor's first output.
struct GraphOptions {
  // Tensors to feed, in the order of Options::inputs. Empty: the placeholders of the graph, in its order.
  std::vector<std::string> inputs = {};
  // What to compare, under the names that the other side gives it; the first one is the output, whatever its name.
  // Empty: the one tensor that the inputs lead to and nothing uses.
  std::vector<std::pair<std::string, std::string>> outputs = {};
  std::string init = {};      // operation that initialises the variables; empty: the initialisers of all of them
  std::string training = {};  // bool tensor that switches between training and inference
  bool trains = false;        // without such a tensor: the graph was built for training
};
// A GraphDef or MetaGraphDef, binary or text, gzipped or not, as a session runs it; `checkpoint`: prefix of what its
// variables start from, name-based or object-based, or empty. Random ops of the file keep their seeds, unless the stage
// aligns random numbers: then they take the tool's, in the order of the file.
//
// Errors come when a stage runs: those of runtime::ImportGraphFile; InvalidArgumentError for inputs and outputs that
// cannot be told, and for training where the graph has no switch.
//
//   EXPECT_NUMERICALLY_EQUIVALENT(equiv::FromGraphDef("model.meta", "model.ckpt-7"), equiv::InEager(Model),
//                                 {.inputs = {x}, .stages = {"step3"}});
SidePtr FromGraphDef(std::string file, std::string checkpoint = {}, GraphOptions options = {});

// The value that a variable of a graph has in a session; no value when it is not initialised.
Array VariableValue(const runtime::Session& session, const runtime::Variable& variable);
// Runs the initialisers that the variables have, all at once, and returns how many there are.
std::size_t RunInitializers(runtime::Session& session, const std::vector<runtime::Variable>& variables,
                            const std::vector<runtime::Feed>& feeds);

// The placeholders of a graph that have to be fed, in its order.
std::vector<const runtime::Node*> Placeholders(const runtime::Graph& graph);
// Tensors that depend on `inputs` and that no op uses, in the order of the graph.
std::vector<runtime::Tensor> FinalTensors(const runtime::Graph& graph, const std::vector<runtime::Tensor>& inputs);

}  // namespace equiv
