#include "kernels/cpu/parts.h"

#include <fmt/format.h>

#include <cstring>

#include "kernels/base/error.h"

namespace equiv::cpu {
Array Zeros(DType dtype, const Shape& shape) {
  if (SizeOf(dtype) == 0) throw InvalidArgumentError(fmt::format("there are no zeros of dtype {}", Name(dtype)));
  Array zeros(dtype, shape);
  if (zeros.num_bytes() > 0) std::memset(zeros.raw(), 0, zeros.num_bytes());
  return zeros;
}
Array Joined(DType dtype, const Shape& shape, std::span<const Array> parts, const Shape& blank) {
  if (dtype == DType::kString) {
    std::vector<std::string> all;
    for (const Array& part : parts) {
      if (!part.has_value()) Zeros(dtype, blank);  // throws
      all.insert(all.end(), part.strings().begin(), part.strings().end());
    }
    return Array::Strings(shape, std::move(all));
  }
  if (SizeOf(dtype) == 0) throw InvalidArgumentError(fmt::format("elements of {} cannot be joined", Name(dtype)));
  Array out(dtype, shape);
  std::byte* to = out.raw();
  for (const Array& part : parts) {
    const std::size_t bytes =
        part.has_value() ? part.num_bytes() : static_cast<std::size_t>(blank.num_elements()) * SizeOf(dtype);
    if (bytes == 0) continue;
    if (part.has_value())
      std::memcpy(to, part.raw(), bytes);
    else
      std::memset(to, 0, bytes);
    to += bytes;
  }
  return out;
}
Array Part(const Array& whole, std::int64_t begin, const Shape& shape) {
  const std::int64_t count = shape.num_elements();
  if (whole.dtype() == DType::kString) {
    const auto from = whole.strings().begin() + begin;
    return Array::Strings(shape, std::vector<std::string>(from, from + count));
  }
  const std::size_t size = SizeOf(whole.dtype());
  if (size == 0) throw InvalidArgumentError(fmt::format("elements of {} cannot be taken apart", Name(whole.dtype())));
  Array part(whole.dtype(), shape);
  if (part.num_bytes() > 0)
    std::memcpy(part.raw(), whole.raw() + static_cast<std::size_t>(begin) * size, part.num_bytes());
  return part;
}

}  // namespace equiv::cpu
