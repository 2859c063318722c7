// Every name and figure of the model-mapping guide (guide 000), written in C++.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equiv/equiv.h"
#include "fixtures/models/migration_walk.h"
#include "runtime/eager/eager.h"

namespace equiv {
namespace {

namespace rt = equiv::runtime;
using rt::CallArgs;
using rt::Outputs;
using rt::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Names(const std::vector<rt::Variable>& variables) {
  std::vector<std::string> names;
  for (const rt::Variable& v : variables) names.push_back(v.name());
  return names;
}
float Scalar(const Tensor& t) { return t.array().data<float>()[0]; }

// A v1-style method as a layer.
class Shim : public rt::Layer {
 public:
  Shim(std::string class_name, std::function<Outputs(const CallArgs&)> body)
      : Layer(std::move(class_name)), body_(std::move(body)) {}

 protected:
  Outputs Call(const CallArgs& args) override {
    return TrackTf1StyleVariables([&] { return body_(args); });
  }

 private:
  std::function<Outputs(const CallArgs&)> body_;
};

class GuideMapping : public testing::Test {
 protected:
  void SetUp() override { rt::EagerContext::Get().Reset(); }
};

TEST_F(GuideMapping, DenseLayerByHand) {
  Shim dense("DenseLayer", [](const CallArgs& args) -> Outputs {
    rt::VariableScope scope("dense");
    const rt::Variable kernel = rt::GetVariable(
        "kernel", {.shape = PartialShape{5, 10}, .initializer = rt::GlorotNormal(), .regularizer = rt::L2()});
    const rt::Variable bias =
        rt::GetVariable("bias", {.shape = PartialShape{10}, .initializer = rt::ZerosInitializer()});
    return rt::BiasAdd(rt::MatMul(args.inputs[0], kernel), bias);
  });
  dense(rt::RandomNormal({8, 5}));
  // The eager layer lists what its store holds by name.
  EXPECT_THAT(Names(dense.weights()), ElementsAre("dense/bias:0", "dense/kernel:0"));
  ASSERT_EQ(dense.losses().size(), 1U);
  dense.store().Find("dense/kernel").Assign(rt::Zeros({5, 10}));
  EXPECT_EQ(Scalar(dense.losses()[0]), 0.0F) << "losses are evaluated when they are read";
  const Outputs out = dense(rt::RandomNormal({8, 5}));
  EXPECT_TRUE(BitwiseEqual(out.output.array(), Array::Full<float>({8, 10}, 0.0F)));
  EXPECT_EQ(dense.losses().size(), 1U) << "a second call adds no loss";
}

TEST_F(GuideMapping, LayersUnderAScope) {
  fixtures::CompatModel model(10);
  model(rt::RandomNormal({10, 5, 5, 5}));
  EXPECT_THAT(Names(model.weights()), ElementsAre("model/conv2d/bias:0", "model/conv2d/kernel:0", "model/dense/bias:0",
                                                  "model/dense/kernel:0"));
  EXPECT_EQ(model.losses().size(), 2U);
}

// get_or_create_layer: a model made once inside the tracked call.
TEST_F(GuideMapping, NestedModel) {
  Shim nested("NestedModel", [](const CallArgs& args) -> Outputs {
    const auto inner = rt::GetOrCreateLayer("dense_model", []() -> std::shared_ptr<rt::Module> {
      const Tensor input = rt::Input({5});
      auto dense = std::make_shared<rt::keras::Dense>(
          1, rt::keras::DenseOptions{.kernel_initializer = rt::OnesInitializer(), .kernel_regularizer = rt::L2(0.1)});
      return std::make_shared<rt::Functional>(std::vector{input}, std::vector{(*dense)(input).output});
    });
    return (*std::static_pointer_cast<rt::Layer>(inner))(args.inputs[0]);
  });
  const Outputs out = nested(rt::Ones({10, 5}));
  EXPECT_TRUE(BitwiseEqual(out.output.array(), Array::Full<float>({10, 1}, 5.0F)));
  EXPECT_THAT(Names(nested.weights()), ElementsAre("dense/kernel:0", "dense/bias:0"));
  float sum = 0;
  for (const Tensor& loss : nested.losses()) sum += Scalar(loss);
  EXPECT_EQ(sum, 0.5F);
}

TEST_F(GuideMapping, NestedTrackedLayers) {
  auto inner = std::make_shared<Shim>("NestedLayer", [](const CallArgs& args) -> Outputs {
    rt::VariableScope scope("inner_dense");
    const rt::Variable kernel = rt::GetVariable(
        "kernel", {.shape = PartialShape{4, 10}, .initializer = rt::GlorotNormal(), .regularizer = rt::L2()});
    const rt::Variable bias =
        rt::GetVariable("bias", {.shape = PartialShape{10}, .initializer = rt::ZerosInitializer()});
    return rt::BiasAdd(rt::MatMul(args.inputs[0], kernel), bias);
  });
  Shim outer("WrappedDenseLayer", [&](const CallArgs& args) -> Outputs {
    rt::VariableScope scope("outer");
    rt::v1::Dense(args.inputs[0], 3);
    return (*inner)(rt::v1::Dense(args.inputs[0], 4));
  });
  outer.SetAttribute("_dense_layer", {inner});
  outer(rt::Ones({5, 5}));
  EXPECT_THAT(Names(outer.weights()),
              ElementsAre("outer/inner_dense/bias:0", "outer/inner_dense/kernel:0", "outer/dense/bias:0",
                          "outer/dense/kernel:0", "outer/dense_1/bias:0", "outer/dense_1/kernel:0"));
  EXPECT_EQ(outer.losses().size(), 1U);
}

TEST_F(GuideMapping, Template) {
  rt::Template scale_by_y("scale_by_y");
  Shim layer("CompatV1TemplateScaleByY", [&](const CallArgs& args) -> Outputs {
    rt::VariableScope scope("layer");
    return scale_by_y([&] {
      const rt::Variable y = rt::GetVariable(
          "y", {.shape = PartialShape(Shape{}), .initializer = rt::ConstantInitializer(1.5), .regularizer = rt::L2()});
      return rt::Multiply(args.inputs[0], y);
    });
  });
  const Outputs out = layer(rt::Ones({2, 3}));
  layer(rt::Ones({2, 3}));
  EXPECT_THAT(Names(layer.weights()), ElementsAre("layer/scale_by_y/y:0"));
  EXPECT_TRUE(BitwiseEqual(out.output.array(), Array::Full<float>({2, 3}, 1.5F)));
  ASSERT_EQ(layer.losses().size(), 1U);
  EXPECT_EQ(Scalar(layer.losses()[0]), 0.022499999F);
}

// conv2d_13, _14 and _16 to _18 of the guide: one counter for all layers of the process, v1 ones included.
TEST_F(GuideMapping, KerasAndV1LayersShareACounter) {
  EXPECT_EQ(rt::v1::ConvLayer(2, 3, {3}).name(), "conv2d_1");
  for (int i = 1; i < 13; ++i) rt::keras::Conv(2, 3, {3});
  EXPECT_EQ(rt::keras::Conv(2, 3, {3}).name(), "conv2d_13");
  EXPECT_EQ(rt::keras::Conv(2, 3, {3}).name(), "conv2d_14");
  EXPECT_EQ(rt::v1::ConvLayer(2, 3, {3}).name(), "conv2d_16");
}

// The walk: the same loss and the same output at each of the four steps, in both executors.
TEST_F(GuideMapping, TheWalkKeepsItsNumbers) {
  Array input;
  {
    rt::EagerScope eager;
    input = rt::RandomNormal({10, 5, 5, 5}, {.seed = 42}).array();
  }
  RunRequest request{.inputs = {input},
                     .random = NumRandomOps(42),
                     .set_variables = {},
                     .values = {},
                     .backend = "cpu",
                     .passes = {},
                     .progress = {}};
  Array first;
  for (const fixtures::WalkStep& step : fixtures::MigrationWalk()) {
    for (const SidePtr& side : {InSessionLayer(step.make), InEagerLayer(step.make)}) {
      const Recording r = side->Run(request);
      ASSERT_TRUE(r.total_loss.has_value()) << step.name;
      const float loss = r.total_loss.data<float>()[0];
      EXPECT_NEAR(loss, 0.1824967, 1e-6 * 0.1824967) << step.name << " in " << side->name();
      if (!first.has_value()) first = r.outputs[0].array;
      EXPECT_TRUE(BitwiseEqual(first, r.outputs[0].array)) << step.name << " in " << side->name();
      RecordProperty(step.name + " " + side->name(), std::to_string(loss));
    }
  }
}

TEST_F(GuideMapping, EachStepOfTheWalkIsEquivalentInBothExecutors) {
  for (const fixtures::WalkStep& step : fixtures::MigrationWalk())
    EXPECT_NUMERICALLY_EQUIVALENT(
        InSessionLayer(step.make), InEagerLayer(step.make),
        {.inputs = {rt::Ones({10, 5, 5, 5})}, .random = NumRandomOps(42), .rtol = 1e-6, .atol = 1e-5})
        << step.name;
}

// What the guards say of the three usual mistakes.
TEST_F(GuideMapping, GuardsNameTheCreatingLine) {
  const Tensor x = rt::Ones({2, 5});
  const auto text = [&](rt::Layer& layer) -> std::string {
    layer(x);
    AssertNoVariableCreations guard;
    try {
      layer(x);
    } catch (const ValueError& error) {
      return error.what();
    }
    return "no variable was made";
  };
  Shim unnamed("Unnamed", [](const CallArgs& args) -> Outputs { return rt::v1::Dense(args.inputs[0], 3); });
  EXPECT_THAT(text(unnamed), HasSubstr("mapping_guide_000_test.cc:"));
  EXPECT_THAT(text(unnamed), HasSubstr("'name': 'dense_"));
  Shim inside("KerasInside", [](const CallArgs& args) -> Outputs {
    auto dense = std::make_shared<rt::keras::Dense>(3);
    return (*dense)(args.inputs[0]);
  });
  EXPECT_THAT(text(inside), HasSubstr("mapping_guide_000_test.cc:"));
  Shim by_hand("ByHand", [](const CallArgs& args) -> Outputs {
    const rt::Variable w = rt::MakeVariable(2.0, {.name = "w"});
    return rt::Multiply(args.inputs[0], w);
  });
  EXPECT_THAT(text(by_hand), HasSubstr("mapping_guide_000_test.cc:"));
  EXPECT_THAT(text(by_hand), HasSubstr("'name': 'w'"));
}

}  // namespace
}  // namespace equiv
