#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "equiv/compare/decimal.h"
#include "equiv/harness/ledger.h"
#include "equiv/report/report.h"
#include "tools/verb.h"

namespace equiv::tools {
namespace {
struct Flags {
  ModelOptions model;
  RunOptions run;
  std::string mode = "num_random_ops", html, json;
  std::int64_t seed = 42;
  bool training = false, functional = false, only_misaligned = false;
};

std::vector<std::string> Cells(const DrawRow& row) {
  const DrawRecord& any = row.expected ? *row.expected : *row.actual;
  auto cell = [](const DrawRecord* d) { return d ? DrawText(*d) : std::string("no such draw"); };
  return {std::string(Name(row.status)), any.owner, any.call_site, cell(row.expected), cell(row.actual)};
}

int Run(const Flags& flags) {
  flags.run.Apply();
  Progress progress;
  const fixtures::ModelEntry& entry = flags.model.Entry();
  RunRequest request{.inputs = {flags.model.MakeInput()},
                     .random = RandomMode{flags.mode, flags.seed},
                     .set_variables = {},
                     .values = {},
                     .backend = flags.run.backend,
                     .passes = {},
                     .progress = {}};
  request.training = flags.training;
  request.progress = [&](const std::string& phase) { progress.Show(phase); };
  const SidePtr session = InSession(entry.model, {.class_name = entry.class_name});
  const SidePtr eager = InEager(entry.model, {.class_name = entry.class_name, .functional = flags.functional});
  const Recording a = session->Run(request), b = eager->Run(request);
  progress.Clear();
  const std::vector<DrawRow> rows = AlignDraws(a.draws, b.draws);
  const std::string title = fmt::format("{}: random draws, mode {}, seed {}, {}", entry.name, flags.mode, flags.seed,
                                        flags.training ? "training" : "inference");
  fmt::print("{}\n{}", title, LedgerText(rows, session->name(), eager->name(), flags.only_misaligned, 100000));
  fmt::print("operation_seed afterwards: {} {}, {} {}\n", session->name(), a.operation_seed_after, eager->name(),
             b.operation_seed_after);
  if (!flags.json.empty()) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    auto draw = [](const DrawRecord* d) -> nlohmann::ordered_json {
      if (!d) return nullptr;
      return {{"op_seed", d->seed2},
              {"seed", d->seed},
              {"kind", d->kind},
              {"dtype", std::string(Name(d->dtype))},
              {"shape", d->shape.ToString()},
              {"owner", d->owner},
              {"call_site", d->call_site},
              {"first_values", d->first_values},
              {"hash", fmt::format("{:016x}", d->hash)}};
    };
    for (const DrawRow& row : rows)
      list.push_back(
          {{"status", std::string(Name(row.status))}, {"session", draw(row.expected)}, {"eager", draw(row.actual)}});
    WriteFile(flags.json,
              nlohmann::ordered_json{{"schema_version", 1}, {"title", title}, {"draws", list}}.dump(1) + "\n");
  }
  if (!flags.html.empty()) {
    report::Document document;
    document.title = title;
    document.verdict = AllAligned(rows) ? "aligned" : "not aligned";
    document.passed = AllAligned(rows);
    report::Table table{.title = "Draws in program order",
                        .columns = {"status", "owner", "call site", session->name(), eager->name()},
                        .rows = {}};
    for (const DrawRow& row : rows) table.rows.push_back(Cells(row));
    document.tables.push_back(std::move(table));
    WriteFile(flags.html, report::ToHtml(document));
  }
  return AllAligned(rows) && !rows.empty() ? kEquivalent : kNotEquivalent;
}
}  // namespace

std::function<int()> AddTrace(CLI::App& app) {
  CLI::App* command = app.add_subcommand("trace", "Prints the random draws of both executors side by side.");
  auto flags = std::make_shared<Flags>();
  flags->model.AddTo(*command);
  flags->run.AddTo(*command);
  command->add_option("--mode", flags->mode, "how draws are seeded")
      ->check(CLI::IsMember({"num_random_ops", "constant"}))
      ->capture_default_str();
  command->add_option("--seed", flags->seed, "seed of the random tool")->capture_default_str();
  command->add_flag("--training", flags->training, "training instead of inference");
  command->add_flag("--functional", flags->functional, "embed the eager layer in a functional model");
  command->add_flag("--only-misaligned", flags->only_misaligned, "leave out aligned draws");
  command->add_option("--html", flags->html, "write the table as a page");
  command->add_option("--json", flags->json, "write the table as JSON");
  return [flags] { return Run(*flags); };
}
}  // namespace equiv::tools
