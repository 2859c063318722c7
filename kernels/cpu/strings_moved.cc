#include "kernels/cpu/strings_moved.h"

#include <string>
#include <vector>

namespace equiv::cpu {

void MoveStrings(KernelContext& ctx, void (*kernel)(KernelContext&)) {
  std::vector<const std::string*> strings{nullptr};
  std::vector<Array> originals, inputs, outputs(static_cast<std::size_t>(ctx.num_outputs()));
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    originals.push_back(ctx.input(i));
    const Array& original = originals.back();
    if (original.dtype() != DType::kString) {
      inputs.push_back(original);
      continue;
    }
    Array numbers(DType::kInt64, original.shape());
    for (std::int64_t k = 0; k < original.num_elements(); ++k) {
      numbers.mutable_data<std::int64_t>()[k] = static_cast<std::int64_t>(strings.size());
      strings.push_back(&original.strings()[static_cast<std::size_t>(k)]);
    }
    inputs.push_back(std::move(numbers));
  }
  std::vector<DType> dtypes;
  for (int i = 0; i < ctx.num_outputs(); ++i)
    dtypes.push_back(ctx.output_dtype(i) == DType::kString ? DType::kInt64 : ctx.output_dtype(i));
  KernelContext numbered(ctx.def(), ctx.attrs(), ctx.node_name(), inputs, outputs, dtypes, ctx.resources(), ctx.pool());
  kernel(numbered);
  for (int i = 0; i < ctx.num_outputs(); ++i) {
    const Array& moved = outputs[static_cast<std::size_t>(i)];
    if (ctx.output_dtype(i) != DType::kString) {
      ctx.set_output(i, moved);
      continue;
    }
    std::vector<std::string> values;
    for (std::int64_t number : moved.span<std::int64_t>()) {
      const std::string* string = strings[static_cast<std::size_t>(number)];
      values.push_back(string ? *string : std::string());
    }
    ctx.set_output(i, Array::Strings(moved.shape(), std::move(values)));
  }
}

}  // namespace equiv::cpu
