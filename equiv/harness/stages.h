// equiv/harness/stages.h - the staged check of two sides: the migration guide's steps, each judged on its own.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "equiv/compare/compare.h"
#include "equiv/harness/ledger.h"
#include "equiv/harness/side.h"

namespace equiv {

enum class Outcome {
  kEquivalent,
  kWiring,  // equal where everything is equal by design (step 3): shows the wiring, nothing more
  kDifferent,
  kUntrusted,  // nothing was compared, or only constants, or no op ran
};
std::string_view Name(Outcome outcome);  // "EQUIVALENT", ...

struct Figure {
  std::string name;
  std::string decimal;  // shortest decimal that reads back to the same float
  std::string hex;      // C99 hex float
};
struct TensorComparison {
  std::string kind;  // "variable", "output", "loss", "loss total"
  std::string name;
  Report report;
};
struct StageResult {
  std::string id, title;
  Outcome outcome = Outcome::kEquivalent;
  std::vector<std::string> lines;  // what was found, one fact a line
  std::vector<Figure> figures;
  std::string failure;                        // why, when not equivalent; at most 30 lines per tensor
  std::vector<TensorComparison> comparisons;  // the worst ones first; equal tensors are only counted
  std::vector<DrawRow> draws;                 // aligned ledger (steps with random numbers); points into the recordings
  std::optional<Recording> expected, actual;  // without variable values
  double seconds = 0;
};
struct Verdict {
  Outcome outcome = Outcome::kUntrusted;
  std::string expected_name, actual_name;
  std::vector<StageResult> stages;
  bool ok() const { return outcome == Outcome::kEquivalent || outcome == Outcome::kWiring; }
  // What a test prints when it fails.
  std::string FailureText() const;
};

// The stages in their order; every function that takes stage names accepts these, and ValueError names them otherwise.
const std::vector<std::string>& AllStages();

struct Options {
  std::vector<runtime::Tensor> inputs = {};  // eager tensors
  RandomMode random = NumRandomOps(42);
  double rtol = 1e-6, atol = 1e-5;  // |a-b| <= atol + rtol*|b|, decreed by the caller
  // Which steps; empty: step1, step2, step3, step4-inference, step4-training, and with a checkpoint those that start
  // from it.
  std::vector<std::string> stages = {};
  // What steps 3b and 4b start from, by its prefix. Empty: one that a side writes, with weights of another seed: the
  // name-based one the first side, the object-based one the second.
  std::string checkpoint = {};
  std::string backend = "auto";
  runtime::PassOptions passes = {};
  float step3_value = 0.001f;
  SidePtr constant_actual = {};  // step4-constant: this side instead of the second one (functional model)
  std::function<void(const std::string&)> progress = {};
  std::function<void(const StageResult&)> stage_done = {};
  // Called with every run of every stage but the first, values of variables included.
  std::function<void(const std::string& stage, const Side& side, const RunRequest& request, const Recording& recording)>
      recorded = {};
};

// Runs the stages over both sides. Errors of the sides other than a guard's report are thrown on.
Verdict CheckEquivalence(Side& expected, Side& actual, const Options& options);

}  // namespace equiv
