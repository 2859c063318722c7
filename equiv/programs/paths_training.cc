// Gradients, optimisers, distribution over one device.
#include <fmt/format.h>

#include "equiv/programs/interpreter.h"
#include "equiv/programs/objects.h"
#include "kernels/base/error.h"
#include "runtime/autodiff/tape.h"
#include "runtime/training/optimizer.h"

namespace equiv::programs {
namespace {

class TapeObject final : public Object {
 public:
  std::string TypeName() const override { return "GradientTape"; }
  Value Get(const std::string& name) override {
    if (name == "gradient")
      return Value::Callable(name, [this](Arguments& a) {
        Bound b("gradient", {"target", "sources", "**"}, a);
        const bool single = b["sources"].list() == nullptr;
        const List sources = single ? List{b["sources"]} : *b["sources"].list();
        std::vector<rt::Variable> variables;
        for (const Value& v : sources) {
          if (!v.As<rt::Variable>()) throw TypeError("tape.gradient takes variables as sources here");
          variables.push_back(*v.As<rt::Variable>());
        }
        List gradients;
        for (const rt::Tensor& g : tape.Gradient(b.Tensor("target"), variables))
          gradients.push_back(g.has_value() ? Value(g) : Value());
        return single ? gradients.at(0) : Value(std::move(gradients));
      });
    NoAttribute(name);
  }
  rt::GradientTape tape;
};

class OptimizerObject final : public Object {
 public:
  OptimizerObject(rt::Optimizer::Kind kind, const rt::Optimizer::Options& options) : optimizer(kind, options) {}
  std::string TypeName() const override { return optimizer.name(); }
  Value Get(const std::string& name) override {
    if (name == "variables" || name == "weights") {
      List items;
      for (const rt::Variable& v : optimizer.variables()) items.push_back(Value(v));
      return Value(std::move(items));
    }
    if (name == "name") return Value(optimizer.name());
    if (name == "build")
      return Value::Callable(name, [this](Arguments& a) {
        Bound b("build", {"var_list"}, a);
        std::vector<rt::Variable> variables;
        if (b["var_list"].list())
          for (const Value& v : *b["var_list"].list())
            if (const auto* variable = v.As<rt::Variable>()) variables.push_back(*variable);
        optimizer.Build(variables);
        return Value();
      });
    if (name == "apply_gradients")
      return Value::Callable(name, [this](Arguments& a) {
        Bound b("apply_gradients", {"grads_and_vars", "**"}, a);
        std::vector<std::pair<rt::Tensor, rt::Variable>> pairs;
        if (!b["grads_and_vars"].list()) throw TypeError("apply_gradients takes a list of (gradient, variable) pairs");
        for (const Value& v : *b["grads_and_vars"].list()) {
          if (!v.list() || v.list()->size() != 2 || !(*v.list())[1].As<rt::Variable>())
            throw TypeError("apply_gradients takes a list of (gradient, variable) pairs");
          const rt::Variable& variable = *(*v.list())[1].As<rt::Variable>();
          const Value& gradient = (*v.list())[0];
          pairs.emplace_back(gradient.none() ? rt::Tensor() : ToTensor(gradient, "gradient", variable.dtype()),
                             variable);
        }
        optimizer.ApplyGradients(pairs);
        return Value();
      });
    NoAttribute(name);
  }
  rt::Optimizer optimizer;
};

// One device needs no mirroring: the scope changes nothing.
class StrategyObject final : public Object {
 public:
  std::string TypeName() const override { return "MirroredStrategy"; }
  Value Get(const std::string& name) override {
    if (name == "scope")
      return Value::Callable(name, [](Arguments&) {
        return Value(std::make_shared<ContextManager>([]() -> ContextManager::Entered { return {}; }));
      });
    if (name == "num_replicas_in_sync") return Value(1);
    NoAttribute(name);
  }
};

}  // namespace

void RegisterTraining(PathTable& t) {
  t.Add("tf.GradientTape", "persistent, watch_accessed_variables", [](Bound&) {
    return Value(std::make_shared<ContextManager>([]() -> ContextManager::Entered {
      auto tape = std::make_shared<TapeObject>();
      return {.value = Value(tape), .guard = nullptr, .finish = [tape] { tape->tape.Stop(); }};
    }));
  });
  using Kind = rt::Optimizer::Kind;
  for (const auto& [name, kind] : {std::pair("SGD", Kind::kSgd), std::pair("Adam", Kind::kAdam),
                                   std::pair("RMSprop", Kind::kRmsprop), std::pair("Adagrad", Kind::kAdagrad)})
    for (const bool legacy : {false, true})
      t.Add(fmt::format("tf.keras.optimizers.{}{}", legacy ? "legacy." : "", name),
            "learning_rate, momentum, beta_1, beta_2, rho, epsilon, name, **", [kind = kind, legacy](Bound& a) {
              rt::Optimizer::Options o;
              o.learning_rate = a.Double("learning_rate", kind == Kind::kSgd ? 0.01 : 0.001);
              o.momentum = a.Double("momentum", 0);
              o.beta_1 = a.Double("beta_1", 0.9);
              o.beta_2 = a.Double("beta_2", 0.999);
              o.rho = a.Double("rho", 0.9);
              o.epsilon = a.Double("epsilon", 1e-7);
              o.legacy = legacy;
              o.name = a.Text("name");
              return Value(std::make_shared<OptimizerObject>(kind, o));
            });
  t.Add("tf.distribute.MirroredStrategy", "devices", [](Bound& a) {
    if (a["devices"].list() && a["devices"].list()->size() > 1)
      throw UnimplementedError("MirroredStrategy: only one device here, got " + a["devices"].ToString());
    return Value(std::make_shared<StrategyObject>());
  });
}

}  // namespace equiv::programs
