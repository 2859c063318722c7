// Saver in graphs and eagerly. Expectations recorded from TensorFlow 2.15.1.
#include "runtime/checkpoint/saver.h"

#include <gmock/gmock.h>

#include "runtime/checkpoint/checkpoint_state.h"
#include "suites/runtime/checkpoint/objects.h"

namespace equiv::runtime {
namespace {
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string StateText(const std::vector<std::string>& paths) {
  std::string text = "model_checkpoint_path: \"" + paths.back() + "\"\n";
  for (const std::string& path : paths) text += "all_model_checkpoint_paths: \"" + path + "\"\n";
  return text;
}

class SaverInGraph : public CheckpointTest {
 protected:
  SaverInGraph() : scope_(graph_), session_(graph_) {}
  static Variable Get(const char* name, const Array& initial, GetVariableOptions options = {}) {
    options.initial_value = Constant(initial);
    return GetVariable(name, options);
  }
  static Array Floats(const std::vector<float>& values) { return Array::Of<float>(Shape{std::ssize(values)}, values); }
  void Initialize() { session_.Run(GlobalVariablesInitializer()); }
  std::vector<float> Run(const Variable& v) {
    const Array array = session_.Run(v.value());
    return {array.data<float>(), array.data<float>() + array.num_elements()};
  }
  // In a graph of its own: a = [1, 2, 3], scope/b = [4, 5].
  static std::string WriteNames(const std::string& prefix, const SaveOptions& options = {}) {
    Graph graph;
    GraphScope scope(graph);
    Session session(graph);
    Get("a", Floats({1, 2, 3}));
    Get("scope/b", Floats({4, 5}));
    session.Run(GlobalVariablesInitializer());
    return Saver().Save(&session, prefix, options);
  }
  Graph graph_;
  GraphScope scope_;
  Session session_;
};

TEST_F(SaverInGraph, FilesOfASave) {
  EXPECT_EQ(WriteNames("n"), "n");
  EXPECT_THAT(FilesIn("."), ElementsAre("checkpoint", "n.data-00000-of-00001", "n.index", "n.meta"));
  EXPECT_EQ(io::ReadFile("checkpoint"), StateText({"n"}));
  EXPECT_EQ(WriteNames("n", {.global_step = 7, .write_meta_graph = false}), "n-7");
  EXPECT_EQ(io::ReadFile("checkpoint"), StateText({"n-7"}));
  std::filesystem::create_directory("quiet");
  EXPECT_EQ(WriteNames("quiet/n", {.write_meta_graph = false, .write_state = false}), "quiet/n");
  EXPECT_THAT(FilesIn("quiet"), ElementsAre("n.data-00000-of-00001", "n.index"));
  std::filesystem::create_directory("other");
  WriteNames("other/n", {.latest_filename = "my_state", .meta_graph_suffix = "metaX"});
  EXPECT_THAT(FilesIn("other"), ElementsAre("my_state", "n.data-00000-of-00001", "n.index", "n.metaX"));
  EXPECT_EQ(io::ReadFile("other/my_state"), StateText({"n"}));
}

TEST_F(SaverInGraph, RefusedPaths) {
  EXPECT_EQ(Attempt([] { WriteNames("n", {.latest_filename = "x/y"}); }),
            "ValueError: 'latest_filename' must not contain path components");
  EXPECT_EQ(Attempt([] { WriteNames("missing/dir/n"); }),
            "ValueError: Parent directory of missing/dir/n doesn't exist, can't save.");
  EXPECT_EQ(Attempt([] { WriteNames("checkpoint"); }),
            "ValueError: 'latest_filename' collides with 'save_path': 'checkpoint' and 'checkpoint'");
  EXPECT_THAT(Attempt([] { WriteNames(""); }), StartsWith("ValueError: no path specified"));
  EXPECT_TRUE(FilesIn(".").empty());
}

TEST_F(SaverInGraph, AnUninitialisedVariableLeavesNoFile) {
  GetVariable("a", {.shape = PartialShape{2}});
  EXPECT_THAT(Attempt([&] { Saver().Save(&session_, "./n"); }),
              AllOf(StartsWith("FailedPreconditionError"), HasSubstr("Could not find variable a.")));
  EXPECT_TRUE(FilesIn(".").empty());
}

TEST_F(SaverInGraph, WhatCanBeSaved) {
  EXPECT_EQ(Attempt([] { Saver(); }), "ValueError: No variables to save");
  EXPECT_EQ(Attempt([] { Saver(Saver::VarList{}); }), "ValueError: No variables to save");
  Saver empty(SaverOptions{.allow_empty = true});
  EXPECT_EQ(empty.Save(&session_, "n"), "");
  EXPECT_THAT(FilesIn("."), ElementsAre("n.meta"));
  empty.Restore(&session_, "nowhere");
  Saver later(SaverOptions{.defer_build = true});
  EXPECT_EQ(Attempt([&] { later.Save(&session_, "n"); }),
            "RuntimeError: `build()` should be called before save if defer_build==True");
  const Variable a = Get("a", Floats({1}));
  Initialize();
  later.Build();
  EXPECT_EQ(later.Save(&session_, "n"), "n");
  EXPECT_EQ(Attempt([&] { Saver(Saver::VarList{a}, {.defer_build = true}); }),
            "ValueError: If `var_list` is provided then build cannot be deferred. Either set defer_build=False or "
            "var_list=None.");
  EXPECT_EQ(Attempt([&] { Saver(Saver::VarList{a, a}); }), "ValueError: At least two variables have the same name: a");
  EXPECT_EQ(Attempt([&] {
              Saver(Saver::VarDict{{"x", a}, {"y", a}});
            }),
            "ValueError: The same saveable will be restored with two names: y");
  EXPECT_THAT(Attempt([&] { Saver(Saver::VarList{Variable()}); }), StartsWith("TypeError: Variable to save is not a"));
}

TEST_F(SaverInGraph, LocalVariablesAreNotSaved) {
  Get("a", Floats({1}));
  Get("l", Floats({1}), {.collections = {"local_variables"}});
  Get("m", Floats({2}), {.trainable = false});
  Initialize();
  Saver().Save(&session_, "n");
  EXPECT_THAT(KeysOf("n"), ElementsAre("a", "m"));
}

TEST_F(SaverInGraph, Restores) {
  WriteNames("n");
  const Logged log;
  const Variable a = GetVariable("a", {.shape = PartialShape{3}}),
                 b = GetVariable("scope/b", {.shape = PartialShape{2}});
  for (const bool sequentially : {false, true}) {
    Saver(SaverOptions{.restore_sequentially = sequentially}).Restore(&session_, "n");
    EXPECT_THAT(Run(a), ElementsAre(1, 2, 3));
    EXPECT_THAT(Run(b), ElementsAre(4, 5));
  }
  EXPECT_EQ(log.text(), "INFO: Restoring parameters from n\nINFO: Restoring parameters from n\n");
  const Variable x = GetVariable("x", {.shape = PartialShape{3}});
  Saver({{"a", x}}).Restore(&session_, "n");
  EXPECT_THAT(Run(x), ElementsAre(1, 2, 3));
  const Variable column = GetVariable("column", {.shape = PartialShape{3, 1}});
  Saver(Saver::VarDict{{"a", column}}, {.reshape = true}).Restore(&session_, "n");
  EXPECT_THAT(Run(column), ElementsAre(1, 2, 3));
}

TEST_F(SaverInGraph, RefusedRestores) {
  WriteNames("n");
  const Logged quiet;
  const Variable a = GetVariable("a", {.shape = PartialShape{3}});
  Saver saver;
  EXPECT_EQ(Attempt([&] { saver.Restore(&session_, ""); }), "ValueError: Can't load save_path when it is None.");
  EXPECT_EQ(Attempt([&] { saver.Restore(&session_, "nothing/here"); }),
            "ValueError: The passed save_path is not a valid checkpoint: nothing/here");
  const Variable zz = GetVariable("zz", {.shape = PartialShape{3}});
  EXPECT_THAT(Attempt([&] { Saver().Restore(&session_, "n"); }),
              AllOf(StartsWith("NotFoundError: Restoring from checkpoint failed. This is most likely due to a Variable "
                               "name or other graph key that is missing from the checkpoint."),
                    HasSubstr("Key zz not found in checkpoint")));
  const Variable other = GetVariable("other", {.shape = PartialShape{3}, .dtype = DType::kFloat64});
  EXPECT_THAT(Attempt([&] {
                Saver({{"a", other}}).Restore(&session_, "n");
              }),
              AllOf(StartsWith("InvalidArgumentError: Restoring from checkpoint failed. This is most likely due to a "
                               "mismatch between the current graph and the graph from the checkpoint."),
                    HasSubstr("tensor_name = a; expected dtype double does not equal original dtype float")));
  const Variable reference = GetVariable("ref", {.shape = PartialShape{2}, .use_resource = false});
  EXPECT_THAT(Attempt([&] {
                Saver({{"a", reference}}).Restore(&session_, "n");
              }),
              AllOf(StartsWith("InvalidArgumentError"), HasSubstr("[2]"), HasSubstr("[3]")));
  // TensorFlow gives a resource the new shape in silence.
  const Variable resource = GetVariable("res", {.shape = PartialShape{2}});
  EXPECT_THAT(Attempt([&] { Saver({{"a", resource}}).Restore(&session_, "n"); }), StartsWith("InvalidArgumentError"));
}

TEST_F(SaverInGraph, PartitionedVariables) {
  const auto get = [](std::int64_t rows, std::int64_t parts, const Initializer& initializer) {
    return GetVariableOrTensor(
               "p",
               {.shape = PartialShape{rows, 2}, .initializer = initializer, .partitioner = FixedSizePartitioner(parts)})
        .partitioned;
  };
  const PartitionedVariable two = get(5, 2, OnesInitializer());
  Initialize();
  Saver(Saver::VarList{two}).Save(&session_, "n", {.write_meta_graph = false});
  EXPECT_EQ(ListVariables("n"), (std::vector<std::pair<std::string, std::vector<std::int64_t>>>{{"p", {5, 2}}}));
  const auto in_another = [&](std::int64_t rows, std::int64_t parts) {
    Graph graph;
    GraphScope scope(graph);
    Session session(graph);
    const PartitionedVariable other = get(rows, parts, ZerosInitializer());
    Saver().Restore(&session, "n");
    double sum = 0;
    for (const Variable& part : other.parts) {
      const Array value = session.Run(part.value());
      for (std::int64_t i = 0; i < value.num_elements(); ++i) sum += value.ElementAsDouble(i);
    }
    return sum;
  };
  const Logged quiet;
  EXPECT_EQ(in_another(5, 3), 10);
  EXPECT_EQ(in_another(5, 1), 10);
  EXPECT_THAT(Attempt([&] { in_another(6, 3); }),
              AllOf(StartsWith("InvalidArgumentError"),
                    HasSubstr("shape in shape_and_slice spec [6,2] does not match the shape stored in checkpoint: "
                              "[5,2]")));
  // One part alone: the tensor can be listed, not read.
  Saver(Saver::VarList{std::vector<Variable>{two.parts[1]}}).Save(&session_, "part", {.write_meta_graph = false});
  EXPECT_THAT(KeysOf("part"), ElementsAre("p"));
  EXPECT_NE(Attempt([] { LoadVariable("part", "p"); }), "ok");
}

TEST_F(SaverInGraph, ReadsObjectBasedFiles) {
  {
    EagerScope eager;
    Checkpoint({{"x", Attribute::Dict{{"y", V({7, 8, 9}, "a")}}}}).Save("o");
  }
  const Logged log;
  const Variable a = GetVariable("a", {.shape = PartialShape{3}});
  Saver().Restore(&session_, "o-1");
  EXPECT_THAT(Run(a), ElementsAre(7, 8, 9));
  EXPECT_THAT(log.text(), HasSubstr("WARNING: Restoring an object-based checkpoint using a name-based saver."));
  GetVariable("b", {.shape = PartialShape{3}});
  EXPECT_THAT(
      Attempt([&] { Saver().Restore(&session_, "o-1"); }),
      StartsWith("NotFoundError: \n\nExisting variables not in the checkpoint: b\n\nVariables names when this "
                 "checkpoint was written which don't exist now: save_counter\n\n(1 variable name(s) did match)"));
}

TEST_F(SaverInGraph, OpNames) {
  GetVariable("a", {.shape = PartialShape{3}});
  GetVariable("b", {.shape = PartialShape{3}});
  const std::size_t before = graph_.nodes().size();
  Saver saver(SaverOptions{.max_to_keep = 3, .keep_checkpoint_every_n_hours = 2});
  std::vector<std::string> names;
  for (std::size_t i = before; i < graph_.nodes().size(); ++i) names.push_back(graph_.nodes()[i]->name());
  EXPECT_THAT(names, ElementsAre("save/filename/input", "save/filename", "save/Const", "save/SaveV2/tensor_names",
                                 "save/SaveV2/shape_and_slices", "save/SaveV2", "save/control_dependency",
                                 "save/RestoreV2/tensor_names", "save/RestoreV2/shape_and_slices", "save/RestoreV2",
                                 "save/Identity", "save/AssignVariableOp", "save/Identity_1", "save/AssignVariableOp_1",
                                 "save/restore_all"));
  const SaverDef def = saver.AsSaverDef();
  EXPECT_EQ(def.filename_tensor_name, "save/Const:0");
  EXPECT_EQ(def.save_tensor_name, "save/control_dependency:0");
  EXPECT_EQ(def.restore_op_name, "save/restore_all");
  EXPECT_EQ(def.max_to_keep, 3);
  EXPECT_EQ(def.keep_checkpoint_every_n_hours, 2);
}

TEST_F(SaverInGraph, MetaGraphs) {
  WriteNames("n");
  const Logged log;
  const auto saver = ImportMetaGraph("n.meta");
  ASSERT_TRUE(saver);
  saver->Restore(&session_, "n");
  const std::vector<Variable> variables = GlobalVariables();
  ASSERT_EQ(variables.size(), 2U);
  EXPECT_EQ(variables[0].name(), "a:0");
  EXPECT_THAT(Run(variables[0]), ElementsAre(1, 2, 3));
  EXPECT_EQ(variables[1].name(), "scope/b:0");
  EXPECT_THAT(Attempt([] { ImportMetaGraph("nothing.meta"); }),
              AllOf(StartsWith("NotFoundError"), HasSubstr("nothing.meta")));
  {
    Graph graph;
    GraphScope scope(graph);
    Constant(Array::Scalar(1.0F));
    ExportMetaGraph(graph, "m.meta");
  }
  Graph graph;
  GraphScope scope(graph);
  EXPECT_EQ(ImportMetaGraph("m.meta"), nullptr);
  EXPECT_THAT(log.text(), HasSubstr("INFO: Saver not created because there are no variables in the graph to restore"));
}

TEST_F(SaverInGraph, StepNumbers) {
  Get("a", Floats({1}));
  Initialize();
  std::vector<std::string> paths;
  for (const bool pad : {false, true}) {
    Saver saver(SaverOptions{.pad_step_number = pad});
    for (const std::int64_t step : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{99999999}, std::int64_t{1} << 40})
      paths.push_back(saver.Save(&session_, "n", {.global_step = step, .write_meta_graph = false}));
  }
  EXPECT_THAT(paths, ElementsAre("n--1", "n-0", "n-99999999", "n-1099511627776", "n--0000001", "n-00000000",
                                 "n-99999999", "n-1099511627776"));
}

struct KeepCase {
  std::string name;
  std::optional<int> max_to_keep;
  std::vector<std::int64_t> steps;
  std::vector<std::string> files, last, state;
};
class SaverKeeps : public SaverInGraph, public testing::WithParamInterface<KeepCase> {};
TEST_P(SaverKeeps, MaxToKeep) {
  const KeepCase& c = GetParam();
  Get("a", Floats({1}));
  Initialize();
  const Logged quiet;
  Saver saver(SaverOptions{.max_to_keep = c.max_to_keep});
  for (const std::int64_t step : c.steps) saver.Save(&session_, "m", {.global_step = step, .write_meta_graph = false});
  std::vector<std::string> files;
  for (const std::string& file : FilesIn("."))
    if (file.ends_with(".index")) files.push_back(file.substr(0, file.size() - 6));
  EXPECT_EQ(files, c.files);
  EXPECT_EQ(saver.last_checkpoints(), c.last);
  EXPECT_EQ(io::ReadFile("checkpoint"), StateText(c.state));
}
INSTANTIATE_TEST_SUITE_P(
    All, SaverKeeps,
    testing::Values(KeepCase{"default",
                             5,
                             {0, 1, 2, 3, 4, 5},
                             {"m-1", "m-2", "m-3", "m-4", "m-5"},
                             {"m-1", "m-2", "m-3", "m-4", "m-5"},
                             {"m-1", "m-2", "m-3", "m-4", "m-5"}},
                    KeepCase{"one", 1, {0, 1, 2}, {"m-2"}, {"m-2"}, {"m-2"}},
                    KeepCase{"repeated", 2, {1, 2, 1, 3, 3, 2}, {"m-2", "m-3"}, {"m-3", "m-2"}, {"m-3", "m-2"}},
                    KeepCase{"zero", 0, {0, 1}, {"m-0", "m-1"}, {}, {"m-1"}},
                    KeepCase{"none", std::nullopt, {0, 1}, {"m-0", "m-1"}, {}, {"m-1"}}),
    [](const auto& info) { return info.param.name; });

TEST_F(SaverInGraph, KeepsOneEveryNHours) {
  Get("a", Floats({1}));
  Initialize();
  double now = 0;
  Saver saver(SaverOptions{.max_to_keep = 1, .keep_checkpoint_every_n_hours = 1, .clock = [&] { return now; }});
  for (std::int64_t step = 0; step < 8; ++step) {
    now = static_cast<double>(step) * 1500;
    saver.Save(&session_, "m", {.global_step = step, .write_meta_graph = false});
  }
  std::vector<std::string> files;
  for (const std::string& file : FilesIn("."))
    if (file.ends_with(".index")) files.push_back(file);
  // Written at 4500 and 7500 seconds: the first after each full hour.
  EXPECT_THAT(files, ElementsAre("m-3.index", "m-5.index", "m-7.index"));
}

TEST_F(SaverInGraph, RelativePathsInTheState) {
  Get("a", Floats({1}));
  Initialize();
  const std::string here = std::filesystem::current_path().string();
  Saver absolute, relative(SaverOptions{.save_relative_paths = true});
  absolute.Save(&session_, here + "/n", {.global_step = 1, .write_meta_graph = false});
  EXPECT_EQ(io::ReadFile("checkpoint"), StateText({here + "/n-1"}));
  relative.Save(&session_, here + "/n", {.global_step = 1, .write_meta_graph = false});
  relative.Save(&session_, here + "/n", {.global_step = 2, .write_meta_graph = false});
  EXPECT_EQ(io::ReadFile("checkpoint"), StateText({"n-1", "n-2"}));
  EXPECT_THAT(relative.last_checkpoints(), ElementsAre(here + "/n-1", here + "/n-2"));
}

class SaverInEager : public CheckpointTest {};

TEST_F(SaverInEager, SavesAndRestores) {
  const Logged quiet;
  const Variable a = V({1, 2}, "a");
  Saver saver(Saver::VarList{a});
  EXPECT_EQ(saver.Save(nullptr, "n"), "n");
  a.Assign(Tensor(Array::Full<float>(Shape{2}, 0)));
  saver.Restore(nullptr, "n");
  EXPECT_THAT(ValuesOf(a), ElementsAre(1, 2));
  EXPECT_THAT(FilesIn("."), ElementsAre("checkpoint", "n.data-00000-of-00001", "n.index"));
  const Variable column = MakeVariable(Tensor(Array::Full<float>(Shape{2, 1}, 0)), {.name = "a"});
  Saver(Saver::VarList{column}, {.reshape = true}).Restore(nullptr, "n");
  EXPECT_THAT(ValuesOf(column), ElementsAre(1, 2));
}

TEST_F(SaverInEager, Refusals) {
  const Logged quiet;
  EXPECT_EQ(Attempt([] { Saver(); }),
            "RuntimeError: When eager execution is enabled, `var_list` must specify a list or dict of variables to "
            "save");
  const Variable a = V({1, 2, 3}, "a"), twin = V(2, "a");
  EXPECT_EQ(
      Attempt([&] {
        Saver(Saver::VarList{a, twin}).Save(nullptr, "n");
      }),
      "ValueError: Two different ResourceVariable objects with the same shared_name 'a' were passed to the Saver. "
      "This likely means that they were created in different Graphs or isolated contexts, and may not be "
      "checkpointed together.");
  Saver(Saver::VarList{a, a}).Save(nullptr, "n");
  EXPECT_THAT(KeysOf("n"), ElementsAre("a"));
  EXPECT_EQ(Attempt([&] {
              Saver({{"p", a}, {"q", a}});
            }),
            "ValueError: The same saveable will be restored with two names: q");
  EXPECT_EQ(Attempt([&] { Saver(Saver::VarList{a}).Save(nullptr, "no/such/dir/n"); }),
            "ValueError: Parent directory of no/such/dir/n doesn't exist, can't save.");
  const Variable small = V({0, 0}, "a");
  EXPECT_EQ(Attempt([&] { Saver(Saver::VarList{small}).Restore(nullptr, "n"); }),
            "ValueError: Received incompatible tensor with shape (3,) when attempting to restore variable with shape "
            "(2,) and name a.");
  EXPECT_THAT(ValuesOf(small), ElementsAre(0, 0));
  const Variable zz = V({0}, "zz");
  EXPECT_THAT(Attempt([&] { Saver(Saver::VarList{zz}).Restore(nullptr, "n"); }),
              StartsWith("NotFoundError: Restoring from checkpoint failed."));
}

TEST_F(SaverInEager, ReadsObjectBasedFiles) {
  const Logged quiet;
  Checkpoint({{"q", V({5, 6}, "a")}}).Write("o");
  const Variable b = V({0, 0}, "a");
  Saver(Saver::VarList{b}).Restore(nullptr, "o");
  EXPECT_THAT(ValuesOf(b), ElementsAre(5, 6));
  EXPECT_EQ(ObjectGraphKeyMapping("o"),
            (std::vector<std::pair<std::string, std::string>>{{"a", "q/.ATTRIBUTES/VARIABLE_VALUE"}}));
}

}  // namespace
}  // namespace equiv::runtime
