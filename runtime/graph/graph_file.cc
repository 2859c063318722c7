#include "runtime/graph/graph_file.h"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "kernels/base/error.h"

namespace equiv::runtime {
namespace {
constexpr std::size_t kLargestMessage = std::numeric_limits<int>::max();  // of any protobuf message
constexpr int kDeepest = 100;  // messages inside one another, as in the binary form: the parser calls itself

class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (text.empty()) text = fmt::format("line {}, column {}: {}", line + 1, column + 1, message);
  }
  std::string text;
};

// zlib itself: protobuf's GzipInputStream takes a stream without its last bytes, and so without its checksum, as whole.
std::string Unzip(std::string_view bytes, const std::string& where) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;
  if (inflateInit2(&stream, kGzip) != Z_OK) throw ResourceExhaustedError(where + ": zlib does not start");
  const std::unique_ptr<z_stream, int (*)(z_streamp)> end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string plain, part(std::size_t{256} << 10, '\0');
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = static_cast<uInt>(part.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    plain.append(part, 0, part.size() - stream.avail_out);
    if (plain.size() > kLargestMessage)
      throw DataLossError(fmt::format("{}: unzips to more than 2 GiB, which no graph has", where));
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) return plain;
      inflateReset(&stream);  // another member follows
    } else if (code == Z_BUF_ERROR || (code == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) {
      throw DataLossError(fmt::format("{}: the gzip stream ends too early", where));
    } else if (code != Z_OK) {
      throw DataLossError(
          fmt::format("{}: the gzip stream is damaged ({})", where, stream.msg ? stream.msg : "unknown error"));
    }
  }
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
    parser.SetRecursionLimit(kDeepest);
    google::protobuf::io::ArrayInputStream text(bytes.data(), size);
    file.meta.Clear();
    google::protobuf::Message* message = &file.meta;
    if (!meta) message = file.meta.mutable_graph_def();
    if (parser.Parse(&text, message) && LooksLikeGraph(file.meta.graph_def())) {
      // The text parser takes bytes that are no UTF-8 for a string; the binary one, which reads what we write, does
      // not.
      if (!message->ParseFromString(message->SerializeAsString()))
        throw DataLossError(fmt::format("{}: a string of the graph is not UTF-8", where));
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
