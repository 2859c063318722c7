#include "kernels/cpu/mirror_pad_grad.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/pool_cells.h"

namespace equiv::cpu {
namespace {

// One dimension of [outer, size, inner], which loses `before` and `after` cells.
struct Fold {
  std::int64_t outer = 1, size = 1, inner = 1, before = 0, after = 0,
               skip = 0;  // skip: 1 when the edge is not repeated
  std::int64_t left() const { return size - before - after; }
};

template <class T>
void AddRow(const T* from, std::int64_t n, T* to) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = Plus(to[i], from[i]);
}
template <class T>
void FoldOnce(ThreadPool& pool, const Fold& f, const T* in, T* out) {
  pool.ParallelFor(f.outer, [&](std::int64_t n) {
    const T* from = in + n * f.size * f.inner;
    T* to = out + n * f.left() * f.inner;
    std::copy_n(from + f.before * f.inner, f.left() * f.inner, to);
    for (std::int64_t i = 0; i < f.before; ++i)
      AddRow(from + (f.before - 1 - i) * f.inner, f.inner, to + (i + f.skip) * f.inner);
    for (std::int64_t i = 0; i < f.after; ++i)
      AddRow(from + (f.before + f.left() + i) * f.inner, f.inner, to + (f.left() - 1 - f.skip - i) * f.inner);
  });
}
}  // namespace

PartialShape UnpaddedShape(const FailFn& fail, const PartialShape& padded, const std::vector<std::int64_t>& paddings,
                           bool reflect) {
  std::vector<std::int64_t> dims = padded.dims();
  if (paddings.size() != 2 * dims.size())
    fail(fmt::format("The first dimension of paddings must be the rank of inputs[{},2] {}", paddings.size() / 2,
                     padded.ToString()));
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::int64_t before = paddings[2 * i], after = paddings[2 * i + 1];
    if (before < 0 || after < 0) fail(fmt::format("Paddings must be non-negative: {}, {}", before, after));
    const std::int64_t both = CheckedAdd(fail, before, after);
    if (dims[i] < 0) continue;
    if (both >= dims[i])
      fail(fmt::format("Total paddings must be less than the input dimension size: {} was not less than {}", both,
                       dims[i]));
    dims[i] -= both;
    // tf: a mirror image is not longer than what it mirrors
    const std::int64_t most = dims[i] - (reflect ? 1 : 0);
    if (before > most || after > most)
      fail(fmt::format("paddings must be {} the output dimension size: {}, {} not {} {}",
                       reflect ? "less than" : "no greater than", before, after,
                       reflect ? "less than" : "no greater than", dims[i]));
  }
  return PartialShape(std::move(dims));
}

void MirrorPadGrad(KernelContext& ctx) {
  const Array input = ctx.input(0), &paddings = ctx.input(1);
  const bool reflect = ctx.attrs().Get<std::string>("mode") == "REFLECT";
  if (paddings.rank() != 2 || paddings.dim(1) != 2)
    throw InvalidArgumentError(
        fmt::format("{}paddings must be a matrix with 2 columns: {}", ctx.Where(), paddings.shape().ToString()));
  const std::vector<std::int64_t> pads = paddings.AsInt64Vector();
  const Shape shape = UnpaddedShape(FailOf(ctx), input.shape(), pads, reflect).Require();
  ForOrdered(ctx, input.dtype(), [&]<class T>() {
    Array current = input;
    std::vector<std::int64_t> dims = input.shape().vector();
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (pads[2 * i] == 0 && pads[2 * i + 1] == 0) continue;
      Fold fold{.size = dims[i], .before = pads[2 * i], .after = pads[2 * i + 1], .skip = reflect ? 1 : 0};
      for (std::size_t d = 0; d < dims.size(); ++d)
        if (d != i) (d < i ? fold.outer : fold.inner) *= dims[d];
      dims[i] = fold.left();
      Array folded(input.dtype(), Shape(dims));
      FoldOnce(ctx.pool(), fold, current.data<T>(), folded.template mutable_data<T>());
      current = folded;
    }
    ctx.set_output(0, current.Reshaped(shape));
  });
}

}  // namespace equiv::cpu
