// equiv/compare/source_comparison.h - compares all tensors of two sources, a pair at a time.
//
// Which tensor of A goes with which of B: first what a mapping says, then equal names, then names of variables (an
// object-based checkpoint and a recording know them beside their keys), where no other tensor has them. By order
// instead: each tensor of A with the next one of B that has its shape. A is what is expected: the tolerance is relative
// to it.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equiv/compare/compare.h"
#include "equiv/compare/tensor_source.h"

namespace equiv {

// From good to bad.
enum class TensorVerdict { kEqualBits, kEmpty, kWithin, kDiffers, kDtype, kShape, kOnlyInA, kOnlyInB };
// "equal bits", "empty", "within tolerance", "differs", "dtype", "shape", "only in A", "only in B".
std::string_view Name(TensorVerdict verdict);

struct TensorRow {
  TensorVerdict verdict = TensorVerdict::kEqualBits;
  const TensorInfo *a = nullptr, *b = nullptr;  // null where it is missing; they belong to the sources
  std::string matched_by = {};                  // "mapping", "name", "variable", "order"; empty when missing
  Report report = {};                           // where elements were compared
  bool ok() const { return verdict <= TensorVerdict::kWithin; }
};

struct SourceComparisonOptions {
  Tolerance tolerance = {};
  // Tensors to leave out, by name or by variable's name.
  std::function<bool(std::string_view name)> ignore = {};
  // Names in A with the names in B that go with them.
  std::vector<std::pair<std::string, std::string>> mapping = {};
  bool by_order = false;
  std::function<void(const std::string& text)> progress = {};
};

struct SourceComparison {
  std::vector<TensorRow> rows;     // worst first; those that are alike in A's order
  std::vector<std::string> notes;  // how tensors were matched, what was set aside, what may help
  std::int64_t compared = 0;       // elements
  std::size_t ignored = 0;
  std::size_t Count(TensorVerdict verdict) const;
  // Every row is ok. Whether anything was compared at all is another question.
  bool ok() const;
};

// One tensor of each source is in memory at a time. NotFoundError: a name of the mapping that its source does not have;
// InvalidArgumentError: one mapped twice. Else the errors of reading.
SourceComparison CompareSources(const TensorSource& a, const TensorSource& b, const SourceComparisonOptions& options);

}  // namespace equiv
