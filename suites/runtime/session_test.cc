#include "runtime/session/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/graph/graph.h"
#include "runtime/random/random_ops.h"
#include "runtime/variables/variables.h"

namespace equiv::runtime {
namespace {
using testing::HasSubstr;

class SessionTest : public testing::Test {
 protected:
  Graph graph_;
  GraphScope scope_{graph_};
};
template <class E, class F>
std::string Text(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "no such error";
}
float ScalarOf(const Array& a) { return a.data<float>()[0]; }

TEST_F(SessionTest, FeedsReplaceAnyTensor) {
  const Tensor x = Placeholder(DType::kFloat32, PartialShape{2}), y = x * 2.0, z = y + 1.0;
  Session session(graph_);
  EXPECT_EQ(session.Run(z, {{x, Array::Of<float>({2}, {1, 2})}}).data<float>()[1], 5);
  EXPECT_EQ(session.Run(z, {{y, Array::Of<float>({2}, {10, 20})}}).data<float>()[1], 21);
}
TEST_F(SessionTest, AnUnfedPlaceholderIsNamed) {
  const Tensor x = Placeholder(DType::kFloat32, PartialShape{2}, "images");
  const Tensor y = x + 1.0;
  Session session(graph_);
  EXPECT_THAT(Text<InvalidArgumentError>([&] { session.Run(y); }), HasSubstr("images"));
}
TEST_F(SessionTest, AFeedMustFit) {
  const Tensor x = Placeholder(DType::kFloat32, PartialShape{-1, 3}, "x");
  Session session(graph_);
  EXPECT_THAT(Text<ValueError>([&] {
                session.Run(x, {{x, Array::Of<float>({2, 2}, {1, 2, 3, 4})}});
              }),
              HasSubstr("Cannot feed value of shape (2, 2) for Tensor x:0, which has shape (None, 3)"));
  // As numpy.asarray does: numbers are converted, other things are not.
  EXPECT_EQ(session.Run(x, {{x, Array::Of<double>({1, 3}, {1, 2, 3})}}).dtype(), DType::kFloat32);
  EXPECT_THROW(session.Run(x, {{x, Array::Strings({1, 3}, {"a", "b", "c"})}}), TypeError);
}
TEST_F(SessionTest, AnUninitialisedVariableIsNamed) {
  const Variable v = GetVariable("a/w", {.initial_value = Constant(3.0f)});
  Session session(graph_);
  EXPECT_THAT(Text<FailedPreconditionError>([&] { session.Run(v.value()); }), HasSubstr("a/w"));
  session.Run(GlobalVariablesInitializer());
  EXPECT_EQ(ScalarOf(session.Run(v.value())), 3);
  Session other(graph_);  // variables belong to a session
  EXPECT_THROW(other.Run(v.value()), FailedPreconditionError);
}
TEST_F(SessionTest, OnlyWhatAFetchNeedsRuns) {
  const Variable v = GetVariable("v", {.initial_value = Constant(1.0f)});
  v.Assign(Constant(7.0f));  // not fetched
  Session session(graph_);
  session.Run(GlobalVariablesInitializer());
  EXPECT_EQ(ScalarOf(session.Run(v.value())), 1);
}
TEST_F(SessionTest, ControlDependenciesRunFirst) {
  const Variable v = GetVariable("v", {.initial_value = Constant(1.0f)});
  Node* assign = v.Assign(Constant(7.0f));
  Tensor after;
  {
    ControlDependencies wait({assign});
    after = v.Read();
  }
  Session session(graph_);
  session.Run(GlobalVariablesInitializer());
  EXPECT_EQ(ScalarOf(session.Run(after)), 7);
}
TEST_F(SessionTest, ANodeFetchedTwiceRunsOnceAndRunsGoOn) {
  const Tensor u = RandomUniform({4}, {.seed = 1});
  Session session(graph_), fresh(graph_);
  const std::vector<Array> both = session.Run({u, u});
  EXPECT_TRUE(BitwiseEqual(both[0], both[1]));
  const Array second = session.Run(u);
  EXPECT_FALSE(BitwiseEqual(both[0], second));
  EXPECT_TRUE(BitwiseEqual(fresh.Run(u), both[0]));  // another session starts again
}
TEST_F(SessionTest, AFinalizedGraphTakesNoMore) {
  Constant(1.0f);
  graph_.Finalize();
  EXPECT_THAT(Text<RuntimeError>([] { Constant(2.0f); }), HasSubstr("finalized"));
}
TEST_F(SessionTest, BadShapesFailWhileBuilding) {
  const Tensor x = Placeholder(DType::kFloat32, PartialShape{1, 5, 5, 3});
  const Tensor w = Constant(Array::Full<float>({3, 3, 4, 8}, 0.0f));
  EXPECT_THAT(Text<ValueError>([&] { Conv2D(x, w, {}, "bad_conv"); }), HasSubstr("[Conv2D] 'bad_conv'"));
  EXPECT_THROW(MatMul(Constant(Array::Full<float>({2, 3}, 0.0f)), Constant(Array::Full<float>({2, 3}, 0.0f))),
               ValueError);
  EXPECT_THROW(Reshape(x, {7}), ValueError);
  EXPECT_THROW(Concat({x, w}, 0), ValueError);
}
TEST_F(SessionTest, ATensorOfAnotherGraphIsRefused) {
  Graph other;
  Tensor foreign;
  {
    GraphScope in_other(other);
    foreign = Constant(1.0f);
  }
  EXPECT_THROW(foreign + 1.0, ValueError);
  Session session(graph_);
  EXPECT_THROW(session.Run(foreign), ValueError);
}
TEST_F(SessionTest, NamesAreMadeUnique) {
  EXPECT_EQ(Constant(1.0f, "c").node()->name(), "c");
  EXPECT_EQ(Constant(1.0f, "c").node()->name(), "c_1");
  NameScope s("s");
  EXPECT_EQ(Constant(1.0f, "c").node()->name(), "s/c");
}
}  // namespace
}  // namespace equiv::runtime
