// runtime/eager/eager.h - runs every op at once. tf: eager execution
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "kernels/base/op_registry.h"
#include "runtime/core/context.h"

namespace equiv::runtime {

// One per process. Kernels are cached by op + attributes + input dtypes + backend (spec/random.md R10), so a random op
// called again with the same seed pair continues its stream.
class EagerContext final : public Context {
 public:
  static EagerContext& Get();
  Graph* graph() override { return nullptr; }
  std::vector<Value> AddOp(std::string_view op, std::span<const Value> inputs, const AttrMap& attrs,
                           std::string_view name = {}) override;
  std::string OpenNameScope(std::string_view name) override;

  void SetBackend(std::string_view name);  // "auto", "cpu", "onednn"; ValueError otherwise
  const Backend& backend() const;
  // Drops every cached kernel and with it the state of random ops (R11: set_seed).
  void ClearKernelCache();
  // Forgets scopes, collections, seeds and kernels: a fresh process as far as results go. For tests and for the
  // harness, which runs several sides in one process.
  void Reset();
  std::int64_t ops_executed() const;

 private:
  EagerContext();
  ~EagerContext() override;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace equiv::runtime
