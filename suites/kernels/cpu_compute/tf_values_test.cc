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
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {
namespace {
using nlohmann::json;

double Number(const json& v) {
  if (v.is_boolean()) return v.get<bool>() ? 1 : 0;
  if (!v.is_string()) return v.get<double>();
  const std::string word = v;
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  return word == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
}
template <class T>
T Element(const json& v) {
  if constexpr (std::is_integral_v<T>)
    return v.is_boolean() ? static_cast<T>(v.get<bool>()) : v.get<T>();
  else if constexpr (sizeof(T) == 2)
    return T(static_cast<float>(Number(v)));
  else
    return static_cast<T>(Number(v));
}
template <class T>
Array Filled(const Shape& shape, const json& values) {
  Array a(kDTypeOf<T>, shape);
  for (std::size_t i = 0; i < values.size(); ++i) a.mutable_data<T>()[i] = Element<T>(values[i]);
  return a;
}
template <class Part>
Array FilledComplex(DType dtype, const Shape& shape, const json& parts) {
  Array a(dtype, shape);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part part = Element<Part>(parts[i]);
    std::memcpy(a.raw() + i * sizeof(Part), &part, sizeof(Part));
  }
  return a;
}
// [dtype, shape, values]; of complex numbers both parts in turn.
Array Tensor(const json& record) {
  const Shape shape(record.at(1).get<Ints>());
  const json& values = record.at(2);
  const DType dtype = ParseDType(record.at(0).get<std::string>()).value();
  switch (dtype) {
    case DType::kFloat64:
      return Filled<double>(shape, values);
    case DType::kInt32:
      return Filled<std::int32_t>(shape, values);
    case DType::kInt64:
      return Filled<std::int64_t>(shape, values);
    case DType::kBool:
      return Filled<bool>(shape, values);
    case DType::kUInt8:
      return Filled<std::uint8_t>(shape, values);
    case DType::kInt8:
      return Filled<std::int8_t>(shape, values);
    case DType::kUInt16:
      return Filled<std::uint16_t>(shape, values);
    case DType::kInt16:
      return Filled<std::int16_t>(shape, values);
    case DType::kUInt32:
      return Filled<std::uint32_t>(shape, values);
    case DType::kUInt64:
      return Filled<std::uint64_t>(shape, values);
    case DType::kFloat16:
      return Filled<Float16>(shape, values);
    case DType::kBFloat16:
      return Filled<BFloat16>(shape, values);
    case DType::kComplex64:
      return FilledComplex<float>(dtype, shape, values);
    case DType::kComplex128:
      return FilledComplex<double>(dtype, shape, values);
    case DType::kString:
      return Array::Strings(shape, values.get<std::vector<std::string>>());
    default:
      return Filled<float>(shape, values);
  }
}
bool IsVariable(const json& record) { return record.at(0) == "variable"; }
std::vector<Array> Inputs(const json& records) {
  std::vector<Array> inputs;
  for (const json& record : records) {
    if (!IsVariable(record)) {
      inputs.push_back(Tensor(record));
      continue;
    }
    const Array before = Tensor(record.at(1));
    auto variable = std::make_shared<Variable>("v" + std::to_string(inputs.size()), before.dtype(), before.shape());
    variable->Assign(before, "test");
    inputs.push_back(Array::Resource(std::move(variable)));
  }
  return inputs;
}
AttrMap Attributes(const OpDef& def, const json& given) {
  AttrMap attrs;
  for (const AttrDef& attr : def.attr_defs) {
    if (!given.contains(attr.name)) continue;
    const json& v = given[attr.name];
    switch (attr.kind) {
      case AttrKind::kInt:
        attrs.Set(attr.name, v.get<std::int64_t>());
        break;
      case AttrKind::kFloat:
        attrs.Set(attr.name, v.get<float>());
        break;
      case AttrKind::kBool:
        attrs.Set(attr.name, v.get<bool>());
        break;
      case AttrKind::kString:
        attrs.Set(attr.name, v.get<std::string>());
        break;
      case AttrKind::kType:
        attrs.Set(attr.name, ParseDType(v.get<std::string>()).value());
        break;
      case AttrKind::kListInt:
        attrs.Set(attr.name, v.get<Ints>());
        break;
      case AttrKind::kListString:
        attrs.Set(attr.name, v.get<std::vector<std::string>>());
        break;
      case AttrKind::kListType: {
        std::vector<DType> types;
        for (const json& name : v) types.push_back(ParseDType(name.get<std::string>()).value());
        attrs.Set(attr.name, std::move(types));
        break;
      }
      case AttrKind::kShape:
        attrs.Set(attr.name, PartialShape(v.get<Ints>()));
        break;
      default:
        throw ValueError("no such attribute in these files: " + attr.name);
    }
  }
  return attrs;
}
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
  const AttrMap attrs = Attributes(ComputeOps().Get(op), c.at("attrs"));
  const std::vector<Array> inputs = Inputs(c.at("inputs")), again = Inputs(c.at("inputs"));
  const std::vector<Array> one = RunOp(op, inputs, attrs), three = RunOp(op, again, attrs, 3);
  ASSERT_EQ(one.size(), three.size());
  const json& outputs = c.at("outputs");
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].is_null()) continue;
    EXPECT_EQ(Difference(one.at(i), Tensor(outputs[i]), tolerance), "") << "output " << i;
    EXPECT_TRUE(BitwiseEqual(one[i], three[i])) << "output " << i << " depends on the number of threads";
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const json& record = c.at("inputs")[i];
    if (!IsVariable(record)) continue;
    const Array after = inputs[i].variable()->Read("test");
    EXPECT_EQ(Difference(after, Tensor(record.at(2)), tolerance), "") << "variable " << i;
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
