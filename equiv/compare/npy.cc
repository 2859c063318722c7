#include "equiv/compare/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "equiv/compare/npy_format.h"
#include "kernels/base/error.h"
#include "kernels/io/file.h"

namespace equiv {
namespace {
using internal::NpyHeader;

void RequireSize(const NpyHeader& header, std::uint64_t there, const std::string& what) {
  const std::uint64_t needed = internal::NpyDataSize(header, what);
  if (there < needed)
    throw DataLossError(fmt::format("'{}' is cut short: its shape needs {} bytes of {}, {} are there", what, needed,
                                    Name(header.dtype), there));
  if (there > needed) throw DataLossError(fmt::format("'{}' holds {} bytes too many", what, there - needed));
}
}  // namespace

Array ParseNpy(std::span<const std::byte> bytes, const std::string& what) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const NpyHeader header = internal::ParseNpyHeader(text, what);
  RequireSize(header, text.size() - header.size, what);
  std::size_t at = header.size;
  return internal::ReadNpyData(
      header,
      [&](void* into, std::size_t size) {
        if (size > 0) std::memcpy(into, text.data() + at, size);
        at += size;
      },
      what);
}

Array ReadNpy(const std::string& path) {
  const io::InputFile file(path);
  std::string start(std::min<std::size_t>(internal::kNpyPrefix, static_cast<std::size_t>(file.size())), '\0');
  file.Read(0, start.data(), start.size());
  const std::size_t size = internal::NpyHeaderSize(start, path);
  start.resize(std::min(size, static_cast<std::size_t>(file.size())));
  file.Read(0, start.data(), start.size());
  const NpyHeader header = internal::ParseNpyHeader(start, path);
  RequireSize(header, static_cast<std::uint64_t>(file.size()) - header.size, path);
  auto at = static_cast<std::int64_t>(header.size);
  return internal::ReadNpyData(
      header,
      [&](void* into, std::size_t n) {
        file.Read(at, into, n);
        at += static_cast<std::int64_t>(n);
      },
      path);
}

void WriteNpy(const std::string& path, const Array& array) {
  const std::size_t width = internal::NpyWidth(array, path);
  const std::string header = internal::NpyHeaderText(array.dtype(), array.shape().dims(), width, path);
  io::OutputFile file(path);
  file.Append(header);
  if (array.dtype() != DType::kString) {
    file.Append(array.raw(), array.num_bytes());
  } else {
    std::string element(width, '\0');
    for (std::uint64_t i = 0; i < array.strings().size(); ++i) {
      internal::CopyNpyStrings(array, width, i * width, element.data(), width);
      file.Append(element);
    }
  }
  file.Commit();
}
}  // namespace equiv
