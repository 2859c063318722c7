#include "kernels/cpu/arrays_shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/index_args.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;

void SetInts(KernelContext& ctx, int i, const Ints& values) {
  Array& out = ctx.Allocate(i, Shape{static_cast<std::int64_t>(values.size())});
  for (std::size_t k = 0; k < values.size(); ++k) PutInt(out, static_cast<std::int64_t>(k), values[k]);
}
// Both shapes, with leading ones to one length; InvalidArgumentError unless they broadcast.
std::pair<Ints, Ints> BroadcastInputs(KernelContext& ctx) {
  for (int i = 0; i < 2; ++i)
    if (ctx.input(i).rank() != 1)
      throw InvalidArgumentError(
          fmt::format("{}In[{}] must be a vector.{}", ctx.Where(), i, ctx.input(i).shape().ToString()));
  Ints a = ctx.input(0).AsInt64Vector(), b = ctx.input(1).AsInt64Vector();
  const Ints given[] = {a, b};
  const std::size_t rank = std::max(a.size(), b.size());
  a.insert(a.begin(), rank - a.size(), 1);
  b.insert(b.begin(), rank - b.size(), 1);
  for (std::size_t d = 0; d < rank; ++d)
    if (a[d] != b[d] && a[d] != 1 && b[d] != 1)
      throw InvalidArgumentError(fmt::format("{}Incompatible shapes: [{}] vs. [{}]", ctx.Where(),
                                             fmt::join(given[0], ","), fmt::join(given[1], ",")));
  return {std::move(a), std::move(b)};
}
}  // namespace

void ShapeN(KernelContext& ctx) {
  for (int i = 0; i < ctx.num_inputs(); ++i) SetInts(ctx, i, ctx.input(i).shape().vector());
}
void BroadcastArgs(KernelContext& ctx) {
  const auto [a, b] = BroadcastInputs(ctx);
  Ints out;
  for (std::size_t d = 0; d < a.size(); ++d) out.push_back(a[d] == 1 ? b[d] : a[d]);
  SetInts(ctx, 0, out);
}
// tf: BCast: axes of size 1 in both belong to both, but equal shapes need no reduction
void BroadcastGradientArgs(KernelContext& ctx) {
  const auto [a, b] = BroadcastInputs(ctx);
  Ints axes[2];
  const bool same = ctx.input(0).num_elements() == ctx.input(1).num_elements() && a == b;
  for (std::size_t d = 0; !same && d < a.size(); ++d) {
    if (a[d] == 1) axes[0].push_back(static_cast<std::int64_t>(d));
    if (b[d] == 1) axes[1].push_back(static_cast<std::int64_t>(d));
  }
  SetInts(ctx, 0, axes[0]);
  SetInts(ctx, 1, axes[1]);
}
void ConcatOffset(KernelContext& ctx) {
  if (ctx.input(0).rank() != 0)
    throw InvalidArgumentError(fmt::format("{}Concat dim tensor should be a scalar integer, but got shape {}",
                                           ctx.Where(), ctx.input(0).shape().ToString()));
  const std::int64_t given = ctx.input(0).AsInt64Vector()[0], rank = ctx.input(1).num_elements();
  for (int i = 1; i < ctx.num_inputs(); ++i) {
    if (ctx.input(i).rank() != 1)
      throw InvalidArgumentError(fmt::format("{}input {} should be a vector, but got shape {}", ctx.Where(), i - 1,
                                             ctx.input(i).shape().ToString()));
    if (ctx.input(i).num_elements() != rank)
      throw InvalidArgumentError(fmt::format("{}input {} should contain {} elements, but got {}", ctx.Where(), i - 1,
                                             rank, ctx.input(i).num_elements()));
  }
  if (given < -rank || given >= rank)
    throw InvalidArgumentError(fmt::format("{}Concat dim is out of range: {} vs. {}", ctx.Where(), given, rank));
  const auto axis = static_cast<std::size_t>(given < 0 ? given + rank : given);
  const Ints first = ctx.input(1).AsInt64Vector();
  Ints offset(first.size(), 0);
  for (int i = 1; i < ctx.num_inputs(); ++i) {
    const Ints shape = ctx.input(i).AsInt64Vector();
    for (std::size_t d = 0; d < shape.size(); ++d)
      if (d != axis && shape[d] != first[d])
        throw InvalidArgumentError(
            fmt::format("{}All dimensions except {} must match. Input {} has shape [{}] and doesn't match input 0 with "
                        "shape [{}].",
                        ctx.Where(), axis, i - 1, fmt::join(shape, " "), fmt::join(first, " ")));
    SetInts(ctx, i - 1, offset);
    offset[axis] += shape[axis];
  }
}
void EnsureShape(KernelContext& ctx) {
  const PartialShape& expected = ctx.attrs().Get<PartialShape>("shape");
  if (!expected.IsCompatibleWith(ctx.input(0).shape()))
    throw InvalidArgumentError(fmt::format("{}Shape of tensor input {} is not compatible with expected shape {}.",
                                           ctx.Where(), ctx.input(0).shape().ToString(), expected.ToString()));
  ctx.set_output(0, ctx.input(0));
}

namespace {
void Check(KernelContext& ctx, bool signs) {
  const Array in = ctx.input(0);
  bool above = false, below = false, nan = false;
  ForAnyFloat(ctx, in.dtype(), [&]<class T>() {
    for (T v : in.span<T>()) {
      nan |= isnan(v);
      if (isinf(v)) (v > T{0} ? above : below) = true;
    }
  });
  std::vector<const char*> found;
  if (signs) {
    if (below) found.push_back("-Inf");
    if (above) found.push_back("+Inf");
  } else if (above || below) {
    found.push_back("Inf");
  }
  if (nan) found.push_back("NaN");
  if (!found.empty()) {
    std::string text = found[0];
    for (std::size_t i = 1; i < found.size(); ++i)
      text += (i + 1 < found.size() ? ", " : found.size() > 2 ? ", and " : " and ") + std::string(found[i]);
    throw InvalidArgumentError(
        fmt::format("{}{} : Tensor had {} values", ctx.Where(), ctx.attrs().Get<std::string>("message"), text));
  }
  ctx.set_output(0, in);
}
}  // namespace
void CheckNumerics(KernelContext& ctx) { Check(ctx, false); }
void CheckNumericsV2(KernelContext& ctx) { Check(ctx, true); }

void Empty(KernelContext& ctx) {
  if (ctx.input(0).rank() != 1)
    throw InvalidArgumentError(ctx.Where() + "shape must be a vector of int32, got shape " +
                               ctx.input(0).shape().ToString());
  const DType dtype = ctx.output_dtype(0);
  if (dtype != DType::kString) RequireFixedSize(ctx, dtype);
  Array& out = ctx.Allocate(0, CheckedShape(FailOf(ctx), ctx.input(0).AsInt64Vector()));
  if (out.num_bytes()) std::memset(out.raw(), 0, out.num_bytes());
}

PartialShape BitcastShape(const FailFn& fail, const PartialShape& in, std::size_t from, std::size_t to) {
  if (!in.has_rank() || from == to) return in;
  Ints dims = in.dims();
  if (from > to) {
    dims.push_back(static_cast<std::int64_t>(from / to));
    return PartialShape(std::move(dims));
  }
  const auto ratio = static_cast<std::int64_t>(to / from);
  if (dims.empty() || (dims.back() >= 0 && dims.back() != ratio))
    fail(fmt::format("Cannot bitcast from {} bytes an element to {}: the last dimension of {} must be {}", from, to,
                     in.ToString(), ratio));
  dims.pop_back();
  return PartialShape(std::move(dims));
}
void Bitcast(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const std::size_t from = RequireFixedSize(ctx, in.dtype()), to = RequireFixedSize(ctx, ctx.output_dtype(0));
  Array& out = ctx.Allocate(0, BitcastShape(FailOf(ctx), in.shape(), from, to).Require());
  if (out.num_bytes()) std::memcpy(out.raw(), in.raw(), out.num_bytes());
}
void UnravelIndex(KernelContext& ctx) {
  const Array &indices = ctx.input(0), &dims_input = ctx.input(1);
  if (dims_input.rank() != 1)
    throw InvalidArgumentError(ctx.Where() + "The dims should be 1-D, got shape " + dims_input.shape().ToString());
  if (indices.rank() > 1)
    throw InvalidArgumentError(ctx.Where() + "The indices can only be scalar or 1-D, got shape " +
                               indices.shape().ToString());
  const Ints index = indices.AsInt64Vector();
  const Shape dims = CheckedShape(FailOf(ctx), dims_input.AsInt64Vector());
  const auto n = static_cast<std::int64_t>(index.size());
  Ints shape{dims.rank()};
  if (indices.rank() == 1) shape.push_back(n);
  Array& out = ctx.Allocate(0, Shape(shape));
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t rest = index[static_cast<std::size_t>(i)];
    if (rest < 0 || rest >= dims.num_elements())
      throw InvalidArgumentError(
          fmt::format("{}index is out of bound as with dims: {} in {}", ctx.Where(), rest, dims.ToString()));
    for (int d = dims.rank() - 1; d >= 0; --d) {
      PutInt(out, d * n + i, rest % dims[d]);
      rest /= dims[d];
    }
  }
}

}  // namespace equiv::cpu
