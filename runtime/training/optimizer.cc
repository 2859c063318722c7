#include "runtime/training/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"

namespace equiv::runtime {
namespace {

constexpr const char* kNames[] = {"SGD", "Adam", "RMSprop", "Adagrad"};

Variable MakeState(const Tensor& initial, const std::string& name) {
  return MakeVariable(initial, {.trainable = false, .name = name});
}
Tensor ZerosOf(const Variable& variable) { return Zeros(variable.shape().Require(), variable.dtype()); }
Tensor FilledLike(const Variable& variable, double value) {
  return Fill(variable.shape().Require(), ScalarConstant(value, variable.dtype()));
}
Tensor Square(const Tensor& x) { return Current().Add1("Square", {x}); }
Tensor Sqrt(const Tensor& x) { return Current().Add1("Sqrt", {x}); }

}  // namespace

Optimizer::Optimizer(Kind kind, const Options& options) : kind_(kind), options_(options) {
  if (!Current().eager()) throw UnimplementedError("optimisers run eagerly; make this one outside the graph");
  if (options_.name.empty()) options_.name = kNames[static_cast<std::size_t>(kind)];
  if (options_.legacy) return;
  iteration_ = MakeState(Tensor(Array::Scalar(std::int64_t{0})), "iteration");
  learning_rate_ = MakeState(Tensor(Array::Scalar(static_cast<float>(options_.learning_rate))), "learning_rate");
}

void Optimizer::Build(const std::vector<Variable>& variables) {
  if (built_) return;
  built_ = true;
  for (const Variable& v : variables) {
    Slots slots{v, {}};
    const auto add = [&](const char* slot, const Tensor& initial) {
      slots.slots.push_back(MakeState(initial, fmt::format("{}/{}", slot, v.op_name())));
      slot_order_.push_back(slots.slots.back());
    };
    if (kind_ == Kind::kSgd) add("m", ZerosOf(v));
    if (kind_ == Kind::kAdam) {
      add("m", ZerosOf(v));
      add("v", ZerosOf(v));
    }
    if (kind_ == Kind::kRmsprop) add("velocity", ZerosOf(v));
    if (kind_ == Kind::kAdagrad) add("accumulator", FilledLike(v, options_.initial_accumulator));
    slots_.push_back(std::move(slots));
  }
}

void Optimizer::BuildLegacy(const std::vector<Variable>& variables) {
  if (built_) return;
  built_ = true;
  iteration_ = MakeState(Tensor(Array::Scalar(std::int64_t{0})), "iter");
  // Hyper-parameters in order of their names.
  std::vector<std::pair<std::string, double>> hyper = {{"decay", 0.0}, {"learning_rate", options_.learning_rate}};
  if (kind_ == Kind::kSgd) hyper.emplace_back("momentum", options_.momentum);
  if (kind_ == Kind::kAdam) hyper.insert(hyper.end(), {{"beta_1", options_.beta_1}, {"beta_2", options_.beta_2}});
  if (kind_ == Kind::kRmsprop) hyper.insert(hyper.end(), {{"momentum", options_.momentum}, {"rho", options_.rho}});
  std::ranges::sort(hyper);
  for (const auto& [name, value] : hyper) {
    const Variable made = MakeState(Tensor(Array::Scalar(static_cast<float>(value))), name);
    if (name == "learning_rate") learning_rate_ = made;
  }
  for (const Variable& v : variables) slots_.push_back({v, {}});
  const auto add = [&](const char* slot, double initial) {
    for (Slots& s : slots_) {
      s.slots.push_back(MakeState(FilledLike(s.of, initial), fmt::format("{}/{}", s.of.op_name(), slot)));
      slot_order_.push_back(s.slots.back());
    }
  };
  if (kind_ == Kind::kSgd && options_.momentum != 0) add("momentum", 0);
  if (kind_ == Kind::kAdam) {
    add("m", 0);
    add("v", 0);
  }
  if (kind_ == Kind::kRmsprop) add("rms", 0);
  if (kind_ == Kind::kAdagrad) add("accumulator", options_.initial_accumulator);
}

void Optimizer::ApplyGradients(const std::vector<std::pair<Tensor, Variable>>& gradients) {
  std::vector<Variable> variables;
  for (const auto& [gradient, variable] : gradients) {
    if (!gradient.has_value()) continue;
    if (gradient.shape() != variable.shape() || gradient.dtype() != variable.dtype())
      throw ValueError(fmt::format("the gradient of '{}' has shape {} and dtype {}, the variable {} and {}",
                                   variable.name(), gradient.shape().ToTuple(), Name(gradient.dtype()),
                                   variable.shape().ToTuple(), Name(variable.dtype())));
    variables.push_back(variable);
  }
  if (variables.empty())
    throw ValueError(fmt::format("No gradients provided for any variable to the optimizer '{}'", options_.name));
  NameScope scope(options_.name);
  if (options_.legacy)
    BuildLegacy(variables);
  else
    Build(variables);
  for (const auto& [gradient, variable] : gradients) {
    if (!gradient.has_value()) continue;
    auto it = std::ranges::find_if(slots_, [&v = variable](const Slots& s) { return s.of == v; });
    if (it == slots_.end())
      throw KeyError(
          fmt::format("The optimizer cannot recognize variable {}. This usually means you are trying to call "
                      "the optimizer to update different parts of the model separately.",
                      variable.name()));
    Update(gradient, *it);
  }
  iteration_.AssignAdd(Tensor(Array::Scalar(std::int64_t{1})));
}

// tf: keras.optimizers.{sgd,adam,rmsprop,adagrad}.update_step
void Optimizer::Update(const Tensor& gradient, const Slots& s) {
  const Tensor rate = Cast(learning_rate_.Read(), s.of.dtype());
  const Variable& v = s.of;
  if (kind_ == Kind::kSgd) {
    if (options_.momentum == 0) {
      v.AssignSub(gradient * rate);
      return;
    }
    const Variable& m = s.slots.at(0);
    m.Assign(m.Read() * options_.momentum - gradient * rate);
    v.AssignAdd(m.Read());
  } else if (kind_ == Kind::kAdam) {
    const Variable &m = s.slots.at(0), &u = s.slots.at(1);
    const Tensor step = Cast(iteration_.Read(), v.dtype()) + 1.0;
    const auto power = [&](double base) { return Current().Add1("Pow", {ScalarConstant(base, v.dtype()), step}); };
    const Tensor alpha = rate * Sqrt(1.0 - power(options_.beta_2)) / (1.0 - power(options_.beta_1));
    m.AssignAdd((gradient - m.Read()) * (1 - options_.beta_1));
    u.AssignAdd((Square(gradient) - u.Read()) * (1 - options_.beta_2));
    v.AssignSub((m.Read() * alpha) / (Sqrt(u.Read()) + options_.epsilon));
  } else if (kind_ == Kind::kRmsprop) {
    const Variable& velocity = s.slots.at(0);
    velocity.Assign(options_.rho * velocity.Read() + (1 - options_.rho) * Square(gradient));
    v.AssignSub(rate * gradient * Current().Add1("Rsqrt", {velocity.Read() + options_.epsilon}));
  } else {
    const Variable& accumulator = s.slots.at(0);
    accumulator.AssignAdd(gradient * gradient);
    v.AssignSub(rate * gradient / Sqrt(accumulator.Read() + options_.epsilon));
  }
}

std::vector<Variable> Optimizer::variables() const {
  std::vector<Variable> all;
  if (iteration_) all.push_back(iteration_);
  all.insert(all.end(), slot_order_.begin(), slot_order_.end());
  return all;
}

}  // namespace equiv::runtime
