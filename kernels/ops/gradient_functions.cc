// kernels/ops/gradient_functions.cc - gradients of ops, written against OpBuilder: one definition for graphs and eager.
#include <numeric>

#include "kernels/base/op_registry.h"

namespace equiv::ops {
namespace {

Value Ints(const std::vector<std::int64_t>& values) {
  std::vector<std::int32_t> narrow(values.begin(), values.end());
  return Array::Of<std::int32_t>(Shape{static_cast<std::int64_t>(narrow.size())}, narrow);
}
// A number of `like`'s dtype.
Value Number(GradContext& c, double value, const Value& like) {
  return c.builder.Add1("Cast", {Value(Array::Scalar(value))}, {{"DstT", like.dtype()}});
}
Value Mul(GradContext& c, const Value& a, const Value& b) { return c.builder.Add1("Mul", {a, b}); }
Value Neg(GradContext& c, const Value& a) { return c.builder.Add1("Neg", {a}); }
Value Reshape(GradContext& c, const Value& a, const Shape& shape) {
  return c.builder.Add1("Reshape", {a, Ints(shape.vector())});
}
// The sum over the axes along which `to` was broadcast. tf: SmartBroadcastGradientArgs
Value SumTo(GradContext& c, const Value& grad, const Value& to) {
  const Shape from = grad.shape().Require(), shape = to.shape().Require();
  if (from == shape) return grad;
  std::vector<std::int64_t> axes;
  const int extra = from.rank() - shape.rank();
  for (int i = 0; i < from.rank(); ++i)
    if (i < extra || (shape[i - extra] == 1 && from[i] != 1)) axes.push_back(i);
  const Value sum = c.builder.Add1("Sum", {grad, Ints(axes)}, {{"keep_dims", false}});
  return Reshape(c, sum, shape);
}

std::vector<Value> Pass(GradContext& c) { return {c.output_grads[0]}; }
std::vector<Value> AddGrad(GradContext& c) {
  return {SumTo(c, c.output_grads[0], c.inputs[0]), SumTo(c, c.output_grads[0], c.inputs[1])};
}
std::vector<Value> SubGrad(GradContext& c) {
  return {SumTo(c, c.output_grads[0], c.inputs[0]), SumTo(c, Neg(c, c.output_grads[0]), c.inputs[1])};
}
std::vector<Value> MulGrad(GradContext& c) {
  return {SumTo(c, Mul(c, c.output_grads[0], c.inputs[1]), c.inputs[0]),
          SumTo(c, Mul(c, c.inputs[0], c.output_grads[0]), c.inputs[1])};
}
std::vector<Value> DivGrad(GradContext& c) {
  const Value &x = c.inputs[0], &y = c.inputs[1], &g = c.output_grads[0];
  const Value quotient = c.builder.Add1("RealDiv", {c.builder.Add1("RealDiv", {Neg(c, x), y}), y});
  return {SumTo(c, c.builder.Add1("RealDiv", {g, y}), x), SumTo(c, Mul(c, g, quotient), y)};
}
std::vector<Value> NegGrad(GradContext& c) { return {Neg(c, c.output_grads[0])}; }
std::vector<Value> SquareGrad(GradContext& c) {
  return {Mul(c, c.output_grads[0], Mul(c, c.inputs[0], Number(c, 2, c.inputs[0])))};
}
std::vector<Value> AbsGrad(GradContext& c) {
  return {Mul(c, c.output_grads[0], c.builder.Add1("Sign", {c.inputs[0]}))};
}
std::vector<Value> ExpGrad(GradContext& c) { return {Mul(c, c.output_grads[0], c.outputs[0])}; }
std::vector<Value> LogGrad(GradContext& c) { return {c.builder.Add1("RealDiv", {c.output_grads[0], c.inputs[0]})}; }
std::vector<Value> SquaredDifferenceGrad(GradContext& c) {
  const Value difference = c.builder.Add1("Sub", {c.inputs[0], c.inputs[1]});
  const Value x = Mul(c, Mul(c, Number(c, 2, difference), c.output_grads[0]), difference);
  return {SumTo(c, x, c.inputs[0]), SumTo(c, Neg(c, x), c.inputs[1])};
}
// An op with a gradient kernel that takes the output and its gradient.
GradFn OfOutput(const char* op) {
  return [op](GradContext& c) { return std::vector<Value>{c.builder.Add1(op, {c.outputs[0], c.output_grads[0]})}; };
}
// One that takes the gradient and the op's input.
GradFn OfInput(const char* op) {
  return [op](GradContext& c) { return std::vector<Value>{c.builder.Add1(op, {c.output_grads[0], c.inputs[0]})}; };
}
std::vector<Value> ReluGrad(GradContext& c) { return {c.builder.Add1("ReluGrad", {c.output_grads[0], c.outputs[0]})}; }
std::vector<Value> AddNGrad(GradContext& c) { return std::vector<Value>(c.inputs.size(), c.output_grads[0]); }
std::vector<Value> L2LossGrad(GradContext& c) { return {Mul(c, c.inputs[0], c.output_grads[0])}; }
std::vector<Value> ReshapeGrad(GradContext& c) {
  std::vector<Value> grads(c.inputs.size());
  grads[0] = Reshape(c, c.output_grads[0], c.inputs[0].shape().Require());
  return grads;
}
std::vector<Value> CastGrad(GradContext& c) {
  if (!IsFloating(c.inputs[0].dtype())) return {Value()};
  return {c.builder.Add1("Cast", {c.output_grads[0]}, {{"DstT", c.inputs[0].dtype()}})};
}
std::vector<Value> BiasAddGrad(GradContext& c) {
  return {c.output_grads[0], c.builder.Add1("BiasAddGrad", {c.output_grads[0]},
                                            {{"data_format", c.attrs.Get<std::string>("data_format")}})};
}
std::vector<Value> MatMulGrad(GradContext& c) {
  const bool ta = c.attrs.Get<bool>("transpose_a"), tb = c.attrs.Get<bool>("transpose_b");
  const Value &a = c.inputs[0], &b = c.inputs[1], &g = c.output_grads[0];
  const auto product = [&](const Value& x, const Value& y, bool tx, bool ty) {
    return c.builder.Add1("MatMul", {x, y}, {{"transpose_a", tx}, {"transpose_b", ty}});
  };
  if (!ta && !tb) return {product(g, b, false, true), product(a, g, true, false)};
  if (!ta) return {product(g, b, false, false), product(g, a, true, false)};
  if (!tb) return {product(b, g, false, true), product(a, g, false, false)};
  return {product(b, g, true, true), product(g, a, true, true)};
}
// The gradient spread back over the reduced axes.
Value Spread(GradContext& c) {
  const Shape shape = c.inputs[0].shape().Require();
  std::vector<std::int64_t> kept = shape.vector();
  for (std::int64_t axis : c.inputs[1].array().AsInt64Vector())
    kept[static_cast<std::size_t>(axis < 0 ? axis + shape.rank() : axis)] = 1;
  const Value column = Reshape(c, c.output_grads[0], Shape(kept));
  return c.builder.Add1("BroadcastTo", {column, Ints(shape.vector())});
}
std::vector<Value> SumGrad(GradContext& c) { return {Spread(c), Value()}; }
std::vector<Value> MeanGrad(GradContext& c) {
  const double factor = static_cast<double>(c.inputs[0].shape().Require().num_elements()) /
                        static_cast<double>(std::max<std::int64_t>(1, c.outputs[0].shape().Require().num_elements()));
  const Value spread = Spread(c);
  return {c.builder.Add1("RealDiv", {spread, Number(c, factor, spread)}), Value()};
}
std::vector<Value> SelectGrad(GradContext& c) {
  const Value zeros = c.builder.Add1("ZerosLike", {c.output_grads[0]});
  return {Value(), SumTo(c, c.builder.Add1("SelectV2", {c.inputs[0], c.output_grads[0], zeros}), c.inputs[1]),
          SumTo(c, c.builder.Add1("SelectV2", {c.inputs[0], zeros, c.output_grads[0]}), c.inputs[2])};
}
std::vector<Value> SoftmaxGrad(GradContext& c) {
  const Value &y = c.outputs[0], &g = c.output_grads[0];
  const Value sum = c.builder.Add1("Sum", {Mul(c, g, y), Ints({y.shape().rank() - 1})}, {{"keep_dims", true}});
  return {Mul(c, c.builder.Add1("Sub", {g, sum}), y)};
}
std::vector<Value> Conv2DGrad(GradContext& c) {
  AttrMap attrs;
  for (const char* name : {"strides", "padding", "explicit_paddings", "data_format", "dilations"})
    if (const AttrValue* value = c.attrs.Find(name)) attrs.Set(name, *value);
  const Value &x = c.inputs[0], &w = c.inputs[1], &g = c.output_grads[0];
  return {c.builder.Add1("Conv2DBackpropInput", {Ints(x.shape().Require().vector()), w, g}, attrs),
          c.builder.Add1("Conv2DBackpropFilter", {x, Ints(w.shape().Require().vector()), g}, attrs)};
}
AttrMap PoolAttrs(GradContext& c) {
  AttrMap attrs;
  for (const char* name : {"ksize", "strides", "padding", "data_format"})
    if (const AttrValue* value = c.attrs.Find(name)) attrs.Set(name, *value);
  return attrs;
}
std::vector<Value> MaxPoolGrad(GradContext& c) {
  return {c.builder.Add1("MaxPoolGrad", {c.inputs[0], c.outputs[0], c.output_grads[0]}, PoolAttrs(c))};
}
std::vector<Value> AvgPoolGrad(GradContext& c) {
  return {
      c.builder.Add1("AvgPoolGrad", {Ints(c.inputs[0].shape().Require().vector()), c.output_grads[0]}, PoolAttrs(c))};
}

}  // namespace

void RegisterGradientFunctions(OpRegistry& r) {
  for (const char* op : {"Identity", "Snapshot"}) r.SetGradient(op, Pass);
  for (const char* op : {"Add", "AddV2"}) r.SetGradient(op, AddGrad);
  for (const char* op : {"Reshape", "Squeeze", "ExpandDims"}) r.SetGradient(op, ReshapeGrad);
  r.SetGradient("Sub", SubGrad);
  r.SetGradient("Mul", MulGrad);
  r.SetGradient("RealDiv", DivGrad);
  r.SetGradient("Neg", NegGrad);
  r.SetGradient("Square", SquareGrad);
  r.SetGradient("SquaredDifference", SquaredDifferenceGrad);
  r.SetGradient("Abs", AbsGrad);
  r.SetGradient("Exp", ExpGrad);
  r.SetGradient("Log", LogGrad);
  r.SetGradient("Sqrt", OfOutput("SqrtGrad"));
  r.SetGradient("Rsqrt", OfOutput("RsqrtGrad"));
  r.SetGradient("Sigmoid", OfOutput("SigmoidGrad"));
  r.SetGradient("Tanh", OfOutput("TanhGrad"));
  r.SetGradient("Relu", ReluGrad);
  r.SetGradient("Relu6", OfInput("Relu6Grad"));
  r.SetGradient("Softplus", OfInput("SoftplusGrad"));
  r.SetGradient("AddN", AddNGrad);
  r.SetGradient("L2Loss", L2LossGrad);
  r.SetGradient("Cast", CastGrad);
  r.SetGradient("BiasAdd", BiasAddGrad);
  r.SetGradient("MatMul", MatMulGrad);
  r.SetGradient("Sum", SumGrad);
  r.SetGradient("Mean", MeanGrad);
  r.SetGradient("SelectV2", SelectGrad);
  r.SetGradient("Softmax", SoftmaxGrad);
  r.SetGradient("Conv2D", Conv2DGrad);
  r.SetGradient("MaxPool", MaxPoolGrad);
  r.SetGradient("AvgPool", AvgPoolGrad);
}
}  // namespace equiv::ops
