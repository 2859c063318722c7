#include "equiv/harness/conformance/model_goldens.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>

#include "equiv/compare/npy.h"
#include "equiv/harness/conformance/golden_files.h"
#include "equiv/harness/side.h"
#include "kernels/base/error.h"
#include "runtime/eager/eager.h"

namespace equiv {
namespace {
using Json = nlohmann::json;
namespace fs = std::filesystem;

struct RunKind {
  bool training = false, constant = false;
  std::optional<float> set_variables;
};
// "step3_all_0.001", "num_random_ops_inference", "constant_training", ...
std::optional<RunKind> ParseRun(const std::string& name) {
  RunKind kind;
  if (name.starts_with("step3_all_")) {
    char* end = nullptr;
    const std::string value = name.substr(10);
    kind.set_variables = std::strtof(value.c_str(), &end);
    return value.empty() || *end ? std::nullopt : std::optional(kind);
  }
  kind.constant = name.starts_with("constant_");
  if (!kind.constant && !name.starts_with("num_random_ops_")) return std::nullopt;
  kind.training = name.ends_with("_training");
  if (!kind.training && !name.ends_with("_inference")) return std::nullopt;
  return kind;
}

// Allowed |got - expected| / (largest absolute value of the tensor); goldens' noise.md says how each was measured.
// Step 3 has equal terms only, whose float32 sums drift: TensorFlow's own by 4.7e-6. So its tensors get the wide bound,
// and the double-precision reference (`exact`) gets the narrow one where our sums are accurate.
double Bound(const RunKind& kind, const std::string& end_point, const std::string& backend, bool exact) {
  const bool logits = end_point == "Logits" || end_point == "AuxLogits";
  if (kind.set_variables) return exact && backend == "cpu" ? 2e-6 : 1.5e-5;
  if (!kind.training) return end_point == "Predictions" ? 1e-6 : logits ? 5e-6 : 8e-6;
  return logits || end_point == "Predictions" ? 1e-5 : 1e-4;
}
// Per-loss bound, relative: TensorFlow sums squares in float32, which for equal terms drifts by 2.3e-6.
constexpr double kLossBound = 5e-6;
constexpr double kMovingBound = 1e-4;  // decreed by the goldens' README, scaled on (value - initial value)

class Checker {
 public:
  Checker(const fs::path& folder, const ModelGoldenOptions& options) : folder_(folder), options_(options) {}

  std::vector<CaseResult> Run() {
    const Json config = ReadJson(folder_ / "config.json");
    name_ = config.at("model").get<std::string>();
    seed_ = config.at("tool_seed").get<std::int64_t>();
    const auto batch = config.at("batch").get<std::int64_t>(), size = config.at("size").get<std::int64_t>(),
               classes = config.at("classes").get<std::int64_t>();
    const runtime::ModelFunction model = options_.find_model(name_, classes);
    if (!model) {
      Add("model/" + name_, CaseResult::Outcome::kSkip,
          "no such model: " + name_ + "; `equiv list` names those present");
      return std::move(results_);
    }
    const Shape shape{batch, size, size, 3};
    if (shape.num_elements() <= 0 || shape.num_elements() > (std::int64_t{1} << 31))
      throw InvalidArgumentError(fmt::format("'{}': batch {} and size {} make an unusable input",
                                             (folder_ / "config.json").string(), batch, size));
    session_ = MakeSessionSide(model, {.class_name = "InceptionResnetV2"});
    eager_ = MakeEagerSide(model, {.class_name = "InceptionResnetV2"});
    if (fs::exists(folder_ / "variables.json")) variables_ = ReadJson(folder_ / "variables.json");
    if (fs::exists(folder_ / "regularization_losses.json")) losses_ = ReadJson(folder_ / "regularization_losses.json");
    for (const Json& run_name : config.at("runs")) {
      const std::string run = run_name.get<std::string>();
      if (!options_.only_runs.empty() && std::ranges::find(options_.only_runs, run) == options_.only_runs.end())
        continue;
      const std::optional<RunKind> kind = ParseRun(run);
      if (!kind) {
        Add(run, CaseResult::Outcome::kSkip, "unknown kind of run");
        continue;
      }
      for (const auto& [input_name, pair] : config.at("inputs").items()) {
        const Array input = MakeInput(shape, pair);
        for (Side* side : {session_.get(), eager_.get()})
          CheckRun(run, *kind, input_name, pair.is_null(), input, *side);
      }
    }
    return std::move(results_);
  }

 private:
  static Array MakeInput(const Shape& shape, const Json& pair) {
    if (pair.is_null()) return Array::Full<float>(shape, 1.0f);
    runtime::EagerScope eager_scope;
    runtime::EagerContext& eager = runtime::EagerContext::Get();
    eager.ClearKernelCache();
    const Array dims = Array::Of<std::int64_t>(Shape{shape.rank()}, shape.dims());
    Array u = eager
                  .Add1("RandomUniform", {Value(dims)},
                        {{"dtype", DType::kFloat32},
                         {"seed", pair.at(0).get<std::int64_t>()},
                         {"seed2", pair.at(1).get<std::int64_t>()}})
                  .array()
                  .Copy();
    float* p = u.mutable_data<float>();
    for (std::int64_t i = 0; i < u.num_elements(); ++i) p[i] = 2.0f * p[i] - 1.0f;  // exact
    return u;
  }

  void Add(const std::string& id, CaseResult::Outcome outcome, std::string why, bool bit_exact = false) {
    results_.push_back({id, outcome, std::move(why), bit_exact});
  }
  void Judge(const std::string& id, const std::string& failure, bool bit_exact = false) {
    Add(id, failure.empty() ? CaseResult::Outcome::kPass : CaseResult::Outcome::kFail, failure, bit_exact);
  }

  void CheckRun(const std::string& run, const RunKind& kind, const std::string& input_name, bool ones,
                const Array& input, Side& side) {
    const std::string executor = &side == session_.get() ? "graph" : "eager";
    if (options_.progress) options_.progress(run + ", input " + input_name + ", " + executor);
    RunRequest request{.inputs = {input},
                       .random = {},
                       .set_variables = kind.set_variables,
                       .values = {},
                       .backend = options_.backend,
                       .passes = {},
                       .progress = {}};
    request.training = kind.training;
    if (!kind.set_variables) request.random = kind.constant ? ConstantSeeds(seed_) : NumRandomOps(seed_);
    const Recording recording = side.Run(request);
    const std::string prefix = run + "/" + input_name + "/" + executor + "/";
    if (checked_variables_.insert({run + executor, true}).second) {
      if (!variables_.is_null()) CheckVariables(prefix, run, kind, recording);
      if (!losses_.is_null() && losses_.contains(run)) CheckLosses(prefix, losses_.at(run), executor, recording);
    }
    // Training on a constant image is amplified rounding noise: only the losses and an AuxLogits that is exactly zero
    // mean anything.
    const bool noise = kind.training && ones;
    CheckEndPoints(prefix, run, kind, input_name, executor, recording, noise);
    const std::string moving = "moving_statistics_" + run + "_" + input_name + ".json";
    if (kind.training && !ones && fs::exists(folder_ / moving))
      CheckMoving(prefix, ReadJson(folder_ / moving), executor, recording);
  }

  void CheckVariables(const std::string& prefix, const std::string& run, const RunKind& kind,
                      const Recording& recording) {
    const Json& stored = variables_.at("variables");
    std::string failure;
    if (stored.size() != recording.variables.size())
      failure = fmt::format("expected {} variables, got {}", stored.size(), recording.variables.size());
    for (std::size_t i = 0; failure.empty() && i < stored.size(); ++i) {
      const VariableRecord& v = recording.variables[i];
      const auto shape = stored[i].at("shape").get<std::vector<std::int64_t>>();
      if (stored[i].at("name") != v.name)
        failure = fmt::format("variable {} in order of creation: expected '{}', got '{}'", i,
                              stored[i].at("name").get<std::string>(), v.name);
      else if (v.shape != PartialShape(shape))
        failure =
            fmt::format("'{}': expected shape {}, got {}", v.name, PartialShape(shape).ToString(), v.shape.ToString());
      else if (stored[i].at("trainable") != v.trainable)
        failure = fmt::format("'{}': expected trainable {}", v.name, stored[i].at("trainable").get<bool>());
    }
    Judge(prefix + "variables", failure, failure.empty());
    if (kind.set_variables || !failure.empty()) return;
    int equal = 0, compared = 0;
    for (std::size_t i = 0; i < stored.size(); ++i) {
      const VariableRecord& v = recording.variables[i];
      if (kind.training && !v.trainable) continue;  // the step has moved them
      const std::string mode = kind.constant                                                 ? "constant"
                               : run == "num_random_ops_training" && stored[i].contains(run) ? run
                                                                                             : "num_random_ops";
      if (!stored[i].contains(mode)) continue;
      ++compared;
      const std::string expected = stored[i].at(mode).at("sha256").get<std::string>(), got = Sha256(v.value);
      if (expected == got)
        ++equal;
      else if (failure.empty())
        failure = fmt::format("'{}': SHA-256 of the initial value: expected {}, got {}", v.name, expected, got);
    }
    if (!failure.empty()) failure += fmt::format(" ({} of {} variables equal)", equal, compared);
    if (compared == 0)
      Add(prefix + "initial_values", CaseResult::Outcome::kSkip, "no digest stored for this mode");
    else
      Judge(prefix + "initial_values", failure, failure.empty());
    const std::string when = kind.training ? "training" : "inference";
    if (!kind.constant && variables_.contains("operation_seed_after") &&
        variables_.at("operation_seed_after").contains(when)) {
      const auto expected = variables_.at("operation_seed_after").at(when).get<std::int64_t>();
      Judge(prefix + "operation_seed_after",
            expected == recording.operation_seed_after
                ? ""
                : fmt::format("expected {}, got {}", expected, recording.operation_seed_after),
            true);
    }
  }

  void CheckLosses(const std::string& prefix, const Json& stored, const std::string& executor,
                   const Recording& recording) {
    const Json& losses = stored.at("losses");
    std::string failure;
    bool exact = true;
    if (losses.size() != recording.losses.size())
      failure = fmt::format("expected {} regularisation losses, got {}", losses.size(), recording.losses.size());
    for (std::size_t i = 0; failure.empty() && i < losses.size(); ++i) {
      const double expected = HexNumber(losses[i]), got = recording.losses[i].array.ElementAsDouble(0);
      exact = exact && expected == got;
      if (!(std::abs(got - expected) <= kLossBound * std::abs(expected)))
        failure = fmt::format("loss {} ('{}'): expected {:.9g}, got {:.9g}, allowed relative difference {}", i,
                              recording.losses[i].name, expected, got, kLossBound);
    }
    Judge(prefix + "regularization_losses", failure, failure.empty() && exact);
    if (!recording.total_loss.has_value()) return;
    const double expected = HexNumber(stored.at(executor + "_total")), got = recording.total_loss.ElementAsDouble(0);
    Judge(prefix + "regularization_total",
          std::abs(got - expected) <= kLossBound * std::abs(expected)
              ? ""
              : fmt::format("expected {:.9g}, got {:.9g}", expected, got),
          expected == got);
    if (losses_.contains("graph_tensor_of_each_loss") && executor == "graph") {
      const Json& names = losses_.at("graph_tensor_of_each_loss");
      std::string mismatch;
      for (std::size_t i = 0; mismatch.empty() && i < names.size() && i < recording.losses.size(); ++i)
        if (names[i] != recording.losses[i].name)
          mismatch =
              fmt::format("loss {}: expected '{}', got '{}'", i, names[i].get<std::string>(), recording.losses[i].name);
      Judge(prefix + "regularization_names", mismatch, mismatch.empty());
    }
  }

  void CheckEndPoints(const std::string& prefix, const std::string& run, const RunKind& kind,
                      const std::string& input_name, const std::string& executor, const Recording& recording,
                      bool noise) {
    const fs::path file = folder_ / ("endpoints_" + run + ".json");
    if (fs::exists(file)) {
      if (!end_points_.contains(run)) end_points_[run] = ReadJson(file);
      for (const Json& stored : end_points_.at(run).at("end_points")) {
        const bool exact = stored.at("executor") == "float64";
        if (stored.at("input") != input_name || !(exact || stored.at("executor") == executor)) continue;
        const std::string name = stored.at("end_point").get<std::string>();
        const std::string id = prefix + (exact ? "end_points_float64/" : "end_points/") + name;
        const Array* got = recording.FindOutput(name);
        if (!got) {
          Judge(id, "the model returned no such end point");
          continue;
        }
        if (noise && !(name == "AuxLogits" && HexNumber(stored.at("min")) == 0 && HexNumber(stored.at("max")) == 0)) {
          Add(id, CaseResult::Outcome::kSkip, "training on a constant image is amplified rounding noise");
          continue;
        }
        Judge(id, EndPointFailure(stored, *got, Bound(kind, name, recording.environment.backend, exact)));
      }
    }
    for (const char* name : {"Logits", "AuxLogits", "Predictions"}) {
      const fs::path npy = folder_ / (run + "_" + input_name + "_" + executor + "_" + name + ".npy");
      if (!fs::exists(npy)) continue;
      const Array expected = ReadNpy(npy.string());
      const Array* got = recording.FindOutput(name);
      bool zero = true;
      for (std::int64_t i = 0; i < expected.num_elements(); ++i) zero = zero && expected.ElementAsDouble(i) == 0;
      if (!got) {
        Judge(prefix + name, "the model returned no such end point");
      } else if (noise && !zero) {
        Add(prefix + name, CaseResult::Outcome::kSkip, "training on a constant image is amplified rounding noise");
      } else if (!(expected.shape() == got->shape())) {
        Judge(prefix + name,
              fmt::format("expected shape {}, got {}", expected.shape().ToString(), got->shape().ToString()));
      } else {
        double largest = 0, worst = 0;
        for (std::int64_t i = 0; i < expected.num_elements(); ++i) {
          largest = std::max(largest, std::abs(expected.ElementAsDouble(i)));
          const double d = std::abs(expected.ElementAsDouble(i) - got->ElementAsDouble(i));
          worst = d > worst || std::isnan(d) ? d : worst;
        }
        const double bound = Bound(kind, name, recording.environment.backend, false);
        Judge(
            prefix + name,
            worst <= bound * largest ? "" : fmt::format("scaled error {:.3g}, allowed {:.3g}", worst / largest, bound),
            worst == 0);
      }
    }
  }

  static std::string EndPointFailure(const Json& stored, const Array& got, double bound) {
    const auto n = static_cast<std::uint64_t>(std::max<std::int64_t>(1, got.num_elements()));
    std::vector<std::pair<std::int64_t, double>> samples;
    const Json& values = stored.at("values");
    for (std::size_t k = 0; k < values.size(); ++k)
      samples.emplace_back(static_cast<std::int64_t>((k * 2654435761u + 97u) % n), HexNumber(values[k]));
    return ScaledFailure(stored, samples, got, bound);
  }

  void CheckMoving(const std::string& prefix, const Json& stored, const std::string& executor,
                   const Recording& recording) {
    std::string failure;
    int compared = 0;
    for (const Json& entry : stored.at("variables")) {
      const std::string name = entry.at("name").get<std::string>();
      const VariableRecord* v = recording.FindVariable(name);
      if (!v || !v->value.has_value()) {
        failure = fmt::format("no variable '{}'", name);
        break;
      }
      const std::string key = executor + "_values";
      const Json& values = entry.contains(key) ? entry.at(key) : entry.at(executor).at("first4");
      const double initial = name.ends_with("moving_variance:0") ? 1.0 : 0.0;
      double scale = 0;
      for (const Json& value : values) scale = std::max(scale, std::abs(HexNumber(value) - initial));
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double expected = HexNumber(values[i]), got = v->value.ElementAsDouble(static_cast<std::int64_t>(i));
        ++compared;
        // One float32 step at the value itself is below what any implementation can promise.
        const double step = std::abs(expected) * 0x1p-23;
        if (failure.empty() && !(std::abs(got - expected) <= kMovingBound * scale + step))
          failure = fmt::format(
              "'{}'[{}]: expected {:.9g}, got {:.9g} (initial {}), allowed {:.3g} of the largest change {:.3g}", name,
              i, expected, got, initial, kMovingBound, scale);
      }
    }
    if (compared == 0 && failure.empty()) failure = "nothing to compare";
    Judge(prefix + "moving_statistics", failure);
  }

  fs::path folder_;
  const ModelGoldenOptions& options_;
  std::string name_;
  std::int64_t seed_ = 42;
  SidePtr session_, eager_;
  Json variables_, losses_;
  std::map<std::string, Json> end_points_;
  std::map<std::string, bool> checked_variables_;
  std::vector<CaseResult> results_;
};
}  // namespace

std::vector<CaseResult> RunModelGoldens(const fs::path& folder, const ModelGoldenOptions& options) {
  try {
    return Checker(folder, options).Run();
  } catch (const Json::exception& error) {
    throw DataLossError(fmt::format("'{}': a JSON file of this model folder lacks what its format promises: {}",
                                    folder.string(), error.what()));
  }
}
}  // namespace equiv
