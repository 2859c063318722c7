#include "runtime/variables/regularizers.h"

#include <fmt/format.h>

#include <numeric>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"

namespace equiv::runtime {
namespace {

// A weight is read in the scope of the op that uses it (rule A7).
Tensor L2LossOf(const Tensor& weight) { return L2Loss(weight); }
Tensor SumOfAbs(const Tensor& weight) {
  const Tensor magnitude = Current().Add1("Abs", {weight});
  std::vector<std::int32_t> axes(static_cast<std::size_t>(std::max(weight.shape().rank(), 0)));
  std::iota(axes.begin(), axes.end(), 0);
  const Shape shape{static_cast<std::int64_t>(axes.size())};
  const Tensor all = Constant(Array::Of<std::int32_t>(shape, axes), "Const");  // tf: the axes of a full reduction
  return Current().Add1("Sum", {magnitude, all}, {{"keep_dims", false}});
}
Tensor ScalarLike(const Tensor& weight, double value, std::string_view name) {
  if (weight.dtype() == DType::kFloat64) return Constant(Array::Scalar(value), name);
  const Tensor scalar = Constant(Array::Scalar(static_cast<float>(value)), name);
  return weight.dtype() == DType::kFloat32 ? scalar : Cast(scalar, weight.dtype());
}

void CheckScale(std::string_view what, double scale) {
  if (!(scale >= 0))
    throw ValueError(fmt::format("Setting a scale less than 0 on a regularizer: {} (in {})", scale, what));
}

}  // namespace

// The same for a weight and for an activity.
static Regularizer Make(std::string name, std::function<Tensor(const Tensor&)> of) {
  return {std::move(name), [of](const Variable& w) { return of(w.operand()); }, of};
}

Regularizer L2(double l2) {
  return Make("l2", [l2](const Tensor& w) { return 2 * l2 * L2LossOf(w); });
}
Regularizer L1(double l1) {
  return Make("l1", [l1](const Tensor& w) { return l1 * SumOfAbs(w); });
}
Regularizer L1L2(double l1, double l2) {
  return Make("l1_l2", [l1, l2](const Tensor& w) {
    Tensor total = ScalarLike(w, 0.0, "Const");
    if (l1 != 0) total = total + l1 * SumOfAbs(w);
    if (l2 != 0) total = total + 2 * l2 * L2LossOf(w);
    return total;
  });
}

namespace slim {

Regularizer L2Regularizer(double scale) {
  CheckScale("l2_regularizer", scale);
  if (scale == 0) return {"none", [](const Variable&) { return Tensor(); }, [](const Tensor&) { return Tensor(); }};
  return Make("l2_regularizer", [scale](const Tensor& w) {
    NameScope scope("l2_regularizer");
    const Tensor factor = ScalarLike(w, scale, "scale");
    return Multiply(factor, L2LossOf(w), scope.path() + "/");
  });
}

Regularizer L1Regularizer(double scale) {
  CheckScale("l1_regularizer", scale);
  if (scale == 0) return {"none", [](const Variable&) { return Tensor(); }, [](const Tensor&) { return Tensor(); }};
  return Make("l1_regularizer", [scale](const Tensor& w) {
    NameScope scope("l1_regularizer");
    const Tensor factor = ScalarLike(w, scale, "scale");
    return Multiply(factor, SumOfAbs(w), scope.path() + "/");
  });
}

Regularizer L1L2Regularizer(double scale_l1, double scale_l2) {
  CheckScale("l1_l2_regularizer", scale_l1);
  CheckScale("l1_l2_regularizer", scale_l2);
  if (scale_l1 == 0) return L2Regularizer(scale_l2);
  if (scale_l2 == 0) return L1Regularizer(scale_l1);
  return Make("l1_l2_regularizer", [l1 = L1Regularizer(scale_l1), l2 = L2Regularizer(scale_l2)](const Tensor& w) {
    NameScope scope("l1_l2_regularizer");
    const Tensor first = l1.of_tensor(w), second = l2.of_tensor(w);
    return AddN({first, second}, scope.path() + "/");
  });
}

}  // namespace slim
}  // namespace equiv::runtime
