// equiv/harness/guards.h - catches variables created where existing ones should be reused. tf: guide 003, step 1
#pragma once
#include <memory>
#include <vector>

#include "runtime/variables/variables.h"

namespace equiv {

// While it lives, creating a variable throws ValueError at the creating line: "Attempted to create a new variable
// instead of reusing an existing one. Args: {...}", then the creating file and line on a line of their own and the
// usual cause.
class AssertNoVariableCreations {
 public:
  AssertNoVariableCreations();
  ~AssertNoVariableCreations();

 private:
  std::unique_ptr<runtime::VariableCreatorScope> scope_;
};

// Lets creation happen; Finish throws ValueError listing everything created since construction:
// "('Created vars:', [<tf.Variable ...>, ...])", then one line per variable with the creating file and line.
class CatchAndRaiseCreatedVariables {
 public:
  CatchAndRaiseCreatedVariables();
  ~CatchAndRaiseCreatedVariables();
  const std::vector<runtime::Variable>& created() const { return *created_; }
  void Finish();

 private:
  std::shared_ptr<std::vector<runtime::Variable>> created_;
  std::unique_ptr<runtime::VariableCreatorScope> scope_;
};

// `body` under the guard; tf: with catch_and_raise_created_variables(): ...
template <class F>
void CatchAndRaise(F&& body) {
  CatchAndRaiseCreatedVariables guard;
  body();
  guard.Finish();
}

}  // namespace equiv
