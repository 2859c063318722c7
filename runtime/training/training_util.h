// runtime/training/training_util.h - the number of steps trained so far. tf: tf.compat.v1.train.*_global_step
#pragma once
#include "runtime/variables/variables.h"

namespace equiv::runtime {

// The collection of the graph's step counter.
inline constexpr std::string_view kGlobalStep = "global_step";

// The current graph's step counter, an integer scalar; empty when there is none, or when there are several (logged).
// TypeError: a variable of that name is no counter. tf: get_global_step
Variable GetGlobalStep();
// Makes it, not trainable, with the name "global_step". ValueError when there is one already. tf: create_global_step
Variable CreateGlobalStep();
Variable GetOrCreateGlobalStep();

}  // namespace equiv::runtime
