#include "equiv/harness/stages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "equiv/compare/decimal.h"
#include "kernels/base/error.h"
#include "kernels/base/flush.h"
#include "kernels/io/file.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/eager/eager.h"

namespace equiv {
namespace {

struct StageInfo {
  const char* id;
  const char* title;
};
constexpr StageInfo kStages[] = {
    {"step1", "variables are created once"},
    {"step2", "variable count, names, shapes, dtypes and trainable flags agree"},
    {"step3", "all variables set to one value, inference"},
    {"step3b-name-based", "both sides start from a name-based checkpoint, inference"},
    {"step3b-object-based", "both sides start from an object-based checkpoint, inference"},
    {"step4-inference", "aligned random numbers, inference"},
    {"step4-training", "aligned random numbers, training"},
    {"step4-constant", "constant seeds, training"},
    {"step4b-name-based", "both sides start from a name-based checkpoint, constant seeds, training"},
    {"step4b-object-based", "both sides start from an object-based checkpoint, constant seeds, training"},
};
const std::vector<std::string> kDefaultStages = {"step1", "step2", "step3", "step4-inference", "step4-training"};

std::optional<CheckpointKind> CheckpointOf(std::string_view stage) {
  if (!stage.starts_with("step3b") && !stage.starts_with("step4b")) return std::nullopt;
  return stage.ends_with("name-based") ? CheckpointKind::kNameBased : CheckpointKind::kObjectBased;
}

Figure MakeFigure(std::string name, const Array& scalar) {
  const double value = scalar.ElementAsDouble(0);
  return {std::move(name),
          scalar.dtype() == DType::kFloat32 ? FormatFloat(static_cast<float>(value)) : FormatDouble(value),
          fmt::format("{:a}", value)};
}

// Collects comparisons of one stage and judges them together.
class Judge {
 public:
  Judge(StageResult& stage, const Options& options)
      : stage_(stage), tolerance_(Tolerance::Allclose(options.rtol, options.atol)) {}

  void Compare(const std::string& kind, const std::string& name, const Array& expected, const Array& actual) {
    Count& count = counts_[kind];
    ++count.tensors;
    if (!expected.has_value() || !actual.has_value()) {
      Fail(fmt::format("{} '{}' has no value on the {} side", kind, name, expected.has_value() ? "second" : "first"));
      return;
    }
    Report report = equiv::Compare(TensorView(expected), TensorView(actual), tolerance_);
    compared_ += report.compared;
    if (report.compared > 0 && !report.all_equal_constant) ++informative_;
    if (report.all_equal_constant && report.compared > 1) constant_.push_back(name);
    if (report.ok() && report.bitwise_equal) ++count.bitwise;
    count.worst = std::max(count.worst, report.max_abs_error);
    if (!report.ok()) {
      if (failures_++ < 3) stage_.failure += fmt::format("{} '{}'\n{}\n", kind, name, report.ToString());
      stage_.comparisons.push_back({kind, name, std::move(report)});
    } else if (!report.bitwise_equal) {
      stage_.comparisons.push_back({kind, name, std::move(report)});
    }
  }
  void Fail(const std::string& text) {
    ++failures_;
    stage_.failure += text + "\n";
  }
  void Missing(const std::string& text) { Fail(text); }

  // `wiring`: equal constants are expected here and prove the wiring only.
  void Finish(const Recording& expected, const Recording& actual, bool wiring) {
    for (const auto& [kind, count] : counts_)
      stage_.lines.push_back(fmt::format("{} {}{} compared, {} bitwise equal, largest difference {}", count.tensors,
                                         kind,
                                         count.tensors == 1    ? ""
                                         : kind.ends_with("s") ? "es"
                                                               : "s",
                                         count.bitwise, FormatDouble(count.worst)));
    if (!constant_.empty() && !wiring)
      stage_.lines.push_back(fmt::format("constant on both sides (says little): {}", Some(constant_)));
    if (failures_ > 3) stage_.failure += fmt::format("... and {} more\n", failures_ - 3);
    std::ranges::stable_sort(stage_.comparisons, [](const TensorComparison& a, const TensorComparison& b) {
      return std::pair(a.report.ok(), -a.report.max_abs_error) < std::pair(b.report.ok(), -b.report.max_abs_error);
    });
    if (failures_) {
      stage_.outcome = Outcome::kDifferent;
    } else if (expected.ops_executed == 0 || actual.ops_executed == 0) {
      Untrusted("one side executed no op");
    } else if (compared_ == 0) {
      Untrusted("no element was compared: the model returned no output, loss or variable with elements");
    } else if (wiring) {
      stage_.outcome = Outcome::kWiring;
    } else if (informative_ == 0) {
      Untrusted("only constants were compared: " + Some(constant_) +
                "; use inputs or weights that tell elements apart");
    }
  }

 private:
  struct Count {
    int tensors = 0, bitwise = 0;
    double worst = 0;
  };
  static std::string Some(const std::vector<std::string>& names) {
    const std::vector<std::string> first(names.begin(), names.begin() + std::min<std::ptrdiff_t>(5, std::ssize(names)));
    return fmt::format("{}{}", fmt::join(first, ", "),
                       names.size() > 5 ? fmt::format(" and {} more", names.size() - 5) : "");
  }
  void Untrusted(const std::string& why) {
    stage_.outcome = Outcome::kUntrusted;
    stage_.failure += why + "\n";
  }

  StageResult& stage_;
  Tolerance tolerance_;
  std::map<std::string, Count> counts_;
  std::vector<std::string> constant_;
  std::int64_t compared_ = 0;
  int failures_ = 0, informative_ = 0;
};

void CompareVariables(StageResult& stage, const Recording& a, const Recording& b, const std::string& an,
                      const std::string& bn) {
  std::vector<std::string> problems;
  if (a.variables.size() != b.variables.size())
    problems.push_back(fmt::format("{} has {} variables, {} has {}", an, a.variables.size(), bn, b.variables.size()));
  for (const VariableRecord& v : a.variables)
    if (!b.FindVariable(v.name))
      problems.push_back(fmt::format("'{}' ({}) exists in {} only", v.name, v.created_at, an));
  for (const VariableRecord& v : b.variables)
    if (!a.FindVariable(v.name))
      problems.push_back(fmt::format("'{}' ({}) exists in {} only", v.name, v.created_at, bn));
  const std::size_t both = std::min(a.variables.size(), b.variables.size());
  std::map<std::string, const VariableRecord*> by_name;
  for (const VariableRecord& v : b.variables) by_name.emplace(v.name, &v);
  std::int64_t trainable = 0, elements = 0;
  for (const VariableRecord& v : a.variables) {
    trainable += v.trainable;
    if (v.shape.IsFullyDefined()) elements += v.shape.Require().num_elements();
    auto it = by_name.find(v.name);
    if (it == by_name.end()) continue;
    const VariableRecord& w = *it->second;
    if (v.shape != w.shape)
      problems.push_back(
          fmt::format("'{}' has shape {} in {}, {} in {}", v.name, v.shape.ToString(), an, w.shape.ToString(), bn));
    if (v.dtype != w.dtype)
      problems.push_back(fmt::format("'{}' is {} in {}, {} in {}", v.name, Name(v.dtype), an, Name(w.dtype), bn));
    if (v.trainable != w.trainable)
      problems.push_back(fmt::format("'{}' is {}trainable in {} only", v.name, v.trainable ? "" : "not ", an));
  }
  if (problems.empty())
    for (std::size_t i = 0; i < both; ++i)
      if (a.variables[i].name != b.variables[i].name) {
        problems.push_back(fmt::format("order of creation parts at variable {}: '{}' in {}, '{}' in {}", i,
                                       a.variables[i].name, an, b.variables[i].name, bn));
        break;
      }
  stage.lines.push_back(
      fmt::format("{} variables, {} trainable, {} elements", a.variables.size(), trainable, elements));
  if (!a.variables.empty() && !b.variables.empty())
    stage.lines.push_back(fmt::format("first in {}'s own list '{}', in {}'s '{}'", an,
                                      a.listed_variables.empty() ? "" : a.listed_variables[0], bn,
                                      b.listed_variables.empty() ? "" : b.listed_variables[0]));
  for (std::size_t i = 0; i < problems.size() && i < 24; ++i) stage.failure += problems[i] + "\n";
  if (problems.size() > 24) stage.failure += fmt::format("... and {} more differences\n", problems.size() - 24);
  if (!problems.empty()) {
    stage.outcome = Outcome::kDifferent;
  } else if (a.variables.empty()) {
    stage.outcome = Outcome::kUntrusted;
    stage.failure = "neither side created a variable: there is nothing to match\n";
  }
}

// The checkpoint that a stage starts from: the caller's, or one that a side writes with weights of its own.
class CheckpointSource {
 public:
  CheckpointSource(const Options& options, Side& expected, Side& actual)
      : options_(options), expected_(expected), actual_(actual) {}

  std::string Get(CheckpointKind kind, RunRequest request, StageResult& stage) {
    if (!options_.checkpoint.empty()) {
      if (const CheckpointKind given = KindOfCheckpoint(options_.checkpoint); given != kind)
        throw ValueError(fmt::format("stage '{}' starts from a {} checkpoint, '{}' is {}", stage.id, Name(kind),
                                     options_.checkpoint, Name(given)));
      stage.lines.push_back(fmt::format("{} checkpoint '{}'", Name(kind), options_.checkpoint));
      return options_.checkpoint;
    }
    const bool by_names = kind == CheckpointKind::kNameBased;
    Side& writer = by_names ? expected_ : actual_;
    std::string& prefix = by_names ? names_ : objects_;
    if (prefix.empty()) {
      if (!folder_) folder_.emplace();
      const std::string path = *folder_ / (by_names ? "names" : "objects");
      // Not the seed of the stages: a side that restores nothing must not end up with the same weights.
      request.random = NumRandomOps(options_.random.seed + 1);
      request.save = SaveRequest{path, kind};
      writer.Run(request);
      prefix = path;
    }
    stage.lines.push_back(fmt::format("{} checkpoint, written by {} for this check", Name(kind), writer.name()));
    return prefix;
  }

 private:
  const Options& options_;
  Side &expected_, &actual_;
  std::optional<io::TemporaryFolder> folder_;
  std::string names_, objects_;
};

// Every variable that the checkpoint names has the checkpoint's value, bit for bit.
void RequireRestored(StageResult& stage, const std::string& prefix, const Recording& run, const std::string& side) {
  const runtime::CheckpointReader reader(prefix);
  std::map<std::string, std::string> keys;
  if (reader.HasTensor(runtime::kObjectGraphKey))
    for (auto& [name, key] : runtime::ObjectGraphKeyMapping(prefix)) keys.emplace(name, key);
  else
    for (const io::BundleEntry& entry : reader.bundle().entries()) keys.emplace(entry.key, entry.key);
  std::size_t named = 0;
  for (const VariableRecord& v : run.variables) {
    const auto key = keys.find(v.name.substr(0, v.name.rfind(':')));
    if (key == keys.end()) continue;
    ++named;
    if (v.value.has_value() && BitwiseEqual(reader.GetTensor(key->second), v.value)) continue;
    stage.failure += fmt::format("'{}' does not have the checkpoint's value in {}\n", v.name, side);
    stage.outcome = Outcome::kDifferent;
    return;
  }
  stage.lines.push_back(fmt::format("{}: {} of {} variables have the checkpoint's values, bit for bit", side, named,
                                    run.variables.size()));
}

// Draws of initial values that the checkpoint replaced say nothing; nor does any draw without aligned numbers.
void ForgetInitialDraws(Recording& run, const RunRequest& request) {
  std::erase_if(run.draws, [&](const DrawRecord& draw) {
    return !request.random || std::ranges::any_of(run.variables, [&](const VariableRecord& v) {
      return v.name == draw.owner || v.name == draw.owner + ":0";
    });
  });
}

void CompareRuns(StageResult& stage, const Options& options, Recording a, Recording b, bool wiring,
                 const std::string& an, const std::string& bn) {
  Judge judge(stage, options);
  if (a.total_loss.has_value()) stage.figures.push_back(MakeFigure("regularization loss, " + an, a.total_loss));
  if (b.total_loss.has_value()) stage.figures.push_back(MakeFigure("regularization loss, " + bn, b.total_loss));
  for (const auto& [side, recording] : {std::pair<const std::string&, const Recording&>(an, a), {bn, b}}) {
    if (recording.outputs.empty()) continue;
    const Array& output = recording.outputs[0].array;
    if (IsFloating(output.dtype()) && output.num_elements() > 0)
      stage.figures.push_back(MakeFigure("output[0], " + side, output));
  }
  for (const NamedArray& output : a.outputs) {
    const Array* other = b.FindOutput(output.name);
    if (!other)
      judge.Missing(fmt::format("output '{}' exists in {} only", output.name, an));
    else
      judge.Compare("output", output.name, output.array, *other);
  }
  for (const NamedArray& output : b.outputs)
    if (!a.FindOutput(output.name)) judge.Missing(fmt::format("output '{}' exists in {} only", output.name, bn));
  if (a.losses.size() != b.losses.size()) {
    judge.Fail(fmt::format("{} has {} regularisation losses, {} has {}", an, a.losses.size(), bn, b.losses.size()));
  } else {
    for (std::size_t i = 0; i < a.losses.size(); ++i)
      judge.Compare("regularisation loss", b.losses[i].name.empty() ? a.losses[i].name : b.losses[i].name,
                    a.losses[i].array, b.losses[i].array);
    if (a.total_loss.has_value() || b.total_loss.has_value())
      judge.Compare("total loss", "AddN", a.total_loss, b.total_loss);
  }
  std::map<std::string, const VariableRecord*> by_name;
  for (const VariableRecord& v : b.variables) by_name.emplace(v.name, &v);
  for (const VariableRecord& v : a.variables) {
    auto it = by_name.find(v.name);
    if (it == by_name.end())
      judge.Missing(fmt::format("variable '{}' exists in {} only", v.name, an));
    else
      judge.Compare("variable", v.name, v.value, it->second->value);
  }
  for (const VariableRecord& v : b.variables)
    if (!a.FindVariable(v.name)) judge.Missing(fmt::format("variable '{}' exists in {} only", v.name, bn));
  judge.Finish(a, b, wiring);
  for (Recording* r : {&a, &b})
    for (VariableRecord& v : r->variables) v.value = Array();
  stage.expected = std::move(a);
  stage.actual = std::move(b);
  stage.draws = AlignDraws(stage.expected->draws, stage.actual->draws);
  if (!stage.draws.empty()) {
    const bool aligned = AllAligned(stage.draws);
    stage.lines.push_back(
        fmt::format("{} random draws, {}", stage.draws.size(), aligned ? "all aligned" : "not aligned"));
    if (!aligned && stage.outcome == Outcome::kDifferent)
      stage.failure += "random draws do not align:\n" + LedgerText(stage.draws, an, bn, /*only_misaligned=*/true, 8);
  }
}
}  // namespace

std::string_view Name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kEquivalent:
      return "EQUIVALENT";
    case Outcome::kWiring:
      return "WIRING";
    case Outcome::kDifferent:
      return "DIFFERENT";
    case Outcome::kUntrusted:
      return "UNTRUSTED";
  }
  return "";
}

const std::vector<std::string>& AllStages() {
  static const std::vector<std::string> stages = [] {
    std::vector<std::string> names;
    for (const StageInfo& s : kStages) names.emplace_back(s.id);
    return names;
  }();
  return stages;
}

std::string Verdict::FailureText() const {
  std::string text = fmt::format("{} versus {}: {}\n", expected_name, actual_name, Name(outcome));
  for (const StageResult& stage : stages) {
    text += fmt::format("  {} ({}): {}\n", stage.id, stage.title, Name(stage.outcome));
    if (stage.outcome == Outcome::kEquivalent || stage.outcome == Outcome::kWiring) continue;
    std::size_t start = 0;
    while (start < stage.failure.size()) {
      const std::size_t end = std::min(stage.failure.find('\n', start), stage.failure.size());
      text += "    " + stage.failure.substr(start, end - start) + "\n";
      start = end + 1;
    }
  }
  return text;
}

Verdict CheckEquivalence(Side& expected, Side& actual, const Options& options) {
  const ScopedKeepDenormals keep;  // comparison and printing work on bit patterns
  std::vector<std::string> wanted = options.stages;
  if (wanted.empty()) {
    wanted = kDefaultStages;
    if (!options.checkpoint.empty())
      for (const char* step : {"step3b-", "step4b-"})
        wanted.push_back(step + std::string(Name(KindOfCheckpoint(options.checkpoint))));
  }
  for (const std::string& id : wanted)
    if (std::ranges::find(AllStages(), id) == AllStages().end())
      throw ValueError(fmt::format("unknown stage '{}'; stages are: {}", id, fmt::join(AllStages(), ", ")));
  Verdict verdict{.expected_name = expected.name(), .actual_name = actual.name(), .stages = {}};
  RunRequest base{.inputs = {},
                  .random = {},
                  .set_variables = {},
                  .values = {},
                  .backend = options.backend,
                  .passes = options.passes,
                  .progress = {}};
  base.progress = options.progress;
  for (const runtime::Tensor& t : options.inputs) base.inputs.push_back(t.array());
  CheckpointSource checkpoints(options, expected, actual);

  for (const StageInfo& info : kStages) {
    if (std::ranges::find(wanted, info.id) == wanted.end()) continue;
    StageResult stage;
    stage.id = info.id;
    stage.title = info.title;
    const auto start = std::chrono::steady_clock::now();
    RunRequest request = base;
    Side* second = &actual;
    if (stage.id == "step1") {
      try {
        const bool first_checked = expected.CheckVariablesCreatedOnce(request),
                   second_checked = actual.CheckVariablesCreatedOnce(request);
        if (first_checked || second_checked) {
          stage.lines.push_back(
              "the guards AssertNoVariableCreations and CatchAndRaiseCreatedVariables saw no new variable");
        } else {
          stage.lines.push_back("neither side keeps variables between calls: nothing to guard");
          stage.outcome = Outcome::kWiring;
        }
      } catch (const ValueError& error) {
        stage.outcome = Outcome::kDifferent;
        stage.failure = std::string(error.what()) + "\n";
      }
    } else if (stage.id == "step2") {
      request.build_only = true;
      request.calls = 2;
      const Recording a = expected.Run(request), b = actual.Run(request);
      if (options.recorded) {
        options.recorded(stage.id, expected, request, a);
        options.recorded(stage.id, actual, request, b);
      }
      CompareVariables(stage, a, b, expected.name(), actual.name());
    } else {
      const bool wiring = stage.id == "step3";
      const std::optional<CheckpointKind> kind = CheckpointOf(stage.id);
      if (wiring) {
        request.set_variables = options.step3_value;
      } else if (kind) {
        request.training = stage.id.starts_with("step4b");
        request.checkpoint = checkpoints.Get(*kind, request, stage);
        // Initialisers that a checkpoint replaces draw nothing, so counting draws would not align what follows.
        if (request.training) request.random = ConstantSeeds(options.random.seed);
      } else {
        request.training = stage.id != "step4-inference";
        request.random = options.random;
        if (stage.id == "step4-constant") {
          request.random = ConstantSeeds(options.random.seed);
          if (options.constant_actual) second = options.constant_actual.get();
        }
      }
      Recording a = expected.Run(request);
      Recording b = second->Run(request);
      for (Recording* run : {&a, &b})
        if (kind) ForgetInitialDraws(*run, request);
      if (options.recorded) {
        options.recorded(stage.id, expected, request, a);
        options.recorded(stage.id, *second, request, b);
      }
      if (kind && !request.training) {
        RequireRestored(stage, *request.checkpoint, a, expected.name());
        RequireRestored(stage, *request.checkpoint, b, actual.name());
      }
      CompareRuns(stage, options, std::move(a), std::move(b), wiring, expected.name(), second->name());
    }
    stage.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (options.stage_done) options.stage_done(stage);
    verdict.stages.push_back(std::move(stage));
  }
  runtime::EagerContext::Get().Reset();
  auto any = [&](Outcome o) {
    return std::ranges::any_of(verdict.stages, [o](const StageResult& s) { return s.outcome == o; });
  };
  verdict.outcome = any(Outcome::kDifferent)    ? Outcome::kDifferent
                    : any(Outcome::kUntrusted)  ? Outcome::kUntrusted
                    : any(Outcome::kEquivalent) ? Outcome::kEquivalent
                    : verdict.stages.empty()    ? Outcome::kUntrusted
                                                : Outcome::kWiring;
  // Tests that move the verdict keep valid ledgers: rows point into the recordings held by the stage itself.
  for (StageResult& stage : verdict.stages)
    if (stage.expected && stage.actual) stage.draws = AlignDraws(stage.expected->draws, stage.actual->draws);
  return verdict;
}
}  // namespace equiv
