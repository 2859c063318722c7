// tools/main.cc - the binary `equiv`: one verb a file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "kernels/base/error.h"
#include "tools/verb.h"

namespace {
using namespace equiv::tools;

int Fail(ExitCode code, const std::string& text) {
  std::fflush(stdout);
  std::fputs(("equiv: " + text + "\n").c_str(), stderr);
  return code;
}
int Unknown(const std::string& verb) {
  return Fail(kUsage, fmt::format("unknown verb '{}'; equiv help lists the verbs", verb));
}
// Whatever a file or a model brings about is the caller's (3); what shows a fault of this program is ours (4).
int Guarded(const std::function<int()>& run) {
  try {
    return run();
  } catch (const UsageError& error) {
    return Fail(kUsage, error.what());
  } catch (const equiv::CheckError& error) {
    return Fail(kInternal, error.Describe());
  } catch (const equiv::AssertionError& error) {
    return Fail(kInternal, error.Describe());
  } catch (const equiv::Error& error) {
    return Fail(kUnreadable, error.Describe());
  } catch (const std::filesystem::filesystem_error& error) {
    return Fail(kUnreadable, error.what());
  } catch (const std::bad_alloc&) {
    return Fail(kUnreadable, "out of memory: a tensor is larger than this machine can hold");
  } catch (const std::exception& error) {
    return Fail(kInternal, error.what());
  }
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs the same model as a deferred graph and eagerly, and proves that the numbers agree."};
  app.name("equiv");
  app.set_version_flag("--version", "equiv 0.1.0");
  app.require_subcommand(1);
  app.footer(
      "equiv help VERB lists a verb's options.\nExit codes: 0 equivalent, 1 not equivalent, 2 usage, 3 unreadable "
      "input, 4 internal error.");
  std::vector<std::pair<CLI::App*, std::function<int()>>> verbs;
  for (auto add : {AddValidate, AddConformance, AddTrace, AddAblate, AddNames, AddInspect, AddCompare, AddConvert,
                   AddRun, AddList}) {
    std::function<int()> run = add(app);
    verbs.emplace_back(app.get_subcommands([](const CLI::App*) { return true; }).back(), std::move(run));
  }
  std::vector<std::string> arguments(argv + 1, argv + argc);
  // `equiv help VERB` is `equiv VERB --help`.
  const bool help = !arguments.empty() && arguments.front() == "help";
  if (help) arguments.erase(arguments.begin());
  const std::string verb = arguments.empty() ? "" : arguments.front();
  if (help) {
    if (!verb.empty() && std::ranges::none_of(verbs, [&](const auto& v) { return v.first->get_name() == verb; }))
      return Unknown(verb);
    arguments.resize(verb.empty() ? 0 : 1);
    arguments.emplace_back("--help");
  }
  std::ranges::reverse(arguments);  // as CLI11 takes them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::RequiredError& error) {
    if (!app.get_subcommands().empty()) {
      app.exit(error);
      return kUsage;
    }
    if (!verb.empty()) return Unknown(verb);
    std::fputs(app.help().c_str(), stderr);
    return kUsage;
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return kUsage;
  }
  for (const auto& [command, run] : verbs)
    if (command->parsed()) return Guarded(run);
  return kUsage;
}
