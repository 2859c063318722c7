#include <cmath>

#include "kernels/cpu/optimizer_rules.h"
#include "kernels/cpu/optimizer_step.h"
#include "kernels/cpu/optimizers.h"

// Rows of one element are steps of scalars in TensorFlow, with operations in another order than rows of several.
// tf: training_ops.cc, SparseApply*Op
namespace equiv::cpu {
namespace {

// Shrink of a row of one element, whose divisor is a double. tf: 1.0 + l2_scalar * learning_rate
template <class T>
T ShrinkScalar(T x, bool thresholded, T l1, T l2) {
  const T top = thresholded ? SignOf(x) * std::max(std::abs(x) - l1, T{0}) : x;
  return static_cast<T>(static_cast<double>(top) / (1.0 + static_cast<double>(l2)));
}

template <class T>
struct ProximalGradientDescent {
  static constexpr int kVariables = 1;
  T alpha, l1, l2;
  bool scalar;
  ProximalGradientDescent(const StepArgs<T>& args, std::int64_t width)
      : alpha(args("alpha")), l1(args("l1")), l2(args("l2")), scalar(width == 1) {}
  void operator()(T g, std::array<T, 1>& v) const {
    const T moved = v[0] - g * alpha;
    v[0] = scalar ? ShrinkScalar(moved, l1 > T{0}, alpha * l1, l2 * alpha)
                  : Shrink(moved, l1 > T{0}, alpha * l1, l2 * alpha);
  }
};

template <class T>
struct Momentum {
  static constexpr int kVariables = 2;
  T lr, momentum;
  bool nesterov;
  Momentum(const StepArgs<T>& args, std::int64_t)
      : lr(args("lr")), momentum(args("momentum")), nesterov(args.Flag("use_nesterov")) {}
  void operator()(T g, std::array<T, 2>& v) const {
    auto& [var, accum] = v;
    accum = accum * momentum + g;
    var -= nesterov ? lr * g + lr * momentum * accum : lr * accum;
  }
};

template <class T>
struct KerasMomentum : Momentum<T> {
  using Momentum<T>::Momentum;
  void operator()(T g, std::array<T, 2>& v) const {
    auto& [var, accum] = v;
    accum = accum * this->momentum - g * this->lr;
    var += this->nesterov ? accum * this->momentum - g * this->lr : accum;
  }
};

template <class T>
struct Adagrad {
  static constexpr int kVariables = 2;
  T lr;
  bool update, scalar;
  Adagrad(const StepArgs<T>& args, std::int64_t width)
      : lr(args("lr")), update(args.Flag("update_slots")), scalar(width == 1) {}
  void operator()(T g, std::array<T, 2>& v) const {
    auto& [var, accum] = v;
    if (update) accum += g * g;
    var -= scalar ? lr * g / std::sqrt(accum) : lr * g * (T{1} / std::sqrt(accum));
  }
};

template <class T>
struct AdagradV2 : Adagrad<T> {
  T epsilon;
  AdagradV2(const StepArgs<T>& args, std::int64_t width) : Adagrad<T>(args, width), epsilon(args("epsilon")) {}
  void operator()(T g, std::array<T, 2>& v) const {
    auto& [var, accum] = v;
    if (this->update) accum += g * g;
    var -= this->lr * g / (std::sqrt(accum) + epsilon);
  }
};

template <class T>
struct AdagradDA {
  static constexpr int kVariables = 3;
  T lr, l1, l2, step;
  bool scalar;
  AdagradDA(const StepArgs<T>& args, std::int64_t width)
      : lr(args("lr")),
        l1(args("l1")),
        l2(args("l2")),
        step(static_cast<T>(args.Integer("global_step"))),
        scalar(width == 1) {}
  void operator()(T g, std::array<T, 3>& values) const {
    auto& [var, sum, squares] = values;
    sum += g;
    const double wide = static_cast<double>(g);
    squares = scalar ? static_cast<T>(static_cast<double>(squares) + wide * wide) : squares + g * g;
    var = scalar ? InDouble(sum, squares) : OfRow(sum, squares);
  }
  T OfRow(T sum, T squares) const {
    const T bottom = l2 + std::sqrt(squares) / (step * lr), minus = static_cast<T>(-1);
    if (!(l1 > T{0})) return minus * (sum / step) / bottom;
    return minus * SignOf(sum) * std::max(std::abs(sum) / step - l1, T{0}) / bottom;
  }
  T InDouble(T sum, T squares) const {
    const double t = static_cast<double>(step), rate = static_cast<double>(lr);
    const double bottom = t * static_cast<double>(l2) * rate + static_cast<double>(std::sqrt(squares));
    if (!(l1 > T{0})) return static_cast<T>(static_cast<double>(-sum) * rate / bottom);
    const double above = static_cast<double>(std::abs(sum)) - t * static_cast<double>(l1);
    return static_cast<T>(static_cast<double>(SignOf(-sum)) * rate * std::max(above, 0.0) / bottom);
  }
};

template <class T>
struct ProximalAdagrad {
  static constexpr int kVariables = 2;
  T lr, l1, l2;
  bool scalar;
  ProximalAdagrad(const StepArgs<T>& args, std::int64_t width)
      : lr(args.Positive("lr")), l1(args.NonNegative("l1")), l2(args.NonNegative("l2")), scalar(width == 1) {}
  void operator()(T g, std::array<T, 2>& v) const {
    auto& [var, accum] = v;
    accum += g * g;
    const T rate = scalar ? lr / std::sqrt(accum) : lr * (T{1} / std::sqrt(accum));
    const T moved = var - g * rate;
    var =
        scalar ? ShrinkScalar(moved, l1 > T{0}, rate * l1, l2 * rate) : Shrink(moved, l1 > T{0}, rate * l1, l2 * rate);
  }
};

template <class T>
struct Adadelta {
  static constexpr int kVariables = 3;
  T lr, rho, epsilon;
  Adadelta(const StepArgs<T>& args, std::int64_t) : lr(args("lr")), rho(args("rho")), epsilon(args("epsilon")) {}
  void operator()(T g, std::array<T, 3>& values) const {
    auto& [var, accum, accum_update] = values;
    accum = accum * rho + g * g * (T{1} - rho);
    const T update = std::sqrt(accum_update + epsilon) * (T{1} / std::sqrt(accum + epsilon)) * g;
    var -= update * lr;
    accum_update = accum_update * rho + update * update * (T{1} - rho);
  }
};

template <class T>
struct RMSProp {
  static constexpr int kVariables = 3;
  T lr, rho, momentum, epsilon;
  RMSProp(const StepArgs<T>& args, std::int64_t)
      : lr(args("lr")), rho(args("rho")), momentum(args("momentum")), epsilon(args("epsilon")) {}
  T Average(T old, T value) const { return old * rho + value * (T{1} - rho); }
  void Step(T g, T under_root, T& var, T& mom) const {
    mom = mom * momentum + (T{1} / std::sqrt(under_root)) * lr * g;
    var -= mom;
  }
  void operator()(T g, std::array<T, 3>& values) const {
    auto& [var, ms, mom] = values;
    ms = Average(ms, g * g);
    Step(g, ms + epsilon, var, mom);
  }
};

template <class T>
struct CenteredRMSProp : RMSProp<T> {
  static constexpr int kVariables = 4;
  using RMSProp<T>::RMSProp;
  void operator()(T g, std::array<T, 4>& values) const {
    auto& [var, mg, ms, mom] = values;
    ms = this->Average(ms, g * g);
    mg = this->Average(mg, g);
    this->Step(g, ms + this->epsilon - mg * mg, var, mom);
  }
};

template <class T>
struct Ftrl {
  static constexpr int kVariables = 3;
  T lr, l1, l2, power;
  bool by_lr, scalar;
  Ftrl(const StepArgs<T>& args, std::int64_t width)
      : lr(args.Positive("lr")),
        l1(args.NonNegative("l1")),
        l2(args.NonNegative("l2")),
        power(args.NonPositive("lr_power")),
        by_lr(args.Flag("multiply_linear_by_lr")),
        scalar(width == 1) {}
  void Step(T g, T shrunk, std::array<T, 3>& values) const {
    auto& [var, accum, linear] = values;
    const T sum = accum + g * g, root = FtrlRoot(sum, power), change = root - FtrlRoot(accum, power);
    const T pull = by_lr ? change * var : change / lr * var, push = by_lr ? shrunk * lr : shrunk;
    linear = scalar ? linear + push - pull : linear + (push - pull);
    const T threshold = by_lr ? l1 * lr : l1, bottom = by_lr ? root + T{2} * l2 * lr : root / lr + T{2} * l2;
    var = (std::max(std::min(linear, threshold), -threshold) - linear) / bottom;
    accum = sum;
  }
  void operator()(T g, std::array<T, 3>& values) const { Step(g, g, values); }
};

template <class T>
struct FtrlV2 : Ftrl<T> {
  T shrinkage;
  FtrlV2(const StepArgs<T>& args, std::int64_t width)
      : Ftrl<T>(args, width), shrinkage(args.NonNegative("l2_shrinkage")) {}
  void operator()(T g, std::array<T, 3>& values) const { this->Step(g, g + T{2} * shrinkage * values[0], values); }
};
}  // namespace

void SparseApplyProximalGradientDescent(KernelContext& ctx) { ApplySparse<ProximalGradientDescent>(ctx); }
void SparseApplyMomentum(KernelContext& ctx) { ApplySparse<Momentum>(ctx); }
void SparseApplyKerasMomentum(KernelContext& ctx) { ApplySparse<KerasMomentum>(ctx); }
void SparseApplyAdagrad(KernelContext& ctx) { ApplySparse<Adagrad>(ctx); }
void SparseApplyAdagradV2(KernelContext& ctx) { ApplySparse<AdagradV2>(ctx); }
void SparseApplyAdagradDA(KernelContext& ctx) { ApplySparse<AdagradDA>(ctx); }
void SparseApplyProximalAdagrad(KernelContext& ctx) { ApplySparse<ProximalAdagrad>(ctx); }
void SparseApplyAdadelta(KernelContext& ctx) { ApplySparse<Adadelta>(ctx); }
void SparseApplyRMSProp(KernelContext& ctx) { ApplySparse<RMSProp>(ctx); }
void SparseApplyCenteredRMSProp(KernelContext& ctx) { ApplySparse<CenteredRMSProp>(ctx); }
void SparseApplyFtrl(KernelContext& ctx) { ApplySparse<Ftrl>(ctx); }
void SparseApplyFtrlV2(KernelContext& ctx) { ApplySparse<FtrlV2>(ctx); }

}  // namespace equiv::cpu
