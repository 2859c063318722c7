// kernels/cpu/reduce_order.h - the order in which TensorFlow adds: shared by reductions, batch norm and softmax.
//
// TensorFlow's CPU kernels reduce with packets of 32 bytes (8 floats, 4 doubles). Written as plain loops over that many
// lanes, the same bits come out whatever the processor's own width is.
// tf: Eigen TensorReduction, InnerMostDimReducer (a run of consecutive values), InnerMostDimPreserver (rows onto one
// another), GenericDimReducer (everything else)
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace equiv::cpu {

template <class T>
inline constexpr std::int64_t kPacket = 32 / static_cast<std::int64_t>(sizeof(T));
// Longer runs are halved. tf: LeafSize<T>
template <class T>
inline constexpr std::int64_t kLeaf = 1024 * kPacket<T>;

// Elements of the left half of a run [first, first + n).
template <class T>
std::int64_t LeftHalf(std::int64_t first, std::int64_t n) {
  const std::int64_t middle = first + (n + 1) / 2;
  return std::min((middle + kPacket<T> - 1) / kPacket<T> * kPacket<T> - first, n);
}

// Op: T operator()(T accumulated, T next), and T Op::identity.
template <class Op, class T>
[[gnu::always_inline]] inline T ReduceLeaf(const T* x, std::int64_t n) {
  constexpr std::int64_t P = kPacket<T>;
  const Op op{};
  const std::int64_t unrolled = n / (4 * P) * (4 * P), packets = n / P * P;
  T lanes[4 * P];
  std::fill_n(lanes, 4 * P, Op::identity);
  for (std::int64_t i = 0; i < unrolled; i += 4 * P)
    for (std::int64_t j = 0; j < 4 * P; ++j) lanes[j] = op(lanes[j], x[i + j]);
  for (std::int64_t q = 1; q < 4; ++q)
    for (std::int64_t j = 0; j < P; ++j) lanes[j] = op(lanes[j], lanes[q * P + j]);
  for (std::int64_t i = unrolled; i < packets; i += P)
    for (std::int64_t j = 0; j < P; ++j) lanes[j] = op(lanes[j], x[i + j]);
  for (std::int64_t half = P / 2; half > 0; half /= 2)
    for (std::int64_t j = 0; j < half; ++j) lanes[j] = op(lanes[j], lanes[j + half]);
  T tail = Op::identity;
  for (std::int64_t i = packets; i < n; ++i) tail = op(tail, x[i]);
  return op(tail, lanes[0]);
}

// out[j] = reduction of load(row, j) over the rows, j < n, for columns that TensorFlow takes a packet at a time: four
// interleaved accumulators from 16 rows on. `lanes` is scratch of 4 * n.
template <class Op, class T, class Load>
[[gnu::always_inline]] inline void ReducePacketColumns(const Load& load, std::int64_t rows, std::int64_t n,
                                                       T* __restrict__ lanes, T* __restrict__ out) {
  const Op op{};
  std::fill_n(out, n, Op::identity);
  std::int64_t row = 0;
  if (rows >= 16) {
    std::fill_n(lanes, 4 * n, Op::identity);
    for (; row + 4 <= rows; row += 4)
      for (std::int64_t q = 0; q < 4; ++q) {
        T* to = lanes + q * n;
        for (std::int64_t j = 0; j < n; ++j) to[j] = op(to[j], load(row + q, j));
      }
    for (std::int64_t j = 0; j < n; ++j)
      out[j] = op(op(op(lanes[j], lanes[n + j]), lanes[2 * n + j]), lanes[3 * n + j]);
  }
  for (; row < rows; ++row)
    for (std::int64_t j = 0; j < n; ++j) out[j] = op(out[j], load(row, j));
}

// The same for columns taken one by one: straight down.
template <class Op, class T, class Load>
[[gnu::always_inline]] inline void ReduceScalarColumns(const Load& load, std::int64_t rows, std::int64_t n,
                                                       T* __restrict__ out) {
  const Op op{};
  std::fill_n(out, n, Op::identity);
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t j = 0; j < n; ++j) out[j] = op(out[j], load(row, j));
}

template <class T>
struct SumOp {
  static constexpr T identity = 0;
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>)  // wraps, as TensorFlow's does
      return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) + static_cast<std::make_unsigned_t<T>>(b));
    else
      return a + b;
  }
};
template <class T>
struct ProdOp {
  static constexpr T identity = 1;
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) * static_cast<std::make_unsigned_t<T>>(b));
    else
      return a * b;
  }
};
// A NaN stays.
template <class T>
struct MaxOp {
  static constexpr T identity =
      std::is_integral_v<T> ? std::numeric_limits<T>::lowest() : -std::numeric_limits<T>::infinity();
  T operator()(T a, T b) const { return b > a || b != b ? b : a; }
};
template <class T>
struct MinOp {
  static constexpr T identity =
      std::is_integral_v<T> ? std::numeric_limits<T>::max() : std::numeric_limits<T>::infinity();
  T operator()(T a, T b) const { return b < a || b != b ? b : a; }
};

}  // namespace equiv::cpu
