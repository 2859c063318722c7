#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "equiv/compare/decimal.h"
#include "equiv/harness/guards.h"
#include "equiv/harness/recording_files.h"
#include "equiv/harness/stages.h"
#include "equiv/report/report.h"
#include "fixtures/models/scaling.h"
#include "kernels/base/error.h"
#include "kernels/base/op_registry.h"
#include "kernels/base/thread_pool.h"
#include "runtime/eager/eager.h"
#include "tools/verb.h"

namespace equiv::tools {
namespace {
struct Flags {
  ModelOptions model;
  RunOptions run;
  std::vector<std::string> stages;
  std::string html = "report.html", json = "report.json", checkpoint;
  double rtol = 1e-6, atol = 1e-5;
  std::int64_t seed = 42;
  std::string record;
  bool no_passes = false;
};

// Names of sides as names of folders: "eager (functional model)" becomes eager_functional_model.
std::string FolderName(const std::string& side) {
  std::string name;
  for (const char c : side) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      name += c;
    else if (!name.empty() && !name.ends_with('_'))
      name += '_';
  }
  while (name.ends_with('_')) name.pop_back();
  return name;
}

std::string Word(Outcome outcome) {
  return outcome == Outcome::kWiring ? "WIRING (equal; says nothing about the weights)" : std::string(Name(outcome));
}

// The guide's two scaling layers under both guards: what the guards look like when they fire.
std::vector<std::string> ScalingLayerLines() {
  runtime::EagerScope eager_scope;
  auto first_line = [](const std::string& text, const char* key) {
    const auto at = text.find(key);
    return at == std::string::npos ? std::string("unexpected text: ") + text
                                   : text.substr(at, text.find('\n', at) - at);
  };
  const runtime::Tensor x(Array::Full<float>(Shape{1, 4, 4, 3}, 1.0f));
  std::vector<std::string> lines;
  fixtures::BrokenScalingLayer broken;
  broken(x);
  try {
    AssertNoVariableCreations guard;
    broken(x);
    throw AssertionError("the guard AssertNoVariableCreations missed the broken scaling layer");
  } catch (const ValueError& error) {
    lines.push_back("broken scaling layer, AssertNoVariableCreations: " +
                    first_line(error.what(), "Attempted to create").substr(0, 100) + "...");
    lines.push_back("  " + first_line(error.what(), "created at"));
  }
  try {
    CatchAndRaise([&] { broken(x); });
    throw AssertionError("the guard CatchAndRaiseCreatedVariables missed the broken scaling layer");
  } catch (const ValueError& error) {
    lines.push_back("broken scaling layer, CatchAndRaiseCreatedVariables: " +
                    first_line(error.what(), "('Created vars:'"));
  }
  fixtures::FixedScalingLayer fixed;
  fixed(x);
  {
    AssertNoVariableCreations guard;
    fixed(x);
  }
  CatchAndRaise([&] { fixed(x); });
  lines.push_back("fixed scaling layer: both guards pass");
  return lines;
}

nlohmann::ordered_json PhasesJson(const std::vector<Phase>& phases) {
  nlohmann::ordered_json list = nlohmann::ordered_json::object();
  for (const Phase& p : phases) list[p.name] = p.seconds;
  return list;
}

nlohmann::ordered_json StageJson(const StageResult& stage) {
  nlohmann::ordered_json figures = nlohmann::ordered_json::array(), tensors = nlohmann::ordered_json::array();
  for (const Figure& f : stage.figures) figures.push_back({{"name", f.name}, {"decimal", f.decimal}, {"hex", f.hex}});
  for (const TensorComparison& c : stage.comparisons) {
    if (tensors.size() == 20) break;
    tensors.push_back({{"kind", c.kind}, {"name", c.name}, {"ok", c.report.ok()}, {"max_abs", c.report.max_abs_error}});
  }
  nlohmann::ordered_json out = {{"id", stage.id},
                                {"title", stage.title},
                                {"verdict", std::string(Name(stage.outcome))},
                                {"seconds", stage.seconds}};
  out["lines"] = stage.lines;
  out["figures"] = std::move(figures);
  out["differing_tensors"] = std::move(tensors);
  if (!stage.failure.empty()) out["failure"] = stage.failure;
  if (stage.expected && stage.actual) {
    nlohmann::ordered_json phases = nlohmann::ordered_json::object();
    phases[stage.expected->environment.executor] = PhasesJson(stage.expected->phases);
    phases[stage.actual->environment.executor] = PhasesJson(stage.actual->phases);
    out["phases"] = std::move(phases);
    int misaligned = 0;
    for (const DrawRow& row : stage.draws) misaligned += row.status != DrawStatus::kAligned;
    out["draws"] = {{"rows", stage.draws.size()}, {"misaligned", misaligned}};
  }
  return out;
}

report::Document ToDocument(const std::string& title, const Verdict& verdict,
                            const std::vector<std::pair<std::string, std::string>>& environment) {
  report::Document document;
  document.title = title;
  document.verdict = std::string(Name(verdict.outcome));
  document.passed = verdict.ok();
  document.environment = environment;
  for (const StageResult& s : verdict.stages) {
    report::Stage stage{.id = s.id,
                        .title = s.title,
                        .verdict = std::string(Name(s.outcome)),
                        .lines = s.lines,
                        .figures = {},
                        .failure = s.failure,
                        .phases = {}};
    for (const Figure& f : s.figures) stage.figures.push_back({f.name, f.decimal, f.hex});
    for (const auto* recording : {&s.expected, &s.actual})
      if (*recording)
        for (const Phase& p : (*recording)->phases)
          stage.phases.push_back({(*recording)->environment.executor + ": " + p.name, p.seconds});
    document.stages.push_back(std::move(stage));
  }
  return document;
}

// All, but of those that start from a checkpoint the ones that the given checkpoint is for.
std::vector<std::string> StagesToRun(const std::string& checkpoint) {
  std::vector<std::string> stages = AllStages();
  std::erase_if(stages, [&](const std::string& id) {
    const bool starts_from_one = id.starts_with("step3b") || id.starts_with("step4b");
    return starts_from_one && (checkpoint.empty() || !id.ends_with(Name(KindOfCheckpoint(checkpoint))));
  });
  return stages;
}

int Run(const Flags& flags) {
  const auto start = std::chrono::steady_clock::now();
  flags.run.Apply();
  const fixtures::ModelEntry& entry = flags.model.Entry();
  const OpRegistry& registry = OpRegistry::Global();
  const Backend& backend = registry.GetBackend(flags.run.backend);
  const int threads = ThreadPool::Default().size();
  const std::string title = fmt::format("equiv validate {}", entry.name);
  fmt::print("{}: session versus eager, input {}, backend {}, {} thread{}\n", title, flags.model.input, backend.name,
             threads, threads == 1 ? "" : "s");
  std::fflush(stdout);

  Progress progress;
  Options options;
  options.inputs = {flags.model.MakeInput()};
  options.random = NumRandomOps(flags.seed);
  options.rtol = flags.rtol;
  options.atol = flags.atol;
  options.stages = flags.stages.empty() ? StagesToRun(flags.checkpoint) : flags.stages;
  options.checkpoint = flags.checkpoint;
  options.backend = flags.run.backend;
  if (flags.no_passes) options.passes = runtime::PassOptions::None();
  options.constant_actual = InEager(entry.model, {.class_name = entry.class_name, .functional = true});
  options.progress = [&](const std::string& phase) { progress.Show(phase); };
  options.stage_done = [&](const StageResult& stage) {
    progress.Clear();
    fmt::print("\n{} {}: {}  ({:.2f} s)\n", stage.id, stage.title, Word(stage.outcome), stage.seconds);
    for (const std::string& line : stage.lines) fmt::print("  {}\n", line);
    for (const Figure& f : stage.figures) fmt::print("  {}: {}\n", f.name, f.decimal);
    if (stage.id == "step1")
      for (const std::string& line : ScalingLayerLines()) fmt::print("  {}\n", line);
    if (!stage.failure.empty()) fmt::print("{}", stage.failure);
    std::fflush(stdout);
  };
  int recordings = 0;
  if (!flags.record.empty())
    options.recorded = [&](const std::string& stage, const Side& side, const RunRequest& request,
                           const Recording& recording) {
      progress.Show(fmt::format("{}: recording {}", stage, side.name()));
      SaveRecording((std::filesystem::path(flags.record) / stage / FolderName(side.name())).string(),
                    {side.name(), request, recording});
      ++recordings;
    };
  const SidePtr session = InSession(entry.model, {.class_name = entry.class_name});
  const SidePtr eager = InEager(entry.model, {.class_name = entry.class_name});
  const Verdict verdict = CheckEquivalence(*session, *eager, options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
               memory = PeakMemoryMiB();
  const std::vector<std::pair<std::string, std::string>> environment = {
      {"model", entry.name},
      {"input", fmt::format("{} {}", flags.model.input, options.inputs[0].array().shape().ToString())},
      {"backend", fmt::format("{} ({})", backend.name, backend.description)},
      {"threads", std::to_string(threads)},
      {"tool seed", std::to_string(flags.seed)},
      {"tolerance", fmt::format("rtol {} atol {}, decreed", flags.rtol, flags.atol)},
      {"passes", flags.no_passes ? "off" : "on"},
      {"wall time", fmt::format("{:.2f} s", seconds)},
      {"peak memory", fmt::format("{:.0f} MiB", memory)},
  };
  nlohmann::ordered_json out = {
      {"schema_version", 1}, {"model", entry.name}, {"verdict", std::string(Name(verdict.outcome))}};
  out["seconds"] = seconds;
  out["peak_memory_mib"] = memory;
  for (const auto& [key, value] : environment) out["environment"][key] = value;
  out["stages"] = nlohmann::ordered_json::array();
  for (const StageResult& stage : verdict.stages) out["stages"].push_back(StageJson(stage));
  WriteFile(flags.json, out.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  WriteFile(flags.html, report::ToHtml(ToDocument(title, verdict, environment)));
  fmt::print("\n{}: {}  ({:.2f} s, {:.0f} MiB at most)\nwrote {} and {}\n", title, Name(verdict.outcome), seconds,
             memory, flags.html, flags.json);
  if (!flags.record.empty())
    fmt::print("recorded {} runs in {}, one folder per step and side\n", recordings, flags.record);
  return verdict.ok() ? kEquivalent : kNotEquivalent;
}
}  // namespace

std::function<int()> AddValidate(CLI::App& app) {
  CLI::App* command = app.add_subcommand("validate", "Checks a model in both executors, step by step.");
  auto flags = std::make_shared<Flags>();
  flags->model.AddTo(*command);
  flags->run.AddTo(*command);
  command->add_option("--stage", flags->stages, "run this step only; repeatable")->check(CLI::IsMember(AllStages()));
  command->add_option("--checkpoint", flags->checkpoint,
                      "prefix of the checkpoint that steps 3b and 4b start from; without one, a step named by --stage "
                      "writes its own");
  command->add_option("--rtol", flags->rtol, "relative tolerance")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--atol", flags->atol, "absolute tolerance")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--seed", flags->seed, "seed of the random tool")->capture_default_str();
  command->add_flag("--no-passes", flags->no_passes, "switch the session's optimiser passes off");
  command->add_option("--html", flags->html, "where to write the page")->capture_default_str();
  command->add_option("--json", flags->json, "where to write the JSON")->capture_default_str();
  command->add_option("--record", flags->record,
                      "keep the recording of every run in this folder, as DIR/STEP/SIDE; `equiv compare` reads them");
  return [flags] { return Run(*flags); };
}
}  // namespace equiv::tools
