// kernels/base/thread_pool.h - a fixed pool; its size never changes a bit.
//
// Callers split work into blocks whose boundaries depend on the problem only, never on size(). Every worker (and the
// caller, while inside ParallelFor) flushes denormals as TensorFlow's kernels do.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>

namespace equiv {

class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // threads >= 1, the caller counts as one
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return threads_; }
  // Runs body(0) ... body(blocks-1), each once, in any order; returns when all are done. An exception of a body is
  // rethrown here (the first one). Nested calls run inline.
  void ParallelFor(std::int64_t blocks, const std::function<void(std::int64_t)>& body);
  // ParallelFor over [0, n) in ranges of `block` elements: body(begin, end).
  void ParallelRanges(std::int64_t n, std::int64_t block, const std::function<void(std::int64_t, std::int64_t)>& body);

  // The process-wide pool: all cores unless SetDefaultThreads or EQUIV_NUM_THREADS says otherwise.
  static ThreadPool& Default();
  // Replaces the process-wide pool; must not be called while kernels run.
  static void SetDefaultThreads(int threads);

 private:
  struct State;
  int threads_;
  std::unique_ptr<State> state_;
};

}  // namespace equiv
