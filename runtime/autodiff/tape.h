// runtime/autodiff/tape.h - gradients of eager computations. tf: tf.GradientTape
#pragma once
#include <memory>
#include <vector>

#include "runtime/core/hooks.h"
#include "runtime/variables/variables.h"

namespace equiv::runtime {

// Records the ops this thread runs eagerly from construction until Stop() or the first call of Gradient.
class GradientTape {
 public:
  GradientTape();
  ~GradientTape();
  GradientTape(const GradientTape&) = delete;
  GradientTape& operator=(const GradientTape&) = delete;
  void Stop();
  // d(sum of target)/d(source) for each variable; an empty Tensor where the target does not depend on it.
  // UnimplementedError naming an op on the way that has no gradient yet. tf: tape.gradient
  std::vector<Tensor> Gradient(const Tensor& target, const std::vector<Variable>& sources);

 private:
  class Recorder;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<ScopedObserver> listening_;
};

}  // namespace equiv::runtime
