// kernels/ops/linalg.cc - linear algebra on the innermost matrices.
#include "kernels/cpu/linalg.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
constexpr const char* kTypes = "T: {double, float, half, complex64, complex128}";

PartialShape Square(ShapeContext& c, int i) {
  const PartialShape in = c.WithRankAtLeast(i, 2);
  if (!in.has_rank()) return in;
  const std::int64_t rows = in[in.rank() - 2], cols = in[in.rank() - 1];
  if (rows >= 0 && cols >= 0 && rows != cols)
    c.Fail(fmt::format("Dimensions must be equal, but are {} and {}: Input matrix must be square.", rows, cols));
  return in;
}
// tf: MatrixSolveShapeFn
void SolveShape(ShapeContext& c) {
  const PartialShape matrix = Square(c, 0), rhs = c.WithRankAtLeast(1, 2);
  c.set_output(0, rhs);
  if (!matrix.has_rank() || !rhs.has_rank()) return;
  bool fits = matrix.rank() == rhs.rank();
  for (int d = 0; fits && d < rhs.rank() - 1; ++d) fits = matrix[d] < 0 || rhs[d] < 0 || matrix[d] == rhs[d];
  if (!fits) c.Fail(fmt::format("Input matrix and rhs are incompatible: {} and {}", matrix.ToString(), rhs.ToString()));
}
}  // namespace

void RegisterLinalg(OpRegistry& r) {
  r.Add({.name = "MatrixInverse",
         .doc = "Inverses of the innermost matrices.",
         .inputs = {"input: T"},
         .outputs = {"output: T"},
         .attrs = {"adjoint: bool = false", kTypes},
         .shape = [](ShapeContext& c) { c.set_output(0, Square(c, 0)); },
         .kernel = Stateless(cpu::MatrixInverse)});
  r.Add({.name = "Cholesky",
         .doc = "Lower triangular factors of the innermost matrices.",
         .inputs = {"input: T"},
         .outputs = {"output: T"},
         .attrs = {kTypes},
         .shape = [](ShapeContext& c) { c.set_output(0, Square(c, 0)); },
         .kernel = Stateless(cpu::Cholesky)});
  r.Add({.name = "MatrixSolve",
         .doc = "Solutions of systems of linear equations.",
         .inputs = {"matrix: T", "rhs: T"},
         .outputs = {"output: T"},
         .attrs = {"adjoint: bool = false", kTypes},
         .shape = SolveShape,
         .kernel = Stateless(cpu::MatrixSolve)});
  r.Add({.name = "MatrixDeterminant",
         .doc = "Determinants of the innermost matrices.",
         .inputs = {"input: T"},
         .outputs = {"output: T"},
         .attrs = {kTypes},
         .shape =
             [](ShapeContext& c) {
               const PartialShape in = Square(c, 0);
               if (!in.has_rank()) return c.set_output(0, in);
               c.set_output(0, PartialShape(std::vector<std::int64_t>(in.dims().begin(), in.dims().end() - 2)));
             },
         .kernel = Stateless(cpu::MatrixDeterminant)});
  r.Add({.name = "Cross",
         .doc = "Cross products of vectors of three elements.",
         .inputs = {"a: T", "b: T"},
         .outputs = {"product: T"},
         .attrs = {Types("T", kReal)},
         .shape =
             [](ShapeContext& c) {
               c.WithRankAtLeast(0, 1);
               const PartialShape both = Merge(c, c.input(0), 1);
               if (both.has_rank() && both.rank() > 0 && both[both.rank() - 1] >= 0 && both[both.rank() - 1] != 3)
                 c.Fail("Dimension must be 3 but is " + std::to_string(both[both.rank() - 1]));
               c.set_output(0, both);
             },
         .kernel = Stateless(cpu::Cross)});
}

}  // namespace equiv::ops
