#include "runtime/graph/proto_convert.h"

#include <fmt/format.h>

#include <cstring>

#include "kernels/base/error.h"

namespace equiv::runtime {
namespace {
constexpr std::size_t kLargestConstant = std::size_t{2} << 30;

[[noreturn]] void Bad(const std::string& where, const std::string& what) { throw InvalidArgumentError(where + what); }

// Fills the array from a list that may be shorter: its last value is repeated, an empty list means zeros.
template <class T, class Get>
void Spread(Array& array, int given, const Get& get, const std::string& where) {
  const std::int64_t n = array.num_elements();
  if (given > n) Bad(where, fmt::format("{} values for shape {}", given, array.shape().ToString()));
  auto* out = reinterpret_cast<T*>(array.raw());
  const T last = given > 0 ? get(given - 1) : T{};
  for (std::int64_t i = 0; i < n; ++i) out[i] = i < given ? get(static_cast<int>(i)) : last;
}
template <class T>
void Complex(Array& array, const google::protobuf::RepeatedField<T>& parts, const std::string& where) {
  if (parts.size() % 2 != 0) Bad(where, "a complex number lacks its imaginary part");
  struct Number {
    T re, im;
  };
  Spread<Number>(
      array, parts.size() / 2,
      [&](int i) {
        return Number{parts[2 * i], parts[2 * i + 1]};
      },
      where);
}
}  // namespace

DType FromProto(proto::DataType type, const std::string& where) {
  const int number = type > 100 ? type - 100 : type;
  const auto dtype = static_cast<DType>(number);
  if (Name(dtype) == "invalid" && number != 0)
    throw UnimplementedError(fmt::format("{}dtype number {} is not supported", where, static_cast<int>(type)));
  return dtype;
}

PartialShape FromProto(const proto::TensorShapeProto& shape, const std::string& where) {
  if (shape.unknown_rank()) return PartialShape::Unknown();
  std::vector<std::int64_t> dims;
  std::int64_t elements = 1;
  bool too_large = false;
  for (const auto& dim : shape.dim()) {
    if (dim.size() < -1) Bad(where, fmt::format("a dimension of size {}", dim.size()));
    dims.push_back(dim.size());
    if (dim.size() > 0) too_large |= __builtin_mul_overflow(elements, dim.size(), &elements);
  }
  PartialShape partial(std::move(dims));
  if (too_large)  // tf: TensorShape::IsValidShape
    Bad(where, fmt::format("Shape {} is too large (more than 2**63 - 1 entries)", partial.ToString()));
  return partial;
}

Array FromProto(const proto::TensorProto& tensor, const std::string& where) {
  const DType dtype = FromProto(tensor.dtype(), where);
  const PartialShape partial = FromProto(tensor.tensor_shape(), where);
  if (!partial.IsFullyDefined()) Bad(where, fmt::format("a constant of shape {}", partial.ToString()));
  Shape shape;
  try {
    shape = partial.Require();
  } catch (const InvalidArgumentError& error) {
    Bad(where, error.what());
  }
  const auto elements = static_cast<std::size_t>(shape.num_elements());
  if (dtype == DType::kString) {
    if (static_cast<std::size_t>(tensor.string_val_size()) > elements)
      Bad(where, fmt::format("{} strings for shape {}", tensor.string_val_size(), shape.ToString()));
    if (elements > kLargestConstant / sizeof(std::string))
      throw ResourceExhaustedError(fmt::format("{}a constant of {} strings", where, elements));
    std::vector<std::string> values(tensor.string_val().begin(), tensor.string_val().end());
    values.resize(elements, values.empty() ? std::string() : values.back());
    return Array::Strings(shape, std::move(values));
  }
  const std::size_t width = SizeOf(dtype);
  if (width == 0) Bad(where, fmt::format("a constant of dtype {}", Name(dtype)));
  if (elements > kLargestConstant / width)
    throw ResourceExhaustedError(
        fmt::format("{}a constant of shape {} would take more than 2 GiB", where, shape.ToString()));
  Array array(dtype, shape);
  const std::string& content = tensor.tensor_content();
  if (!content.empty()) {
    if (content.size() != array.num_bytes())
      Bad(where, fmt::format("{} bytes of content for {}{}", content.size(), Name(dtype), shape.ToString()));
    std::memcpy(array.raw(), content.data(), content.size());
    return array;
  }
  const auto ints = [&]<class T>() {
    Spread<T>(
        array, tensor.int_val_size(), [&](int i) { return static_cast<T>(tensor.int_val(i)); }, where);
  };
  switch (dtype) {
    case DType::kFloat32:
      Spread<float>(
          array, tensor.float_val_size(), [&](int i) { return tensor.float_val(i); }, where);
      break;
    case DType::kFloat64:
      Spread<double>(
          array, tensor.double_val_size(), [&](int i) { return tensor.double_val(i); }, where);
      break;
    case DType::kInt32:
    case DType::kQInt32:
      ints.operator()<std::int32_t>();
      break;
    case DType::kInt16:
    case DType::kUInt16:
    case DType::kQInt16:
    case DType::kQUInt16:
      ints.operator()<std::uint16_t>();
      break;
    case DType::kInt8:
    case DType::kUInt8:
    case DType::kQInt8:
    case DType::kQUInt8:
      ints.operator()<std::uint8_t>();
      break;
    case DType::kInt64:
      Spread<std::int64_t>(
          array, tensor.int64_val_size(), [&](int i) { return tensor.int64_val(i); }, where);
      break;
    case DType::kUInt32:
      Spread<std::uint32_t>(
          array, tensor.uint32_val_size(), [&](int i) { return tensor.uint32_val(i); }, where);
      break;
    case DType::kUInt64:
      Spread<std::uint64_t>(
          array, tensor.uint64_val_size(), [&](int i) { return tensor.uint64_val(i); }, where);
      break;
    case DType::kBool:
      Spread<bool>(
          array, tensor.bool_val_size(), [&](int i) { return tensor.bool_val(i); }, where);
      break;
    case DType::kFloat16:
    case DType::kBFloat16:
      Spread<std::uint16_t>(
          array, tensor.half_val_size(), [&](int i) { return static_cast<std::uint16_t>(tensor.half_val(i)); }, where);
      break;
    case DType::kComplex64:
      Complex<float>(array, tensor.scomplex_val(), where);
      break;
    case DType::kComplex128:
      Complex<double>(array, tensor.dcomplex_val(), where);
      break;
    case DType::kFloat8E5M2:
    case DType::kFloat8E4M3FN:
      Spread<char>(
          array, static_cast<int>(tensor.float8_val().size()),
          [&](int i) { return tensor.float8_val()[static_cast<std::size_t>(i)]; }, where);
      break;
    default:
      Bad(where, fmt::format("a constant of dtype {}", Name(dtype)));
  }
  return array;
}

std::size_t BytesOf(const proto::TensorProto& tensor) {
  const auto dtype = static_cast<DType>(tensor.dtype());
  std::size_t bytes = dtype == DType::kString ? sizeof(std::string) : SizeOf(dtype);
  for (const auto& dim : tensor.tensor_shape().dim())
    if (dim.size() < 0 || __builtin_mul_overflow(bytes, static_cast<std::size_t>(dim.size()), &bytes) ||
        bytes > kLargestConstant)
      return 0;
  return bytes;
}

proto::TensorShapeProto ToProto(const PartialShape& shape) {
  proto::TensorShapeProto message;
  if (!shape.has_rank()) message.set_unknown_rank(true);
  for (const std::int64_t d : shape.dims()) message.add_dim()->set_size(d);
  return message;
}
proto::TensorProto ToProto(const Array& array) {
  proto::TensorProto message;
  message.set_dtype(static_cast<proto::DataType>(array.dtype()));
  *message.mutable_tensor_shape() = ToProto(PartialShape(array.shape()));
  if (array.dtype() == DType::kString) {
    for (const std::string& s : array.strings()) message.add_string_val(s);
  } else {
    message.set_tensor_content(reinterpret_cast<const char*>(array.raw()), array.num_bytes());
  }
  return message;
}

AttrValue FromProto(const proto::AttrValue& value, AttrKind kind, const FunctionLookup& functions,
                    const std::string& where) {
  using Proto = proto::AttrValue;
  const auto require = [&](Proto::ValueCase wanted, const char* name) {
    if (value.value_case() != wanted) Bad(where, fmt::format("the value is no {}", name));
  };
  const auto list = [&]() -> const Proto::ListValue& {
    require(Proto::kList, "list");
    return value.list();
  };
  switch (kind) {
    case AttrKind::kInt:
      require(Proto::kI, "int");
      return static_cast<std::int64_t>(value.i());
    case AttrKind::kFloat:
      require(Proto::kF, "float");
      return value.f();
    case AttrKind::kBool:
      require(Proto::kB, "bool");
      return value.b();
    case AttrKind::kString:
      require(Proto::kS, "string");
      return value.s();
    case AttrKind::kType:
      require(Proto::kType, "type");
      return FromProto(value.type(), where);
    case AttrKind::kShape:
      require(Proto::kShape, "shape");
      return FromProto(value.shape(), where);
    case AttrKind::kTensor:
      require(Proto::kTensor, "tensor");
      return FromProto(value.tensor(), where);
    case AttrKind::kFunc:
      require(Proto::kFunc, "function");
      return functions(value.func());
    case AttrKind::kListInt:
      return std::vector<std::int64_t>(list().i().begin(), list().i().end());
    case AttrKind::kListFloat:
      return std::vector<float>(list().f().begin(), list().f().end());
    case AttrKind::kListBool:
      return std::vector<bool>(list().b().begin(), list().b().end());
    case AttrKind::kListString:
      return std::vector<std::string>(list().s().begin(), list().s().end());
    case AttrKind::kListType: {
      std::vector<DType> types;
      for (const int t : list().type()) types.push_back(FromProto(static_cast<proto::DataType>(t), where));
      return types;
    }
    case AttrKind::kListShape: {
      std::vector<PartialShape> shapes;
      for (const auto& s : list().shape()) shapes.push_back(FromProto(s, where));
      return shapes;
    }
    case AttrKind::kListTensor: {
      std::vector<Array> tensors;
      for (const auto& t : list().tensor()) tensors.push_back(FromProto(t, where));
      return tensors;
    }
    case AttrKind::kListFunc: {
      std::vector<FunctionRef> refs;
      for (const auto& f : list().func()) refs.push_back(functions(f));
      return refs;
    }
  }
  Bad(where, "the value is of no known kind");
}

bool KindOf(const proto::AttrValue& value, AttrKind& kind) {
  using Proto = proto::AttrValue;
  switch (value.value_case()) {
    case Proto::kI:
      kind = AttrKind::kInt;
      return true;
    case Proto::kF:
      kind = AttrKind::kFloat;
      return true;
    case Proto::kB:
      kind = AttrKind::kBool;
      return true;
    case Proto::kS:
      kind = AttrKind::kString;
      return true;
    case Proto::kType:
      kind = AttrKind::kType;
      return true;
    case Proto::kShape:
      kind = AttrKind::kShape;
      return true;
    case Proto::kTensor:
      kind = AttrKind::kTensor;
      return true;
    case Proto::kFunc:
      kind = AttrKind::kFunc;
      return true;
    case Proto::kList: {
      const auto& list = value.list();
      const std::pair<bool, AttrKind> lists[] = {
          {list.i_size() > 0, AttrKind::kListInt},         {list.f_size() > 0, AttrKind::kListFloat},
          {list.b_size() > 0, AttrKind::kListBool},        {list.s_size() > 0, AttrKind::kListString},
          {list.type_size() > 0, AttrKind::kListType},     {list.shape_size() > 0, AttrKind::kListShape},
          {list.tensor_size() > 0, AttrKind::kListTensor}, {list.func_size() > 0, AttrKind::kListFunc}};
      for (const auto& [there, list_kind] : lists)
        if (there) {
          kind = list_kind;
          return true;
        }
      return false;
    }
    default:
      return false;
  }
}

namespace {
struct Writer {
  proto::AttrValue& out;
  void operator()(std::int64_t v) const { out.set_i(v); }
  void operator()(float v) const { out.set_f(v); }
  void operator()(bool v) const { out.set_b(v); }
  void operator()(const std::string& v) const { out.set_s(v); }
  void operator()(DType v) const { out.set_type(static_cast<proto::DataType>(v)); }
  void operator()(const PartialShape& v) const { *out.mutable_shape() = ToProto(v); }
  void operator()(const Array& v) const { *out.mutable_tensor() = ToProto(v); }
  void operator()(const FunctionRef& v) const { out.mutable_func()->set_name(v.name); }
  void operator()(const std::vector<std::int64_t>& v) const {
    for (auto x : v) List().add_i(x);
  }
  void operator()(const std::vector<float>& v) const {
    for (auto x : v) List().add_f(x);
  }
  void operator()(const std::vector<bool>& v) const {
    for (auto x : v) List().add_b(x);
  }
  void operator()(const std::vector<std::string>& v) const {
    for (const auto& x : v) List().add_s(x);
  }
  void operator()(const std::vector<DType>& v) const {
    for (auto x : v) List().add_type(static_cast<proto::DataType>(x));
  }
  void operator()(const std::vector<PartialShape>& v) const {
    for (const auto& x : v) *List().add_shape() = ToProto(x);
  }
  void operator()(const std::vector<Array>& v) const {
    for (const auto& x : v) *List().add_tensor() = ToProto(x);
  }
  void operator()(const std::vector<FunctionRef>& v) const {
    for (const auto& x : v) List().add_func()->set_name(x.name);
  }
  proto::AttrValue::ListValue& List() const { return *out.mutable_list(); }
};
}  // namespace

proto::AttrValue ToProto(const AttrValue& value) {
  proto::AttrValue message;
  if (value.index() >= 7 && !std::holds_alternative<FunctionRef>(value)) message.mutable_list();  // an empty list too
  std::visit(Writer{message}, value);
  return message;
}
}  // namespace equiv::runtime
