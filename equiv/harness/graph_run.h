// equiv/harness/graph_run.h - runs a graph file once: import, initialise, feed, fetch.
#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "equiv/harness/recording.h"
#include "kernels/base/array.h"

namespace equiv {

struct GraphRunOptions {
  // Where the variables' values come from, in this order: the operation `init` is run, and the checkpoint (a prefix or
  // a folder) is read, by the file's own saver, else by names of variables. With neither, the variables' own
  // initialisers run.
  std::string init = {}, checkpoint = {};
  std::vector<std::pair<std::string, Array>> feeds = {};  // by tensor, "x" is "x:0"
  // Tensors, or operations that are run for their effect. Empty: the one tensor that the feeds lead to and nothing
  // uses.
  std::vector<std::string> fetches = {};
  std::string backend = "auto";
  std::function<void(const std::string& phase)> progress = {};
};
struct GraphRun {
  std::vector<NamedArray> values;      // of the fetches, in their order and under their names; no value: an operation
  std::vector<std::string> notes;      // how the variables got their values, what was cast
  std::int64_t ops_executed = 0;       // of the last run
  std::vector<std::string> variables;  // that the fetches need
};

// Errors of the request are KeyErrors: unknown names, with the nearest ones there are; placeholders that the fetches
// need and nobody feeds, all of them with dtype and shape. Errors of the data are others: InvalidArgumentError for a
// feed or a stored variable of the wrong dtype or shape, FailedPreconditionError naming variables without value, and
// those of runtime::ImportGraphFile, Session and Saver. Ops that are not known here matter only where the fetches need
// them.
GraphRun RunGraphFile(const std::string& path, const GraphRunOptions& options);

}  // namespace equiv
