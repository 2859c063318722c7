#include "kernels/base/kernel.h"

#include "kernels/base/op_builder.h"
#include "kernels/base/op_def.h"

namespace equiv {

Array& KernelContext::Allocate(int i, const Shape& shape) {
  return outputs_[static_cast<std::size_t>(i)] = Array(output_dtype(i), shape);
}
Array& KernelContext::AllocateOrForward(int i, int j, const Shape& shape) {
  Array& in = inputs_[static_cast<std::size_t>(j)];
  if (in.dtype() == output_dtype(i) && in.SoleOwner() && !in.buffer()->persistent() &&
      in.num_elements() == shape.num_elements()) {
    in.buffer()->Renew();
    return outputs_[static_cast<std::size_t>(i)] = in.Reshaped(shape);
  }
  return Allocate(i, shape);
}
std::string KernelContext::Where() const { return OpWhere(def_.name, node_name_); }

const Array& Value::array() const {
  if (edge_)
    throw TypeError("a symbolic tensor has no value while the graph is being built; fetch it with Session::Run");
  return array_;
}
}  // namespace equiv
