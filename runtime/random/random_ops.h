// runtime/random/random_ops.h - random tensors in the current context; seed pairs come from GetSeed (seeds.h).
//
// Each function adds the ops TensorFlow's Python function of the same name adds, and rounds where that one rounds.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/core/context.h"

namespace equiv::runtime {

// A Python number: an int or a float. RandomUniform tells the int 0 from the float 0.0, as tf.random.uniform does.
class Number {
 public:
  Number(int value) : integer_(true), whole_(value), value_(value) {}                                 // NOLINT
  Number(std::int64_t value) : integer_(true), whole_(value), value_(static_cast<double>(value)) {}   // NOLINT
  Number(double value) : integer_(false), whole_(static_cast<std::int64_t>(value)), value_(value) {}  // NOLINT
  bool IsInt(std::int64_t value) const { return integer_ && whole_ == value; }
  std::int64_t whole() const { return whole_; }
  double value() const { return value_; }

 private:
  bool integer_;
  std::int64_t whole_;
  double value_;
};

// A shape given by its values, or by an int32/int64 vector tensor.
class ShapeArgument {
 public:
  ShapeArgument(const Shape& shape) : shape_(shape) {}                       // NOLINT
  ShapeArgument(std::initializer_list<std::int64_t> dims) : shape_(dims) {}  // NOLINT
  ShapeArgument(Tensor tensor) : tensor_(std::move(tensor)) {}               // NOLINT
  // The tensor itself, or a new int32 constant named "shape".
  Tensor AsTensor() const;

 private:
  Shape shape_;
  Tensor tensor_;
};

struct UniformOptions {
  Number minval = 0;
  std::optional<Number> maxval = std::nullopt;  // floats: 1; integers: required (ValueError)
  DType dtype = DType::kFloat32;                // float16, bfloat16, float32, float64, int32, int64
  std::optional<std::int64_t> seed = std::nullopt;
  std::string_view name = {};
};
Tensor RandomUniform(const ShapeArgument& shape, const UniformOptions& options = {});  // tf: tf.random.uniform

struct NormalOptions {
  double mean = 0, stddev = 1;
  DType dtype = DType::kFloat32;
  std::optional<std::int64_t> seed = std::nullopt;
  std::string_view name = {};
};
Tensor RandomNormal(const ShapeArgument& shape, const NormalOptions& options = {});  // tf: tf.random.normal
Tensor TruncatedNormal(const ShapeArgument& shape,
                       const NormalOptions& options = {});  // tf: tf.random.truncated_normal
// Rows of `value` in random order. tf: tf.random.shuffle
Tensor RandomShuffle(const Tensor& value, std::optional<std::int64_t> seed = std::nullopt, std::string_view name = {});
// logits [batch, classes] -> int32 or int64 [batch, num_samples]. tf: tf.random.categorical
Tensor Categorical(const Tensor& logits, std::int64_t num_samples, DType dtype = DType::kInt64,
                   std::optional<std::int64_t> seed = std::nullopt, std::string_view name = {});

// Stateless: the same seed gives the same numbers, whatever ran before. tf: tf.random.stateless_*
struct StatelessSeed {
  std::int64_t first = 0, second = 0;
};
Tensor StatelessUniform(const ShapeArgument& shape, StatelessSeed seed, const UniformOptions& options = {});
Tensor StatelessNormal(const ShapeArgument& shape, StatelessSeed seed, const NormalOptions& options = {});
Tensor StatelessTruncatedNormal(const ShapeArgument& shape, StatelessSeed seed, const NormalOptions& options = {});

}  // namespace equiv::runtime
