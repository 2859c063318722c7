#include "runtime/random/random_ops.h"

#include <fmt/format.h>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/random/seeds.h"

namespace equiv::runtime {
namespace {

// An integer keeps all its 64 bits.
Tensor NumberConstant(const Number& number, DType dtype, std::string_view name) {
  if (dtype == DType::kInt64) return Constant(Array::Scalar(number.whole()), name);
  return ScalarConstant(number.value(), dtype, name);
}
AttrMap WithSeeds(SeedPair pair, std::initializer_list<std::pair<std::string_view, AttrValue>> more) {
  AttrMap attrs(more);
  attrs.Set("seed", pair.seed);
  attrs.Set("seed2", pair.seed2);
  return attrs;
}
std::string Named(const NameScope& scope) { return scope.path() + "/"; }

// tf: random_normal, truncated_normal: rnd * stddev + mean, both always
template <class Draw>
Tensor Scaled(const ShapeArgument& shape, const NormalOptions& o, std::string_view default_name, const Draw& draw) {
  NameScope scope(o.name.empty() ? default_name : o.name);
  const Tensor dims = shape.AsTensor();
  const Tensor mean = ScalarConstant(o.mean, o.dtype, "mean"), stddev = ScalarConstant(o.stddev, o.dtype, "stddev");
  const Tensor product = draw(dims) * stddev;
  return Add(product, mean, Named(scope));
}

struct KeyCounter {
  Tensor key, counter;
};
KeyCounter KeyCounterOf(StatelessSeed seed) {
  NameScope scope("StatelessRandomGetKeyCounter");
  const Tensor pair = Constant(Array::Of<std::int64_t>(Shape{2}, {seed.first, seed.second}), "seed");
  const std::vector<Tensor> outputs =
      Current().AddOp("StatelessRandomGetKeyCounter", std::span(&pair, 1), {}, scope.path() + "/");
  return {outputs[0], outputs[1]};
}
// The op with a constant `alg` inside its scope: Philox, what tf.random.Algorithm.AUTO_SELECT gives here.
Tensor WithKey(std::string_view op, const Tensor& dims, const KeyCounter& k, const AttrMap& attrs,
               const std::vector<Tensor>& more = {}, std::string_view name = {}) {
  NameScope scope(name.empty() ? op : name);
  const Tensor alg = Constant(Array::Scalar(std::int32_t{1}), "alg");
  std::vector<Tensor> inputs = {dims, k.key, k.counter, alg};
  inputs.insert(inputs.end(), more.begin(), more.end());
  return Current().AddOp(op, inputs, attrs, scope.path() + "/").at(0);
}

}  // namespace

Tensor ShapeArgument::AsTensor() const {
  if (tensor_.has_value()) return tensor_;
  std::vector<std::int32_t> dims(shape_.dims().begin(), shape_.dims().end());
  return Constant(Array::Of<std::int32_t>(Shape{shape_.rank()}, dims), "shape");
}

Tensor RandomUniform(const ShapeArgument& shape, const UniformOptions& o) {
  const bool integer = IsInteger(o.dtype);
  if (integer && !o.maxval) throw ValueError(fmt::format("Must specify maxval for integer dtype tf.{}", Name(o.dtype)));
  const Number maxval = o.maxval.value_or(Number(1));
  NameScope scope(o.name.empty() ? "random_uniform" : o.name);
  const Tensor dims = shape.AsTensor();
  const bool from_zero = o.minval.IsInt(0), to_one = maxval.IsInt(1);
  Tensor low, high;
  if (!from_zero || !to_one || integer) {
    low = NumberConstant(o.minval, o.dtype, "min");
    high = NumberConstant(maxval, o.dtype, "max");
  }
  const SeedPair pair = GetSeed(o.seed);
  Context& context = Current();
  if (integer) return context.Add1("RandomUniformInt", {dims, low, high}, WithSeeds(pair, {}), Named(scope));
  const Tensor drawn = context.Add1("RandomUniform", {dims}, WithSeeds(pair, {{"dtype", o.dtype}}));
  if (from_zero) return to_one ? drawn : Multiply(drawn, high);
  const Tensor range = high - low;
  return Add(drawn * range, low, Named(scope));
}

Tensor RandomNormal(const ShapeArgument& shape, const NormalOptions& o) {
  return Scaled(shape, o, "random_normal", [&o](const Tensor& dims) {
    return Current().Add1("RandomStandardNormal", {dims}, WithSeeds(GetSeed(o.seed), {{"dtype", o.dtype}}));
  });
}
Tensor TruncatedNormal(const ShapeArgument& shape, const NormalOptions& o) {
  return Scaled(shape, o, "truncated_normal", [&o](const Tensor& dims) {
    return Current().Add1("TruncatedNormal", {dims}, WithSeeds(GetSeed(o.seed), {{"dtype", o.dtype}}));
  });
}
Tensor RandomShuffle(const Tensor& value, std::optional<std::int64_t> seed, std::string_view name) {
  return Current().Add1("RandomShuffle", {value}, WithSeeds(GetSeed(seed), {}), name);
}
Tensor Categorical(const Tensor& logits, std::int64_t num_samples, DType dtype, std::optional<std::int64_t> seed,
                   std::string_view name) {
  NameScope scope(name.empty() ? "categorical" : name);
  const Tensor samples = Constant(Array::Scalar(static_cast<std::int32_t>(num_samples)), "num_samples");
  return Current().Add1("Multinomial", {logits, samples}, WithSeeds(GetSeed(seed), {{"output_dtype", dtype}}));
}

Tensor StatelessUniform(const ShapeArgument& shape, StatelessSeed seed, const UniformOptions& o) {
  const bool integer = IsInteger(o.dtype);
  if (integer && !o.maxval) throw ValueError(fmt::format("Must specify maxval for integer dtype tf.{}", Name(o.dtype)));
  const Number maxval = o.maxval.value_or(Number(1));
  NameScope scope(o.name.empty() ? "stateless_random_uniform" : o.name);
  const Tensor dims = shape.AsTensor(), low = NumberConstant(o.minval, o.dtype, "min"),
               high = NumberConstant(maxval, o.dtype, "max");
  const KeyCounter k = KeyCounterOf(seed);
  if (integer) return WithKey("StatelessRandomUniformIntV2", dims, k, {}, {low, high}, Named(scope));
  const Tensor drawn = WithKey("StatelessRandomUniformV2", dims, k, {{"dtype", o.dtype}});
  const Tensor range = high - low;
  return Add(drawn * range, low, Named(scope));
}
Tensor StatelessNormal(const ShapeArgument& shape, StatelessSeed seed, const NormalOptions& o) {
  return Scaled(shape, o, "stateless_random_normal", [&](const Tensor& dims) {
    const KeyCounter k = KeyCounterOf(seed);
    return WithKey("StatelessRandomNormalV2", dims, k, {{"dtype", o.dtype}});
  });
}
Tensor StatelessTruncatedNormal(const ShapeArgument& shape, StatelessSeed seed, const NormalOptions& o) {
  return Scaled(shape, o, "stateless_truncated_normal", [&](const Tensor& dims) {
    const KeyCounter k = KeyCounterOf(seed);
    return WithKey("StatelessTruncatedNormalV2", dims, k, {{"dtype", o.dtype}});
  });
}

}  // namespace equiv::runtime
