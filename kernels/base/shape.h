// kernels/base/shape.h - fully and partly known shapes.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace equiv {

inline constexpr int kMaxRank = 8;

// A fully known shape of up to kMaxRank dimensions, each >= 0.
class Shape {
 public:
  Shape() = default;  // a scalar
  Shape(std::initializer_list<std::int64_t> dims) : Shape(std::span<const std::int64_t>(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const std::int64_t> dims);  // InvalidArgumentError: negative dim, rank too large, overflow
  explicit Shape(const std::vector<std::int64_t>& dims) : Shape(std::span<const std::int64_t>(dims)) {}

  int rank() const { return rank_; }
  std::int64_t dim(int i) const { return dims_[static_cast<std::size_t>(i)]; }
  std::int64_t operator[](int i) const { return dim(i); }
  std::int64_t num_elements() const;
  std::span<const std::int64_t> dims() const { return {dims_.data(), static_cast<std::size_t>(rank_)}; }
  std::vector<std::int64_t> vector() const { return {dims().begin(), dims().end()}; }
  // "[1,299,299,3]"; "[]" for a scalar.
  std::string ToString() const;
  // "(1, 299, 299, 3)", "(3,)", "()": Python's tuple.
  std::string ToTuple() const;
  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

// A shape of which the rank or some dimensions (-1) may be unknown. tf: TensorShape.
class PartialShape {
 public:
  PartialShape() = default;  // unknown rank
  PartialShape(const Shape& shape) : known_rank_(true), dims_(shape.vector()) {}
  PartialShape(std::initializer_list<std::int64_t> dims) : known_rank_(true), dims_(dims) { Check(); }
  explicit PartialShape(std::vector<std::int64_t> dims) : known_rank_(true), dims_(std::move(dims)) { Check(); }
  static PartialShape Unknown() { return {}; }
  static PartialShape UnknownOfRank(int rank) {
    return PartialShape(std::vector<std::int64_t>(static_cast<std::size_t>(rank), -1));
  }

  bool has_rank() const { return known_rank_; }
  int rank() const { return known_rank_ ? static_cast<int>(dims_.size()) : -1; }
  // -1 when unknown. InvalidArgumentError for an i the shape does not have.
  std::int64_t dim(int i) const {
    if (i < 0 || i >= static_cast<int>(dims_.size())) NoSuchDimension(i);
    return dims_[static_cast<std::size_t>(i)];
  }
  std::int64_t operator[](int i) const { return dim(i); }
  const std::vector<std::int64_t>& dims() const { return dims_; }
  bool IsFullyDefined() const;
  std::optional<Shape> AsShape() const;
  // The shape, or InvalidArgumentError when not fully defined.
  Shape Require() const;
  bool IsCompatibleWith(const PartialShape& other) const;
  // The most specific shape both allow; ValueError when they contradict.
  PartialShape MergeWith(const PartialShape& other) const;
  // "[2,?]" ; "<unknown>".
  std::string ToString() const;
  // "(2, None)"; "<unknown>". tf: str(TensorShape)
  std::string ToTuple() const;
  friend bool operator==(const PartialShape&, const PartialShape&) = default;

 private:
  void Check() const;
  [[noreturn]] void NoSuchDimension(int i) const;
  bool known_rank_ = false;
  std::vector<std::int64_t> dims_;
};

}  // namespace equiv
