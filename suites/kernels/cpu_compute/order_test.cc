// One order of additions per element: the same bits at any number of threads, on any instruction set, anywhere in a
// matrix; and TensorFlow's order where it is known.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "kernels/cpu/gemm.h"
#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {
namespace {

AttrMap Conv(const std::string& padding, std::int64_t stride = 1, std::int64_t dilation = 1) {
  return {{"strides", Ints{1, stride, stride, 1}}, {"dilations", Ints{1, dilation, dilation, 1}}, {"padding", padding}};
}
AttrMap Window(const std::string& padding, std::int64_t size, std::int64_t stride) {
  return {{"ksize", Ints{1, size, size, 1}}, {"strides", Ints{1, stride, stride, 1}}, {"padding", padding}};
}

struct Job {
  std::string name, op;
  std::vector<Array> inputs;
  AttrMap attrs;
};
template <class T>
std::vector<Job> Jobs() {
  auto random = [seed = 0U](std::initializer_list<std::int64_t> dims) mutable {
    return RandomArray<T>(Shape(dims), ++seed);
  };
  const Array image = random({2, 35, 33, 48});
  std::vector<Job> jobs;
  jobs.push_back({"conv 3x3", "Conv2D", {image, random({3, 3, 48, 80})}, Conv("SAME")});
  jobs.push_back({"conv 3x3 stride 2", "Conv2D", {image, random({3, 3, 48, 33})}, Conv("VALID", 2)});
  jobs.push_back({"conv dilated, grouped", "Conv2D", {image, random({3, 2, 12, 20})}, Conv("SAME", 1, 2)});
  jobs.push_back({"conv 1x1", "Conv2D", {image, random({1, 1, 48, 200})}, Conv("SAME")});
  jobs.push_back({"conv to one cell", "Conv2D", {random({1, 5, 5, 128}), random({5, 5, 128, 300})}, Conv("VALID")});
  jobs.push_back({"depthwise", "DepthwiseConv2dNative", {image, random({3, 3, 48, 2})}, Conv("SAME")});
  jobs.push_back({"matmul", "MatMul", {random({131, 700}), random({700, 259})}, {}});
  jobs.push_back({"matmul transposed",
                  "MatMul",
                  {random({700, 131}), random({259, 700})},
                  {{"transpose_a", true}, {"transpose_b", true}}});
  jobs.push_back({"batch matmul", "BatchMatMulV2", {random({4, 1, 20, 300}), random({3, 300, 40})}, {}});
  jobs.push_back({"max pool", "MaxPool", {image}, Window("SAME", 3, 2)});
  jobs.push_back({"avg pool", "AvgPool", {image}, Window("SAME", 3, 1)});
  jobs.push_back({"bias", "BiasAdd", {image, random({48})}, {}});
  jobs.push_back({"batch norm",
                  "FusedBatchNormV3",
                  {image, random({48}), random({48}), random({48}), random({48})},
                  {{"exponential_avg_factor", 0.25F}}});
  jobs.push_back({"sum", "Sum", {random({300001}), Axes({0})}, {}});
  jobs.push_back({"mean over the image", "Mean", {image, Axes({1, 2})}, {}});
  jobs.push_back({"sum of rows", "Sum", {random({500, 9000}), Axes({1})}, {}});
  jobs.push_back({"sum of columns", "Sum", {random({5000, 203}), Axes({0})}, {}});
  jobs.push_back({"sum around", "Sum", {random({20, 300, 30}), Axes({0, 2})}, {}});
  jobs.push_back({"sum turned", "Sum", {random({6, 7, 8, 9}), Axes({0, 2})}, {}});
  jobs.push_back({"l2 loss", "L2Loss", {random({100003})}, {}});
  jobs.push_back({"softmax", "Softmax", {random({200, 1001})}, {}});
  jobs.push_back({"log softmax", "LogSoftmax", {random({200, 1001})}, {}});
  return jobs;
}

template <class T>
class OrderOf : public testing::Test {};
using Floating = testing::Types<float, double>;
TYPED_TEST_SUITE(OrderOf, Floating);

TYPED_TEST(OrderOf, DoesNotDependOnThreads) {
  for (const Job& job : Jobs<TypeParam>()) {
    const auto one = RunOp(job.op, job.inputs, job.attrs, 1);
    for (int threads : {2, 3}) {
      const auto many = RunOp(job.op, job.inputs, job.attrs, threads);
      for (std::size_t i = 0; i < one.size(); ++i)
        EXPECT_TRUE(BitwiseEqual(one[i], many[i])) << job.name << ", output " << i << ", " << threads << " threads";
    }
  }
}

TYPED_TEST(OrderOf, DoesNotDependOnTheInstructionSet) {
  const auto sets = cpu::GemmInstructionSets();
  ASSERT_EQ(sets.back(), "baseline");
  for (const Job& job : Jobs<TypeParam>()) {
    cpu::UseGemmInstructionSet(sets.front());
    const Array best = RunOp(job.op, job.inputs, job.attrs)[0];
    for (const std::string& set : sets) {
      cpu::UseGemmInstructionSet(set);
      EXPECT_TRUE(BitwiseEqual(best, RunOp(job.op, job.inputs, job.attrs)[0])) << job.name << " with " << set;
    }
  }
  cpu::UseGemmInstructionSet(sets.front());
}

TYPED_TEST(OrderOf, DoesNotDependOnThePlaceInTheMatrix) {
  const std::int64_t m = 117, k = 777, n = 301;
  const Array a = RandomArray<TypeParam>(Shape{m, k}, 1), b = RandomArray<TypeParam>(Shape{k, n}, 2);
  const Array whole = RunOp("MatMul", {a, b})[0];
  for (const auto& [i, j] : {std::pair<std::int64_t, std::int64_t>{0, 0}, {116, 300}, {97, 256}, {55, 127}, {96, 31}}) {
    Array row(a.dtype(), Shape{1, k}), column(a.dtype(), Shape{k, 1});
    for (std::int64_t p = 0; p < k; ++p) {
      row.template mutable_data<TypeParam>()[p] = a.template data<TypeParam>()[i * k + p];
      column.template mutable_data<TypeParam>()[p] = b.template data<TypeParam>()[p * n + j];
    }
    EXPECT_EQ(RunOp("MatMul", {row, column})[0].template data<TypeParam>()[0],
              whole.template data<TypeParam>()[i * n + j]);
  }
  // A transposed operand holds the same products.
  Array turned(a.dtype(), Shape{k, m});
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t p = 0; p < k; ++p)
      turned.template mutable_data<TypeParam>()[p * m + i] = a.template data<TypeParam>()[i * k + p];
  EXPECT_TRUE(BitwiseEqual(whole, RunOp("MatMul", {turned, b}, {{"transpose_a", true}})[0]));
}

// A convolution, the product of the same patches, and one image of a batch have the same bits.
TEST(Order, ConvolutionIsTheMatrixProductOfItsPatches) {
  const Array image = RandomArray<float>(Shape{3, 9, 10, 37}, 3), filter = RandomArray<float>(Shape{3, 3, 37, 50}, 4);
  const Array y = RunOp("Conv2D", {image, filter}, Conv("SAME"))[0];
  Array patches = Array::Full<float>(Shape{270, 333}, 0.0F);
  for (std::int64_t i = 0; i < 270; ++i)
    for (std::int64_t p = 0; p < 333; ++p) {
      const std::int64_t iy = i / 10 % 9 - 1 + p / 111, ix = i % 10 - 1 + p / 37 % 3;
      if (iy >= 0 && iy < 9 && ix >= 0 && ix < 10)
        patches.mutable_data<float>()[i * 333 + p] = image.data<float>()[((i / 90 * 9 + iy) * 10 + ix) * 37 + p % 37];
    }
  const Array product = RunOp("MatMul", {patches, filter.Reshaped(Shape{333, 50})})[0];
  EXPECT_TRUE(BitwiseEqual(y.Reshaped(product.shape()), product));
}

// x[0..n) by the rule for consecutive values, written out once more in the plainest way.
float SumByTheRule(const float* x, std::int64_t n) {
  if (n > 8192) {
    const std::int64_t left = 8 * (((n + 1) / 2 + 7) / 8);
    return SumByTheRule(x, left) + SumByTheRule(x + left, n - left);
  }
  float lanes[4][8] = {}, tail = 0;
  const std::int64_t unrolled = n / 32 * 32, packets = n / 8 * 8;
  for (std::int64_t i = 0; i < unrolled; ++i) lanes[i / 8 % 4][i % 8] += x[i];
  float a[8];
  for (int j = 0; j < 8; ++j) a[j] = ((lanes[0][j] + lanes[1][j]) + lanes[2][j]) + lanes[3][j];
  for (std::int64_t i = unrolled; i < packets; ++i) a[i % 8] += x[i];
  for (std::int64_t i = packets; i < n; ++i) tail += x[i];
  return tail + (((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7])));
}

TEST(Order, SumsOfLongVectorsFollowTensorFlow) {
  for (std::int64_t n : {8192, 8193, 9000, 16384, 20001, 100003}) {
    const Array x = RandomArray<float>(Shape{n}, static_cast<unsigned>(n));
    EXPECT_EQ(RunOp("Sum", {x, Axes({0})})[0].data<float>()[0], SumByTheRule(x.data<float>(), n)) << n;
  }
}

// Columns of [rows, columns], at least two (one column is a vector): packets of eight with four accumulators from 16
// rows on, the rest straight down.
TEST(Order, SumsOfColumnsFollowTensorFlow) {
  for (std::int64_t rows : {1, 15, 16, 19, 300})
    for (std::int64_t columns : {2, 7, 8, 37, 200}) {
      const Array x = RandomArray<float>(Shape{rows, columns}, static_cast<unsigned>(rows * 1000 + columns));
      const Array y = RunOp("Sum", {x, Axes({0})})[0];
      for (std::int64_t c = 0; c < columns; ++c) {
        float acc[4] = {}, sum = 0;
        std::int64_t row = 0;
        if (rows >= 16 && c < columns / 8 * 8) {
          for (; row < rows / 4 * 4; ++row) acc[row % 4] += x.data<float>()[row * columns + c];
          sum = ((acc[0] + acc[1]) + acc[2]) + acc[3];
        }
        for (; row < rows; ++row) sum += x.data<float>()[row * columns + c];
        EXPECT_EQ(y.data<float>()[c], sum) << rows << " x " << columns << " column " << c;
      }
    }
}

// Statistics of a batch are column sums times 1/N; the saved ones are what y was made with.
TEST(Order, BatchNormStatisticsAreColumnSums) {
  const std::int64_t rows = 2 * 7 * 5, depth = 19;
  const Array x = RandomArray<float>(Shape{2, 7, 5, depth}, 5);
  const Array gamma = RandomArray<float>(Shape{depth}, 6), beta = RandomArray<float>(Shape{depth}, 7);
  const Array none(DType::kFloat32, Shape{0});
  const auto out = RunOp("FusedBatchNormV3", {x, gamma, beta, none, none}, {{"epsilon", 0.001F}});
  const Array sum = RunOp("Sum", {x.Reshaped(Shape{rows, depth}), Axes({0})})[0];
  const float inverse = 1.0F / static_cast<float>(rows);
  Array squares(DType::kFloat32, Shape{rows, depth});
  for (std::int64_t i = 0; i < rows * depth; ++i) {
    const float centred = x.data<float>()[i] - sum.data<float>()[i % depth] * inverse;
    squares.mutable_data<float>()[i] = centred * centred;
  }
  const Array square_sum = RunOp("Sum", {squares, Axes({0})})[0];
  for (std::int64_t c = 0; c < depth; ++c) {
    const float mean = sum.data<float>()[c] * inverse, variance = square_sum.data<float>()[c] * inverse;
    EXPECT_EQ(out[1].data<float>()[c], mean);
    EXPECT_EQ(out[3].data<float>()[c], mean);
    EXPECT_EQ(out[4].data<float>()[c], variance);
    EXPECT_EQ(out[2].data<float>()[c], variance * (70.0F / 69.0F));
    const float factor = (1.0F / std::sqrt(variance + 0.001F)) * gamma.data<float>()[c];
    EXPECT_EQ(out[0].data<float>()[c], (x.data<float>()[c] - mean) * factor + beta.data<float>()[c]);
  }
}

// In place when nobody else holds the input, never otherwise.
TEST(Order, ElementwiseKernelsTakeOverAnInputNobodyElseHolds) {
  const Array bias = RandomArray<float>(Shape{8}, 9);
  std::vector<Array> inputs{RandomArray<float>(Shape{4, 8}, 8), bias};
  const std::byte* memory = inputs[0].raw();
  const Array kept = inputs[0].Copy();
  const Array y = RunOp("BiasAdd", std::move(inputs))[0];
  EXPECT_EQ(y.raw(), memory);
  const Array z = RunOp("BiasAdd", {kept, bias})[0];
  EXPECT_NE(z.raw(), kept.raw());
  EXPECT_TRUE(BitwiseEqual(y, z));
}

}  // namespace
}  // namespace equiv::test
