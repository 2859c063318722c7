#include "runtime/random/dropout.h"

#include <fmt/format.h>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/random/random_ops.h"
#include "runtime/random/seeds.h"

namespace equiv::runtime {
namespace {

// tf: nn_ops._get_noise_shape
ShapeArgument NoiseShape(const Tensor& x, const DropoutOptions& o) {
  if (!o.noise_shape) {
    if (const std::optional<Shape> shape = x.shape().AsShape()) {
      std::vector<std::int32_t> dims(shape->dims().begin(), shape->dims().end());
      return Constant(Array::Of<std::int32_t>(Shape{shape->rank()}, dims), "Shape");
    }
    return Current().Add1("Shape", {x}, {{"out_type", DType::kInt32}});
  }
  std::vector<std::int64_t> dims = *o.noise_shape;
  if (x.shape().has_rank() && x.shape().rank() == static_cast<int>(dims.size()))
    for (std::size_t i = 0; i < dims.size(); ++i)
      if (dims[i] < 0) dims[i] = x.shape()[static_cast<int>(i)];
  for (std::int64_t d : dims)
    if (d < 0)
      throw ValueError(fmt::format("dropout: noise_shape must be known, got {} for x of shape {}",
                                   PartialShape(dims).ToTuple(), x.shape().ToTuple()));
  return Shape(dims);
}

}  // namespace

Tensor Dropout(const Tensor& x, double rate, const DropoutOptions& o) {
  if (!(rate >= 0 && rate < 1))
    throw ValueError(fmt::format("`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate={}{}",
                                 rate, rate == static_cast<double>(static_cast<std::int64_t>(rate)) ? ".0" : ""));
  if (!IsFloating(x.dtype()))
    throw ValueError(
        fmt::format("`x.dtype` must be a floating point tensor as `x` will be scaled. Received: x_dtype=<dtype: '{}'>",
                    Name(x.dtype())));
  if (rate == 0) {
    GetSeed(o.seed);  // tf: dummy_rng_step
    return x;
  }
  NameScope scope(o.name.empty() ? "dropout" : o.name);
  const Tensor scaled = Multiply(x, ScalarConstant(1 / (1 - rate), x.dtype(), "Const"));
  const Tensor drawn = RandomUniform(NoiseShape(x, o), {.dtype = x.dtype(), .seed = o.seed});
  Tensor keep;
  {
    NameScope compare("GreaterEqual");
    keep = GreaterEqual(drawn, ScalarConstant(rate, x.dtype(), "y"), compare.path() + "/");
  }
  return Where(keep, scaled, ScalarConstant(0, x.dtype(), "Const"));
}
}  // namespace equiv::runtime
