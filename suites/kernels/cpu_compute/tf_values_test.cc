// Single ops against values TensorFlow gave (tf_values*.jsonl, each written by the script of its name), at one and at
// three threads. An input may be a variable, with its value before and after: ["variable", before, after].
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "suites/kernels/cpu_compute/recorded.h"

namespace equiv::test {
namespace {
using nlohmann::json;

template <class T>
double Part(const Array& a, std::int64_t i) {
  T part;
  std::memcpy(&part, a.raw() + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
  return static_cast<double>(part);
}
// The numbers of an array; both parts of complex ones.
std::vector<double> Numbers(const Array& a) {
  std::vector<double> numbers;
  if (a.dtype() == DType::kComplex64 || a.dtype() == DType::kComplex128) {
    for (std::int64_t i = 0; i < 2 * a.num_elements(); ++i)
      numbers.push_back(a.dtype() == DType::kComplex64 ? Part<float>(a, i) : Part<double>(a, i));
  } else {
    for (std::int64_t i = 0; i < a.num_elements(); ++i) numbers.push_back(a.ElementAsDouble(i));
  }
  return numbers;
}
// Empty when every element agrees within `tolerance`, relative to the largest finite one or to the element itself.
std::string Difference(const Array& got, const Array& expected, double tolerance) {
  if (got.dtype() != expected.dtype() || !(got.shape() == expected.shape()))
    return fmt::format("expected {} {}, got {} {}", Name(expected.dtype()), expected.shape().ToString(),
                       Name(got.dtype()), got.shape().ToString());
  if (got.dtype() == DType::kString)
    return got.strings() == expected.strings()
               ? std::string()
               : fmt::format("expected {}, got {}", fmt::join(expected.strings(), "|"), fmt::join(got.strings(), "|"));
  if (BitwiseEqual(got, expected)) return {};
  if (got.dtype() == DType::kInt64 || got.dtype() == DType::kUInt64) return "64-bit integers differ";
  const std::vector<double> want = Numbers(expected), have = Numbers(got);
  double scale = 0;
  for (double e : want)
    if (std::isfinite(e)) scale = std::max(scale, std::abs(e));
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double e = want[i], g = have[i];
    if (std::isnan(e) && std::isnan(g)) continue;
    if (e == g && (tolerance > 0 || std::signbit(e) == std::signbit(g))) continue;
    if (std::abs(e - g) <= tolerance * scale) continue;
    return fmt::format("element {}: expected {}, got {}", i, e, g);
  }
  return {};
}

void Check(const json& c, const std::string& op) {
  const double tolerance = c.value("tolerance", 0.0);
  const AttrMap attrs = RecordedAttributes(ComputeOps().Get(op), c.at("attrs"));
  const std::vector<Array> inputs = RecordedInputs(c.at("inputs")), again = RecordedInputs(c.at("inputs"));
  const std::vector<Array> one = RunOp(op, inputs, attrs), three = RunOp(op, again, attrs, 3);
  ASSERT_EQ(one.size(), three.size());
  const json& outputs = c.at("outputs");
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].is_null()) continue;
    EXPECT_EQ(Difference(one.at(i), RecordedTensor(outputs[i]), tolerance), "") << "output " << i;
    EXPECT_TRUE(BitwiseEqual(one[i], three[i])) << "output " << i << " depends on the number of threads";
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const json& record = c.at("inputs")[i];
    if (!IsRecordedVariable(record)) continue;
    const Array after = inputs[i].variable()->Read("test");
    EXPECT_EQ(Difference(after, RecordedTensor(record.at(2)), tolerance), "") << "variable " << i;
    EXPECT_TRUE(BitwiseEqual(after, again[i].variable()->Read("test")))
        << "variable " << i << " depends on the number of threads";
  }
}

TEST(TensorFlowValues, EveryCase) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(EQUIV_SOURCE_DIR) / "suites/kernels/cpu_compute"))
    if (entry.path().filename().string().starts_with("tf_values") && entry.path().extension() == ".jsonl")
      files.push_back(entry.path());
  std::ranges::sort(files);
  ASSERT_FALSE(files.empty());
  for (const fs::path& file : files) {
    std::ifstream in(file);
    int cases = 0;
    for (std::string line; std::getline(in, line);) {
      const json c = json::parse(line);
      const std::string op = c.at("op");
      SCOPED_TRACE(fmt::format("{} line {}: {} {}", file.filename().string(), ++cases, op, c.at("attrs").dump()));
      try {
        Check(c, op);
      } catch (const Error& error) {
        ADD_FAILURE() << error.Describe();
      }
    }
    EXPECT_GT(cases, 0) << file;
  }
}
}  // namespace
}  // namespace equiv::test
