#include "kernels/cpu/matrix_diag.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/index_args.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;

struct Alignment {
  bool super_left, sub_left;
};
constexpr Alignment kLeft{true, true};
// tf: ReadAlignment: "RIGHT_LEFT": superdiagonals to the right, subdiagonals to the left
Alignment AlignOf(KernelContext& ctx) {
  const std::string& align = ctx.attrs().Get<std::string>("align");
  return {align.starts_with("LEFT"), align.ends_with("LEFT")};
}
// One diagonal of a matrix: where it starts there, and in its row of the packed diagonals.
struct Diagonal {
  std::int64_t length, row, col, offset;
};
Diagonal DiagonalAt(std::int64_t k, std::int64_t rows, std::int64_t cols, std::int64_t longest, Alignment align) {
  const std::int64_t length =
      std::max<std::int64_t>(0, std::min(rows + std::min<std::int64_t>(k, 0), cols - std::max<std::int64_t>(k, 0)));
  const bool left = k >= 0 ? align.super_left : align.sub_left;
  return {length, std::max<std::int64_t>(-k, 0), std::max<std::int64_t>(k, 0), left ? 0 : longest - length};
}
struct Matrices {
  std::int64_t count, rows, cols;
};
Matrices MatricesOf(KernelContext& ctx, const Array& in) {
  if (in.rank() < 2)
    throw InvalidArgumentError(ctx.Where() + "input must be at least 2-dim, received shape: " + in.shape().ToString());
  return {Product(in.shape(), 0, in.rank() - 2), in.dim(in.rank() - 2), in.dim(in.rank() - 1)};
}
void Fill(std::byte* out, std::int64_t n, const std::byte* value, std::size_t size) {
  for (std::int64_t i = 0; i < n; ++i) std::memcpy(out + static_cast<std::size_t>(i) * size, value, size);
}
const std::byte* PaddingOf(KernelContext& ctx, int i) {
  if (ctx.input(i).num_elements() != 1)
    throw InvalidArgumentError(ctx.Where() +
                               "padding_value must be a scalar, received shape: " + ctx.input(i).shape().ToString());
  return ctx.input(i).raw();
}
// Copies the diagonals of `range` between matrices and packed rows; `to_matrices` gives the direction.
void CopyDiagonals(const DiagRange& range, const Matrices& m, std::int64_t longest, Alignment align, std::size_t size,
                   std::byte* matrices, std::byte* packed, bool to_matrices) {
  for (std::int64_t i = 0; i < m.count; ++i)
    for (std::int64_t k = range.upper; k >= range.lower; --k) {
      const Diagonal d = DiagonalAt(k, m.rows, m.cols, longest, align);
      std::byte* row = packed + static_cast<std::size_t>(((i * range.count()) + (range.upper - k)) * longest) * size;
      for (std::int64_t j = 0; j < d.length; ++j) {
        std::byte* cell = matrices + static_cast<std::size_t>((i * m.rows + d.row + j) * m.cols + d.col + j) * size;
        std::byte* element = row + static_cast<std::size_t>(d.offset + j) * size;
        std::memcpy(to_matrices ? cell : element, to_matrices ? element : cell, size);
      }
    }
}

void Part(KernelContext& ctx, const DiagRange& range, const std::byte* padding, Alignment align) {
  const Array in = ctx.input(0);
  const Matrices m = MatricesOf(ctx, in);
  CheckDiagRange(FailOf(ctx), range, m.rows, m.cols);
  const std::size_t size = RequireFixedSize(ctx, in.dtype());
  const std::int64_t longest = LongestDiagonal(range, m.rows, m.cols);
  Ints dims(in.shape().dims().begin(), in.shape().dims().end() - 2);
  if (!range.single()) dims.push_back(range.count());
  dims.push_back(longest);
  Array& out = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims));
  if (padding)
    Fill(out.raw(), out.num_elements(), padding, size);
  else if (out.num_bytes())
    std::memset(out.raw(), 0, out.num_bytes());
  CopyDiagonals(range, m, longest, align, size, const_cast<std::byte*>(in.raw()), out.raw(), false);
}
void Whole(KernelContext& ctx, const DiagRange& range, std::int64_t rows, std::int64_t cols, const std::byte* padding,
           Alignment align) {
  const Array in = ctx.input(0);
  const int own = range.single() ? 1 : 2;
  if (in.rank() < own)
    throw InvalidArgumentError(
        fmt::format("{}diagonal must be at least {}-dim, received shape: {}", ctx.Where(), own, in.shape().ToString()));
  if (!range.single() && in.dim(in.rank() - 2) != range.count())
    throw InvalidArgumentError(ctx.Where() +
                               "The number of diagonals provided in the input does not match the lower_diag_index and "
                               "upper_diag_index range.");
  const std::int64_t longest = in.dim(in.rank() - 1);
  const DiagMatrixSize matrix = SizeFromDiagonals(FailOf(ctx), range, longest, rows, cols);
  const std::size_t size = RequireFixedSize(ctx, in.dtype());
  Ints dims(in.shape().dims().begin(), in.shape().dims().end() - own);
  dims.insert(dims.end(), {matrix.rows, matrix.cols});
  Array& out = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims));
  if (padding)
    Fill(out.raw(), out.num_elements(), padding, size);
  else if (out.num_bytes())
    std::memset(out.raw(), 0, out.num_bytes());
  CopyDiagonals(range, {Product(in.shape(), 0, in.rank() - own), matrix.rows, matrix.cols}, longest, align, size,
                out.raw(), const_cast<std::byte*>(in.raw()), true);
}
void Set(KernelContext& ctx, const DiagRange& range, Alignment align) {
  const Array in = ctx.input(0), diagonal = ctx.input(1);
  const Matrices m = MatricesOf(ctx, in);
  CheckDiagRange(FailOf(ctx), range, m.rows, m.cols);
  const std::int64_t longest = LongestDiagonal(range, m.rows, m.cols);
  Ints dims(in.shape().dims().begin(), in.shape().dims().end() - 2);
  if (!range.single()) {
    if (diagonal.rank() < 2 || diagonal.dim(diagonal.rank() - 2) != range.count())
      throw InvalidArgumentError(ctx.Where() +
                                 "The number of diagonals provided in `diag` is not consistent with "
                                 "`lower_diag_index` and `upper_diag_index`");
    dims.push_back(range.count());
  }
  dims.push_back(longest);
  if (!(diagonal.shape() == Shape(dims)))
    throw InvalidArgumentError(
        fmt::format("{}Either first dimensions of diagonal don't match input.shape[:-2], or diagonal.shape[:-1] is not "
                    "equal to the longests diagonal in range [lower_diag_index:upper_diag_index].\nInput shape: "
                    "{}\nDiagonal shape: {}\nExpected diagonal shape: {}",
                    ctx.Where(), in.shape().ToString(), diagonal.shape().ToString(), Shape(dims).ToString()));
  const std::size_t size = RequireFixedSize(ctx, in.dtype());
  Array out = in.Copy();
  CopyDiagonals(range, m, longest, align, size, out.raw(), const_cast<std::byte*>(diagonal.raw()), true);
  ctx.set_output(0, std::move(out));
}
DiagRange RangeInput(KernelContext& ctx, int i) { return MakeDiagRange(FailOf(ctx), ctx.input(i)); }
std::int64_t SizeInput(KernelContext& ctx, int i, const char* name) {
  if (ctx.input(i).rank() != 0) throw InvalidArgumentError(fmt::format("{}{} must be a scalar", ctx.Where(), name));
  return ctx.input(i).AsInt64Vector()[0];
}
}  // namespace

DiagRange MakeDiagRange(const FailFn& fail, const Array& k) {
  if (k.rank() > 1) fail("diag_index must be a scalar or vector, received shape: " + k.shape().ToString());
  const Ints values = k.AsInt64Vector();
  if (values.empty() || values.size() > 2)
    fail(fmt::format("diag_index must have only one or two elements, received {} elements.", values.size()));
  const DiagRange range{values.front(), values.back()};
  if (range.lower > range.upper)
    fail(fmt::format("lower_diag_index must not be larger than upper_diag_index: {} > {}", range.lower, range.upper));
  return range;
}
void CheckDiagRange(const FailFn& fail, const DiagRange& range, std::int64_t rows, std::int64_t cols) {
  const auto check = [&](const char* name, std::int64_t k) {
    if (k != 0 && ((rows >= 0 && k <= -rows) || (cols >= 0 && k >= cols)))
      fail(fmt::format("{} is out of bound: {}. It must be between {} and {}", name, k, -rows, cols));
  };
  check("lower_diag_index", range.lower);
  check("upper_diag_index", range.upper);
}
std::int64_t LongestDiagonal(const DiagRange& range, std::int64_t rows, std::int64_t cols) {
  return std::min(rows + std::min<std::int64_t>(range.upper, 0), cols - std::max<std::int64_t>(range.lower, 0));
}
DiagMatrixSize SizeFromDiagonals(const FailFn& fail, const DiagRange& range, std::int64_t length, std::int64_t rows,
                                 std::int64_t cols) {
  const std::int64_t least_rows = length - std::min<std::int64_t>(range.upper, 0),
                     least_cols = length + std::max<std::int64_t>(range.lower, 0);
  if (rows != -1 && rows < least_rows) fail("The number of rows is too small.");
  if (cols != -1 && cols < least_cols) fail("The number of columns is too small.");
  if (rows == -1 && cols == -1)
    rows = cols = std::max(least_rows, least_cols);
  else if (rows == -1)
    rows = least_rows;
  else if (cols == -1)
    cols = least_cols;
  if (rows != least_rows && cols != least_cols)
    fail("The number of rows or columns is not consistent with the specified d_lower, d_upper, and diagonal.");
  return {rows, cols};
}

void MatrixBandPart(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const Matrices m = MatricesOf(ctx, in);
  const std::int64_t lower = RankZeroInt(ctx, 1, "num_lower"), upper = RankZeroInt(ctx, 2, "num_upper");
  if (lower > m.rows)
    throw InvalidArgumentError(fmt::format(
        "{}num_lower must be negative or less or equal to number of rows ({}) got: {}", ctx.Where(), m.rows, lower));
  if (upper > m.cols)
    throw InvalidArgumentError(fmt::format(
        "{}num_upper must be negative or less or equal to number of columns ({}) got: {}", ctx.Where(), m.cols, upper));
  const std::size_t size = RequireFixedSize(ctx, in.dtype());
  Array& out = ctx.Allocate(0, in.shape());
  if (out.num_bytes()) std::memset(out.raw(), 0, out.num_bytes());
  for (std::int64_t i = 0; i < m.count * m.rows; ++i) {
    const std::int64_t row = i % m.rows, begin = lower < 0 ? 0 : std::clamp<std::int64_t>(row - lower, 0, m.cols),
                       end = upper < 0 ? m.cols : std::min(m.cols, row + upper + 1);
    if (end > begin)
      std::memcpy(out.raw() + static_cast<std::size_t>(i * m.cols + begin) * size,
                  in.raw() + static_cast<std::size_t>(i * m.cols + begin) * size,
                  static_cast<std::size_t>(end - begin) * size);
  }
}
void MatrixDiagPart(KernelContext& ctx) { Part(ctx, {}, nullptr, kLeft); }
void MatrixDiagPartV2(KernelContext& ctx) { Part(ctx, RangeInput(ctx, 1), PaddingOf(ctx, 2), kLeft); }
void MatrixDiagPartV3(KernelContext& ctx) { Part(ctx, RangeInput(ctx, 1), PaddingOf(ctx, 2), AlignOf(ctx)); }
void MatrixDiag(KernelContext& ctx) { Whole(ctx, {}, -1, -1, nullptr, kLeft); }
namespace {
void WholeFromInputs(KernelContext& ctx, Alignment align) {
  const std::int64_t rows = SizeInput(ctx, 2, "num_rows"), cols = SizeInput(ctx, 3, "num_cols");
  Whole(ctx, RangeInput(ctx, 1), rows, cols, PaddingOf(ctx, 4), align);
}
}  // namespace
void MatrixDiagV2(KernelContext& ctx) { WholeFromInputs(ctx, kLeft); }
void MatrixDiagV3(KernelContext& ctx) { WholeFromInputs(ctx, AlignOf(ctx)); }
void MatrixSetDiag(KernelContext& ctx) { Set(ctx, {}, kLeft); }
void MatrixSetDiagV2(KernelContext& ctx) { Set(ctx, RangeInput(ctx, 2), kLeft); }
void MatrixSetDiagV3(KernelContext& ctx) { Set(ctx, RangeInput(ctx, 2), AlignOf(ctx)); }

}  // namespace equiv::cpu
