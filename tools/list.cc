#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "kernels/base/op_registry.h"
#include "tools/verb.h"

namespace equiv::tools {

std::function<int()> AddList(CLI::App& app) {
  CLI::App* command = app.add_subcommand("list", "Names models, backends and ops.");
  auto what = std::make_shared<std::string>();
  command->add_option("what", *what, "models, backends or ops; all when left out")
      ->check(CLI::IsMember({"models", "backends", "ops"}));
  return [what] {
    const OpRegistry& registry = OpRegistry::Global();
    const bool all = what->empty();
    if (all || *what == "models") {
      fmt::print("models\n");
      for (const fixtures::ModelEntry& entry : fixtures::Models())
        fmt::print("  {:<24} {} {}\n", entry.name, entry.input_shape.ToString(), entry.description);
    }
    if (all || *what == "backends") {
      fmt::print("backends\n");
      const std::string& automatic = registry.GetBackend("auto").name;
      for (const Backend& backend : registry.backends())
        fmt::print("  {:<24} {}{}{}\n", backend.name, backend.description,
                   backend.kernels.empty() ? "" : fmt::format("; overrides {} ops", backend.kernels.size()),
                   backend.name == automatic ? " (auto)" : "");
    }
    if (all || *what == "ops") {
      fmt::print("ops\n");
      for (const OpDef* def : registry.All()) fmt::print("  {:<32} {}\n", def->name, def->doc);
    }
    return kEquivalent;
  };
}
}  // namespace equiv::tools
