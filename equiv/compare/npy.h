// equiv/compare/npy.h - NumPy's .npy files, versions 1.0 to 3.0.
//
// Little-endian float16/32/64, signed and unsigned integers of 1 to 8 bytes, and bool. Fortran order is turned into row-major order.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "kernels/base/array.h"

namespace equiv {

// NotFoundError: no such file; DataLossError: damaged, truncated or too long; UnimplementedError: another dtype or byte
// order, objects, a later version. Every text names the file.
Array ReadNpy(const std::string& path);
// The same on bytes, as in an entry of an .npz; `what` names them in errors.
Array ParseNpy(std::span<const std::byte> bytes, const std::string& what);
// Writes version 1.0 beside `path` and renames it into place: readers see the old file or the whole new one.
// UnimplementedError: a dtype .npy has no name for (bfloat16, string, ...); NotFoundError: no such folder;
// FailedPreconditionError: not writable.
void WriteNpy(const std::string& path, const Array& array);

}  // namespace equiv
