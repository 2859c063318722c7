// equiv/harness/recording.h - what one run of one side leaves behind.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kernels/base/array.h"
#include "runtime/core/hooks.h"

namespace equiv {

struct VariableRecord {
  std::string name;  // "a/w:0"
  DType dtype = DType::kFloat32;
  PartialShape shape;
  bool trainable = true;
  std::string created_at;  // "file:line" of the model's own line
  Array value;             // after the run
};
struct NamedArray {
  std::string name;
  Array array;
};
// One execution of a stateful random op.
struct DrawRecord {
  std::int64_t sequence = 0;  // order of the program: node id, or running number in eager
  std::string kind;           // "RandomUniform"
  std::int64_t seed = 0, seed2 = 0;
  DType dtype = DType::kFloat32;
  PartialShape shape;
  std::string owner;      // the variable initialised, or the variable scope
  std::string call_site;  // "file:line"
  std::vector<double> first_values;
  std::uint64_t hash = 0;  // XXH3-64 of the bytes drawn
};
struct EffectRecord {
  enum class Kind { kCreate, kRead, kWrite } kind;
  std::string variable;  // without ":0"
};
struct Environment {
  std::string executor;  // "session", "eager", "eager (functional model)"
  std::string backend;   // resolved, never "auto"
  int threads = 1;
  std::vector<std::string> passes;  // those on; empty in eager
};
struct Phase {
  std::string name;
  double seconds = 0;
};

struct Recording {
  Environment environment;
  std::vector<VariableRecord> variables;  // in order of creation, as a creation hook sees it
  std::vector<std::string>
      listed_variables;             // names in the executor's own list (eager: sorted by name, session: creation)
  std::vector<NamedArray> outputs;  // "output", then the end points in order
  std::vector<NamedArray> losses;   // each regularisation loss
  Array total_loss;                 // AddN of them; no value when there are none
  std::vector<DrawRecord> draws;    // in program order
  std::vector<EffectRecord> effects;
  std::int64_t ops_executed = 0;
  std::int64_t operation_seed_after = -1;  // of the random tool; -1 without one
  std::vector<Phase> phases;

  const VariableRecord* FindVariable(std::string_view name) const;
  const Array* FindOutput(std::string_view name) const;
};

// Fills `draws` and `effects` of a recording while it listens.
class RecordingObserver final : public runtime::Observer {
 public:
  explicit RecordingObserver(Recording& recording) : recording_(recording) {}
  void OnOpDone(runtime::OpEvent& event) override;

 private:
  Recording& recording_;
};

// "file.cc:12" without directories.
std::string SiteText(const std::source_location& site);

}  // namespace equiv
