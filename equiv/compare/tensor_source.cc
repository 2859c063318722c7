#include "equiv/compare/tensor_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "equiv/compare/printable.h"
#include "kernels/base/error.h"

namespace equiv {

std::string TensorInfo::ShapeText() const { return fmt::format("[{}]", fmt::join(shape, ",")); }
std::optional<std::int64_t> TensorInfo::NumElements() const {
  if (std::ranges::find(shape, 0) != shape.end()) return 0;
  std::int64_t n = 1;
  for (const std::int64_t d : shape)
    if (d < 0 || __builtin_mul_overflow(n, d, &n)) return std::nullopt;
  return n;
}

const TensorInfo* TensorSource::Find(std::string_view name) const {
  const auto it = index_.find(std::string(name));
  return it == index_.end() ? nullptr : &tensors_[it->second];
}

Array TensorSource::Read(std::string_view name) const {
  if (const TensorInfo* info = Find(name)) return Read(*info);
  std::vector<std::string> names;
  for (const TensorInfo& t : tensors_) names.push_back(t.name);
  std::string near;
  for (const std::string& n : NearestNames(name, names, 3))
    near += fmt::format("{}'{}'", near.empty() ? "; near it: " : ", ", Printable(n));
  throw NotFoundError(
      fmt::format("'{}' has no tensor '{}' among its {}{}", path_, Printable(name), names.size(), near));
}

void TensorSource::Add(TensorInfo info) {
  if (!index_.emplace(info.name, tensors_.size()).second)
    throw DataLossError(fmt::format("'{}' holds two tensors named '{}'", path_, Printable(info.name)));
  tensors_.push_back(std::move(info));
}

std::size_t TensorSource::IndexOf(const TensorInfo& info) const {
  const auto it = index_.find(info.name);
  if (it == index_.end()) throw NotFoundError(fmt::format("'{}' has no tensor '{}'", path_, Printable(info.name)));
  return it->second;
}

CheckpointSource::CheckpointSource(const std::string& prefix) : TensorSource("", prefix), bundle_(prefix) {
  const io::BundleHeader& header = bundle_.header();
  files_.push_back(io::IndexFileName(prefix));
  // As many shards as rows use, not as many as a damaged header claims.
  std::vector<int> shards;
  for (const auto* rows : {&bundle_.entries(), &bundle_.slice_entries()})
    for (const io::BundleEntry& row : *rows)
      if (!row.partitioned()) shards.push_back(row.shard);
  std::ranges::sort(shards);
  const auto repeated = std::ranges::unique(shards);
  shards.erase(repeated.begin(), repeated.end());
  for (const int shard : shards) files_.push_back(io::DataFileName(prefix, shard, header.num_shards));
  std::unordered_map<std::string_view, std::int64_t> slice_bytes;
  for (const io::BundleEntry& row : bundle_.slice_entries()) slice_bytes.emplace(row.key, row.size);
  for (const io::BundleEntry& row : bundle_.entries()) {
    std::int64_t bytes = row.size;
    for (const io::TensorSlice& slice : row.slices)
      if (const auto it = slice_bytes.find(io::EncodeSliceKey(row.key, slice)); it != slice_bytes.end())
        bytes += it->second;
    Add({.name = row.key, .dtype = row.dtype, .shape = row.shape, .bytes = bytes, .slices = row.slices.size()});
  }
  kind_ = object_based() ? "object-based checkpoint" : "name-based checkpoint";
  notes_.push_back(fmt::format("{} shard{}, {}-endian, producer {}{}", header.num_shards,
                               header.num_shards == 1 ? "" : "s", header.big_endian ? "big" : "little", header.producer,
                               header.min_consumer ? fmt::format(", min_consumer {}", header.min_consumer) : ""));
}

bool CheckpointSource::object_based() const {
  const TensorInfo* graph = Find("_CHECKPOINTABLE_OBJECT_GRAPH");
  return graph && graph->dtype == DType::kString;
}

Array CheckpointSource::Read(const TensorInfo& info) const { return bundle_.Read(info.name); }

LazyTensor Lazy(std::string name, Array array) {
  const DType dtype = array.dtype();
  std::vector<std::int64_t> shape = array.shape().vector();
  return {std::move(name), dtype, std::move(shape), [array = std::move(array)] { return array; }};
}

Array ReadChecked(const LazyTensor& tensor) {
  Array array = tensor.read();
  if (array.dtype() != tensor.dtype || array.shape().vector() != tensor.shape)
    throw InternalError(fmt::format("tensor '{}' was announced as {}[{}] and is {}{}", Printable(tensor.name),
                                    Name(tensor.dtype), fmt::join(tensor.shape, ","), Name(array.dtype()),
                                    array.shape().ToString()));
  return array;
}

std::vector<std::string> NearestNames(std::string_view name, const std::vector<std::string>& names, std::size_t count) {
  const std::size_t limit = std::max<std::size_t>(3, name.size() / 2);
  // Levenshtein's distance; a name within the other is near too.
  const auto distance = [&](std::string_view other) -> std::size_t {
    if (!name.empty() && other.find(name) != std::string_view::npos) return 1;
    const std::string_view a = name.substr(0, 256), b = other.substr(0, 256);
    const std::size_t apart = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
    if (apart > limit) return apart;
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= b.size(); ++j) {
        const std::size_t replace = diagonal + (a[i - 1] != b[j - 1]);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
      }
    }
    return row[b.size()];
  };
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const std::string& other : names) ranked.emplace_back(distance(other), other);
  const std::size_t most = std::min(count, ranked.size());
  std::ranges::partial_sort(ranked, ranked.begin() + static_cast<std::ptrdiff_t>(most));
  std::vector<std::string> nearest;
  for (std::size_t i = 0; i < most; ++i)
    if (ranked[i].first <= limit) nearest.push_back(ranked[i].second);
  return nearest;
}
}  // namespace equiv
