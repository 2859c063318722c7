#include "equiv/compare/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <limits>

#include "kernels/base/error.h"
#include "kernels/base/thread_pool.h"

namespace equiv {
namespace {
constexpr float kInf = std::numeric_limits<float>::infinity();

TEST(Statistics, OfFiniteElements) {
  const Statistics s = ComputeStatistics(Array::Of<float>({7}, {1, 2, 3, -0.0f, std::nanf(""), kInf, -kInf}));
  EXPECT_EQ(s.elements, 7);
  EXPECT_EQ(s.finite, 4);
  EXPECT_EQ(s.nan, 1);
  EXPECT_EQ(s.inf, 2);
  EXPECT_EQ(s.zeros, 1);
  EXPECT_EQ(s.min, 0);
  EXPECT_EQ(s.max, 3);
  EXPECT_DOUBLE_EQ(s.mean, 1.5);
  EXPECT_DOUBLE_EQ(s.std, std::sqrt(1.25));
}
TEST(Statistics, ALargeMeanDoesNotDrownTheDeviation) {
  Array a(DType::kFloat64, {100000});
  for (std::int64_t i = 0; i < 100000; ++i) a.mutable_data<double>()[i] = 1e9 + static_cast<double>(i % 2);
  for (const int threads : {1, 3}) {
    ThreadPool::SetDefaultThreads(threads);
    const Statistics s = ComputeStatistics(a);
    EXPECT_NEAR(s.mean, 1e9 + 0.5, 1e-5);
    EXPECT_NEAR(s.std, 0.5, 1e-7);
  }
  ThreadPool::SetDefaultThreads(2);
}
TEST(Statistics, TheLargestNumbersDoNotOverflow) {
  constexpr double kMax = std::numeric_limits<double>::max();
  EXPECT_DOUBLE_EQ(ComputeStatistics(Array::Of<double>({3}, {kMax, kMax, kMax})).mean, kMax);
}
TEST(Statistics, IntegersAreExact) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min(),
                         kMax = std::numeric_limits<std::int64_t>::max();
  const Statistics s = ComputeStatistics(Array::Of<std::int64_t>({2}, {kMin, kMax}));
  EXPECT_TRUE(s.integer);
  EXPECT_TRUE(s.integer_min == kMin && s.integer_max == kMax);
  const Statistics u = ComputeStatistics(Array::Of<std::uint64_t>({1}, {std::numeric_limits<std::uint64_t>::max()}));
  EXPECT_TRUE(u.integer_max == std::numeric_limits<std::uint64_t>::max());
}
TEST(Statistics, OfOtherKinds) {
  const Statistics empty = ComputeStatistics(Array::Of<float>({0, 3}, {}));
  EXPECT_EQ(empty.elements, 0);
  EXPECT_TRUE(std::isnan(empty.min) && std::isnan(empty.mean));
  const Statistics strings = ComputeStatistics(Array::Strings({3}, {"", "ab", "abcd"}));
  EXPECT_EQ(strings.zeros, 1);
  EXPECT_EQ(strings.max, 4);
  EXPECT_EQ(strings.mean, 2);
  const Statistics flags = ComputeStatistics(Array::Of<bool>({4}, {true, false, true, true}));
  EXPECT_EQ(flags.mean, 0.75);
  EXPECT_FALSE(flags.integer);
  Array z(DType::kComplex64, {2});
  const std::complex<float> values[] = {{3, -4}, {0, 0}};
  std::memcpy(z.raw(), values, sizeof values);
  EXPECT_EQ(ComputeStatistics(z).max, 5);
  EXPECT_EQ(ComputeStatistics(z).zeros, 1);
  EXPECT_THROW(ComputeStatistics(Array::Resource(std::shared_ptr<Variable>())), UnimplementedError);
}
}  // namespace
}  // namespace equiv
