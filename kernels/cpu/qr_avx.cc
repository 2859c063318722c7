// Built with -mavx: eight floats at a time, no fused multiply-add.
#define Eigen EquivEigenAvx
#define EQUIV_QR_NAMESPACE avx
#include "kernels/cpu/qr_steps.h"

namespace equiv::cpu {
void HouseholderQrAvx(const float* a, std::int64_t m, std::int64_t n, std::int64_t columns, float* q, float* r) {
  avx::Factorise(a, m, n, columns, q, r);
}
void HouseholderQrAvx(const double* a, std::int64_t m, std::int64_t n, std::int64_t columns, double* q, double* r) {
  avx::Factorise(a, m, n, columns, q, r);
}
}  // namespace equiv::cpu
