// tools/verb.h - what the verbs of the `equiv` binary share: exit codes, options, models by name, progress.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "equiv/harness/side.h"
#include "fixtures/models/registry.h"
#include "kernels/base/array.h"

namespace CLI {
class App;
}

namespace equiv::tools {

enum ExitCode { kEquivalent = 0, kNotEquivalent = 1, kUsage = 2, kUnreadable = 3, kInternal = 4 };

// A wrong command line (exit code 2).
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One verb: adds its subcommand and returns what runs it (exit code).
using Verb = std::function<int()> (*)(CLI::App& app);
std::function<int()> AddValidate(CLI::App& app);
std::function<int()> AddConformance(CLI::App& app);
std::function<int()> AddTrace(CLI::App& app);
std::function<int()> AddAblate(CLI::App& app);
std::function<int()> AddNames(CLI::App& app);
std::function<int()> AddList(CLI::App& app);
std::function<int()> AddInspect(CLI::App& app);
std::function<int()> AddCompare(CLI::App& app);
std::function<int()> AddConvert(CLI::App& app);
std::function<int()> AddRun(CLI::App& app);

// Options every run takes.
struct RunOptions {
  std::string backend = "auto";
  int threads = 0;  // 0: all cores, or EQUIV_NUM_THREADS
  void AddTo(CLI::App& command);
  // Checks the backend (UsageError) and sizes the thread pool.
  void Apply() const;
};
// Which model on which input.
struct ModelOptions {
  std::string model;
  std::int64_t size = 0;  // 0: the model's own
  std::int64_t batch = 1;
  std::string input = "ones";  // "ones", "uniform", or a .npy file
  void AddTo(CLI::App& command);
  const fixtures::ModelEntry& Entry() const;  // UsageError naming the models present
  Array MakeInput() const;
};

// "Session: graph construction ..." rewritten on one terminal line; silent when stderr is no terminal.
class Progress {
 public:
  Progress();
  ~Progress();
  void Show(const std::string& text);
  void Clear();

 private:
  bool terminal_;
  bool shown_ = false;
};

// io::WriteFile; UsageError when the folder does not exist or cannot be written.
void WriteFile(const std::string& path, const std::string& text);
double PeakMemoryMiB();

}  // namespace equiv::tools
