#include "equiv/harness/stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "equiv/equiv.h"
#include "fixtures/models/dense.h"
#include "kernels/base/error.h"
#include "runtime/eager/eager.h"

namespace equiv {
namespace {
namespace rt = runtime;
using testing::HasSubstr;

rt::Tensor Ramp() {
  std::vector<float> v(8 * 20);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = 0.01f * static_cast<float>(i % 37) - 0.1f;
  return rt::Tensor(Array::Of<float>({8, 20}, v));
}
rt::Tensor Dense(const rt::Tensor& x) {
  rt::VariableScope scope("dense");
  const rt::Variable w = rt::GetVariable("kernel", {.shape = PartialShape{20, 10}, .initializer = rt::GlorotUniform()});
  return rt::MatMul(x, w);
}
// A port with a bug: eager scales by a little too much.
rt::Tensor Buggy(const rt::Tensor& x) {
  const rt::Tensor y = Dense(x);
  return rt::Current().eager() ? y * 1.001 : y * 1.0;
}
// A port that draws its noise after the weights in one executor and before them in the other.
rt::Tensor Reordered(const rt::Tensor& x) {
  rt::VariableScope scope("dense");
  const bool early = rt::Current().eager();
  rt::Tensor noise;
  if (early) noise = rt::RandomUniform(Shape{8, 20});
  const rt::Variable w = rt::GetVariable("kernel", {.shape = PartialShape{20, 10}, .initializer = rt::GlorotUniform()});
  if (!early) noise = rt::RandomUniform(Shape{8, 20});
  return rt::MatMul(x + noise, w);
}
Verdict Check(const SidePtr& a, const SidePtr& b, Options options) {
  if (options.inputs.empty()) options.inputs = {Ramp()};
  return CheckEquivalence(*a, *b, options);
}

TEST(CheckEquivalence, DenseAgreesInAllDefaultStages) {
  const Verdict verdict = Check(InSession(Dense), InEager(Dense), {});
  EXPECT_EQ(verdict.outcome, Outcome::kEquivalent) << verdict.FailureText();
  ASSERT_EQ(verdict.stages.size(), 5u);
  EXPECT_EQ(verdict.stages[2].outcome, Outcome::kWiring);
}
TEST(CheckEquivalence, StepThreeAloneIsWiring) {
  EXPECT_EQ(Check(InSession(Dense), InEager(Dense), {.stages = {"step3"}}).outcome, Outcome::kWiring);
}
TEST(CheckEquivalence, ABugIsDifferentAndNamesTheOutput) {
  const Verdict verdict = Check(InSession(Buggy), InEager(Buggy), {.stages = {"step4-inference"}});
  EXPECT_EQ(verdict.outcome, Outcome::kDifferent);
  EXPECT_THAT(verdict.FailureText(), HasSubstr("output 'output'"));
}
TEST(CheckEquivalence, ReorderedDrawsAreNamedInTheFailure) {
  const Verdict verdict = Check(InSession(Reordered), InEager(Reordered), {.stages = {"step4-inference"}});
  EXPECT_EQ(verdict.outcome, Outcome::kDifferent);
  EXPECT_THAT(verdict.FailureText(), HasSubstr("random draws do not align"));
  EXPECT_THAT(verdict.FailureText(), HasSubstr("swapped  'dense/kernel'"));
}
TEST(CheckEquivalence, ConstantModeDoesNotCareAboutTheOrder) {
  const Verdict verdict = Check(InSession(Reordered), InEager(Reordered), {.stages = {"step4-constant"}});
  EXPECT_EQ(verdict.outcome, Outcome::kEquivalent) << verdict.FailureText();
}
TEST(CheckEquivalence, AMissingVariableIsNamed) {
  auto other = [](const rt::Tensor& x) {
    rt::VariableScope scope("dens");
    return rt::MatMul(x, rt::GetVariable("kernel", {.shape = PartialShape{20, 10}}));
  };
  const Verdict verdict = Check(InSession(Dense), InEager(other), {.stages = {"step2"}});
  EXPECT_EQ(verdict.outcome, Outcome::kDifferent);
  EXPECT_THAT(verdict.FailureText(), HasSubstr("'dense/kernel:0'"));
  EXPECT_THAT(verdict.FailureText(), HasSubstr("exists in session only"));
}
TEST(CheckEquivalence, ShapesAndTrainableFlagsAreCompared) {
  auto other = [](const rt::Tensor& x) {
    rt::VariableScope scope("dense");
    return rt::MatMul(x, rt::GetVariable("kernel", {.shape = PartialShape{20, 11}, .trainable = false}));
  };
  const std::string text = Check(InSession(Dense), InEager(other), {.stages = {"step2"}}).FailureText();
  EXPECT_THAT(text, HasSubstr("has shape [20,10] in session, [20,11] in eager"));
  EXPECT_THAT(text, HasSubstr("trainable in session only"));
}
TEST(CheckEquivalence, NewVariablesOnEveryCallFailStepOne) {
  auto model = [](const rt::Tensor& x) { return x * rt::MakeVariable(2.0); };
  const Verdict verdict = Check(InSession(model), InEager(model), {.stages = {"step1"}});
  EXPECT_EQ(verdict.outcome, Outcome::kDifferent);
  EXPECT_THAT(verdict.FailureText(), HasSubstr("created at stages_test.cc:"));
}
TEST(CheckEquivalence, OnlyConstantsIsUntrusted) {
  auto model = [](const rt::Tensor& x) { return rt::OnesLike(x); };
  const Verdict verdict = Check(InSession(model), InEager(model), {.stages = {"step4-inference"}});
  EXPECT_EQ(verdict.outcome, Outcome::kUntrusted);
  EXPECT_THAT(verdict.FailureText(), HasSubstr("only constants were compared: output"));
}
TEST(CheckEquivalence, NothingToCompareIsUntrusted) {
  auto model = [](const rt::Tensor& x) { return rt::Reshape(x, {0, 4}); };
  Options options{.inputs = {rt::Tensor(Array(DType::kFloat32, Shape{0, 4}))}, .stages = {"step4-inference"}};
  const Verdict verdict = CheckEquivalence(*InSession(model), *InEager(model), options);
  EXPECT_EQ(verdict.outcome, Outcome::kUntrusted);
  EXPECT_THAT(verdict.FailureText(), HasSubstr("no element was compared"));
}
TEST(CheckEquivalence, NoVariablesMakeStepTwoUntrusted) {
  auto model = [](const rt::Tensor& x) { return x + 1.0; };
  EXPECT_EQ(Check(InSession(model), InEager(model), {.stages = {"step2"}}).outcome, Outcome::kUntrusted);
}
TEST(CheckEquivalence, NaNInAVariableIsReported) {
  auto with_nan = [](const rt::Tensor& x) {
    const float value = rt::Current().eager() ? 1.0f : NAN;
    const rt::Variable b = rt::GetVariable("b", {.initial_value = rt::Constant(value)});
    return x + rt::Tensor(b);
  };
  const Verdict verdict = Check(InSession(with_nan), InEager(with_nan), {.stages = {"step4-inference"}});
  EXPECT_EQ(verdict.outcome, Outcome::kDifferent);
  EXPECT_THAT(verdict.FailureText(), HasSubstr("NaN"));
}
TEST(CheckEquivalence, UnknownStageNamesTheKnownOnes) {
  try {
    Check(InSession(Dense), InEager(Dense), {.stages = {"step9"}});
    FAIL();
  } catch (const ValueError& e) {
    EXPECT_THAT(e.what(), HasSubstr("unknown stage 'step9'; stages are: step1, step2, step3"));
  }
}
TEST(ExpectNumericallyEquivalent, PassesForDense) {
  EXPECT_NUMERICALLY_EQUIVALENT(InSession(Dense), InEager(Dense),
                                {.inputs = {Ramp()}, .random = NumRandomOps(42), .rtol = 1e-6, .atol = 1e-5});
}
TEST(ExpectNumericallyEquivalent, FailureNamesTheSidesAndTheStage) {
  EXPECT_NONFATAL_FAILURE(EXPECT_NUMERICALLY_EQUIVALENT(InSession(Buggy), InEager(Buggy), {.inputs = {Ramp()}})
                              << "port of Buggy",
                          "step4-inference (aligned random numbers, inference): DIFFERENT");
}
TEST(ExpectNumericallyEquivalent, TakesTwoTensors) {
  const Array a = Array::Of<float>({2}, {1.0f, 2.0f}), b = Array::Of<float>({2}, {1.0f, 2.5f});
  EXPECT_NUMERICALLY_EQUIVALENT(a, a);
  EXPECT_NUMERICALLY_EQUIVALENT(a, b, Tolerance::Allclose(0.0, 0.5));
  EXPECT_NONFATAL_FAILURE(EXPECT_NUMERICALLY_EQUIVALENT(a, b), "1 of 2");
}
TEST(ConvolutionalModel, AgreesInTrainingWithDropoutAndBatchNorm) {
  const Verdict verdict = CheckEquivalence(*InSession(fixtures::ConvNetModel()), *InEager(fixtures::ConvNetModel()),
                                           {.inputs = {fixtures::ConvNetInput()}, .passes = rt::PassOptions::None()});
  EXPECT_EQ(verdict.outcome, Outcome::kEquivalent) << verdict.FailureText();
}
}  // namespace
}  // namespace equiv
