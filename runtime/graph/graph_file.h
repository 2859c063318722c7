// runtime/graph/graph_file.h - finds out what a graph file is and parses it. Private to runtime/graph.
#pragma once
#include <string>
#include <string_view>

#include "kernels/proto/graph.pb.h"

namespace equiv::runtime {

// tf: TF_GRAPH_DEF_VERSION of 2.15
inline constexpr int kGraphVersion = 1645;

struct ParsedGraphFile {
  bool has_meta = false;
  proto::MetaGraphDef meta;  // of a plain GraphDef: only graph_def
};
ParsedGraphFile ParseGraphFile(std::string_view bytes, const std::string& where);

}  // namespace equiv::runtime
