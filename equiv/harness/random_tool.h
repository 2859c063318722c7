// equiv/harness/random_tool.h - aligns the random numbers of two programs. tf: keras DeterministicRandomTestTool
#pragma once
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "runtime/random/seeds.h"

namespace equiv {

// While a scope of the tool is open in this thread, every random op takes its seed pair from the tool:
//   constant        (seed, operation_seed), operation_seed staying what it is; each draw starts its stream afresh
//   num_random_ops  (seed, 0), (seed, 1), ...: the n-th random op of both programs draws the same numbers
// The tool must outlive its scopes.
class DeterministicRandomTestTool {
 public:
  // ValueError for another mode: "Mode arg must be 'constant' or 'num_random_ops'. Got: X".
  explicit DeterministicRandomTestTool(std::int64_t seed = 42, std::string_view mode = "constant");

  class [[nodiscard]] ScopeGuard {
   private:
    friend class DeterministicRandomTestTool;
    explicit ScopeGuard(std::unique_ptr<runtime::ScopedGetSeed> replacement) : replacement_(std::move(replacement)) {}
    std::unique_ptr<runtime::ScopedGetSeed> replacement_;
  };
  // Sets the global seed of the current context and takes over GetSeed until the guard dies. Re-entering continues the
  // numbering.
  ScopeGuard Scope();

  // The number the next random op takes. May be set to anything; ValueError follows when a number is used twice.
  std::int64_t operation_seed() const { return operation_seed_; }
  void set_operation_seed(std::int64_t value) { operation_seed_ = value; }
  std::int64_t seed() const { return seed_; }
  bool constant() const { return constant_; }

 private:
  runtime::SeedPair Take();
  std::int64_t seed_, operation_seed_ = 0;
  bool constant_;
  std::set<std::int64_t> observed_;
};

}  // namespace equiv
