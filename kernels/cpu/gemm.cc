#include "kernels/cpu/gemm.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <new>

#include "kernels/base/error.h"
#include "kernels/cpu/gemm_tile.h"

namespace equiv::cpu {
namespace {
using internal::kBlockK;
using internal::Panel;
using internal::PanelArgs;

constexpr std::int64_t kBlockM = 96;
constexpr std::int64_t kMaxBlockN = 256;

// One panel routine per shape: `wide` is the work horse, `narrow` takes what is left of the columns, `thin` a single
// row straight from an unpacked B, wide enough to stream it.
template <class T>
struct Routines {
  const char* name;
  std::int64_t wide_width, narrow_width, thin_width;
  void (*wide)(const PanelArgs<T>&);
  void (*narrow)(const PanelArgs<T>&);
  void (*thin)(const PanelArgs<T>&);
};

#define EQUIV_GEMM_ROUTINES(Name, Target, bytes, rows)                                         \
  template <class T>                                                                           \
  Target void Wide##Name(const PanelArgs<T>& p) {                                              \
    Panel<T, bytes, rows, 2>(p);                                                               \
  }                                                                                            \
  template <class T>                                                                           \
  Target void Narrow##Name(const PanelArgs<T>& p) {                                            \
    Panel<T, bytes, rows, 1>(p);                                                               \
  }                                                                                            \
  template <class T>                                                                           \
  Target void Thin##Name(const PanelArgs<T>& p) {                                              \
    Panel<T, bytes, 1, 8>(p);                                                                  \
  }                                                                                            \
  template <class T>                                                                           \
  Routines<T> Make##Name(const char* name) {                                                   \
    constexpr std::int64_t lanes = bytes / static_cast<std::int64_t>(sizeof(T));               \
    return {name, 2 * lanes, lanes, 8 * lanes, Wide##Name<T>, Narrow##Name<T>, Thin##Name<T>}; \
  }
EQUIV_GEMM_ROUTINES(Baseline, , 16, 4)
#if defined(__x86_64__)
EQUIV_GEMM_ROUTINES(Avx2, __attribute__((target("avx2"))), 32, 4)
EQUIV_GEMM_ROUTINES(Avx512, __attribute__((target("avx512f"))), 64, 8)
#endif
#undef EQUIV_GEMM_ROUTINES

// All the routines this processor runs, best first.
template <class T>
const std::vector<Routines<T>>& Available() {
  static const std::vector<Routines<T>> all = [] {
    std::vector<Routines<T>> list;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) list.push_back(MakeAvx512<T>("avx512f"));
    if (__builtin_cpu_supports("avx2")) list.push_back(MakeAvx2<T>("avx2"));
#endif
    list.push_back(MakeBaseline<T>("baseline"));
    return list;
  }();
  return all;
}
std::atomic<std::size_t> chosen{0};

// Scratch of one thread: a block of A and a block of B, packed.
template <class T>
struct Scratch {
  struct Free {
    void operator()(T* p) const { ::operator delete (p, std::align_val_t{64}); }
  };
  static std::unique_ptr<T, Free> Make(std::int64_t n) {
    return std::unique_ptr<T, Free>(
        static_cast<T*>(::operator new (static_cast<std::size_t>(n) * sizeof(T), std::align_val_t{64})));
  }
  std::unique_ptr<T, Free> a = Make(kBlockM * kBlockK), b = Make(kMaxBlockN * kBlockK);
  static Scratch& OfThread() {
    thread_local Scratch scratch;
    return scratch;
  }
};

std::int64_t DivideUp(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Near-equal blocks of at most `most`, each a multiple of `grain`.
std::int64_t BlockSize(std::int64_t n, std::int64_t most, std::int64_t grain) {
  return DivideUp(DivideUp(n, DivideUp(n, most)), grain) * grain;
}

// Columns [0, n) of rows [0, k) of B as one panel of `width` columns, the missing ones zero.
template <class T>
void PackB(const T* b, std::int64_t row, std::int64_t col, std::int64_t k, std::int64_t n, std::int64_t width, T* out) {
  for (std::int64_t p = 0; p < k; ++p, b += row, out += width) {
    if (col == 1)
      std::memcpy(out, b, static_cast<std::size_t>(n) * sizeof(T));
    else
      for (std::int64_t j = 0; j < n; ++j) out[j] = b[j * col];
    std::fill(out + n, out + width, T{0});
  }
}

// C[rows, cols] for one block of rows and columns, all of k.
template <class T>
void Block(const GemmArgs<T>& g, std::int64_t row, std::int64_t rows, std::int64_t col, std::int64_t cols) {
  const Routines<T>& routines = Available<T>()[chosen];
  Scratch<T>& scratch = Scratch<T>::OfThread();
  for (std::int64_t k0 = 0; k0 < g.k; k0 += kBlockK) {
    PanelArgs<T> p{.m = rows,
                   .n = 0,
                   .k = std::min(kBlockK, g.k - k0),
                   .a = nullptr,
                   .lda = g.a_row,
                   .b = nullptr,
                   .ldb = 0,
                   .c = nullptr,
                   .ldc = g.c_row,
                   .first = k0 == 0};
    if (!g.fill_a && g.a_col == 1) {
      p.a = g.a + row * g.a_row + k0;
    } else {
      T* a = scratch.a.get();
      if (g.fill_a) {
        g.fill_a(row, rows, k0, p.k, a);
      } else {
        for (std::int64_t q = 0; q < p.k; ++q)
          for (std::int64_t i = 0; i < rows; ++i) a[i * p.k + q] = g.a[(row + i) * g.a_row + (k0 + q) * g.a_col];
      }
      p.a = a;
      p.lda = p.k;
    }
    const T* b = g.b + k0 * g.b_row + col * g.b_col;
    for (std::int64_t j = 0; j < cols; j += p.n) {
      const std::int64_t left = cols - j;
      p.c = g.c + row * g.c_row + col + j;
      if (rows == 1 && g.b_col == 1 && left >= routines.thin_width) {
        p.n = routines.thin_width;
        p.b = b + j;
        p.ldb = g.b_row;
        routines.thin(p);
        continue;
      }
      const bool narrow = left <= routines.narrow_width;
      const std::int64_t width = narrow ? routines.narrow_width : routines.wide_width;
      p.n = std::min(left, width);
      PackB(b + j * g.b_col, g.b_row, g.b_col, p.k, p.n, width, scratch.b.get());
      p.b = scratch.b.get();
      p.ldb = width;
      (narrow ? routines.narrow : routines.wide)(p);
    }
  }
}
}  // namespace

template <class T>
void Gemm(ThreadPool& pool, const GemmArgs<T>& g) {
  if (g.m == 0 || g.n == 0) return;
  if (g.k == 0) {
    for (std::int64_t i = 0; i < g.m; ++i) std::fill_n(g.c + i * g.c_row, g.n, T{0});
    return;
  }
  const std::int64_t block_m = BlockSize(g.m, kBlockM, 8), blocks_m = DivideUp(g.m, block_m);
  // Narrower blocks of columns when there are few of rows, so that many threads find work.
  const std::int64_t most_n = blocks_m >= 8 ? kMaxBlockN : 128;
  const std::int64_t block_n = BlockSize(g.n, most_n, 32), blocks_n = DivideUp(g.n, block_n);
  pool.ParallelFor(blocks_m * blocks_n, [&](std::int64_t i) {
    const std::int64_t row = i / blocks_n * block_m, col = i % blocks_n * block_n;
    Block(g, row, std::min(block_m, g.m - row), col, std::min(block_n, g.n - col));
  });
}
template void Gemm<float>(ThreadPool&, const GemmArgs<float>&);
template void Gemm<double>(ThreadPool&, const GemmArgs<double>&);

std::vector<std::string> GemmInstructionSets() {
  std::vector<std::string> names;
  for (const auto& routines : Available<float>()) names.push_back(routines.name);
  return names;
}
void UseGemmInstructionSet(std::string_view name) {
  const auto& all = Available<float>();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (name == all[i].name) {
      chosen = i;
      return;
    }
  throw ValueError("Gemm: no instruction set '" + std::string(name) + "' on this processor");
}

}  // namespace equiv::cpu
