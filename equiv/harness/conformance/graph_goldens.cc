#include "equiv/harness/conformance/graph_goldens.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "equiv/compare/npy.h"
#include "equiv/harness/conformance/golden_files.h"
#include "equiv/harness/graph_side.h"
#include "kernels/base/error.h"
#include "runtime/graph/graph_def.h"
#include "runtime/session/session.h"

namespace equiv {
namespace {
using Json = nlohmann::json;
namespace fs = std::filesystem;
// tf: the regularisation loss of the stored graphs
constexpr const char* kLoss = "regularization_loss:0";

// Whether batch statistics are used: then rounding noise is amplified, and the README's wide bound holds.
bool IsTraining(const runtime::Graph& graph, const std::string& model) {
  return model.ends_with("_training") || std::ranges::any_of(graph.nodes(), [](const auto& node) {
           return node->op().starts_with("FusedBatchNorm") && !node->op().starts_with("FusedBatchNormGrad") &&
                  node->attrs().template Get<bool>("is_training");
         });
}

std::string CompareVariable(const Json& stored, const runtime::Variable& variable, const runtime::Session& session) {
  if (variable.name() != stored.at("name")) return fmt::format("it is called '{}'", variable.name());
  const Array value = VariableValue(session, variable);
  if (!value.has_value()) return "it has no value after init";
  if (Name(value.dtype()) != stored.at("dtype")) return fmt::format("dtype {}", Name(value.dtype()));
  if (value.shape().vector() != stored.at("shape").get<std::vector<std::int64_t>>())
    return fmt::format("shape {}", value.shape().ToString());
  if (stored.contains("trainable") && variable.trainable() != stored["trainable"].get<bool>())
    return variable.trainable() ? "it is trainable" : "it is not trainable";
  const std::string sha = Sha256(value);
  return sha == stored.at("sha256") ? "" : fmt::format("sha256 {}, expected {}", sha, stored["sha256"].dump());
}

std::string CompareTensor(const Json& stored, const Array& got, double bound, CaseResult& result) {
  if (stored.contains("dtype") && Name(got.dtype()) != stored["dtype"])
    return fmt::format("dtype {}, expected {}", Name(got.dtype()), stored["dtype"].dump());
  result.bit_exact = stored.contains("sha256") && Sha256(got) == stored["sha256"];
  if (result.bit_exact) return {};
  std::vector<std::pair<std::int64_t, double>> samples;
  for (const auto& [index, value] : stored.at("samples").items())
    samples.emplace_back(std::stoll(index), HexNumber(value));
  return ScaledFailure(stored, samples, got, bound);
}

std::string CompareLogits(const Array& stored, const Array& got, double bound, CaseResult& result) {
  if (stored.dtype() != got.dtype() || stored.shape() != got.shape())
    return fmt::format("{}{}, expected {}{}", Name(got.dtype()), got.shape().ToString(), Name(stored.dtype()),
                       stored.shape().ToString());
  result.bit_exact = BitwiseEqual(stored, got);
  double largest = 0, worst = 0;
  for (std::int64_t i = 0; i < stored.num_elements(); ++i) {
    const double a = stored.ElementAsDouble(i), d = std::abs(a - got.ElementAsDouble(i));
    largest = std::max(largest, std::abs(a));
    worst = d > worst || std::isnan(d) ? d : worst;
  }
  return worst <= bound * largest ? "" : fmt::format("scaled error {:.3g}, allowed {:.3g}", worst / largest, bound);
}
}  // namespace

std::vector<CaseResult> RunGraphGoldens(const fs::path& folder, const GraphGoldenOptions& options) {
  const Json expected = ReadJson(folder / "expected.json");
  for (const char* key : {"init", "input", "logits", "variables", "end_points"})
    if (!expected.contains(key))
      throw DataLossError(fmt::format("'{}' has no '{}'", (folder / "expected.json").string(), key));
  const auto progress = [&](const std::string& text) {
    if (options.progress) options.progress(fmt::format("{}: {}", folder.filename().string(), text));
  };
  std::vector<CaseResult> results;
  const std::string logits = expected["logits"], init = expected["init"], model = expected.value("model", "");
  const bool has_loss = expected.contains("regularization_loss") && !expected["regularization_loss"].is_null();
  runtime::ImportOptions import{.targets = {logits, init, expected["input"].get<std::string>()}};
  if (has_loss) import.targets.push_back(kLoss);
  for (const auto& [name, point] : expected["end_points"].items()) import.targets.push_back(point.at("tensor"));
  for (const Json& variable : expected["variables"]) import.targets.push_back(variable.at("name"));

  runtime::Graph graph;
  runtime::MetaGraph meta;
  progress("load");
  AddCase(results, "graph", [&](CaseResult&) -> std::string {
    meta = runtime::ImportGraphFile(graph, (folder / "graph.pb.gz").string(), import);
    if (expected.contains("nodes") && meta.nodes != expected["nodes"])
      return fmt::format("{} nodes, expected {}", meta.nodes, expected["nodes"].dump());
    return {};
  });
  if (results.back().outcome != CaseResult::Outcome::kPass) return results;
  const double bound = IsTraining(graph, model) ? 5e-4 : 1e-5;  // decreed by goldens/graphs/README.md

  runtime::Session session(graph, {.backend = options.backend});
  progress("init");
  AddCase(results, "init", [&](CaseResult&) -> std::string {
    session.RunNested(runtime::Fetch(init));
    if (meta.variables.size() != expected["variables"].size())
      return fmt::format("{} variables, expected {}", meta.variables.size(), expected["variables"].size());
    return {};
  });
  if (results.back().outcome != CaseResult::Outcome::kPass) return results;
  for (std::size_t i = 0; i < meta.variables.size(); ++i)
    AddCase(results, "variables/" + expected["variables"][i].value("name", "?"),
            [&](CaseResult&) { return CompareVariable(expected["variables"][i], meta.variables[i], session); });

  progress("run");
  std::vector<std::string> names = {logits};
  for (const auto& [name, point] : expected["end_points"].items()) names.push_back(point.at("tensor"));
  if (has_loss) names.emplace_back(kLoss);
  std::vector<Array> values;
  AddCase(results, "run", [&](CaseResult&) -> std::string {
    std::vector<runtime::Tensor> fetches;
    for (const std::string& name : names) fetches.push_back(graph.FindTensor(name));
    values = session.Run(fetches, {{expected["input"].get<std::string>(), ReadNpy((folder / "input.npy").string())}});
    return {};
  });
  if (results.back().outcome != CaseResult::Outcome::kPass) return results;
  AddCase(results, "logits", [&](CaseResult& result) {
    return CompareLogits(ReadNpy((folder / "logits.npy").string()), values[0], bound, result);
  });
  std::size_t next = 1;
  for (const auto& [name, point] : expected["end_points"].items()) {
    const Array& value = values[next++];
    AddCase(results, "end_points/" + name,
            [&, &point = point](CaseResult& result) { return CompareTensor(point, value, bound, result); });
  }
  if (has_loss)
    AddCase(results, "regularization_loss", [&](CaseResult& result) -> std::string {
      const double stored = HexNumber(expected["regularization_loss"]), got = values[next].ElementAsDouble(0);
      result.bit_exact = stored == got;
      return std::abs(got - stored) <= 1e-6 * std::abs(stored) ? "" : fmt::format("{}, expected {}", got, stored);
    });
  return results;
}
}  // namespace equiv
