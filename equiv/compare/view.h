// equiv/compare/view.h - what is compared: dtype, shape and memory, from anywhere.
#pragma once
#include "kernels/base/array.h"

namespace equiv {

// Does not own the memory: row-major, contiguous, native byte order; strings are std::string objects.
class TensorView {
 public:
  TensorView(const Array& array) : dtype_(array.dtype()), shape_(array.shape()), data_(DataOf(array)) {}  // NOLINT
  TensorView(DType dtype, const Shape& shape, const void* data) : dtype_(dtype), shape_(shape), data_(data) {}
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  const void* data() const { return data_; }
  std::int64_t num_elements() const { return shape_.num_elements(); }

 private:
  static const void* DataOf(const Array& array) {
    if (array.dtype() == DType::kString) return array.strings().data();
    return array.raw();
  }
  DType dtype_;
  Shape shape_;
  const void* data_;
};

}  // namespace equiv
