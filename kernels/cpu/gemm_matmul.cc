#include "kernels/cpu/gemm_matmul.h"

#include <fmt/format.h>

#include <algorithm>
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
}  // namespace

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
  const bool ta = ctx.attrs().Get<bool>("transpose_a"), tb = ctx.attrs().Get<bool>("transpose_b");
  if (a.rank() != 2 || b.rank() != 2)
    throw InvalidArgumentError(fmt::format("{}In[{}] is not a matrix: {}", ctx.Where(), a.rank() != 2 ? 0 : 1,
                                           (a.rank() != 2 ? a : b).shape().ToString()));
  const Shape shape = MatMulShape(FailOf(ctx), a.shape(), b.shape(), ta, tb).Require();
  ForFloating(ctx, a.dtype(), [&]<class T>() {
    T* out = ctx.Allocate(0, shape).mutable_data<T>();
    Gemm(ctx.pool(), Product(a.data<T>(), a.shape(), ta, b.data<T>(), b.shape(), tb, out));
  });
}

void BatchMatMulV2(KernelContext& ctx) {
  const Array &a = ctx.input(0), &b = ctx.input(1);
  const bool ta = ctx.attrs().Get<bool>("adj_x"), tb = ctx.attrs().Get<bool>("adj_y");
  for (int i = 0; i < 2; ++i)
    if (ctx.input(i).rank() < 2)
      throw InvalidArgumentError(fmt::format("{}In[{}] ndims must be >= 2: {}", ctx.Where(), i, ctx.input(i).rank()));
  const Shape shape = MatMulShape(FailOf(ctx), a.shape(), b.shape(), ta, tb).Require();
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
  ForFloating(ctx, a.dtype(), [&]<class T>() {
    T* out = ctx.Allocate(0, shape).mutable_data<T>();
    if (shape.num_elements() == 0) return;
    const std::int64_t size_a = a.dim(a.rank() - 2) * a.dim(a.rank() - 1);
    const std::int64_t size_b = b.dim(b.rank() - 2) * b.dim(b.rank() - 1);
    const std::int64_t size_c = shape.dim(batch_rank) * shape.dim(batch_rank + 1);
    const T *pa = a.data<T>(), *pb = b.data<T>();
    ctx.pool().ParallelFor(batch, [&](std::int64_t i) {
      Gemm(ctx.pool(), Product(pa + matrix(a.shape(), i) * size_a, a.shape(), ta, pb + matrix(b.shape(), i) * size_b,
                               b.shape(), tb, out + i * size_c));
    });
  });
}

}  // namespace equiv::cpu
