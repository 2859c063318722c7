// kernels/ops/functions.cc - calls of functions, and the control flow that is made of calls.
#include <fmt/format.h>

#include "kernels/base/op_registry.h"

namespace equiv::ops {
namespace {

std::unique_ptr<FunctionBody> Make(const KernelInit& init, const FunctionRef& ref) {
  if (!ref.function)
    throw NotFoundError(fmt::format("{}there is no function '{}'", OpWhere(init.def.name, init.node_name), ref.name));
  return ref.function->Instantiate(init.backend);
}
std::unique_ptr<FunctionBody> Make(const KernelInit& init, const char* attr) {
  return Make(init, init.attrs.Get<FunctionRef>(attr));
}
std::vector<Array> Inputs(const KernelContext& ctx, int first) {
  std::vector<Array> inputs;
  for (int i = first; i < ctx.num_inputs(); ++i) inputs.push_back(ctx.input(i));
  return inputs;
}
void SetOutputs(KernelContext& ctx, std::vector<Array> outputs) {
  if (static_cast<int>(outputs.size()) != ctx.num_outputs())
    throw InvalidArgumentError(
        fmt::format("{}the function gave {} outputs, the op has {}", ctx.Where(), outputs.size(), ctx.num_outputs()));
  for (int i = 0; i < ctx.num_outputs(); ++i) {
    Array& value = outputs[static_cast<std::size_t>(i)];
    if (value.dtype() != ctx.output_dtype(i))
      throw InvalidArgumentError(fmt::format("{}output {} of the function is {}, expected {}", ctx.Where(), i,
                                             Name(value.dtype()), Name(ctx.output_dtype(i))));
    ctx.set_output(i, std::move(value));
  }
}

// tf: functional_ops.cc, ToBool: a scalar by its value (a string: not empty), anything else by having elements
bool IsTrue(const KernelContext& ctx, const Array& condition) {
  if (condition.rank() != 0) return condition.num_elements() > 0;
  switch (condition.dtype()) {
    case DType::kString:
      return !condition.strings().front().empty();
    case DType::kResource:
    case DType::kVariant:
      throw InvalidArgumentError(
          fmt::format("{}a {} cannot be used as a condition", ctx.Where(), Name(condition.dtype())));
    default:
      return condition.ElementAsDouble(0) != 0;
  }
}

class Call final : public Kernel {
 public:
  explicit Call(const KernelInit& init) : body_(Make(init, "f")) {}
  void Run(KernelContext& ctx) override { SetOutputs(ctx, body_->Run(Inputs(ctx, 0), ctx)); }

 private:
  std::unique_ptr<FunctionBody> body_;
};

class If final : public Kernel {
 public:
  explicit If(const KernelInit& init) : then_(Make(init, "then_branch")), else_(Make(init, "else_branch")) {}
  void Run(KernelContext& ctx) override {
    SetOutputs(ctx, (IsTrue(ctx, ctx.input(0)) ? then_ : else_)->Run(Inputs(ctx, 1), ctx));
  }

 private:
  std::unique_ptr<FunctionBody> then_, else_;
};

class Case final : public Kernel {
 public:
  explicit Case(const KernelInit& init) {
    for (const FunctionRef& branch : init.attrs.Get<std::vector<FunctionRef>>("branches"))
      branches_.push_back(Make(init, branch));
    if (branches_.empty())
      throw InvalidArgumentError(OpWhere(init.def.name, init.node_name) + "at least one branch is needed");
  }
  void Run(KernelContext& ctx) override {
    if (ctx.input(0).num_elements() != 1)
      throw InvalidArgumentError(
          fmt::format("{}branch_index must be a scalar, got shape {}", ctx.Where(), ctx.input(0).shape().ToString()));
    // tf: CaseOp: an index out of range takes the last branch
    const std::int64_t given = ctx.input(0).data<std::int32_t>()[0], last = std::ssize(branches_) - 1;
    const std::int64_t index = given < 0 || given > last ? last : given;
    SetOutputs(ctx, branches_[static_cast<std::size_t>(index)]->Run(Inputs(ctx, 1), ctx));
  }

 private:
  std::vector<std::unique_ptr<FunctionBody>> branches_;
};

class While final : public Kernel {
 public:
  explicit While(const KernelInit& init) : condition_(Make(init, "cond")), body_(Make(init, "body")) {}
  void Run(KernelContext& ctx) override {
    std::vector<Array> state = Inputs(ctx, 0);
    for (;;) {
      const std::vector<Array> condition = condition_->Run(state, ctx);
      if (condition.size() != 1)
        throw InvalidArgumentError(
            fmt::format("{}the condition must give one value, it gave {}", ctx.Where(), condition.size()));
      if (!IsTrue(ctx, condition[0])) break;
      state = body_->Run(state, ctx);
    }
    SetOutputs(ctx, std::move(state));
  }

 private:
  std::unique_ptr<FunctionBody> condition_, body_;
};

void Shapes(ShapeContext& c, const std::vector<PartialShape>& shapes) {
  for (int i = 0; i < c.num_outputs() && i < static_cast<int>(shapes.size()); ++i)
    c.set_output(i, shapes[static_cast<std::size_t>(i)]);
}
void OutputShapes(ShapeContext& c) { Shapes(c, c.attr<std::vector<PartialShape>>("output_shapes")); }
// tf: the shape function of PartitionedCall: _output_shapes where it is there
void CallShapes(ShapeContext& c) {
  if (const AttrValue* shapes = c.attrs().Find("_output_shapes"))
    if (const auto* list = std::get_if<std::vector<PartialShape>>(shapes)) Shapes(c, *list);
}
// tf: the shape function of While: what `output_shapes` says, or the inputs' where `shape_invariant`s are none
void WhileShapes(ShapeContext& c) {
  if (!c.attr<std::vector<PartialShape>>("output_shapes").empty()) OutputShapes(c);
}

OpDef CallOp(const char* name, const char* doc, bool stateful) {
  return {.name = name,
          .doc = doc,
          .inputs = {"args: Tin"},
          .outputs = {"output: Tout"},
          .attrs = {"Tin: list(type)", "Tout: list(type)", "f: func", "config: string = ''",
                    "config_proto: string = ''", "executor_type: string = ''"},
          .stateful = stateful,
          .shape = CallShapes,
          .kernel = Stateful<Call>()};
}
OpDef IfOp(const char* name, bool stateful) {
  return {.name = name,
          .doc = "The outputs of one of two functions.",
          .inputs = {"cond: Tcond", "input: Tin"},
          .outputs = {"output: Tout"},
          .attrs = {"Tcond: type", "Tin: list(type)", "Tout: list(type)", "then_branch: func", "else_branch: func",
                    "output_shapes: list(shape) = []"},
          .stateful = stateful,
          .shape = OutputShapes,
          .kernel = Stateful<If>()};
}
OpDef CaseOp(const char* name, bool stateful) {
  return {
      .name = name,
      .doc = "The outputs of the function with the given number.",
      .inputs = {"branch_index: int32", "input: Tin"},
      .outputs = {"output: Tout"},
      .attrs = {"Tin: list(type)", "Tout: list(type)", "branches: list(func) >= 1", "output_shapes: list(shape) = []"},
      .stateful = stateful,
      .shape = OutputShapes,
      .kernel = Stateful<Case>()};
}
OpDef WhileOp(const char* name, bool stateful) {
  return {.name = name,
          .doc = "Applies a function to its own outputs while another one says so.",
          .inputs = {"input: T"},
          .outputs = {"output: T"},
          .attrs = {"T: list(type)", "cond: func", "body: func", "output_shapes: list(shape) = []",
                    "parallel_iterations: int = 10"},
          .stateful = stateful,
          .shape = WhileShapes,
          .kernel = Stateful<While>()};
}
}  // namespace

void RegisterFunctions(OpRegistry& r) {
  r.Add(CallOp("PartitionedCall", "The outputs of function `f`.", false));
  r.Add(CallOp("StatefulPartitionedCall", "The outputs of function `f`, which reads or changes state.", true));
  r.Add(IfOp("If", true));
  r.Add(IfOp("StatelessIf", false));
  r.Add(CaseOp("Case", true));
  r.Add(CaseOp("StatelessCase", false));
  r.Add(WhileOp("While", true));
  r.Add(WhileOp("StatelessWhile", false));
}
}  // namespace equiv::ops
