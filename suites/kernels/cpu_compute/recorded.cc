#include "suites/kernels/cpu_compute/recorded.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

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
}  // namespace

Array RecordedTensor(const json& record) {
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
bool IsRecordedVariable(const json& record) { return record.at(0) == "variable"; }
std::vector<Array> RecordedInputs(const json& records) {
  std::vector<Array> inputs;
  for (const json& record : records) {
    if (!IsRecordedVariable(record)) {
      inputs.push_back(RecordedTensor(record));
      continue;
    }
    const Array before = RecordedTensor(record.at(1));
    auto variable = std::make_shared<Variable>("v" + std::to_string(inputs.size()), before.dtype(), before.shape());
    variable->Assign(before, "test");
    inputs.push_back(Array::Resource(std::move(variable)));
  }
  return inputs;
}
AttrMap RecordedAttributes(const OpDef& def, const json& given) {
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

}  // namespace equiv::test
