#include "kernels/base/function.h"

#include <atomic>

namespace equiv {
Function::Function() {
  static std::atomic<std::uint64_t> next{1};
  id_ = next.fetch_add(1, std::memory_order_relaxed);
}
Function::~Function() = default;
}  // namespace equiv
