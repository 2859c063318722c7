#include "equiv/harness/ablate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equiv/equiv.h"
#include "kernels/base/error.h"

namespace equiv {
namespace {
namespace rt = runtime;

// relu(x * w + b), with the addition of a slightly wrong constant in eager.
rt::Tensor Model(const rt::Tensor& x) {
  rt::VariableScope scope("m");
  const rt::Variable w = rt::GetVariable("w", {.shape = PartialShape{4}, .initializer = rt::GlorotUniform()});
  const rt::Tensor product = rt::Multiply(x, w);
  const rt::Tensor sum = rt::Add(product, rt::Constant(rt::Current().eager() ? 0.5001f : 0.5f));
  return rt::Relu(sum);
}
AblateOptions WithInput() {
  AblateOptions options;
  options.request.inputs = {Array::Of<float>({2, 4}, {1, 2, 3, 4, -1, 0.5f, 0.25f, 7})};
  options.request.random = NumRandomOps(42);
  options.request.backend = "cpu";
  return options;
}
const AblateRow& Row(const Ablation& a, const std::string& op) {
  for (const AblateRow& row : a.rows)
    if (row.op == op) return row;
  throw KeyError(op);
}

TEST(Ablate, TellsIntroducedFromInherited) {
  const Ablation a = Ablate(*InSession(Model), *InEager(Model), WithInput());
  ASSERT_EQ(a.rows.size(), 3u);
  EXPECT_EQ(Row(a, "Mul").total.max_abs, 0);
  EXPECT_GT(Row(a, "AddV2").total.max_abs, 0);
  EXPECT_GT(Row(a, "Relu").inherited.max_abs, 0);
  EXPECT_EQ(Row(a, "Relu").introduced.max_abs, 0);
}
TEST(Ablate, FromStartsWithTheFirstSidesValue) {
  AblateOptions options = WithInput();
  options.from = "m/Add";
  const Ablation a = Ablate(*InSession(Model), *InEager(Model), options);
  ASSERT_EQ(a.rows.size(), 2u);
  EXPECT_TRUE(a.rows[0].fixed);
  EXPECT_EQ(Row(a, "Relu").total.max_abs, 0);
}
TEST(Ablate, FixedValuesReachBothSides) {
  AblateOptions options = WithInput();
  options.fix["m/Add:0"] = Array::Full<float>({2, 4}, 3.0f);
  const Ablation a = Ablate(*InSession(Model), *InEager(Model), options);
  EXPECT_EQ(Row(a, "Relu").total.max_abs, 0);
  EXPECT_TRUE(Row(a, "AddV2").fixed);
}
TEST(Ablate, UnknownNamesAndShapesAreErrors) {
  AblateOptions options = WithInput();
  options.to = "nowhere";
  EXPECT_THROW(Ablate(*InSession(Model), *InEager(Model), options), NotFoundError);
  options.to.clear();
  options.fix["m/Add"] = Array::Full<float>({2, 5}, 3.0f);
  EXPECT_THROW(Ablate(*InSession(Model), *InEager(Model), options), InvalidArgumentError);
}
}  // namespace
}  // namespace equiv
