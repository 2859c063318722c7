// kernels/ops/matrix_diag.cc - diagonals and bands of the innermost matrices.
#include "kernels/cpu/matrix_diag.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
using Ints = std::vector<std::int64_t>;
constexpr const char* kAlign = "align: {'LEFT_RIGHT', 'RIGHT_LEFT', 'LEFT_LEFT', 'RIGHT_RIGHT'} = 'RIGHT_LEFT'";

void BandShape(ShapeContext& c) {
  c.WithRank(1, 0);
  c.WithRank(2, 0);
  c.set_output(0, c.WithRankAtLeast(0, 2));
}
// tf: MatrixDiagPartV2Shape
void PartOf(ShapeContext& c, const std::optional<cpu::DiagRange>& range) {
  const PartialShape in = c.WithRankAtLeast(0, 2);
  if (!in.has_rank() || !range) return c.set_output(0, PartialShape::Unknown());
  Ints dims(in.dims().begin(), in.dims().end() - 2);
  const std::int64_t rows = in[in.rank() - 2], cols = in[in.rank() - 1];
  cpu::CheckDiagRange(FailThrough(c), *range, rows, cols);
  if (!range->single()) dims.push_back(range->count());
  dims.push_back(rows >= 0 && cols >= 0 ? cpu::LongestDiagonal(*range, rows, cols) : -1);
  c.set_output(0, PartialShape(std::move(dims)));
}
std::optional<cpu::DiagRange> RangeInput(ShapeContext& c, int i) {
  const Array* k = c.constant(i);
  if (!k) return std::nullopt;
  return cpu::MakeDiagRange(FailThrough(c), *k);
}
void PartShape(ShapeContext& c) { PartOf(c, RangeInput(c, 1)); }
// tf: MatrixDiagV2Shape
void WholeOf(ShapeContext& c, const std::optional<cpu::DiagRange>& range, const std::optional<std::int64_t>& rows,
             const std::optional<std::int64_t>& cols) {
  const PartialShape diagonal = c.WithRankAtLeast(0, range && !range->single() ? 2 : 1);
  if (!diagonal.has_rank() || !range) return c.set_output(0, PartialShape::Unknown());
  const int own = range->single() ? 1 : 2;
  Ints dims(diagonal.dims().begin(), diagonal.dims().end() - own);
  if (own == 2 && diagonal[diagonal.rank() - 2] >= 0 && diagonal[diagonal.rank() - 2] != range->count())
    c.Fail(
        "The number of diagonals provided in the input does not match the lower_diag_index and upper_diag_index "
        "range.");
  const std::int64_t longest = diagonal[diagonal.rank() - 1];
  if (longest < 0 || !rows || !cols) {
    dims.insert(dims.end(), {-1, -1});
  } else {
    const cpu::DiagMatrixSize size = cpu::SizeFromDiagonals(FailThrough(c), *range, longest, *rows, *cols);
    dims.insert(dims.end(), {size.rows, size.cols});
  }
  c.set_output(0, PartialShape(std::move(dims)));
}
void WholeShape(ShapeContext& c) {
  c.WithRank(2, 0);
  c.WithRank(3, 0);
  WholeOf(c, RangeInput(c, 1), ConstantScalar(c, 2), ConstantScalar(c, 3));
}
// tf: MatrixSetDiagV2Shape
void SetOf(ShapeContext& c, const std::optional<cpu::DiagRange>& range) {
  const PartialShape in = c.WithRankAtLeast(0, 2);
  c.set_output(0, in);
  if (!in.has_rank() || !range) return;
  cpu::CheckDiagRange(FailThrough(c), *range, in[in.rank() - 2], in[in.rank() - 1]);
  const int rank = in.rank() - (range->single() ? 1 : 0);
  if (c.input(1).has_rank() && c.input(1).rank() != rank)
    c.Fail(fmt::format("diagonal must have rank {} for an input of shape {}, got {}", rank, in.ToString(),
                       c.input(1).ToString()));
}

OpDef Def(const char* name, const char* doc, std::vector<std::string> inputs, const char* output, bool align,
          ShapeFn shape, void (*kernel)(KernelContext&)) {
  std::vector<std::string> attrs{"T: type"};
  if (align) attrs.emplace_back(kAlign);
  return {.name = name,
          .doc = doc,
          .inputs = std::move(inputs),
          .outputs = {output},
          .attrs = std::move(attrs),
          .shape = std::move(shape),
          .kernel = Stateless(kernel)};
}
}  // namespace

void RegisterMatrixDiag(OpRegistry& r) {
  r.Add({.name = "MatrixBandPart",
         .doc = "The innermost matrices with zeros outside a band around the diagonal.",
         .inputs = {"input: T", "num_lower: Tindex", "num_upper: Tindex"},
         .outputs = {"band: T"},
         .attrs = {"T: type", Types("Tindex", kIndices, "int64")},
         .shape = BandShape,
         .kernel = Stateless(cpu::MatrixBandPart)});
  const char* const part = "Diagonals of the innermost matrices.";
  r.Add(Def(
      "MatrixDiagPart", part, {"input: T"}, "diagonal: T", false, [](ShapeContext& c) { PartOf(c, cpu::DiagRange{}); },
      cpu::MatrixDiagPart));
  const std::vector<std::string> part_inputs{"input: T", "k: int32", "padding_value: T"};
  r.Add(Def("MatrixDiagPartV2", part, part_inputs, "diagonal: T", false, PartShape, cpu::MatrixDiagPartV2));
  r.Add(Def("MatrixDiagPartV3", part, part_inputs, "diagonal: T", true, PartShape, cpu::MatrixDiagPartV3));
  const char* const whole = "Matrices with the given diagonals.";
  r.Add(Def(
      "MatrixDiag", whole, {"diagonal: T"}, "output: T", false,
      [](ShapeContext& c) { WholeOf(c, cpu::DiagRange{}, -1, -1); }, cpu::MatrixDiag));
  const std::vector<std::string> whole_inputs{"diagonal: T", "k: int32", "num_rows: int32", "num_cols: int32",
                                              "padding_value: T"};
  r.Add(Def("MatrixDiagV2", whole, whole_inputs, "output: T", false, WholeShape, cpu::MatrixDiagV2));
  r.Add(Def("MatrixDiagV3", whole, whole_inputs, "output: T", true, WholeShape, cpu::MatrixDiagV3));
  const char* const set = "The innermost matrices with other diagonals.";
  r.Add(Def(
      "MatrixSetDiag", set, {"input: T", "diagonal: T"}, "output: T", false,
      [](ShapeContext& c) { SetOf(c, cpu::DiagRange{}); }, cpu::MatrixSetDiag));
  const std::vector<std::string> set_inputs{"input: T", "diagonal: T", "k: int32"};
  const auto set_shape = [](ShapeContext& c) { SetOf(c, RangeInput(c, 2)); };
  r.Add(Def("MatrixSetDiagV2", set, set_inputs, "output: T", false, set_shape, cpu::MatrixSetDiagV2));
  r.Add(Def("MatrixSetDiagV3", set, set_inputs, "output: T", true, set_shape, cpu::MatrixSetDiagV3));
}

}  // namespace equiv::ops
