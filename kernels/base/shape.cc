#include "kernels/base/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "kernels/base/error.h"

namespace equiv {
namespace {
std::string Tuple(std::span<const std::int64_t> dims) {
  std::string text = "(";
  for (std::size_t i = 0; i < dims.size(); ++i)
    text += (i ? ", " : "") + (dims[i] < 0 ? std::string("None") : std::to_string(dims[i]));
  return text + (dims.size() == 1 ? ",)" : ")");
}
}  // namespace

Shape::Shape(std::span<const std::int64_t> dims) {
  if (dims.size() > static_cast<std::size_t>(kMaxRank))
    throw InvalidArgumentError(
        fmt::format("shape has rank {}, at most {} dimensions are supported", dims.size(), kMaxRank));
  std::int64_t total = 1;
  for (std::int64_t d : dims) {
    if (d < 0)
      throw InvalidArgumentError(fmt::format("Dimension {} must be >= 0 in shape [{}]", d, fmt::join(dims, ",")));
    if (d != 0 && total > std::numeric_limits<std::int64_t>::max() / 16 / d)
      throw InvalidArgumentError(fmt::format("shape [{}] has too many elements", fmt::join(dims, ",")));
    total *= d;
  }
  rank_ = static_cast<int>(dims.size());
  std::copy(dims.begin(), dims.end(), dims_.begin());
}
std::int64_t Shape::num_elements() const {
  std::int64_t n = 1;
  for (int i = 0; i < rank_; ++i) n *= dims_[static_cast<std::size_t>(i)];
  return n;
}
std::string Shape::ToString() const { return fmt::format("[{}]", fmt::join(dims(), ",")); }
std::string Shape::ToTuple() const { return Tuple(dims()); }
bool operator==(const Shape& a, const Shape& b) { return std::ranges::equal(a.dims(), b.dims()); }

void PartialShape::Check() const {
  for (std::int64_t d : dims_)
    if (d < -1) throw ValueError(fmt::format("Dimension {} must be >= 0", d));
}
void PartialShape::NoSuchDimension(int i) const {
  throw InvalidArgumentError("dimension " + std::to_string(i) + " asked of shape " + ToString() +
                             (known_rank_ ? ", which has rank " + std::to_string(rank()) : ", whose rank is unknown"));
}
bool PartialShape::IsFullyDefined() const {
  return known_rank_ && std::ranges::all_of(dims_, [](std::int64_t d) { return d >= 0; });
}
std::optional<Shape> PartialShape::AsShape() const {
  if (!IsFullyDefined()) return std::nullopt;
  return Shape(dims_);
}
Shape PartialShape::Require() const {
  if (!IsFullyDefined())
    throw InvalidArgumentError(fmt::format("shape {} is not fully defined; give every dimension a size", ToString()));
  return Shape(dims_);
}
bool PartialShape::IsCompatibleWith(const PartialShape& other) const {
  if (!known_rank_ || !other.known_rank_) return true;
  if (dims_.size() != other.dims_.size()) return false;
  for (std::size_t i = 0; i < dims_.size(); ++i)
    if (dims_[i] >= 0 && other.dims_[i] >= 0 && dims_[i] != other.dims_[i]) return false;
  return true;
}
PartialShape PartialShape::MergeWith(const PartialShape& other) const {
  if (!IsCompatibleWith(other))
    throw ValueError(fmt::format("Shapes {} and {} are not compatible", ToTuple(), other.ToTuple()));
  if (!known_rank_) return other;
  PartialShape merged = *this;
  if (other.known_rank_)
    for (std::size_t i = 0; i < dims_.size(); ++i)
      if (dims_[i] < 0) merged.dims_[i] = other.dims_[i];
  return merged;
}
std::string PartialShape::ToString() const {
  if (!known_rank_) return "<unknown>";
  std::string text = "[";
  for (std::size_t i = 0; i < dims_.size(); ++i)
    text += (i ? "," : "") + (dims_[i] < 0 ? std::string("?") : std::to_string(dims_[i]));
  return text + "]";
}
std::string PartialShape::ToTuple() const { return known_rank_ ? Tuple(dims_) : "<unknown>"; }
}  // namespace equiv
