#include "runtime/variables/variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/layers/slim.h"
#include "runtime/session/session.h"

namespace equiv::runtime {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;

class VariablesTest : public testing::Test {
 protected:
  Graph graph_;
  GraphScope scope_{graph_};
};
template <class F>
std::string ValueErrorText(F&& f) {
  try {
    f();
  } catch (const ValueError& e) {
    return e.what();
  }
  return "no ValueError";
}
std::vector<std::string> Names(const std::vector<Variable>& variables) {
  std::vector<std::string> names;
  for (const Variable& v : variables) names.push_back(v.name());
  return names;
}

TEST_F(VariablesTest, ScopesMakeNamesAndReuseFindsThem) {
  Variable first, second;
  {
    VariableScope a("a");
    VariableScope b("b");
    first = GetVariable("w", {.shape = PartialShape{2}});
  }
  {
    VariableScope a("a", {.reuse = Reuse::kTrue});
    VariableScope b("b");
    second = GetVariable("w", {.shape = PartialShape{2}});
  }
  EXPECT_EQ(first.name(), "a/b/w:0");
  EXPECT_EQ(first.handle(), second.handle());
}
TEST_F(VariablesTest, TheSameNameTwiceIsAnError) {
  GetVariable("w", {.shape = PartialShape{2}});
  EXPECT_THAT(ValueErrorText([] { GetVariable("w", {.shape = PartialShape{2}}); }),
              HasSubstr("Variable w already exists, disallowed."));
}
TEST_F(VariablesTest, SharingChecksShapeAndDtype) {
  GetVariable("w", {.shape = PartialShape{2}});
  VariableScope again("", {.reuse = Reuse::kAuto});
  EXPECT_THAT(ValueErrorText([] { GetVariable("w", {.shape = PartialShape{3}}); }),
              HasSubstr("specified shape (3,) and found shape (2,)"));
}
TEST_F(VariablesTest, CollectionsFollowTrainable) {
  GetVariable("a", {.shape = PartialShape{1}});
  GetVariable("b", {.shape = PartialShape{1}, .trainable = false});
  EXPECT_THAT(Names(GlobalVariables()), ElementsAre("a:0", "b:0"));
  EXPECT_THAT(Names(TrainableVariables()), ElementsAre("a:0"));
}
TEST_F(VariablesTest, SlimNamesWeightsAndBatchNorm) {
  const Tensor x = Placeholder(DType::kFloat32, PartialShape{1, 8, 8, 3});
  slim::Conv2d(x, 4, 3, {.normalizer = slim::BatchNormParams{.scale = true}, .scope = "c"});
  slim::Conv2d(x, 4, 3, {.scope = "d"});
  EXPECT_THAT(Names(GlobalVariables()),
              ElementsAre("c/weights:0", "c/BatchNorm/gamma:0", "c/BatchNorm/beta:0", "c/BatchNorm/moving_mean:0",
                          "c/BatchNorm/moving_variance:0", "d/weights:0", "d/biases:0"));
  EXPECT_EQ(UpdateOps().size(), 2u);
}
TEST_F(VariablesTest, ArgScopeNestsAndExplicitArgumentsWin) {
  const Tensor x = Placeholder(DType::kFloat32, PartialShape{1, 8, 8, 3});
  slim::ArgScope outer({.conv2d = {.stride = 2, .padding = "VALID"}});
  slim::ArgScope inner({.conv2d = {.stride = 1}});
  EXPECT_EQ(slim::Conv2d(x, 4, 3, {.scope = "c"}).shape(), PartialShape({1, 6, 6, 4}));
  EXPECT_EQ(slim::Conv2d(x, 4, 3, {.padding = "SAME", .scope = "d"}).shape(), PartialShape({1, 8, 8, 4}));
}

// One bad input each; the kinds of error are TensorFlow 2.15.1's.
TEST_F(VariablesTest, IllegalNamesAreRefused) {
  EXPECT_THAT(ValueErrorText([] { GetVariable("a b", {.shape = PartialShape{2}}); }),
              HasSubstr("'a b' is not a valid scope name"));
  EXPECT_THAT(ValueErrorText([] { VariableScope scope("?x"); }), HasSubstr("'?x' is not a valid scope name"));
  EXPECT_THAT(ValueErrorText([] { NameScope scope("a b"); }), HasSubstr("'a b' is not a valid scope name"));
  NameScope legal("a");
  EXPECT_EQ(legal.path(), "a");  // a refused scope leaves nothing open
}
TEST_F(VariablesTest, ShapesMustBeKnownAndNotNegative) {
  EXPECT_THAT(ValueErrorText([] { GetVariable("n", {.shape = PartialShape{-1}}); }),
              HasSubstr("`shape` should be fully defined"));
  EXPECT_THAT(ValueErrorText([] {
                GetVariable("n", {.shape = PartialShape{-3, 2}});
              }),
              HasSubstr("Dimension -3 must be >= 0"));
  EXPECT_TRUE(GlobalVariables().empty());
}
TEST_F(VariablesTest, DtypesDoNotMix) {
  GetVariable("n", {.shape = PartialShape{2}});
  VariableScope again("", {.reuse = Reuse::kTrue});
  EXPECT_THAT(ValueErrorText([] { GetVariable("n", {.shape = PartialShape{2}, .dtype = DType::kFloat64}); }),
              HasSubstr("Trying to share variable n, but specified dtype float64 and found dtype float32"));
  try {
    Constant(1.0F) + ScalarConstant(1.0, DType::kFloat64);
    FAIL() << "float32 and float64 were added";
  } catch (const TypeError& e) {
    EXPECT_THAT(e.what(), HasSubstr("has type float64 that does not match type float32 of argument 'x'"));
  }
}
TEST_F(VariablesTest, TensorsOfAnotherGraphAreRefused) {
  const Tensor foreign = Constant(1.0F);
  const Variable variable = GetVariable("n", {.shape = PartialShape{2}});
  Graph other;
  GraphScope scope(other);
  EXPECT_THAT(ValueErrorText([&] { Constant(2.0F) + foreign; }), HasSubstr("must be from the same graph"));
  EXPECT_THAT(ValueErrorText([&] { variable.Read(); }), HasSubstr("must be from the same graph"));
}
TEST_F(VariablesTest, AFinalizedGraphTakesNoVariable) {
  graph_.Finalize();
  try {
    GetVariable("n", {.shape = PartialShape{2}});
    FAIL() << "a finalized graph took a variable";
  } catch (const RuntimeError& e) {
    EXPECT_THAT(e.what(), HasSubstr("Graph is finalized and cannot be modified"));
  }
}
}  // namespace
}  // namespace equiv::runtime
