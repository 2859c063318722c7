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
  variables_ = std::make_shared<TrackableList>();
  Track("_variables", variables_);
  iteration_ = MakeState(Tensor(Array::Scalar(std::int64_t{0})), "iteration");
  variables_->Append(iteration_);
  Track("_iterations", iteration_);
  learning_rate_ = MakeState(Tensor(Array::Scalar(static_cast<float>(options_.learning_rate))), "learning_rate");
  Track("_learning_rate", learning_rate_);
}

std::string Optimizer::Describe() const {
  return fmt::format("<keras.src.optimizers.{}{} object>", options_.legacy ? "legacy." : "",
                     kNames[static_cast<std::size_t>(kind_)]);
}

Variable Optimizer::AddSlot(const Variable& of, const std::string& slot, const Tensor& initial) {
  const std::string name =
      options_.legacy ? fmt::format("{}/{}", of.op_name(), slot) : fmt::format("{}/{}", slot, of.op_name());
  slots_.push_back({of, slot, MakeState(initial, name)});
  return slots_.back().variable;
}

void Optimizer::Build(const std::vector<Variable>& variables) {
  if (built_) return;
  built_ = true;
  known_ = variables;
  // The lists that checkpoints see, and the first slots in them.
  struct Slot {
    const char* list;
    const char* slot;  // null: the list stays empty
  };
  static const std::vector<Slot> kLists[] = {
      {{"momentums", "m"}},
      {{"_momentums", "m"}, {"_velocities", "v"}},
      {{"_velocities", "velocity"}, {"_momentums", nullptr}, {"_average_gradients", nullptr}},
      {{"_accumulators", "accumulator"}}};
  const std::vector<Slot>& lists = kLists[static_cast<std::size_t>(kind_)];
  Track("_index_dict", std::make_shared<TrackableDict>());
  std::vector<std::shared_ptr<TrackableList>> tracked;
  for (const Slot& slot : lists) {
    tracked.push_back(std::make_shared<TrackableList>());
    Track(slot.list, tracked.back());
  }
  for (const Variable& v : variables)
    for (std::size_t i = 0; i < lists.size(); ++i) {
      if (!lists[i].slot) continue;
      const Tensor initial = kind_ == Kind::kAdagrad ? FilledLike(v, options_.initial_accumulator) : ZerosOf(v);
      const Variable made = AddSlot(v, lists[i].slot, initial);
      variables_->Append(made);
      tracked[i]->Append(made);
    }
}

void Optimizer::BuildLegacy(const std::vector<Variable>& variables) {
  if (built_) return;
  built_ = true;
  iteration_ = MakeState(Tensor(Array::Scalar(std::int64_t{0})), "iter");
  Track("iter", iteration_);
  // Hyper-parameters in order of their names.
  std::vector<std::pair<std::string, double>> hyper = {{"decay", 0.0}, {"learning_rate", options_.learning_rate}};
  if (kind_ == Kind::kSgd) hyper.emplace_back("momentum", options_.momentum);
  if (kind_ == Kind::kAdam) hyper.insert(hyper.end(), {{"beta_1", options_.beta_1}, {"beta_2", options_.beta_2}});
  if (kind_ == Kind::kRmsprop) hyper.insert(hyper.end(), {{"momentum", options_.momentum}, {"rho", options_.rho}});
  std::ranges::sort(hyper);
  for (const auto& [name, value] : hyper) {
    const Variable made = MakeState(Tensor(Array::Scalar(static_cast<float>(value))), name);
    Track(name, made);
    hyper_.emplace_back(name, made);
  }
  known_ = variables;
  for (const std::string& slot : SlotNames())
    for (const Variable& v : variables)
      if (!FindSlot(v, slot)) AddSlot(v, slot, FilledLike(v, slot == "accumulator" ? options_.initial_accumulator : 0));
}

std::vector<std::string> Optimizer::SlotNames() const {
  if (!options_.legacy) return {};
  switch (kind_) {
    case Kind::kSgd:
      return options_.momentum == 0 ? std::vector<std::string>{} : std::vector<std::string>{"momentum"};
    case Kind::kAdam:
      return {"m", "v"};
    case Kind::kRmsprop:
      return options_.momentum == 0 ? std::vector<std::string>{"rms"} : std::vector<std::string>{"rms", "momentum"};
    default:
      return {"accumulator"};
  }
}

Variable Optimizer::FindSlot(const Variable& variable, const std::string& slot_name) const {
  for (const SlotVariable& slot : slots_)
    if (slot.name == slot_name && slot.of == variable) return slot.variable;
  return {};
}

Variable Optimizer::Slot(const Variable& variable, const std::string& slot_name) const {
  return options_.legacy ? FindSlot(variable, slot_name) : Variable();
}

Variable Optimizer::CreateSlot(const Variable& variable, const std::string& slot_name, const Array& value) {
  if (!options_.legacy)
    throw ValueError(
        fmt::format("You are trying to restore a checkpoint from a legacy Keras optimizer into a v2.11+ Optimizer, "
                    "which can cause errors. Make the optimizer '{}' a legacy one: Options{{.legacy = true}}.",
                    options_.name));
  if (const Variable there = Slot(variable, slot_name)) return there;
  return AddSlot(variable, slot_name, Tensor(value));
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
    if (std::ranges::find(known_, variable) == known_.end())
      throw KeyError(
          fmt::format("The optimizer cannot recognize variable {}. This usually means you are trying to call "
                      "the optimizer to update different parts of the model separately.",
                      variable.name()));
    if (options_.legacy)
      UpdateLegacy(gradient, variable);
    else
      Update(gradient, variable);
  }
  iteration_.AssignAdd(Tensor(Array::Scalar(std::int64_t{1})));
}

// tf: keras.optimizers.{sgd,adam,rmsprop,adagrad}.update_step
void Optimizer::Update(const Tensor& gradient, const Variable& v) {
  const Tensor rate = Cast(learning_rate_.Read(), v.dtype());
  if (kind_ == Kind::kSgd) {
    if (options_.momentum == 0) {
      v.AssignSub(gradient * rate);
      return;
    }
    const Variable m = FindSlot(v, "m");
    m.Assign(m.Read() * options_.momentum - gradient * rate);
    v.AssignAdd(m.Read());
  } else if (kind_ == Kind::kAdam) {
    const Variable m = FindSlot(v, "m"), u = FindSlot(v, "v");
    const Tensor step = Cast(iteration_.Read(), v.dtype()) + 1.0;
    const auto power = [&](double base) { return Current().Add1("Pow", {ScalarConstant(base, v.dtype()), step}); };
    const Tensor alpha = rate * Sqrt(1.0 - power(options_.beta_2)) / (1.0 - power(options_.beta_1));
    m.AssignAdd((gradient - m.Read()) * (1 - options_.beta_1));
    u.AssignAdd((Square(gradient) - u.Read()) * (1 - options_.beta_2));
    v.AssignSub((m.Read() * alpha) / (Sqrt(u.Read()) + options_.epsilon));
  } else if (kind_ == Kind::kRmsprop) {
    const Variable velocity = FindSlot(v, "velocity");
    velocity.Assign(options_.rho * velocity.Read() + (1 - options_.rho) * Square(gradient));
    v.AssignSub(rate * gradient * Current().Add1("Rsqrt", {velocity.Read() + options_.epsilon}));
  } else {
    const Variable accumulator = FindSlot(v, "accumulator");
    accumulator.AssignAdd(gradient * gradient);
    v.AssignSub(rate * gradient / Sqrt(accumulator.Read() + options_.epsilon));
  }
}

// tf: keras.optimizers.legacy.*._resource_apply_dense
void Optimizer::UpdateLegacy(const Tensor& gradient, const Variable& v) {
  const DType dtype = v.dtype();
  const auto hyper = [&](const char* name) {
    return Cast(std::ranges::find(hyper_, name, &std::pair<std::string, Variable>::first)->second.Read(), dtype);
  };
  const auto apply = [&](const char* op, const std::vector<Tensor>& inputs) {
    const std::vector<Value> values(inputs.begin(), inputs.end());
    Current().AddOp(op, values, {});
  };
  const Tensor rate = hyper("learning_rate"), epsilon = ScalarConstant(options_.epsilon, dtype);
  if (kind_ == Kind::kSgd && options_.momentum == 0) {
    apply("ResourceApplyGradientDescent", {v.handle(), rate, gradient});
  } else if (kind_ == Kind::kSgd) {
    apply("ResourceApplyKerasMomentum",
          {v.handle(), FindSlot(v, "momentum").handle(), rate, gradient, hyper("momentum")});
  } else if (kind_ == Kind::kAdam) {
    const Tensor step = Cast(iteration_.Read(), dtype) + 1.0;
    const Tensor beta_1 = hyper("beta_1"), beta_2 = hyper("beta_2");
    const Tensor power_1 = Current().Add1("Pow", {beta_1, step}), power_2 = Current().Add1("Pow", {beta_2, step});
    apply("ResourceApplyAdam", {v.handle(), FindSlot(v, "m").handle(), FindSlot(v, "v").handle(), power_1, power_2,
                                rate, beta_1, beta_2, epsilon, gradient});
  } else if (kind_ == Kind::kRmsprop && options_.momentum != 0) {
    apply("ResourceApplyRMSProp", {v.handle(), FindSlot(v, "rms").handle(), FindSlot(v, "momentum").handle(), rate,
                                   hyper("rho"), hyper("momentum"), epsilon, gradient});
  } else if (kind_ == Kind::kRmsprop) {
    const Variable rms = FindSlot(v, "rms");
    const Tensor rho = hyper("rho");
    rms.Assign(rho * rms.Read() + (1.0 - rho) * Square(gradient));
    v.Assign(v.Read() - rate * gradient / (Sqrt(rms.Read()) + epsilon));
  } else {
    apply("ResourceApplyAdagradV2", {v.handle(), FindSlot(v, "accumulator").handle(), rate, epsilon, gradient});
  }
}

std::vector<Variable> Optimizer::variables() const {
  std::vector<Variable> all;
  if (iteration_) all.push_back(iteration_);
  for (const SlotVariable& slot : slots_) all.push_back(slot.variable);
  return all;
}

}  // namespace equiv::runtime
