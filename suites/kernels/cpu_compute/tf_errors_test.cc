// Calls that TensorFlow refuses (tf_errors.jsonl; tf_errors.py wrote it): the same kind of error, which names op and
// node, in the kernel as well as where shapes are inferred; and the same words where they were recorded.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "suites/kernels/cpu_compute/recorded.h"

namespace equiv::test {
namespace {
using nlohmann::json;
using testing::HasSubstr;

struct Refusal {
  std::string kind, text;
};
Refusal Call(const json& c, bool check_shapes) {
  const std::string op = c.at("op");
  const AttrMap attrs = RecordedAttributes(ComputeOps().Get(op), c.at("attrs"));
  try {
    RunOp(op, RecordedInputs(c.at("inputs")), attrs, 1, check_shapes);
  } catch (const Error& error) {
    return {std::string(error.kind()), error.what()};
  }
  return {"none", ""};
}

TEST(TensorFlowErrors, EveryCase) {
  std::ifstream in(std::string(EQUIV_SOURCE_DIR) + "/suites/kernels/cpu_compute/tf_errors.jsonl");
  int cases = 0;
  for (std::string line; std::getline(in, line);) {
    const json c = json::parse(line);
    const std::string op = c.at("op"), where = fmt::format("[{}] 'node': ", op);
    SCOPED_TRACE(fmt::format("line {}: {} {} {}", ++cases, op, c.at("attrs").dump(), c.at("inputs").dump()));
    const Refusal kernel = Call(c, false), shapes = Call(c, true);
    // What is too large overflows here, and has no memory in TensorFlow.
    if (kernel.kind != "InvalidArgumentError" || c.at("kind") != "ResourceExhaustedError") {
      EXPECT_EQ(kernel.kind, c.at("kind").get<std::string>());
    }
    EXPECT_THAT(kernel.text, HasSubstr(where));
    EXPECT_THAT(kernel.text, HasSubstr(c.at("text").get<std::string>()));
    EXPECT_TRUE(shapes.kind == kernel.kind || shapes.kind == "InvalidArgumentError") << shapes.kind;
    EXPECT_THAT(shapes.text, HasSubstr(where));
  }
  EXPECT_GT(cases, 250);
}
}  // namespace
}  // namespace equiv::test
