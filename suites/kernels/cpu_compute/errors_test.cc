// What bad shapes and attributes say, while a graph is built and when a kernel meets them first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {
namespace {
using testing::AllOf;
using testing::HasSubstr;

const DType kF = DType::kFloat32, kI = DType::kInt32;

AttrMap Conv(const std::string& padding, Ints strides = {1, 1, 1, 1}) {
  return {{"strides", std::move(strides)}, {"padding", padding}};
}
AttrMap With(AttrMap attrs, const char* name, AttrValue value) {
  attrs.Set(name, std::move(value));
  return attrs;
}
AttrMap Window(const std::string& padding, Ints ksize = {1, 3, 3, 1}) {
  return {{"ksize", std::move(ksize)}, {"strides", Ints{1, 1, 1, 1}}, {"padding", padding}};
}

// The text must be the same from the shape function and from the kernel.
std::string Both(const std::string& op, const std::vector<Shape>& shapes, const AttrMap& attrs) {
  std::vector<PartialShape> partial(shapes.begin(), shapes.end());
  std::vector<Array> arrays;
  for (const Shape& s : shapes) arrays.push_back(Array(kF, s));
  const std::string graph = Refused([&] { Infer(op, partial, attrs, std::vector<DType>(shapes.size(), kF)); });
  const std::string kernel = Refused([&] { RunOp(op, arrays, attrs, 1, false); });
  EXPECT_EQ(graph, kernel);
  return graph;
}

TEST(Errors, AWindowLargerThanTheImage) {
  EXPECT_THAT(
      Both("Conv2D", {{1, 2, 2, 1}, {3, 3, 1, 1}}, Conv("VALID")),
      AllOf(HasSubstr("[Conv2D] 'node': "), HasSubstr("Negative dimension size caused by subtracting 3 from 2")));
  EXPECT_THAT(Both("MaxPool", {{1, 2, 2, 1}}, Window("VALID")),
              HasSubstr("Negative dimension size caused by subtracting 3 from 2"));
  EXPECT_THAT(Both("AvgPool", {{1, 2, 2, 1}}, Window("VALID")),
              HasSubstr("Negative dimension size caused by subtracting 3 from 2"));
  EXPECT_THAT(Both("DepthwiseConv2dNative", {{1, 2, 2, 1}, {3, 3, 1, 1}}, Conv("VALID")),
              HasSubstr("Negative dimension size caused by subtracting 3 from 2"));
  // With dilation 2 the filter reaches over five cells.
  EXPECT_THAT(Both("Conv2D", {{1, 4, 4, 1}, {3, 3, 1, 1}}, With(Conv("VALID"), "dilations", Ints{1, 2, 2, 1})),
              HasSubstr("Negative dimension size caused by subtracting 5 from 4"));
}

TEST(Errors, ConvolutionDepths) {
  EXPECT_THAT(Both("Conv2D", {{1, 4, 4, 3}, {1, 1, 2, 4}}, Conv("SAME")),
              AllOf(HasSubstr("Depth of input (3) is not a multiple of input depth of filter (2)"),
                    HasSubstr("input depth must be evenly divisible by filter depth: 3 vs 2")));
  EXPECT_THAT(Both("Conv2D", {{1, 4, 4, 0}, {1, 1, 2, 4}}, Conv("SAME")),
              HasSubstr("input depth must be evenly divisible by filter depth: 0 vs 2"));
  EXPECT_THAT(Both("Conv2D", {{1, 4, 4, 4}, {1, 1, 2, 3}}, Conv("SAME")),
              HasSubstr("Depth of output (3) is not a multiple of the number of groups (2)"));
  EXPECT_THAT(Both("DepthwiseConv2dNative", {{1, 4, 4, 3}, {1, 1, 2, 1}}, Conv("SAME")),
              HasSubstr("Dimensions must be equal, but are 3 and 2"));
}

TEST(Errors, ConvolutionAttributes) {
  const std::vector<Shape> shapes{{1, 4, 4, 3}, {1, 1, 3, 2}};
  EXPECT_THAT(Both("Conv2D", shapes, Conv("SAME", {1, 1, 1})),
              HasSubstr("Conv2D requires the stride attribute to contain 4 values, but got: 3"));
  EXPECT_THAT(Both("Conv2D", shapes, Conv("SAME", {1, 0, 1, 1})), HasSubstr("Stride must be > 0, but got 0"));
  EXPECT_THAT(Both("Conv2D", shapes, Conv("SAME", {2, 1, 1, 1})), HasSubstr("strides in the batch and depth"));
  EXPECT_THAT(Both("Conv2D", shapes, With(Conv("SAME"), "dilations", Ints{1, 0, 1, 1})),
              HasSubstr("Dilation rate must be >= 1, but got 0"));
  EXPECT_THAT(Both("Conv2D", shapes, With(Conv("SAME"), "explicit_paddings", Ints{0, 0, 1, 1, 1, 1, 0, 0})),
              HasSubstr("explicit_paddings attribute must be empty"));
  EXPECT_THAT(Both("Conv2D", shapes, With(Conv("EXPLICIT"), "explicit_paddings", Ints{1, 1})),
              HasSubstr("explicit_paddings attribute must contain 8 values, but got: 2"));
  EXPECT_THAT(Both("Conv2D", shapes, With(Conv("EXPLICIT"), "explicit_paddings", Ints{0, 0, -1, 0, 0, 0, 0, 0})),
              HasSubstr("must be nonnegative"));
  EXPECT_THAT(Refused<ValueError>([&] {
                Infer("Conv2D", {shapes[0], shapes[1]}, Conv("HALF"), {kF, kF});
              }),
              HasSubstr("attribute 'padding' must be one of"));
  EXPECT_THAT(Refused([&] {
                Infer("Conv2D", {Shape{4, 4, 3}, shapes[1]}, Conv("SAME"), {kF, kF});
              }),
              HasSubstr("Shape must be rank 4 but is rank 3"));
}

TEST(Errors, MatrixProducts) {
  EXPECT_THAT(Both("MatMul", {{2, 3}, {2, 3}}, {}),
              AllOf(HasSubstr("Dimensions must be equal, but are 3 and 2"),
                    HasSubstr("Matrix size-incompatible: In[0]: [2,3], In[1]: [2,3]")));
  EXPECT_THAT(Both("BatchMatMulV2", {{2, 3, 4}, {3, 4, 2}}, {}), HasSubstr("Batch dimensions must broadcast"));
  EXPECT_THAT(Refused([] {
                Infer("MatMul", {Shape{2, 3, 4}, Shape{4, 2}}, {}, {kF, kF});
              }),
              HasSubstr("Shape must be rank 2 but is rank 3"));
  EXPECT_THAT(Refused([] {
                RunOp("MatMul", {Array(kF, Shape{3}), Array(kF, Shape{3, 2})}, {}, 1, false);
              }),
              HasSubstr("In[0] is not a matrix"));
  EXPECT_THAT(Refused([] {
                Infer("MatMul", {Shape{2, 3}, Shape{3, 3}}, {}, {kF, kI});
              }),
              HasSubstr("cannot compute MatMul as input #1(zero-based) was expected to be a float32 tensor but is a "
                        "int32 tensor"));
}

TEST(Errors, BiasAndBatchNormLengths) {
  EXPECT_THAT(Refused([] {
                Infer("BiasAdd", {Shape{2, 3}, Shape{4}}, {}, {kF, kF});
              }),
              HasSubstr("Dimensions must be equal, but are 3 and 4"));
  EXPECT_THAT(Refused([] {
                RunOp("BiasAdd", {Array(kF, Shape{2, 3}), Array(kF, Shape{4})}, {}, 1, false);
              }),
              HasSubstr("Must provide as many biases as the last dimension of the input tensor: [4] vs. [2,3]"));
  EXPECT_THAT(Refused([] {
                Infer("FusedBatchNormV3", {Shape{1, 2, 2, 3}, Shape{4}, Shape{3}, Shape{0}, Shape{0}}, {},
                      {kF, kF, kF, kF, kF});
              }),
              HasSubstr("scale must have the same number of elements as the channels of x, got 4 and 3"));
  EXPECT_THAT(Refused([] {
                RunOp("FusedBatchNormV3",
                      {Array(kF, Shape{1, 2, 2, 3}), Array(kF, Shape{3}), Array(kF, Shape{3}), Array(kF, Shape{0}),
                       Array(kF, Shape{0})},
                      {{"is_training", false}}, 1, false);
              }),
              HasSubstr("mean must have the same number of elements as the channels of x, got 0 and 3"));
}

TEST(Errors, ReductionAxes) {
  const auto message = [](std::vector<std::int32_t> axes, bool check) {
    return Refused([&] { RunOp("Sum", {Array::Full<float>(Shape{2, 3}, 1.0F), Axes(axes)}, {}, 1, check); });
  };
  for (bool check : {true, false}) {
    EXPECT_THAT(message({2}, check), HasSubstr("Invalid reduction dimension 2 for input with 2 dimensions"));
    EXPECT_THAT(message({-3}, check), HasSubstr("Invalid reduction dimension -3"));
    EXPECT_THAT(message({1, -1}, check), HasSubstr("Axes contains duplicate dimension"));
  }
  EXPECT_THAT(Refused<TypeError>([] {
                RunOp("Sum", {Array(DType::kBool, Shape{2}), Axes({0})});
              }),
              HasSubstr("not in list of allowed values"));
  EXPECT_THAT(Refused([] { RunOp("Softmax", {Array::Scalar(1.0F)}); }), HasSubstr("at least rank 1"));
}

TEST(Shapes, AreInferredAsFarAsKnown) {
  const PartialShape unknown;
  EXPECT_EQ(
      Infer("Conv2D", {PartialShape{-1, -1, 7, 3}, PartialShape{3, 3, 3, 8}}, Conv("VALID", {1, 2, 2, 1}), {kF, kF})[0],
      (PartialShape{-1, -1, 3, 8}));
  EXPECT_EQ(Infer("Conv2D", {unknown, unknown}, Conv("SAME"), {kF, kF})[0], (PartialShape{-1, -1, -1, -1}));
  EXPECT_EQ(Infer("Conv2D", {PartialShape{2, 5, 5, 1}, PartialShape{-1, 3, 1, 4}}, Conv("SAME"), {kF, kF})[0],
            (PartialShape{2, 5, 5, 4}));
  EXPECT_EQ(Infer("MatMul", {PartialShape{-1, 3}, unknown}, {}, {kF, kF})[0], (PartialShape{-1, -1}));
  EXPECT_EQ(Infer("MatMul", {PartialShape{-1, 3}, PartialShape{7, 3}}, {{"transpose_b", true}}, {kF, kF})[0],
            (PartialShape{-1, 7}));
  EXPECT_EQ(Infer("BatchMatMulV2", {PartialShape{5, 1, 2, 3}, PartialShape{4, 3, 6}}, {}, {kF, kF})[0],
            (PartialShape{5, 4, 2, 6}));
  EXPECT_EQ(Infer("MaxPool", {PartialShape{-1, 8, 9, 4}}, Window("SAME"), {kF})[0], (PartialShape{-1, 8, 9, 4}));
  const auto sum = [&](PartialShape shape, const Array* axes, bool keep) {
    return Infer("Sum", {std::move(shape), PartialShape{-1}}, {{"keep_dims", keep}}, {kF, kI}, {nullptr, axes})[0];
  };
  const Array axes = Axes({1, -1});
  EXPECT_EQ(sum(PartialShape{-1, 3, 4}, &axes, false), (PartialShape{-1}));
  EXPECT_EQ(sum(PartialShape{-1, 3, 4}, &axes, true), (PartialShape{-1, 1, 1}));
  EXPECT_EQ(sum(PartialShape{2, 3}, nullptr, true), (PartialShape{-1, -1}));
  EXPECT_EQ(sum(PartialShape{2, 3}, nullptr, false), unknown);
  EXPECT_EQ(sum(unknown, &axes, true), unknown);
  const auto norm = Infer("FusedBatchNormV3", {PartialShape{-1, 4, 4, -1}, Shape{6}, unknown, unknown, unknown}, {},
                          {kF, kF, kF, kF, kF});
  EXPECT_EQ(norm[0], (PartialShape{-1, 4, 4, 6}));
  EXPECT_EQ(norm[4], (PartialShape{6}));
}

}  // namespace
}  // namespace equiv::test
