#include "kernels/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/base/flush.h"

namespace equiv {
namespace {
thread_local bool inside_pool = false;
std::mutex default_mutex;
std::unique_ptr<ThreadPool> default_pool;
}  // namespace

struct ThreadPool::State {
  std::mutex mutex;
  std::mutex one_at_a_time;  // callers from different threads queue up
  std::condition_variable wake, done;
  std::vector<std::thread> workers;
  const std::function<void(std::int64_t)>* body = nullptr;
  std::int64_t blocks = 0;
  std::atomic<std::int64_t> next{0};
  int busy = 0;
  std::uint64_t generation = 0;
  bool stop = false;
  std::exception_ptr error;

  void Work() {
    for (std::int64_t i; (i = next.fetch_add(1)) < blocks;) {
      try {
        (*body)(i);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
    }
  }
  void Loop() {
    inside_pool = true;
    ScopedFlushDenormals flush;
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return stop || generation != seen; });
      if (stop) return;
      seen = generation;
      lock.unlock();
      Work();
      lock.lock();
      if (--busy == 0) done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : threads_(threads), state_(std::make_unique<State>()) {
  if (threads < 1) throw InvalidArgumentError("ThreadPool: threads must be >= 1, got " + std::to_string(threads));
  for (int i = 1; i < threads; ++i) state_->workers.emplace_back([s = state_.get()] { s->Loop(); });
}
ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  for (std::thread& t : state_->workers) t.join();
}

void ThreadPool::ParallelFor(std::int64_t blocks, const std::function<void(std::int64_t)>& body) {
  ScopedFlushDenormals flush;
  if (blocks <= 1 || threads_ == 1 || inside_pool) {
    for (std::int64_t i = 0; i < blocks; ++i) body(i);
    return;
  }
  State& s = *state_;
  std::lock_guard turn(s.one_at_a_time);
  {
    std::lock_guard lock(s.mutex);
    s.body = &body;
    s.blocks = blocks;
    s.next = 0;
    s.busy = static_cast<int>(s.workers.size());
    s.error = nullptr;
    ++s.generation;
  }
  s.wake.notify_all();
  inside_pool = true;
  s.Work();
  inside_pool = false;
  std::unique_lock lock(s.mutex);
  s.done.wait(lock, [&] { return s.busy == 0; });
  if (s.error) std::rethrow_exception(std::exchange(s.error, nullptr));
}

void ThreadPool::ParallelRanges(std::int64_t n, std::int64_t block,
                                const std::function<void(std::int64_t, std::int64_t)>& body) {
  ParallelFor((n + block - 1) / block, [&](std::int64_t i) { body(i * block, std::min(n, (i + 1) * block)); });
}

ThreadPool& ThreadPool::Default() {
  std::lock_guard lock(default_mutex);
  if (!default_pool) {
    int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    if (const char* text = std::getenv("EQUIV_NUM_THREADS")) threads = std::clamp(std::atoi(text), 1, 1024);
    default_pool = std::make_unique<ThreadPool>(threads);
  }
  return *default_pool;
}
void ThreadPool::SetDefaultThreads(int threads) {
  auto pool = std::make_unique<ThreadPool>(threads);
  std::lock_guard lock(default_mutex);
  default_pool = std::move(pool);
}
}  // namespace equiv
