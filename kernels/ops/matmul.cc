// kernels/ops/matmul.cc - MatMul, BatchMatMulV2.
#include "kernels/base/op_registry.h"
#include "kernels/cpu/gemm_matmul.h"

namespace equiv::ops {
namespace {

void ProductShape(ShapeContext& c, const PartialShape& a, const PartialShape& b, const char* first,
                  const char* second) {
  const cpu::FailFn fail = [&c](const std::string& message) { c.Fail(message); };
  c.set_output(0, cpu::MatMulShape(fail, a, b, c.attr<bool>(first), c.attr<bool>(second)));
}
}  // namespace

void RegisterMatmul(OpRegistry& r) {
  r.Add({.name = "MatMul",
         .doc = "Product of two matrices.",
         .inputs = {"a: T", "b: T"},
         .outputs = {"product: T"},
         .attrs =
             {"transpose_a: bool = false", "transpose_b: bool = false",
              "T: {bfloat16, half, float, double, int32, int64, uint8, uint16, uint32, uint64, complex64, complex128}"},
         // tf: MatMulShape
         .shape =
             [](ShapeContext& c) { ProductShape(c, c.WithRank(0, 2), c.WithRank(1, 2), "transpose_a", "transpose_b"); },
         .kernel = Stateless(cpu::MatMul)});
  r.Add(
      {.name = "BatchMatMulV2",
       .doc = "Products of matrices in the last two dimensions; the others broadcast.",
       .inputs = {"x: T", "y: T"},
       .outputs = {"output: T"},
       .attrs = {"T: {bfloat16, half, float, double, int16, int32, int64, uint8, uint16, uint32, uint64, complex64, "
                 "complex128}",
                 "adj_x: bool = false", "adj_y: bool = false"},
       // tf: BatchMatMulV2Shape
       .shape =
           [](ShapeContext& c) { ProductShape(c, c.WithRankAtLeast(0, 2), c.WithRankAtLeast(1, 2), "adj_x", "adj_y"); },
       .kernel = Stateless(cpu::BatchMatMulV2)});
}

}  // namespace equiv::ops
