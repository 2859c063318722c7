#include "equiv/harness/recording_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "equiv/compare/decimal.h"
#include "equiv/compare/npz.h"
#include "equiv/compare/printable.h"
#include "kernels/base/error.h"
#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"

namespace equiv {
namespace {
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;
constexpr const char* kArraysFile = "arrays.npz";
constexpr int kSchema = 1;

std::string FileIn(const std::string& folder, const char* name) { return (fs::path(folder) / name).string(); }

// A text in JSON is UTF-8; other bytes are kept as hexadecimal digits.
Json TextJson(const std::string& text) {
  if (IsUtf8(text)) return text;
  std::string hex;
  for (const char c : text) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return {{"hex", hex}};
}
// Not-a-numbers and infinities have no JSON, and decimals are for people: C99 hexadecimal.
Json DoubleJson(double value) { return FormatHex(value); }
Json ShapeJson(const PartialShape& shape) {
  if (!shape.has_rank()) return nullptr;
  Json dims = Json::array();
  for (const std::int64_t d : shape.dims()) dims.push_back(d);
  return dims;
}

// The members of arrays.npz.
class Arrays {
 public:
  // The name of the member, for the JSON; null for an array without value.
  Json Add(const std::string& name, const Array& array) {
    if (!array.has_value()) return nullptr;
    std::string member = IsUtf8(name) && name.find('\0') == std::string::npos ? name : Printable(name);
    for (int again = 2; !names_.insert(member).second; ++again) member = fmt::format("{}#{}", name, again);
    tensors.push_back(Lazy(member, array));
    return member;
  }
  std::vector<LazyTensor> tensors;

 private:
  std::set<std::string> names_;
};

// Of the keys, and of the values by the checksums that the index has.
std::uint64_t ChecksumOf(const std::string& prefix) {
  const io::BundleReader reader(prefix);
  std::string rows;
  for (const auto* entries : {&reader.entries(), &reader.slice_entries()})
    for (const io::BundleEntry& e : *entries)
      rows += fmt::format("{}:{}{}[{}]{:08x}", e.key.size(), e.key, Name(e.dtype), fmt::join(e.shape, ","),
                          e.partitioned() ? 0 : e.masked_crc32c);
  return XXH3_64bits(rows.data(), rows.size());
}

Json RequestJson(const RunRequest& request, Arrays& arrays) {
  Json out;
  out["inputs"] = Json::array();
  for (std::size_t i = 0; i < request.inputs.size(); ++i)
    out["inputs"].push_back(arrays.Add(fmt::format("inputs/{}", i), request.inputs[i]));
  out["training"] = request.training;
  out["random"] = request.random ? Json{{"mode", request.random->mode}, {"seed", request.random->seed}} : Json(nullptr);
  out["set_variables"] =
      request.set_variables ? DoubleJson(static_cast<double>(*request.set_variables)) : Json(nullptr);
  out["values"] = Json::array();
  for (const auto& [name, value] : request.values)
    out["values"].push_back({{"name", TextJson(name)}, {"array", arrays.Add("forced/" + name, value)}});
  out["checkpoint"] = nullptr;
  if (request.checkpoint)
    out["checkpoint"] = {{"prefix", TextJson(*request.checkpoint)},
                         {"checksum", fmt::format("{:016x}", ChecksumOf(*request.checkpoint))}};
  out["save"] = nullptr;
  if (request.save) out["save"] = {{"prefix", TextJson(request.save->prefix)}, {"kind", Name(request.save->kind)}};
  out["backend"] = request.backend;
  out["passes"] = {{"disable_meta_optimizer", request.passes.disable_meta_optimizer}, {"off", request.passes.off}};
  out["build_only"] = request.build_only;
  out["calls"] = request.calls;
  return out;
}

Json RecordingJson(const Recording& r, Arrays& arrays) {
  Json out;
  out["environment"] = {{"executor", r.environment.executor},
                        {"backend", r.environment.backend},
                        {"threads", r.environment.threads},
                        {"passes", r.environment.passes}};
  out["variables"] = Json::array();
  for (const VariableRecord& v : r.variables)
    out["variables"].push_back({{"name", TextJson(v.name)},
                                {"dtype", Name(v.dtype)},
                                {"shape", ShapeJson(v.shape)},
                                {"trainable", v.trainable},
                                {"created_at", TextJson(v.created_at)},
                                {"array", arrays.Add("variables/" + v.name, v.value)}});
  out["listed_variables"] = Json::array();
  for (const std::string& name : r.listed_variables) out["listed_variables"].push_back(TextJson(name));
  out["outputs"] = Json::array();
  for (const NamedArray& o : r.outputs)
    out["outputs"].push_back({{"name", TextJson(o.name)}, {"array", arrays.Add("outputs/" + o.name, o.array)}});
  out["losses"] = Json::array();
  for (std::size_t i = 0; i < r.losses.size(); ++i)
    out["losses"].push_back(
        {{"name", TextJson(r.losses[i].name)}, {"array", arrays.Add(fmt::format("losses/{}", i), r.losses[i].array)}});
  out["total_loss"] = arrays.Add("total_loss", r.total_loss);
  out["draws"] = Json::array();
  for (const DrawRecord& d : r.draws) {
    Json first = Json::array();
    for (const double v : d.first_values) first.push_back(DoubleJson(v));
    out["draws"].push_back({{"sequence", d.sequence},
                            {"kind", d.kind},
                            {"seed", d.seed},
                            {"seed2", d.seed2},
                            {"dtype", Name(d.dtype)},
                            {"shape", ShapeJson(d.shape)},
                            {"owner", TextJson(d.owner)},
                            {"call_site", TextJson(d.call_site)},
                            {"first_values", std::move(first)},
                            {"hash", fmt::format("{:016x}", d.hash)}});
  }
  out["effects"] = Json::array();
  for (const EffectRecord& e : r.effects) {
    const char* kind = e.kind == EffectRecord::Kind::kCreate ? "create"
                       : e.kind == EffectRecord::Kind::kRead ? "read"
                                                             : "write";
    out["effects"].push_back({kind, TextJson(e.variable)});
  }
  out["ops_executed"] = r.ops_executed;
  out["operation_seed_after"] = r.operation_seed_after;
  out["phases"] = Json::array();
  for (const Phase& p : r.phases) out["phases"].push_back({p.name, DoubleJson(p.seconds)});
  return out;
}

// Reads fields and says which one is wrong.
class Parser {
 public:
  Parser(const std::string& folder, std::unique_ptr<TensorSource> arrays)
      : file_(FileIn(folder, kRecordingFile)), arrays_(std::move(arrays)) {}

  StoredRecording Parse(const Json& json) {
    StoredRecording stored;
    stored.side = Text(At(json, "side"));
    ParseRequest(At(json, "request"), stored);
    ParseRecording(At(json, "recording"), stored.recording);
    return stored;
  }
  // Names of the arrays of variables, outputs and losses, with the names of variables.
  std::vector<std::pair<std::string, std::string>> Listed(const Json& json) {
    std::vector<std::pair<std::string, std::string>> names;
    const Json& recording = At(json, "recording");
    for (const char* list : {"variables", "outputs", "losses"})
      for (const Json& item : List(At(recording, list)))
        if (const Json& member = At(item, "array"); !member.is_null())
          names.emplace_back(Text(member), std::string_view(list) == "variables" ? Text(At(item, "name")) : "");
    if (const Json& total = At(recording, "total_loss"); !total.is_null()) names.emplace_back(Text(total), "");
    return names;
  }

 private:
  [[noreturn]] void Damaged(const std::string& why) const {
    throw DataLossError(fmt::format("'{}' is damaged: {}", file_, why));
  }
  const Json& At(const Json& object, const char* key) {
    field_ = key;
    if (!object.is_object() || !object.contains(key)) Damaged(fmt::format("there is no '{}' where one belongs", key));
    return object.at(key);
  }
  const Json& List(const Json& json) const {
    if (!json.is_array()) Damaged(fmt::format("'{}' is no list", field_));
    return json;
  }
  template <class T>
  T Get(const Json& json) const {
    const bool fits = std::is_same_v<T, bool> ? json.is_boolean() : json.is_number_integer();
    if (!fits) Damaged(fmt::format("'{}' is {}", field_, json.dump().substr(0, 40)));
    if constexpr (!std::is_same_v<T, bool>)
      if (json.is_number_unsigned()
              ? json.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<T>::max())
              : json.get<std::int64_t>() < static_cast<std::int64_t>(std::numeric_limits<T>::min()))
        Damaged(fmt::format("'{}' is {}", field_, json.dump()));
    return json.get<T>();
  }
  std::string Text(const Json& json) const {
    if (json.is_string()) return json.get<std::string>();
    if (json.is_object() && json.size() == 1 && json.contains("hex") && json["hex"].is_string()) {
      const auto& hex = json["hex"].get_ref<const std::string&>();
      const auto digit = [&](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        Damaged(fmt::format("'{}' has a digit that is none", field_));
      };
      std::string text;
      for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        text += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
      return text;
    }
    Damaged(fmt::format("'{}' is no text", field_));
  }
  std::vector<std::string> Texts(const Json& json) const {
    std::vector<std::string> texts;
    for (const Json& item : List(json)) texts.push_back(Text(item));
    return texts;
  }
  double Double(const Json& json) const {
    const std::string text = Text(json);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0') Damaged(fmt::format("'{}' is no number: '{}'", field_, Printable(text)));
    return value;
  }
  DType Dtype(const Json& json) const {
    const std::string name = Text(json);
    const std::optional<DType> dtype = ParseDType(name);
    if (!dtype) Damaged(fmt::format("'{}' is no dtype", Printable(name)));
    return *dtype;
  }
  PartialShape Shape(const Json& json) const {
    if (json.is_null()) return PartialShape::Unknown();
    std::vector<std::int64_t> dims;
    for (const Json& d : List(json)) dims.push_back(Get<std::int64_t>(d));
    if (std::ranges::any_of(dims, [](std::int64_t d) { return d < -1; })) Damaged("a shape with a negative dimension");
    return PartialShape(std::move(dims));
  }
  Array ArrayOf(const Json& json) const { return json.is_null() ? Array() : arrays_->Read(Text(json)); }

  std::uint64_t Hash(const Json& json) const {
    const std::string hex = Text(json);
    char* end = nullptr;
    const std::uint64_t value = std::strtoull(hex.c_str(), &end, 16);
    if (hex.size() != 16 || *end != '\0') Damaged(fmt::format("'{}' is no 64-bit number", field_));
    return value;
  }

  void ParseRequest(const Json& json, StoredRecording& stored) {
    RunRequest& r = stored.request;
    for (const Json& input : List(At(json, "inputs"))) r.inputs.push_back(ArrayOf(input));
    r.training = Get<bool>(At(json, "training"));
    if (const Json& random = At(json, "random"); !random.is_null())
      r.random = RandomMode{Text(At(random, "mode")), Get<std::int64_t>(At(random, "seed"))};
    if (const Json& value = At(json, "set_variables"); !value.is_null())
      r.set_variables = static_cast<float>(Double(value));
    for (const Json& item : List(At(json, "values")))
      r.values.emplace(Text(At(item, "name")), ArrayOf(At(item, "array")));
    if (const Json& checkpoint = At(json, "checkpoint"); !checkpoint.is_null()) {
      r.checkpoint = Text(At(checkpoint, "prefix"));
      stored.checkpoint_checksum = Hash(At(checkpoint, "checksum"));
    }
    if (const Json& save = At(json, "save"); !save.is_null()) {
      const std::string kind = Text(At(save, "kind"));
      r.save = SaveRequest{Text(At(save, "prefix")), CheckpointKind::kNameBased};
      if (kind == Name(CheckpointKind::kObjectBased))
        r.save->kind = CheckpointKind::kObjectBased;
      else if (kind != Name(CheckpointKind::kNameBased))
        Damaged(fmt::format("a checkpoint's kind is '{}'", Printable(kind)));
    }
    r.backend = Text(At(json, "backend"));
    const Json& passes = At(json, "passes");
    r.passes.disable_meta_optimizer = Get<bool>(At(passes, "disable_meta_optimizer"));
    for (const std::string& name : Texts(At(passes, "off"))) r.passes.off.insert(name);
    r.build_only = Get<bool>(At(json, "build_only"));
    r.calls = Get<int>(At(json, "calls"));
  }

  void ParseRecording(const Json& json, Recording& r) {
    const Json& environment = At(json, "environment");
    r.environment.executor = Text(At(environment, "executor"));
    r.environment.backend = Text(At(environment, "backend"));
    r.environment.threads = Get<int>(At(environment, "threads"));
    r.environment.passes = Texts(At(environment, "passes"));
    for (const Json& v : List(At(json, "variables"))) {
      VariableRecord record{.name = Text(At(v, "name")), .shape = Shape(At(v, "shape")), .created_at = {}, .value = {}};
      record.dtype = Dtype(At(v, "dtype"));
      record.trainable = Get<bool>(At(v, "trainable"));
      record.created_at = Text(At(v, "created_at"));
      record.value = ArrayOf(At(v, "array"));
      if (record.value.has_value() &&
          (record.value.dtype() != record.dtype || !record.shape.IsCompatibleWith(record.value.shape())))
        Damaged(fmt::format("variable '{}' is {}{}, but its value in {} {}{}", Printable(record.name),
                            Name(record.dtype), record.shape.ToString(), kArraysFile, Name(record.value.dtype()),
                            record.value.shape().ToString()));
      r.variables.push_back(std::move(record));
    }
    r.listed_variables = Texts(At(json, "listed_variables"));
    for (auto [list, into] : {std::pair("outputs", &r.outputs), {"losses", &r.losses}})
      for (const Json& item : List(At(json, list)))
        into->push_back({Text(At(item, "name")), ArrayOf(At(item, "array"))});
    r.total_loss = ArrayOf(At(json, "total_loss"));
    for (const Json& d : List(At(json, "draws"))) {
      DrawRecord draw{.kind = Text(At(d, "kind")),
                      .shape = Shape(At(d, "shape")),
                      .owner = {},
                      .call_site = {},
                      .first_values = {}};
      draw.sequence = Get<std::int64_t>(At(d, "sequence"));
      draw.seed = Get<std::int64_t>(At(d, "seed"));
      draw.seed2 = Get<std::int64_t>(At(d, "seed2"));
      draw.dtype = Dtype(At(d, "dtype"));
      draw.owner = Text(At(d, "owner"));
      draw.call_site = Text(At(d, "call_site"));
      for (const Json& v : List(At(d, "first_values"))) draw.first_values.push_back(Double(v));
      draw.hash = Hash(At(d, "hash"));
      r.draws.push_back(std::move(draw));
    }
    for (const Json& e : List(At(json, "effects"))) {
      if (!e.is_array() || e.size() != 2) Damaged("an effect is no pair");
      const std::string kind = Text(e[0]);
      if (kind != "create" && kind != "read" && kind != "write") Damaged(fmt::format("effect '{}'", Printable(kind)));
      r.effects.push_back({kind == "create" ? EffectRecord::Kind::kCreate
                           : kind == "read" ? EffectRecord::Kind::kRead
                                            : EffectRecord::Kind::kWrite,
                           Text(e[1])});
    }
    r.ops_executed = Get<std::int64_t>(At(json, "ops_executed"));
    r.operation_seed_after = Get<std::int64_t>(At(json, "operation_seed_after"));
    for (const Json& p : List(At(json, "phases"))) {
      if (!p.is_array() || p.size() != 2) Damaged("a phase is no pair");
      r.phases.push_back({Text(p[0]), Double(p[1])});
    }
  }

  std::string file_, field_;
  std::unique_ptr<TensorSource> arrays_;
};

Json ReadDescription(const std::string& folder) {
  const std::string path = FileIn(folder, kRecordingFile);
  Json json;
  try {
    json = Json::parse(io::ReadFile(path));
  } catch (const Json::exception& error) {
    throw DataLossError(fmt::format("'{}' is no JSON: {}", path, error.what()));
  }
  if (!json.is_object() || json.value("format", Json()) != "equiv recording")
    throw DataLossError(fmt::format("'{}' is no recording: its 'format' is not \"equiv recording\"", path));
  if (json.value("schema_version", Json()) != kSchema)
    throw UnimplementedError(fmt::format("'{}' has schema_version {}; {} is read", path,
                                         json.value("schema_version", Json()).dump().substr(0, 40), kSchema));
  return json;
}

class RecordingSource final : public TensorSource {
 public:
  explicit RecordingSource(const std::string& folder)
      : TensorSource("recording", folder), arrays_(OpenNpz(FileIn(folder, kArraysFile))) {
    const Json json = ReadDescription(folder);
    files_ = {FileIn(folder, kRecordingFile), FileIn(folder, kArraysFile)};
    for (const auto& [member, variable] : Parser(folder, nullptr).Listed(json)) {
      const TensorInfo* info = arrays_->Find(member);
      if (!info)
        throw DataLossError(
            fmt::format("'{}' is damaged: '{}' has no '{}'", files_[0], kArraysFile, Printable(member)));
      Add(*info);
      tensors_.back().variable = variable.substr(0, variable.size() - (variable.ends_with(":0") ? 2 : 0));
    }
    if (json.contains("side") && json["side"].is_string())
      notes_.push_back("side " + Printable(json["side"].get<std::string>()));
  }
  using TensorSource::Read;
  Array Read(const TensorInfo& info) const override { return arrays_->Read(info.name); }

 private:
  std::unique_ptr<TensorSource> arrays_;
};

// Answers with what was recorded, once it is sure that the same was asked.
class RecordedSide final : public Side {
 public:
  explicit RecordedSide(const std::string& folder) : folder_(folder), stored_(LoadRecording(folder)) {}
  std::string name() const override { return stored_.side; }
  Recording Run(const RunRequest& asked) override {
    const RunRequest& had = stored_.request;
    std::string why;
    const auto require = [&](bool same, const std::string& text) {
      if (!same && why.empty()) why = text;
    };
    require(asked.inputs.size() == had.inputs.size(),
            fmt::format("{} inputs, recorded with {}", asked.inputs.size(), had.inputs.size()));
    for (std::size_t i = 0; i < std::min(asked.inputs.size(), had.inputs.size()); ++i)
      require(BitwiseEqual(asked.inputs[i], had.inputs[i]),
              fmt::format("another input {}: {}{}, recorded with {}{} or other values", i,
                          Name(asked.inputs[i].dtype()), asked.inputs[i].shape().ToString(),
                          Name(had.inputs[i].dtype()), had.inputs[i].shape().ToString()));
    const auto mode = [](bool training) { return training ? "training" : "inference"; };
    require(asked.training == had.training,
            fmt::format("{}, recorded in {}", mode(asked.training), mode(had.training)));
    require(!asked.save, "a checkpoint to be written");
    if (!asked.build_only) {
      require(!had.build_only, "a run, where the recording only built the model");
      const auto random = [](const std::optional<RandomMode>& r) {
        return r ? fmt::format("random mode {} with seed {}", r->mode, r->seed) : std::string("no random mode");
      };
      require(random(asked.random) == random(had.random),
              fmt::format("{}, recorded with {}", random(asked.random), random(had.random)));
      require(asked.set_variables == had.set_variables, "variables set to another value than recorded");
      require(std::ranges::equal(
                  asked.values, had.values,
                  [](const auto& a, const auto& b) { return a.first == b.first && BitwiseEqual(a.second, b.second); }),
              fmt::format("{} variables forced to values, recorded with {} or others", asked.values.size(),
                          had.values.size()));
      const auto start = [](const std::optional<std::string>& checkpoint) {
        return checkpoint ? fmt::format("a start from checkpoint '{}'", *checkpoint)
                          : std::string("a start without checkpoint");
      };
      require(asked.checkpoint.has_value() == had.checkpoint.has_value() &&
                  (!asked.checkpoint || ChecksumOf(*asked.checkpoint) == stored_.checkpoint_checksum),
              fmt::format("{}, recorded with {}{}", start(asked.checkpoint), start(had.checkpoint),
                          asked.checkpoint && had.checkpoint ? " of other values" : ""));
    }
    if (!why.empty())
      throw InvalidArgumentError(fmt::format(
          "the recording '{}' cannot answer: it was asked for {}; record again with `equiv validate --record`", folder_,
          why));
    return stored_.recording;
  }

 private:
  std::string folder_;
  StoredRecording stored_;
};
}  // namespace

void SaveRecording(const std::string& folder, const StoredRecording& stored) {
  Arrays arrays;
  Json json = {{"format", "equiv recording"}, {"schema_version", kSchema}, {"side", TextJson(stored.side)}};
  json["request"] = RequestJson(stored.request, arrays);
  json["recording"] = RecordingJson(stored.recording, arrays);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder))
    throw FailedPreconditionError(fmt::format("cannot make the folder '{}': {}", folder,
                                              error ? error.message() : "something else has its name"));
  // Whoever stops half-way leaves no recording, rather than the arrays of one with the description of another.
  fs::remove(FileIn(folder, kRecordingFile), error);
  WriteNpz(FileIn(folder, kArraysFile), arrays.tensors);
  io::WriteFile(FileIn(folder, kRecordingFile), json.dump(1) + "\n");
}

StoredRecording LoadRecording(const std::string& folder) {
  const Json json = ReadDescription(folder);
  return Parser(folder, OpenNpz(FileIn(folder, kArraysFile))).Parse(json);
}

SidePtr FromRecording(const std::string& folder) { return std::make_shared<RecordedSide>(folder); }

std::unique_ptr<TensorSource> OpenRecording(const std::string& folder) {
  return std::make_unique<RecordingSource>(folder);
}
}  // namespace equiv
