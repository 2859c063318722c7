// kernels/ops/functions.cc - calls of functions in the library.
#include "kernels/base/function_library.h"
#include "kernels/base/op_registry.h"

namespace equiv::ops {
namespace {

class Call final : public Kernel {
 public:
  explicit Call(const KernelInit& init) : body_(FunctionLibrary::Instantiate(init.attrs.Get<std::string>("f"))) {}
  void Run(KernelContext& ctx) override {
    std::vector<Array> inputs;
    for (int i = 0; i < ctx.num_inputs(); ++i) inputs.push_back(ctx.input(i));
    const std::vector<Array> outputs = body_(inputs);
    if (static_cast<int>(outputs.size()) != ctx.num_outputs())
      throw InternalError(ctx.Where() + "the function gave another number of outputs than the op has");
    for (int i = 0; i < ctx.num_outputs(); ++i) ctx.set_output(i, outputs[static_cast<std::size_t>(i)]);
  }

 private:
  FunctionBody body_;
};

void OutputShapes(ShapeContext& c) {
  const auto& shapes = c.attr<std::vector<PartialShape>>("output_shapes");
  for (int i = 0; i < c.num_outputs() && i < static_cast<int>(shapes.size()); ++i)
    c.set_output(i, shapes[static_cast<std::size_t>(i)]);
}

OpDef CallOp(const char* name, const char* doc, bool stateful) {
  return {.name = name,
          .doc = doc,
          .inputs = {"args: Tin"},
          .outputs = {"output: Tout"},
          .attrs = {"Tin: list(type)", "Tout: list(type)", "f: string", "output_shapes: list(shape) = []"},
          .stateful = stateful,
          .shape = OutputShapes,
          .kernel = Stateful<Call>()};
}
}  // namespace

void RegisterFunctions(OpRegistry& r) {
  r.Add(CallOp("PartitionedCall", "The outputs of function `f`.", false));
  r.Add(CallOp("StatefulPartitionedCall", "The outputs of function `f`, which reads or changes state.", true));
}
}  // namespace equiv::ops
