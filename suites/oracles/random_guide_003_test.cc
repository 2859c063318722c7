// Every number the validation guide prints about the random tool, one test each.
#include <gtest/gtest.h>

#include <optional>

#include "equiv/compare/compare.h"
#include "equiv/harness/random_tool.h"
#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/eager/eager.h"
#include "runtime/graph/graph.h"
#include "runtime/random/random_ops.h"
#include "runtime/session/session.h"

namespace equiv {
namespace {
namespace rt = runtime;

struct Three {
  Array a, b, c;
};
rt::Tensor Drawn(const Shape& shape) { return rt::RandomUniform(shape) * 3.0; }

Three InEagerMode(const std::string& mode) {
  rt::EagerContext::Get().Reset();
  DeterministicRandomTestTool tool(42, mode);
  const auto scope = tool.Scope();
  const Array a = Drawn({3, 1}).array(), b = Drawn({3, 3}).array(), c = Drawn({3, 3}).array();
  return {a, b, c};
}
Three InSessionMode(const std::string& mode) {
  rt::Graph graph;
  rt::GraphScope in_graph(graph);
  DeterministicRandomTestTool tool(42, mode);
  const auto scope = tool.Scope();
  const rt::Tensor a = Drawn({3, 1}), b = Drawn({3, 3}), c = Drawn({3, 3});
  rt::Session session(graph);
  const std::vector<Array> values = session.Run({a, b, c});
  return {values[0], values[1], values[2]};
}
// The printed decimals read back to the very bits.
void ExpectPrinted(const Array& got, const Shape& shape, std::initializer_list<float> printed) {
  const Report report = Compare(Array::Of<float>(shape, printed), got, Tolerance::Bitwise());
  EXPECT_TRUE(report.ok()) << report.ToString();
}
const std::initializer_list<float> kColumn = {2.5063772f, 2.7488918f, 1.4839486f};
const std::initializer_list<float> kConstant = {2.5063772f, 2.7488918f, 1.4839486f, 1.5633398f, 2.1358476f,
                                                1.3693532f, 0.3598416f, 1.8287641f, 2.5314465f};

class Mode : public testing::TestWithParam<bool> {
 protected:
  static Three Run(const std::string& mode) { return GetParam() ? InSessionMode(mode) : InEagerMode(mode); }
};
INSTANTIATE_TEST_SUITE_P(Guide003, Mode, testing::Bool(),
                         [](const auto& info) { return info.param ? "session" : "eager"; });

TEST_P(Mode, ConstantSeedsRepeatTheStream) {
  const Three t = Run("constant");
  ExpectPrinted(t.a, {3, 1}, kColumn);
  ExpectPrinted(t.b, {3, 3}, kConstant);
  ExpectPrinted(t.c, {3, 3}, kConstant);
}
TEST_P(Mode, NumRandomOpsTellsOpsApart) {
  const Three t = Run("num_random_ops");
  ExpectPrinted(t.a, {3, 1}, kColumn);
  ExpectPrinted(
      t.b, {3, 3},
      {0.45038545f, 1.9197761f, 2.4536333f, 1.0371652f, 2.9898582f, 1.924583f, 0.25679827f, 1.6579313f, 2.8418403f});
  ExpectPrinted(
      t.c, {3, 3},
      {2.9634383f, 1.0862181f, 2.6042497f, 0.70099247f, 2.3920312f, 1.0470468f, 0.18173039f, 0.8359269f, 1.0508587f});
}
TEST(RandomTool, TheOrderOfOpsMatters) {
  const Three forward = InEagerMode("num_random_ops");
  rt::EagerContext::Get().Reset();
  DeterministicRandomTestTool tool(42, "num_random_ops");
  const auto scope = tool.Scope();
  const Array b = Drawn({3, 3}).array(), a = Drawn({3, 1}).array();
  EXPECT_FALSE(Compare(forward.a, a, Tolerance::Allclose(1e-5, 1e-8)).ok());
  EXPECT_FALSE(Compare(forward.b, b, Tolerance::Allclose(1e-5, 1e-8)).ok());
}
TEST(RandomTool, OperationSeedCountsUp) {
  DeterministicRandomTestTool tool(42, "num_random_ops");
  const auto scope = tool.Scope();
  for (std::int64_t n = 0; n < 3; ++n) {
    EXPECT_EQ(tool.operation_seed(), n);
    rt::RandomUniform({3, 1});
  }
}
TEST(RandomTool, SettingOperationSeedMatchesAnotherOrder) {
  const Three forward = InEagerMode("num_random_ops");
  DeterministicRandomTestTool tool(42, "num_random_ops");
  const auto scope = tool.Scope();
  tool.set_operation_seed(1);
  const Array b = Drawn({3, 3}).array();
  tool.set_operation_seed(0);
  const Array a = Drawn({3, 1}).array();
  EXPECT_TRUE(BitwiseEqual(a, forward.a));
  EXPECT_TRUE(BitwiseEqual(b, forward.b));
  // Seed 1 has been taken.
  try {
    rt::RandomUniform({3, 1});
    FAIL() << "operation seed 1 was used twice";
  } catch (const ValueError& error) {
    EXPECT_STREQ(error.what(),
                 "This `DeterministicRandomTestTool` object is trying to re-use the already-used operation seed 1. It "
                 "cannot guarantee random "
                 "numbers will match between eager and sessions when an operation seed is reused. You most likely set "
                 "`operation_seed` "
                 "explicitly but used a value that caused the naturally-incrementing operation seed sequences to "
                 "overlap with an already-used "
                 "seed.");
  }
}
TEST(RandomTool, AnUnknownModeIsRefused) {
  try {
    DeterministicRandomTestTool tool(42, "random");
    FAIL();
  } catch (const ValueError& error) {
    EXPECT_STREQ(error.what(), "Mode arg must be 'constant' or 'num_random_ops'. Got: random");
  }
}
TEST(RandomTool, ExplicitSeedsAreIgnored) {
  DeterministicRandomTestTool tool(42, "num_random_ops");
  const auto scope = tool.Scope();
  ExpectPrinted((rt::RandomUniform({3, 1}, {.seed = 99}) * 3.0).array(), {3, 1}, kColumn);
}
TEST(RandomTool, ConstantModeRestartsEagerStreamsButNotASessions) {
  rt::EagerContext::Get().Reset();
  DeterministicRandomTestTool tool;
  {
    const auto scope = tool.Scope();
    EXPECT_TRUE(BitwiseEqual(Drawn({3, 1}).array(), Drawn({3, 1}).array()));
  }
  rt::Graph graph;
  rt::GraphScope in_graph(graph);
  const auto scope = tool.Scope();
  const rt::Tensor a = Drawn({3, 1});
  rt::Session session(graph);
  const Array first = session.Run(a), second = session.Run(a);
  ExpectPrinted(first, {3, 1}, kColumn);
  EXPECT_FALSE(BitwiseEqual(first, second));
}
}  // namespace
}  // namespace equiv
