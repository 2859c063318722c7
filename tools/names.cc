#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "equiv/harness/guards.h"
#include "tools/verb.h"

namespace equiv::tools {
namespace {
struct Flags {
  std::string model, json;
  bool training = false, only_differences = false;
  RunOptions run;
};

const fixtures::ModelEntry& EntryOf(const std::string& name) {
  if (const fixtures::ModelEntry* entry = fixtures::FindModel(name)) return *entry;
  for (const fixtures::ModelEntry& entry : fixtures::LayerModels())
    if (entry.name == name) return entry;
  std::string known;
  for (const auto* list : {&fixtures::Models(), &fixtures::LayerModels()})
    for (const fixtures::ModelEntry& entry : *list) known += (known.empty() ? "" : ", ") + entry.name;
  throw UsageError(fmt::format("unknown model '{}'; models are: {}", name, known));
}

std::string Text(const VariableRecord* v) {
  if (!v) return "-";
  return fmt::format("{} {}{}{}", v->name, Name(v->dtype), v->shape.ToString(), v->trainable ? "" : " not trainable");
}
// What differs, in words; empty when nothing does.
std::string Difference(const VariableRecord* a, const VariableRecord* b) {
  if (!a) return "only in eager";
  if (!b) return "only in the session";
  std::string what;
  const auto add = [&](bool differs, const char* word) {
    if (differs) what += (what.empty() ? "" : ", ") + std::string(word);
  };
  add(a->name != b->name, "name");
  add(a->dtype != b->dtype, "dtype");
  add(a->shape != b->shape, "shape");
  add(a->trainable != b->trainable, "trainable");
  return what;
}

struct Row {
  const VariableRecord *session, *eager;
  std::string difference;
};
// Equal names stand side by side, in the session's order; what is left over is paired by position.
std::vector<Row> Align(const std::vector<VariableRecord>& session, const std::vector<VariableRecord>& eager) {
  std::vector<bool> taken(eager.size(), false);
  std::vector<Row> rows;
  std::vector<std::size_t> unmatched;
  for (const VariableRecord& a : session) {
    std::size_t match = eager.size();
    for (std::size_t i = 0; i < eager.size(); ++i)
      if (!taken[i] && eager[i].name == a.name) {
        match = i;
        break;
      }
    if (match < eager.size()) {
      taken[match] = true;
    } else {
      unmatched.push_back(rows.size());
    }
    rows.push_back({&a, match < eager.size() ? &eager[match] : nullptr, {}});
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < eager.size(); ++i) {
    if (taken[i]) continue;
    if (next < unmatched.size()) {
      rows[unmatched[next++]].eager = &eager[i];
    } else {
      rows.push_back({nullptr, &eager[i], {}});
    }
  }
  for (Row& row : rows) row.difference = Difference(row.session, row.eager);
  return rows;
}

int Run(const Flags& flags) {
  flags.run.Apply();
  const fixtures::ModelEntry& entry = EntryOf(flags.model);
  RunRequest request{.inputs = {Array::Full(entry.input_shape, 1.0F)},
                     .random = NumRandomOps(),
                     .set_variables = {},
                     .values = {},
                     .backend = flags.run.backend,
                     .passes = {},
                     .progress = {}};
  request.training = flags.training;
  request.build_only = true;
  const SideOptions options{.class_name = entry.class_name};
  const SidePtr session = entry.make ? InSessionLayer(entry.make, options) : InSession(entry.model, options);
  const SidePtr eager = entry.make ? InEagerLayer(entry.make, options) : InEager(entry.model, options);
  const Recording a = session->Run(request), b = eager->Run(request);
  const std::vector<Row> rows = Align(a.variables, b.variables);
  const auto differing = std::ranges::count_if(rows, [](const Row& row) { return !row.difference.empty(); });
  std::size_t width = 7;
  for (const Row& row : rows) width = std::max(width, Text(row.session).size());
  fmt::print("{}: variables in order of creation\n", entry.name);
  fmt::print("  {:<{}}  {}\n", "session", width, "eager");
  for (const Row& row : rows) {
    if (flags.only_differences && row.difference.empty()) continue;
    fmt::print("{} {:<{}}  {}{}\n", row.difference.empty() ? ' ' : '!', Text(row.session), width, Text(row.eager),
               row.difference.empty() ? "" : "   <- " + row.difference);
  }
  fmt::print("{} variables in the session, {} in eager, {} differ\n", a.variables.size(), b.variables.size(),
             differing);
  if (!flags.json.empty()) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    const auto record = [](const VariableRecord* v) -> nlohmann::ordered_json {
      if (!v) return nullptr;
      return {{"name", v->name},
              {"dtype", std::string(Name(v->dtype))},
              {"shape", v->shape.ToString()},
              {"trainable", v->trainable},
              {"created_at", v->created_at}};
    };
    for (const Row& row : rows)
      list.push_back({{"session", record(row.session)}, {"eager", record(row.eager)}, {"difference", row.difference}});
    WriteFile(flags.json,
              nlohmann::ordered_json{{"schema_version", 1}, {"model", entry.name}, {"variables", list}}.dump(1) + "\n");
  }
  return differing == 0 && !rows.empty() ? kEquivalent : kNotEquivalent;
}
}  // namespace

std::function<int()> AddNames(CLI::App& app) {
  CLI::App* command = app.add_subcommand("names", "Prints both executors' variables side by side, differences marked.");
  auto flags = std::make_shared<Flags>();
  command->add_option("model", flags->model, "model whose variables to make; `equiv list models` names them")
      ->required();
  command->add_flag("--training", flags->training, "call the model in training mode");
  command->add_flag("--only-differences", flags->only_differences, "leave out what agrees");
  command->add_option("--json", flags->json, "write the rows to this file");
  flags->run.AddTo(*command);
  return [flags] { return Run(*flags); };
}
}  // namespace equiv::tools
