#include "kernels/cpu/scatter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "kernels/base/flush.h"
#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/index_args.h"
#include "kernels/cpu/strings_moved.h"
#include "kernels/cpu/variables.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;

// Where each slice of updates goes, in elements, and how many elements it has.
struct Places {
  Ints offsets;
  std::int64_t slice = 1;
};

// tf: a NaN stays, but one among the updates is left out
template <Scatter kOp, class T>
T Combined(T old, T update) {
  if constexpr (kOp == Scatter::kAdd) return Plus(old, update);
  if constexpr (kOp == Scatter::kSub) return Minus(old, update);
  if constexpr (kOp == Scatter::kMul) return Times(old, update);
  if constexpr (kOp == Scatter::kMin) return update < old ? update : old;
  if constexpr (kOp == Scatter::kMax) return old < update ? update : old;
  if constexpr (kOp == Scatter::kDiv) {
    if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
      if (update == static_cast<T>(-1)) return Minus(T{0}, old);
    return static_cast<T>(old / update);
  }
}
// `scalar`: the one update goes everywhere.
template <Scatter kOp>
void Apply(KernelContext& ctx, const Places& places, const Array& updates, bool scalar, Array& out) {
  const ScopedFlushDenormals flush;
  if constexpr (kOp == Scatter::kUpdate) {
    const std::size_t size = RequireFixedSize(ctx, out.dtype());
    const std::size_t bytes = static_cast<std::size_t>(places.slice) * size;
    for (std::size_t i = 0; i < places.offsets.size(); ++i) {
      std::byte* to = out.raw() + static_cast<std::size_t>(places.offsets[i]) * size;
      if (!scalar) {
        std::memcpy(to, updates.raw() + i * bytes, bytes);
        continue;
      }
      for (std::int64_t k = 0; k < places.slice; ++k)
        std::memcpy(to + static_cast<std::size_t>(k) * size, updates.raw(), size);
    }
  } else {
    ForReal(ctx, out.dtype(), [&]<class T>() {
      if constexpr (kOp == Scatter::kDiv)
        for (T v : updates.span<T>())
          if (v == T{0}) throw InvalidArgumentError(ctx.Where() + "updates must not contain 0");
      const T* u = updates.data<T>();
      T* x = out.mutable_data<T>();
      for (std::size_t i = 0; i < places.offsets.size(); ++i)
        for (std::int64_t k = 0; k < places.slice; ++k) {
          T& to = x[places.offsets[i] + k];
          to = Combined<kOp>(to, u[scalar ? 0 : static_cast<std::int64_t>(i) * places.slice + k]);
        }
    });
  }
}

// tf: ValidateScatterNdUpdateShape; `what` names the array written to
Places NdPlaces(KernelContext& ctx, const Array& indices, const Array& updates, const Shape& shape, const char* what) {
  const Shape &where = indices.shape(), &given = updates.shape();
  if (where.rank() < 1)
    throw InvalidArgumentError(ctx.Where() + "Indices shape must have rank at least one. Found:" + where.ToString());
  const std::int64_t depth = where[where.rank() - 1];
  const int outer = where.rank() - 1;
  bool fits = depth <= shape.rank() && given.rank() == outer + shape.rank() - static_cast<int>(depth);
  for (int d = 0; fits && d < outer; ++d) fits = given[d] == where[d];
  for (int d = outer; fits && d < given.rank(); ++d) fits = given[d] == shape[d - outer + static_cast<int>(depth)];
  if (!fits)
    throw InvalidArgumentError(
        fmt::format("{}Inner dimensions of {} shape must match inner dimensions of updates shape, and updates.shape "
                    "must be indices.shape[:-1] + {}.shape[indices.shape[-1]:]. indices: {} updates: {} {}: {}",
                    ctx.Where(), what, what, where.ToString(), given.ToString(), what, shape.ToString()));
  const std::int64_t rows = Product(where, 0, outer);
  if (rows > 0 && shape.num_elements() == 0 && updates.num_elements() > 0)
    throw InvalidArgumentError(ctx.Where() +
                               "Indices and updates specified for empty output.  indices shape: " + where.ToString());
  const int n = static_cast<int>(depth);
  Places places{.offsets = {}, .slice = Product(shape, n, shape.rank())};
  const Ints index = indices.AsInt64Vector();
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::span<const std::int64_t> at(index.data() + row * depth, static_cast<std::size_t>(depth));
    std::int64_t to = 0;
    for (int d = 0; d < n; ++d) {
      const std::int64_t i = at[static_cast<std::size_t>(d)];
      if (i < 0 || i >= shape[d])
        throw InvalidArgumentError(
            fmt::format("{}indices[{}] = [{}] does not index into shape {}", ctx.Where(),
                        Position(Shape(where.dims().first(static_cast<std::size_t>(outer))), row), fmt::join(at, ", "),
                        shape.ToString()));
      to = to * shape[d] + i;
    }
    places.offsets.push_back(to * places.slice);
  }
  return places;
}
// tf: ScatterUpdateOp::DoCompute
Places RowPlaces(KernelContext& ctx, const Array& indices, const Array& updates, const Shape& shape) {
  if (shape.rank() < 1)
    throw InvalidArgumentError(ctx.Where() + "params must be at least 1-D, got shape " + shape.ToString());
  Ints wanted = indices.shape().vector();
  wanted.insert(wanted.end(), shape.dims().begin() + 1, shape.dims().end());
  if (updates.rank() != 0 && updates.shape().vector() != wanted)
    throw InvalidArgumentError(
        fmt::format("{}Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = [], got "
                    "updates.shape {}, indices.shape {}, params.shape {}",
                    ctx.Where(), updates.shape().ToString(), indices.shape().ToString(), shape.ToString()));
  Places places{.offsets = indices.AsInt64Vector(), .slice = Product(shape, 1, shape.rank())};
  for (std::size_t i = 0; i < places.offsets.size(); ++i) {
    std::int64_t& at = places.offsets[i];
    if (at < 0 || at >= shape[0])
      throw InvalidArgumentError(fmt::format("{}indices[{}] = {} is not in [0, {})", ctx.Where(),
                                             Position(indices.shape(), static_cast<std::int64_t>(i)), at, shape[0]));
    at *= places.slice;
  }
  return places;
}

template <Scatter kOp, bool kNd>
void ScatterVariable(KernelContext& ctx, bool reference) {
  Variable& variable = *ctx.input(0).variable();
  const Array old = ReadForUpdate(ctx, variable, reference), indices = ctx.input(1), updates = ctx.input(2);
  if (old.dtype() != updates.dtype())
    throw InvalidArgumentError(fmt::format("{}variable '{}' holds {}, got updates of dtype {}", ctx.Where(),
                                           variable.name(), Name(old.dtype()), Name(updates.dtype())));
  const Places places =
      kNd ? NdPlaces(ctx, indices, updates, old.shape(), "params") : RowPlaces(ctx, indices, updates, old.shape());
  const bool scalar = !kNd && updates.rank() == 0;
  Array fresh = old.Copy();
  if (kOp == Scatter::kUpdate && old.dtype() == DType::kString) {
    std::vector<std::string> values = old.strings();
    for (std::size_t i = 0; i < places.offsets.size(); ++i)
      for (std::int64_t k = 0; k < places.slice; ++k)
        values[static_cast<std::size_t>(places.offsets[i] + k)] =
            updates.strings()[scalar ? 0 : i * static_cast<std::size_t>(places.slice) + static_cast<std::size_t>(k)];
    fresh = Array::Strings(old.shape(), std::move(values));
  } else {
    Apply<kOp>(ctx, places, updates, scalar, fresh);
  }
  variable.Assign(std::move(fresh), ctx.node_name());
  if (reference) ctx.set_output(0, ctx.input(0));
}
}  // namespace

void ScatterNd(KernelContext& ctx) {
  const Array indices = ctx.input(0), updates = ctx.input(1);
  if (ctx.input(2).rank() != 1) throw InvalidArgumentError(ctx.Where() + "Shape must be a vector");
  if (updates.rank() < 1)
    throw InvalidArgumentError(ctx.Where() +
                               "Updates shape must have rank at least one. Found:" + updates.shape().ToString());
  const Shape shape = CheckedShape(FailOf(ctx), ctx.input(2).AsInt64Vector());
  const Places places = NdPlaces(ctx, indices, updates, shape, "output");
  if (updates.dtype() == DType::kString) {
    std::vector<std::string> joined(static_cast<std::size_t>(shape.num_elements()));
    for (std::size_t i = 0; i < places.offsets.size(); ++i)
      for (std::int64_t k = 0; k < places.slice; ++k)
        joined[static_cast<std::size_t>(places.offsets[i] + k)] +=
            updates.strings()[i * static_cast<std::size_t>(places.slice) + static_cast<std::size_t>(k)];
    return ctx.set_output(0, Array::Strings(shape, std::move(joined)));
  }
  RequireFixedSize(ctx, updates.dtype());
  Array& out = ctx.Allocate(0, shape);
  if (out.num_bytes()) std::memset(out.raw(), 0, out.num_bytes());
  if (updates.dtype() != DType::kBool) return Apply<Scatter::kAdd>(ctx, places, updates, false, out);
  for (std::size_t i = 0; i < places.offsets.size(); ++i)
    for (std::int64_t k = 0; k < places.slice; ++k)
      out.mutable_data<bool>()[places.offsets[i] + k] |=
          updates.data<bool>()[static_cast<std::int64_t>(i) * places.slice + k];
}
template <Scatter kOp>
void TensorScatter(KernelContext& ctx) {
  const Array tensor = ctx.input(0), updates = ctx.input(2);
  const Places places = NdPlaces(ctx, ctx.input(1), updates, tensor.shape(), "output");
  RequireFixedSize(ctx, tensor.dtype());
  Array out = tensor.Copy();
  Apply<kOp>(ctx, places, updates, false, out);
  ctx.set_output(0, std::move(out));
}
template <Scatter kOp>
void ResourceScatter(KernelContext& ctx) {
  ScatterVariable<kOp, false>(ctx, false);
}
template <Scatter kOp>
void ResourceScatterNd(KernelContext& ctx) {
  ScatterVariable<kOp, true>(ctx, false);
}
template <Scatter kOp>
void RefScatter(KernelContext& ctx) {
  ScatterVariable<kOp, false>(ctx, true);
}
template <Scatter kOp>
void RefScatterNd(KernelContext& ctx) {
  ScatterVariable<kOp, true>(ctx, true);
}
#define EQUIV_SCATTER(op)                                       \
  template void TensorScatter<Scatter::op>(KernelContext&);     \
  template void ResourceScatter<Scatter::op>(KernelContext&);   \
  template void ResourceScatterNd<Scatter::op>(KernelContext&); \
  template void RefScatter<Scatter::op>(KernelContext&);        \
  template void RefScatterNd<Scatter::op>(KernelContext&);
EQUIV_SCATTER(kUpdate)
EQUIV_SCATTER(kAdd)
EQUIV_SCATTER(kSub)
EQUIV_SCATTER(kMul)
EQUIV_SCATTER(kDiv)
EQUIV_SCATTER(kMin)
EQUIV_SCATTER(kMax)
#undef EQUIV_SCATTER

// tf: DynamicStitchOpImplBase; places no index names are zero here, where TensorFlow leaves them as they come
void DynamicStitch(KernelContext& ctx) {
  const int n = ctx.num_inputs() / 2;
  std::int64_t most = -1;
  Ints inner;
  for (int i = 0; i < n; ++i) {
    const Array &indices = ctx.input(i), &data = ctx.input(n + i);
    const std::span<const std::int64_t> lead = indices.shape().dims(), dims = data.shape().dims();
    if (dims.size() < lead.size() || !std::equal(lead.begin(), lead.end(), dims.begin()))
      throw InvalidArgumentError(fmt::format("{}data[{}].shape = {} does not start with indices[{}].shape = {}",
                                             ctx.Where(), i, data.shape().ToString(), i, indices.shape().ToString()));
    const Ints rest(dims.begin() + static_cast<std::ptrdiff_t>(lead.size()), dims.end());
    if (i > 0 && rest != inner)
      throw InvalidArgumentError(fmt::format(
          "{}Need data[0].shape[{}:] = data[{}].shape[{}:], got data[0].shape = {}, data[{}].shape = {}", ctx.Where(),
          ctx.input(0).rank(), i, indices.rank(), ctx.input(n).shape().ToString(), i, data.shape().ToString()));
    inner = rest;
    for (std::int64_t at : indices.AsInt64Vector()) most = std::max(most, at);
  }
  Ints dims{most + 1};
  dims.insert(dims.end(), inner.begin(), inner.end());
  const std::size_t size = RequireFixedSize(ctx, ctx.input(n).dtype());
  Array& out = ctx.Allocate(0, CheckedShape(FailOf(ctx), dims));
  if (out.num_bytes()) std::memset(out.raw(), 0, out.num_bytes());
  std::size_t bytes = size;
  for (std::int64_t d : inner) bytes *= static_cast<std::size_t>(d);
  for (int i = 0; i < n; ++i) {
    const Ints index = ctx.input(i).AsInt64Vector();
    for (std::size_t k = 0; k < index.size(); ++k) {
      if (index[k] < 0)
        throw InvalidArgumentError(fmt::format("{}indices[{}] is out of range", ctx.Where(),
                                               Position(ctx.input(i).shape(), static_cast<std::int64_t>(k))));
      if (bytes)
        std::memcpy(out.raw() + static_cast<std::size_t>(index[k]) * bytes, ctx.input(n + i).raw() + k * bytes, bytes);
    }
  }
}
void DynamicPartition(KernelContext& ctx) {
  const Array data = ctx.input(0), partitions = ctx.input(1);
  const std::span<const std::int64_t> lead = partitions.shape().dims(), dims = data.shape().dims();
  if (dims.size() < lead.size() || !std::equal(lead.begin(), lead.end(), dims.begin()))
    throw InvalidArgumentError(
        fmt::format("{}data.shape must start with partitions.shape, got data.shape = {}, partitions.shape = {}",
                    ctx.Where(), data.shape().ToString(), partitions.shape().ToString()));
  const std::int64_t n = ctx.num_outputs();
  const Ints partition = partitions.AsInt64Vector();
  Ints counts(static_cast<std::size_t>(n), 0);
  for (std::size_t i = 0; i < partition.size(); ++i) {
    if (partition[i] < 0 || partition[i] >= n)
      throw InvalidArgumentError(fmt::format("{}partitions[{}] = {} is not in [0, {})", ctx.Where(),
                                             Position(partitions.shape(), static_cast<std::int64_t>(i)), partition[i],
                                             n));
    ++counts[static_cast<std::size_t>(partition[i])];
  }
  std::size_t bytes = RequireFixedSize(ctx, data.dtype());
  Ints shape{0};
  for (std::size_t d = lead.size(); d < dims.size(); ++d) {
    shape.push_back(dims[d]);
    bytes *= static_cast<std::size_t>(dims[d]);
  }
  std::vector<std::byte*> next;
  for (std::int64_t i = 0; i < n; ++i) {
    shape[0] = counts[static_cast<std::size_t>(i)];
    next.push_back(ctx.Allocate(static_cast<int>(i), Shape(shape)).raw());
  }
  for (std::size_t i = 0; i < partition.size(); ++i) {
    std::byte*& to = next[static_cast<std::size_t>(partition[i])];
    if (bytes) std::memcpy(to, data.raw() + i * bytes, bytes);
    to += bytes;
  }
}

}  // namespace equiv::cpu
