// suites/kernels/cpu_compute/op_runner.h - runs one op through its definition, as an executor would.
#pragma once
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/base/op_registry.h"

namespace equiv::test {

// Every family on backend "cpu".
const OpRegistry& ComputeOps();

// Output shapes as a graph would infer them. Inputs given as arrays count as constants when `constants` is set.
std::vector<PartialShape> Infer(std::string_view op, const std::vector<PartialShape>& inputs, AttrMap attrs,
                                const std::vector<DType>& dtypes, const std::vector<const Array*>& constants = {});

// Attributes, shapes, kernel: all outputs, whose dtypes and shapes are checked against what was inferred.
// `check_shapes` off skips the shape function, so that the kernel's own checks are reached.
std::vector<Array> RunOp(std::string_view op, std::vector<Array> inputs, AttrMap attrs = {}, int threads = 1,
                         bool check_shapes = true);

// The text of the E that f throws; something else, said so, when it throws no E.
template <class E = InvalidArgumentError, class F>
std::string Refused(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  } catch (const Error& e) {
    return "another kind: " + e.Describe();
  }
  return "nothing thrown";
}

// Values in [-1, 1) from a fixed generator.
template <class T>
Array RandomArray(const Shape& shape, unsigned seed) {
  std::mt19937 bits(seed);
  Array a(kDTypeOf<T>, shape);
  T* p = a.mutable_data<T>();
  for (std::int64_t i = 0; i < a.num_elements(); ++i)
    p[i] = static_cast<T>(static_cast<double>(bits()) / 2147483648.0 - 1.0);
  return a;
}
inline Array Axes(std::vector<std::int32_t> axes) {
  return Array::Of<std::int32_t>(Shape{static_cast<std::int64_t>(axes.size())}, std::span<const std::int32_t>(axes));
}
using Ints = std::vector<std::int64_t>;

}  // namespace equiv::test
