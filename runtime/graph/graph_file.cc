#include "runtime/graph/graph_file.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/gzip_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <limits>

#include "kernels/base/error.h"

namespace equiv::runtime {
namespace {
constexpr std::size_t kLargestMessage = std::numeric_limits<int>::max();  // of any protobuf message

class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (text.empty()) text = fmt::format("line {}, column {}: {}", line + 1, column + 1, message);
  }
  std::string text;
};

std::string Unzip(std::string_view bytes, const std::string& where) {
  google::protobuf::io::ArrayInputStream stored(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::GzipInputStream stream(&stored);
  std::string plain;
  const void* part = nullptr;
  int size = 0;
  while (stream.Next(&part, &size)) {
    plain.append(static_cast<const char*>(part), static_cast<std::size_t>(size));
    if (plain.size() > kLargestMessage)
      throw DataLossError(fmt::format("{}: unzips to more than 2 GiB, which no graph has", where));
  }
  const int code = stream.ZlibErrorCode();
  if (code != 0 && code != 1)  // Z_OK, Z_STREAM_END
    throw DataLossError(fmt::format("{}: the gzip stream is damaged ({})", where,
                                    stream.ZlibErrorMessage() ? stream.ZlibErrorMessage() : "unknown error"));
  if (code == 0) throw DataLossError(fmt::format("{}: the gzip stream ends too early", where));
  return plain;
}

bool LooksLikeGraph(const proto::GraphDef& graph) {
  return graph.node_size() > 0 && std::ranges::all_of(graph.node(), [](const proto::NodeDef& n) {
           return !n.name().empty() && !n.op().empty();
         });
}
}  // namespace

ParsedGraphFile ParseGraphFile(std::string_view bytes, const std::string& where) {
  const google::protobuf::LogSilencer silent;
  if (bytes.size() > kLargestMessage)
    throw DataLossError(fmt::format("{}: larger than 2 GiB, which no graph is", where));
  std::string unzipped;
  if (bytes.starts_with("\x1f\x8b")) {
    unzipped = Unzip(bytes, where);
    bytes = unzipped;
  }
  if (bytes.empty()) throw DataLossError(fmt::format("{}: the file is empty", where));
  const int size = static_cast<int>(bytes.size());
  ParsedGraphFile file;
  // The same bytes may parse as either message; a graph's nodes have names and ops.
  if (file.meta.ParseFromArray(bytes.data(), size) && LooksLikeGraph(file.meta.graph_def())) {
    file.has_meta = true;
    return file;
  }
  file.meta.Clear();
  if (file.meta.mutable_graph_def()->ParseFromArray(bytes.data(), size) && LooksLikeGraph(file.meta.graph_def()))
    return file;
  file.meta.Clear();
  if (std::ranges::any_of(bytes, [](char c) { return static_cast<unsigned char>(c) < 9; }))
    throw DataLossError(
        fmt::format("{}: neither a MetaGraphDef nor a GraphDef: it does not parse, or holds no nodes", where));
  std::string why;
  for (const bool meta : {true, false}) {
    FirstError error;
    google::protobuf::TextFormat::Parser parser;
    parser.RecordErrorsTo(&error);
    google::protobuf::io::ArrayInputStream text(bytes.data(), size);
    file.meta.Clear();
    google::protobuf::Message* message = &file.meta;
    if (!meta) message = file.meta.mutable_graph_def();
    if (parser.Parse(&text, message) && LooksLikeGraph(file.meta.graph_def())) {
      file.has_meta = meta;
      return file;
    }
    if (!error.text.empty())
      why += fmt::format("; as text of a {}: {}", meta ? "MetaGraphDef" : "GraphDef", error.text);
  }
  throw DataLossError(fmt::format("{}: neither a MetaGraphDef nor a GraphDef, binary or text{}", where,
                                  why.empty() ? "; it holds no nodes" : why));
}
}  // namespace equiv::runtime
