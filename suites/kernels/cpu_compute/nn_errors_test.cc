// Pools, batch norms, images, fused ops: what they refuse, from the shape function and from the kernel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {
namespace {
using testing::AllOf;
using testing::HasSubstr;
const DType kF = DType::kFloat32, kI = DType::kInt32;
constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

Array Floats(const Shape& shape) { return RandomArray<float>(shape, 1); }
Array Vector(std::int64_t n) { return Array::Full(Shape{n}, 0.5F); }
Array Int(std::int32_t v) { return Array::Scalar(v); }
Array Pairs(std::vector<std::int32_t> values) {
  const auto rows = static_cast<std::int64_t>(values.size() / 2);
  return Axes(std::move(values)).Reshaped({rows, 2});
}
// What the kernel says, and that the shape function says something if it sees the values.
template <class E = InvalidArgumentError>
void ExpectRefused(const std::string& op, const std::vector<Array>& inputs, const AttrMap& attrs,
                   const std::string& text, bool by_shape = true) {
  EXPECT_THAT(Refused<E>([&] { RunOp(op, inputs, attrs, 1, false); }),
              AllOf(HasSubstr("[" + op + "] 'node': "), HasSubstr(text)));
  if (by_shape) {
    EXPECT_THAT(Refused([&] { RunOp(op, inputs, attrs); }), HasSubstr("[" + op + "] 'node': ")) << op;
  }
}
AttrMap With(AttrMap attrs, const char* name, AttrValue value) {
  attrs.Set(name, std::move(value));
  return attrs;
}
AttrMap Pool(Ints ksize, const std::string& padding = "VALID", Ints strides = {1, 1, 1, 1}) {
  return {{"ksize", std::move(ksize)}, {"strides", std::move(strides)}, {"padding", padding}};
}

TEST(NnErrors, BatchNorms) {
  const Array x = Floats({1, 2, 2, 3}), v = Vector(3);
  for (const char* op : {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}) {
    ExpectRefused(op, {Floats({2, 2, 3}), v, v, v, v}, {}, "input must be 4-dimensional [2,2,3]");
    ExpectRefused(op, {x, Vector(2), v, v, v}, {}, "scale must have the same number of elements");
    ExpectRefused(op, {x, v, v, Vector(0), v}, {{"is_training", false}}, "mean must have the same number of elements");
  }
  ExpectRefused("FusedBatchNormV3", {x, v, v, v, v}, {{"data_format", std::string("NDHWC")}},
                "input must be 5-dimensional");
  ExpectRefused("FusedBatchNormGrad", {Floats({1, 2, 1, 3}), x, v, v, v}, {}, "of one shape");
  ExpectRefused("FusedBatchNormGradV2", {x, x, v, Vector(4), v}, {}, "saved mean must be a vector");
  ExpectRefused("BatchNormWithGlobalNormalization", {x, v, v, v, Vector(2)},
                {{"variance_epsilon", 0.1F}, {"scale_after_normalization", true}},
                "gamma must have one value for each");
  ExpectRefused<UnimplementedError>("_FusedBatchNormEx", {x, v, v, v, v, x}, {{"num_side_inputs", std::int64_t{1}}},
                                    "side inputs have no CPU kernel", false);
  ExpectRefused("_FusedBatchNormEx", {x, v, v, v, v}, {{"activation_mode", std::string("Elu")}},
                "Unsupported activation mode: Elu", false);
}

TEST(NnErrors, Pools) {
  const Array x = Floats({1, 4, 5, 2});
  for (const char* op : {"MaxPool", "MaxPoolWithArgmax", "AvgPool"}) {
    ExpectRefused(op, {x}, Pool({1, 0, 2, 1}), "Sliding window ksize must be positive, but got 0");
    ExpectRefused(op, {x}, Pool({1, -3, 2, 1}), "Sliding window ksize must be positive, but got -3");
    ExpectRefused(op, {x}, Pool({2, 2, 2, 1}), "Pooling is not yet supported on the batch dimension");
    ExpectRefused(op, {x}, Pool({1, 5, 2, 1}), "Negative dimension size caused by subtracting 5 from 4");
    ExpectRefused(op, {x}, Pool({1, kHuge, 2, 1}), "Negative dimension size");
    ExpectRefused(op, {x}, Pool({1, 2, 2, 1}, "SAME", {1, 0, 1, 1}), "Stride must be > 0, but got 0");
  }
  ExpectRefused("MaxPool", {x}, With(Pool({1, 2, 2, 1}, "EXPLICIT"), "explicit_paddings", Ints{0, 0, 2, 0, 0, 0, 0, 0}),
                "Top padding 2 needs to be smaller than the window size 2");
  ExpectRefused("MaxPool", {x},
                With(Pool({1, kHuge, 2, 1}, "EXPLICIT"), "explicit_paddings", Ints{0, 0, kHuge, kHuge, 0, 0, 0, 0}),
                "a size overflows");
  ExpectRefused("MaxPoolV2", {x, Axes({1, 2, 2}), Axes({1, 1, 1, 1})}, {{"padding", std::string("SAME")}},
                "Sliding window ksize field must specify 4 dimensions");
  ExpectRefused("MaxPoolV2", {x, Axes({1, 2, 2, 1}), Axes({1, 1, -1, 1})}, {{"padding", std::string("SAME")}},
                "Stride must be > 0, but got -1");
  const Array y = Floats({1, 3, 4, 2});
  ExpectRefused("MaxPoolGrad", {x, y, x}, Pool({1, 2, 2, 1}), "Expected grad shape to be [1,3,4,2], but got [1,4,5,2]");
  ExpectRefused("MaxPoolGrad", {x, x, y}, Pool({1, 2, 2, 1}), "Expected orig_output shape to be [1,3,4,2]");
  ExpectRefused("MaxPoolGradGrad", {x, y, y}, Pool({1, 2, 2, 1}), "Expected grad shape to be [1,4,5,2]");
  ExpectRefused("AvgPoolGrad", {Axes({1, 4, 5}), y}, Pool({1, 2, 2, 1}), "must be 4-dimensional");
  ExpectRefused("AvgPoolGrad", {Axes({1, -4, 5, 2}), y}, Pool({1, 2, 2, 1}), "", false);
}

TEST(NnErrors, PositionsOutsideTheirImage) {
  const Array x = Floats({2, 2, 2, 1}), grad = Floats({2, 1, 1, 1});
  const AttrMap attrs = Pool({1, 2, 2, 1}), whole = With(attrs, "include_batch_in_index", true);
  const auto positions = [](std::int64_t a, std::int64_t b) {
    return Array::Of<std::int64_t>(Shape{2, 1, 1, 1}, {a, b});
  };
  ExpectRefused("MaxPoolGradWithArgmax", {x, grad, positions(0, 4)}, attrs, "Invalid output index 4", false);
  ExpectRefused("MaxPoolGradWithArgmax", {x, grad, positions(-1, 0)}, attrs, "Invalid output index -1", false);
  ExpectRefused("MaxPoolGradWithArgmax", {x, grad, positions(0, 3)}, whole, "Invalid output index 3", false);
  ExpectRefused("MaxPoolGradWithArgmax", {x, grad, positions(0, -kHuge - 1)}, whole, "Invalid output index -", false);
  ExpectRefused("MaxPoolGradWithArgmax", {x, x, positions(0, 0)}, attrs, "Expected grad shape to be [2,1,1,1]");
}

TEST(NnErrors, Volumes) {
  const Array x = Floats({1, 3, 3, 3, 2}), y = Floats({1, 2, 2, 2, 2});
  AttrMap attrs{{"ksize", Ints{1, 2, 2, 2, 1}}, {"strides", Ints{1, 1, 1, 1, 1}}, {"padding", std::string("VALID")}};
  ExpectRefused("MaxPool3DGrad", {x, y, x}, attrs, "Expected grad shape to be [1,2,2,2,2], but got [1,3,3,3,2]");
  ExpectRefused("MaxPool3DGrad", {x, x, y}, attrs, "Expected orig_output shape to be [1,2,2,2,2]");
  ExpectRefused("MaxPool3DGradGrad", {x, y, y}, attrs, "Expected grad shape to be [1,3,3,3,2]");
  ExpectRefused("AvgPool3DGrad", {Axes({1, 3, 3, 2}), y}, attrs, "input must be 5-dimensional");
  attrs.Set("ksize", Ints{1, 2, 0, 2, 1});
  ExpectRefused("AvgPool3D", {x}, attrs, "Sliding window ksize must be positive, but got 0");
}

TEST(NnErrors, Bias) {
  ExpectRefused("BiasAdd", {Floats({3}), Vector(3)}, {}, "Input tensor must be at least 2D: [3]");
  ExpectRefused("BiasAddV1", {Floats({2, 3}), Vector(4)}, {}, "Must provide as many biases as the last dimension");
  ExpectRefused("BiasAdd", {Floats({2, 3, 4}), Vector(4)}, {{"data_format", std::string("NCHW")}},
                "Must provide as many biases as the second dimension of the input tensor: [4] vs. [2,3,4]");
  ExpectRefused("BiasAdd", {Floats({2, 3}), Floats({3, 1})}, {}, "Biases must be 1D: [3,1]");
  ExpectRefused("BiasAddGrad", {Floats({3})}, {}, "Input tensor must be at least 2D");
}

TEST(NnErrors, BlocksToTheBatchAndBack) {
  const Array x = Floats({4, 4, 6, 1});
  const auto to_batch = [&](std::vector<std::int32_t> blocks, std::vector<std::int32_t> pads, const char* text) {
    ExpectRefused("SpaceToBatchND", {x, Axes(std::move(blocks)), Pairs(std::move(pads))}, {}, text);
  };
  to_batch({3, 2}, {0, 0, 0, 0}, "padded_shape[0]=4 is not divisible by block_shape[0]=3");
  to_batch({0, 2}, {0, 0, 0, 0}, "All values in block_shape must be positive, got value, 0 at index 0.");
  to_batch({2, 2}, {-1, 1, 0, 0}, "Paddings must be non-negative");
  to_batch({2, 2}, {0, 0}, "should have shape [2,2] instead of [1,2]");
  to_batch({2, 2, 1, 1}, {0, 0, 0, 0, 0, 0, 0, 0}, "input rank should be >= 5 instead of 4");
  const auto wide = [](std::initializer_list<std::int64_t> v, const Shape& shape) {
    return Array::Of<std::int64_t>(shape, v);
  };
  ExpectRefused("SpaceToBatchND", {x, Axes({2}), wide({kHuge, kHuge}, {1, 2})}, {}, "a size overflows");
  ExpectRefused("SpaceToBatchND", {Floats({1, 0, 0, 1}), wide({kHuge, kHuge}, {2}), Pairs({0, 0, 0, 0})}, {},
                "a size overflows");
  ExpectRefused("BatchToSpaceND", {x, wide({kHuge}, {1}), Pairs({0, 0})}, {}, "a size overflows");
  ExpectRefused("BatchToSpaceND", {x, Axes({3}), Pairs({0, 0})}, {}, "Input batch dimension (4) is not divisible");
  ExpectRefused("BatchToSpaceND", {x, Axes({2}), Pairs({5, 4})}, {}, "cropped_shape[0]=-1 must be non-negative");
  ExpectRefused("BatchToSpaceND", {x, Axes({2}), Pairs({-1, 0})}, {}, "Crops must be non-negative");
  ExpectRefused("SpaceToBatch", {Floats({4, 4, 6}), Pairs({0, 0, 0, 0})}, {{"block_size", std::int64_t{2}}},
                "Input rank should be: 4 instead of: 3");
  ExpectRefused("BatchToSpace", {x, Axes({0, 0})}, {{"block_size", std::int64_t{2}}}, "crops should have shape [2, 2]");
  ExpectRefused<UnimplementedError>("SpaceToBatchND",
                                    {Array::Strings(Shape{2}, {"a", "b"}), Axes({}), Axes({}).Reshaped({0, 2})}, {},
                                    "has no CPU kernel for string", false);
}

TEST(NnErrors, MirrorsAndLrn) {
  const auto mirror = [](std::vector<std::int32_t> pads, const char* mode, const char* text) {
    ExpectRefused("MirrorPadGrad", {Floats({6}), Pairs(std::move(pads))}, {{"mode", std::string(mode)}}, text);
  };
  mirror({4, 4}, "SYMMETRIC", "Total paddings must be less than the input dimension size: 8 was not less than 6");
  mirror({3, 2}, "REFLECT", "paddings must be less than the output dimension size: 3, 2 not less than 1");
  mirror({4, 0}, "SYMMETRIC", "paddings must be no greater than the output dimension size: 4, 0");
  mirror({-1, 2}, "REFLECT", "Paddings must be non-negative: -1, 2");
  mirror({1, 1, 1, 1}, "REFLECT", "The first dimension of paddings must be the rank of inputs");
  const Array x = Floats({1, 2, 2, 3});
  ExpectRefused("LRNGrad", {x, x, Floats({1, 2, 1, 3})}, {}, "of one shape");
  EXPECT_EQ(RunOp("LRNGrad", {x, x, x}, {{"depth_radius", kHuge}})[0].shape(), x.shape());
  EXPECT_EQ(RunOp("LRN", {x}, {{"depth_radius", -kHuge}})[0].shape(), x.shape());
}

TEST(NnErrors, Resizing) {
  const Array x = Floats({1, 3, 3, 2});
  for (const char* op : {"ResizeBicubic", "ResizeArea", "ResizeNearestNeighborGrad"}) {
    ExpectRefused(op, {x, Axes({0, 3})}, {}, "output dimensions must be positive, got 0 and 3");
    ExpectRefused(op, {x, Axes({3})}, {}, "size must be a vector of 2 values");
    ExpectRefused(op, {Floats({3, 3, 2}), Axes({2, 2})}, {}, "input must be 4-dimensional");
    ExpectRefused(op, {Floats({1, 0, 3, 2}), Axes({2, 2})}, {}, "must be of non-zero size", false);
  }
  ExpectRefused("ResizeBicubic", {x, Axes({2, 2})}, {{"align_corners", true}, {"half_pixel_centers", true}},
                "If half_pixel_centers is True, align_corners must be False", false);
  for (const char* op : {"ResizeBilinearGrad", "ResizeBicubicGrad"}) {
    ExpectRefused(op, {x, Floats({1, 2, 2, 3})}, {}, "equal batch and channels", false);
    ExpectRefused(op, {x, Floats({1, 0, 2, 2})}, {}, "must be of non-zero size", false);
    ExpectRefused(op, {x, Floats({2, 2})}, {}, "must be 4-dimensional");
  }
  const std::int32_t most = std::numeric_limits<std::int32_t>::max();
  ExpectRefused("ResizeBilinear", {Floats({4, 1, 1, 4}), Axes({most, most})}, {}, "", false);
}

TEST(NnErrors, Crops) {
  const Array image = Floats({2, 3, 3, 2}), boxes = Array::Full(Shape{2, 4}, 0.5F), index = Axes({0, 1}),
              size = Axes({2, 2}), grads = Floats({2, 2, 2, 2});
  ExpectRefused("CropAndResize", {image, Array::Full(Shape{2, 3}, 0.5F), index, size}, {},
                "boxes must be [num_boxes,4]");
  ExpectRefused("CropAndResize", {image, boxes, Axes({0}), size}, {}, "box_index has incompatible shape");
  ExpectRefused("CropAndResize", {image, boxes, index, Axes({2, 0})}, {}, "crop dimensions must be positive");
  ExpectRefused("CropAndResize", {image, boxes, index, Axes({2})}, {}, "crop_size must have two elements");
  ExpectRefused<OutOfRangeError>("CropAndResize", {image, boxes, Axes({0, 2}), size}, {},
                                 "box_index has values outside [0, batch_size): 2 is not in [0, 2)", false);
  const float inf = std::numeric_limits<float>::infinity();
  ExpectRefused("CropAndResize", {image, Array::Full(Shape{2, 4}, inf), index, size}, {}, "not finite", false);
  ExpectRefused("CropAndResizeGradImage", {grads, boxes, index, Axes({2, 3, 3})}, {{"T", kF}},
                "image_size must have 4");
  ExpectRefused("CropAndResizeGradImage", {grads, boxes, index, Axes({2, 3, -3, 2})}, {{"T", kF}}, "", false);
  ExpectRefused("CropAndResizeGradImage", {grads, boxes, index, Axes({2, 3, 3, 3})}, {{"T", kF}}, "incompatible",
                false);
  ExpectRefused("CropAndResizeGradBoxes", {Floats({1, 2, 2, 2}), image, boxes, index}, {}, "incompatible shape", false);
  // Finite boxes whose cells lie at infinity, or at no number.
  const Array far = Array::Of<float>(Shape{2, 4}, {3e38F, 0, -3e38F, 1, -3e38F, -3e38F, 3e38F, 3e38F});
  const Array out = RunOp("CropAndResize", {image, far, index, Axes({3, 3})}, {{"extrapolation_value", 9.0F}})[0];
  EXPECT_EQ(out.data<float>()[0], 9.0F);
}

TEST(NnErrors, Colours) {
  const Array image = Floats({2, 2, 3}), factor = Array::Scalar(0.5F);
  for (const char* op : {"AdjustHue", "AdjustSaturation", "AdjustContrastv2"}) {
    ExpectRefused(op, {Floats({2, 3}), factor}, {}, "input must be at least 3-D, got shape[2,3]");
    ExpectRefused(op, {image, Vector(1)}, {}, "must be scalar: [1]");
  }
  ExpectRefused("AdjustHue", {Floats({2, 2, 4}), factor}, {}, "input must have 3 channels but instead has 4", false);
  ExpectRefused("RGBToHSV", {Floats({2, 4})}, {}, "input must have 3 channels but instead has 4 channels");
  ExpectRefused("HSVToRGB", {factor}, {}, "input must be at least 1-D");
  // A turn without end ends.
  const float inf = std::numeric_limits<float>::infinity();
  for (float delta : {inf, -inf, std::numeric_limits<float>::quiet_NaN(), 1e30F, -1e30F})
    EXPECT_EQ(RunOp("AdjustHue", {image, Array::Scalar(delta)})[0].shape(), image.shape());
  Array odd = image.Copy();
  odd.mutable_data<float>()[0] = inf;
  EXPECT_EQ(RunOp("AdjustSaturation", {odd, Array::Scalar(inf)})[0].shape(), image.shape());
}

TEST(NnErrors, Windows) {
  const Array x = Floats({1, 4, 4, 2});
  const AttrMap attrs{{"strides", Ints{1, 1, 1, 1}}, {"rates", Ints{1, 1, 1, 1}}, {"padding", std::string("VALID")}};
  const auto sizes = [&](Ints ksizes) { return With(attrs, "ksizes", std::move(ksizes)); };
  ExpectRefused("ExtractImagePatches", {x}, sizes({1, 0, 2, 1}), "ksizes must be positive, but got 0");
  ExpectRefused("ExtractImagePatches", {x}, sizes({1, 5, 2, 1}), "Negative dimension size");
  ExpectRefused("ExtractImagePatches", {x}, sizes({2, 2, 2, 1}), "Only support ksizes across space");
  ExpectRefused("ExtractImagePatches", {x}, With(sizes({1, 3, 2, 1}), "rates", Ints{1, kHuge, 1, 1}), "overflows");
  ExpectRefused("ExtractImagePatches", {x}, With(sizes({1, kHuge, kHuge, 1}), "padding", std::string("SAME")),
                "overflows");
  ExpectRefused("Dilation2D", {x, Floats({2, 2, 3})}, attrs, "input and filter must have the same depth: 2 vs 3");
  ExpectRefused("Dilation2D", {x, Floats({0, 2, 2})}, attrs, "filter must not be empty");
  ExpectRefused("Dilation2D", {x, Floats({2, 2})}, attrs, "filter must be 3-dimensional");
  for (const char* op : {"Dilation2DBackpropInput", "Dilation2DBackpropFilter"})
    ExpectRefused(op, {x, Floats({2, 2, 2}), x}, attrs,
                  "out_backprop has incompatible size: [1,4,4,2], expected [1,3,3,2]");
}

TEST(NnErrors, Suppression) {
  const Array boxes = Floats({3, 4}), scores = Floats({3}), half = Array::Scalar(0.5F);
  ExpectRefused("NonMaxSuppressionV3", {Floats({3, 3}), scores, Int(1), half, half}, {}, "boxes must have 4 columns");
  ExpectRefused("NonMaxSuppressionV3", {boxes, Floats({2}), Int(1), half, half}, {}, "scores has incompatible shape");
  ExpectRefused("NonMaxSuppressionV3", {boxes, scores, Int(-1), half, half}, {}, "output size must be non-negative",
                false);
  ExpectRefused("NonMaxSuppressionV3", {boxes, scores, Int(1), Array::Scalar(1.5F), half}, {},
                "iou_threshold must be in [0, 1], got 1.5", false);
  ExpectRefused("NonMaxSuppressionV2", {boxes, scores, Axes({1}), half}, {}, "max_output_size must be 0-D");
  ExpectRefused("NonMaxSuppressionV5", {boxes, scores, Int(1), half, half, Array::Scalar(-1.0F)}, {},
                "soft_nms_sigma must be non-negative", false);
  const Array many = Floats({1, 3, 2, 4}), of_classes = Floats({1, 3, 3});
  ExpectRefused("CombinedNonMaxSuppression", {many, of_classes, Int(1), Int(1), half, half}, {},
                "third dimension of boxes must be either 1 or num classes 3, got 2", false);
  ExpectRefused("CombinedNonMaxSuppression", {Floats({1, 3, 1, 4}), of_classes, Int(1), Int(0), half, half}, {},
                "max_total_size must be > 0");
}

TEST(Fused, IsWhatItsPartsGive) {
  const Array x = Floats({2, 5, 6, 4}), filter = RandomArray<float>({3, 2, 4, 3}, 2), bias = Vector(3);
  const AttrMap conv{{"strides", Ints{1, 2, 2, 1}}, {"padding", std::string("SAME")}};
  const auto fused = [](AttrMap attrs, std::vector<std::string> ops) {
    attrs.Set("num_args", static_cast<std::int64_t>(ops[0] == "BiasAdd" ? 1 : 4));
    attrs.Set("fused_ops", std::move(ops));
    return attrs;
  };
  const Array sum = RunOp("BiasAdd", {RunOp("Conv2D", {x, filter}, conv)[0], bias})[0];
  for (const char* activation : {"Relu", "Relu6", "Elu", "Tanh", "Sigmoid", "LeakyRelu"})
    EXPECT_TRUE(BitwiseEqual(RunOp(activation, {sum})[0],
                             RunOp("_FusedConv2D", {x, filter, bias}, fused(conv, {"BiasAdd", activation}))[0]))
        << activation;
  const Array deep = RandomArray<float>({3, 3, 4, 2}, 3), wide = Vector(8);
  const Array y = RunOp("DepthwiseConv2dNative", {x, deep}, conv)[0];
  const Array normed = RunOp("FusedBatchNorm", {y, wide, wide, wide, wide}, {{"is_training", false}})[0];
  EXPECT_TRUE(BitwiseEqual(normed, RunOp("_FusedDepthwiseConv2dNative", {x, deep, wide, wide, wide, wide},
                                         fused(conv, {"FusedBatchNorm"}))[0]));
  const Array a = Floats({3, 4}), b = RandomArray<float>({4, 3}, 5);
  EXPECT_TRUE(BitwiseEqual(RunOp("Sigmoid", {RunOp("BiasAdd", {RunOp("MatMul", {a, b})[0], bias})[0]})[0],
                           RunOp("_FusedMatMul", {a, b, bias}, fused({}, {"BiasAdd", "Sigmoid"}))[0]));
  ExpectRefused<UnimplementedError>("_FusedMatMul", {a, b, bias}, fused({}, {"BiasAdd", "Softmax"}),
                                    "fused_ops [BiasAdd, Softmax] have no CPU kernel", false);
  ExpectRefused("_FusedMatMul", {a, b}, With(fused({}, {"BiasAdd"}), "num_args", std::int64_t{0}),
                "BiasAdd needs 1 further inputs, got 0", false);
  const Array v = Vector(4);
  const AttrMap relu{{"activation_mode", std::string("Relu")}};
  const Array image = RunOp("FusedBatchNormV3", {x, v, v, v, v})[0];
  EXPECT_TRUE(BitwiseEqual(RunOp("Relu", {image})[0], RunOp("_FusedBatchNormEx", {x, v, v, v, v}, relu)[0]));
}

TEST(NnShapes, OfGraphsFromWhatIsKnown) {
  const PartialShape unknown, image{-1, 8, -1, 3};
  const Array blocks = Axes({2, 2}), pads = Pairs({0, 0, 1, 1}), size = Axes({4, 6});
  const auto first = [](const std::string& op, const std::vector<PartialShape>& shapes, const AttrMap& attrs,
                        const std::vector<DType>& types, const std::vector<const Array*>& constants = {}) {
    return Infer(op, shapes, attrs, types, constants)[0];
  };
  EXPECT_EQ(first("SpaceToBatchND", {image, {2}, {2, 2}}, {}, {kF, kI, kI}, {nullptr, &blocks, &pads}),
            (PartialShape{-1, 4, -1, 3}));
  EXPECT_EQ(first("SpaceToBatchND", {image, {2}, {2, 2}}, {}, {kF, kI, kI}), (PartialShape{-1, -1, -1, 3}));
  EXPECT_EQ(first("BatchToSpaceND", {unknown, {2}, {2, 2}}, {}, {kF, kI, kI}), unknown);
  EXPECT_EQ(first("ResizeBicubic", {image, {2}}, {}, {kF, kI}, {nullptr, &size}), (PartialShape{-1, 4, 6, 3}));
  EXPECT_EQ(first("CropAndResize", {image, {-1, 4}, {7}, {2}}, {}, {kF, kF, kI, kI}), (PartialShape{7, -1, -1, 3}));
  EXPECT_EQ(first("MaxPoolV2", {image, {4}, {4}}, {{"padding", std::string("SAME")}}, {kF, kI, kI}),
            PartialShape::UnknownOfRank(4));
  EXPECT_EQ(first("RGBToHSV", {PartialShape{2, -1}}, {}, {kF}), (PartialShape{2, 3}));
  EXPECT_EQ(first("BiasAdd", {PartialShape{2, -1, 4}, {5}}, {{"data_format", std::string("NCHW")}}, {kF, kF}),
            (PartialShape{2, 5, 4}));
  EXPECT_EQ(first("FusedBatchNormV3", {PartialShape{2, -1, 3, 4, 5}, {6}, {6}, {6}, {6}},
                  {{"data_format", std::string("NCDHW")}}, {kF, kF, kF, kF, kF}),
            (PartialShape{2, 6, 3, 4, 5}));
  EXPECT_EQ(first("NonMaxSuppressionV2", {unknown, {-1}, {}, {}}, {}, {kF, kF, kI, kF}), (PartialShape{-1}));
}
}  // namespace
}  // namespace equiv::test
