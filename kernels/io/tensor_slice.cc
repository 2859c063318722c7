#include "kernels/io/tensor_slice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <bit>
#include <charconv>

#include "kernels/base/error.h"

namespace equiv::io {
namespace {

bool ParseNumber(std::string_view text, std::int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0;
}

// tf: OrderedCode::WriteNumIncreasing: a length byte, then the bytes that matter, the highest first.
void PutNumber(std::string& out, std::uint64_t value) {
  const int bytes = (static_cast<int>(std::bit_width(value)) + 7) / 8;
  out += static_cast<char>(bytes);
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
}
// tf: OrderedCode::WriteString
void PutString(std::string& out, std::string_view text) {
  for (const char c : text) {
    out += c;
    if (c == '\x00') out += '\xff';
    if (c == '\xff') out += '\x00';
  }
  out += '\x00';
  out += '\x01';
}
// tf: OrderedCode::WriteSignedNumIncreasing: n bytes hold 7n bits with the sign; n leading ones (of a negative number:
// zeros) tell the length.
void PutSigned(std::string& out, std::int64_t value) {
  const std::uint64_t magnitude = value < 0 ? ~static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const int bits = static_cast<int>(std::bit_width(magnitude)) + 1, length = (bits + 6) / 7;
  // Ten bytes, sign extended, the highest first.
  std::array<unsigned char, 10> bytes;
  const unsigned char sign = value < 0 ? 0xff : 0;
  bytes[0] = bytes[1] = sign;
  for (int i = 0; i < 8; ++i)
    bytes[static_cast<std::size_t>(2 + i)] =
        static_cast<unsigned char>(static_cast<std::uint64_t>(value) >> (8 * (7 - i)));
  const auto first = static_cast<std::size_t>(10 - length);
  // The header: `length` ones from the highest bit of the first byte on.
  for (int bit = 0; bit < length; ++bit)
    bytes[first + static_cast<std::size_t>(bit / 8)] ^= static_cast<unsigned char>(0x80 >> (bit % 8));
  for (std::size_t i = first; i < bytes.size(); ++i) out += static_cast<char>(bytes[i]);
}
}  // namespace

std::string TensorSlice::ToString() const {
  std::string text;
  for (const SliceExtent& e : extents)
    text += (text.empty() ? "" : ":") + (e.length < 0 ? std::string("-") : fmt::format("{},{}", e.start, e.length));
  return text;
}

std::vector<std::int64_t> TensorSlice::ShapeWithin(std::span<const std::int64_t> shape) const {
  if (shape.size() != extents.size())
    throw InvalidArgumentError(fmt::format("slice {} has {} dimensions, the tensor of shape [{}] has {}", ToString(),
                                           extents.size(), fmt::join(shape, ","), shape.size()));
  std::vector<std::int64_t> sizes;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const auto [start, length] = extents[d];
    if (length >= 0 && (start < 0 || start > shape[d] || length > shape[d] - start))
      throw InvalidArgumentError(
          fmt::format("slice {} reaches beyond dimension {} of shape [{}]", ToString(), d, fmt::join(shape, ",")));
    sizes.push_back(length < 0 ? shape[d] : length);
  }
  return sizes;
}

ShapeAndSlice ParseShapeAndSlice(std::string_view text) {
  ShapeAndSlice parsed;
  if (text.empty()) return parsed;
  const auto malformed = [&](std::string_view why) {
    return InvalidArgumentError(fmt::format(
        "'{}' is no shape and slice: {}; wanted like '5 3 0,3:-', dimensions and then one extent for each", text, why));
  };
  parsed.whole = false;
  std::string_view rest = text;
  for (auto space = rest.find(' '); space != std::string_view::npos; space = rest.find(' ')) {
    std::int64_t dim = 0;
    if (!ParseNumber(rest.substr(0, space), dim)) throw malformed("a dimension is no number");
    parsed.full_shape.push_back(dim);
    rest.remove_prefix(space + 1);
  }
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const std::string_view part = rest.substr(0, colon);
    SliceExtent extent;
    if (part != "-") {
      const auto comma = part.find(',');
      if (comma == std::string_view::npos || !ParseNumber(part.substr(0, comma), extent.start) ||
          !ParseNumber(part.substr(comma + 1), extent.length))
        throw malformed("an extent is neither '-' nor 'start,length'");
    }
    parsed.slice.extents.push_back(extent);
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
    if (rest.empty()) throw malformed("an extent is missing");
  }
  if (parsed.slice.extents.size() != parsed.full_shape.size())
    throw malformed("it has another number of extents than of dimensions");
  try {
    parsed.slice.ShapeWithin(parsed.full_shape);
  } catch (const InvalidArgumentError& error) {
    throw malformed(error.what());
  }
  return parsed;
}

std::string FormatShapeAndSlice(std::span<const std::int64_t> full_shape, const TensorSlice& slice) {
  std::string text;
  for (const std::int64_t d : full_shape) text += std::to_string(d) + " ";
  return text + slice.ToString();
}

std::string EncodeSliceKey(std::string_view name, const TensorSlice& slice) {
  std::string key;
  PutNumber(key, 0);
  PutString(key, name);
  PutNumber(key, slice.extents.size());
  for (const SliceExtent& e : slice.extents) {
    PutSigned(key, e.start);
    PutSigned(key, e.length);
  }
  return key;
}
}  // namespace equiv::io
