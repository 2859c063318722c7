// A graph read from a file as one side of a check.
#include "equiv/harness/graph_side.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equiv/equiv.h"
#include "kernels/base/error.h"
#include "kernels/io/file.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/eager/eager.h"
#include "runtime/graph/graph_def.h"

namespace equiv {
namespace {
namespace rt = runtime;
using testing::AllOf;
using testing::HasSubstr;

rt::Tensor Ramp() {
  std::vector<float> v(8 * 20);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = 0.01f * static_cast<float>(i % 37) - 0.1f;
  return rt::Tensor(Array::Of<float>({8, 20}, v));
}
// Two layers with dropout between them; the second output is the first layer's.
rt::Outputs Model(const rt::CallArgs& args) {
  rt::VariableScope scope("net");
  const auto weight = [](const char* name, std::int64_t in, std::int64_t out) {
    return rt::GetVariable(
        name, {.shape = PartialShape{in, out}, .initializer = rt::GlorotUniform(), .regularizer = rt::L2(0.1)});
  };
  rt::Tensor hidden = rt::MatMul(args.inputs.at(0), weight("w1", 20, 10));
  if (args.training.value_or(false)) hidden = rt::slim::Dropout(hidden, {.keep_prob = 0.5, .is_training = true});
  hidden = rt::Identity(hidden, "hidden");
  rt::Outputs outputs(rt::MatMul(hidden, weight("w2", 10, 3)));
  outputs.end_points.emplace_back("hidden", hidden);
  return outputs;
}

class GraphSideTest : public testing::Test {
 protected:
  void SetUp() override { rt::EagerContext::Get().Reset(); }
  // The model's graph in a file; returns the path. A checkpoint of it is at "ckpt".
  std::string Export(const std::string& name, bool training = false) {
    rt::Graph graph;
    rt::GraphScope scope(graph);
    const rt::Tensor x = rt::Placeholder(DType::kFloat32, PartialShape{-1, 20}, "x");
    const rt::Outputs outputs = Model({{x}, training});
    rt::Identity(outputs.output, "logits");
    rt::Session session(graph);
    session.Run(rt::GlobalVariablesInitializer());
    rt::Saver().Save(&session, folder_ / "ckpt", {.write_meta_graph = false, .write_state = false});
    if (name.ends_with(".meta")) {
      rt::ExportMetaGraph(graph, folder_ / name);
      return folder_ / name;
    }
    return rt::WriteGraph(graph, folder_.path(), name, name.ends_with(".pbtxt"));
  }
  static GraphOptions Named(bool trains = false) {
    return {.outputs = {{"output", "logits"}, {"hidden", "net/hidden"}}, .trains = trains};
  }
  template <class F>
  static std::string ErrorOf(F&& run) {
    try {
      run();
    } catch (const Error& error) {
      return error.Describe();
    }
    return "no error";
  }
  io::TemporaryFolder folder_;
};

TEST_F(GraphSideTest, EveryFormAgreesWithEager) {
  for (const char* name : {"model.meta", "model.pb", "model.pbtxt"}) {
    const std::string file = Export(name);
    // Only a MetaGraphDef knows the regularisation losses and which variables are trainable.
    const SidePtr graph = FromGraphDef(file, "", Named());
    if (std::string(name) == "model.meta") {
      EXPECT_NUMERICALLY_EQUIVALENT(
          graph, InEager(Model),
          {.inputs = {Ramp()}, .stages = {"step2", "step3", "step3b-name-based", "step4-inference"}});
    } else {
      const Verdict verdict =
          CheckEquivalence(*graph, *graph, {.inputs = {Ramp()}, .stages = {"step3b-name-based", "step4-inference"}});
      EXPECT_EQ(verdict.outcome, Outcome::kEquivalent) << verdict.FailureText();
      EXPECT_EQ(verdict.stages[0].expected->outputs.size(), 2U);
    }
  }
}

TEST_F(GraphSideTest, StartsFromItsCheckpoint) {
  const std::string file = Export("model.meta");
  const Recording run = FromGraphDef(file, folder_ / "ckpt")->Run({.inputs = {Ramp().array()}});
  const Recording eager = InEager(Model)->Run({.inputs = {Ramp().array()}, .checkpoint = folder_ / "ckpt"});
  ASSERT_EQ(run.outputs.size(), 1U);
  EXPECT_TRUE(BitwiseEqual(run.outputs[0].array, eager.outputs[0].array));
  EXPECT_EQ(run.variables[0].name, "net/w1:0");
  EXPECT_TRUE(BitwiseEqual(run.variables[0].value, eager.variables[0].value));
  EXPECT_TRUE(BitwiseEqual(run.total_loss, eager.total_loss));
}

TEST_F(GraphSideTest, RandomNumbersAreAligned) {
  const std::string file = Export("model.meta", /*training=*/true);
  EXPECT_NUMERICALLY_EQUIVALENT(FromGraphDef(file, "", Named(true)), InEager(Model),
                                {.inputs = {Ramp()}, .stages = {"step4-training", "step4b-name-based"}});
}

TEST_F(GraphSideTest, AnErrorInTheWeightsIsFound) {
  const std::string file = Export("model.meta");
  const auto scaled = [](const rt::CallArgs& args) {
    rt::Outputs outputs = Model(args);
    outputs.output = outputs.output * 1.001;
    return outputs;
  };
  const Verdict verdict = CheckEquivalence(*FromGraphDef(file, "", Named()), *InEager(scaled),
                                           {.inputs = {Ramp()}, .stages = {"step3b-name-based"}});
  EXPECT_EQ(verdict.outcome, Outcome::kDifferent);
  EXPECT_THAT(verdict.FailureText(), HasSubstr("output 'output'"));
}

TEST_F(GraphSideTest, RefusesWhatCannotBeTold) {
  const std::string file = Export("model.meta");
  const auto run = [&](const GraphOptions& options, std::vector<Array> inputs, bool training = false) {
    return ErrorOf([&] { FromGraphDef(file, "", options)->Run({.inputs = std::move(inputs), .training = training}); });
  };
  const Array x = Ramp().array();
  EXPECT_EQ(run({}, {x}), "no error") << "one placeholder, one final tensor";
  EXPECT_THAT(run({}, {x, x}), AllOf(HasSubstr("InvalidArgumentError"), HasSubstr("2 inputs are given, 1 tensor has to "
                                                                                  "be fed: 'x:0' (float32 [?,20])")));
  EXPECT_THAT(run({}, {x}, true), HasSubstr("has no switch for training"));
  EXPECT_THAT(run({.trains = true}, {x}), HasSubstr("was built for training"));
  EXPECT_THAT(run({.outputs = {{"output", "nope"}}}, {x}), AllOf(HasSubstr("ValueError"), HasSubstr("nope")));
  EXPECT_THAT(run({.inputs = {"nope:0"}}, {x}), HasSubstr("nope"));
  EXPECT_THAT(ErrorOf([&] { FromGraphDef(folder_ / "gone.pb")->Run({}); }),
              AllOf(HasSubstr("NotFoundError"), HasSubstr("gone.pb")));
  io::WriteFile(folder_ / "text.pb", "no graph");
  EXPECT_THAT(ErrorOf([&] { FromGraphDef(folder_ / "text.pb")->Run({}); }), HasSubstr("DataLossError"));

  rt::Graph graph;
  rt::GraphScope scope(graph);
  const rt::Tensor in = rt::Placeholder(DType::kFloat32, PartialShape{2}, "in");
  rt::Identity(in, "left");
  rt::Identity(in, "right");
  const std::string two = rt::WriteGraph(graph, folder_.path(), "two.pb", false);
  EXPECT_THAT(ErrorOf([&] { FromGraphDef(two)->Run({.inputs = {Array::Full<float>(Shape{2}, 1)}}); }),
              AllOf(HasSubstr("the output cannot be told"), HasSubstr("'left:0'"), HasSubstr("'right:0'")));
}

TEST_F(GraphSideTest, ASwitchForTraining) {
  rt::Graph graph;
  rt::GraphScope scope(graph);
  const rt::Tensor x = rt::Placeholder(DType::kFloat32, PartialShape{2}, "x");
  const rt::Tensor training = rt::Placeholder(DType::kBool, PartialShape(Shape{}), "is_training");
  rt::Current().Add1("SelectV2", {training, x * 2.0, x}, {}, "y");
  const std::string file = rt::WriteGraph(graph, folder_.path(), "switch.pb", false);
  const SidePtr side = FromGraphDef(file, "", {.training = "is_training"});
  const Array ones = Array::Full<float>(Shape{2}, 1);
  EXPECT_EQ(side->Run({.inputs = {ones}}).outputs[0].array.data<float>()[0], 1);
  EXPECT_EQ(side->Run({.inputs = {ones}, .training = true}).outputs[0].array.data<float>()[0], 2);
}

}  // namespace
}  // namespace equiv
