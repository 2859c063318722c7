// equiv/compare/npy.h - NumPy's .npy files.
#pragma once
#include <span>
#include <string>

#include "kernels/base/array.h"

namespace equiv {

// Versions 1.0 to 3.0, little-endian numbers and bool, C order. NotFoundError: no such file; DataLossError: damaged or
// cut short; UnimplementedError: big-endian, Fortran order, structured or object dtype. Every text names the file.
Array ReadNpy(const std::string& path);
// The same from memory; `what` names it in errors.
Array ParseNpy(std::span<const std::byte> bytes, const std::string& what);
// Version 1.0. The file appears whole or not at all. bfloat16 is stored as uint16.
void WriteNpy(const std::string& path, const Array& array);

}  // namespace equiv
