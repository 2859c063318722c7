// equiv/harness/run_support.h - what sides share while they run. Private to equiv/harness.
#pragma once
#include <chrono>
#include <string>

#include "equiv/harness/side.h"
#include "runtime/session/session.h"

namespace equiv {

// Appends a phase to the recording each time the next one starts.
class Phases {
 public:
  Phases(Recording& recording, const RunRequest& request) : recording_(recording), request_(request) {}
  ~Phases() { Close(); }
  void Start(const std::string& name);
  void Close();

 private:
  using Clock = std::chrono::steady_clock;
  Recording& recording_;
  const RunRequest& request_;
  std::string current_;
  Clock::time_point start_;
};

// What a request sets a variable to; no value: nothing. InvalidArgumentError: step 3 and a variable that is no float.
Array ForcedValue(const runtime::Variable& variable, const RunRequest& request);
// NotFoundError: the request sets a variable that is not there.
void CheckValuesExist(const std::vector<runtime::Variable>& variables, const RunRequest& request);

// Fetches the losses and their sum in one run of the session.
void RecordLosses(runtime::Session& session, const std::vector<runtime::Tensor>& losses, const runtime::Tensor& total,
                  const std::vector<runtime::Feed>& feeds, Recording& recording);

VariableRecord Describe(const runtime::Variable& variable, Array value);
// The names of the passes that are on.
std::vector<std::string> PassesOn(const RunRequest& request);

}  // namespace equiv
