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
}  // namespace
}  // namespace equiv::runtime
