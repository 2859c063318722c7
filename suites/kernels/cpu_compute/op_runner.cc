#include "suites/kernels/cpu_compute/op_runner.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace equiv::ops {
#define EQUIV_OP_FAMILY(X) void Register##X(OpRegistry& r);
#include "kernels/ops/families.inc"
#undef EQUIV_OP_FAMILY
}  // namespace equiv::ops

namespace equiv::test {

const OpRegistry& ComputeOps() {
  static const OpRegistry& registry = []() -> OpRegistry& {
    static OpRegistry r;
#define EQUIV_OP_FAMILY(X) ops::Register##X(r);
#include "kernels/ops/families.inc"
#undef EQUIV_OP_FAMILY
    r.AddBackend({.name = "cpu", .description = "reference", .speed = 1, .kernels = {}, .prepare = {}});
    return r;
  }();
  return registry;
}

std::vector<PartialShape> Infer(std::string_view op, const std::vector<PartialShape>& inputs, AttrMap attrs,
                                const std::vector<DType>& dtypes, const std::vector<const Array*>& constants) {
  const OpDef& def = ComputeOps().Get(op);
  const std::vector<DType> outputs = CompleteAttrs(def, dtypes, attrs, "node");
  std::vector<const Array*> known = constants;
  known.resize(inputs.size(), nullptr);
  return InferShapes(def, attrs, "node", inputs, known, outputs.size());
}

std::vector<Array> RunOp(std::string_view op, std::vector<Array> inputs, AttrMap attrs, int threads,
                         bool check_shapes) {
  const OpDef& def = ComputeOps().Get(op);
  std::vector<DType> dtypes;
  std::vector<PartialShape> shapes;
  std::vector<const Array*> constants;
  const bool takes_refs = std::ranges::any_of(def.input_args, &ArgDef::is_ref);
  for (const Array& a : inputs) {
    // A handle stands for its variable's shape, a reference for its type too. tf: input_handle_shapes_and_types
    const bool handle = a.dtype() == DType::kResource;
    dtypes.push_back(handle && takes_refs ? a.variable()->dtype() : a.dtype());
    shapes.push_back(handle ? a.variable()->shape() : PartialShape(a.shape()));
    constants.push_back(handle ? nullptr : &a);
  }
  const std::string node = "node";
  const std::vector<DType> output_dtypes = CompleteAttrs(def, dtypes, attrs, node);
  std::vector<PartialShape> inferred;
  if (check_shapes) inferred = InferShapes(def, attrs, node, shapes, constants, output_dtypes.size());
  std::vector<Array> outputs(output_dtypes.size());
  ResourceManager resources;
  ThreadPool pool(threads);
  const auto kernel = ComputeOps().FindKernel(def, ComputeOps().GetBackend("cpu"))({def, attrs, node});
  KernelContext context(def, attrs, node, inputs, outputs, output_dtypes, resources, pool);
  kernel->Run(context);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const bool ref = OutputArg(def, attrs, i)->is_ref;
    EXPECT_EQ(outputs[i].dtype(), ref ? DType::kResource : output_dtypes[i]) << op << " output " << i;
    if (!ref && check_shapes && inferred[i].IsFullyDefined()) {
      EXPECT_EQ(outputs[i].shape(), inferred[i].Require()) << op << " output " << i;
    }
  }
  return outputs;
}

}  // namespace equiv::test
