#include "runtime/core/ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "runtime/graph/graph.h"

namespace equiv::runtime {
namespace {

Tensor One(std::string_view op, std::initializer_list<Tensor> inputs, const AttrMap& attrs, std::string_view name) {
  return Current().Add1(op, inputs, attrs, name);
}
Array Ints32(const std::vector<std::int64_t>& values) {
  std::vector<std::int32_t> narrow;
  for (std::int64_t v : values) narrow.push_back(static_cast<std::int32_t>(v));
  return Array::Of<std::int32_t>(Shape{static_cast<std::int64_t>(narrow.size())}, narrow);
}
// An op with one constant argument. In a graph the constant is named "<op>/<argument>" and the op takes the scope's
// name. tf: a Python list given to an op becomes a constant inside the op's own name scope
Tensor WithConstant(std::string_view op, std::vector<Tensor> inputs, Array constant, std::string_view argument,
                    const AttrMap& attrs, std::string_view name, std::string_view default_name, std::size_t position) {
  Context& context = Current();
  if (context.eager()) {
    inputs.insert(inputs.begin() + static_cast<std::ptrdiff_t>(position), Tensor(std::move(constant)));
    return context.AddOp(op, inputs, attrs, name).at(0);
  }
  NameScope scope(name.empty() ? default_name : name);
  inputs.insert(inputs.begin() + static_cast<std::ptrdiff_t>(position), Constant(std::move(constant), argument));
  return context.AddOp(op, inputs, attrs, scope.path() + "/").at(0);
}
Tensor Reduce(std::string_view op, const Tensor& x, const std::vector<std::int64_t>& axes, bool keepdims,
              std::string_view name) {
  std::vector<std::int64_t> all = axes;
  if (all.empty() && x.shape().has_rank())
    for (int i = 0; i < x.shape().rank(); ++i) all.push_back(i);
  return WithConstant(op, {x}, Ints32(all), "reduction_indices", {{"keep_dims", keepdims}}, name, op, 1);
}
std::vector<std::int64_t> Spatial(const std::vector<std::int64_t>& hw, std::string_view what) {
  if (hw.size() == 1) return {1, hw[0], hw[0], 1};
  if (hw.size() == 2) return {1, hw[0], hw[1], 1};
  if (hw.size() == 4) return hw;
  throw ValueError(fmt::format("{} takes one value, two (height, width) or four (NHWC), got {}", what, hw.size()));
}
template <class T>
Array NumberAs(double value) {
  return Array::Scalar<T>(static_cast<T>(value));
}
// tf: a Python number becomes a constant of the other operand's dtype
Array NumberLike(double value, DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return NumberAs<float>(value);
    case DType::kFloat64:
      return NumberAs<double>(value);
    case DType::kFloat16:
      return Array::Scalar(Float16(static_cast<float>(value)));
    case DType::kBFloat16:
      return Array::Scalar(BFloat16(static_cast<float>(value)));
    default:
      break;
  }
  if (value != std::floor(value))
    throw TypeError(fmt::format("{} cannot become a constant of dtype {}", value, Name(dtype)));
  switch (dtype) {
    case DType::kInt8:
      return NumberAs<std::int8_t>(value);
    case DType::kInt16:
      return NumberAs<std::int16_t>(value);
    case DType::kInt32:
      return NumberAs<std::int32_t>(value);
    case DType::kInt64:
      return NumberAs<std::int64_t>(value);
    case DType::kUInt8:
      return NumberAs<std::uint8_t>(value);
    case DType::kUInt16:
      return NumberAs<std::uint16_t>(value);
    case DType::kUInt32:
      return NumberAs<std::uint32_t>(value);
    case DType::kUInt64:
      return NumberAs<std::uint64_t>(value);
    default:
      throw TypeError(fmt::format("a number cannot become a constant of dtype {}", Name(dtype)));
  }
}
Tensor Scalar(std::string_view op, std::string_view name, const Tensor& tensor, double number, bool number_first) {
  return WithConstant(op, {ReadOperand(tensor)}, NumberLike(number, tensor.dtype()), number_first ? "x" : "y", {}, {},
                      name, number_first ? 0 : 1);
}
}  // namespace

Tensor Constant(Array value, std::string_view name) {
  Context& context = Current();
  if (context.eager()) return Tensor(std::move(value));
  const DType dtype = value.dtype();
  return context.Add1("Const", {}, {{"value", std::move(value)}, {"dtype", dtype}}, name);
}
Tensor Constant(float value, std::string_view name) { return Constant(Array::Scalar(value), name); }
Tensor ScalarConstant(double value, DType dtype, std::string_view name) {
  return Constant(NumberLike(value, dtype), name);
}

namespace {
// tf: array_ops.ones/zeros: a constant below 1000 elements, else Fill of a shape constant
Tensor Filled(double value, const Shape& shape, DType dtype, std::string_view name, std::string_view default_name) {
  const std::string_view wanted = name.empty() ? default_name : name;
  const Array scalar = dtype == DType::kBool ? Array::Scalar(value != 0) : NumberLike(value, dtype);
  Context& context = Current();
  const bool small = shape.num_elements() < 1000;
  if (context.eager() || small) {
    Array filled(dtype, shape);
    const std::size_t size = SizeOf(dtype);
    for (std::int64_t i = 0; i < shape.num_elements(); ++i)
      std::memcpy(filled.raw() + static_cast<std::size_t>(i) * size, scalar.raw(), size);
    return Constant(std::move(filled), wanted);
  }
  NameScope scope(wanted);
  const Tensor dims = Constant(Ints32(shape.vector()), "shape_as_tensor");
  return context.Add1("Fill", {dims, Constant(scalar, "Const")}, {}, scope.path() + "/");
}
}  // namespace

Tensor Zeros(const Shape& shape, DType dtype, std::string_view name) { return Filled(0, shape, dtype, name, "zeros"); }
Tensor Ones(const Shape& shape, DType dtype, std::string_view name) { return Filled(1, shape, dtype, name, "ones"); }
Tensor OnesLike(const Tensor& x, std::string_view name) {
  return One("OnesLike", {x}, {}, name.empty() ? "ones_like" : name);
}
Tensor Placeholder(DType dtype, const PartialShape& shape, std::string_view name) {
  if (Current().eager()) throw RuntimeError("tf.placeholder() is not compatible with eager execution.");
  return One("Placeholder", {}, {{"dtype", dtype}, {"shape", shape}}, name);
}
Tensor Identity(const Tensor& x, std::string_view name) { return One("Identity", {x}, {}, name); }

Tensor Conv2D(const Tensor& x, const Tensor& filter, const Conv2DOptions& o, std::string_view name) {
  AttrMap attrs = {{"strides", Spatial(o.strides, "strides")},
                   {"padding", std::string(o.padding)},
                   {"dilations", Spatial(o.dilations, "dilations")}};
  if (!o.explicit_paddings.empty()) {
    std::vector<std::int64_t> pads = o.explicit_paddings;
    if (pads.size() == 4) pads = {0, 0, pads[0], pads[1], pads[2], pads[3], 0, 0};
    attrs.Set("explicit_paddings", pads);
  }
  return One("Conv2D", {x, filter}, attrs, name);
}
Tensor BiasAdd(const Tensor& x, const Tensor& bias, std::string_view name) {
  return One("BiasAdd", {x, bias}, {}, name);
}
Tensor MaxPool(const Tensor& x, const PoolOptions& o, std::string_view name) {
  return One("MaxPool", {x},
             {{"ksize", Spatial(o.ksize, "ksize")},
              {"strides", Spatial(o.strides, "strides")},
              {"padding", std::string(o.padding)}},
             name);
}
Tensor AvgPool(const Tensor& x, const PoolOptions& o, std::string_view name) {
  return One("AvgPool", {x},
             {{"ksize", Spatial(o.ksize, "ksize")},
              {"strides", Spatial(o.strides, "strides")},
              {"padding", std::string(o.padding)}},
             name);
}
Tensor MatMul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b, std::string_view name) {
  return One("MatMul", {a, b}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}}, name);
}
BatchNormResult FusedBatchNorm(const Tensor& x, const Tensor& scale, const Tensor& offset, const Tensor& mean,
                               const Tensor& variance, float epsilon, bool is_training, float exponential_avg_factor,
                               std::string_view name) {
  const std::array inputs = {x, scale, offset, mean, variance};
  const std::vector<Tensor> out = Current().AddOp(
      "FusedBatchNormV3", inputs,
      {{"epsilon", epsilon}, {"is_training", is_training}, {"exponential_avg_factor", exponential_avg_factor}}, name);
  return {out.at(0), out.at(1), out.at(2)};
}

Tensor Relu(const Tensor& x, std::string_view name) { return One("Relu", {x}, {}, name); }
Tensor Softmax(const Tensor& x, std::string_view name) { return One("Softmax", {x}, {}, name); }
Tensor Add(const Tensor& a, const Tensor& b, std::string_view name) {
  return One("AddV2", {a, b}, {}, name.empty() ? "Add" : name);
}
Tensor Sub(const Tensor& a, const Tensor& b, std::string_view name) { return One("Sub", {a, b}, {}, name); }
Tensor Multiply(const Tensor& a, const Tensor& b, std::string_view name) { return One("Mul", {a, b}, {}, name); }
Tensor Divide(const Tensor& a, const Tensor& b, std::string_view name) {
  return One("RealDiv", {a, b}, {}, name.empty() ? "truediv" : name);
}
Tensor AddN(const std::vector<Tensor>& inputs, std::string_view name) {
  if (inputs.empty())
    throw ValueError("Inputs must be an iterable of at least one Tensor with the same dtype and shape.");
  return Current().AddOp("AddN", inputs, {}, name).at(0);
}
Tensor Concat(const std::vector<Tensor>& inputs, std::int64_t axis, std::string_view name) {
  return WithConstant("ConcatV2", inputs, Array::Scalar(static_cast<std::int32_t>(axis)), "axis", {}, name, "concat",
                      inputs.size());
}
Tensor Reshape(const Tensor& x, const std::vector<std::int64_t>& shape, std::string_view name) {
  return WithConstant("Reshape", {x}, Ints32(shape), "shape", {}, name, "Reshape", 1);
}
Tensor Squeeze(const Tensor& x, const std::vector<std::int64_t>& axes, std::string_view name) {
  return One("Squeeze", {x}, {{"squeeze_dims", axes}}, name);
}
Tensor ReduceSum(const Tensor& x, const std::vector<std::int64_t>& axes, bool keepdims, std::string_view name) {
  return Reduce("Sum", x, axes, keepdims, name);
}
Tensor ReduceMean(const Tensor& x, const std::vector<std::int64_t>& axes, bool keepdims, std::string_view name) {
  return Reduce("Mean", x, axes, keepdims, name);
}
Tensor L2Loss(const Tensor& x, std::string_view name) { return One("L2Loss", {x}, {}, name); }
Tensor Pad(const Tensor& x, const std::vector<std::pair<std::int64_t, std::int64_t>>& paddings, std::string_view name) {
  std::vector<std::int64_t> flat;
  for (const auto& [before, after] : paddings) flat.insert(flat.end(), {before, after});
  return WithConstant("Pad", {x}, Ints32(flat).Reshaped(Shape{static_cast<std::int64_t>(paddings.size()), 2}),
                      "paddings", {}, name, "Pad", 1);
}
Tensor Cast(const Tensor& x, DType dtype, std::string_view name) {
  return x.dtype() == dtype ? x : One("Cast", {x}, {{"DstT", dtype}}, name);
}
Tensor Fill(const Shape& shape, const Tensor& value, std::string_view name) {
  return WithConstant("Fill", {value}, Ints32(shape.vector()), "dims", {}, name, "Fill", 0);
}
Tensor GreaterEqual(const Tensor& a, const Tensor& b, std::string_view name) {
  return One("GreaterEqual", {a, b}, {}, name);
}
Tensor Where(const Tensor& condition, const Tensor& x, const Tensor& y, std::string_view name) {
  return One("SelectV2", {condition, x, y}, {}, name);
}
}  // namespace equiv::runtime

namespace equiv {
using runtime::Tensor;
// A variable on the left is read before the op's scope opens. tf: Variable._OverloadOperator
Tensor operator+(const Tensor& a, const Tensor& b) { return runtime::Add(runtime::ReadOperand(a), b, "add"); }
Tensor operator-(const Tensor& a, const Tensor& b) { return runtime::Sub(runtime::ReadOperand(a), b, "sub"); }
Tensor operator*(const Tensor& a, const Tensor& b) { return runtime::Multiply(runtime::ReadOperand(a), b, "mul"); }
Tensor operator/(const Tensor& a, const Tensor& b) { return runtime::Divide(runtime::ReadOperand(a), b, "truediv"); }
Tensor operator+(const Tensor& a, double b) { return runtime::Scalar("AddV2", "add", a, b, false); }
Tensor operator-(const Tensor& a, double b) { return runtime::Scalar("Sub", "sub", a, b, false); }
Tensor operator*(const Tensor& a, double b) { return runtime::Scalar("Mul", "mul", a, b, false); }
Tensor operator/(const Tensor& a, double b) { return runtime::Scalar("RealDiv", "truediv", a, b, false); }
Tensor operator*(double a, const Tensor& b) { return runtime::Scalar("Mul", "mul", b, a, true); }
Tensor operator+(double a, const Tensor& b) { return runtime::Scalar("AddV2", "add", b, a, true); }
Tensor operator-(double a, const Tensor& b) { return runtime::Scalar("Sub", "sub", b, a, true); }
}  // namespace equiv
