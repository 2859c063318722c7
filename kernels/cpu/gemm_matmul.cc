#include "kernels/cpu/gemm_matmul.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/gemm.h"

namespace equiv::cpu {
namespace {

// Rows and columns of the last two dimensions.
template <class S>
std::pair<std::int64_t, std::int64_t> MatrixOf(const S& shape, bool transposed) {
  const std::int64_t r = shape.dim(shape.rank() - 2), c = shape.dim(shape.rank() - 1);
  return transposed ? std::pair{c, r} : std::pair{r, c};
}

// One product; strides follow from the flags.
template <class T>
GemmArgs<T> Product(const T* a, const Shape& a_shape, bool ta, const T* b, const Shape& b_shape, bool tb, T* c) {
  const auto [m, k] = MatrixOf(a_shape, ta);
  const std::int64_t n = MatrixOf(b_shape, tb).second;
  GemmArgs<T> g{.m = m, .n = n, .k = k};
  g.a = a, g.a_row = ta ? 1 : k, g.a_col = ta ? m : 1;
  g.b = b, g.b_row = tb ? 1 : n, g.b_col = tb ? k : 1;
  g.c = c, g.c_row = n;
  return g;
}

// The nearest half, as a float, without a branch: the loop around it runs in vectors.
inline float RoundedToHalf(float v) {
  const float magnitude = std::abs(v);
  const float small = (magnitude + 0.5F) - 0.5F;  // steps of 2^-24, those of a denormal half
  std::uint32_t bits = std::bit_cast<std::uint32_t>(magnitude);
  bits = (bits + 0xfffU + (bits >> 13 & 1U)) & ~0x1fffU;
  float rounded = magnitude < 0x1p-14F ? small : std::bit_cast<float>(bits);
  rounded = rounded > 65504.0F ? std::numeric_limits<float>::infinity() : rounded;
  rounded = magnitude != magnitude ? magnitude : rounded;
  return std::copysign(rounded, v);
}
struct HalfStep {
  float operator()(float sum, float a, float b) const { return RoundedToHalf(sum + RoundedToHalf(a * b)); }
};
template <class T>
struct WrappingStep {
  T operator()(T sum, T a, T b) const { return Plus(sum, Times(a, b)); }
};
// Every element from left to right. tf: Eigen's half contraction rounds each product and each sum
template <class Step, class T>
EQUIV_CPU_CLONES void ProductRow(const GemmArgs<T>& g, std::int64_t row, const T* b) {
  const Step step{};
  T* c = g.c + row * g.c_row;
  std::fill_n(c, g.n, T{0});
  for (std::int64_t p = 0; p < g.k; ++p) {
    const T a = g.a[row * g.a_row + p * g.a_col];
    const T* from = b + p * g.n;
    for (std::int64_t j = 0; j < g.n; ++j) c[j] = step(c[j], a, from[j]);
  }
}
template <class Step, class T>
void InOrder(ThreadPool& pool, const GemmArgs<T>& g) {
  std::vector<T> packed;
  const T* b = g.b;
  if (g.b_col != 1) {
    packed.resize(static_cast<std::size_t>(g.k * g.n));
    for (std::int64_t p = 0; p < g.k; ++p)
      for (std::int64_t j = 0; j < g.n; ++j)
        packed[static_cast<std::size_t>(p * g.n + j)] = g.b[p * g.b_row + j * g.b_col];
    b = packed.data();
  }
  pool.ParallelRanges(g.m, RowsPerBlock(g.k * g.n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) ProductRow<Step>(g, row, b);
  });
}
// One product to a sum: no order to keep, and too little for packing.
template <class T>
void Outer(const GemmArgs<T>& g) {
  for (std::int64_t i = 0; i < g.m; ++i)
    for (std::int64_t j = 0; j < g.n; ++j) g.c[i * g.c_row + j] = T{0} + g.a[i * g.a_row] * g.b[j * g.b_col];
}

template <class To>
Array ConvertedTo(ThreadPool& pool, const Array& in) {
  if (in.dtype() == kDTypeOf<To>) return in;
  Array out(kDTypeOf<To>, in.shape());
  To* to = out.mutable_data<To>();
  const auto convert = [&]<class From>() {
    const From* from = in.data<From>();
    pool.ParallelRanges(in.num_elements(), 1 << 15, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] = static_cast<To>(static_cast<float>(from[i]));
    });
  };
  switch (in.dtype()) {
    case DType::kFloat16:
      convert.template operator()<Float16>();
      break;
    case DType::kBFloat16:
      convert.template operator()<BFloat16>();
      break;
    case DType::kFloat32:
      convert.template operator()<float>();
      break;
    case DType::kInt8:
      convert.template operator()<std::int8_t>();
      break;
    default:
      convert.template operator()<std::uint8_t>();
  }
  return out;
}

// Calls one(pool, arguments) for each pair of matrices.
template <class T, class One>
Array ForPairs(KernelContext& ctx, const Array& a, const Array& b, bool ta, bool tb, const Shape& shape,
               const One& one) {
  const int batch_rank = shape.rank() - 2;
  std::int64_t batch = 1;
  for (int i = 0; i < batch_rank; ++i) batch *= shape.dim(i);
  // Which matrix of an operand belongs to matrix `index` of the result.
  const auto matrix = [&](const Shape& operand, std::int64_t index) {
    std::int64_t offset = 0, stride = 1;
    for (int i = batch_rank - 1; i >= 0; --i) {
      const int own = i - (shape.rank() - operand.rank());
      const std::int64_t at = index % shape.dim(i);
      index /= shape.dim(i);
      if (own < 0) continue;
      if (operand.dim(own) != 1) offset += at * stride;
      stride *= operand.dim(own);
    }
    return offset;
  };
  Array product(kDTypeOf<T>, shape);
  T* out = product.mutable_data<T>();
  if (shape.num_elements() == 0) return product;
  const std::int64_t size_a = a.dim(a.rank() - 2) * a.dim(a.rank() - 1);
  const std::int64_t size_b = b.dim(b.rank() - 2) * b.dim(b.rank() - 1);
  const std::int64_t size_c = shape.dim(batch_rank) * shape.dim(batch_rank + 1);
  const T *pa = a.data<T>(), *pb = b.data<T>();
  ctx.pool().ParallelFor(batch, [&](std::int64_t i) {
    one(Product(pa + matrix(a.shape(), i) * size_a, a.shape(), ta, pb + matrix(b.shape(), i) * size_b, b.shape(), tb,
                out + i * size_c));
  });
  return product;
}
template <class T>
Array FloatingProduct(KernelContext& ctx, const Array& a, const Array& b, bool ta, bool tb, const Shape& shape) {
  return ForPairs<T>(ctx, a, b, ta, tb, shape,
                     [&](const GemmArgs<T>& g) { g.k == 1 && g.m* g.n <= 64 ? Outer(g) : Gemm(ctx.pool(), g); });
}
template <class Step, class T>
Array ProductInOrder(KernelContext& ctx, const Array& a, const Array& b, bool ta, bool tb, const Shape& shape) {
  return ForPairs<T>(ctx, a, b, ta, tb, shape, [&](const GemmArgs<T>& g) { InOrder<Step>(ctx.pool(), g); });
}
}  // namespace

Array BatchProduct(KernelContext& ctx, const Array& a, const Array& b, bool ta, bool tb) {
  const Shape shape = MatMulShape(FailOf(ctx), a.shape(), b.shape(), ta, tb).Require();
  ThreadPool& pool = ctx.pool();
  switch (a.dtype()) {
    case DType::kFloat32:
      return FloatingProduct<float>(ctx, a, b, ta, tb, shape);
    case DType::kFloat64:
      return FloatingProduct<double>(ctx, a, b, ta, tb, shape);
    case DType::kBFloat16:
      return ConvertedTo<BFloat16>(
          pool, FloatingProduct<float>(ctx, ConvertedTo<float>(pool, a), ConvertedTo<float>(pool, b), ta, tb, shape));
    case DType::kFloat16:
      return ConvertedTo<Float16>(pool, ProductInOrder<HalfStep, float>(ctx, ConvertedTo<float>(pool, a),
                                                                        ConvertedTo<float>(pool, b), ta, tb, shape));
    case DType::kInt16:
      return ProductInOrder<WrappingStep<std::int16_t>, std::int16_t>(ctx, a, b, ta, tb, shape);
    case DType::kInt32:
      return ProductInOrder<WrappingStep<std::int32_t>, std::int32_t>(ctx, a, b, ta, tb, shape);
    case DType::kInt64:
      return ProductInOrder<WrappingStep<std::int64_t>, std::int64_t>(ctx, a, b, ta, tb, shape);
    default:
      UnsupportedDType(ctx, a.dtype());
  }
}

PartialShape MatMulShape(const FailFn& fail, const PartialShape& a, const PartialShape& b, bool transpose_a,
                         bool transpose_b) {
  if (!a.has_rank() || !b.has_rank()) return PartialShape::Unknown();
  const auto [m, ka] = MatrixOf(a, transpose_a);
  const auto [kb, n] = MatrixOf(b, transpose_b);
  // tf: InferenceContext::Merge, and MatMulOp::Compute
  if (ka >= 0 && kb >= 0 && ka != kb)
    fail(fmt::format("Dimensions must be equal, but are {} and {}. Matrix size-incompatible: In[0]: {}, In[1]: {}{}",
                     ka, kb, a.ToString(), b.ToString(),
                     transpose_a || transpose_b ? fmt::format(" (transposed: {}, {})", transpose_a, transpose_b) : ""));
  const int rank = std::max(a.rank(), b.rank());
  std::vector<std::int64_t> dims;
  for (int i = 0; i < rank - 2; ++i) {
    const int ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const std::int64_t da = ia < 0 ? 1 : a.dim(ia), db = ib < 0 ? 1 : b.dim(ib);
    if (da > 1 && db > 1 && da != db)
      fail(fmt::format("Batch dimensions must broadcast: In[0]: {}, In[1]: {}: {} against {}", a.ToString(),
                       b.ToString(), da, db));
    if ((da == 0 && db > 1) || (db == 0 && da > 1))
      fail(fmt::format("Batch dimensions must broadcast: In[0]: {}, In[1]: {}: {} against {}", a.ToString(),
                       b.ToString(), da, db));
    if (da == 1 || db == 1)
      dims.push_back(da == 1 ? db : da);
    else
      dims.push_back(std::max(da, db));  // equal, or one of them unknown
  }
  dims.push_back(m);
  dims.push_back(n);
  return PartialShape(std::move(dims));
}

void MatMul(KernelContext& ctx) {
  const Array &a = ctx.input(0), &b = ctx.input(1);
  if (a.rank() != 2 || b.rank() != 2)
    throw InvalidArgumentError(fmt::format("{}In[{}] is not a matrix: {}", ctx.Where(), a.rank() != 2 ? 0 : 1,
                                           (a.rank() != 2 ? a : b).shape().ToString()));
  ctx.set_output(0,
                 BatchProduct(ctx, a, b, ctx.attrs().Get<bool>("transpose_a"), ctx.attrs().Get<bool>("transpose_b")));
}

namespace {
void RequireMatrices(KernelContext& ctx) {
  for (int i = 0; i < 2; ++i)
    if (ctx.input(i).rank() < 2)
      throw InvalidArgumentError(fmt::format("{}In[{}] ndims must be >= 2: {}", ctx.Where(), i, ctx.input(i).rank()));
}
Array AdjointProduct(KernelContext& ctx, const Array& a, const Array& b) {
  return BatchProduct(ctx, a, b, ctx.attrs().Get<bool>("adj_x"), ctx.attrs().Get<bool>("adj_y"));
}
}  // namespace
void BatchMatMulV2(KernelContext& ctx) {
  RequireMatrices(ctx);
  ctx.set_output(0, AdjointProduct(ctx, ctx.input(0), ctx.input(1)));
}
void BatchMatMul(KernelContext& ctx) {
  RequireMatrices(ctx);
  const Shape &a = ctx.input(0).shape(), &b = ctx.input(1).shape();
  if (a.rank() != b.rank())
    throw InvalidArgumentError(
        fmt::format("{}In[0] and In[1] has different ndims: {} vs. {}", ctx.Where(), a.ToString(), b.ToString()));
  for (int d = 0; d < a.rank() - 2; ++d)
    if (a[d] != b[d])
      throw InvalidArgumentError(fmt::format("{}In[0].dim({}) and In[1].dim({}) must be the same: {} vs {}",
                                             ctx.Where(), d, d, a.ToString(), b.ToString()));
  BatchMatMulV2(ctx);
}
// tf: kernels for factors of one type, bytes into int32, and bfloat16 with bytes
void BatchMatMulV3(KernelContext& ctx) {
  RequireMatrices(ctx);
  const Array a = ctx.input(0), b = ctx.input(1);
  const DType to = ctx.output_dtype(0);
  const auto byte = [](const Array& x) { return x.dtype() == DType::kInt8 || x.dtype() == DType::kUInt8; };
  ThreadPool& pool = ctx.pool();
  if (a.dtype() == to && b.dtype() == to) {
    ctx.set_output(0, AdjointProduct(ctx, a, b));
  } else if (to == DType::kInt32 && byte(a) && byte(b)) {
    ctx.set_output(0, AdjointProduct(ctx, ConvertedTo<std::int32_t>(pool, a), ConvertedTo<std::int32_t>(pool, b)));
  } else if (to == DType::kBFloat16 && ((a.dtype() == to && byte(b)) || (byte(a) && b.dtype() == to))) {
    ctx.set_output(0, AdjointProduct(ctx, ConvertedTo<BFloat16>(pool, a), ConvertedTo<BFloat16>(pool, b)));
  } else {
    throw UnimplementedError(fmt::format("{}has no CPU kernel for {} times {} into {}", ctx.Where(), Name(a.dtype()),
                                         Name(b.dtype()), Name(to)));
  }
}

}  // namespace equiv::cpu
