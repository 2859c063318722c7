#include "kernels/cpu/channels_first.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;

// [n, rows, columns] to [n, columns, rows], in tiles that stay in the cache.
template <class T>
void Swap(ThreadPool& pool, const T* in, std::int64_t n, std::int64_t rows, std::int64_t columns, T* out) {
  constexpr std::int64_t kTile = 32;
  const std::int64_t bands = (columns + kTile - 1) / kTile;
  pool.ParallelFor(n * bands, [&](std::int64_t band) {
    const T* from = in + band / bands * rows * columns;
    T* to = out + band / bands * rows * columns;
    const std::int64_t first = band % bands * kTile, last = std::min(first + kTile, columns);
    for (std::int64_t top = 0; top < rows; top += kTile)
      for (std::int64_t c = first; c < last; ++c)
        for (std::int64_t r = top; r < std::min(top + kTile, rows); ++r) to[c * rows + r] = from[r * columns + c];
  });
}
Array Swapped(ThreadPool& pool, const Array& in, const Shape& shape, std::int64_t rows) {
  Array out(in.dtype(), shape);
  const std::int64_t elements = shape.num_elements();
  if (elements == 0) return out;
  const std::int64_t n = shape[0], columns = elements / (n * rows);
  const auto swap = [&]<class T>() {
    Swap(pool, reinterpret_cast<const T*>(in.raw()), n, rows, columns, reinterpret_cast<T*>(out.raw()));
  };
  switch (SizeOf(in.dtype())) {
    case 1:
      swap.operator()<std::uint8_t>();
      break;
    case 2:
      swap.operator()<std::uint16_t>();
      break;
    case 4:
      swap.operator()<std::uint32_t>();
      break;
    default:
      swap.operator()<std::uint64_t>();
  }
  return out;
}
// [n, c, spatial...] to [n, spatial..., c].
Array ToLast(ThreadPool& pool, const Array& in) {
  Ints dims = in.shape().vector();
  const std::int64_t channels = dims[1];
  std::rotate(dims.begin() + 1, dims.begin() + 2, dims.end());
  return Swapped(pool, in, Shape(dims), channels);
}
// And back.
Array ToFirst(ThreadPool& pool, const Array& in) {
  Ints dims = in.shape().vector();
  const std::int64_t channels = dims.back();
  std::rotate(dims.begin() + 1, dims.end() - 1, dims.end());
  return Swapped(pool, in, Shape(dims),
                 channels == 0 ? 0 : in.num_elements() / std::max<std::int64_t>(1, dims[0] * channels));
}
// Numbers in groups of `per` for each dimension, the channels' group moved to the end.
void MoveChannelsLast(Ints& values, std::size_t per) {
  std::rotate(values.begin() + static_cast<std::ptrdiff_t>(per), values.begin() + static_cast<std::ptrdiff_t>(2 * per),
              values.end());
}
}  // namespace

bool ChannelsFirst(KernelContext& ctx) {
  const std::string& format = ctx.attrs().Get<std::string>("data_format");
  return format == "NCHW" || format == "NCDHW";
}

void RunChannelsLast(KernelContext& ctx, const LayoutArgs& args, void (*kernel)(KernelContext&)) {
  const std::size_t rank = ctx.attrs().Get<std::string>("data_format").size();
  AttrMap attrs = ctx.attrs();
  attrs.Set("data_format", std::string(rank == 4 ? "NHWC" : "NDHWC"));
  for (const char* name : {"strides", "dilations", "ksize", "explicit_paddings"})
    if (attrs.Find(name)) {
      Ints values = attrs.Get<Ints>(name);
      const std::size_t per = std::string_view(name) == "explicit_paddings" ? 2 : 1;
      if (values.size() != per * rank) continue;
      MoveChannelsLast(values, per);
      attrs.Set(name, std::move(values));
    }
  std::vector<Array> inputs, outputs(static_cast<std::size_t>(ctx.num_outputs()));
  std::vector<DType> dtypes;
  for (int i = 0; i < ctx.num_inputs(); ++i) inputs.push_back(ctx.input(i));
  for (int i = 0; i < ctx.num_outputs(); ++i) dtypes.push_back(ctx.output_dtype(i));
  for (int i : args.images)
    if (Array& in = inputs[static_cast<std::size_t>(i)]; in.rank() == static_cast<int>(rank))
      in = ToLast(ctx.pool(), in);
  for (int i : args.sizes)
    if (Array& in = inputs[static_cast<std::size_t>(i)]; in.num_elements() == static_cast<std::int64_t>(rank)) {
      Ints values = in.AsInt64Vector();
      MoveChannelsLast(values, 1);
      Array moved(in.dtype(), in.shape());
      for (std::size_t k = 0; k < values.size(); ++k)
        if (in.dtype() == DType::kInt32)
          moved.mutable_data<std::int32_t>()[k] = static_cast<std::int32_t>(values[k]);
        else
          moved.mutable_data<std::int64_t>()[k] = values[k];
      in = moved;
    }
  KernelContext last(ctx.def(), attrs, ctx.node_name(), inputs, outputs, dtypes, ctx.resources(), ctx.pool());
  kernel(last);
  for (int i = 0; i < ctx.num_outputs(); ++i) {
    Array& out = outputs[static_cast<std::size_t>(i)];
    const bool laid_out = std::ranges::find(args.results, i) != args.results.end();
    ctx.set_output(i, laid_out ? ToFirst(ctx.pool(), out) : std::move(out));
  }
}

}  // namespace equiv::cpu
