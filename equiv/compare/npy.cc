#include "equiv/compare/npy.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string_view>
#include <vector>

#include "kernels/base/error.h"

namespace equiv {
namespace {
constexpr std::string_view kMagic("\x93NUMPY", 6);

struct Code {
  std::string_view text;
  DType dtype;
};
constexpr Code kCodes[] = {{"<f4", DType::kFloat32}, {"<f8", DType::kFloat64}, {"<f2", DType::kFloat16},
                           {"|i1", DType::kInt8},    {"<i2", DType::kInt16},   {"<i4", DType::kInt32},
                           {"<i8", DType::kInt64},   {"|u1", DType::kUInt8},   {"<u2", DType::kUInt16},
                           {"<u4", DType::kUInt32},  {"<u8", DType::kUInt64},  {"|b1", DType::kBool}};

// The text after 'key': in the header's Python dictionary.
std::string_view Field(std::string_view header, std::string_view key, const std::string& what) {
  for (char quote : {'\'', '"'}) {
    const std::string quoted = fmt::format("{0}{1}{0}", quote, key);
    const auto at = header.find(quoted);
    if (at == std::string_view::npos) continue;
    std::string_view rest = header.substr(at + quoted.size());
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos) break;
    rest = rest.substr(colon + 1);
    while (!rest.empty() && std::isspace(static_cast<unsigned char>(rest.front()))) rest.remove_prefix(1);
    return rest;
  }
  throw DataLossError(fmt::format("'{}': the npy header has no '{}'", what, key));
}

Shape ParseShape(std::string_view text, const std::string& what) {
  const auto damaged = [&] { return DataLossError(fmt::format("'{}': the npy header has a damaged shape", what)); };
  if (text.empty() || text.front() != '(' || text.find(')') == std::string_view::npos) throw damaged();
  text = text.substr(1, text.find(')') - 1);
  std::vector<std::int64_t> dims;
  std::int64_t value = -1;
  for (char c : text) {
    if (std::isdigit(static_cast<unsigned char>(c))) {
      if (value > std::numeric_limits<std::int64_t>::max() / 16) throw damaged();
      value = (value < 0 ? 0 : value) * 10 + (c - '0');
    } else if (c == ',') {
      if (value < 0) throw damaged();
      dims.push_back(value);
      value = -1;
    } else if (!std::isspace(static_cast<unsigned char>(c)) && c != 'L') {
      throw damaged();
    }
  }
  if (value >= 0) dims.push_back(value);
  try {
    return Shape(dims);
  } catch (const Error& e) {
    throw DataLossError(fmt::format("'{}': {}", what, e.what()));
  }
}
}  // namespace

Array ParseNpy(std::span<const std::byte> bytes, const std::string& what) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.size() < 10 || text.substr(0, 6) != kMagic)
    throw DataLossError(fmt::format("'{}' is no .npy file: its first bytes are wrong", what));
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(text[i])); };
  const std::size_t major = byte(6);
  if (major < 1 || major > 3)
    throw UnimplementedError(fmt::format("'{}' is .npy version {}; versions 1 to 3 are read", what, major));
  const std::size_t start = major == 1 ? 10 : 12;
  if (text.size() < start) throw DataLossError(fmt::format("'{}' is cut short inside its header", what));
  std::size_t length = byte(8) | byte(9) << 8;
  if (major > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (text.size() - start < length) throw DataLossError(fmt::format("'{}' is cut short inside its header", what));
  const std::string_view header = text.substr(start, length);
  std::string_view descr = Field(header, "descr", what);
  const char quote = descr.empty() ? ' ' : descr.front();
  if (quote != '\'' && quote != '"')
    throw UnimplementedError(fmt::format("'{}' holds a structured dtype; plain numbers are read", what));
  descr = descr.substr(1, descr.find(quote, 1) - 1);
  DType dtype = DType::kInvalid;
  for (const Code& code : kCodes)
    if (descr == code.text || (descr.size() == 3 && descr.substr(1) == code.text.substr(1) &&
                               (descr[0] == '=' || (code.text[0] == '|' && descr[0] == '<'))))
      dtype = code.dtype;
  if (dtype == DType::kInvalid)
    throw UnimplementedError(
        fmt::format("'{}' holds dtype '{}'; little-endian numbers and bool are read", what, descr));
  if (!Field(header, "fortran_order", what).starts_with("False"))
    throw UnimplementedError(fmt::format("'{}' is in Fortran order; save it with numpy.ascontiguousarray", what));
  const Shape shape = ParseShape(Field(header, "shape", what), what);
  const std::string_view data = text.substr(start + length);
  if (shape.num_elements() > 0 && static_cast<std::size_t>(shape.num_elements()) > data.size() / SizeOf(dtype))
    throw DataLossError(fmt::format("'{}' is cut short: shape {} of {} needs {} bytes, {} are there", what,
                                    shape.ToString(), Name(dtype),
                                    static_cast<std::size_t>(shape.num_elements()) * SizeOf(dtype), data.size()));
  Array array(dtype, shape);
  if (data.size() != array.num_bytes())
    throw DataLossError(fmt::format("'{}' holds {} bytes too many", what, data.size() - array.num_bytes()));
  if (array.num_bytes() > 0) std::memcpy(array.raw(), data.data(), array.num_bytes());
  return array;
}

Array ReadNpy(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw NotFoundError(fmt::format("'{}' is a folder, not a .npy file", path));
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw NotFoundError(fmt::format("cannot open '{}'", path));
  std::vector<std::byte> bytes(static_cast<std::size_t>(in.tellg()));
  in.seekg(0);
  if (!bytes.empty() && !in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())))
    throw DataLossError(fmt::format("cannot read '{}'", path));
  return ParseNpy(bytes, path);
}

void WriteNpy(const std::string& path, const Array& array) {
  std::string_view code = array.dtype() == DType::kBFloat16 ? "<u2" : "";
  for (const Code& c : kCodes)
    if (c.dtype == array.dtype()) code = c.text;
  if (code.empty()) throw UnimplementedError(fmt::format("'{}': .npy cannot hold {}", path, Name(array.dtype())));
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", code, array.shape().ToTuple());
  header.append(63 - (10 + header.size()) % 64, ' ');  // NumPy aligns the data to 64 bytes
  header += '\n';
  const std::string temporary = path + ".part";
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    const char start[] = {'\x93',
                          'N',
                          'U',
                          'M',
                          'P',
                          'Y',
                          1,
                          0,
                          static_cast<char>(header.size() & 0xff),
                          static_cast<char>(header.size() >> 8)};
    out.write(start, sizeof start);
    out << header;
    out.write(reinterpret_cast<const char*>(array.raw()), static_cast<std::streamsize>(array.num_bytes()));
    if (!out.flush()) {
      std::remove(temporary.c_str());
      throw NotFoundError(fmt::format("cannot write '{}'", path));
    }
  }
  std::filesystem::rename(temporary, path);
}
}  // namespace equiv
