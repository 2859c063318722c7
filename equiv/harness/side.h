// equiv/harness/side.h - anything that can be asked to run and answers with a Recording.
#pragma once
#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "equiv/harness/checkpoint_start.h"
#include "equiv/harness/recording.h"
#include "runtime/layers/layer.h"
#include "runtime/passes/passes.h"

namespace equiv {

// How random numbers are aligned. tf: DeterministicRandomTestTool
struct RandomMode {
  std::string mode;  // "constant" or "num_random_ops"
  std::int64_t seed = 42;
};
inline RandomMode ConstantSeeds(std::int64_t seed = 42) { return {"constant", seed}; }
inline RandomMode NumRandomOps(std::int64_t seed = 42) { return {"num_random_ops", seed}; }

struct RunRequest {
  std::vector<Array> inputs = {};
  bool training = false;
  std::optional<RandomMode> random = std::nullopt;
  std::optional<float> set_variables = std::nullopt;  // every variable forced to this value before the run (step 3)
  std::map<std::string, Array> values = {};           // variables forced to given values, by name with ":0"
  // Every variable starts with its value in this checkpoint; NotFoundError or AssertionError where it has none.
  std::optional<std::string> checkpoint = std::nullopt;
  std::optional<SaveRequest> save = std::nullopt;  // after the run, the variables go to this checkpoint
  std::string backend = "auto";
  runtime::PassOptions passes = {};
  bool build_only = false;  // step 2: make the variables, compute no output in the session
  int calls = 1;            // eager: call the layer this often (re-use must not add variables)
  std::function<void(const std::string& phase)> progress = {};  // called when a phase starts; may be empty
};

class Side {
 public:
  virtual ~Side() = default;
  virtual std::string name() const = 0;
  virtual Recording Run(const RunRequest& request) = 0;
  // Step 1: runs the model once, then twice more under the two guards; throws what a guard throws. A side whose
  // executor builds afresh each time has nothing to check and returns false.
  virtual bool CheckVariablesCreatedOnce(const RunRequest& request) {
    (void)request;
    return false;
  }
};
using SidePtr = std::shared_ptr<Side>;

// Accepts what model code looks like: Tensor(Tensor), Tensor(Tensor, bool training), Outputs(...) of the same, or
// Outputs(const CallArgs&).
template <class F>
runtime::ModelFunction AsModel(F f) {
  using runtime::CallArgs;
  using runtime::Outputs;
  using runtime::Tensor;
  if constexpr (std::is_invocable_r_v<Outputs, F, const CallArgs&> && !std::is_invocable_v<F, const Tensor&>) {
    return runtime::ModelFunction(std::move(f));
  } else if constexpr (std::is_invocable_v<F, const Tensor&, bool>) {
    return [f = std::move(f)](const CallArgs& a) -> Outputs { return f(a.inputs.at(0), a.training.value_or(false)); };
  } else {
    static_assert(std::is_invocable_v<F, const Tensor&>,
                  "a model is Tensor(Tensor), Tensor(Tensor, bool) or Outputs(const CallArgs&)");
    return [f = std::move(f)](const CallArgs& a) -> Outputs { return f(a.inputs.at(0)); };
  }
}

struct SideOptions {
  std::string class_name = "Model";  // Python-style name of the layer that wraps the model in eager
  bool functional = false;           // eager: embed the layer in a functional model (variables first, dropout later)
  bool run_update_ops = true;        // session: fetch UPDATE_OPS with the outputs when training
};
SidePtr MakeSessionSide(runtime::ModelFunction model, SideOptions options);
SidePtr MakeEagerSide(runtime::ModelFunction model, SideOptions options);
// A layer class instead of a function; a fresh layer per run. In a session the losses are the layer's, and its own
// updates run beside UPDATE_OPS in training.
SidePtr InSessionLayer(std::function<std::shared_ptr<runtime::Layer>()> make, SideOptions options = {});
SidePtr InEagerLayer(std::function<std::shared_ptr<runtime::Layer>()> make, SideOptions options = {});

// The model as a deferred graph run by a Session: build, initialise, run, TensorFlow-1 semantics.
template <class F>
SidePtr InSession(F model, SideOptions options = {}) {
  return MakeSessionSide(AsModel(std::move(model)), std::move(options));
}
// The same model as an eagerly executed layer whose v1-style variables are tracked, TensorFlow-2 semantics.
template <class F>
SidePtr InEager(F model, SideOptions options = {}) {
  return MakeEagerSide(AsModel(std::move(model)), std::move(options));
}

}  // namespace equiv
