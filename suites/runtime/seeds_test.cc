#include "runtime/random/seeds.h"

#include <gtest/gtest.h>

#include "kernels/base/array.h"
#include "kernels/base/error.h"
#include "kernels/base/thread_pool.h"
#include "runtime/core/ops.h"
#include "runtime/eager/eager.h"
#include "runtime/random/initializers.h"
#include "runtime/random/random_ops.h"

namespace equiv::runtime {
namespace {
class Seeds : public testing::Test {
 protected:
  void SetUp() override { EagerContext::Get().Reset(); }
};

TEST_F(Seeds, EagerStreamsContinueUntilTheSeedIsSet) {
  SetRandomSeed(42);
  const Array first = RandomUniform({3}, {.seed = 1}).array(), second = RandomUniform({3}, {.seed = 1}).array();
  EXPECT_FALSE(BitwiseEqual(first, second));
  SetRandomSeed(42);
  EXPECT_TRUE(BitwiseEqual(RandomUniform({3}, {.seed = 1}).array(), first));
}
TEST_F(Seeds, KerasInitialisersTakeTheirOwnSeeds) {
  SetKerasRandomSeed(42);
  EXPECT_EQ(NextKerasSeed(), 686579304);
  EXPECT_EQ(NextKerasSeed(), 119540832);
  const Initializer glorot = keras::GlorotUniform();
  EXPECT_TRUE(BitwiseEqual(glorot.make(Shape{3, 3}, DType::kFloat32).array(),
                           glorot.make(Shape{3, 3}, DType::kFloat32).array()));
}
TEST_F(Seeds, ThreadsDoNotChangeTheNumbers) {
  std::vector<Array> draws;
  for (int threads : {1, 2, 5}) {
    ThreadPool::SetDefaultThreads(threads);
    SetRandomSeed(7);
    draws.push_back(TruncatedNormal({300001}, {.seed = 3}).array());
  }
  ThreadPool::SetDefaultThreads(2);
  EXPECT_TRUE(BitwiseEqual(draws[0], draws[1]));
  EXPECT_TRUE(BitwiseEqual(draws[0], draws[2]));
}
TEST_F(Seeds, IntegersNeedARange) {
  EXPECT_THROW(RandomUniform({2}, {.dtype = DType::kInt32}), ValueError);
  EXPECT_THROW(RandomUniform({2}, {.minval = 5, .maxval = 5, .dtype = DType::kInt32}), InvalidArgumentError);
}
TEST_F(Seeds, InitialisersCheckTheirArguments) {
  EXPECT_THROW(VarianceScaling({.scale = 0}), ValueError);
  EXPECT_THROW(VarianceScaling({.mode = "fan_out_in"}), ValueError);
  EXPECT_THROW(OrthogonalInitializer().make(Shape{3}, DType::kFloat32), ValueError);
}
}  // namespace
}  // namespace equiv::runtime
