// equiv run as a user meets it: a graph file, a checkpoint, feeds and fetches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "equiv/compare/npy.h"
#include "equiv/compare/npz.h"
#include "kernels/io/file.h"
#include "runtime/checkpoint/convert.h"
#include "runtime/core/ops.h"
#include "runtime/graph/graph_def.h"
#include "runtime/random/initializers.h"
#include "runtime/session/session.h"
#include "suites/tools/equiv_binary.h"

namespace equiv {
namespace {
namespace rt = runtime;
using suites::Equiv;
using suites::Ran;
using testing::AllOf;
using testing::HasSubstr;

class RunTool : public suites::ToolFolder {
 protected:
  void SetUp() override {
    ToolFolder::SetUp();
    rt::Graph graph;
    rt::GraphScope scope(graph);
    const rt::Tensor x = rt::Placeholder(DType::kFloat32, PartialShape{-1, 2}, "x");
    rt::Tensor w;
    {
      rt::VariableScope net("net");
      w = rt::GetVariable("w", {.shape = PartialShape{2, 2}, .initializer = rt::OnesInitializer()});
    }
    const rt::Tensor hidden = rt::MatMul(x, w);
    rt::Identity(hidden, "hidden");
    rt::Identity(hidden + rt::Placeholder(DType::kFloat32, PartialShape(Shape{}), "bias"), "logits");
    rt::GlobalVariablesInitializer();
    rt::ExportMetaGraph(graph, In("model.meta"));
    rt::WriteGraph(graph, folder_.string(), "model.pbtxt");
    const Array value = Array::Of<float>({2, 2}, {1, 2, 3, 4});
    rt::WriteNameBased(In("names"), {{"net/w", [&] { return value; }}}, rt::StateFile::kKeep);
    const std::vector<rt::ValueToSave> objects = {{"net/w", [&] { return value; }}};
    rt::WriteObjectBased(In("objects"), objects, rt::StateFile::kKeep);
    WriteNpy(In("x.npy"), Array::Of<float>({1, 2}, {1, 10}));
  }
  // `equiv run` in the test's folder.
  Ran Run(const std::string& arguments) const { return Equiv("run " + arguments, "cd '" + folder_.string() + "' && "); }
  Array Output(const std::string& name, const std::string& file = "outputs.npz") const {
    return OpenNpz(In(file))->Read(name);
  }
};

TEST_F(RunTool, FeedsRestoresAndWritesWhatIsFetched) {
  for (const char* checkpoint : {"names", "objects"}) {
    const Ran ran =
        Run(std::string("model.meta --feed x=x.npy --feed bias=0.5 --fetch logits --fetch hidden:0 --checkpoint ") +
            checkpoint);
    ASSERT_EQ(ran.code, 0) << ran.text;
    EXPECT_THAT(ran.text,
                AllOf(HasSubstr("variables restored from '"),
                      HasSubstr("logits  float32[1,2]  min 31.5  max 42.5  mean 37"), HasSubstr("wrote outputs.npz")));
    EXPECT_TRUE(BitwiseEqual(Output("logits"), Array::Of<float>({1, 2}, {31.5f, 42.5f})));
    EXPECT_TRUE(BitwiseEqual(Output("hidden:0"), Array::Of<float>({1, 2}, {31, 42})));
  }
  const Ran other = Run("model.pbtxt --feed x:0=x.npy --fetch hidden --checkpoint names --out other.npz");
  ASSERT_EQ(other.code, 0) << other.text;
  EXPECT_TRUE(BitwiseEqual(Output("hidden", "other.npz"), Array::Of<float>({1, 2}, {31, 42})));
}
TEST_F(RunTool, InitialisesWithoutACheckpoint) {
  const Ran own = Run("model.meta --feed x=x.npy --fetch hidden");
  ASSERT_EQ(own.code, 0) << own.text;
  EXPECT_THAT(own.text, HasSubstr("1 variables initialised by their own initialisers"));
  EXPECT_TRUE(BitwiseEqual(Output("hidden"), Array::Of<float>({1, 2}, {11, 11})));
  const Ran init = Run("model.pbtxt --feed x=x.npy --fetch hidden --init init");
  ASSERT_EQ(init.code, 0) << init.text;
  EXPECT_THAT(init.text, HasSubstr("variables initialised by 'init'"));
}
TEST_F(RunTool, FetchesTheFinalTensorWhenNoneIsNamed) {
  const Ran ran = Run("model.meta --feed x=x.npy --feed bias=1 --checkpoint names");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.text, AllOf(HasSubstr("name what to fetch"), HasSubstr("hidden:0, logits:0")));
  const Ran one = Run("model.meta --feed bias=1 --feed x=x.npy --fetch logits --checkpoint names --json");
  ASSERT_EQ(one.code, 0) << one.text;
  const nlohmann::json json = nlohmann::json::parse(one.text);
  EXPECT_EQ(json.at("fetches").at(0).at("name"), "logits");
  EXPECT_EQ(json.at("fetches").at(0).at("max"), 43.0);
  EXPECT_EQ(json.at("out"), "outputs.npz");
}
TEST_F(RunTool, ListsWhatAGraphHolds) {
  const Ran ran = Run("model.meta --list");
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.text, AllOf(HasSubstr("MetaGraphDef"), HasSubstr("inputs (2)\n  x "), HasSubstr("float32[?,2]"),
                              HasSubstr("outputs nobody takes (2)\n  hidden"), HasSubstr("variables (1)\n  net/w"),
                              HasSubstr("initialisers, the largest first\n  init\n"), HasSubstr("every op is known")));
}
TEST_F(RunTool, SaysWhatIsWrong) {
  const auto why = [&](const std::string& arguments, int code) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.code, code) << arguments << "\n" << ran.text;
    return ran.text;
  };
  EXPECT_THAT(why("model.meta --fetch logit", 2), HasSubstr("has no operation 'logit' to fetch; near it: 'logits'"));
  EXPECT_THAT(why("model.meta --fetch logits:1", 2), HasSubstr("cannot fetch 'logits:1'"));
  EXPECT_THAT(why("model.meta --fetch net/w", 2), HasSubstr("'net/w/Read/ReadVariableOp' reads it"));
  EXPECT_THAT(why("model.meta --fetch logits --feed x=x.npy", 2),
              HasSubstr("placeholders that nobody feeds: bias float32[]; the graph's placeholders are x float32[?,2], "
                        "bias float32[]"));
  EXPECT_THAT(why("model.meta --fetch logits --feed y=x.npy", 2), HasSubstr("no operation 'y' to feed"));
  EXPECT_THAT(why("model.meta --fetch logits --feed x", 2), HasSubstr("--feed takes NAME=FILE.npy or NAME=VALUE"));
  EXPECT_THAT(why("model.meta --fetch logits --feed x=y.np", 2), HasSubstr("neither a .npy file nor a number"));
  EXPECT_THAT(why("model.meta --fetch logits --feed x=absent.npy", 3), HasSubstr("absent.npy"));
  WriteNpy(In("wide.npy"), Array::Of<float>({1, 3}, {1, 2, 3}));
  EXPECT_THAT(why("model.meta --fetch hidden --feed x=wide.npy", 3),
              HasSubstr("InvalidArgumentError: cannot feed 'x' with shape [1,3]: it has shape [?,2]"));
  WriteNpy(In("text.npy"), Array::Strings({1, 2}, {"a", "b"}));
  EXPECT_THAT(why("model.meta --fetch hidden --feed x=text.npy", 3), HasSubstr("cannot feed 'x' with string"));
  EXPECT_THAT(why("absent.pb --fetch x", 3), AllOf(HasSubstr("NotFoundError"), HasSubstr("absent.pb")));
  io::WriteFile(In("text.pb"), "no graph");
  EXPECT_THAT(why("text.pb --fetch x", 3), AllOf(HasSubstr("DataLossError"), HasSubstr("text.pb")));

  const auto restore = [&](const char* name, const Array& array) {
    rt::WriteNameBased(In("c"), {{name, [&] { return array; }}}, rt::StateFile::kKeep);
    return why("model.meta --fetch hidden --feed x=x.npy --checkpoint c", 3);
  };
  EXPECT_THAT(
      restore("net/v", Array::Full<float>({2, 2}, 1)),
      HasSubstr("NotFoundError: checkpoint 'c' has no value for 1 of 1 variables that the fetches need: net/w; near "
                "the first: 'net/v'"));
  EXPECT_THAT(restore("net/w", Array::Full<float>({2, 3}, 1)),
              HasSubstr("'c': key 'net/w' has shape [2,3], variable 'net/w:0' [2,2]"));
  EXPECT_THAT(restore("net/w", Array::Full<double>({2, 2}, 1)),
              HasSubstr("'c': key 'net/w' is float64, variable 'net/w:0' float32"));
  EXPECT_THAT(why("model.meta --fetch hidden --feed x=x.npy --checkpoint gone", 3), HasSubstr("gone"));
  EXPECT_FALSE(std::filesystem::exists(In("outputs.npz")));
}
TEST_F(RunTool, HelpIsAVerbToo) {
  const Ran verb = Equiv("help run");
  EXPECT_EQ(verb.code, 0);
  EXPECT_THAT(verb.text, AllOf(HasSubstr("--feed"), HasSubstr("--fetch"), HasSubstr("--checkpoint")));
  EXPECT_EQ(verb.text, Equiv("run --help").text);
  const Ran all = Equiv("help");
  EXPECT_EQ(all.code, 0);
  for (const char* name : {"inspect", "compare", "convert", "run", "validate"}) EXPECT_THAT(all.text, HasSubstr(name));
  const Ran unknown = Equiv("help nosuchverb");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.text, HasSubstr("unknown verb 'nosuchverb'"));
}
}  // namespace
}  // namespace equiv
