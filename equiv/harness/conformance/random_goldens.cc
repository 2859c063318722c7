#include "equiv/harness/conformance/random_goldens.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "equiv/compare/compare.h"
#include "equiv/compare/npy.h"
#include "kernels/base/error.h"
#include "kernels/base/philox.h"
#include "runtime/core/ops.h"
#include "runtime/graph/graph.h"
#include "runtime/random/dropout.h"
#include "runtime/random/initializers.h"
#include "runtime/random/random_ops.h"
#include "runtime/random/seeds.h"
#include "runtime/session/session.h"

namespace equiv {
namespace {
namespace fs = std::filesystem;
namespace rt = runtime;
using nlohmann::json;

struct Row {
  std::string file{}, op{}, dtype_text{};
  DType dtype = DType::kInvalid;
  Shape shape{};
  std::string hash{};
  std::map<std::string, std::string> params{};

  bool has(const std::string& name) const { return params.contains(name); }
  const std::string& Text(const std::string& name) const {
    const auto it = params.find(name);
    if (it == params.end()) throw DataLossError(fmt::format("index.tsv: {} has no parameter '{}'", op, name));
    return it->second;
  }
  std::int64_t Int(const std::string& name) const {
    const std::string& text = Text(name);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
      throw DataLossError(fmt::format("index.tsv: '{}={}' is no integer", name, text));
    return value;
  }
  double Float(const std::string& name) const {
    const std::string& text = Text(name);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != 0) throw DataLossError(fmt::format("index.tsv: '{}={}' is no number", name, text));
    return value;
  }
  // A Python literal: 0 is an int, 0.0 a float.
  rt::Number Number(const std::string& name) const {
    if (Text(name).find_first_of(".eEn") == std::string::npos) return Int(name);
    return Float(name);
  }
  rt::SeedPair pair() const { return {Int("seed"), Int("seed2")}; }
  int run() const { return has("run") ? static_cast<int>(Int("run")) : 0; }
};

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}
Row ParseRow(const std::string& line) {
  const std::vector<std::string> cells = Split(line, '\t');
  if (cells.size() < 5) throw DataLossError(fmt::format("index.tsv: a row of {} cells: '{}'", cells.size(), line));
  Row row{.file = cells[0], .op = cells[1], .dtype_text = cells[2], .hash = cells[4]};
  const std::optional<DType> dtype = ParseDType(cells[2]);
  if (!dtype) throw DataLossError(fmt::format("index.tsv: unknown dtype '{}'", cells[2]));
  row.dtype = *dtype;
  std::vector<std::int64_t> dims;
  if (cells[3] != "scalar")
    for (const std::string& d : Split(cells[3], 'x')) {
      std::int64_t value = -1;
      std::from_chars(d.data(), d.data() + d.size(), value);
      if (value < 0) throw DataLossError(fmt::format("index.tsv: shape '{}'", cells[3]));
      dims.push_back(value);
    }
  row.shape = Shape(dims);
  if (cells.size() > 5)
    for (const std::string& item : Split(cells[5], ';')) {
      const auto equals = item.find('=');
      if (equals == std::string::npos) throw DataLossError(fmt::format("index.tsv: parameter '{}'", item));
      row.params[item.substr(0, equals)] = item.substr(equals + 1);
    }
  return row;
}

std::string Fnv1a(const Array& a) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (std::size_t i = 0; i < a.num_bytes(); ++i) h = (h ^ static_cast<std::uint8_t>(a.raw()[i])) * 0x100000001b3u;
  return fmt::format("{:016x}", h);
}

class Runner {
 public:
  Runner(const fs::path& folder, rt::EagerContext& eager) : folder_(folder), eager_(eager) {}

  // nullopt: nothing here computes such a row.
  std::optional<Array> Compute(const Row& row) {
    if (row.op.starts_with("session.")) return Session(row);
    eager_.ClearKernelCache();
    if (row.op.starts_with("keras.")) return Keras(row);
    std::function<Array()> draw = Drawer(row);
    if (!draw) return std::nullopt;
    // Successive executions of one kernel.
    Array value;
    const rt::ScopedGetSeed seeds([&row](std::optional<std::int64_t>) { return row.pair(); });
    for (int run = 0; run <= row.run(); ++run) value = draw();
    return value;
  }

 private:
  static AttrMap Pair(const Row& row, std::initializer_list<std::pair<std::string_view, AttrValue>> more) {
    AttrMap attrs(more);
    attrs.Set("seed", row.pair().seed);
    attrs.Set("seed2", row.pair().seed2);
    return attrs;
  }
  static Array Ints64(const Shape& shape) { return Array::Of<std::int64_t>(Shape{shape.rank()}, shape.dims()); }
  static Array IntScalar(DType dtype, std::int64_t value) {
    return dtype == DType::kInt64 ? Array::Scalar(value) : Array::Scalar(static_cast<std::int32_t>(value));
  }
  Array Input(const Row& row, const std::string& name) const { return ReadNpy((folder_ / row.Text(name)).string()); }

  std::function<Array()> Drawer(const Row& row) {
    static const std::map<std::string, const char*> kRaw = {
        {"uniform", "RandomUniform"}, {"normal", "RandomStandardNormal"}, {"truncated_normal", "TruncatedNormal"}};
    if (const auto raw = kRaw.find(row.op); raw != kRaw.end())
      return [this, &row, op = raw->second] {
        return eager_.Add1(op, {Ints64(row.shape)}, Pair(row, {{"dtype", row.dtype}})).array();
      };
    if (row.op == "uniform_int")
      return [this, &row] {
        return eager_
            .Add1("RandomUniformInt",
                  {Ints64(row.shape), IntScalar(row.dtype, row.Int("lo")), IntScalar(row.dtype, row.Int("hi"))},
                  Pair(row, {}))
            .array();
      };
    if (row.op == "shuffle_of_iota")
      return [this, &row] {
        Array iota(row.dtype, row.shape);
        for (std::int64_t i = 0; i < iota.num_elements(); ++i) {
          if (row.dtype == DType::kInt64)
            iota.mutable_data<std::int64_t>()[i] = i;
          else
            iota.mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(i);
        }
        return eager_.Add1("RandomShuffle", {iota}, Pair(row, {})).array();
      };
    if (row.op == "categorical")
      return [this, &row] {
        return eager_
            .Add1("Multinomial", {Input(row, "logits"), Array::Scalar(static_cast<std::int32_t>(row.Int("n")))},
                  Pair(row, {{"output_dtype", row.dtype}}))
            .array();
      };
    if (row.op == "tf.random.uniform")
      return [&row] {
        std::optional<rt::Number> maxval;
        if (row.Text("maxval") != "None") maxval = row.Number("maxval");
        return rt::RandomUniform(row.shape, {.minval = row.Number("minval"), .maxval = maxval, .dtype = row.dtype})
            .array();
      };
    if (row.op == "tf.random.normal" || row.op == "tf.random.truncated_normal")
      return [&row] {
        const rt::NormalOptions options{.mean = row.Float("mean"), .stddev = row.Float("stddev"), .dtype = row.dtype};
        return (row.op == "tf.random.normal" ? rt::RandomNormal(row.shape, options)
                                             : rt::TruncatedNormal(row.shape, options))
            .array();
      };
    if (row.op == "tf.nn.dropout" || row.op == "tf.keras.layers.Dropout") return [this, &row] { return Dropped(row); };
    if (row.op == "input" || row.op.ends_with("_input") || row.op.ends_with("logits"))
      return [this, &row] { return ReadNpy((folder_ / row.file).string()); };
    if (const rt::Initializer initializer = V1(row))
      return [initializer, &row] { return initializer.make(row.shape, row.dtype).array(); };
    return {};
  }

  Array Dropped(const Row& row) {
    rt::Tensor x = Input(row, "input");
    if (row.op == "tf.keras.layers.Dropout") x = rt::Cast(x, DType::kFloat32);  // the layer's own dtype
    rt::DropoutOptions options;
    if (const std::string& shape = row.Text("noise_shape"); shape != "none") {
      std::vector<std::int64_t> dims;
      for (const std::string& d : Split(shape, 'x')) dims.push_back(std::stoll(d));
      options.noise_shape = dims;
    }
    return rt::Dropout(x, row.Float("rate"), options).array();
  }

  static rt::Initializer V1(const Row& row) {
    const auto with = [&row](const char* name, double otherwise) {
      return row.has(name) ? row.Float(name) : otherwise;
    };
    if (row.op == "slim.variance_scaling")
      return rt::slim::VarianceScalingInitializer(row.Float("factor"), row.Text("mode"), row.Int("uniform") != 0);
    if (!row.op.starts_with("v1.")) return {};
    const std::string name = row.op.substr(3);
    if (name == "glorot_uniform") return rt::GlorotUniform();
    if (name == "glorot_normal") return rt::GlorotNormal();
    if (name == "he_uniform") return rt::HeUniform();
    if (name == "he_normal") return rt::HeNormal();
    if (name == "lecun_uniform") return rt::LecunUniform();
    if (name == "lecun_normal") return rt::LecunNormal();
    if (name == "random_uniform") return rt::RandomUniformInitializer(with("minval", 0), with("maxval", 1));
    if (name == "random_normal") return rt::RandomNormalInitializer(with("mean", 0), with("stddev", 1));
    if (name == "truncated_normal") return rt::TruncatedNormalInitializer(with("mean", 0), with("stddev", 1));
    if (name == "uniform_unit_scaling") return rt::UniformUnitScaling(with("factor", 1));
    if (name == "orthogonal") return rt::OrthogonalInitializer(with("gain", 1));
    if (name == "variance_scaling")
      return rt::VarianceScaling(
          {.scale = row.Float("scale"), .mode = row.Text("mode"), .distribution = row.Text("distribution")});
    return {};
  }

  static std::optional<Array> Keras(const Row& row) {
    const rt::OpSeed seed = row.Int("stateless_seed0");
    const std::string name = row.op.substr(6);
    rt::Initializer i;
    namespace k = rt::keras;
    if (name == "GlorotUniform") i = k::GlorotUniform(seed);
    if (name == "GlorotNormal") i = k::GlorotNormal(seed);
    if (name == "HeUniform") i = k::HeUniform(seed);
    if (name == "HeNormal") i = k::HeNormal(seed);
    if (name == "LecunUniform") i = k::LecunUniform(seed);
    if (name == "LecunNormal") i = k::LecunNormal(seed);
    if (name == "RandomUniform") i = k::RandomUniform(-0.05, 0.05, seed);
    if (name == "RandomNormal") i = k::RandomNormal(0, 0.05, seed);
    if (name == "TruncatedNormal") i = k::TruncatedNormal(0, 0.05, seed);
    if (name == "Orthogonal") i = k::Orthogonal(1, seed);
    if (name == "VarianceScaling") i = k::VarianceScaling({.seed = seed});
    if (!i) return std::nullopt;
    return i.make(row.shape, row.dtype).array();
  }

  // One graph per row, runs 0 to `run` of one Session.
  static std::optional<Array> Session(const Row& row) {
    rt::Graph graph;
    rt::GraphScope scope(graph);
    const rt::ScopedGetSeed seeds([&row](std::optional<std::int64_t>) { return row.pair(); });
    const std::string kind = row.op.substr(8);
    rt::Tensor fetch;
    if (kind == "uniform")
      fetch = rt::RandomUniform(row.shape, {.dtype = row.dtype});
    else if (kind == "normal")
      fetch = rt::RandomNormal(row.shape, {.dtype = row.dtype});
    else if (kind == "truncated")
      fetch = rt::TruncatedNormal(row.shape, {.dtype = row.dtype});
    else if (kind == "layers_dropout")
      fetch = rt::Dropout(rt::Ones(row.shape, row.dtype), row.has("rate") ? row.Float("rate") : 0.4);
    else
      return std::nullopt;
    rt::Session session(graph);
    Array value;
    for (int run = 0; run <= row.run(); ++run) value = session.Run(fetch);
    return value;
  }

  fs::path folder_;
  rt::EagerContext& eager_;
};

CaseResult RunRow(const Row& row, const std::string& id, const fs::path& folder, Runner& runner) {
  CaseResult result{.id = id};
  const auto fail = [&result](std::string why) {
    result.outcome = CaseResult::Outcome::kFail;
    result.why = std::move(why);
  };
  try {
    const std::optional<Array> got = runner.Compute(row);
    if (!got) {
      result.outcome = CaseResult::Outcome::kSkip;
      result.why = "no function for '" + row.op + "'";
      return result;
    }
    if (got->dtype() != row.dtype || got->shape() != row.shape) {
      fail(fmt::format("expected {} {}, got {} {}", Name(row.dtype), row.shape.ToString(), Name(got->dtype()),
                       got->shape().ToString()));
      return result;
    }
    result.bit_exact = Fnv1a(*got) == row.hash;
    if (result.bit_exact) return result;
    const bool orthogonal = row.op.find("rthogonal") != std::string::npos;
    if (row.file == "-") {
      fail(fmt::format("hash {}, expected {}", Fnv1a(*got), row.hash));
      return result;
    }
    const Array stored = ReadNpy((folder / row.file).string());
    if (row.dtype == DType::kBFloat16) {
      fail("bits differ");
      return result;
    }
    const Report report = Compare(stored, *got, orthogonal ? Tolerance::Allclose(0, 1e-6) : Tolerance::Bitwise());
    if (orthogonal && report.ok())
      result.why = fmt::format("largest difference {:.2g}", report.max_abs_error);
    else if (report.ok())
      fail(fmt::format("the file's own hash is {}, index.tsv says {}", Fnv1a(stored), row.hash));
    else
      fail(report.ToString());
  } catch (const DataLossError&) {
    throw;
  } catch (const NotFoundError&) {
    throw;
  } catch (const Error& error) {
    fail(error.Describe());
  }
  return result;
}

// tables.json: the generators themselves.
void RunTables(const json& tables, std::vector<CaseResult>& results) {
  const auto add = [&results](std::string id, const std::string& expected, const std::string& got) {
    CaseResult r{.id = std::move(id), .bit_exact = expected == got};
    if (expected != got) {
      r.outcome = CaseResult::Outcome::kFail;
      r.why = fmt::format("expected {}, got {}", expected, got);
    }
    results.push_back(std::move(r));
  };
  for (const json& t : tables.value("philox_blocks", json::array())) {
    PhiloxWords words(Philox(t.at("key_u64").get<std::uint64_t>(), t.at("counter_lo_u64").get<std::uint64_t>(),
                             t.at("counter_hi_u64").get<std::uint64_t>()));
    std::vector<std::uint32_t> got(t.at("first_8_words").size());
    for (std::uint32_t& w : got) w = words();
    add(fmt::format("table/philox/{}", results.size()), t.at("first_8_words").dump(), json(got).dump());
  }
  for (const json& t : tables.value("stateless_key_counter", json::array())) {
    const Philox g =
        Philox::FromStatelessSeed(t.at("seed")[0].get<std::int64_t>(), t.at("seed")[1].get<std::int64_t>());
    add("table/stateless" + t.at("seed").dump(), json({t.at("key"), t.at("counter")}).dump(),
        json({json(g.key()), json({g.counter_low(), g.counter_high()})}).dump());
  }
  for (const bool in_graph : {true, false})
    for (const json& t : tables.value(in_graph ? "get_seed_graph" : "get_seed_eager", json::array())) {
      rt::Graph graph;
      std::optional<rt::GraphScope> scope;
      if (in_graph)
        scope.emplace(graph);
      else
        rt::EagerContext::Get().Reset();
      if (!t.at("global_seed").is_null()) rt::SetRandomSeed(t.at("global_seed").get<std::int64_t>());
      json expected = json::array(), got = json::array();
      for (const json& call : t.at("calls")) {
        const rt::SeedPair pair =
            rt::GetSeed(call[0].is_null() ? std::nullopt : std::optional(call[0].get<std::int64_t>()));
        // Python says None, None where the op's attributes stay (0, 0).
        expected.push_back(call[1][0].is_null() ? json({0, 0}) : call[1]);
        got.push_back({pair.seed, pair.seed2});
      }
      add(fmt::format("table/get_seed_{}/{}", in_graph ? "graph" : "eager", t.at("global_seed").dump()),
          expected.dump(), got.dump());
    }
  for (const json& t : tables.value("python_random", json::array()))
    for (const auto& [key, low, high] :
         {std::tuple{"randint_1_1e9", std::int64_t{1}, std::int64_t{1000000000}},
          std::tuple{"randint_0_2147483647", std::int64_t{0}, std::int64_t{2147483647}}}) {
      rt::PythonRandom random(t.at("seed").get<std::int64_t>());
      std::vector<std::int64_t> got(t.at(key).size());
      for (std::int64_t& v : got) v = random.RandInt(low, high);
      add(fmt::format("table/python_random/{}/{}", t.at("seed").dump(), key), t.at(key).dump(), json(got).dump());
    }
}
}  // namespace

std::vector<CaseResult> RunRandomGoldens(const fs::path& folder, rt::EagerContext& eager) {
  std::ifstream index(folder / "index.tsv");
  if (!index) throw NotFoundError(fmt::format("cannot open '{}'", (folder / "index.tsv").string()));
  std::string line;
  if (!std::getline(index, line) || !line.starts_with("file\top\tdtype\tshape\tfnv1a64"))
    throw DataLossError(
        fmt::format("'{}': the first line must name the columns file, op, dtype, shape, fnv1a64, params",
                    (folder / "index.tsv").string()));
  std::vector<CaseResult> results;
  Runner runner(folder, eager);
  std::int64_t number = 1;
  while (std::getline(index, line)) {
    ++number;
    if (line.empty()) continue;
    const Row row = ParseRow(line);
    const std::string id = row.file == "-" ? fmt::format("{}/{}/line {}", row.op, row.dtype_text, number) : row.file;
    results.push_back(RunRow(row, id, folder, runner));
  }
  if (std::ifstream tables(folder / "tables.json"); tables) {
    try {
      RunTables(json::parse(tables), results);
    } catch (const json::exception& error) {
      throw DataLossError(fmt::format("'{}' is damaged: {}", (folder / "tables.json").string(), error.what()));
    }
  }
  return results;
}
}  // namespace equiv
