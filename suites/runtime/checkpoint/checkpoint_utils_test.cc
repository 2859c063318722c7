// init_from_checkpoint and warm_start. Expectations recorded from TensorFlow 2.15.1.
#include "runtime/checkpoint/checkpoint_utils.h"

#include <gmock/gmock.h>

#include "runtime/checkpoint/saver.h"
#include "suites/runtime/checkpoint/objects.h"

namespace equiv::runtime {
namespace {
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Array Floats(const std::vector<float>& values) { return Array::Of<float>(Shape{std::ssize(values)}, values); }
Variable Zeros(const char* name, std::int64_t size, GetVariableOptions options = {}) {
  options.shape = PartialShape{size};
  options.initializer = ZerosInitializer();
  return GetVariable(name, options);
}

// The checkpoint `n`: a [3], old/x [2], old/sub/y [1], p [3, 2] in two parts.
class CheckpointUtils : public CheckpointTest {
 protected:
  void SetUp() override {
    CheckpointTest::SetUp();
    {
      Graph graph;
      GraphScope scope(graph);
      Session session(graph);
      GetVariable("a", {.initial_value = Constant(Floats({1, 2, 3}))});
      GetVariable("old/x", {.initial_value = Constant(Floats({4, 5}))});
      GetVariable("old/sub/y", {.initial_value = Constant(Floats({6}))});
      GetVariableOrTensor(
          "p", {.shape = PartialShape{3, 2}, .initializer = OnesInitializer(), .partitioner = FixedSizePartitioner(2)});
      session.Run(GlobalVariablesInitializer());
      Saver().Save(&session, "n", {.write_meta_graph = false});
    }
    in_graph_ = std::make_unique<GraphScope>(graph_);
    session_ = std::make_unique<Session>(graph_);
  }
  void TearDown() override { in_graph_.reset(); }
  std::vector<float> Run(const Variable& v) {
    session_->Run(v.initializer());
    const Array array = session_->Run(v.value());
    return {array.data<float>(), array.data<float>() + array.num_elements()};
  }
  Graph graph_;
  std::unique_ptr<GraphScope> in_graph_;
  std::unique_ptr<Session> session_;
};

TEST_F(CheckpointUtils, FiveForms) {
  const Variable x = Zeros("new/x", 2), y = Zeros("new/sub/y", 1);
  InitFromCheckpoint("n", {{"old/", "new/"}});
  EXPECT_THAT(Run(x), ElementsAre(4, 5));
  EXPECT_THAT(Run(y), ElementsAre(6));

  const Variable a = Zeros("q/a", 3);
  InitFromCheckpoint("n", {{"a", "q/a"}});
  EXPECT_THAT(Run(a), ElementsAre(1, 2, 3));

  const Variable plain = MakeVariable(Constant(Floats({0, 0, 0})), {.name = "plain"});
  InitFromCheckpoint("n", {{"a", plain}});
  EXPECT_THAT(Run(plain), ElementsAre(1, 2, 3));

  const PartitionedVariable parts = GetVariableOrTensor("np", {.shape = PartialShape{3, 2},
                                                               .initializer = ZerosInitializer(),
                                                               .partitioner = FixedSizePartitioner(3)})
                                        .partitioned;
  InitFromCheckpoint("n", {{"p", parts.parts}});
  for (const Variable& part : parts.parts) EXPECT_THAT(Run(part), ElementsAre(1, 1));

  const Variable scoped = Zeros("sc/a", 3);
  InitFromCheckpoint("n", {{"/", "sc/"}});
  EXPECT_THAT(Run(scoped), ElementsAre(1, 2, 3));
}

TEST_F(CheckpointUtils, MoreForms) {
  const Variable deep = Zeros("deep/new/y", 1);
  InitFromCheckpoint("n", {{"old/sub/", "deep/new/"}});
  EXPECT_THAT(Run(deep), ElementsAre(6));
  const PartitionedVariable whole =
      GetVariableOrTensor(
          "w", {.shape = PartialShape{3}, .initializer = ZerosInitializer(), .partitioner = FixedSizePartitioner(2)})
          .partitioned;
  InitFromCheckpoint("n", {{"a", "w"}});
  EXPECT_THAT(Run(whole.parts[0]), ElementsAre(1, 2));
  EXPECT_THAT(Run(whole.parts[1]), ElementsAre(3));
  const Variable reference = Zeros("ref", 3, {.use_resource = false});
  InitFromCheckpoint(".", {{"a", reference}});  // the folder's latest checkpoint
  EXPECT_THAT(Run(reference), ElementsAre(1, 2, 3));
  InitFromCheckpoint("n", {});
}

TEST_F(CheckpointUtils, RootToRoot) {
  const Variable a = Zeros("a", 3), x = Zeros("old/x", 2);
  InitFromCheckpoint("n", {{"/", "/"}});
  EXPECT_THAT(Run(a), ElementsAre(1, 2, 3));
  EXPECT_THAT(Run(x), ElementsAre(4, 5));
}

TEST_F(CheckpointUtils, AddsTheOpsThatTensorFlowAdds) {
  const Variable x = Zeros("x", 3);
  const std::size_t before = graph_.nodes().size();
  InitFromCheckpoint("n", {{"a", x}});
  std::vector<std::string> names;
  for (std::size_t i = before; i < graph_.nodes().size(); ++i) names.push_back(graph_.nodes()[i]->name());
  EXPECT_THAT(names, ElementsAre("checkpoint_initializer/prefix", "checkpoint_initializer/tensor_names",
                                 "checkpoint_initializer/shape_and_slices", "checkpoint_initializer", "Identity",
                                 "AssignVariableOp"));
}

TEST_F(CheckpointUtils, Refusals) {
  const Variable zz = Zeros("new/zz", 1), x = Zeros("small", 2);
  const Variable wide = GetVariable("wide", {.shape = PartialShape{3}, .dtype = DType::kFloat64});
  EXPECT_EQ(Attempt([] {
              InitFromCheckpoint("n", {{"old/", "new/"}});
            }),
            "ValueError: Tensor old/zz (zz in old/) is not found in n checkpoint");
  EXPECT_EQ(Attempt([] {
              InitFromCheckpoint("n", {{"old", "new/"}});
            }),
            "ValueError: Assignment map with scope only name new should map to scope only old. Should be 'scope/': "
            "'other_scope/'.");
  EXPECT_EQ(Attempt([] {
              InitFromCheckpoint("n", {{"a", "nope"}});
            }),
            "ValueError: Assignment map with scope only name  should map to scope only a. Should be 'scope/': "
            "'other_scope/'.");
  EXPECT_THAT(Attempt([&] {
                InitFromCheckpoint("n", {{"nope", x}});
              }),
              AllOf(StartsWith("ValueError: Tensor nope is not found in n checkpoint {'"), HasSubstr("'a': [3]")));
  EXPECT_EQ(Attempt([&] {
              InitFromCheckpoint("n", {{"a", x}});
            }),
            "ValueError: Shape of variable small:0 ((2,)) doesn't match with shape of tensor a ([3]) from checkpoint "
            "reader.");
  EXPECT_THAT(Attempt([&] { InitFromCheckpoint("gone", {{"a", x}}); }), StartsWith("NotFoundError"));
  std::filesystem::create_directory("e");
  EXPECT_EQ(Attempt([&] {
              InitFromCheckpoint("e", {{"a", x}});
            }),
            "ValueError: Couldn't find 'checkpoint' file or checkpoints in given directory e");
  InitFromCheckpoint("n", {{"a", wide}});
  EXPECT_THAT(Attempt([&] { session_->Run(wide.initializer()); }),
              AllOf(StartsWith("InvalidArgumentError"),
                    HasSubstr("tensor_name = a; expected dtype double does not equal original dtype float")));
}

TEST_F(CheckpointUtils, EagerVariablesAreAssigned) {
  EagerScope eager;
  const Variable x = V({0, 0, 0}, "x");
  InitFromCheckpoint("n", {{"a", x}});
  EXPECT_THAT(ValuesOf(x), ElementsAre(1, 2, 3));
}

TEST_F(CheckpointUtils, WarmStartChoosesVariables) {
  using Chosen = decltype(WarmStartSettings::vars_to_warm_start);
  struct Case {
    Chosen chosen;
    std::vector<std::vector<float>> values;  // a, old/x, old/sub/y
    std::string log;
  };
  const std::vector<float> a = {1, 2, 3}, x = {4, 5}, y = {6}, a0 = {0, 0, 0}, x0 = {0, 0}, y0 = {0};
  const std::string trainable = "INFO: Warm-starting variables only in TRAINABLE_VARIABLES.\n";
  for (const Case& c :
       {Case{".*", {a, x, y0}, trainable + "INFO: Warm-started 2 variables.\n"},
        Case{"old.*", {a0, x, y0}, trainable + "INFO: Warm-started 1 variables.\n"},
        Case{"x", {a0, x0, y0}, trainable + "INFO: Warm-started 0 variables.\n"},
        Case{".*x", {a0, x, y0}, trainable + "INFO: Warm-started 1 variables.\n"},
        Case{std::vector<std::string>{"a", "old/sub/y"}, {a, x0, y}, "INFO: Warm-started 2 variables.\n"},
        Case{std::vector<std::string>{"o.*"}, {a0, x, y}, "INFO: Warm-started 2 variables.\n"},
        Case{std::monostate(), {a0, x0, y0}, trainable + "INFO: Warm-started 0 variables.\n"}}) {
    Graph graph;
    GraphScope scope(graph);
    Session session(graph);
    const std::vector<Variable> variables = {Zeros("a", 3), Zeros("old/x", 2),
                                             Zeros("old/sub/y", 1, {.trainable = false})};
    const Logged log;
    WarmStart({.ckpt_to_initialize_from = "n", .vars_to_warm_start = c.chosen});
    session.Run(GlobalVariablesInitializer());
    for (std::size_t i = 0; i < variables.size(); ++i) {
      const Array value = session.Run(variables[i].value());
      EXPECT_EQ(std::vector<float>(value.data<float>(), value.data<float>() + value.num_elements()), c.values[i]);
    }
    EXPECT_EQ(log.text(), "INFO: Warm-starting from: n\n" + c.log);
  }
}

TEST_F(CheckpointUtils, WarmStartRenames) {
  const Logged quiet;
  const Variable q = Zeros("q", 3);
  WarmStart({.ckpt_to_initialize_from = "n",
             .vars_to_warm_start = std::vector<Variable>{q},
             .var_name_to_prev_var_name = {{"q", "a"}}});
  EXPECT_THAT(Run(q), ElementsAre(1, 2, 3));
  EXPECT_EQ(Attempt([&] {
              WarmStart({.ckpt_to_initialize_from = "n",
                         .vars_to_warm_start = "q",
                         .var_name_to_prev_var_name = {{"q", "a"}, {"gone", "a"}}});
            }),
            "ValueError: You provided the following variables in var_name_to_prev_var_name that were not used: "
            "{'gone'}.  Perhaps you misspelled them?  Here is the list of viable variable names: dict_keys(['q'])");
  EXPECT_THAT(Attempt([] { WarmStart({.ckpt_to_initialize_from = "n"}); }),
              StartsWith("ValueError: Tensor q is not found in n checkpoint"));
}

TEST_F(CheckpointUtils, WarmStartsFromObjects) {
  {
    EagerScope eager;
    Checkpoint({{"k", Attribute::Dict{{"v", V({7, 8, 9}, "a")}}}}).Save("o");
  }
  const Logged quiet;
  const Variable a = Zeros("a", 3), x = Zeros("old/x", 2);
  WarmStart({.ckpt_to_initialize_from = "o-1", .vars_to_warm_start = "a"});
  EXPECT_THAT(Run(a), ElementsAre(7, 8, 9));
  EXPECT_EQ(
      Attempt([] { WarmStart({.ckpt_to_initialize_from = "o-1"}); }),
      "ValueError: Attempting to warm-start from an object-based checkpoint, but found that the checkpoint did not "
      "contain values for all variables. The following variables were missing: {'old/x'}");
}

TEST_F(CheckpointUtils, WarmStartsPartitionedVariables) {
  const Logged quiet;
  const PartitionedVariable p =
      GetVariableOrTensor(
          "p", {.shape = PartialShape{3, 2}, .initializer = ZerosInitializer(), .partitioner = FixedSizePartitioner(3)})
          .partitioned;
  WarmStart({.ckpt_to_initialize_from = "n"});
  for (const Variable& part : p.parts) EXPECT_THAT(Run(part), ElementsAre(1, 1));
}

}  // namespace
}  // namespace equiv::runtime
