#include "equiv/harness/conformance/checkpoint_goldens.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "equiv/harness/conformance/golden_files.h"
#include "kernels/base/error.h"
#include "kernels/io/file.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/checkpoint_state.h"

namespace equiv {
namespace {
using Json = nlohmann::json;
using runtime::CheckpointReader;
using runtime::ObjectGraph;
namespace fs = std::filesystem;

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

// All elements of nested lists, in order.
void Flatten(const Json& value, std::vector<const Json*>& leaves, bool complex) {
  const bool leaf = !value.is_array() || (complex && value.size() == 2 && !value[0].is_array());
  if (leaf)
    leaves.push_back(&value);
  else
    for (const Json& item : value) Flatten(item, leaves, complex);
}

// Stored through NumPy, whose byte strings drop zero bytes at their end.
bool SameString(const Json& stored, std::string_view got) {
  if (stored == "hex:" + Hex(got)) return true;
  while (got.ends_with('\0')) got.remove_suffix(1);
  return stored == "hex:" + Hex(got);
}

std::string CompareTensor(const Json& expected, const CheckpointReader& reader, const std::string& key) {
  const io::BundleEntry& entry = reader.Entry(key);
  if (expected.contains("error_type")) {  // what TensorFlow refuses to read
    try {
      reader.GetTensor(key);
    } catch (const Error&) {
      return {};
    }
    return fmt::format("it is read, expected {}", expected["error_type"].dump());
  }
  const Array got = reader.GetTensor(key);
  const std::string dtype = expected.at("dtype");
  const auto shape = expected.at("shape").get<std::vector<std::int64_t>>();
  if (Name(got.dtype()) != dtype) return fmt::format("dtype {}, expected {}", Name(got.dtype()), dtype);
  if (entry.shape != shape || got.shape().vector() != shape)
    return fmt::format("shape [{}], expected [{}]", fmt::join(entry.shape, ","), fmt::join(shape, ","));
  if (expected.contains("little_endian_hex")) {
    const std::string bytes = Hex(std::string_view(reinterpret_cast<const char*>(got.raw()), got.num_bytes()));
    return bytes == expected["little_endian_hex"] ? "" : "the bytes differ";
  }
  if (!expected.contains("value")) return {};  // too large to be stored; its row has the checksum
  std::vector<const Json*> leaves;
  Flatten(expected.at("value"), leaves, IsComplex(got.dtype()));
  if (static_cast<std::int64_t>(leaves.size()) != got.num_elements())
    return fmt::format("{} elements, expected {}", got.num_elements(), leaves.size());
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (got.dtype() == DType::kString) {
      if (!SameString(*leaves[i], got.strings()[i])) return fmt::format("string {} differs", i);
    } else if (const double value = got.ElementAsDouble(static_cast<std::int64_t>(i));
               leaves[i]->is_boolean() ? value != (leaves[i]->get<bool>() ? 1.0 : 0.0)
                                       : value != HexNumber(*leaves[i])) {
      return fmt::format("element {} is {}, expected {}", i, value, leaves[i]->dump());
    }
  }
  return {};
}

Json RowJson(const io::BundleEntry& row) {
  Json slices = Json::array();
  for (const io::TensorSlice& slice : row.slices) {
    Json extents = Json::array();
    for (const io::SliceExtent& e : slice.extents) extents.push_back({e.start, e.length});
    slices.push_back(std::move(extents));
  }
  return {{"dtype", static_cast<int>(row.dtype)},
          {"shape", row.shape},
          {"shard", row.shard},
          {"offset", row.offset},
          {"size", row.size},
          {"crc32c_masked", fmt::format("{:08x}", row.masked_crc32c)},
          {"slices", std::move(slices)}};
}

std::string CompareRows(const Json& expected, const io::BundleReader& bundle) {
  const std::size_t rows = bundle.entries().size() + bundle.slice_entries().size();
  if (expected.contains("count") && expected["count"].is_number()) {
    return expected["count"] == rows ? "" : fmt::format("{} rows, expected {}", rows, expected["count"].dump());
  }
  std::map<std::string, Json> got;
  for (const io::BundleEntry& row : bundle.entries()) got.emplace(row.key, RowJson(row));
  for (const io::BundleEntry& row : bundle.slice_entries()) got.emplace("slice:" + Hex(row.key), RowJson(row));
  for (const auto& [key, row] : expected.items()) {
    const auto it = got.find(key);
    if (it == got.end()) return fmt::format("there is no row '{}'", key);
    if (it->second != row) return fmt::format("row '{}' is {}, expected {}", key, it->second.dump(), row.dump());
  }
  return got.size() == expected.size() ? "" : fmt::format("{} rows, expected {}", got.size(), expected.size());
}

std::string CompareGraph(const Json& expected, const CheckpointReader& reader) {
  const std::optional<ObjectGraph> graph = reader.ReadObjectGraph();
  if (!graph) return "there is no object graph";
  if (graph->nodes.size() != expected.size())
    return fmt::format("{} nodes, expected {}", graph->nodes.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const ObjectGraph::Node& node = graph->nodes[i];
    Json got = {
        {"id", i}, {"children", Json::array()}, {"attributes", Json::array()}, {"slot_variables", Json::array()}};
    for (const auto& c : node.children) got["children"].push_back({c.node, c.name});
    for (const auto& a : node.attributes) got["attributes"].push_back({a.name, a.full_name, a.checkpoint_key});
    for (const auto& s : node.slots) got["slot_variables"].push_back({s.variable, s.name, s.slot});
    got["has_checkpoint_values"] = node.has_checkpoint_values;
    if (got != expected[i]) return fmt::format("node {} is {}, expected {}", i, got.dump(), expected[i].dump());
  }
  if (graph->Serialize() != reader.GetTensor(runtime::kObjectGraphKey).strings().front())
    return "writing the object graph anew gives other bytes";
  return {};
}

// Writes what the reader holds under `prefix`: tensors of each shard in the order of their bytes.
void Rewrite(const io::BundleReader& bundle, const std::string& prefix) {
  struct Part {
    const io::BundleEntry* row;
    const io::BundleEntry* whole;  // of a slice
    const io::TensorSlice* slice;
  };
  std::vector<Part> parts;
  std::map<std::string, const io::BundleEntry*> slices;
  for (const io::BundleEntry& row : bundle.slice_entries()) slices.emplace(row.key, &row);
  for (const io::BundleEntry& row : bundle.entries()) {
    if (!row.partitioned()) parts.push_back({&row, nullptr, nullptr});
    for (const io::TensorSlice& slice : row.slices) {
      const auto it = slices.find(io::EncodeSliceKey(row.key, slice));
      if (it == slices.end())
        throw NotFoundError(fmt::format("slice {} of '{}' has no row", slice.ToString(), row.key));
      parts.push_back({it->second, &row, &slice});
    }
  }
  std::ranges::stable_sort(parts, [](const Part& a, const Part& b) {
    return std::tuple(a.row->shard, a.row->offset, a.row->size) < std::tuple(b.row->shard, b.row->offset, b.row->size);
  });
  io::BundleWriter writer(prefix, bundle.header().num_shards);
  for (const Part& part : parts) {
    const Array value = bundle.ReadStored(*part.row);
    if (part.whole)
      writer.AddSlice(part.whole->key, part.whole->shape, *part.slice, value, part.row->shard);
    else
      writer.Add(part.row->key, value, part.row->shard);
  }
  writer.Finish();
}

void RewriteCases(const fs::path& folder, const Json& expected, std::vector<CaseResult>& results) {
  std::vector<std::string> prefixes;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".index") prefixes.push_back(entry.path().stem().string());
  std::ranges::sort(prefixes);
  for (const std::string& prefix : prefixes) {
    const io::TemporaryFolder temporary;
    std::vector<std::string> files;
    std::string problem;
    try {
      const io::BundleReader bundle((folder / prefix).string());
      Rewrite(bundle, temporary / prefix);
      files.push_back(io::IndexFileName(prefix));
      for (int i = 0; i < bundle.header().num_shards; ++i)
        files.push_back(io::DataFileName(prefix, i, bundle.header().num_shards));
    } catch (const Error& error) {
      problem = error.Describe();
      files = {io::IndexFileName(prefix)};
    }
    for (const std::string& file : files)
      AddCase(results, "rewrite/" + file, [&](CaseResult&) -> std::string {
        if (!problem.empty()) return problem;
        const std::string written = io::ReadFile(temporary / file);
        if (const Json& stored = expected.at("files"); stored.contains(file)) {
          const std::string sha = Sha256(written);
          if (sha != stored[file].at("sha256")) return fmt::format("sha256 {}, expected {}", sha, stored[file].dump());
        } else if (written != io::ReadFile((folder / file).string())) {
          return "the bytes differ from the file's";
        }
        return {};
      });
  }
}
}  // namespace

std::vector<CaseResult> RunCheckpointGoldens(const fs::path& folder) {
  const Json expected = ReadJson(folder / "expected.json");
  for (const char* key : {"prefix", "header", "keys_in_print_order", "tensors", "index_entries", "files"})
    if (!expected.contains(key))
      throw DataLossError(fmt::format("'{}' has no '{}'", (folder / "expected.json").string(), key));
  std::vector<CaseResult> results;
  const std::string prefix = (folder / expected.at("prefix").get<std::string>()).string();
  std::unique_ptr<CheckpointReader> reader;
  AddCase(results, "header", [&](CaseResult&) -> std::string {
    reader = std::make_unique<CheckpointReader>(prefix);
    const io::BundleHeader& h = reader->bundle().header();
    const Json got = {{"num_shards", h.num_shards},
                      {"endianness", h.big_endian ? "BIG" : "LITTLE"},
                      {"producer", h.producer},
                      {"min_consumer", h.min_consumer}};
    return got == expected["header"] ? "" : fmt::format("{}, expected {}", got.dump(), expected["header"].dump());
  });
  if (!reader) return results;
  AddCase(results, "keys_in_print_order", [&](CaseResult&) -> std::string {
    const Json& stored = expected["keys_in_print_order"];
    const std::vector<std::string> keys = reader->KeysInMapOrder();
    if (stored.is_object())
      return stored.at("count") == keys.size() ? "" : fmt::format("{} keys, expected {}", keys.size(), stored.dump());
    return Json(keys) == stored ? "" : fmt::format("[{}], expected {}", fmt::join(keys, ", "), stored.dump());
  });
  for (const auto& [key, tensor] : expected["tensors"].items())
    AddCase(results, "tensors/" + key,
            [&, &tensor = tensor, &key = key](CaseResult&) { return CompareTensor(tensor, *reader, key); });
  if (expected["tensors"].empty() && !reader->bundle().entries().empty())
    AddCase(results, "tensors", [&](CaseResult&) {
      for (const io::BundleEntry& entry : reader->bundle().entries()) reader->bundle().Read(entry);
      return std::string();
    });
  AddCase(results, "index_entries",
          [&](CaseResult&) { return CompareRows(expected["index_entries"], reader->bundle()); });
  if (expected.contains("object_graph"))
    AddCase(results, "object_graph", [&](CaseResult&) { return CompareGraph(expected["object_graph"], *reader); });
  if (expected.contains("checkpoint_state_text"))
    AddCase(results, "checkpoint_state", [&](CaseResult&) -> std::string {
      const std::string file = (folder / "checkpoint").string(), text = io::ReadFile(file);
      if (text != expected["checkpoint_state_text"]) return "the file 'checkpoint' is not the stored one";
      const std::string again = runtime::CheckpointState::Parse(text, file).ToText();
      return again == text ? "" : fmt::format("written anew it is '{}'", again);
    });
  if (expected.contains("facts"))
    for (const auto& [name, values] : expected["facts"].items()) {
      if (!fs::exists(io::IndexFileName((folder / name).string())) || !values.is_object()) continue;
      AddCase(results, "facts/" + name, [&, &name = name, &values = values](CaseResult&) -> std::string {
        const CheckpointReader other((folder / name).string());
        for (const auto& [key, stored] : values.items()) {
          const Array got = other.GetTensor(key);
          std::vector<const Json*> leaves;
          Flatten(stored, leaves, false);
          if (static_cast<std::int64_t>(leaves.size()) != got.num_elements())
            return fmt::format("'{}' has {} elements, expected {}", key, got.num_elements(), leaves.size());
          for (std::size_t i = 0; i < leaves.size(); ++i)
            if (got.ElementAsDouble(static_cast<std::int64_t>(i)) != HexNumber(*leaves[i]))
              return fmt::format("element {} of '{}' differs", i, key);
        }
        return other.bundle().entries().size() == values.size() ? "" : "another number of keys";
      });
    }
  RewriteCases(folder, expected, results);
  return results;
}
}  // namespace equiv
