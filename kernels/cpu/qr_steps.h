// Private to kernels/cpu: the factorisation, in the namespace EQUIV_QR_NAMESPACE of the file that includes this. Each
// file is built for its own instruction set, so it renames Eigen's namespace too: no function may be shared.
#pragma once
#include <Eigen/Dense>
#include <algorithm>
#include <cstdint>

namespace equiv::cpu::EQUIV_QR_NAMESPACE {

template <class T>
void Factorise(const T* a, std::int64_t m, std::int64_t n, std::int64_t columns, T* q, T* r) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const std::int64_t small = std::min(m, n);
  const Eigen::HouseholderQR<Matrix> qr(Eigen::Map<const Matrix>(a, m, n));
  const Matrix thin = Matrix::Identity(m, columns);
  Eigen::Map<Matrix>(q, m, columns) = qr.householderQ() * thin;
  Matrix upper = Matrix::Zero(columns, n);
  upper.topRows(small) = qr.matrixQR().topRows(small).template triangularView<Eigen::Upper>();
  Eigen::Map<Matrix>(r, columns, n) = upper;
}

}  // namespace equiv::cpu::EQUIV_QR_NAMESPACE
