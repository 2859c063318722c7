// equiv/compare/npy.h - NumPy's .npy files.
//
// Read: versions 1.0 to 3.0, either byte order, C and Fortran order. Numbers, bool, complex64, complex128; bfloat16 as
// '<V2' or '|V2', two raw bytes, which is what ml_dtypes has NumPy write (`np.load(f).view(ml_dtypes.bfloat16)`);
// quantised types as the records TensorFlow has NumPy write, `[('qint8', '|i1')]`; '|S' as strings of bytes, '<U' as
// strings of UTF-8.
// Written: version 1.0, C order, the same bytes as numpy.save. Strings as '|S' of the longest one's width.
#pragma once
#include <span>
#include <string>

#include "kernels/base/array.h"

namespace equiv {

// NotFoundError: no such file; DataLossError: damaged or cut short; UnimplementedError: structured dtypes, pickled
// objects, dates, more than 8 dimensions. Every text names the file.
Array ReadNpy(const std::string& path);
// The same from memory; `what` names it in errors.
Array ParseNpy(std::span<const std::byte> bytes, const std::string& what);
// The file appears whole or not at all. UnimplementedError, before anything is written: 8-bit floats, 4-bit integers,
// and strings that end in a zero byte, which NumPy would drop. Errors of the file: io::OutputFile.
void WriteNpy(const std::string& path, const Array& array);

}  // namespace equiv
