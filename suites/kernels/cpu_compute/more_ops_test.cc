// Ops that slice, index and differentiate: what they refuse, what graphs know of their shapes, and large work in parts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {
namespace {
using testing::HasSubstr;
const DType kF = DType::kFloat32, kI = DType::kInt32;

Array Floats(const Shape& shape) { return RandomArray<float>(shape, 1); }
Array Int(std::int32_t v) { return Array::Scalar(v); }
// What the kernel says, and what the shape function says if it sees the values.
void ExpectRefused(const std::string& op, const std::vector<Array>& inputs, const AttrMap& attrs,
                   const std::string& text, bool by_shape = true) {
  EXPECT_THAT(Refused([&] { RunOp(op, inputs, attrs, 1, false); }), HasSubstr(text)) << op;
  if (by_shape) {
    EXPECT_NE(Refused([&] { RunOp(op, inputs, attrs); }), "nothing thrown") << op;
  }
}
PartialShape Inferred(const std::string& op, const std::vector<PartialShape>& shapes, const AttrMap& attrs,
                      const std::vector<DType>& types, const std::vector<const Array*>& constants = {}) {
  return Infer(op, shapes, attrs, types, constants).at(0);
}
AttrMap Conv(Ints strides = {1, 1, 1, 1}) {
  return {{"strides", std::move(strides)}, {"padding", std::string("SAME")}};
}

TEST(MoreOps, RefusalsNameWhatTheyGot) {
  const Array x = Floats({3, 4});
  ExpectRefused("GatherV2", {x, Axes({0, 7}), Int(1)}, {}, "indices[1] = 7 is not in [0, 4)", false);
  ExpectRefused("GatherNd", {x, Axes({0, 7}).Reshaped({1, 2})}, {}, "[0, 7] does not index into param shape [3,4]",
                false);
  ExpectRefused("Split", {Int(1), x}, {{"num_split", std::int64_t{3}}}, "evenly divide the split dimension");
  ExpectRefused("SplitV", {x, Axes({1, 2}), Int(1)}, {{"num_split", std::int64_t{2}}}, "[1,2] must add up");
  ExpectRefused("Slice", {x, Axes({0, 7}), Axes({1, 1})}, {}, "Expected begin[1] in [0, 4], but got 7");
  ExpectRefused("Slice", {x, Axes({0, 2}), Axes({1, 3})}, {}, "Expected size[1] in [0, 2], but got 3");
  const Array zero = Axes({0}), one = Axes({1}), nine = Axes({9});
  ExpectRefused("StridedSlice", {x, nine, nine, one}, {{"shrink_axis_mask", std::int64_t{1}}},
                "slice index 9 of dimension 0 out of bounds");
  ExpectRefused("StridedSlice", {x, zero, one, zero}, {}, "strides[0] must be non-zero");
  ExpectRefused("StridedSlice", {x, Axes({0, 0, 0}), Axes({1, 1, 1}), Axes({1, 1, 1})}, {}, "input has only 2 dims");
  ExpectRefused("Tile", {x, Axes({2, -1})}, {}, "Expected multiples[1] >= 0, but got -1");
  ExpectRefused("Pack", {x, Floats({3, 5})}, {}, "values[0].shape = [3,4] != values[1].shape = [3,5]");
  ExpectRefused("BroadcastTo", {x, Axes({3, 5})}, {}, "Incompatible shapes: [3,4] vs. [3,5]");
  ExpectRefused("ArgMax", {x, Int(2)}, {}, "axis 2 is out of range [-2, 2)");
  ExpectRefused("TopKV2", {x, Int(5)}, {}, "Had 4, needed 5");
  ExpectRefused("Range", {Int(1), Int(0), Int(1)}, {}, "Requires start <= limit when delta > 0: 1/0");
  ExpectRefused("Range", {Int(0), Int(1), Int(0)}, {}, "Requires delta != 0");
  ExpectRefused("FloorDiv", {Int(1), Int(0)}, {}, "Integer division by zero", false);
  ExpectRefused("ReluGrad", {x, Floats({4, 3})}, {}, "[3,4] != input 1: [4,3]");
  ExpectRefused("SparseSoftmaxCrossEntropyWithLogits", {x, Axes({0, 4, 1})}, {},
                "label value of 4 which is outside the valid range of [0, 4)", false);
  const Array image = Floats({1, 4, 4, 2});
  ExpectRefused("ResizeBilinear", {image, Axes({0, 3})}, {}, "output dimensions must be positive, got 0 and 3");
  ExpectRefused("SpaceToDepth", {image}, {{"block_size", std::int64_t{3}}}, "divisible by block_size: 3");
  ExpectRefused("Conv2DBackpropInput", {Axes({1, 9, 4, 2}), Floats({3, 3, 2, 5}), Floats({1, 4, 4, 5})}, Conv(),
                "actual = [1,4,4,5], computed = [1,9,4,5]");
  ExpectRefused("Conv3D", {Floats({1, 3, 3, 3, 3}), Floats({1, 1, 1, 2, 4})}, Conv({1, 1, 1, 1, 1}),
                "evenly divisible by filter depth: 3 vs 2");
}

TEST(MoreOps, ShapesOfGraphsFromWhatIsKnown) {
  const PartialShape unknown{-1, 8, 8, 3}, filter{3, 3, 3, 5}, grad{-1, 8, 8, 5};
  const Array sizes = Axes({2, 8, 8, 3});
  const std::vector<DType> types{kI, kF, kF};
  EXPECT_EQ(Inferred("Conv2DBackpropInput", {{4}, filter, grad}, Conv(), types, {&sizes}), (PartialShape{2, 8, 8, 3}));
  EXPECT_EQ(Inferred("Conv2DBackpropInput", {{4}, filter, grad}, Conv(), types), PartialShape::UnknownOfRank(4));
  const Array begin = Axes({0, 1}), end = Axes({0, 7}), ones = Axes({1, 1});
  const std::vector<DType> slice{kF, kI, kI, kI};
  EXPECT_EQ(
      Inferred("StridedSlice", {unknown, {2}, {2}, {2}},
               {{"begin_mask", std::int64_t{1}}, {"end_mask", std::int64_t{1}}}, slice, {nullptr, &begin, &end, &ones}),
      (PartialShape{-1, 6, 8, 3}));
  EXPECT_EQ(Inferred("StridedSlice", {unknown, {2}, {2}, {2}}, {{"shrink_axis_mask", std::int64_t{1}}}, slice),
            (PartialShape{-1, 8, 3}));
  EXPECT_EQ(Inferred("Pack", {{-1, 3}, {2, -1}}, {{"axis", std::int64_t{1}}}, {kF, kF}), (PartialShape{2, 2, 3}));
  const Array axis = Int(2);
  EXPECT_EQ(Inferred("GatherV2", {unknown, {-1, 4}, {}}, {}, {kF, kI, kI}, {nullptr, nullptr, &axis}),
            (PartialShape{-1, 8, -1, 4, 3}));
  const Array size = Axes({-1, 4, 4, 3}), from = Axes({0, 2, 2, 0});
  EXPECT_EQ(Inferred("Slice", {unknown, {4}, {4}}, {}, {kF, kI, kI}, {nullptr, &from, &size}),
            (PartialShape{-1, 4, 4, 3}));
  EXPECT_EQ(Inferred("Range", {{}, {}, {}}, {}, {kI, kI, kI}), (PartialShape{-1}));
  EXPECT_EQ(Inferred("PlaceholderWithDefault", {{2, 3}}, {{"shape", PartialShape{-1, 3}}}, {kF}),
            (PartialShape{-1, 3}));
}

// The product behind the input gradient is made in parts when it is large; the parts leave no trace.
TEST(MoreOps, TheInputGradientOfManyImagesIsThatOfEach) {
  const std::int64_t n = 4, depth = 64;
  const Shape image{n, 72, 72, depth};
  const Array filter = Floats({3, 3, depth, 6}), grad = RandomArray<float>({n, 72, 72, 6}, 5);
  const auto run = [&](const Shape& shape, const Array& g, int threads) {
    const std::vector<std::int64_t> dims = shape.vector();
    return RunOp("Conv2DBackpropInput", {Axes({dims.begin(), dims.end()}), filter, g}, Conv(), threads)[0];
  };
  const Array all = run(image, grad, 3);
  for (std::int64_t i = 0; i < n; ++i) {
    const Array index = Axes({static_cast<std::int32_t>(i)});
    const Array one = run({1, 72, 72, depth}, RunOp("GatherV2", {grad, index, Int(0)})[0], 1);
    EXPECT_TRUE(BitwiseEqual(one, RunOp("GatherV2", {all, index, Int(0)})[0])) << "image " << i;
  }
}

// <g, D x> = <D' g, x>, and the same for the filter: TensorFlow's own op leaves dilations out.
TEST(MoreOps, GradientsOfADilatedDepthwiseConvolution) {
  AttrMap attrs = Conv();
  attrs.Set("dilations", Ints{1, 2, 2, 1});
  const Array x = RandomArray<double>({2, 7, 6, 3}, 1), f = RandomArray<double>({3, 2, 3, 2}, 2);
  const Array y = RunOp("DepthwiseConv2dNative", {x, f}, attrs)[0], g = RandomArray<double>(y.shape(), 3);
  const auto dot = [](const Array& a, const Array& b) {
    double sum = 0;
    for (std::int64_t i = 0; i < a.num_elements(); ++i) sum += a.ElementAsDouble(i) * b.ElementAsDouble(i);
    return sum;
  };
  const Array dx = RunOp("DepthwiseConv2dNativeBackpropInput", {Axes({2, 7, 6, 3}), f, g}, attrs)[0];
  const Array df = RunOp("DepthwiseConv2dNativeBackpropFilter", {x, Axes({3, 2, 3, 2}), g}, attrs)[0];
  EXPECT_NEAR(dot(g, y), dot(dx, x), 1e-12);
  EXPECT_NEAR(dot(g, y), dot(df, f), 1e-12);
}

// A depthwise filter is one of as many groups as there are channels, with dilation and explicit padding alike.
TEST(MoreOps, ADepthwiseConvolutionIsAGroupedOne) {
  const Array x = RandomArray<double>({2, 9, 8, 3}, 1), f = RandomArray<double>({3, 2, 3, 2}, 2);
  AttrMap dilated = Conv(), padded = Conv({1, 2, 2, 1});
  dilated.Set("dilations", Ints{1, 2, 3, 1});
  padded.Set("padding", std::string("EXPLICIT"));
  padded.Set("explicit_paddings", Ints{0, 0, 1, 2, 0, 1, 0, 0});
  for (const AttrMap& attrs : {dilated, padded}) {
    const Array a = RunOp("DepthwiseConv2dNative", {x, f}, attrs)[0];
    const Array b = RunOp("Conv2D", {x, f.Reshaped({3, 2, 1, 6})}, attrs)[0];
    ASSERT_EQ(a.shape(), b.shape());
    for (std::int64_t i = 0; i < a.num_elements(); ++i) EXPECT_NEAR(a.ElementAsDouble(i), b.ElementAsDouble(i), 1e-13);
  }
}

TEST(MoreOps, NothingInGivesNothingOrZeros) {
  const Array none = Floats({0, 4, 4, 3}), filter = Floats({3, 3, 3, 5}), grad = Floats({0, 4, 4, 5});
  EXPECT_EQ(RunOp("Conv2DBackpropInput", {Axes({0, 4, 4, 3}), filter, grad}, Conv())[0].num_elements(), 0);
  EXPECT_TRUE(BitwiseEqual(RunOp("Conv2DBackpropFilter", {none, Axes({3, 3, 3, 5}), grad}, Conv())[0],
                           Array::Full(filter.shape(), 0.0F)));
  EXPECT_TRUE(BitwiseEqual(RunOp("BiasAddGrad", {grad})[0], Array::Full(Shape{5}, 0.0F)));
  EXPECT_EQ(RunOp("GatherV2", {filter, Axes({}), Int(0)})[0].shape(), (Shape{0, 3, 3, 5}));
  EXPECT_EQ(RunOp("SoftmaxCrossEntropyWithLogits", {Floats({0, 4}), Floats({0, 4})})[0].shape(), Shape{0});
  EXPECT_EQ(RunOp("TopKV2", {Floats({3, 0}), Int(0)})[1].shape(), (Shape{3, 0}));
  EXPECT_EQ(RunOp("Cumsum", {none, Int(0)})[0].shape(), none.shape());
}

TEST(MoreOps, IntegersWrapAndDoNotTrap) {
  const std::int32_t low = std::numeric_limits<std::int32_t>::lowest();
  EXPECT_EQ(RunOp("FloorDiv", {Int(low), Int(-1)})[0].data<std::int32_t>()[0], low);
  EXPECT_EQ(RunOp("FloorMod", {Int(low), Int(-1)})[0].data<std::int32_t>()[0], 0);
}

TEST(MoreOps, MovedBitsStay) {
  Array x(kF, Shape{2, 3});
  for (std::int32_t i = 0; i < 6; ++i) x.mutable_data<float>()[i] = std::bit_cast<float>(0x7fc00001 + i);
  const Array back = RunOp("ReverseV2", {RunOp("ReverseV2", {x, Axes({0, 1})})[0], Axes({0, 1})})[0];
  EXPECT_TRUE(BitwiseEqual(x, back));
  EXPECT_TRUE(BitwiseEqual(
      x, RunOp("StridedSlice", {RunOp("Tile", {x, Axes({2, 1})})[0], Axes({2}), Axes({4}), Axes({1})})[0]));
}
}  // namespace
}  // namespace equiv::test
