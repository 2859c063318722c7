// kernels/cpu/strings.h - kernels on strings.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

void ConcatenateStrings(KernelContext& ctx);  // x + y, broadcast

}  // namespace equiv::cpu
