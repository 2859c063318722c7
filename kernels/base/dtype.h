// kernels/base/dtype.h - element types, numbered as in TensorFlow's types.proto.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace equiv {

enum class DType : std::int32_t {
  kInvalid = 0,
  kFloat32 = 1,
  kFloat64 = 2,
  kInt32 = 3,
  kUInt8 = 4,
  kInt16 = 5,
  kInt8 = 6,
  kString = 7,
  kComplex64 = 8,
  kInt64 = 9,
  kBool = 10,
  kQInt8 = 11,  // quantised types and 8-bit floats are stored and copied, not computed with
  kQUInt8 = 12,
  kQInt32 = 13,
  kBFloat16 = 14,
  kQInt16 = 15,
  kQUInt16 = 16,
  kUInt16 = 17,
  kComplex128 = 18,
  kFloat16 = 19,
  kResource = 20,
  kVariant = 21,
  kUInt32 = 22,
  kUInt64 = 23,
  kFloat8E5M2 = 24,
  kFloat8E4M3FN = 25,
  kInt4 = 29,  // a byte each in files
  kUInt4 = 30,
};

// IEEE binary16, stored as bits; conversion from float rounds to nearest even.
struct Float16 {
  std::uint16_t bits = 0;
  Float16() = default;
  explicit Float16(float value);
  static Float16 FromBits(std::uint16_t b) { return std::bit_cast<Float16>(b); }
  explicit operator float() const;
};
// The upper half of a float32, stored as bits; conversion from float rounds to nearest even.
struct BFloat16 {
  std::uint16_t bits = 0;
  BFloat16() = default;
  explicit BFloat16(float value);
  static BFloat16 FromBits(std::uint16_t b) { return std::bit_cast<BFloat16>(b); }
  explicit operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

// Bytes of one element; 0 for string, resource, variant and invalid.
std::size_t SizeOf(DType dtype);
// "float32", "bool", ... (NumPy's and tf.DType.name's spelling); "invalid" for unknown numbers.
std::string_view Name(DType dtype);
// "float", "double", "half", else as Name: what TensorFlow's C++ messages say. tf: DataTypeString
std::string_view DataTypeString(DType dtype);
// Accepts both "float32" and TensorFlow's C++ spelling "float"; nullopt for an unknown name.
std::optional<DType> ParseDType(std::string_view name);
bool IsFloating(DType dtype);  // float16, bfloat16, float32, float64
bool IsInteger(DType dtype);   // signed and unsigned integers, not bool
bool IsComplex(DType dtype);

template <class T>
struct DTypeOfImpl;
#define EQUIV_DTYPE_OF(T, D)                 \
  template <>                                \
  struct DTypeOfImpl<T> {                    \
    static constexpr DType value = DType::D; \
  };
EQUIV_DTYPE_OF(float, kFloat32)
EQUIV_DTYPE_OF(double, kFloat64)
EQUIV_DTYPE_OF(std::int32_t, kInt32)
EQUIV_DTYPE_OF(std::uint8_t, kUInt8)
EQUIV_DTYPE_OF(std::int16_t, kInt16)
EQUIV_DTYPE_OF(std::int8_t, kInt8)
EQUIV_DTYPE_OF(std::int64_t, kInt64)
EQUIV_DTYPE_OF(bool, kBool)
EQUIV_DTYPE_OF(BFloat16, kBFloat16)
EQUIV_DTYPE_OF(std::uint16_t, kUInt16)
EQUIV_DTYPE_OF(Float16, kFloat16)
EQUIV_DTYPE_OF(std::uint32_t, kUInt32)
EQUIV_DTYPE_OF(std::uint64_t, kUInt64)
#undef EQUIV_DTYPE_OF
template <class T>
inline constexpr DType kDTypeOf = DTypeOfImpl<T>::value;

}  // namespace equiv
