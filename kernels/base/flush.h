// kernels/base/flush.h - flush-to-zero and denormals-are-zero for the current thread, restored on leaving.
// tf: every arithmetic kernel runs with both set (port::ScopedFlushDenormal), data movement keeps the bits.
#pragma once

namespace equiv {

class ScopedFlushDenormals {
 public:
  ScopedFlushDenormals();
  ~ScopedFlushDenormals();
  ScopedFlushDenormals(const ScopedFlushDenormals&) = delete;
  ScopedFlushDenormals& operator=(const ScopedFlushDenormals&) = delete;

 private:
  unsigned saved_;
};
// The opposite, for code that must see every bit pattern (comparison, printing) even when called from a kernel.
class ScopedKeepDenormals {
 public:
  ScopedKeepDenormals();
  ~ScopedKeepDenormals();
  ScopedKeepDenormals(const ScopedKeepDenormals&) = delete;
  ScopedKeepDenormals& operator=(const ScopedKeepDenormals&) = delete;

 private:
  unsigned saved_;
};

}  // namespace equiv
