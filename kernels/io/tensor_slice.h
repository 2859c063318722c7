// kernels/io/tensor_slice.h - a box cut out of a tensor, as partitioned variables are stored. tf: TensorSlice
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace equiv::io {

struct SliceExtent {
  std::int64_t start = 0;
  std::int64_t length = -1;  // -1: the whole dimension
  friend bool operator==(const SliceExtent&, const SliceExtent&) = default;
};

struct TensorSlice {
  std::vector<SliceExtent> extents;
  static TensorSlice Whole(std::size_t rank) { return {std::vector<SliceExtent>(rank)}; }
  // "0,3:-"; "" for a scalar. tf: TensorSlice::DebugString
  std::string ToString() const;
  // The sizes of the box within a tensor of `shape`. InvalidArgumentError when it does not fit inside.
  std::vector<std::int64_t> ShapeWithin(std::span<const std::int64_t> shape) const;
  friend bool operator==(const TensorSlice&, const TensorSlice&) = default;
};

// What SaveV2 and RestoreV2 are told of each tensor: "" for a whole one, "5 3 0,3:-" for rows 0 to 2 of a [5,3].
// tf: checkpoint::ParseShapeAndSlice
struct ShapeAndSlice {
  bool whole = true;
  std::vector<std::int64_t> full_shape = {};
  TensorSlice slice = {};
};
// InvalidArgumentError quoting the text.
ShapeAndSlice ParseShapeAndSlice(std::string_view text);
std::string FormatShapeAndSlice(std::span<const std::int64_t> full_shape, const TensorSlice& slice);

// The key of a stored slice: TensorFlow's order-preserving code of 0, the tensor's name, the rank, and each extent.
// tf: EncodeTensorNameSlice
std::string EncodeSliceKey(std::string_view name, const TensorSlice& slice);

}  // namespace equiv::io
