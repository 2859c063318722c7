// The stored goldens of TensorFlow, through the same runners as `equiv conformance`.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "equiv/harness/conformance/folder.h"
#include "equiv/programs/conformance.h"
#include "fixtures/models/registry.h"
#include "kernels/base/op_registry.h"

namespace equiv {
namespace {

struct Count {
  int passed = 0, exact = 0, failed = 0, skipped = 0;
  std::string failures;
};
Count RunFolder(const std::string& folder, const std::string& backend) {
  ConformanceOptions options;
  options.backend = backend;
  options.find_model = [](const std::string& name, std::int64_t classes) {
    return fixtures::ModelWithClasses(name, classes);
  };
  Count count;
  for (const CaseResult& r : RunConformance(std::string(EQUIV_FIXTURES_DIR "/goldens/") + folder, options).results) {
    count.passed += r.outcome == CaseResult::Outcome::kPass;
    count.exact += r.outcome == CaseResult::Outcome::kPass && r.bit_exact;
    count.skipped += r.outcome == CaseResult::Outcome::kSkip;
    if (r.outcome != CaseResult::Outcome::kFail) continue;
    if (++count.failed <= 20) count.failures += r.id + ": " + r.why + "\n";
  }
  return count;
}
std::vector<std::string> BackendNames() {
  std::vector<std::string> names;
  for (const Backend& b : OpRegistry::Global().backends()) names.push_back(b.name);
  return names;
}

// 519 tensors and 36 tables; four tensors are orthogonal matrices, equal to 1e-6.
TEST(Goldens, RandomNumbersBitForBit) {
  const Count c = RunFolder("random", "cpu");
  EXPECT_EQ(c.failed, 0) << c.failures;
  EXPECT_EQ(c.skipped, 0);
  EXPECT_EQ(c.passed, 555);
  EXPECT_GE(c.exact, 551);
}

class OnBackend : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Goldens, OnBackend, testing::ValuesIn(BackendNames()),
                         [](const auto& info) { return info.param; });

// Case-modes that do not pass, each with its reason: one line `id<TAB>reason`.
std::map<std::string, std::string> Exceptions() {
  std::map<std::string, std::string> reasons;
  std::ifstream in(EQUIV_SOURCE_DIR "/suites/oracles/naming_exceptions.tsv");
  std::string line;
  while (std::getline(in, line))
    if (const auto tab = line.find('\t'); !line.starts_with('#') && tab != std::string::npos)
      reasons[line.substr(0, tab)] = line.substr(tab + 1);
  return reasons;
}
class Naming : public testing::TestWithParam<std::pair<const char*, int>> {};
INSTANTIATE_TEST_SUITE_P(Goldens, Naming, testing::Values(std::pair("naming", 888), std::pair("naming_random", 450)),
                         [](const auto& info) { return info.param.first; });
TEST_P(Naming, EveryProgramBehavesAsInTensorFlow) {
  const auto [folder, cases] = GetParam();
  const std::map<std::string, std::string> exceptions = Exceptions();
  ConformanceRun run;
  ASSERT_TRUE(programs::RunPrograms(std::string(EQUIV_FIXTURES_DIR "/goldens/") + folder, {}, run));
  EXPECT_EQ(run.results.size(), static_cast<std::size_t>(cases));
  for (const CaseResult& r : run.results) {
    const bool passed = r.outcome == CaseResult::Outcome::kPass;
    if (exceptions.contains(r.id)) {
      EXPECT_FALSE(passed) << r.id << " passes now: take it out of naming_exceptions.tsv";
    } else {
      EXPECT_TRUE(passed) << r.id << ": " << r.why;
    }
  }
}

TEST_P(OnBackend, Operations) {
  const Count c = RunFolder("ops", GetParam());
  EXPECT_EQ(c.failed, 0) << c.failures;
  EXPECT_GE(c.passed, 289);
}
TEST_P(OnBackend, InceptionResnetV2) {
  const Count c = RunFolder("inception_resnet_v2", GetParam());
  EXPECT_EQ(c.failed, 0) << c.failures;
  EXPECT_GE(c.passed, 350);
}
TEST_P(OnBackend, Graphs) {
  const Count c = RunFolder("graphs", GetParam());
  EXPECT_EQ(c.failed, 0) << c.failures;
  EXPECT_EQ(c.skipped, 0);
  EXPECT_EQ(c.passed, 878);
}

// 22 checkpoints in 19 folders: every tensor and row read, every file written again with the same bytes.
TEST(Goldens, CheckpointsByteForByte) {
  const Count c = RunFolder("checkpoints", "cpu");
  EXPECT_EQ(c.failed, 0) << c.failures;
  EXPECT_EQ(c.skipped, 0);
  EXPECT_EQ(c.passed, 271);
  EXPECT_EQ(c.exact, 271);
}
}  // namespace
}  // namespace equiv
