#include "kernels/cpu/strings.h"

#include "kernels/cpu/elementwise_loops.h"

namespace equiv::cpu {

void ConcatenateStrings(KernelContext& ctx) {
  const Array a = ctx.input(0), b = ctx.input(1);
  const Shape out = BroadcastShape(ctx, a.shape(), b.shape());
  const std::array strides = {StretchedStrides(a.shape(), out), StretchedStrides(b.shape(), out)};
  std::vector<std::string> joined(static_cast<std::size_t>(out.num_elements()));
  for (std::size_t i = 0; i < joined.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), from[2] = {0, 0};
    for (int d = out.rank() - 1; d >= 0; --d) {
      for (std::size_t k : {0, 1}) from[k] += rest % out[d] * strides[k][static_cast<std::size_t>(d)];
      rest /= out[d];
    }
    joined[i] = a.strings()[static_cast<std::size_t>(from[0])] + b.strings()[static_cast<std::size_t>(from[1])];
  }
  ctx.set_output(0, Array::Strings(out, std::move(joined)));
}

}  // namespace equiv::cpu
