#include "kernels/cpu/unique.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "kernels/cpu/index_args.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;

// Appends what tells element i from others to `key`; false for a NaN, which equals nothing.
bool AppendElement(const Array& x, std::int64_t i, std::string& key) {
  const auto bytes = [&key](const auto& value) {
    key.append(reinterpret_cast<const char*>(&value), sizeof value);
    return true;
  };
  const auto floating = [&](auto value) {
    if (value != value) return false;
    return bytes(value == decltype(value){0} ? decltype(value){0} : value);  // -0 equals 0
  };
  switch (x.dtype()) {
    case DType::kFloat32:
      return floating(x.data<float>()[i]);
    case DType::kFloat64:
      return floating(x.data<double>()[i]);
    // tf: halves are hashed by their bits, so -0 and 0 are two values
    case DType::kFloat16:
      return !isnan(x.data<Float16>()[i]) && bytes(x.data<Float16>()[i].bits);
    case DType::kBFloat16:
      return !isnan(x.data<BFloat16>()[i]) && bytes(x.data<BFloat16>()[i].bits);
    case DType::kString: {
      const std::string& text = x.strings()[static_cast<std::size_t>(i)];
      bytes(text.size());
      key += text;
      return true;
    }
    default: {
      const std::size_t size = SizeOf(x.dtype());
      key.append(reinterpret_cast<const char*>(x.raw()) + static_cast<std::size_t>(i) * size, size);
      return true;
    }
  }
}
void RequireComparable(KernelContext& ctx, DType dtype) {
  if (dtype != DType::kString && (SizeOf(dtype) == 0 || IsComplex(dtype))) UnsupportedDType(ctx, dtype);
}
// The rows of [outer, n, inner] at `chosen`, as output 0 of `shape`.
void TakeSlices(KernelContext& ctx, const Array& x, std::int64_t outer, std::int64_t n, std::int64_t inner,
                const Ints& chosen, const Shape& shape) {
  const auto count = static_cast<std::int64_t>(chosen.size());
  if (x.dtype() == DType::kString) {
    std::vector<std::string> values;
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t at : chosen)
        for (std::int64_t i = 0; i < inner; ++i)
          values.push_back(x.strings()[static_cast<std::size_t>((o * n + at) * inner + i)]);
    return ctx.set_output(0, Array::Strings(shape, std::move(values)));
  }
  Array& out = ctx.Allocate(0, shape);
  const std::size_t bytes = static_cast<std::size_t>(inner) * SizeOf(x.dtype());
  if (out.num_bytes() == 0) return;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t k = 0; k < count; ++k)
      std::memcpy(out.raw() + static_cast<std::size_t>(o * count + k) * bytes,
                  x.raw() + static_cast<std::size_t>(o * n + chosen[static_cast<std::size_t>(k)]) * bytes, bytes);
}
void UniqueSlices(KernelContext& ctx, std::optional<int> axis, bool counts) {
  const Array x = ctx.input(0);
  RequireComparable(ctx, x.dtype());
  if (!axis && x.rank() != 1) throw InvalidArgumentError(ctx.Where() + "unique expects a 1D vector.");
  const int a = axis.value_or(0);
  const std::int64_t outer = Product(x.shape(), 0, a), n = x.dim(a), inner = Product(x.shape(), a + 1, x.rank());
  Array& index = ctx.Allocate(1, Shape{n});
  std::unordered_map<std::string, std::int64_t> known;
  Ints first, times;
  std::string key;
  for (std::int64_t i = 0; i < n; ++i) {
    key.clear();
    bool equals_itself = true;
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t k = 0; k < inner; ++k) equals_itself &= AppendElement(x, (o * n + i) * inner + k, key);
    auto number = static_cast<std::int64_t>(first.size());
    if (equals_itself) number = known.emplace(key, number).first->second;
    if (number == static_cast<std::int64_t>(first.size())) {
      first.push_back(i);
      times.push_back(0);
    }
    ++times[static_cast<std::size_t>(number)];
    PutInt(index, i, number);
  }
  Ints dims = x.shape().vector();
  dims[static_cast<std::size_t>(a)] = static_cast<std::int64_t>(first.size());
  TakeSlices(ctx, x, outer, n, inner, first, Shape(dims));
  if (!counts) return;
  Array& count = ctx.Allocate(2, Shape{static_cast<std::int64_t>(times.size())});
  for (std::size_t i = 0; i < times.size(); ++i) PutInt(count, static_cast<std::int64_t>(i), times[i]);
}
// tf: an empty axis stands for a vector's only one
std::optional<int> AxisInput(KernelContext& ctx) {
  const Array& axis = ctx.input(1);
  const int rank = ctx.input(0).rank();
  if (axis.rank() != 1) throw InvalidArgumentError(ctx.Where() + "axis expects a 1D vector.");
  if (axis.num_elements() == 0) return std::nullopt;
  if (axis.num_elements() > 1)
    throw InvalidArgumentError(ctx.Where() + "axis does not support input tensors larger than 1 elements");
  const std::int64_t a = axis.AsInt64Vector()[0];
  if (a < -rank || a >= rank)
    throw InvalidArgumentError(fmt::format("{}axis has to be between [0, {}), got {}", ctx.Where(), rank, a));
  return static_cast<int>(a < 0 ? a + rank : a);
}
}  // namespace

void Unique(KernelContext& ctx) { UniqueSlices(ctx, std::nullopt, false); }
void UniqueWithCounts(KernelContext& ctx) { UniqueSlices(ctx, std::nullopt, true); }
void UniqueV2(KernelContext& ctx) { UniqueSlices(ctx, AxisInput(ctx), false); }
void UniqueWithCountsV2(KernelContext& ctx) { UniqueSlices(ctx, AxisInput(ctx), true); }

void ListDiff(KernelContext& ctx) {
  const Array x = ctx.input(0), y = ctx.input(1);
  RequireComparable(ctx, x.dtype());
  if (x.rank() != 1) throw InvalidArgumentError(ctx.Where() + "x should be a 1D vector.");
  if (y.rank() != 1) throw InvalidArgumentError(ctx.Where() + "y should be a 1D vector.");
  std::unordered_set<std::string> without;
  std::string key;
  for (std::int64_t i = 0; i < y.num_elements(); ++i) {
    key.clear();
    if (AppendElement(y, i, key)) without.insert(key);
  }
  Ints kept;
  for (std::int64_t i = 0; i < x.num_elements(); ++i) {
    key.clear();
    if (!AppendElement(x, i, key) || !without.contains(key)) kept.push_back(i);
  }
  const Shape shape{static_cast<std::int64_t>(kept.size())};
  TakeSlices(ctx, x, 1, x.num_elements(), 1, kept, shape);
  Array& index = ctx.Allocate(1, shape);
  for (std::size_t i = 0; i < kept.size(); ++i) PutInt(index, static_cast<std::int64_t>(i), kept[i]);
}

void Where(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const int rank = in.rank();
  if (rank == 0) throw InvalidArgumentError(ctx.Where() + "WhereOp : Unhandled input dimensions: 0");
  Ints places;
  const auto find = [&](const auto* x, std::int64_t parts) {
    for (std::int64_t i = 0; i < in.num_elements(); ++i) {
      bool set = false;
      for (std::int64_t p = 0; p < parts; ++p) set |= x[i * parts + p] != std::remove_cvref_t<decltype(*x)>{0};
      if (set) places.push_back(i);
    }
  };
  if (in.dtype() == DType::kBool)
    find(in.data<bool>(), 1);
  else if (in.dtype() == DType::kComplex64)
    find(reinterpret_cast<const float*>(in.raw()), 2);
  else if (in.dtype() == DType::kComplex128)
    find(reinterpret_cast<const double*>(in.raw()), 2);
  else
    ForReal(ctx, in.dtype(), [&]<class T>() { find(in.data<T>(), 1); });
  std::int64_t* out =
      ctx.Allocate(0, Shape{static_cast<std::int64_t>(places.size()), rank}).mutable_data<std::int64_t>();
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::int64_t rest = places[i];
    for (int d = rank - 1; d >= 0; --d) {
      out[static_cast<std::int64_t>(i) * rank + d] = rest % in.dim(d);
      rest /= in.dim(d);
    }
  }
}

void InvertPermutation(KernelContext& ctx) {
  const Array in = ctx.input(0);
  if (in.rank() != 1) throw InvalidArgumentError(ctx.Where() + "invert_permutation expects a 1D vector.");
  const Ints x = in.AsInt64Vector();
  const auto n = static_cast<std::int64_t>(x.size());
  Array& out = ctx.Allocate(0, in.shape());
  std::vector<bool> seen(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] < 0 || x[i] >= n)
      throw InvalidArgumentError(fmt::format("{}{} is not between 0 and {}", ctx.Where(), x[i], n));
    if (seen[static_cast<std::size_t>(x[i])])
      throw InvalidArgumentError(fmt::format("{}{} is duplicated in the input.", ctx.Where(), x[i]));
    seen[static_cast<std::size_t>(x[i])] = true;
    PutInt(out, x[i], static_cast<std::int64_t>(i));
  }
}

}  // namespace equiv::cpu
