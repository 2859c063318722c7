#include "equiv/harness/guards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures/models/scaling.h"
#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/eager/eager.h"

namespace equiv {
namespace {
using testing::HasSubstr;
using testing::MatchesRegex;

const runtime::Tensor Input() { return runtime::Ones({1, 299, 299, 3}); }
template <class F>
std::string ValueErrorText(F&& f) {
  try {
    f();
  } catch (const ValueError& e) {
    return e.what();
  }
  return "no ValueError";
}

class Guards : public testing::Test {
 protected:
  void SetUp() override { runtime::EagerContext::Get().Reset(); }
};

TEST_F(Guards, BrokenLayerIsStoppedAtTheCreatingLine) {
  fixtures::BrokenScalingLayer layer;
  layer(Input());
  const std::string text = ValueErrorText([&] {
    AssertNoVariableCreations guard;
    layer(Input());
  });
  // The text of the migration guide, figure for figure.
  EXPECT_THAT(text,
              HasSubstr("Exception encountered when calling layer 'broken_scaling_layer' (type BrokenScalingLayer).\n\n"
                        "Attempted to create a new variable instead of reusing an existing one. Args: "
                        "{'initial_value': 2.0, 'trainable': None, "
                        "'validate_shape': True, 'caching_device': None, 'name': None, 'variable_def': None, 'dtype': "
                        "None, 'import_scope': None, "
                        "'constraint': None, 'synchronization': <VariableSynchronization.AUTO: 0>, 'aggregation': "
                        "<VariableAggregation.NONE: 0>, "
                        "'shape': None, 'experimental_enable_variable_lifting': None}"));
  EXPECT_THAT(text, HasSubstr("Call arguments received by layer 'broken_scaling_layer' (type BrokenScalingLayer):\n"
                              "  \u2022 inputs=tf.Tensor(shape=(1, 299, 299, 3), dtype=float32)"));
  EXPECT_THAT(text, testing::ContainsRegex("\ncreated at scaling.cc:[0-9]+\n"));
}
TEST_F(Guards, CreatedVariablesAreListedAtTheEnd) {
  fixtures::BrokenScalingLayer first;
  first(Input());
  fixtures::BrokenScalingLayer layer;
  layer(Input());
  const std::string text = ValueErrorText([&] { CatchAndRaise([&] { layer(Input()); }); });
  EXPECT_THAT(
      text,
      testing::StartsWith(
          "('Created vars:', [<tf.Variable 'broken_scaling_layer_1/Variable:0' shape=() dtype=float32, numpy=2.0>, "
          "<tf.Variable 'broken_scaling_layer_1/bias:0' shape=() dtype=float32, numpy=2.0>])"));
  EXPECT_THAT(text, testing::ContainsRegex("\nbroken_scaling_layer_1/bias:0 created at scaling.cc:[0-9]+\n"));
}
TEST_F(Guards, FixedLayerPassesBoth) {
  fixtures::FixedScalingLayer layer;
  layer(Input());
  EXPECT_NO_THROW({
    AssertNoVariableCreations guard;
    layer(Input());
  });
  EXPECT_NO_THROW(CatchAndRaise([&] { layer(Input()); }));
}
TEST_F(Guards, AnErrorOfTheBodyPassesThrough) {
  EXPECT_THROW(CatchAndRaise([&] {
                 runtime::MakeVariable(1.0);
                 throw KeyError("mine");
               }),
               KeyError);
}
TEST_F(Guards, CreationWorksAgainAfterTheGuard) {
  { AssertNoVariableCreations guard; }
  EXPECT_EQ(runtime::MakeVariable(3.0).name(), "Variable:0");
}
TEST_F(Guards, GetVariableIsCaughtToo) {
  EXPECT_THAT(ValueErrorText([] {
                AssertNoVariableCreations guard;
                runtime::GetVariable("w", {.shape = PartialShape{2}});
              }),
              HasSubstr("'name': 'w'"));
}
}  // namespace
}  // namespace equiv
