#include "kernels/base/flush.h"

#if defined(__SSE2__)
#include <immintrin.h>
namespace equiv {
namespace {
constexpr unsigned kFlush = 0x8040u;  // FTZ | DAZ
}
ScopedFlushDenormals::ScopedFlushDenormals() : saved_(_mm_getcsr()) {
  if ((saved_ & kFlush) != kFlush) _mm_setcsr(saved_ | kFlush);
}
ScopedFlushDenormals::~ScopedFlushDenormals() {
  if ((saved_ & kFlush) != kFlush) _mm_setcsr((_mm_getcsr() & ~kFlush) | (saved_ & kFlush));
}
ScopedKeepDenormals::ScopedKeepDenormals() : saved_(_mm_getcsr()) {
  if (saved_ & kFlush) _mm_setcsr(saved_ & ~kFlush);
}
ScopedKeepDenormals::~ScopedKeepDenormals() {
  if (saved_ & kFlush) _mm_setcsr(_mm_getcsr() | (saved_ & kFlush));
}
}  // namespace equiv
#else
#error "equiv needs x86-64: other CPUs have no measured flush-denormals rule yet"
#endif
