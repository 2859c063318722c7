// runtime/random/dropout.h
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/core/context.h"

namespace equiv::runtime {

struct DropoutOptions {
  // Shape of the mask, broadcast to x; -1 stands for x's own dimension. Default: x's shape.
  std::optional<std::vector<std::int64_t>> noise_shape = std::nullopt;
  std::optional<std::int64_t> seed = std::nullopt;
  std::string_view name = {};
};
// x floating. Keeps an element, scaled by 1 / (1 - rate), where a uniform number is >= rate; +0 elsewhere (NaN and
// infinities included). Takes one seed also when rate is 0. ValueError unless 0 <= rate < 1. tf: tf.nn.dropout
Tensor Dropout(const Tensor& x, double rate, const DropoutOptions& options = {});

}  // namespace equiv::runtime
