// equiv/programs/encode.h - a tensor as the goldens store it: shape, dtype, sha256, values. Private to equiv/programs.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "kernels/base/array.h"

namespace equiv::programs {
nlohmann::json Encode(const Array& array);
}  // namespace equiv::programs
