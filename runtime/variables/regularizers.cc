#include "runtime/variables/regularizers.h"

#include <fmt/format.h>

#include <numeric>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"

namespace equiv::runtime {
namespace {

// A weight read in the scope of the op that uses it (rule A7).
Tensor L2LossOf(const Variable& weight) {
  NameScope scope("L2Loss");
  return L2Loss(weight.Read(), scope.path() + "/");
}
Tensor SumOfAbs(const Variable& weight) {
  Tensor magnitude;
  {
    NameScope scope("Abs");
    magnitude = Current().Add1("Abs", {weight.Read()}, {}, scope.path() + "/");
  }
  std::vector<std::int32_t> axes(static_cast<std::size_t>(std::max(weight.shape().rank(), 0)));
  std::iota(axes.begin(), axes.end(), 0);
  const Shape shape{static_cast<std::int64_t>(axes.size())};
  const Tensor all = Constant(Array::Of<std::int32_t>(shape, axes), "Const");  // tf: the axes of a full reduction
  return Current().Add1("Sum", {magnitude, all}, {{"keep_dims", false}});
}
Tensor ScalarLike(const Variable& weight, double value, std::string_view name) {
  if (weight.dtype() == DType::kFloat64) return Constant(Array::Scalar(value), name);
  const Tensor scalar = Constant(Array::Scalar(static_cast<float>(value)), name);
  return weight.dtype() == DType::kFloat32 ? scalar : Cast(scalar, weight.dtype());
}

void CheckScale(std::string_view what, double scale) {
  if (!(scale >= 0))
    throw ValueError(fmt::format("Setting a scale less than 0 on a regularizer: {} (in {})", scale, what));
}

}  // namespace

Regularizer L2(double l2) {
  return {"l2", [l2](const Variable& w) { return 2 * l2 * L2LossOf(w); }};
}
Regularizer L1(double l1) {
  return {"l1", [l1](const Variable& w) { return l1 * SumOfAbs(w); }};
}
Regularizer L1L2(double l1, double l2) {
  return {"l1_l2", [l1, l2](const Variable& w) {
            Tensor total = ScalarLike(w, 0.0, "Const");
            if (l1 != 0) total = total + l1 * SumOfAbs(w);
            if (l2 != 0) total = total + 2 * l2 * L2LossOf(w);
            return total;
          }};
}

namespace slim {

Regularizer L2Regularizer(double scale) {
  CheckScale("l2_regularizer", scale);
  if (scale == 0) return {"none", [](const Variable&) { return Tensor(); }};
  return {"l2_regularizer", [scale](const Variable& w) {
            NameScope scope("l2_regularizer");
            const Tensor factor = ScalarLike(w, scale, "scale");
            return Multiply(factor, L2LossOf(w), scope.path() + "/");
          }};
}

Regularizer L1Regularizer(double scale) {
  CheckScale("l1_regularizer", scale);
  if (scale == 0) return {"none", [](const Variable&) { return Tensor(); }};
  return {"l1_regularizer", [scale](const Variable& w) {
            NameScope scope("l1_regularizer");
            const Tensor factor = ScalarLike(w, scale, "scale");
            return Multiply(factor, SumOfAbs(w), scope.path() + "/");
          }};
}

}  // namespace slim
}  // namespace equiv::runtime
