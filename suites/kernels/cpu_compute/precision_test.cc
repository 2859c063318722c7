// Values against plain loops in double or long double, corner cases, special values.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {
namespace {

struct ConvCase {
  std::int64_t n, h, w, c, kh, kw, o, stride, dilation, groups;
  bool same;
};

// Plain correlation in long double.
template <class T>
std::vector<long double> NaiveConv(const Array& x, const Array& w, const ConvCase& k, std::int64_t oh,
                                   std::int64_t ow) {
  const auto pad = [&](std::int64_t in, std::int64_t size, std::int64_t out) {
    return k.same ? std::max<std::int64_t>((out - 1) * k.stride + (size - 1) * k.dilation + 1 - in, 0) / 2 : 0;
  };
  const std::int64_t top = pad(k.h, k.kh, oh), left = pad(k.w, k.kw, ow), depth = k.c / k.groups;
  std::vector<long double> y;
  for (std::int64_t n = 0; n < k.n; ++n)
    for (std::int64_t i = 0; i < oh; ++i)
      for (std::int64_t j = 0; j < ow; ++j)
        for (std::int64_t o = 0; o < k.o; ++o) {
          long double sum = 0;
          for (std::int64_t a = 0; a < k.kh; ++a)
            for (std::int64_t b = 0; b < k.kw; ++b)
              for (std::int64_t c = 0; c < depth; ++c) {
                const std::int64_t iy = i * k.stride + a * k.dilation - top, ix = j * k.stride + b * k.dilation - left;
                if (iy < 0 || iy >= k.h || ix < 0 || ix >= k.w) continue;
                const std::int64_t channel = o / (k.o / k.groups) * depth + c;
                sum += static_cast<long double>(x.data<T>()[((n * k.h + iy) * k.w + ix) * k.c + channel]) *
                       static_cast<long double>(w.data<T>()[((a * k.kw + b) * depth + c) * k.o + o]);
              }
          y.push_back(sum);
        }
  return y;
}

template <class T>
class PrecisionOf : public testing::Test {};
using Floating = testing::Types<float, double>;
TYPED_TEST_SUITE(PrecisionOf, Floating);

TYPED_TEST(PrecisionOf, ConvolutionAgreesWithPlainLoops) {
  using T = TypeParam;
  const ConvCase cases[] = {{2, 11, 9, 5, 3, 3, 7, 1, 1, 1, true},   {1, 12, 13, 3, 5, 2, 33, 2, 1, 1, true},
                            {1, 12, 13, 3, 5, 2, 4, 2, 1, 1, false}, {2, 9, 9, 6, 3, 3, 10, 1, 2, 2, true},
                            {1, 8, 8, 70, 1, 1, 40, 1, 1, 1, true},  {1, 8, 8, 4, 1, 1, 40, 3, 1, 1, true},
                            {1, 5, 5, 64, 5, 5, 96, 1, 1, 1, false}, {1, 2, 3, 1, 5, 5, 1, 1, 1, 1, true},
                            {3, 7, 5, 8, 1, 1, 12, 1, 1, 4, true},   {1, 20, 20, 2, 2, 3, 5, 3, 3, 1, true}};
  for (const ConvCase& k : cases) {
    const Array x = RandomArray<T>(Shape{k.n, k.h, k.w, k.c}, 1);
    const Array w = RandomArray<T>(Shape{k.kh, k.kw, k.c / k.groups, k.o}, 2);
    const Array y = RunOp("Conv2D", {x, w},
                          {{"strides", Ints{1, k.stride, k.stride, 1}},
                           {"dilations", Ints{1, k.dilation, k.dilation, 1}},
                           {"padding", std::string(k.same ? "SAME" : "VALID")}})[0];
    const auto expected = NaiveConv<T>(x, w, k, y.dim(1), y.dim(2));
    ASSERT_EQ(static_cast<std::int64_t>(expected.size()), y.num_elements());
    const long double bound =
        std::numeric_limits<T>::epsilon() * 4 * std::sqrt(static_cast<long double>(k.kh * k.kw * k.c));
    for (std::size_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(static_cast<double>(y.data<T>()[i]), static_cast<double>(expected[i]), static_cast<double>(bound))
          << k.h << "x" << k.w << " element " << i;
  }
}

TYPED_TEST(PrecisionOf, DepthwiseIsAGroupedConvolution) {
  using T = TypeParam;
  const Array x = RandomArray<T>(Shape{2, 7, 6, 5}, 3), w = RandomArray<T>(Shape{3, 2, 5, 3}, 4);
  for (const char* padding : {"SAME", "VALID"})
    for (std::int64_t stride : {1, 2}) {
      const AttrMap attrs{{"strides", Ints{1, stride, stride, 1}}, {"padding", std::string(padding)}};
      const Array y = RunOp("DepthwiseConv2dNative", {x, w}, attrs)[0];
      // [kh, kw, c, m] in memory is [kh, kw, 1, c * m], the filter of c groups.
      const Array grouped = RunOp("Conv2D", {x, w.Reshaped(Shape{3, 2, 1, 15})}, attrs)[0];
      ASSERT_EQ(y.shape(), grouped.shape());
      for (std::int64_t i = 0; i < y.num_elements(); ++i)
        ASSERT_NEAR(y.template data<T>()[i], grouped.template data<T>()[i], std::numeric_limits<T>::epsilon() * 8);
    }
}

TYPED_TEST(PrecisionOf, ReductionsAgreeWithPlainLoops) {
  using T = TypeParam;
  const Array x = RandomArray<T>(Shape{5, 6, 7, 8}, 5);
  for (int mask = 0; mask < 16; ++mask) {
    std::vector<std::int32_t> axes;
    for (int i = 0; i < 4; ++i)
      if (mask >> i & 1) axes.push_back(i % 2 ? i - 4 : i);
    for (const char* op : {"Sum", "Mean", "Max", "Min"}) {
      const Array y = RunOp(op, {x, Axes(axes)}, {{"keep_dims", true}})[0];
      std::vector<long double> sum(static_cast<std::size_t>(y.num_elements()));
      std::vector<T> max(sum.size(), T{-9}), min(sum.size(), T{9});
      for (std::int64_t i = 0; i < x.num_elements(); ++i) {
        std::int64_t rest = i, index = 0, stride = 1;
        for (int d = 3; d >= 0; --d) {
          const std::int64_t at = rest % x.dim(d);
          rest /= x.dim(d);
          if (mask >> d & 1) continue;
          index += at * stride;
          stride *= x.dim(d);
        }
        const T value = x.template data<T>()[i];
        const auto slot = static_cast<std::size_t>(index);
        sum[slot] += static_cast<long double>(value);
        max[slot] = std::max(max[slot], value);
        min[slot] = std::min(min[slot], value);
      }
      const double count = static_cast<double>(x.num_elements() / y.num_elements());
      for (std::size_t i = 0; i < sum.size(); ++i) {
        const double have = static_cast<double>(y.template data<T>()[i]);
        if (op[0] == 'S' || op[1] == 'e') {
          const double want = static_cast<double>(sum[i]) / (op[0] == 'S' ? 1.0 : count);
          ASSERT_NEAR(have, want, std::numeric_limits<T>::epsilon() * 100) << op << " mask " << mask;
        } else {
          ASSERT_EQ(have, static_cast<double>(op[1] == 'a' ? max[i] : min[i])) << op << " mask " << mask;
        }
      }
    }
  }
}

TYPED_TEST(PrecisionOf, BatchNormAgreesWithPlainLoops) {
  using T = TypeParam;
  const std::int64_t rows = 3 * 4 * 5, depth = 11;
  const Array x = RandomArray<T>(Shape{3, 4, 5, depth}, 6), gamma = RandomArray<T>(Shape{depth}, 7);
  const Array beta = RandomArray<T>(Shape{depth}, 8), mean = RandomArray<T>(Shape{depth}, 9);
  const Array variance = Array::Full<T>(Shape{depth}, T{2});
  const double eps = 0.001F, tolerance = std::numeric_limits<T>::epsilon() * 40;
  const auto trained = RunOp("FusedBatchNormV3", {x, gamma, beta, mean, variance},
                             {{"epsilon", 0.001F}, {"exponential_avg_factor", 0.5F}});
  const auto inferred =
      RunOp("FusedBatchNormV3", {x, gamma, beta, mean, variance}, {{"epsilon", 0.001F}, {"is_training", false}});
  for (std::int64_t c = 0; c < depth; ++c) {
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < rows; ++i) sum += static_cast<double>(x.template data<T>()[i * depth + c]);
    for (std::int64_t i = 0; i < rows; ++i)
      squares += std::pow(static_cast<double>(x.template data<T>()[i * depth + c]) - sum / rows, 2);
    const auto at = [&](const Array& a) { return static_cast<double>(a.template data<T>()[c]); };
    EXPECT_NEAR(at(trained[1]), 0.5 * at(mean) + 0.5 * sum / rows, tolerance);
    EXPECT_NEAR(at(trained[2]), 0.5 * 2 + 0.5 * squares / (rows - 1), tolerance);
    EXPECT_NEAR(at(trained[3]), sum / rows, tolerance);
    EXPECT_NEAR(at(trained[4]), squares / rows, tolerance);
    EXPECT_NEAR(at(trained[0]), (at(x) - sum / rows) / std::sqrt(squares / rows + eps) * at(gamma) + at(beta),
                tolerance);
    EXPECT_NEAR(at(inferred[0]), (at(x) - at(mean)) / std::sqrt(2 + eps) * at(gamma) + at(beta), tolerance);
    EXPECT_EQ(at(inferred[1]), at(mean));
    EXPECT_EQ(at(inferred[2]), 2.0);
  }
}

// Terms all alike are the worst case of a running sum, whose roundings then all go the same way.
TEST(Precision, EqualTermsLoseNoMoreThanARounding) {
  for (std::int64_t k : {27, 288, 448, 1088, 1536, 2080, 3200}) {
    const Array a = Array::Full<float>(Shape{3, k}, 0.0571F), b = Array::Full<float>(Shape{k, 5}, 0.001F);
    const double want = static_cast<double>(k) * 0.0571F * 0.001F;
    EXPECT_NEAR(RunOp("MatMul", {a, b})[0].data<float>()[7] / want, 1.0, 1.2e-7) << k;
  }
}

TEST(Precision, L2LossRoundsOnce) {
  const std::int64_t n = 1'000'003;
  const Array x = RandomArray<float>(Shape{n}, 11);
  long double sum = 0;
  for (float v : x.span<float>()) sum += static_cast<long double>(v) * v;
  EXPECT_EQ(RunOp("L2Loss", {x})[0].data<float>()[0], static_cast<float>(sum / 2));
}

TEST(Precision, IntegersWrapAndMeansTruncate) {
  const Array x = Array::Of<std::int32_t>(Shape{2, 3}, {2147483647, 1, 5, -3, -4, 2});
  EXPECT_TRUE(BitwiseEqual(RunOp("Sum", {x, Axes({1})})[0], Array::Of<std::int32_t>(Shape{2}, {-2147483643, -5})));
  EXPECT_TRUE(BitwiseEqual(RunOp("Max", {x, Axes({0})})[0], Array::Of<std::int32_t>(Shape{3}, {2147483647, 1, 5})));
  const Array y = Array::Of<std::int64_t>(Shape{3}, {-5, 2, -4});
  EXPECT_EQ(RunOp("Mean", {y, Axes({0})})[0].data<std::int64_t>()[0], -2);
  EXPECT_EQ(RunOp("Prod", {y, Axes({-1})})[0].data<std::int64_t>()[0], 40);
  EXPECT_EQ(RunOp("Min", {y, Axes({0})})[0].data<std::int64_t>()[0], -5);
}

TEST(Precision, EmptyTensorsGiveNeutralElements) {
  const Array none(DType::kFloat32, Shape{0, 3}), inner(DType::kFloat32, Shape{2, 0});
  EXPECT_EQ(RunOp("Sum", {none, Axes({0})})[0].data<float>()[2], 0.0F);
  EXPECT_EQ(RunOp("Prod", {none, Axes({0})})[0].data<float>()[2], 1.0F);
  EXPECT_EQ(RunOp("Max", {none, Axes({0})})[0].data<float>()[2], -INFINITY);
  EXPECT_EQ(RunOp("Min", {none, Axes({0})})[0].data<float>()[2], INFINITY);
  EXPECT_TRUE(std::isnan(RunOp("Mean", {none, Axes({0})})[0].data<float>()[2]));
  EXPECT_EQ(RunOp("Sum", {none, Axes({1})})[0].num_elements(), 0);
  EXPECT_EQ(RunOp("L2Loss", {none})[0].data<float>()[0], 0.0F);
  EXPECT_EQ(RunOp("Softmax", {inner})[0].num_elements(), 0);
  const Array zero = RunOp("MatMul", {inner, none})[0];
  EXPECT_TRUE(BitwiseEqual(zero, Array::Full<float>(Shape{2, 3}, 0.0F)));
  EXPECT_EQ(
      RunOp("BatchMatMulV2", {Array(DType::kFloat32, Shape{0, 2, 3}), Array(DType::kFloat32, Shape{3, 4})})[0].shape(),
      (Shape{0, 2, 4}));
  const Array image(DType::kFloat32, Shape{0, 5, 5, 2}), filter = RandomArray<float>(Shape{3, 3, 2, 4}, 1);
  const AttrMap attrs{{"strides", Ints{1, 1, 1, 1}}, {"padding", std::string("SAME")}};
  EXPECT_EQ(RunOp("Conv2D", {image, filter}, attrs)[0].shape(), (Shape{0, 5, 5, 4}));
  // No input channels: sums of nothing.
  const Array flat =
      RunOp("Conv2D", {Array(DType::kFloat32, Shape{1, 2, 2, 0}), Array(DType::kFloat32, Shape{1, 1, 0, 3})}, attrs)[0];
  EXPECT_TRUE(BitwiseEqual(flat, Array::Full<float>(Shape{1, 2, 2, 3}, 0.0F)));
  const Array ones = Array::Full<float>(Shape{2}, 1.0F);
  const auto statistics = RunOp("FusedBatchNormV3", {image, ones, ones, ones, ones});
  EXPECT_TRUE(std::isnan(statistics[1].data<float>()[0]));
  EXPECT_EQ(statistics[0].shape(), image.shape());
}

TEST(Precision, NothingMultipliedByZeroIsSkipped) {
  Array a = Array::Full<float>(Shape{40, 70}, 0.0F), b = Array::Full<float>(Shape{70, 40}, 0.0F);
  a.mutable_data<float>()[5 * 70 + 66] = NAN;
  b.mutable_data<float>()[3 * 40 + 39] = INFINITY;
  const Array y = RunOp("MatMul", {a, b})[0];
  for (std::int64_t i = 0; i < 40; ++i)
    for (std::int64_t j = 0; j < 40; ++j)
      EXPECT_EQ(std::isnan(y.data<float>()[i * 40 + j]), i == 5 || j == 39) << i << "," << j;
}

TEST(Precision, MaxPoolKeepsTheOldValueUnlessTheNewOneIsGreater) {
  const Array x = Array::Of<float>(Shape{1, 1, 4, 1}, {NAN, -2.0F, NAN, NAN});
  const AttrMap attrs{{"ksize", Ints{1, 1, 2, 1}}, {"strides", Ints{1, 1, 2, 1}}, {"padding", std::string("VALID")}};
  const Array y = RunOp("MaxPool", {x}, attrs)[0];
  EXPECT_EQ(y.data<float>()[0], -2.0F);
  EXPECT_EQ(y.data<float>()[1], std::numeric_limits<float>::lowest());
}

TEST(Precision, DenormalsAreFlushed) {
  const Array x = Array::Full<float>(Shape{3}, 1e-40F);
  EXPECT_EQ(RunOp("Sum", {x, Axes({0})})[0].data<float>()[0], 0.0F);
  const Array a = Array::Full<float>(Shape{1, 3}, 1e-30F), b = Array::Full<float>(Shape{3, 1}, 1e-10F);
  EXPECT_EQ(RunOp("MatMul", {a, b})[0].data<float>()[0], 0.0F);
  const Array s = RunOp("Softmax", {Array::Of<float>(Shape{2}, {0.0F, -100.0F})})[0];
  EXPECT_EQ(s.data<float>()[1], 0.0F);
}

}  // namespace
}  // namespace equiv::test
