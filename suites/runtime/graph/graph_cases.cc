#include "suites/runtime/graph/graph_cases.h"

#include <fmt/format.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>

#include "kernels/io/file.h"
#include "kernels/proto/graph.pb.h"
#include "runtime/graph/proto_convert.h"

namespace equiv::test {
namespace {
namespace fs = std::filesystem;

std::vector<std::string> Split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}
// "x:0=float32[2]:1,2"
std::pair<std::string, Array> ParseValue(const std::string& text) {
  const auto equal = text.find('='), open = text.find('['), close = text.find("]:");
  if (equal == std::string::npos || open == std::string::npos || close == std::string::npos)
    throw std::runtime_error("not name=dtype[shape]:values: " + text);
  const DType dtype = ParseDType(text.substr(equal + 1, open - equal - 1)).value();
  std::vector<std::int64_t> dims;
  for (const std::string& d : Split(text.substr(open + 1, close - open - 1), ',')) dims.push_back(std::stoll(d));
  if (dtype == DType::kString)
    return {text.substr(0, equal), Array::Strings(Shape(dims), Split(text.substr(close + 2), ','))};
  Array array(dtype, Shape(dims));
  const std::vector<std::string> values = Split(text.substr(close + 2), ',');
  if (static_cast<std::int64_t>(values.size()) != array.num_elements()) throw std::runtime_error("values of " + text);
  for (std::size_t i = 0; i < values.size(); ++i) switch (dtype) {
      case DType::kFloat32:
        array.mutable_data<float>()[i] = std::stof(values[i]);
        break;
      case DType::kInt32:
        array.mutable_data<std::int32_t>()[i] = std::stoi(values[i]);
        break;
      case DType::kInt64:
        array.mutable_data<std::int64_t>()[i] = std::stoll(values[i]);
        break;
      case DType::kBool:
        array.mutable_data<bool>()[i] = values[i] == "true";
        break;
      default:
        throw std::runtime_error("dtype of " + text);
    }
  return {text.substr(0, equal), array};
}
GraphRun ParseRun(const std::string& line) {
  GraphRun run;
  run.text = line;
  const auto arrow = line.find("->");
  for (const std::string& feed : Split(line.substr(0, arrow), ' '))
    if (!feed.empty()) run.feeds.push_back(ParseValue(feed));
  std::string wanted = line.substr(arrow + 3);
  if (wanted.starts_with("op ")) {
    run.operation = wanted.substr(3);
  } else if (wanted.starts_with("error ")) {
    wanted.erase(0, 6);
    run.failing = wanted.substr(0, wanted.find(' '));
    run.error = wanted.substr(wanted.find(' ') + 1);
  } else {
    for (const std::string& value : Split(wanted, ' ')) run.fetches.push_back(ParseValue(value));
  }
  return run;
}
GraphCase Load(const fs::path& path) {
  GraphCase c;
  c.name = path.stem().string();
  c.path = path.string();
  c.text = io::ReadFile(c.path);
  for (const std::string& line : Split(c.text, '\n')) {
    if (line.starts_with("# run: ")) c.runs.push_back(ParseRun(line.substr(7)));
    if (line.starts_with("# error: ")) c.error = line.substr(9);
  }
  return c;
}
proto::GraphDef Parse(const std::string& text) {
  proto::GraphDef def;
  if (!google::protobuf::TextFormat::ParseFromString(text, &def)) throw std::runtime_error("not a GraphDef");
  return def;
}

std::string Canonical(const std::string& input) {
  return input.ends_with(":0") ? input.substr(0, input.size() - 2) : input;
}
bool SameAttr(const proto::AttrValue& a, const proto::AttrValue& b) {
  if (a.value_case() == proto::AttrValue::kTensor && b.value_case() == proto::AttrValue::kTensor) {
    const Array x = runtime::FromProto(a.tensor(), "a: "), y = runtime::FromProto(b.tensor(), "b: ");
    return x.dtype() == DType::kString ? x.shape() == y.shape() && x.strings() == y.strings() : BitwiseEqual(x, y);
  }
  return google::protobuf::util::MessageDifferencer::Equals(a, b);
}
}  // namespace

std::vector<GraphCase> GraphCases(bool bad) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(EQUIV_SOURCE_DIR "/suites/runtime/graph/cases"))
    if (entry.path().extension() == ".pbtxt") paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<GraphCase> cases;
  for (const fs::path& path : paths)
    if (path.stem().string().starts_with("bad_") == bad) cases.push_back(Load(path));
  return cases;
}
void PrintTo(const GraphCase& c, std::ostream* out) { *out << c.name; }

std::string AsBinary(const std::string& text) { return Parse(text).SerializeAsString(); }
std::string Zipped(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib");
  std::string zipped(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(zipped.data());
  stream.avail_out = static_cast<uInt>(zipped.size());
  const int done = deflate(&stream, Z_FINISH);
  zipped.resize(stream.total_out);
  deflateEnd(&stream);
  if (done != Z_STREAM_END) throw std::runtime_error("zlib");
  return zipped;
}

std::string Differences(const std::string& original_text, const std::string& exported) {
  const proto::GraphDef before = Parse(original_text);
  proto::GraphDef after;
  if (!after.ParseFromString(exported)) return "the export does not parse";
  if (before.node_size() != after.node_size())
    return fmt::format("{} nodes instead of {}", after.node_size(), before.node_size());
  std::map<std::string, const proto::NodeDef*> nodes;
  for (const auto& node : after.node()) nodes.emplace(node.name(), &node);
  for (const auto& node : before.node()) {
    const auto it = nodes.find(node.name());
    if (it == nodes.end()) return fmt::format("'{}' is missing", node.name());
    const proto::NodeDef& other = *it->second;
    // A function called by its name becomes a call.
    const bool by_name = other.op() != node.op() && other.op().ends_with("PartitionedCall");
    if (!by_name && other.op() != node.op())
      return fmt::format("'{}' is {} instead of {}", node.name(), other.op(), node.op());
    if (other.device() != node.device()) return fmt::format("'{}' is on '{}'", node.name(), other.device());
    std::vector<std::string> a, b;
    for (const std::string& input : node.input()) a.push_back(Canonical(input));
    for (const std::string& input : other.input()) b.push_back(Canonical(input));
    if (a != b) return fmt::format("'{}' has other inputs", node.name());
    for (const auto& [name, value] : node.attr()) {
      if (by_name || value.value_case() == proto::AttrValue::kFunc || value.list().func_size() > 0) continue;
      if (!other.attr().contains(name)) return fmt::format("'{}' has lost '{}'", node.name(), name);
      if (!SameAttr(value, other.attr().at(name)))
        return fmt::format("'{}' of '{}' is {}", name, node.name(), other.attr().at(name).ShortDebugString());
    }
  }
  return {};
}
}  // namespace equiv::test
