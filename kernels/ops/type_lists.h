// kernels/ops/type_lists.h - the element types TensorFlow's ops allow, in the notation of op_def.h. Where TensorFlow
// has no CPU kernel for an allowed type, neither has this project; complex arithmetic is left out too.
#pragma once
#include <string>

namespace equiv::ops {

inline constexpr const char* kIndices = "{int32, int64}";
inline constexpr const char* kFloats = "{bfloat16, half, float, double}";
inline constexpr const char* kFloatsAndComplex = "{bfloat16, half, float, double, complex64, complex128}";
inline constexpr const char* kIntegers = "{int8, int16, int32, int64, uint8, uint16, uint32, uint64}";
inline constexpr const char* kSigned = "{bfloat16, half, float, double, int8, int16, int32, int64}";
inline constexpr const char* kSignedAndComplex =
    "{bfloat16, half, float, double, int8, int16, int32, int64, complex64, complex128}";
// tf: realnumbertype
inline constexpr const char* kReal =
    "{bfloat16, half, float, double, int8, int16, int32, int64, uint8, uint16, uint32, uint64}";
// tf: numbertype
inline constexpr const char* kNumbers =
    "{bfloat16, half, float, double, int8, int16, int32, int64, uint8, uint16, uint32, uint64, complex64, complex128}";

// "T: {...}" or "T: {...} = float".
inline std::string Types(const char* attr, const char* list, const char* default_type = nullptr) {
  return std::string(attr) + ": " + list + (default_type ? std::string(" = ") + default_type : "");
}

}  // namespace equiv::ops
