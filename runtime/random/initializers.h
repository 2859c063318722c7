// runtime/random/initializers.h - initial values of variables.
//
// Three families, as in TensorFlow. compat.v1 (here) and slim draw from stateful ops, so the random tool covers them;
// native Keras ones (namespace keras) are stateless and take their seeds elsewhere (seeds.h: SetKerasRandomSeed).
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/variables/variables.h"

namespace equiv::runtime {

using OpSeed = std::optional<std::int64_t>;

struct VarianceScalingOptions {
  double scale = 1.0;
  std::string mode = "fan_in";                    // fan_in, fan_out, fan_avg
  std::string distribution = "truncated_normal";  // truncated_normal (alias normal), untruncated_normal, uniform
  OpSeed seed = std::nullopt;
};
// ValueError on scale <= 0 and on an unknown mode or distribution. tf: init_ops.VarianceScaling
Initializer VarianceScaling(const VarianceScalingOptions& options = {});
Initializer GlorotUniform(OpSeed seed = std::nullopt);
Initializer GlorotNormal(OpSeed seed = std::nullopt);
Initializer HeUniform(OpSeed seed = std::nullopt);
Initializer HeNormal(OpSeed seed = std::nullopt);
Initializer LecunUniform(OpSeed seed = std::nullopt);
Initializer LecunNormal(OpSeed seed = std::nullopt);
Initializer RandomUniformInitializer(double minval = 0, double maxval = 1, OpSeed seed = std::nullopt);
Initializer RandomNormalInitializer(double mean = 0, double stddev = 1, OpSeed seed = std::nullopt);
Initializer TruncatedNormalInitializer(double mean = 0, double stddev = 1, OpSeed seed = std::nullopt);
Initializer UniformUnitScaling(double factor = 1, OpSeed seed = std::nullopt);
// At least two dimensions (ValueError). tf: init_ops.Orthogonal
Initializer OrthogonalInitializer(double gain = 1, OpSeed seed = std::nullopt);
Initializer ZerosInitializer();
Initializer OnesInitializer();
Initializer ConstantInitializer(double value);

namespace slim {
// fans in floats, 1.3 for the cut tails. mode FAN_IN, FAN_OUT or FAN_AVG. tf: tf_slim.variance_scaling_initializer
Initializer VarianceScalingInitializer(double factor = 2.0, const std::string& mode = "FAN_IN", bool uniform = false,
                                       OpSeed seed = std::nullopt);
Initializer XavierInitializer(bool uniform = true, OpSeed seed = std::nullopt);
}  // namespace slim

namespace keras {
// One object draws its seed once, at its first use, and gives equal numbers ever after. tf: keras.initializers
Initializer VarianceScaling(const VarianceScalingOptions& options = {});
Initializer GlorotUniform(OpSeed seed = std::nullopt);
Initializer GlorotNormal(OpSeed seed = std::nullopt);
Initializer HeUniform(OpSeed seed = std::nullopt);
Initializer HeNormal(OpSeed seed = std::nullopt);
Initializer LecunUniform(OpSeed seed = std::nullopt);
Initializer LecunNormal(OpSeed seed = std::nullopt);
Initializer RandomUniform(double minval = -0.05, double maxval = 0.05, OpSeed seed = std::nullopt);
Initializer RandomNormal(double mean = 0, double stddev = 0.05, OpSeed seed = std::nullopt);
Initializer TruncatedNormal(double mean = 0, double stddev = 0.05, OpSeed seed = std::nullopt);
Initializer Orthogonal(double gain = 1, OpSeed seed = std::nullopt);
}  // namespace keras

}  // namespace equiv::runtime
