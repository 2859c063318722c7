// Steps of optimisers: what they refuse, that a refused step changes nothing, and that readers keep what they read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {
namespace {
using testing::AllOf;
using testing::HasSubstr;

Array VariableOf(const Array& value, const char* name = "v") {
  auto variable = std::make_shared<Variable>(name, value.dtype(), value.shape());
  variable->Assign(value, "test");
  return Array::Resource(std::move(variable));
}
Array Read(const Array& handle) { return handle.variable()->Read("test"); }
Array Floats(const Shape& shape) { return RandomArray<float>(shape, 1); }
Array Scalar(float v) { return Array::Scalar(v); }
template <class E = InvalidArgumentError>
std::string Refused(const std::string& op, const std::vector<Array>& inputs, const AttrMap& attrs = {}) {
  return test::Refused<E>([&] { RunOp(op, inputs, attrs, 1, false); });
}

TEST(Optimizers, RefusalsNameWhatTheyGot) {
  const Array var = VariableOf(Floats({2, 3})), accum = VariableOf(Floats({2, 3})), other = VariableOf(Floats({3}));
  const Array grad = Floats({2, 3}), vector = Floats({1});
  EXPECT_THAT(Refused("ResourceApplyMomentum", {var, accum, vector, grad, Scalar(0)}),
              AllOf(HasSubstr("[ResourceApplyMomentum] 'node': "), HasSubstr("lr is not a scalar: [1]")));
  EXPECT_THAT(Refused("ResourceApplyMomentum", {var, other, Scalar(1), grad, Scalar(0)}),
              HasSubstr("var and accum do not have the same shape[2,3] [3]"));
  EXPECT_THAT(Refused("ResourceApplyMomentum", {var, accum, Scalar(1), vector, Scalar(0)}),
              HasSubstr("var and grad do not have the same shape[2,3] [1]"));
  EXPECT_THAT(Refused("ApplyGradientDescent", {var, Scalar(1), vector}),
              HasSubstr("var and delta do not have the same shape[2,3] [1]"));
  EXPECT_THAT(
      Refused("ResourceApplyMomentum", {VariableOf(RandomArray<double>({2, 3}, 1)), accum, Scalar(1), grad, Scalar(0)}),
      HasSubstr("variable 'v' holds float64, expected float32"));
  EXPECT_THAT(Refused("ResourceApplyProximalAdagrad", {var, accum, Scalar(0), Scalar(0), Scalar(0), grad}),
              HasSubstr("lr is not a positive scalar: []"));
  EXPECT_THAT(Refused("ResourceApplyProximalAdagrad", {var, accum, Scalar(1), Scalar(-1), Scalar(0), grad}),
              HasSubstr("l1 is not a non-negative scalar: []"));
  const Array empty = Array::Resource(std::make_shared<Variable>("empty", DType::kFloat32, Shape{2, 3}));
  EXPECT_THAT(Refused<FailedPreconditionError>("ApplyMomentum", {var, empty, Scalar(1), grad, Scalar(0)}),
              HasSubstr("Attempting to use uninitialized value empty"));
}

TEST(Optimizers, RowsOutOfRangeChangeNothing) {
  const Array start = Floats({3, 2}), rows = Floats({2, 2});
  const Array var = VariableOf(start), accum = VariableOf(start);
  const auto refused = [&](const Array& grad, const Array& indices) {
    return Refused("ResourceSparseApplyMomentum", {var, accum, Scalar(1), grad, indices, Scalar(0)});
  };
  EXPECT_THAT(refused(rows, Axes({0, 3})), HasSubstr("Index 3 at offset 1 in indices is out of range"));
  EXPECT_THAT(refused(rows, Axes({-1, 0})), HasSubstr("Index -1 at offset 0 in indices is out of range"));
  EXPECT_THAT(refused(rows, Axes({0})), HasSubstr("grad must be the same size as indices in the first dimension"));
  EXPECT_THAT(refused(Floats({2, 1}), Axes({0, 1})), HasSubstr("var and grad must match in dimension 1"));
  EXPECT_THAT(refused(Floats({2}), Axes({0, 1})), HasSubstr("grad must have the rank of var"));
  EXPECT_THAT(refused(rows, Axes({0, 1}).Reshaped({2, 1})), HasSubstr("indices must be one-dimensional"));
  EXPECT_TRUE(BitwiseEqual(Read(var), start));
  EXPECT_TRUE(BitwiseEqual(Read(accum), start));
  const Array scalar = VariableOf(Scalar(1));
  EXPECT_THAT(Refused("ResourceSparseApplyAdagrad", {scalar, scalar, Scalar(1), Scalar(1), Axes({0})}),
              HasSubstr("var must be at least 1 dimensional"));
  const Array none = VariableOf(Floats({3, 0}));
  EXPECT_THAT(Refused("ResourceSparseApplyAdagrad", {none, none, Scalar(1), Floats({1, 0}), Axes({0})}),
              HasSubstr("Inner dimension should be greater than zero"));
}

TEST(Optimizers, AReferenceOpHandsItsVariableOn) {
  const Array var = VariableOf(Floats({3})), before = Read(var), kept = before.Copy();
  const Array out = RunOp("ApplyGradientDescent", {var, Scalar(1), Floats({3})})[0];
  EXPECT_EQ(out.variable(), var.variable());
  EXPECT_TRUE(BitwiseEqual(before, kept)) << "a reader's value changed under it";
  EXPECT_FALSE(BitwiseEqual(Read(var), kept));
  EXPECT_TRUE(RunOp("ResourceApplyGradientDescent", {var, Scalar(1), Floats({3})}).empty());
}

// Long enough for several blocks of work.
TEST(Optimizers, TheNumberOfThreadsLeavesNoTrace) {
  const Array start = Floats({7, 9001}), grad = RandomArray<float>({7, 9001}, 2),
              slot = RandomArray<float>({7, 9001}, 3);
  std::vector<Array> dense, sparse;
  for (int threads : {1, 2, 5}) {
    const Array var = VariableOf(start), accum = VariableOf(slot);
    RunOp("ResourceApplyMomentum", {var, accum, Scalar(0.1F), grad, Scalar(0.9F)}, {{"use_nesterov", true}}, threads);
    dense.push_back(Read(var));
    RunOp("ResourceSparseApplyMomentum",
          {var, accum, Scalar(0.1F), RandomArray<float>({3, 9001}, 4), Axes({6, 2, 6}), Scalar(0.9F)}, {}, threads);
    sparse.push_back(Read(var));
  }
  for (std::size_t i : {1U, 2U}) {
    EXPECT_TRUE(BitwiseEqual(dense[0], dense[i]));
    EXPECT_TRUE(BitwiseEqual(sparse[0], sparse[i]));
  }
}

TEST(Optimizers, GraphsCheckShapesTheyKnow) {
  const DType f = DType::kFloat32;
  const auto infer = [&](const std::vector<PartialShape>& shapes) {
    return Infer("ApplyMomentum", shapes, {}, {f, f, f, f, f});
  };
  EXPECT_EQ(infer({Shape{2}, Shape{2}, Shape{}, PartialShape{-1}, Shape{}})[0], Shape{2});
  EXPECT_NO_THROW(infer({{}, {}, Shape{}, Shape{2}, {}}));
  EXPECT_THROW(infer({Shape{2}, Shape{3}, Shape{}, Shape{2}, Shape{}}), InvalidArgumentError);
  EXPECT_THROW(infer({Shape{2}, Shape{2}, Shape{}, Shape{4}, Shape{}}), InvalidArgumentError);
  EXPECT_THROW(infer({Shape{2}, Shape{2}, Shape{1}, Shape{2}, Shape{}}), InvalidArgumentError);
}
}  // namespace
}  // namespace equiv::test
