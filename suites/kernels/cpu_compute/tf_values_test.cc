// Single ops against values TensorFlow gave (tf_values.jsonl; tf_values.py wrote it), at one and at three threads.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

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
Array Filled(const Shape& shape, const json& values) {
  std::vector<T> list;
  for (const json& v : values) list.push_back(static_cast<T>(Number(v)));
  Array a(kDTypeOf<T>, shape);
  for (std::size_t i = 0; i < list.size(); ++i) a.mutable_data<T>()[i] = list[i];
  return a;
}
// [dtype, shape, values]
Array Tensor(const json& record) {
  const Shape shape(record.at(1).get<Ints>());
  const json& values = record.at(2);
  switch (ParseDType(record.at(0).get<std::string>()).value()) {
    case DType::kFloat64:
      return Filled<double>(shape, values);
    case DType::kInt32:
      return Filled<std::int32_t>(shape, values);
    case DType::kInt64:
      return Filled<std::int64_t>(shape, values);
    case DType::kBool:
      return Filled<bool>(shape, values);
    default:
      return Filled<float>(shape, values);
  }
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
      case AttrKind::kShape:
        attrs.Set(attr.name, PartialShape(v.get<Ints>()));
        break;
      default:
        throw ValueError("no such attribute in these files: " + attr.name);
    }
  }
  return attrs;
}
// Empty when every element agrees within `tolerance`, relative to the largest finite one or to the element itself.
std::string Difference(const Array& got, const Array& expected, double tolerance) {
  if (got.dtype() != expected.dtype() || !(got.shape() == expected.shape()))
    return fmt::format("expected {} {}, got {} {}", Name(expected.dtype()), expected.shape().ToString(),
                       Name(got.dtype()), got.shape().ToString());
  double scale = 0;
  for (std::int64_t i = 0; i < got.num_elements(); ++i)
    if (const double e = std::abs(expected.ElementAsDouble(i)); std::isfinite(e)) scale = std::max(scale, e);
  for (std::int64_t i = 0; i < got.num_elements(); ++i) {
    const double e = expected.ElementAsDouble(i), g = got.ElementAsDouble(i);
    if (e == g || (std::isnan(e) && std::isnan(g)) || std::abs(e - g) <= tolerance * scale) continue;
    return fmt::format("element {}: expected {}, got {}", i, e, g);
  }
  return {};
}

TEST(TensorFlowValues, EveryCase) {
  std::ifstream in(std::string(EQUIV_SOURCE_DIR) + "/suites/kernels/cpu_compute/tf_values.jsonl");
  ASSERT_TRUE(in);
  int cases = 0;
  for (std::string line; std::getline(in, line);) {
    const json c = json::parse(line);
    const std::string op = c.at("op");
    SCOPED_TRACE(fmt::format("line {}: {} {}", ++cases, op, c.at("attrs").dump()));
    try {
      std::vector<Array> inputs;
      for (const json& record : c.at("inputs")) inputs.push_back(Tensor(record));
      const AttrMap attrs = Attributes(ComputeOps().Get(op), c.at("attrs"));
      const std::vector<Array> one = RunOp(op, inputs, attrs), three = RunOp(op, inputs, attrs, 3);
      ASSERT_EQ(one.size(), three.size());
      const json& outputs = c.at("outputs");
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i].is_null()) continue;
        EXPECT_EQ(Difference(one.at(i), Tensor(outputs[i]), c.value("tolerance", 0.0)), "") << "output " << i;
        EXPECT_TRUE(BitwiseEqual(one[i], three[i])) << "output " << i << " depends on the number of threads";
      }
    } catch (const Error& error) {
      ADD_FAILURE() << error.Describe();
    }
  }
  EXPECT_GT(cases, 0);
}
}  // namespace
}  // namespace equiv::test
