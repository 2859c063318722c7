#include "equiv/compare/npy_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>
#include <limits>
#include <optional>

#include "equiv/compare/printable.h"
#include "kernels/base/error.h"

namespace equiv::internal {
static_assert(std::endian::native == std::endian::little);
namespace {
constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr std::size_t kLargestHeader = std::size_t{1} << 20;
constexpr std::size_t kChunk = std::size_t{1} << 20;

struct Code {
  std::string_view text;
  DType dtype;
};
// What NumPy writes; of bfloat16 and the quantised types, what their Python packages have it write.
constexpr Code kCodes[] = {{"<f4", DType::kFloat32},  {"<f8", DType::kFloat64},   {"<f2", DType::kFloat16},
                           {"<V2", DType::kBFloat16}, {"<c8", DType::kComplex64}, {"<c16", DType::kComplex128},
                           {"|i1", DType::kInt8},     {"<i2", DType::kInt16},     {"<i4", DType::kInt32},
                           {"<i8", DType::kInt64},    {"|u1", DType::kUInt8},     {"<u2", DType::kUInt16},
                           {"<u4", DType::kUInt32},   {"<u8", DType::kUInt64},    {"|b1", DType::kBool}};
constexpr Code kQuantised[] = {{"[('qint8', '|i1')]", DType::kQInt8},
                               {"[('quint8', '|u1')]", DType::kQUInt8},
                               {"[('qint16', '<i2')]", DType::kQInt16},
                               {"[('quint16', '<u2')]", DType::kQUInt16},
                               {"[('qint32', '<i4')]", DType::kQInt32}};

// The header: one Python dictionary of literals.
class Literal {
 public:
  Literal(std::string_view text, const std::string& what) : text_(text), what_(what) {}

  NpyHeader Parse() {
    NpyHeader header;
    bool descr = false, order = false, shape = false;
    Expect('{');
    while (!Accept('}')) {
      const std::string_view key = String();
      Expect(':');
      bool* seen = key == "descr" ? &descr : key == "fortran_order" ? &order : key == "shape" ? &shape : nullptr;
      if (!seen || *seen) throw Damaged(fmt::format("the key '{}'", Printable(key)));
      *seen = true;
      if (seen == &descr)
        Descr(header);
      else if (seen == &order)
        header.fortran_order = Bool();
      else
        header.shape = Tuple();
      if (!Accept(',')) {
        Expect('}');
        break;
      }
    }
    Space();
    if (!text_.empty()) throw Damaged("text behind the dictionary");
    for (const auto& [seen, name] : {std::pair(descr, "descr"), {order, "fortran_order"}, {shape, "shape"}})
      if (!seen) throw DataLossError(fmt::format("'{}': the npy header has no '{}'", what_, name));
    return header;
  }

 private:
  DataLossError Damaged(const std::string& why) const {
    return DataLossError(fmt::format("'{}': the npy header is damaged: {}", what_, why));
  }
  void Space() {
    while (!text_.empty() && std::isspace(static_cast<unsigned char>(text_.front()))) text_.remove_prefix(1);
  }
  bool Accept(char c) {
    Space();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void Expect(char c) {
    if (!Accept(c)) throw Damaged(fmt::format("expected '{}' before '{}'", c, Printable(text_.substr(0, 20))));
  }
  std::string_view String() {
    Space();
    const char quote = text_.empty() ? ' ' : text_.front();
    const auto end = quote == '\'' || quote == '"' ? text_.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) throw Damaged(fmt::format("no text at '{}'", Printable(text_.substr(0, 20))));
    const std::string_view value = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return value;
  }
  bool Bool() {
    Space();
    for (const auto& [word, value] : {std::pair(std::string_view("True"), true), {"False", false}})
      if (text_.starts_with(word)) {
        text_.remove_prefix(word.size());
        return value;
      }
    throw Damaged("fortran_order is neither True nor False");
  }
  std::vector<std::int64_t> Tuple() {
    std::vector<std::int64_t> dims;
    Expect('(');
    while (!Accept(')')) {
      Space();
      std::int64_t value = 0;
      std::size_t digits = 0;
      for (; digits < text_.size() && std::isdigit(static_cast<unsigned char>(text_[digits])); ++digits)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text_[digits] - '0', &value))
          throw Damaged("the shape has a dimension beyond 64 bits");
      if (digits == 0) throw Damaged("the shape is no tuple of numbers");
      text_.remove_prefix(digits);
      if (text_.starts_with('L')) text_.remove_prefix(1);  // Python 2 wrote long integers so
      dims.push_back(value);
      if (dims.size() > 64) throw Damaged("the shape has more than 64 dimensions");
      if (!Accept(',')) {
        Expect(')');
        break;
      }
    }
    return dims;
  }
  void Descr(NpyHeader& header) {
    Space();
    if (text_.starts_with('[')) {
      for (const Code& code : kQuantised)
        if (text_.starts_with(code.text)) {
          text_.remove_prefix(code.text.size());
          header.dtype = code.dtype;
          header.width = SizeOf(code.dtype);
          return;
        }
      throw UnimplementedError(fmt::format("'{}' holds a structured dtype; plain numbers and strings are read", what_));
    }
    const std::string_view descr = String();
    const char order = descr.empty() ? ' ' : descr.front();
    const std::string_view type = descr.empty() ? descr : descr.substr(1);
    if (order == '<' || order == '>' || order == '=' || order == '|') {
      for (const Code& code : kCodes)
        if (type == code.text.substr(1)) {
          header.dtype = code.dtype;
          header.width = SizeOf(code.dtype);
          header.big_endian = order == '>';
          return;
        }
      if (type.starts_with('S') || type.starts_with('U')) {
        header.kind = type.front() == 'S' ? NpyHeader::Kind::kBytes : NpyHeader::Kind::kCodePoints;
        header.dtype = DType::kString;
        header.width = Length(type.substr(1)) * (type.front() == 'S' ? 1 : 4);
        header.big_endian = order == '>';
        return;
      }
    }
    if (type == "O")
      throw UnimplementedError(
          fmt::format("'{}' holds pickled Python objects, which are never loaded: that runs code; save arrays of "
                      "numbers or strings",
                      what_));
    if (type == "V1" || type == "f1")
      throw UnimplementedError(fmt::format(
          "'{}' holds dtype '{}': 8-bit floats and 4-bit integers, which .npy does not tell apart; safetensors does",
          what_, descr));
    throw UnimplementedError(fmt::format(
        "'{}' holds dtype '{}'; numbers, bool, complex64, complex128, bfloat16 as '<V2', and strings are read", what_,
        Printable(descr)));
  }
  std::size_t Length(std::string_view digits) const {
    std::size_t value = 0;
    if (digits.empty() || digits.size() > 10 ||
        !std::ranges::all_of(digits, [](char c) { return std::isdigit(static_cast<unsigned char>(c)); }))
      throw Damaged("the length of its strings");
    for (const char c : digits) value = value * 10 + static_cast<std::size_t>(c - '0');
    return value;
  }

  std::string_view text_;
  const std::string& what_;
};

Shape ShapeOf(const NpyHeader& header, const std::string& what) {
  if (header.shape.size() > static_cast<std::size_t>(kMaxRank))
    throw UnimplementedError(
        fmt::format("'{}' has {} dimensions; at most {} are supported", what, header.shape.size(), kMaxRank));
  try {
    return Shape(header.shape);
  } catch (const Error& error) {
    throw DataLossError(fmt::format("'{}': {}", what, error.what()));
  }
}

void SwapBytes(std::byte* data, std::size_t bytes, std::size_t width) {
  for (std::size_t i = 0; i < bytes; i += width) std::reverse(data + i, data + i + width);
}

// From column-major to row-major order: the innermost dimension of the result is the outermost of the source.
Array Transposed(const Array& source, const Shape& shape) {
  Array result(source.dtype(), shape);
  const int rank = shape.rank();
  std::vector<std::int64_t> stride(static_cast<std::size_t>(rank)), at(static_cast<std::size_t>(rank), 0);
  std::int64_t step = 1;
  for (std::size_t d = 0; d < stride.size(); ++d) {
    stride[d] = step;
    step *= shape[static_cast<int>(d)];
  }
  const std::size_t width = SizeOf(source.dtype());
  std::int64_t from = 0;
  for (std::int64_t to = 0, n = shape.num_elements(); to < n; ++to) {
    std::memcpy(result.raw() + static_cast<std::size_t>(to) * width,
                source.raw() + static_cast<std::size_t>(from) * width, width);
    for (int d = rank - 1; d >= 0; --d) {
      const auto i = static_cast<std::size_t>(d);
      from += stride[i];
      if (++at[i] < shape[d]) break;
      from -= stride[i] * shape[d];
      at[i] = 0;
    }
  }
  return result;
}

std::string DecodeBytes(std::string_view element) {
  while (element.ends_with('\0')) element.remove_suffix(1);  // NumPy pads with zeros, and drops them all
  return std::string(element);
}
std::string DecodeCodePoints(std::string_view element, bool big_endian, const std::string& what) {
  std::string text;
  std::size_t kept = 0;
  for (std::size_t i = 0; i + 4 <= element.size(); i += 4) {
    std::uint32_t c;
    std::memcpy(&c, element.data() + i, sizeof c);
    if (big_endian) c = __builtin_bswap32(c);
    if (!IsCodePoint(c))
      throw DataLossError(fmt::format("'{}' holds a text with {:#x}, which is no Unicode code point", what, c));
    AppendUtf8(text, c);
    if (c != 0) kept = text.size();
  }
  text.resize(kept);
  return text;
}

// Strings of Fortran order go where row-major order has them.
std::int64_t RowMajor(std::int64_t index, const Shape& shape) {
  std::int64_t to = 0, below = shape.num_elements();
  for (int d = 0; d < shape.rank(); ++d) {
    below /= shape[d];
    to += index % shape[d] * below;
    index /= shape[d];
  }
  return to;
}
}  // namespace

bool IsNpy(std::string_view first_bytes) { return first_bytes.starts_with(kMagic); }

std::size_t NpyHeaderSize(std::string_view prefix, const std::string& what) {
  if (!prefix.starts_with(kMagic.substr(0, std::min(prefix.size(), kMagic.size()))) || prefix.empty())
    throw DataLossError(fmt::format("'{}' is no .npy file: its first bytes are wrong", what));
  const auto cut = [&] { return DataLossError(fmt::format("'{}' is cut short inside its header", what)); };
  if (prefix.size() < 10) throw cut();
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(prefix[i])); };
  const std::size_t major = byte(6);
  if (major < 1 || major > 3)
    throw UnimplementedError(fmt::format("'{}' is .npy version {}; versions 1 to 3 are read", what, major));
  const std::size_t start = major == 1 ? 10 : 12;
  if (prefix.size() < start) throw cut();
  std::size_t length = byte(8) | byte(9) << 8;
  if (major > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > kLargestHeader)
    throw DataLossError(fmt::format("'{}' has a header of {} bytes, more than {}", what, length, kLargestHeader));
  return start + length;
}

NpyHeader ParseNpyHeader(std::string_view bytes, const std::string& what) {
  const std::size_t size = NpyHeaderSize(bytes.substr(0, kNpyPrefix), what);
  if (bytes.size() < size) throw DataLossError(fmt::format("'{}' is cut short inside its header", what));
  const std::size_t start = bytes[6] == 1 ? 10 : 12;
  NpyHeader header = Literal(bytes.substr(start, size - start), what).Parse();
  header.size = size;
  return header;
}

std::uint64_t NpyDataSize(const NpyHeader& header, const std::string& what) {
  std::uint64_t bytes = header.width;
  bool zero = header.width == 0;
  for (const std::int64_t d : header.shape) zero |= d == 0;
  if (!zero)
    for (const std::int64_t d : header.shape)
      if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(d), &bytes))
        throw DataLossError(fmt::format("'{}': its shape has too many elements", what));
  return zero ? 0 : bytes;
}

Array ReadNpyData(const NpyHeader& header, const std::function<void(void* into, std::size_t size)>& read,
                  const std::string& what) {
  const Shape shape = ShapeOf(header, what);
  const std::int64_t elements = shape.num_elements();
  if (header.kind == NpyHeader::Kind::kNumbers) {
    Array array(header.dtype, shape);
    for (std::size_t done = 0, size = array.num_bytes(); done < size;) {
      const std::size_t n = std::min(kChunk, size - done);
      read(array.raw() + done, n);
      done += n;
    }
    if (header.big_endian)
      SwapBytes(array.raw(), array.num_bytes(), IsComplex(header.dtype) ? header.width / 2 : header.width);
    if (header.dtype == DType::kBool)
      for (std::int64_t i = 0; i < elements; ++i)
        array.raw()[i] = static_cast<std::byte>(array.raw()[i] != std::byte{0});
    return header.fortran_order && shape.rank() > 1 && elements > 0 ? Transposed(array, shape) : array;
  }
  // An element without bytes costs the file nothing, but memory here.
  if (header.width == 0 && elements > (1 << 16))
    throw DataLossError(fmt::format("'{}' claims {} strings of no bytes", what, elements));
  std::vector<std::string> values(static_cast<std::size_t>(elements));
  if (elements == 0) return Array::Strings(shape, {});
  const std::int64_t at_once = std::clamp<std::int64_t>(
      header.width == 0 ? elements : static_cast<std::int64_t>(kChunk / header.width), 1, elements);
  std::string chunk(static_cast<std::size_t>(at_once) * header.width, '\0');
  for (std::int64_t first = 0; first < elements; first += at_once) {
    const std::int64_t count = std::min(at_once, elements - first);
    read(chunk.data(), static_cast<std::size_t>(count) * header.width);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string_view element(chunk.data() + static_cast<std::size_t>(i) * header.width, header.width);
      const std::int64_t to = header.fortran_order ? RowMajor(first + i, shape) : first + i;
      values[static_cast<std::size_t>(to)] = header.kind == NpyHeader::Kind::kBytes
                                                 ? DecodeBytes(element)
                                                 : DecodeCodePoints(element, header.big_endian, what);
    }
  }
  return Array::Strings(shape, std::move(values));
}

std::size_t NpyWidth(DType dtype, const std::string& what) {
  for (const auto& codes : {std::span<const Code>(kCodes), std::span<const Code>(kQuantised)})
    for (const Code& code : codes)
      if (code.dtype == dtype) return SizeOf(dtype);
  throw UnimplementedError(fmt::format(
      "'{}': .npy cannot hold {}{}", what, Name(dtype),
      dtype == DType::kFloat8E5M2 || dtype == DType::kFloat8E4M3FN ? "; safetensors and checkpoints can" : ""));
}

std::size_t NpyWidth(const Array& array, const std::string& what) {
  if (array.dtype() != DType::kString) return NpyWidth(array.dtype(), what);
  std::size_t width = 1;  // tf: numpy: no type of strings is empty
  for (std::size_t i = 0; i < array.strings().size(); ++i) {
    const std::string& s = array.strings()[i];
    if (s.ends_with('\0'))
      throw UnimplementedError(
          fmt::format("'{}': string {} ends in a zero byte, which NumPy's strings drop; checkpoints keep it", what, i));
    width = std::max(width, s.size());
  }
  return width;
}

std::string NpyHeaderText(DType dtype, std::span<const std::int64_t> shape, std::size_t width,
                          const std::string& what) {
  std::string descr = dtype == DType::kString ? fmt::format("'|S{}'", width) : "";
  for (const Code& code : kCodes)
    if (code.dtype == dtype) descr = fmt::format("'{}'", code.text);
  for (const Code& code : kQuantised)
    if (code.dtype == dtype) descr = code.text;
  if (descr.empty()) NpyWidth(dtype, what);
  std::string tuple;
  for (const std::int64_t d : shape) tuple += fmt::format("{}{}", tuple.empty() ? "" : ", ", d);
  if (shape.size() == 1) tuple += ",";
  std::string header = fmt::format("{{'descr': {}, 'fortran_order': False, 'shape': ({}), }}", descr, tuple);
  // NumPy leaves room for the first dimension to grow, and starts the data at a multiple of 64.
  if (!shape.empty()) header.append(21 - std::min<std::size_t>(21, std::to_string(shape.front()).size()), ' ');
  header.append(64 - (10 + header.size() + 1) % 64, ' ');
  header += '\n';
  if (header.size() > 0xffff)
    throw UnimplementedError(fmt::format("'{}': a header of {} bytes is too long", what, header.size()));
  std::string text(kMagic);
  text += {'\x01', '\x00', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  return text + header;
}

void CopyNpyStrings(const Array& array, std::size_t width, std::uint64_t offset, char* into, std::size_t size) {
  std::memset(into, 0, size);
  for (std::size_t done = 0; done < size;) {
    const std::string& s = array.strings()[static_cast<std::size_t>((offset + done) / width)];
    const std::size_t at = static_cast<std::size_t>((offset + done) % width), n = std::min(width - at, size - done);
    if (at < s.size()) std::memcpy(into + done, s.data() + at, std::min(n, s.size() - at));
    done += n;
  }
}
}  // namespace equiv::internal
