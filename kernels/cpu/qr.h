// kernels/cpu/qr.h - Householder QR of one matrix.
#pragma once
#include <cstdint>

namespace equiv::cpu {

// a [m, n] = q [m, columns] * r [columns, n], all row-major; columns is m, or min(m, n) for the thin form.
// The order of the sums follows the width of the vectors. tf: HouseholderQR of an Eigen built for AVX without FMA;
// equal to the bit where the processor has AVX.
void HouseholderQr(const float* a, std::int64_t m, std::int64_t n, std::int64_t columns, float* q, float* r);
void HouseholderQr(const double* a, std::int64_t m, std::int64_t n, std::int64_t columns, double* q, double* r);

}  // namespace equiv::cpu
