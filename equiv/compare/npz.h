// equiv/compare/npz.h - NumPy's .npz files: zip archives of .npy members.
//
// A tensor's name is its member's without ".npy", as numpy.load has it; names may hold slashes and any UTF-8. Dtypes
// and strings: see npy.h.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "equiv/compare/tensor_source.h"

namespace equiv {

// Lists the members by their headers; a member's data are read when asked for, and checked against its CRC-32. Stored
// and deflated members. NotFoundError: no such file. DataLossError: damage, two tensors of one name, sizes that do not
// fit. UnimplementedError: encrypted members, other compression; npy.h for what members may hold. Members that are no
// arrays are left out, and named in notes().
std::unique_ptr<TensorSource> OpenNpz(const std::string& path);

// Writes the tensors in their order, stored as numpy.savez does; the same tensors give the same bytes. One array is in
// memory at a time. The file appears whole or not at all. InvalidArgumentError: two tensors of one name, a name with a
// zero byte or longer than 64 KiB or not UTF-8. `progress` is told each tensor's name.
void WriteNpz(const std::string& path, std::span<const LazyTensor> tensors,
              const std::function<void(const std::string& name)>& progress = {});

}  // namespace equiv
