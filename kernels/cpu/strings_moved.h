// kernels/cpu/strings_moved.h - kernels that move elements, for strings too.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// Runs `kernel` over numbers that stand for the strings among the inputs, 0 for an empty one, and puts the strings
// back: whatever moves elements, or fills up with zeros, moves strings as well.
void MoveStrings(KernelContext& ctx, void (*kernel)(KernelContext&));

template <void (*kKernel)(KernelContext&)>
void WithStrings(KernelContext& ctx) {
  bool strings = false;
  for (int i = 0; i < ctx.num_inputs(); ++i) strings |= ctx.input(i).dtype() == DType::kString;
  return strings ? MoveStrings(ctx, kKernel) : kKernel(ctx);
}

}  // namespace equiv::cpu
