#include "kernels/cpu/qr.h"

#define EQUIV_QR_NAMESPACE baseline
#include "kernels/cpu/qr_steps.h"

namespace equiv::cpu {
#ifdef EQUIV_HAVE_AVX
void HouseholderQrAvx(const float* a, std::int64_t m, std::int64_t n, std::int64_t columns, float* q, float* r);
void HouseholderQrAvx(const double* a, std::int64_t m, std::int64_t n, std::int64_t columns, double* q, double* r);
#endif
namespace {
template <class T>
void Dispatch(const T* a, std::int64_t m, std::int64_t n, std::int64_t columns, T* q, T* r) {
#ifdef EQUIV_HAVE_AVX
  if (__builtin_cpu_supports("avx")) return HouseholderQrAvx(a, m, n, columns, q, r);
#endif
  baseline::Factorise(a, m, n, columns, q, r);
}
}  // namespace

void HouseholderQr(const float* a, std::int64_t m, std::int64_t n, std::int64_t columns, float* q, float* r) {
  Dispatch(a, m, n, columns, q, r);
}
void HouseholderQr(const double* a, std::int64_t m, std::int64_t n, std::int64_t columns, double* q, double* r) {
  Dispatch(a, m, n, columns, q, r);
}
}  // namespace equiv::cpu
