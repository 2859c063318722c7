#include "kernels/base/dtype.h"

#include <array>
#include <cmath>

namespace equiv {
namespace {
struct Row {
  DType dtype;
  std::string_view name, alias;
  std::size_t size;
};
constexpr std::array kRows = {
    Row{DType::kFloat32, "float32", "float", 4},
    Row{DType::kFloat64, "float64", "double", 8},
    Row{DType::kInt32, "int32", "", 4},
    Row{DType::kUInt8, "uint8", "", 1},
    Row{DType::kInt16, "int16", "", 2},
    Row{DType::kInt8, "int8", "", 1},
    Row{DType::kString, "string", "", 0},
    Row{DType::kComplex64, "complex64", "", 8},
    Row{DType::kInt64, "int64", "", 8},
    Row{DType::kBool, "bool", "", 1},
    Row{DType::kBFloat16, "bfloat16", "", 2},
    Row{DType::kUInt16, "uint16", "", 2},
    Row{DType::kComplex128, "complex128", "", 16},
    Row{DType::kFloat16, "float16", "half", 2},
    Row{DType::kResource, "resource", "", 0},
    Row{DType::kVariant, "variant", "", 0},
    Row{DType::kUInt32, "uint32", "", 4},
    Row{DType::kUInt64, "uint64", "", 8},
    Row{DType::kQInt8, "qint8", "", 1},
    Row{DType::kQUInt8, "quint8", "", 1},
    Row{DType::kQInt32, "qint32", "", 4},
    Row{DType::kQInt16, "qint16", "", 2},
    Row{DType::kQUInt16, "quint16", "", 2},
    Row{DType::kFloat8E5M2, "float8_e5m2", "", 1},
    Row{DType::kFloat8E4M3FN, "float8_e4m3fn", "", 1},
    Row{DType::kInt4, "int4", "", 1},
    Row{DType::kUInt4, "uint4", "", 1},
};
const Row* Find(DType dtype) {
  for (const Row& row : kRows)
    if (row.dtype == dtype) return &row;
  return nullptr;
}
}  // namespace

std::size_t SizeOf(DType dtype) {
  const Row* row = Find(dtype);
  return row ? row->size : 0;
}
std::string_view Name(DType dtype) {
  const Row* row = Find(dtype);
  return row ? row->name : "invalid";
}
std::string_view DataTypeString(DType dtype) {
  const Row* row = Find(dtype);
  return row && !row->alias.empty() ? row->alias : Name(dtype);
}
std::optional<DType> ParseDType(std::string_view name) {
  for (const Row& row : kRows)
    if (row.name == name || (!row.alias.empty() && row.alias == name)) return row.dtype;
  return std::nullopt;
}
bool IsFloating(DType d) {
  return d == DType::kFloat32 || d == DType::kFloat64 || d == DType::kFloat16 || d == DType::kBFloat16;
}
bool IsInteger(DType d) {
  switch (d) {
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
    case DType::kUInt8:
    case DType::kUInt16:
    case DType::kUInt32:
    case DType::kUInt64:
      return true;
    default:
      return false;
  }
}
bool IsComplex(DType d) { return d == DType::kComplex64 || d == DType::kComplex128; }

Float16::Float16(float value) {
  const std::uint32_t x = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (x >> 16) & 0x8000u, magnitude = x & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {  // NaN keeps a quiet bit
    bits = static_cast<std::uint16_t>(sign | 0x7e00u);
  } else if (magnitude >= 0x47800000u) {  // 65536 and more, and infinity
    bits = static_cast<std::uint16_t>(sign | 0x7c00u);
  } else if (magnitude < 0x38800000u) {  // result is subnormal or zero: let the float adder do the rounding
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    bits = static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
  } else {
    const std::uint32_t odd = (magnitude >> 13) & 1u;
    bits = static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
  }
}
Float16::operator float() const {
  const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16, exponent = (bits >> 10) & 31u,
                      mantissa = bits & 1023u;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (mantissa << 13));
  const float magnitude = std::ldexp(static_cast<float>(mantissa), -24);
  return sign ? -magnitude : magnitude;
}
BFloat16::BFloat16(float value) {
  std::uint32_t x = std::bit_cast<std::uint32_t>(value);
  if ((x & 0x7fffffffu) > 0x7f800000u) {
    bits = static_cast<std::uint16_t>((x >> 16) | 0x40u);
  } else {
    x += 0x7fffu + ((x >> 16) & 1u);
    bits = static_cast<std::uint16_t>(x >> 16);
  }
}
}  // namespace equiv
