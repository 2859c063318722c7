// Every figure and fact the validation guide prints about Inception-ResNet-v2, one test each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "equiv/compare/decimal.h"
#include "equiv/harness/guards.h"
#include "equiv/harness/stages.h"
#include "fixtures/models/registry.h"
#include "kernels/base/op_registry.h"
#include "kernels/base/thread_pool.h"
#include "runtime/layers/layer.h"

namespace equiv {
namespace {

const fixtures::ModelEntry& Entry() { return *fixtures::FindModel("inception_resnet_v2"); }
SidePtr Session() { return InSession(Entry().model, {.class_name = Entry().class_name}); }
SidePtr Eager(bool functional = false) {
  return InEager(Entry().model, {.class_name = Entry().class_name, .functional = functional});
}
Array Ones(std::int64_t size = 299) { return Array::Full<float>({1, size, size, 3}, 1.0f); }

RunRequest Request(std::optional<RandomMode> random, bool training, const std::string& backend = "cpu") {
  RunRequest request{.inputs = {Ones()},
                     .random = std::move(random),
                     .set_variables = {},
                     .values = {},
                     .backend = backend,
                     .passes = {},
                     .progress = {}};
  request.training = training;
  return request;
}
RunRequest StepThree(const std::string& backend) {
  RunRequest request = Request({}, false, backend);
  request.set_variables = 0.001f;
  return request;
}
std::string Loss(const Recording& r) { return FormatFloat(r.total_loss.data<float>()[0]); }
// NumPy prints arrays with eight digits after the point at most.
std::string NumPyText(float value) { return FormatDouble(std::round(static_cast<double>(value) * 1e8) / 1e8); }
std::vector<std::string> BackendNames() {
  std::vector<std::string> names;
  for (const Backend& b : OpRegistry::Global().backends()) names.push_back(b.name);
  return names;
}

TEST(GuideInception, Step1NeitherGuardSeesANewVariable) {
  EXPECT_TRUE(Eager()->CheckVariablesCreatedOnce(Request({}, false)));
}

TEST(GuideInception, Step2VariablesAgreeAndTheLayersListIsSortedByName) {
  RunRequest request = Request({}, false);
  request.build_only = true;
  const Recording session = Session()->Run(request), eager = Eager()->Run(request);
  ASSERT_EQ(session.variables.size(), 1114u);
  ASSERT_EQ(eager.variables.size(), 1114u);
  for (std::size_t i = 0; i < session.variables.size(); ++i) {
    const VariableRecord &a = session.variables[i], &b = eager.variables[i];
    ASSERT_EQ(a.name, b.name) << "in order of creation, variable " << i;
    EXPECT_EQ(a.shape, b.shape) << a.name;
    EXPECT_EQ(a.dtype, b.dtype) << a.name;
    EXPECT_EQ(a.trainable, b.trainable) << a.name;
  }
  EXPECT_EQ(std::ranges::count_if(session.variables, &VariableRecord::trainable), 702);
  ASSERT_EQ(eager.listed_variables.size(), 1114u);
  EXPECT_TRUE(std::ranges::is_sorted(eager.listed_variables.begin(), eager.listed_variables.begin() + 702));
  EXPECT_TRUE(std::ranges::is_sorted(eager.listed_variables.begin() + 702, eager.listed_variables.end()));
  EXPECT_EQ(eager.listed_variables[0], "InceptionResnetV2/AuxLogits/Conv2d_1b_1x1/BatchNorm/beta:0");
}

TEST(GuideInception, Step3LossesAndLogitsOnCpu) {
  const Recording session = Session()->Run(StepThree("cpu"));
  EXPECT_EQ(Loss(session), "0.001182976");
  const Recording eager = Eager()->Run(StepThree("cpu"));
  // The guide prints ...757; accurate sums give the float32 one step below (docs/oracles.md).
  EXPECT_THAT(Loss(eager), testing::AnyOf("0.0011829757", "0.0011829756"));
  for (const Recording* r : {&session, &eager}) {
    const Array& logits = r->outputs[0].array;
    ASSERT_EQ(logits.shape(), (Shape{1, 1000}));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(NumPyText(logits.data<float>()[i]), "0.00299837");
  }
}

TEST(GuideInception, Step3LogitsOnEveryBackendWithinTheMeasuredBound) {
  for (const std::string& backend : BackendNames()) {
    const Recording r = Session()->Run(StepThree(backend));
    EXPECT_NEAR(r.outputs[0].array.data<float>()[0], 0.0029983688, 1.5e-5 * 0.0029983688) << backend;
  }
}

struct LossCase {
  const char* name;
  bool constant, training;
  const char* session;
  const char* eager;
  std::int64_t numbers;
};
class GuideLosses : public testing::TestWithParam<LossCase> {};

TEST_P(GuideLosses, PrintTheGuidesDigits) {
  const LossCase& c = GetParam();
  const RunRequest request = Request(c.constant ? ConstantSeeds(42) : NumRandomOps(42), c.training);
  const Recording session = Session()->Run(request);
  EXPECT_EQ(Loss(session), c.session);
  const Recording eager = Eager(/*functional=*/c.constant)->Run(request);
  EXPECT_EQ(Loss(eager), c.eager);
  if (!c.constant) {
    EXPECT_EQ(session.operation_seed_after, c.numbers);
    EXPECT_EQ(eager.operation_seed_after, c.numbers);
  }
  ASSERT_EQ(session.losses.size(), 290u);
  for (std::size_t i = 0; i < 290; ++i) EXPECT_TRUE(BitwiseEqual(session.losses[i].array, eager.losses[i].array)) << i;
}
INSTANTIATE_TEST_SUITE_P(Step4, GuideLosses,
                         testing::Values(LossCase{"inference", false, false, "1.2254326", "1.2254325", 248},
                                         LossCase{"training", false, true, "1.22548", "1.2254798", 249},
                                         LossCase{"constant", true, true, "1.2239965", "1.2239964", 0}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(GuideInception, Step4StagesPassOnEveryBackend) {
  for (const std::string& backend : BackendNames()) {
    Options options{.inputs = {runtime::Tensor(Ones())},
                    .stages = {"step4-inference", "step4-training", "step4-constant"},
                    .backend = backend};
    options.constant_actual = Eager(true);
    const Verdict verdict = CheckEquivalence(*Session(), *Eager(), options);
    EXPECT_EQ(verdict.outcome, Outcome::kEquivalent) << backend << "\n" << verdict.FailureText();
  }
}

TEST(GuideInception, FunctionalEmbeddingReordersTheDraws) {
  RunRequest request = Request(NumRandomOps(42), true);
  request.inputs = {Ones(149)};
  const Recording session = Session()->Run(request), eager = Eager(true)->Run(request);
  const std::vector<DrawRow> rows = AlignDraws(session.draws, eager.draws);
  EXPECT_FALSE(AllAligned(rows));
  std::map<DrawStatus, int> counts;
  for (const DrawRow& row : rows) ++counts[row.status];
  // Dropout and the last kernel exchange the numbers 247 and 248; all other kernels keep theirs.
  EXPECT_EQ(counts[DrawStatus::kAligned], 247);
  EXPECT_EQ(counts[DrawStatus::kSwapped], 2);
  EXPECT_THAT(LedgerText(rows, "session", "eager", true),
              testing::HasSubstr("swapped  'InceptionResnetV2/Logits/Logits/weights'"));
  request.random = ConstantSeeds(42);
  EXPECT_TRUE(AllAligned(AlignDraws(Session()->Run(request).draws, Eager(true)->Run(request).draws)));
}

TEST(GuideInception, SameBitsInBothExecutorsWithPassesOffAtAnyThreadCount) {
  for (const std::string& backend : BackendNames()) {
    for (const bool training : {false, true}) {
      RunRequest request = Request(NumRandomOps(42), training, backend);
      request.passes = runtime::PassOptions::None();
      std::vector<Recording> runs;
      for (const int threads : {2, 1}) {
        ThreadPool::SetDefaultThreads(threads);
        runs.push_back(Session()->Run(request));
        runs.push_back(Eager()->Run(request));
      }
      ThreadPool::SetDefaultThreads(2);
      runs.push_back(Session()->Run(request));
      const std::size_t executor_of[] = {0, 1, 0, 1, 0};
      for (std::size_t k = 1; k < runs.size(); ++k) {
        ASSERT_EQ(runs[k].outputs.size(), runs[0].outputs.size());
        for (std::size_t i = 0; i < runs[0].outputs.size(); ++i)
          EXPECT_TRUE(BitwiseEqual(runs[0].outputs[i].array, runs[k].outputs[i].array))
              << backend << " run " << k << " " << runs[0].outputs[i].name;
        EXPECT_TRUE(BitwiseEqual(runs[0].total_loss, runs[k].total_loss)) << backend << " run " << k;
        for (std::size_t i = 0; i < runs[0].variables.size(); ++i) {
          const bool moving = runs[0].variables[i].name.find("/moving_") != std::string::npos;
          // Moving statistics follow each executor's own formula; compare them with the same executor only.
          const std::size_t reference = moving && training ? executor_of[k] : 0;
          EXPECT_TRUE(BitwiseEqual(runs[reference].variables[i].value, runs[k].variables[i].value))
              << backend << " run " << k << " " << runs[0].variables[i].name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace equiv
