#include "kernels/cpu/optimizers.h"

#include <cmath>

#include "kernels/cpu/optimizer_rules.h"
#include "kernels/cpu/optimizer_step.h"

// Every rule keeps the order of TensorFlow's operations: tf: training_ops.cc, functor::Apply*.
namespace equiv::cpu {
namespace {

template <class T>
struct GradientDescent {
  static constexpr int kVariables = 1;
  T alpha;
  explicit GradientDescent(const StepArgs<T>& args) : alpha(args("alpha")) {}
  void operator()(T g, std::array<T, 1>& v) const { v[0] -= g * alpha; }
};

template <class T>
struct ProximalGradientDescent {
  static constexpr int kVariables = 1;
  T alpha, l1, l2;
  explicit ProximalGradientDescent(const StepArgs<T>& args) : alpha(args("alpha")), l1(args("l1")), l2(args("l2")) {}
  void operator()(T g, std::array<T, 1>& v) const {
    v[0] = Shrink(v[0] - g * alpha, l1 > T{0}, alpha * l1, l2 * alpha);
  }
};

template <class T>
struct Momentum {
  static constexpr int kVariables = 2;
  T lr, momentum;
  bool nesterov;
  explicit Momentum(const StepArgs<T>& args)
      : lr(args("lr")), momentum(args("momentum")), nesterov(args.Flag("use_nesterov")) {}
  void operator()(T g, std::array<T, 2>& v) const {
    auto& [var, accum] = v;
    accum = accum * momentum + g;
    var -= nesterov ? g * lr + accum * momentum * lr : accum * lr;
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
struct Adam {
  static constexpr int kVariables = 3;
  T rate, beta1, beta2, epsilon;
  bool nesterov;
  explicit Adam(const StepArgs<T>& args, bool has_nesterov = true)
      : rate(args("lr") * std::sqrt(T{1} - args("beta2_power")) / (T{1} - args("beta1_power"))),
        beta1(args("beta1")),
        beta2(args("beta2")),
        epsilon(args("epsilon")),
        nesterov(has_nesterov && args.Flag("use_nesterov")) {}
  void Moments(T g, T& m, T& v) const {
    m += (g - m) * (T{1} - beta1);
    v += (g * g - v) * (T{1} - beta2);
  }
  void operator()(T g, std::array<T, 3>& values) const {
    auto& [var, m, v] = values;
    Moments(g, m, v);
    const T step = nesterov ? (g * (T{1} - beta1) + beta1 * m) * rate : m * rate;
    var -= step / (std::sqrt(v) + epsilon);
  }
};

template <class T>
struct AdamWithAmsgrad : Adam<T> {
  static constexpr int kVariables = 4;
  explicit AdamWithAmsgrad(const StepArgs<T>& args) : Adam<T>(args, false) {}
  void operator()(T g, std::array<T, 4>& values) const {
    auto& [var, m, v, vhat] = values;
    this->Moments(g, m, v);
    vhat = vhat < v ? v : vhat;
    var -= m * this->rate / (std::sqrt(vhat) + this->epsilon);
  }
};

template <class T>
struct AdaMax {
  static constexpr int kVariables = 3;
  T rate, beta1, beta2, epsilon;
  explicit AdaMax(const StepArgs<T>& args)
      : rate(args("lr") / (T{1} - args("beta1_power"))),
        beta1(args("beta1")),
        beta2(args("beta2")),
        epsilon(args("epsilon")) {}
  void operator()(T g, std::array<T, 3>& values) const {
    auto& [var, m, v] = values;
    m += (g - m) * (T{1} - beta1);
    const T decayed = beta2 * v, size = std::abs(g);
    v = decayed < size ? size : decayed;
    var -= rate * (m / (v + epsilon));
  }
};

template <class T>
struct Adagrad {
  static constexpr int kVariables = 2;
  T lr;
  bool update;
  explicit Adagrad(const StepArgs<T>& args) : lr(args("lr")), update(args.Flag("update_slots")) {}
  void operator()(T g, std::array<T, 2>& v) const {
    auto& [var, accum] = v;
    if (update) accum += g * g;
    var -= g * lr * (T{1} / std::sqrt(accum));
  }
};

template <class T>
struct AdagradV2 : Adagrad<T> {
  T epsilon;
  explicit AdagradV2(const StepArgs<T>& args) : Adagrad<T>(args), epsilon(args("epsilon")) {}
  void operator()(T g, std::array<T, 2>& v) const {
    auto& [var, accum] = v;
    if (this->update) accum += g * g;
    var -= g * this->lr / (std::sqrt(accum) + epsilon);
  }
};

template <class T>
struct AdagradDA {
  static constexpr int kVariables = 3;
  T lr, l1, l2;
  float step;
  explicit AdagradDA(const StepArgs<T>& args)
      : lr(args("lr")), l1(args("l1")), l2(args("l2")), step(static_cast<float>(args.Integer("global_step"))) {}
  void operator()(T g, std::array<T, 3>& values) const {
    auto& [var, sum, squares] = values;
    sum += g;
    squares += g * g;
    const T t = static_cast<T>(step), bottom = l2 * (t * lr) + std::sqrt(squares), minus = static_cast<T>(-1);
    var = l1 > T{0} ? lr * minus * SignOf(sum) * std::max(std::abs(sum) - t * l1, T{0}) / bottom
                    : lr * sum * minus / bottom;
  }
};

template <class T>
struct ProximalAdagrad {
  static constexpr int kVariables = 2;
  T lr, l1, l2;
  explicit ProximalAdagrad(const StepArgs<T>& args)
      : lr(args.Positive("lr")), l1(args.NonNegative("l1")), l2(args.NonNegative("l2")) {}
  void operator()(T g, std::array<T, 2>& v) const {
    auto& [var, accum] = v;
    accum += g * g;
    const T rate = lr * (T{1} / std::sqrt(accum));
    var = Shrink(var - g * rate, l1 > T{0}, rate * l1, l2 * rate);
  }
};

template <class T>
struct Adadelta {
  static constexpr int kVariables = 3;
  T lr, rho, epsilon;
  explicit Adadelta(const StepArgs<T>& args) : lr(args("lr")), rho(args("rho")), epsilon(args("epsilon")) {}
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
  explicit RMSProp(const StepArgs<T>& args)
      : lr(args("lr")), rho(args("rho")), momentum(args("momentum")), epsilon(args("epsilon")) {}
  void operator()(T g, std::array<T, 3>& values) const {
    auto& [var, ms, mom] = values;
    ms += (g * g - ms) * (T{1} - rho);
    mom = mom * momentum + g * lr / std::sqrt(ms + epsilon);
    var -= mom;
  }
};

template <class T>
struct CenteredRMSProp : RMSProp<T> {
  static constexpr int kVariables = 4;
  using RMSProp<T>::RMSProp;
  void operator()(T g, std::array<T, 4>& values) const {
    auto& [var, mg, ms, mom] = values;
    ms += (g * g - ms) * (T{1} - this->rho);
    mg += (g - mg) * (T{1} - this->rho);
    mom = mom * this->momentum + g * this->lr / std::sqrt((ms - mg * mg) + this->epsilon);
    var -= mom;
  }
};

template <class T>
struct Ftrl {
  static constexpr int kVariables = 3;
  T lr, l1, l2, power;
  bool by_lr;
  explicit Ftrl(const StepArgs<T>& args)
      : lr(args("lr")),
        l1(args("l1")),
        l2(args("l2")),
        power(args("lr_power")),
        by_lr(args.Flag("multiply_linear_by_lr")) {}
  void Step(T g, T shrunk, std::array<T, 3>& values) const {
    auto& [var, accum, linear] = values;
    const T sum = accum + g * g, root = FtrlRoot(sum, power), change = root - FtrlRoot(accum, power);
    const T threshold = by_lr ? l1 * lr : l1;
    linear += by_lr ? shrunk * lr - change * var : shrunk - change / lr * var;
    const T bottom = by_lr ? root + T{2} * l2 * lr : root / lr + T{2} * l2;
    var = std::abs(linear) > threshold ? (threshold * SignOf(linear) - linear) / bottom : T{0};
    accum = sum;
  }
  void operator()(T g, std::array<T, 3>& values) const { Step(g, g, values); }
};

template <class T>
struct FtrlV2 : Ftrl<T> {
  T shrinkage;
  explicit FtrlV2(const StepArgs<T>& args) : Ftrl<T>(args), shrinkage(args("l2_shrinkage")) {}
  void operator()(T g, std::array<T, 3>& values) const { this->Step(g, g + T{2} * shrinkage * values[0], values); }
};

template <class T>
struct AddSign {
  static constexpr int kVariables = 2;
  T lr, alpha, decay, beta;
  explicit AddSign(const StepArgs<T>& args)
      : lr(args("lr")), alpha(args("alpha")), decay(args("sign_decay")), beta(args("beta")) {}
  void operator()(T g, std::array<T, 2>& v) const {
    auto& [var, m] = v;
    m = m * beta + g * (T{1} - beta);
    var -= lr * (alpha + decay * (SignOf(g) * SignOf(m))) * g;
  }
};

template <class T>
struct PowerSign {
  static constexpr int kVariables = 2;
  T lr, exponent, beta;
  explicit PowerSign(const StepArgs<T>& args)
      : lr(args("lr")), exponent(args("logbase") * args("sign_decay")), beta(args("beta")) {}
  void operator()(T g, std::array<T, 2>& v) const {
    auto& [var, m] = v;
    m = m * beta + g * (T{1} - beta);
    var -= lr * std::exp(exponent * (SignOf(g) * SignOf(m))) * g;
  }
};
}  // namespace

void ApplyGradientDescent(KernelContext& ctx) { ApplyDense<GradientDescent>(ctx, "delta"); }
void ApplyProximalGradientDescent(KernelContext& ctx) { ApplyDense<ProximalGradientDescent>(ctx, "delta"); }
void ApplyMomentum(KernelContext& ctx) { ApplyDense<Momentum>(ctx); }
void ApplyKerasMomentum(KernelContext& ctx) { ApplyDense<KerasMomentum>(ctx); }
void ApplyAdam(KernelContext& ctx) { ApplyDense<Adam>(ctx); }
void ApplyAdamWithAmsgrad(KernelContext& ctx) { ApplyDense<AdamWithAmsgrad>(ctx); }
void ApplyAdaMax(KernelContext& ctx) { ApplyDense<AdaMax>(ctx); }
void ApplyAdagrad(KernelContext& ctx) { ApplyDense<Adagrad>(ctx); }
void ApplyAdagradV2(KernelContext& ctx) { ApplyDense<AdagradV2>(ctx); }
void ApplyAdagradDA(KernelContext& ctx) { ApplyDense<AdagradDA>(ctx); }
void ApplyProximalAdagrad(KernelContext& ctx) { ApplyDense<ProximalAdagrad>(ctx); }
void ApplyAdadelta(KernelContext& ctx) { ApplyDense<Adadelta>(ctx); }
void ApplyRMSProp(KernelContext& ctx) { ApplyDense<RMSProp>(ctx); }
void ApplyCenteredRMSProp(KernelContext& ctx) { ApplyDense<CenteredRMSProp>(ctx); }
void ApplyFtrl(KernelContext& ctx) { ApplyDense<Ftrl>(ctx); }
void ApplyFtrlV2(KernelContext& ctx) { ApplyDense<FtrlV2>(ctx); }
void ApplyAddSign(KernelContext& ctx) { ApplyDense<AddSign>(ctx); }
void ApplyPowerSign(KernelContext& ctx) { ApplyDense<PowerSign>(ctx); }

}  // namespace equiv::cpu
