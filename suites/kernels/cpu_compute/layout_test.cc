// Kernels with channels first: the bits of channels last, turned around. tf: its wheels take NCHW through oneDNN
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {
namespace {

Array Permuted(const Array& x, bool to_last) {
  std::vector<std::int32_t> perm(static_cast<std::size_t>(x.rank()));
  std::iota(perm.begin(), perm.end(), 0);
  if (to_last)
    std::rotate(perm.begin() + 1, perm.begin() + 2, perm.end());
  else
    std::rotate(perm.begin() + 1, perm.end() - 1, perm.end());
  return RunOp("Transpose", {x, Axes(perm)})[0];
}
Ints ChannelsLast(Ints values, std::size_t per = 1) {
  const auto step = static_cast<std::ptrdiff_t>(per);
  std::rotate(values.begin() + step, values.begin() + 2 * step, values.end());
  return values;
}
std::string Format(int rank, bool first) { return rank == 4 ? first ? "NCHW" : "NHWC" : first ? "NCDHW" : "NDHWC"; }

// Runs with channels first and, on turned inputs, with channels last. `images`, `sizes`, `results`: what is laid out.
void ExpectSame(const std::string& op, const std::vector<Array>& inputs, const AttrMap& first_attrs, int rank,
                const Ints& images, const Ints& sizes, const Ints& results) {
  SCOPED_TRACE(op);
  AttrMap first = first_attrs, last = first_attrs;
  first.Set("data_format", Format(rank, true));
  last.Set("data_format", Format(rank, false));
  for (const char* name : {"strides", "ksize", "dilations"})
    if (first.Find(name)) last.Set(name, ChannelsLast(first.Get<Ints>(name)));
  if (first.Find("explicit_paddings"))
    last.Set("explicit_paddings", ChannelsLast(first.Get<Ints>("explicit_paddings"), 2));
  std::vector<Array> turned = inputs;
  for (std::int64_t i : images)
    turned[static_cast<std::size_t>(i)] = Permuted(inputs[static_cast<std::size_t>(i)], true);
  for (std::int64_t i : sizes) {
    Array& list = turned[static_cast<std::size_t>(i)];
    if (list.num_elements() != rank) continue;
    const Ints values = ChannelsLast(list.AsInt64Vector());
    list = Axes({values.begin(), values.end()});
  }
  const std::vector<Array> got = RunOp(op, inputs, first, 3), expected = RunOp(op, turned, last);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const bool laid_out = std::ranges::find(results, static_cast<std::int64_t>(i)) != results.end();
    EXPECT_TRUE(BitwiseEqual(laid_out ? Permuted(got[i], true) : got[i], expected[i])) << "output " << i;
  }
}
AttrMap Window(Ints strides, const std::string& padding) {
  return {{"strides", std::move(strides)}, {"padding", padding}};
}
AttrMap With(AttrMap attrs, const char* name, AttrValue value) {
  attrs.Set(name, std::move(value));
  return attrs;
}
Array Image(const Shape& shape, unsigned seed = 1) { return RandomArray<float>(shape, seed); }

TEST(ChannelsFirst, Convolutions) {
  const Array x = Image({2, 6, 9, 7}), filter = Image({3, 2, 6, 5}, 2), deep = Image({3, 3, 6, 2}, 3);
  const AttrMap same = Window({1, 1, 2, 1}, "SAME");
  const AttrMap padded = With(With(Window({1, 1, 1, 2}, "EXPLICIT"), "explicit_paddings", Ints{0, 0, 0, 0, 1, 2, 0, 1}),
                              "dilations", Ints{1, 1, 2, 1});
  for (const AttrMap& attrs : {same, padded}) {
    const Array grad = RunOp("Conv2D", {x, filter}, With(attrs, "data_format", std::string("NCHW")))[0];
    ExpectSame("Conv2D", {x, filter}, attrs, 4, {0}, {}, {0});
    ExpectSame("Conv2DBackpropInput", {Axes({2, 6, 9, 7}), filter, grad}, attrs, 4, {2}, {0}, {0});
    ExpectSame("Conv2DBackpropInput", {Axes({9, 7}), filter, grad}, attrs, 4, {2}, {0}, {0});
    ExpectSame("Conv2DBackpropFilter", {x, Axes({3, 2, 6, 5}), grad}, attrs, 4, {0, 2}, {}, {});
  }
  const AttrMap even = Window({1, 1, 2, 2}, "SAME");
  const Array grad = RunOp("DepthwiseConv2dNative", {x, deep}, With(even, "data_format", std::string("NCHW")))[0];
  ExpectSame("DepthwiseConv2dNative", {x, deep}, even, 4, {0}, {}, {0});
  ExpectSame("DepthwiseConv2dNativeBackpropInput", {Axes({2, 6, 9, 7}), deep, grad}, even, 4, {2}, {0}, {0});
  ExpectSame("DepthwiseConv2dNativeBackpropFilter", {x, Axes({3, 3, 6, 2}), grad}, even, 4, {0, 2}, {}, {});
}

TEST(ChannelsFirst, Pools) {
  const Array x = Image({2, 5, 7, 8});
  const AttrMap attrs = With(Window({1, 1, 2, 3}, "SAME"), "ksize", Ints{1, 1, 3, 2});
  const AttrMap nchw = With(attrs, "data_format", std::string("NCHW"));
  const Array y = RunOp("MaxPool", {x}, nchw)[0], grad = Image(y.shape(), 4);
  ExpectSame("MaxPool", {x}, attrs, 4, {0}, {}, {0});
  ExpectSame("AvgPool", {x}, attrs, 4, {0}, {}, {0});
  ExpectSame("MaxPoolGrad", {x, y, grad}, attrs, 4, {0, 1, 2}, {}, {0});
  ExpectSame("MaxPoolGradGrad", {x, y, x}, attrs, 4, {0, 1, 2}, {}, {0});
  ExpectSame("AvgPoolGrad", {Axes({2, 5, 7, 8}), grad}, attrs, 4, {1}, {0}, {0});
  const Array windows = RunOp("MaxPoolV2", {x, Axes({1, 1, 3, 2}), Axes({1, 1, 2, 3})},
                              {{"padding", std::string("SAME")}, {"data_format", std::string("NCHW")}})[0];
  EXPECT_TRUE(BitwiseEqual(windows, y));
}

TEST(ChannelsFirst, Volumes) {
  const Array x = Image({2, 3, 4, 6, 5}), filter = Image({2, 3, 2, 3, 4}, 2);
  const AttrMap conv = Window({1, 1, 2, 1, 2}, "SAME");
  const Array grad = RunOp("Conv3D", {x, filter}, With(conv, "data_format", std::string("NCDHW")))[0];
  ExpectSame("Conv3D", {x, filter}, conv, 5, {0}, {}, {0});
  ExpectSame("Conv3DBackpropInputV2", {Axes({2, 3, 4, 6, 5}), filter, grad}, conv, 5, {2}, {0}, {0});
  ExpectSame("Conv3DBackpropFilterV2", {x, Axes({2, 3, 2, 3, 4}), grad}, conv, 5, {0, 2}, {}, {});
  const AttrMap pool = With(Window({1, 1, 1, 2, 2}, "VALID"), "ksize", Ints{1, 1, 2, 3, 1});
  const Array y = RunOp("MaxPool3D", {x}, With(pool, "data_format", std::string("NCDHW")))[0];
  ExpectSame("MaxPool3D", {x}, pool, 5, {0}, {}, {0});
  ExpectSame("AvgPool3D", {x}, pool, 5, {0}, {}, {0});
  ExpectSame("MaxPool3DGrad", {x, y, Image(y.shape(), 3)}, pool, 5, {0, 1, 2}, {}, {0});
  ExpectSame("AvgPool3DGrad", {Axes({2, 3, 4, 6, 5}), y}, pool, 5, {1}, {0}, {0});
}

TEST(ChannelsFirst, BatchNorms) {
  const Array x = Image({2, 3, 5, 4}), volume = Image({2, 3, 2, 5, 4}), v = Array::Full(Shape{3}, 0.5F);
  for (const bool training : {true, false}) {
    const AttrMap attrs{{"is_training", training}};
    ExpectSame("FusedBatchNorm", {x, v, v, v, v}, attrs, 4, {0}, {}, {0});
    ExpectSame("FusedBatchNormV3", {volume, v, v, v, v}, attrs, 5, {0}, {}, {0});
    ExpectSame("FusedBatchNormGradV3", {x, Image(x.shape(), 2), v, v, v, v}, attrs, 4, {0, 1}, {}, {0});
  }
}

TEST(ChannelsFirst, NothingInGivesNothing) {
  const AttrMap pool = With(Window({1, 1, 1, 1}, "SAME"), "ksize", Ints{1, 1, 2, 2});
  ExpectSame("MaxPool", {Image({0, 3, 4, 4})}, pool, 4, {0}, {}, {0});
  ExpectSame("MaxPool", {Image({2, 0, 4, 4})}, pool, 4, {0}, {}, {0});
}

TEST(ChannelsFirst, AWrongRankIsRefused) {
  const AttrMap attrs = With(Window({1, 1, 1, 1}, "SAME"), "data_format", std::string("NCHW"));
  EXPECT_THROW(RunOp("Conv2D", {Image({2, 3, 4}), Image({1, 1, 3, 2})}, attrs, 1, false), InvalidArgumentError);
  AttrMap three = attrs;
  three.Set("strides", Ints{1, 1, 1});
  EXPECT_THROW(RunOp("Conv2D", {Image({2, 3, 4, 4}), Image({1, 1, 3, 2})}, three, 1, false), InvalidArgumentError);
  EXPECT_THROW(
      RunOp("Conv2DBackpropInput", {Axes({2, 3, 4}), Image({1, 1, 3, 2}), Image({2, 2, 4, 4})}, attrs, 1, false),
      InvalidArgumentError);
}
}  // namespace
}  // namespace equiv::test
