// kernels/onednn/backend.h - the fast backend: convolutions and matrix products through oneDNN.
//
// Only ops whose bits were seen not to depend on the thread count (suites/oracles compares 1 and 2 threads); everything
// else, and every case oneDNN is not asked to do, falls back to kernels/cpu.
#pragma once
#include "kernels/base/op_registry.h"

namespace equiv::onednn {

void AddBackend(OpRegistry& registry);

}  // namespace equiv::onednn
