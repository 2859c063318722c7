// The stored goldens of TensorFlow, through the same runners as `equiv conformance`.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "equiv/harness/conformance/folder.h"
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
}  // namespace
}  // namespace equiv
