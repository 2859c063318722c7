// Steps 3b and 4b: both sides start from a checkpoint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equiv/equiv.h"
#include "kernels/base/error.h"
#include "kernels/io/file.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/core/log.h"
#include "runtime/eager/eager.h"

namespace equiv {
namespace {
namespace rt = runtime;
using testing::HasSubstr;

const std::vector<std::string> kFromCheckpoints = {"step3b-name-based", "step3b-object-based", "step4b-name-based",
                                                   "step4b-object-based"};

rt::Tensor Ramp() {
  std::vector<float> v(8 * 20);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = 0.01f * static_cast<float>(i % 37) - 0.1f;
  return rt::Tensor(Array::Of<float>({8, 20}, v));
}
rt::Outputs Dense(const rt::CallArgs& args) {
  rt::VariableScope scope("dense");
  const rt::Variable w = rt::GetVariable("kernel", {.shape = PartialShape{20, 10}, .initializer = rt::GlorotUniform()});
  const rt::Variable b = rt::GetVariable("bias", {.shape = PartialShape{10}, .initializer = rt::ZerosInitializer()});
  const rt::Tensor y = rt::BiasAdd(rt::MatMul(args.inputs.at(0), w), b);
  return args.training.value_or(false) ? rt::slim::Dropout(y, {.keep_prob = 0.5, .is_training = true}) : y;
}
// Keras layers in a class of their own: names are the same in both executors.
class Net final : public rt::Model {
 public:
  Net() : Model("Net") {
    SetAttribute("hidden", hidden_);
    SetAttribute("norm", norm_);
    SetAttribute("last", last_);
  }

 protected:
  rt::Outputs Call(const rt::CallArgs& args) override {
    const rt::Tensor h = (*norm_)(rt::CallArgs{{(*hidden_)(args.inputs.at(0)).output}, args.training}).output;
    return (*last_)((*dropout_)(rt::CallArgs{{h}, args.training}).output);
  }

 private:
  std::shared_ptr<rt::Layer> hidden_ = std::make_shared<rt::keras::Dense>(10),
                             norm_ = std::make_shared<rt::keras::BatchNormalization>(),
                             dropout_ = std::make_shared<rt::keras::Dropout>(0.5),
                             last_ = std::make_shared<rt::keras::Dense>(3);
};

class CheckpointStages : public testing::Test {
 protected:
  void SetUp() override { rt::EagerContext::Get().Reset(); }
  // A layer that was called once.
  static std::shared_ptr<rt::Layer> Built(const std::function<std::shared_ptr<rt::Layer>()>& make) {
    auto layer = make();
    (*layer)(Ramp());
    return layer;
  }
  static std::shared_ptr<rt::Layer> BuiltDense() {
    return Built([] { return std::make_shared<rt::ShimLayer>("Model", rt::ModelFunction(Dense)); });
  }
  io::TemporaryFolder folder_;
};

TEST_F(CheckpointStages, WriteTheirOwnCheckpoints) {
  const Verdict verdict =
      CheckEquivalence(*InSession(Dense), *InEager(Dense), {.inputs = {Ramp()}, .stages = kFromCheckpoints});
  EXPECT_EQ(verdict.outcome, Outcome::kEquivalent) << verdict.FailureText();
  ASSERT_EQ(verdict.stages.size(), 4U);
  EXPECT_THAT(verdict.stages[0].lines,
              testing::IsSupersetOf({"name-based checkpoint, written by session for this check",
                                     "session: 2 of 2 variables have the checkpoint's values, bit for bit",
                                     "eager: 2 of 2 variables have the checkpoint's values, bit for bit"}));
  EXPECT_THAT(verdict.stages[1].lines, testing::Contains("object-based checkpoint, written by eager for this check"));
}

TEST_F(CheckpointStages, KerasLayers) {
  const auto make = [] { return std::make_shared<Net>(); };
  EXPECT_NUMERICALLY_EQUIVALENT(InSessionLayer(make), InEagerLayer(make),
                                {.inputs = {Ramp()}, .stages = kFromCheckpoints});
}

TEST_F(CheckpointStages, FromACheckpointOfTheCaller) {
  const auto layer = BuiltDense();
  const std::vector<rt::Variable> variables = layer->variables();
  rt::Attribute::Dict by_name;
  for (const rt::Variable& v : variables) by_name.emplace_back(v.op_name(), v);
  {
    const rt::ScopedLogSink quiet([](rt::LogLevel, const std::string&) {});
    rt::Saver(rt::Saver::VarList(variables.begin(), variables.end())).Save(nullptr, folder_ / "names");
  }
  rt::Checkpoint(*layer).Write(folder_ / "direct");
  rt::Checkpoint({{"model", layer}}).Save(folder_ / "keyword");
  rt::Checkpoint({{"var_list", by_name}}).Write(folder_ / "list");
  for (const auto& [file, stage] : {std::pair("names", "name-based"),
                                    {"direct", "object-based"},
                                    {"keyword-1", "object-based"},
                                    {"list", "object-based"}}) {
    const Verdict verdict =
        CheckEquivalence(*InSession(Dense), *InEager(Dense), {.inputs = {Ramp()}, .checkpoint = folder_ / file});
    EXPECT_EQ(verdict.outcome, Outcome::kEquivalent) << file << "\n" << verdict.FailureText();
    ASSERT_EQ(verdict.stages.size(), 7U) << "the default stages and those from the checkpoint";
    EXPECT_EQ(verdict.stages[3].id, std::string("step3b-") + stage);
    EXPECT_EQ(verdict.stages[6].id, std::string("step4b-") + stage);
  }
}

TEST_F(CheckpointStages, TheWrongKindIsRefused) {
  rt::Checkpoint(*BuiltDense()).Write(folder_ / "objects");
  try {
    CheckEquivalence(*InSession(Dense), *InEager(Dense),
                     {.inputs = {Ramp()}, .stages = {"step3b-name-based"}, .checkpoint = folder_ / "objects"});
    FAIL() << "no error";
  } catch (const ValueError& error) {
    EXPECT_THAT(error.what(), HasSubstr("stage 'step3b-name-based' starts from a name-based checkpoint"));
    EXPECT_THAT(error.what(), HasSubstr("is object-based"));
  }
}

TEST_F(CheckpointStages, AMissingVariableIsAnError) {
  const rt::ScopedLogSink quiet([](rt::LogLevel, const std::string&) {});
  const rt::Variable kernel = BuiltDense()->variables().at(1);
  ASSERT_EQ(kernel.name(), "dense/kernel:0");
  rt::Saver(rt::Saver::VarList{kernel}).Save(nullptr, folder_ / "part");
  const Options options{.inputs = {Ramp()}, .stages = {"step3b-name-based"}, .checkpoint = folder_ / "part"};
  EXPECT_THROW(CheckEquivalence(*InSession(Dense), *InEager(Dense), options), NotFoundError);
  try {
    InEager(Dense)->Run({.inputs = {Ramp().array()}, .checkpoint = folder_ / "part"});
    FAIL() << "no error";
  } catch (const AssertionError& error) {
    EXPECT_THAT(error.what(), HasSubstr("dense/bias"));
  }
}

// A side that forgets to restore is caught, although both sides would agree with equal seeds.
class Forgetful final : public Side {
 public:
  explicit Forgetful(SidePtr side) : side_(std::move(side)) {}
  std::string name() const override { return "forgetful " + side_->name(); }
  Recording Run(const RunRequest& request) override {
    RunRequest without = request;
    without.checkpoint.reset();
    return side_->Run(without);
  }

 private:
  SidePtr side_;
};
TEST_F(CheckpointStages, ASideThatRestoresNothingIsCaught) {
  Forgetful session(InSession(Dense)), eager(InEager(Dense));
  const Verdict verdict = CheckEquivalence(session, eager, {.inputs = {Ramp()}, .stages = {"step3b-name-based"}});
  EXPECT_EQ(verdict.outcome, Outcome::kDifferent);
  EXPECT_THAT(verdict.FailureText(), HasSubstr("does not have the checkpoint's value in forgetful session"));
}

}  // namespace
}  // namespace equiv
