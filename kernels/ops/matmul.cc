// kernels/ops/matmul.cc - products of matrices.
#include "kernels/base/op_registry.h"
#include "kernels/cpu/gemm_matmul.h"

namespace equiv::ops {
namespace {

void ProductShape(ShapeContext& c, const PartialShape& a, const PartialShape& b, const char* first,
                  const char* second) {
  const cpu::FailFn fail = [&c](const std::string& message) { c.Fail(message); };
  c.set_output(0, cpu::MatMulShape(fail, a, b, c.attr<bool>(first), c.attr<bool>(second)));
}
// tf: BatchMatMulV2Shape
void BroadcastShape(ShapeContext& c) {
  ProductShape(c, c.WithRankAtLeast(0, 2), c.WithRankAtLeast(1, 2), "adj_x", "adj_y");
}
// tf: BatchMatMulShape: the leading dimensions are equal
void BatchShape(ShapeContext& c) {
  const PartialShape a = c.WithRankAtLeast(0, 2), b = c.WithRankAtLeast(1, 2);
  if (a.has_rank() && b.has_rank()) {
    bool fits = a.rank() == b.rank();
    for (int d = 0; fits && d < a.rank() - 2; ++d) fits = a[d] < 0 || b[d] < 0 || a[d] == b[d];
    if (!fits) c.Fail("Batch dimensions must be equal: " + a.ToString() + " and " + b.ToString());
  }
  ProductShape(c, a, b, "adj_x", "adj_y");
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
  r.Add({.name = "BatchMatMul",
         .doc = "Products of matrices in the last two dimensions.",
         .inputs = {"x: T", "y: T"},
         .outputs = {"output: T"},
         .attrs = {"T: {bfloat16, half, float, double, int32, int64, complex64, complex128}", "adj_x: bool = false",
                   "adj_y: bool = false"},
         .shape = BatchShape,
         .kernel = Stateless(cpu::BatchMatMul)});
  r.Add({.name = "BatchMatMulV2",
         .doc = "Products of matrices in the last two dimensions; the others broadcast.",
         .inputs = {"x: T", "y: T"},
         .outputs = {"output: T"},
         .attrs = {"T: {bfloat16, half, float, double, int16, int32, int64, uint8, uint16, uint32, uint64, complex64, "
                   "complex128}",
                   "adj_x: bool = false", "adj_y: bool = false"},
         .shape = BroadcastShape,
         .kernel = Stateless(cpu::BatchMatMulV2)});
  const std::string factors =
      "{bfloat16, half, float, double, uint8, int8, int16, int32, int64, complex64, complex128}";
  r.Add({.name = "BatchMatMulV3",
         .doc = "Products of matrices of two types; leading dimensions broadcast.",
         .inputs = {"x: Ta", "y: Tb"},
         .outputs = {"output: Tout"},
         .attrs = {"Ta: " + factors, "Tb: " + factors,
                   "Tout: {bfloat16, half, float, double, int16, int32, int64, complex64, complex128}",
                   "adj_x: bool = false", "adj_y: bool = false"},
         .shape = BroadcastShape,
         .kernel = Stateless(cpu::BatchMatMulV3)});
}

}  // namespace equiv::ops
