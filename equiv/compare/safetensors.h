// equiv/compare/safetensors.h - files of the safetensors format: a JSON header, then the bytes of all tensors.
//
// Dtypes: BOOL U8 I8 I16 U16 I32 U32 I64 U64 F16 BF16 F32 F64 C64 F8_E5M2 F8_E4M3.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "equiv/compare/tensor_source.h"

namespace equiv {

// Reads the header, and tensors when asked for; in the order of their bytes. Metadata are in notes(). NotFoundError: no
// such file. DataLossError: a header beyond 100 MB, no JSON, offsets that overlap, leave holes, do not fit shape and
// dtype or the file, two tensors of one name. UnimplementedError: other dtypes.
std::unique_ptr<TensorSource> OpenSafetensors(const std::string& path);

// Writes what Python's safetensors.numpy.save_file writes for the same tensors, byte for byte: sorted by dtype, then by
// name, the data at a multiple of 8. One array is in memory at a time. The file appears whole or not at all.
// UnimplementedError, before anything is written: strings, complex128, quantised types, 4-bit integers.
// InvalidArgumentError: two tensors of one name, a name that is "__metadata__" or not UTF-8. `progress` is told each
// tensor's name.
void WriteSafetensors(const std::string& path, std::span<const LazyTensor> tensors,
                      const std::function<void(const std::string& name)>& progress = {},
                      const std::map<std::string, std::string>& metadata = {});

}  // namespace equiv
