#include "equiv/harness/random_tool.h"

#include <fmt/format.h>

#include "kernels/base/error.h"

namespace equiv {

DeterministicRandomTestTool::DeterministicRandomTestTool(std::int64_t seed, std::string_view mode)
    : seed_(seed), constant_(mode == "constant") {
  if (!constant_ && mode != "num_random_ops")
    throw ValueError(fmt::format("Mode arg must be 'constant' or 'num_random_ops'. Got: {}", mode));
}

DeterministicRandomTestTool::ScopeGuard DeterministicRandomTestTool::Scope() {
  runtime::SetRandomSeed(seed_);
  return ScopeGuard(std::make_unique<runtime::ScopedGetSeed>([this](std::optional<std::int64_t>) { return Take(); }));
}

runtime::SeedPair DeterministicRandomTestTool::Take() {
  if (constant_) {
    runtime::SetRandomSeed(operation_seed_);  // in eager this restarts every stream
    return {seed_, operation_seed_};
  }
  if (observed_.contains(operation_seed_))
    throw ValueError(fmt::format(
        "This `DeterministicRandomTestTool` object is trying to re-use the already-used operation seed {}. It cannot "
        "guarantee "
        "random numbers will match between eager and sessions when an operation seed is reused. You most likely set "
        "`operation_seed` explicitly but used a value that caused the naturally-incrementing operation seed sequences "
        "to "
        "overlap with an already-used seed.",
        operation_seed_));
  observed_.insert(operation_seed_);
  return {seed_, operation_seed_++};
}
}  // namespace equiv
