// kernels/cpu/reduce_order.h - the order in which TensorFlow adds: shared by reductions, batch norm and softmax.
//
// TensorFlow's CPU kernels reduce with packets of 32 bytes (8 floats, 4 doubles) and of 8 halves. Written as plain
// loops over that many lanes, the same bits come out whatever the processor's own width is. tf: Eigen TensorReduction,
// InnerMostDimReducer (a run of consecutive values), InnerMostDimPreserver (rows onto one another), GenericDimReducer
// (everything else)
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {

template <class T>
inline constexpr std::int64_t kPacket = HalfPrecision<T> ? 8 : 32 / static_cast<std::int64_t>(sizeof(T));
// Longer runs are halved. tf: LeafSize<T>
template <class T>
inline constexpr std::int64_t kLeaf = kPacket<T>*(std::is_same_v<T, Float16>    ? 200
                                                  : std::is_same_v<T, BFloat16> ? 128
                                                                                : 1024);

// Elements of the left half of a run [first, first + n).
template <class T>
std::int64_t LeftHalf(std::int64_t first, std::int64_t n) {
  const std::int64_t middle = first + (n + 1) / 2;
  return std::min((middle + kPacket<T> - 1) / kPacket<T> * kPacket<T> - first, n);
}

// Op: T operator()(T accumulated, T next), T Op::identity, and whether long runs are halved.
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
  if constexpr (HalfPrecision<T>) {  // tf: predux of halves folds floats and rounds once
    float wide[P];
    for (std::int64_t j = 0; j < P; ++j) wide[j] = static_cast<float>(lanes[j]);
    const typename Op::Wide wide_op{};
    for (std::int64_t half = P / 2; half > 0; half /= 2)
      for (std::int64_t j = 0; j < half; ++j) wide[j] = wide_op(wide[j], wide[j + half]);
    lanes[0] = T(wide[0]);
  } else {
    for (std::int64_t half = P / 2; half > 0; half /= 2)
      for (std::int64_t j = 0; j < half; ++j) lanes[j] = op(lanes[j], lanes[j + half]);
  }
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

// [rows, n] -> [n], packets of columns first, the columns left over by ScalarOp. tf: InnerMostDimPreserver
template <class Op, class ScalarOp, class T>
void ReduceRowsInOrder(const T* x, std::int64_t rows, std::int64_t n, T* out) {
  constexpr std::int64_t kChunk = 8 * kPacket<T>;
  T lanes[4 * kChunk];
  const std::int64_t packed = n / kPacket<T> * kPacket<T>;
  for (std::int64_t c = 0; c < packed; c += kChunk) {
    const auto load = [=](std::int64_t row, std::int64_t j) { return x[row * n + c + j]; };
    ReducePacketColumns<Op>(load, rows, std::min(kChunk, packed - c), lanes, out + c);
  }
  const auto load = [=](std::int64_t row, std::int64_t j) { return x[row * n + packed + j]; };
  ReduceScalarColumns<ScalarOp>(load, rows, n - packed, out + packed);
}

// 0, 1 and infinity of any element type; integers have their extreme values for infinity.
template <class T, int kValue>
constexpr T ConstantOf() {
  if constexpr (HalfPrecision<T>)
    return std::bit_cast<T>(static_cast<std::uint16_t>(kValue == 0 ? 0 : std::is_same_v<T, Float16> ? 0x3c00 : 0x3f80));
  else
    return static_cast<T>(kValue);
}
template <class T, bool kNegative>
constexpr T InfinityOf() {
  if constexpr (HalfPrecision<T>)
    return std::bit_cast<T>(
        static_cast<std::uint16_t>((kNegative ? 0x8000 : 0) | (std::is_same_v<T, Float16> ? 0x7c00 : 0x7f80)));
  else if constexpr (std::is_integral_v<T>)
    return kNegative ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
  else
    return kNegative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
}
// Wide: the same in float, for halves.
template <class T>
struct SumOp {
  using Wide = SumOp<float>;
  static constexpr bool halved = true;
  static constexpr T identity = ConstantOf<T, 0>();
  T operator()(T a, T b) const { return Plus(a, b); }
};
template <class T>
struct ProdOp {
  using Wide = ProdOp<float>;
  static constexpr bool halved = false;  // tf: reducer_traits<ProdReducer>::IsExactlyAssociative
  static constexpr T identity = ConstantOf<T, 1>();
  T operator()(T a, T b) const { return Times(a, b); }
};
// A NaN stays.
template <class T>
struct MaxOp {
  using Wide = MaxOp<float>;
  static constexpr bool halved = true;  // any order gives the same
  static constexpr T identity = InfinityOf<T, true>();
  T operator()(T a, T b) const { return b > a || b != b ? b : a; }
};
template <class T>
struct MinOp {
  using Wide = MinOp<float>;
  static constexpr bool halved = true;
  static constexpr T identity = InfinityOf<T, false>();
  T operator()(T a, T b) const { return b < a || b != b ? b : a; }
};

}  // namespace equiv::cpu
