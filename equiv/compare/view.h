// equiv/compare/view.h - a tensor somebody else owns, as the comparison sees it.
#pragma once
#include "kernels/base/array.h"

namespace equiv {

// Dense row-major elements of any floating-point, integer or bool dtype; nothing is copied, so the memory must outlive
// the view.
class TensorView {
 public:
  // TypeError: a dtype without comparable elements (string, resource, complex, ...); InvalidArgumentError: no memory for
  // a shape with elements.
  TensorView(DType dtype, const Shape& shape, const void* data);
  TensorView(const Array& array)  // NOLINT: an array is a view of itself
      : TensorView(array.dtype(), array.shape(), array.raw()) {}

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  const void* data() const { return data_; }
  std::int64_t num_elements() const { return shape_.num_elements(); }

 private:
  DType dtype_;
  Shape shape_;
  const void* data_;
};

}  // namespace equiv
