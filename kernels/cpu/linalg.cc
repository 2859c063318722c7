#include "kernels/cpu/linalg.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>

#include "kernels/cpu/index_args.h"

namespace equiv::cpu {
namespace {
template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Rows of the innermost matrices of input `i`, which must be square. tf: LinearAlgebraOp::ValidateSquare...
std::int64_t RequireSquare(KernelContext& ctx, int i) {
  const Array& in = ctx.input(i);
  if (in.rank() < 2)
    throw InvalidArgumentError(fmt::format("{}Input tensor {} must have rank >= 2, got {}", ctx.Where(), i, in.rank()));
  if (in.dim(in.rank() - 1) != in.dim(in.rank() - 2))
    throw InvalidArgumentError(ctx.Where() + "Input matrix must be square.");
  return in.dim(in.rank() - 1);
}
template <class T>
auto MatrixAt(const Array& in, std::int64_t i, std::int64_t rows, std::int64_t cols) {
  return Eigen::Map<const Matrix<T>>(in.data<T>() + i * rows * cols, rows, cols);
}
template <class T>
auto MatrixAt(Array& out, std::int64_t i, std::int64_t rows, std::int64_t cols) {
  return Eigen::Map<Matrix<T>>(out.mutable_data<T>() + i * rows * cols, rows, cols);
}
template <class T>
Eigen::PartialPivLU<Matrix<T>> Factors(KernelContext& ctx, Matrix<T> matrix, bool adjoint, const char* singular) {
  if (adjoint) matrix.transposeInPlace();
  Eigen::PartialPivLU<Matrix<T>> lu(matrix);
  if (!(lu.matrixLU().diagonal().cwiseAbs().minCoeff() > T{0})) throw InvalidArgumentError(ctx.Where() + singular);
  return lu;
}
template <class T>
void Invert(KernelContext& ctx, const Array& in, std::int64_t n, Array& out) {
  const bool adjoint = ctx.attrs().Get<bool>("adjoint");
  const std::int64_t count = n == 0 ? 0 : in.num_elements() / (n * n);
  ctx.pool().ParallelFor(count, [&](std::int64_t i) {
    MatrixAt<T>(out, i, n, n) =
        Factors<T>(ctx, MatrixAt<T>(in, i, n, n), adjoint, "Input is not invertible.").inverse();
  });
}
}  // namespace

void MatrixInverse(KernelContext& ctx) {
  const std::int64_t n = RequireSquare(ctx, 0);
  const Array in = ctx.input(0);
  if (in.dtype() != DType::kFloat16)
    return ForFloating(ctx, in.dtype(), [&]<class T>() { Invert<T>(ctx, in, n, ctx.Allocate(0, in.shape())); });
  Array wide(DType::kFloat32, in.shape()), inverse(DType::kFloat32, in.shape());
  for (std::int64_t i = 0; i < in.num_elements(); ++i)
    wide.mutable_data<float>()[i] = static_cast<float>(in.data<Float16>()[i]);
  Invert<float>(ctx, wide, n, inverse);
  Float16* out = ctx.Allocate(0, in.shape()).mutable_data<Float16>();
  for (std::int64_t i = 0; i < in.num_elements(); ++i) out[i] = Float16(inverse.data<float>()[i]);
}
void MatrixSolve(KernelContext& ctx) {
  const Array matrix = ctx.input(0), rhs = ctx.input(1);
  if (matrix.rank() != rhs.rank())
    throw InvalidArgumentError(ctx.Where() + "All input tensors must have the same rank.");
  const std::int64_t n = RequireSquare(ctx, 0);
  for (int d = 0; d < matrix.rank() - 2; ++d)
    if (matrix.dim(d) != rhs.dim(d))
      throw InvalidArgumentError(ctx.Where() + "All input tensors must have the same outer dimensions.");
  if (rhs.dim(rhs.rank() - 2) != n) throw InvalidArgumentError(ctx.Where() + "Input matrix and rhs are incompatible.");
  const std::int64_t columns = rhs.dim(rhs.rank() - 1), count = n == 0 ? 0 : matrix.num_elements() / (n * n);
  const bool adjoint = ctx.attrs().Get<bool>("adjoint");
  ForFloating(ctx, matrix.dtype(), [&]<class T>() {
    Array& out = ctx.Allocate(0, rhs.shape());
    if (columns == 0) return;
    ctx.pool().ParallelFor(count, [&](std::int64_t i) {
      MatrixAt<T>(out, i, n, columns) =
          Factors<T>(ctx, MatrixAt<T>(matrix, i, n, n), adjoint, "Input matrix is not invertible.")
              .solve(MatrixAt<T>(rhs, i, n, columns));
    });
  });
}
// tf: DeterminantOp, by way of the logarithms of the factors' diagonal
void MatrixDeterminant(KernelContext& ctx) {
  const std::int64_t n = RequireSquare(ctx, 0);
  const Array in = ctx.input(0);
  const Shape shape(in.shape().dims().first(static_cast<std::size_t>(in.rank() - 2)));
  ForFloating(ctx, in.dtype(), [&]<class T>() {
    T* out = ctx.Allocate(0, shape).template mutable_data<T>();
    ctx.pool().ParallelFor(shape.num_elements(), [&](std::int64_t i) {
      if (n == 0) {
        out[i] = T{1};
        return;
      }
      const Eigen::PartialPivLU<Matrix<T>> lu(MatrixAt<T>(in, i, n, n));
      T logarithm{0}, sign = static_cast<T>(lu.permutationP().determinant());
      for (std::int64_t d = 0; d < n; ++d) {
        const T factor = lu.matrixLU()(d, d);
        logarithm += std::log(std::abs(factor));
        sign = factor < T{0} ? -sign : factor == T{0} ? T{0} : sign;
      }
      out[i] = sign == T{0} ? T{0} : sign * std::exp(logarithm);
    });
  });
}
void Cholesky(KernelContext& ctx) {
  const std::int64_t n = RequireSquare(ctx, 0);
  const Array in = ctx.input(0);
  const std::int64_t count = n == 0 ? 0 : in.num_elements() / (n * n);
  ForFloating(ctx, in.dtype(), [&]<class T>() {
    Array& out = ctx.Allocate(0, in.shape());
    ctx.pool().ParallelFor(count, [&](std::int64_t i) {
      const Eigen::LLT<Matrix<T>, Eigen::Lower> llt(MatrixAt<T>(in, i, n, n));
      auto lower = MatrixAt<T>(out, i, n, n);
      lower.setZero();
      if (llt.info() == Eigen::Success)
        lower.template triangularView<Eigen::Lower>() = llt.matrixL();
      else
        lower.template triangularView<Eigen::Lower>().setConstant(std::numeric_limits<T>::quiet_NaN());
    });
  });
}

void Cross(KernelContext& ctx) {
  const Array a = ctx.input(0), b = ctx.input(1);
  if (!(a.shape() == b.shape()))
    throw InvalidArgumentError(fmt::format("{}Both inputs must be of same shape: {} vs. {}", ctx.Where(),
                                           a.shape().ToString(), b.shape().ToString()));
  if (a.rank() < 1) throw InvalidArgumentError(ctx.Where() + "Input must be at least 1D");
  if (a.dim(a.rank() - 1) != 3)
    throw FailedPreconditionError(ctx.Where() + "Cross-products are only defined for 3-element vectors.");
  ForReal(ctx, a.dtype(), [&]<class T>() {
    const T *x = a.data<T>(), *y = b.data<T>();
    T* z = ctx.Allocate(0, a.shape()).template mutable_data<T>();
    ctx.pool().ParallelRanges(a.num_elements() / 3, 1 << 13, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = 3 * begin; i < 3 * end; i += 3)
        for (std::int64_t k = 0; k < 3; ++k) {
          const std::int64_t p = i + (k + 1) % 3, q = i + (k + 2) % 3;
          z[i + k] = Minus(Times(x[p], y[q]), Times(x[q], y[p]));
        }
    });
  });
}

}  // namespace equiv::cpu
