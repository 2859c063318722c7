#include "equiv/harness/ablate.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "equiv/compare/decimal.h"
#include "equiv/compare/npy.h"
#include "kernels/base/error.h"
#include "tools/verb.h"

namespace equiv::tools {
namespace {
struct Flags {
  ModelOptions model;
  RunOptions run;
  std::string from, to, against = "eager", second_backend, mode = "num_random_ops", json;
  std::vector<std::string> fix;
  bool training = false, all = false;
};

std::string Cell(const OpError& e) {
  return e.comparable ? (e.max_abs == 0 ? "0" : fmt::format("{:.2e} / {:.1e}", e.max_abs, e.scaled)) : "n/a";
}

int Run(const Flags& flags) {
  flags.run.Apply();
  Progress progress;
  const fixtures::ModelEntry& entry = flags.model.Entry();
  AblateOptions options{
      .request = {}, .second_backend = flags.second_backend, .from = flags.from, .to = flags.to, .fix = {}};
  if (!flags.second_backend.empty()) RunOptions{.backend = flags.second_backend}.Apply();
  options.request.inputs = {flags.model.MakeInput()};
  options.request.training = flags.training;
  options.request.random = RandomMode{flags.mode, 42};
  options.request.backend = flags.run.backend;
  options.request.passes = runtime::PassOptions::None();
  options.request.progress = [&](const std::string& phase) { progress.Show(phase); };
  for (const std::string& text : flags.fix) {
    const auto equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0) throw UsageError("--fix wants TENSOR=file.npy, got '" + text + "'");
    options.fix.emplace(text.substr(0, equals), ReadNpy(text.substr(equals + 1)));
  }
  const SidePtr first = InSession(entry.model, {.class_name = entry.class_name});
  const SidePtr second = flags.against == "session" ? InSession(entry.model, {.class_name = entry.class_name})
                                                    : InEager(entry.model, {.class_name = entry.class_name});
  Ablation ablation;
  try {
    ablation = Ablate(*first, *second, options);
  } catch (const NotFoundError& error) {  // a name given with --from, --to or --fix
    throw UsageError(error.what());
  }
  progress.Clear();

  if (!flags.json.empty()) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    auto error = [](const OpError& e) -> nlohmann::ordered_json {
      if (!e.comparable) return nullptr;
      return {{"max_abs", e.max_abs}, {"scaled", e.scaled}};
    };
    for (const AblateRow& row : ablation.rows)
      rows.push_back({{"name", row.name},
                      {"op", row.op},
                      {"end_point", row.end_point},
                      {"shape", row.shape.ToString()},
                      {"fixed", row.fixed},
                      {"total", error(row.total)},
                      {"inherited", error(row.inherited)},
                      {"introduced", error(row.introduced)}});
    nlohmann::ordered_json out = {{"schema_version", 1},
                                  {"model", entry.name},
                                  {"rows", std::move(rows)},
                                  {"only_first", ablation.only_first},
                                  {"only_second", ablation.only_second}};
    WriteFile(flags.json, out.dump(1) + "\n");
  }
  fmt::print("{} in session ({}) versus {} ({}): {} ops matched; error as max abs / scaled to the largest value\n",
             entry.name, flags.run.backend, flags.against,
             flags.second_backend.empty() ? flags.run.backend : flags.second_backend, ablation.rows.size());
  std::size_t equal = 0, width = 20;
  const auto same = [](const AblateRow& row) {
    return row.total.comparable && row.total.max_abs == 0 && row.introduced.max_abs == 0;
  };
  const auto shown = [&](const AblateRow& row) {
    return !same(row) || flags.all || !row.end_point.empty() || row.fixed;
  };
  for (const AblateRow& row : ablation.rows)
    if (shown(row)) width = std::max(width, row.name.size());
  bool header = false;
  for (const AblateRow& row : ablation.rows) {
    equal += same(row);
    if (!shown(row)) continue;
    if (!header)
      fmt::print("{:<{}}  {:<18} {:<20} {:<20} {:<20}\n", "op", width, "type", "total", "inherited", "introduced");
    header = true;
    fmt::print("{:<{}}  {:<18} {:<20} {:<20} {:<20}{}{}\n", row.name, width, row.op, Cell(row.total),
               Cell(row.inherited), Cell(row.introduced),
               row.end_point.empty() ? "" : "  <- end point " + row.end_point, row.fixed ? "  (given)" : "");
  }
  fmt::print("{} of {} ops equal bit for bit\n", equal, ablation.rows.size());
  if (!ablation.only_first.empty() || !ablation.only_second.empty())
    fmt::print("without a partner: {} ops of the first side, {} of the second\n", ablation.only_first.size(),
               ablation.only_second.size());
  if (const int i = ablation.first_introducing(); i >= 0)
    fmt::print("first op that introduced an error: {} ({})\n", ablation.rows[static_cast<std::size_t>(i)].name,
               ablation.rows[static_cast<std::size_t>(i)].op);
  else
    fmt::print("no op introduced an error\n");
  return ablation.rows.empty() ? kNotEquivalent : kEquivalent;
}
}  // namespace

std::function<int()> AddAblate(CLI::App& app) {
  CLI::App* command = app.add_subcommand("ablate",
                                         "Runs a model, or a part of it with fixed inputs, on two sides; lists per op "
                                         "the error inherited and introduced.");
  auto flags = std::make_shared<Flags>();
  flags->model.AddTo(*command);
  flags->run.AddTo(*command);
  command->add_option("--from", flags->from,
                      "op or end point to start from; the second side gets the first side's value of it");
  command->add_option("--to", flags->to, "op or end point to stop at");
  command->add_option("--fix", flags->fix, "TENSOR=file.npy: give an op or end point this value on both sides");
  command->add_option("--against", flags->against, "executor of the second side")
      ->check(CLI::IsMember({"eager", "session"}))
      ->capture_default_str();
  command->add_option("--second-backend", flags->second_backend, "backend of the second side");
  command->add_option("--mode", flags->mode, "random numbers")
      ->check(CLI::IsMember({"num_random_ops", "constant"}))
      ->capture_default_str();
  command->add_flag("--training", flags->training, "training instead of inference");
  command->add_flag("--all", flags->all, "list ops without an error too");
  command->add_option("--json", flags->json, "write the table as JSON to this file");
  return [flags] { return Run(*flags); };
}
}  // namespace equiv::tools
