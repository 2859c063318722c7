#include "equiv/programs/conformance.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "equiv/harness/conformance/folder.h"
#include "tools/verb.h"

namespace equiv::tools {
namespace {
struct Flags {
  std::string folder;
  bool json = false, verbose = false;
  RunOptions run;
};

nlohmann::ordered_json ToJson(const std::string& suite, const std::vector<CaseResult>& results) {
  nlohmann::ordered_json failures = nlohmann::ordered_json::array(), skips = nlohmann::ordered_json::array();
  int passed = 0, exact = 0;
  for (const CaseResult& r : results) {
    passed += r.outcome == CaseResult::Outcome::kPass;
    exact += r.outcome == CaseResult::Outcome::kPass && r.bit_exact;
    if (r.outcome == CaseResult::Outcome::kFail) failures.push_back({{"case", r.id}, {"why", r.why}});
    if (r.outcome == CaseResult::Outcome::kSkip) skips.push_back({{"case", r.id}, {"why", r.why}});
  }
  nlohmann::ordered_json out = {{"schema_version", 1}, {"suite", suite}, {"cases", results.size()}, {"passed", passed}};
  out["failed"] = failures.size();
  out["skipped"] = skips.size();
  out["bit_exact"] = exact;
  out["failures"] = std::move(failures);
  out["skips"] = std::move(skips);
  return out;
}

int Run(const Flags& flags) {
  flags.run.Apply();
  Progress progress;
  ConformanceOptions options{.backend = flags.run.backend, .find_model = {}, .progress = {}, .other = {}};
  options.other = programs::RunPrograms;
  options.find_model = [](const std::string& name, std::int64_t classes) {
    return fixtures::ModelWithClasses(name, classes);
  };
  options.progress = [&](const std::string& text) { progress.Show(text); };
  const ConformanceRun run = RunConformance(flags.folder, options);
  progress.Clear();
  const nlohmann::ordered_json summary = ToJson(run.suite, run.results);
  if (flags.json) {
    fmt::print("{}\n", summary.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    for (const CaseResult& r : run.results) {
      if (r.outcome == CaseResult::Outcome::kPass && !flags.verbose) continue;
      const char* word = r.outcome == CaseResult::Outcome::kPass   ? "pass"
                         : r.outcome == CaseResult::Outcome::kFail ? "FAIL"
                                                                   : "skip";
      fmt::print("{} {}{}{}\n", word, r.id, r.why.empty() ? "" : ": ", r.why);
    }
    fmt::print("{}: {} cases, {} passed ({} bit exact), {} failed, {} skipped\n", run.suite, run.results.size(),
               summary["passed"].get<int>(), summary["bit_exact"].get<int>(), summary["failed"].get<int>(),
               summary["skipped"].get<int>());
  }
  if (run.results.empty()) {
    fmt::print(stderr, "equiv: '{}' holds no case\n", flags.folder);
    return kUnreadable;
  }
  const bool all_skipped = summary["passed"].get<int>() + summary["failed"].get<int>() == 0;
  return summary["failed"].get<int>() > 0 || all_skipped ? kNotEquivalent : kEquivalent;
}
}  // namespace

std::function<int()> AddConformance(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("conformance", "Runs a folder of stored cases and compares with what TensorFlow computed.");
  auto flags = std::make_shared<Flags>();
  command
      ->add_option(
          "folder", flags->folder,
          "folder of random, inception_resnet_v2, ops, naming, checkpoints or graphs cases, or one case of the "
          "last two; fixtures/goldens holds some of each")
      ->required();
  command->add_flag("--json", flags->json, "print one JSON object");
  command->add_flag("--verbose", flags->verbose, "print passing cases too");
  flags->run.AddTo(*command);
  return [flags] { return Run(*flags); };
}
}  // namespace equiv::tools
