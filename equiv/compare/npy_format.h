// equiv/compare/npy_format.h - the bytes of one .npy file or member of an .npz. Private to equiv/compare.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kernels/base/array.h"

namespace equiv::internal {

struct NpyHeader {
  enum class Kind { kNumbers, kBytes, kCodePoints };  // '|S', '<U'
  Kind kind = Kind::kNumbers;
  DType dtype = DType::kInvalid;
  std::size_t width = 0;  // bytes of one element
  bool big_endian = false, fortran_order = false;
  std::vector<std::int64_t> shape = {};
  std::size_t size = 0;  // of the header; the data follow
};

inline constexpr std::size_t kNpyPrefix = 12;  // enough to know how long the header is
bool IsNpy(std::string_view first_bytes);
// The header's size, from its first kNpyPrefix bytes. DataLossError: no .npy, or a header beyond 1 MiB.
std::size_t NpyHeaderSize(std::string_view prefix, const std::string& what);
// `bytes` hold the header at least. DataLossError: damaged; UnimplementedError: a dtype that is not read.
NpyHeader ParseNpyHeader(std::string_view bytes, const std::string& what);
// How many bytes follow the header. DataLossError when that is no sensible number.
std::uint64_t NpyDataSize(const NpyHeader& header, const std::string& what);
// `read` gives the next bytes of the data; that there are NpyDataSize of them is known.
Array ReadNpyData(const NpyHeader& header, const std::function<void(void* into, std::size_t size)>& read,
                  const std::string& what);

// Bytes of one element as .npy stores it: of strings the longest. UnimplementedError where .npy cannot hold the array.
std::size_t NpyWidth(const Array& array, const std::string& what);
// The same for dtypes of a fixed width, without the array.
std::size_t NpyWidth(DType dtype, const std::string& what);
// Everything before the data, byte for byte as NumPy writes it.
std::string NpyHeaderText(DType dtype, std::span<const std::int64_t> shape, std::size_t width, const std::string& what);
// Copies `size` bytes of the data of a string array, from `offset` on.
void CopyNpyStrings(const Array& array, std::size_t width, std::uint64_t offset, char* into, std::size_t size);

}  // namespace equiv::internal
