// kernels/io/bundle_table.h - the index file of a bundle: a LevelDB table of rows.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "kernels/io/tensor_bundle.h"

namespace equiv::io {

struct BundleIndex {
  BundleHeader header;
  std::vector<BundleEntry> rows;  // ascending by key
};
// Every offset and length is checked against the file before it is used, every block against its checksum.
// Errors: see BundleReader; they name `path`.
BundleIndex ReadBundleIndex(const std::string& path);
// The bytes of the file TensorFlow writes for these rows, which are ascending by key.
std::string EncodeBundleIndex(const BundleHeader& header, const std::vector<const BundleEntry*>& rows);

}  // namespace equiv::io
