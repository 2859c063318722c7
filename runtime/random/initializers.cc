#include "runtime/random/initializers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/random/random_ops.h"
#include "runtime/random/seeds.h"

namespace equiv::runtime {
namespace {

// How a family draws; the formulas around it are shared.
struct Draws {
  std::function<Tensor(const Shape&, double low, double high, DType)> uniform;
  std::function<Tensor(const Shape&, double mean, double stddev, DType)> normal, truncated;
};
Draws Stateful(OpSeed seed) {
  return {[seed](const Shape& s, double low, double high, DType t) {
            return RandomUniform(s, {.minval = low, .maxval = high, .dtype = t, .seed = seed});
          },
          [seed](const Shape& s, double mean, double stddev, DType t) {
            return RandomNormal(s, {.mean = mean, .stddev = stddev, .dtype = t, .seed = seed});
          },
          [seed](const Shape& s, double mean, double stddev, DType t) {
            return TruncatedNormal(s, {.mean = mean, .stddev = stddev, .dtype = t, .seed = seed});
          }};
}
Draws Stateless(OpSeed given) {
  auto seed = [cell = std::make_shared<OpSeed>(given)] {
    if (!*cell) *cell = NextKerasSeed();
    return StatelessSeed{**cell, 0};
  };
  return {[seed](const Shape& s, double low, double high, DType t) {
            return StatelessUniform(s, seed(), {.minval = low, .maxval = high, .dtype = t});
          },
          [seed](const Shape& s, double mean, double stddev, DType t) {
            return StatelessNormal(s, seed(), {.mean = mean, .stddev = stddev, .dtype = t});
          },
          [seed](const Shape& s, double mean, double stddev, DType t) {
            return StatelessTruncatedNormal(s, seed(), {.mean = mean, .stddev = stddev, .dtype = t});
          }};
}

struct Fans {
  double in, out;
};
// tf: init_ops._compute_fans
Fans FansOf(const Shape& shape) {
  const int rank = shape.rank();
  if (rank == 0) return {1, 1};
  if (rank == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  double receptive = 1;
  for (int i = 0; i < rank - 2; ++i) receptive *= static_cast<double>(shape[i]);
  return {static_cast<double>(shape[rank - 2]) * receptive, static_cast<double>(shape[rank - 1]) * receptive};
}

Initializer Scaling(std::string name, const VarianceScalingOptions& o, Draws draws) {
  if (!(o.scale > 0)) throw ValueError(fmt::format("Argument `scale` must be a positive float. Received: {}", o.scale));
  if (o.mode != "fan_in" && o.mode != "fan_out" && o.mode != "fan_avg")
    throw ValueError(
        fmt::format("Argument `mode` should be one of ('fan_in', 'fan_out', 'fan_avg'). Received: {}", o.mode));
  const bool uniform = o.distribution == "uniform", untruncated = o.distribution == "untruncated_normal";
  if (!uniform && !untruncated && o.distribution != "normal" && o.distribution != "truncated_normal")
    throw ValueError(fmt::format(
        "Argument `distribution` should be one of ('uniform', 'truncated_normal', 'untruncated_normal'). Received: {}",
        o.distribution));
  return {std::move(name), [o, uniform, untruncated, draws = std::move(draws)](const Shape& shape, DType dtype) {
            const Fans fans = FansOf(shape);
            const double fan = o.mode == "fan_in" ? fans.in : o.mode == "fan_out" ? fans.out : (fans.in + fans.out) / 2;
            const double scale = o.scale / std::max(1.0, fan);
            if (uniform) {
              const double limit = std::sqrt(3.0 * scale);
              return draws.uniform(shape, -limit, limit, dtype);
            }
            if (untruncated) return draws.normal(shape, 0, std::sqrt(scale), dtype);
            // the deviation of a standard normal cut at two deviations
            return draws.truncated(shape, 0, std::sqrt(scale) / .87962566103423978, dtype);
          }};
}

Initializer OrthogonalWith(double gain, Draws draws) {
  return {"orthogonal", [gain, draws = std::move(draws)](const Shape& shape, DType dtype) {
            if (shape.rank() < 2)
              throw ValueError("The tensor to initialize must be at least two-dimensional. Received: shape=" +
                               shape.ToTuple());
            std::int64_t rows = 1;
            for (int i = 0; i < shape.rank() - 1; ++i) rows *= shape[i];
            const std::int64_t columns = shape[shape.rank() - 1];
            const Tensor drawn = draws.normal(Shape{std::max(rows, columns), std::min(rows, columns)}, 0, 1, dtype);
            Context& context = Current();
            const std::vector<Tensor> qr = context.AddOp("Qr", std::span(&drawn, 1), {{"full_matrices", false}});
            const Tensor diagonal = context.Add1("DiagPart", {qr[1]});
            Tensor q = qr[0] * context.Add1("Sign", {diagonal});
            if (rows < columns)
              q = context.Add1("Transpose",
                               {q, Constant(Array::Of<std::int32_t>(Shape{2}, {1, 0}), "matrix_transpose/perm")});
            return gain * Reshape(q, shape.vector());
          }};
}

VarianceScalingOptions Spec(double scale, const char* mode, const char* distribution, OpSeed seed) {
  return {.scale = scale, .mode = mode, .distribution = distribution, .seed = seed};
}
constexpr const char* kTruncated = "truncated_normal";

}  // namespace

Initializer VarianceScaling(const VarianceScalingOptions& o) {
  return Scaling("variance_scaling", o, Stateful(o.seed));
}
Initializer GlorotUniform(OpSeed s) { return Scaling("glorot_uniform", Spec(1, "fan_avg", "uniform", s), Stateful(s)); }
Initializer GlorotNormal(OpSeed s) { return Scaling("glorot_normal", Spec(1, "fan_avg", kTruncated, s), Stateful(s)); }
Initializer HeUniform(OpSeed s) { return Scaling("he_uniform", Spec(2, "fan_in", "uniform", s), Stateful(s)); }
Initializer HeNormal(OpSeed s) { return Scaling("he_normal", Spec(2, "fan_in", kTruncated, s), Stateful(s)); }
Initializer LecunUniform(OpSeed s) { return Scaling("lecun_uniform", Spec(1, "fan_in", "uniform", s), Stateful(s)); }
Initializer LecunNormal(OpSeed s) { return Scaling("lecun_normal", Spec(1, "fan_in", kTruncated, s), Stateful(s)); }
Initializer RandomUniformInitializer(double minval, double maxval, OpSeed seed) {
  return {"random_uniform",
          [=, draws = Stateful(seed)](const Shape& s, DType t) { return draws.uniform(s, minval, maxval, t); }};
}
Initializer RandomNormalInitializer(double mean, double stddev, OpSeed seed) {
  return {"random_normal",
          [=, draws = Stateful(seed)](const Shape& s, DType t) { return draws.normal(s, mean, stddev, t); }};
}
Initializer TruncatedNormalInitializer(double mean, double stddev, OpSeed seed) {
  return {"truncated_normal",
          [=, draws = Stateful(seed)](const Shape& s, DType t) { return draws.truncated(s, mean, stddev, t); }};
}
Initializer UniformUnitScaling(double factor, OpSeed seed) {
  return {"uniform_unit_scaling", [=, draws = Stateful(seed)](const Shape& s, DType t) {
            double inputs = 1;
            for (int i = 0; i < s.rank() - 1; ++i) inputs *= static_cast<double>(s[i]);
            const double limit = std::sqrt(3 / std::max(1.0, inputs)) * factor;
            return draws.uniform(s, -limit, limit, t);
          }};
}
Initializer OrthogonalInitializer(double gain, OpSeed seed) { return OrthogonalWith(gain, Stateful(seed)); }
Initializer ZerosInitializer() {
  return {"zeros", [](const Shape& s, DType t) {
            if (t != DType::kString) return Zeros(s, t);
            return Constant(Array::Strings(s, std::vector<std::string>(static_cast<std::size_t>(s.num_elements()))),
                            "zeros");
          }};
}
Initializer OnesInitializer() {
  return {"ones", [](const Shape& s, DType t) { return Ones(s, t); }};
}
Initializer ConstantInitializer(double value) {
  const auto fill = [value](const Shape& s, DType t) {
    Array filled(t, s);
    EagerScope eager;
    const Array scalar = ScalarConstant(value, t).array();
    const std::size_t size = SizeOf(t);
    for (std::int64_t i = 0, n = s.num_elements(); i < n; ++i)
      std::memcpy(filled.raw() + static_cast<std::size_t>(i) * size, scalar.raw(), size);
    return filled;
  };
  // One constant of the full shape. tf: init_ops.Constant
  return {"constant", [fill](const Shape& s, DType t) { return Constant(fill(s, t), "Const"); }};
}

namespace slim {
Initializer VarianceScalingInitializer(double factor, const std::string& mode, bool uniform, OpSeed seed) {
  if (mode != "FAN_IN" && mode != "FAN_OUT" && mode != "FAN_AVG")
    throw TypeError(fmt::format("Unknown mode {} [FAN_IN, FAN_OUT, FAN_AVG]", mode));
  return {"variance_scaling", [=, draws = Stateful(seed)](const Shape& s, DType t) {
            const int rank = s.rank();
            double in = rank > 1 ? static_cast<double>(s[rank - 2]) : rank == 1 ? static_cast<double>(s[0]) : 1;
            double out = rank > 0 ? static_cast<double>(s[rank - 1]) : 1;
            for (int i = 0; i < rank - 2; ++i) {
              in *= static_cast<double>(s[i]);
              out *= static_cast<double>(s[i]);
            }
            const double n = mode == "FAN_IN" ? in : mode == "FAN_OUT" ? out : (in + out) / 2.0;
            if (!uniform) return draws.truncated(s, 0, std::sqrt(1.3 * factor / n), t);
            const double limit = std::sqrt(3.0 * factor / n);
            return draws.uniform(s, -limit, limit, t);
          }};
}
Initializer XavierInitializer(bool uniform, OpSeed seed) {
  return VarianceScalingInitializer(1.0, "FAN_AVG", uniform, seed);
}
}  // namespace slim

namespace keras {
Initializer VarianceScaling(const VarianceScalingOptions& o) {
  return Scaling("variance_scaling", o, Stateless(o.seed));
}
Initializer GlorotUniform(OpSeed s) {
  return Scaling("glorot_uniform", Spec(1, "fan_avg", "uniform", s), Stateless(s));
}
Initializer GlorotNormal(OpSeed s) { return Scaling("glorot_normal", Spec(1, "fan_avg", kTruncated, s), Stateless(s)); }
Initializer HeUniform(OpSeed s) { return Scaling("he_uniform", Spec(2, "fan_in", "uniform", s), Stateless(s)); }
Initializer HeNormal(OpSeed s) { return Scaling("he_normal", Spec(2, "fan_in", kTruncated, s), Stateless(s)); }
Initializer LecunUniform(OpSeed s) { return Scaling("lecun_uniform", Spec(1, "fan_in", "uniform", s), Stateless(s)); }
Initializer LecunNormal(OpSeed s) { return Scaling("lecun_normal", Spec(1, "fan_in", kTruncated, s), Stateless(s)); }
Initializer RandomUniform(double minval, double maxval, OpSeed seed) {
  return {"random_uniform",
          [=, draws = Stateless(seed)](const Shape& s, DType t) { return draws.uniform(s, minval, maxval, t); }};
}
Initializer RandomNormal(double mean, double stddev, OpSeed seed) {
  return {"random_normal",
          [=, draws = Stateless(seed)](const Shape& s, DType t) { return draws.normal(s, mean, stddev, t); }};
}
Initializer TruncatedNormal(double mean, double stddev, OpSeed seed) {
  return {"truncated_normal",
          [=, draws = Stateless(seed)](const Shape& s, DType t) { return draws.truncated(s, mean, stddev, t); }};
}
Initializer Orthogonal(double gain, OpSeed seed) { return OrthogonalWith(gain, Stateless(seed)); }
}  // namespace keras

}  // namespace equiv::runtime
