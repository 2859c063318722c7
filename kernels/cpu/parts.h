// kernels/cpu/parts.h - arrays put one after the other, and taken apart again, whatever their elements are.
#pragma once
#include <cstdint>
#include <span>

#include "kernels/base/array.h"

namespace equiv::cpu {

// The elements of `parts`, in their order. Parts without a value stand for zeros of `blank`. All of `dtype`, together
// as many elements as `shape` has. InvalidArgumentError for zeros of strings and handles.
Array Joined(DType dtype, const Shape& shape, std::span<const Array> parts, const Shape& blank = {});
// A copy of as many elements as `shape` has, from element `begin` on.
Array Part(const Array& whole, std::int64_t begin, const Shape& shape);
// Zeros; InvalidArgumentError for strings and handles.
Array Zeros(DType dtype, const Shape& shape);

}  // namespace equiv::cpu
