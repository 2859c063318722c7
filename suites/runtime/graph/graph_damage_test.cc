// Graph files that are damaged: a typed error that names the file, or a graph that can be written and read again. Never
// a crash, never half a graph, and no more memory than the limits of runtime/graph/graph_def.h.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "kernels/io/file.h"
#include "runtime/core/ops.h"
#include "runtime/graph/graph_def.h"
#include "runtime/session/session.h"
#include "suites/runtime/damage/damage.h"
#include "suites/runtime/graph/graph_cases.h"

namespace equiv::runtime {
namespace {
using equiv::test::Caught;
using equiv::test::GraphCase;
using equiv::test::KindOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kNothing = "nothing was thrown";
const std::string kWhere = "folder/graph.pb";

// What importing these bytes gives: kNothing or the error. After an error the graph is empty; an imported one survives
// a round trip.
std::string Outcome(const std::string& bytes) {
  Graph graph;
  const std::string error = Caught([&] { ImportGraph(graph, bytes, kWhere); });
  if (error == kNothing) {
    const std::string again = Caught([&] {
      Graph second;
      ImportGraph(second, SerializeMetaGraph(graph), kWhere);
    });
    EXPECT_EQ(again, kNothing);
  } else {
    EXPECT_THAT(error, HasSubstr(kWhere));
    EXPECT_TRUE(graph.nodes().empty()) << error;
  }
  return error;
}
bool Refusal(const std::string& error) {
  const std::string kind = KindOf(error);
  return kind == "DataLossError" || kind == "InvalidArgumentError" || kind == "UnimplementedError" ||
         kind == "NotFoundError" || kind == "ResourceExhaustedError";
}

class DamagedGraph : public testing::TestWithParam<GraphCase> {};
INSTANTIATE_TEST_SUITE_P(Graph, DamagedGraph, testing::ValuesIn(equiv::test::GraphCases(false)),
                         [](const auto& info) { return info.param.name; });

// No checksum covers the plain forms: a flip may give another graph.
TEST_P(DamagedGraph, EveryFlipOfTheBinaryForm) {
  int refused = 0;
  equiv::test::EveryFlip(
      equiv::test::AsBinary(GetParam().text), [&](const std::string& bytes, std::size_t at, int bit) {
        const std::string error = Outcome(bytes);
        refused += error != kNothing;
        ASSERT_TRUE(error == kNothing || Refusal(error)) << error << " at byte " << at << " bit " << bit;
      });
  EXPECT_GT(refused, 0);
}
TEST_P(DamagedGraph, EveryLength) {
  const std::string binary = equiv::test::AsBinary(GetParam().text);
  for (const std::string& sound : {binary, GetParam().text})
    equiv::test::EveryLength(sound, [&](const std::string& bytes) {
      const std::string error = Outcome(bytes);
      ASSERT_TRUE(error == kNothing || Refusal(error)) << error << " at length " << bytes.size();
    });
}
// What gzip has a checksum for is found by it.
TEST_P(DamagedGraph, EveryFlipAndEveryLengthOfTheZippedForm) {
  const std::string sound = equiv::test::Zipped(equiv::test::AsBinary(GetParam().text));
  const std::string original = [&] {
    Graph graph;
    ImportGraph(graph, sound, kWhere);
    return SerializeGraph(graph);
  }();
  int harmless = 0;
  equiv::test::EveryFlip(sound, [&](const std::string& bytes, std::size_t at, int bit) {
    Graph graph;
    const std::string error = Caught([&] { ImportGraph(graph, bytes, kWhere); });
    // The header also holds a time, a system and flags, the last byte of the content bits of no meaning.
    if (error == kNothing)
      ASSERT_TRUE(++harmless < 88 && SerializeGraph(graph) == original) << "byte " << at << " bit " << bit;
    else
      ASSERT_THAT(error, StartsWith("DataLossError: " + kWhere + ": ")) << "byte " << at << " bit " << bit;
  });
  equiv::test::EveryLength(sound, [&](const std::string& bytes) {
    ASSERT_THAT(Outcome(bytes), StartsWith("DataLossError: " + kWhere + ": ")) << bytes.size();
  });
}
// Bytes replaced, left out, doubled and inserted, at places drawn by chance.
TEST_P(DamagedGraph, ManyChangesAtOnce) {
  std::mt19937 random(11);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  for (const std::string& sound : {equiv::test::AsBinary(GetParam().text), GetParam().text})
    for (int round = 0; round < 300; ++round) {
      std::string bytes = sound;
      for (std::size_t change = 0, changes = 1 + below(6); change < changes && !bytes.empty(); ++change) {
        const std::size_t at = below(bytes.size()), length = 1 + below(8);
        switch (below(4)) {
          case 0:
            bytes[at] = static_cast<char>(random());
            break;
          case 1:
            bytes.erase(at, length);
            break;
          case 2:
            bytes.insert(below(bytes.size()), bytes.substr(at, length));
            break;
          default:
            bytes.insert(at, length, static_cast<char>(random() % 2 ? 0xff : random()));
        }
      }
      const std::string error = Outcome(bytes);
      ASSERT_TRUE(error == kNothing || Refusal(error)) << error << " in round " << round;
    }
}

TEST(GraphFile, WhatIsNoGraph) {
  const auto error = [](const std::string& bytes) { return Outcome(bytes); };
  EXPECT_EQ(error(""), "DataLossError: folder/graph.pb: the file is empty");
  EXPECT_EQ(
      error(std::string(8, '\0')),
      "DataLossError: folder/graph.pb: neither a MetaGraphDef nor a GraphDef: it does not parse, or holds no nodes");
  EXPECT_EQ(error("no graph"),
            "DataLossError: folder/graph.pb: neither a MetaGraphDef nor a GraphDef, binary or text; as text of a "
            "MetaGraphDef: line 1, column 4: Message type \"equiv.proto.MetaGraphDef\" has no field named \"no\".; as "
            "text of a GraphDef: line 1, column 4: Message type \"equiv.proto.GraphDef\" has no field named \"no\".");
  EXPECT_EQ(
      error("versions { producer: 1 }"),
      "DataLossError: folder/graph.pb: neither a MetaGraphDef nor a GraphDef, binary or text; as text of a "
      "MetaGraphDef: line 1, column 10: Message type \"equiv.proto.MetaGraphDef\" has no field named \"versions\".");
  EXPECT_EQ(error("\x1f\x8b no zip"),
            "DataLossError: folder/graph.pb: the gzip stream is damaged (unknown compression method)");
  EXPECT_EQ(error("node { name: \"\\377\" op: \"NoOp\" }"),
            "DataLossError: folder/graph.pb: a string of the graph is not UTF-8");
  const std::string zipped = equiv::test::Zipped(equiv::test::AsBinary("node { name: \"x\" op: \"NoOp\" }"));
  EXPECT_EQ(error(zipped.substr(0, zipped.size() - 1)),
            "DataLossError: folder/graph.pb: the gzip stream ends too early");
  Graph graph;
  const io::TemporaryFolder folder;
  EXPECT_EQ(Caught([&] { ImportGraphFile(graph, folder / "none.pb"); }),
            fmt::format("NotFoundError: {}; No such file or directory (opening it)", folder / "none.pb"));
}

// Messages inside one another without end: the text parser calls itself for each.
TEST(GraphFile, DeepNesting) {
  std::string open = "node { name: \"x\" op: \"NoOp\" attr { key: \"_a\" value { ", close = "} } }";
  for (int i = 0; i < 100000; ++i) {
    open += "func { name: \"f\" attr { key: \"a\" value { ";
    close += "} } }";
  }
  EXPECT_THAT(Outcome(open + close), StartsWith("DataLossError: folder/graph.pb: neither"));
}
TEST(GraphFile, ChainsOfAHundredThousandNodes) {
  constexpr int kLength = 100000;
  std::string text = "node { name: \"n0\" op: \"Placeholder\" attr { key: \"dtype\" value { type: DT_FLOAT } } }\n";
  for (int i = 1; i <= kLength; ++i)
    text += fmt::format(
        "node {{ name: \"n{}\" op: \"Identity\" input: \"n{}\" attr {{ key: \"T\" value {{ type: DT_FLOAT }} }} }}\n",
        i, i - 1);
  Graph graph;
  ImportGraph(graph, text, kWhere);
  Session session(graph);
  const Feed feed = {"n0:0", Array::Scalar(2.5F)};
  EXPECT_EQ(session.Run(graph.FindTensor(fmt::format("n{}:0", kLength)), {feed}).data<float>()[0], 2.5F);
}
// Functions that call one another: as deep as the limit, and one deeper.
TEST(GraphFile, ChainsOfFunctions) {
  const auto chain = [](int length) {
    std::string text =
        "node { name: \"x\" op: \"Placeholder\" attr { key: \"dtype\" value { type: DT_FLOAT } } }\n"
        "node { name: \"y\" op: \"f1\" input: \"x\" }\nlibrary {\n";
    for (int i = 1; i <= length; ++i)
      text += fmt::format(
          "function {{ signature {{ name: \"f{0}\" input_arg {{ name: \"a\" type: DT_FLOAT }} output_arg {{ name: "
          "\"b\" "
          "type: DT_FLOAT }} }} node_def {{ name: \"n\" op: \"{1}\" input: \"a\" {2} }} ret {{ key: \"b\" value: "
          "\"n:{3}:0\" }} }}\n",
          i, i < length ? fmt::format("f{}", i + 1) : "Neg",
          i < length ? "" : "attr { key: \"T\" value { type: DT_FLOAT } }", i < length ? "output" : "y");
    return text + "}\n";
  };
  Graph graph;
  ASSERT_EQ(Caught([&] { ImportGraph(graph, chain(100), kWhere); }), kNothing);
  Session session(graph);
  EXPECT_EQ(session.Run(graph.FindTensor("y:0"), {{"x:0", Array::Scalar(1.0F)}}).data<float>()[0], -1.0F);
  EXPECT_EQ(Outcome(chain(101)),
            "UnimplementedError: folder/graph.pb: function 'f100': [f101] 'n': function 'f101' is the last of 101 that "
            "call one another");
}
// Two nodes in each of thirty functions, each calling the next: built once, not 2^30 times.
TEST(GraphFile, FunctionsCalledTwiceEach) {
  std::string text = "node { name: \"y\" op: \"f1\" }\nlibrary {\n";
  for (int i = 1; i <= 30; ++i)
    text += fmt::format(
        "function {{ signature {{ name: \"f{0}\" }} node_def {{ name: \"a\" op: \"{1}\" }} node_def {{ "
        "name: \"b\" op: \"{1}\" }} }}\n",
        i, i < 30 ? fmt::format("f{}", i + 1) : "NoOp");
  EXPECT_EQ(Outcome(text + "}\n"), kNothing);
}
// A count in the call makes the arguments.
TEST(GraphFile, ArgumentsWithoutEnd) {
  std::string text =
      "node { name: \"y\" op: \"f\" attr { key: \"N\" value { i: 1000000 } } }\nlibrary { function { signature { name: "
      "\"f\" ";
  for (int i = 0; i < 20; ++i)
    text += fmt::format("input_arg {{ name: \"a{}\" type: DT_FLOAT number_attr: \"N\" }} ", i);
  EXPECT_EQ(
      Outcome(text + "attr { name: \"N\" type: \"int\" } } } }"),
      "ResourceExhaustedError: folder/graph.pb: function 'f': the graph and its functions as they are called have "
      "more than 2097152 values");
}
TEST(GraphFile, CollectionsThatNameNoOutput) {
  const std::string text =
      "graph_def { node { name: \"x\" op: \"NoOp\" } }\n"
      "collection_def { key: \"c\" value { node_list { value: \"x:7\" } } }";
  EXPECT_THAT(Outcome(text), StartsWith("InvalidArgumentError: folder/graph.pb: collection 'c': "));
}

// A failed import into a graph that is in use: nodes, names and collections are those of before.
TEST(GraphFile, AFailedImportChangesNothing) {
  for (const GraphCase& c : equiv::test::GraphCases(true)) {
    Graph graph, untouched;
    for (Graph* g : {&graph, &untouched}) ImportGraph(*g, "node { name: \"q\" op: \"NoOp\" }", "first");
    EXPECT_NE(Caught([&] { ImportGraph(graph, c.text, c.name); }), kNothing);
    for (Graph* g : {&graph, &untouched})
      ImportGraph(*g, "node { name: \"x\" op: \"NoOp\" } node { name: \"y\" op: \"NoOp\" }", "last");
    EXPECT_EQ(SerializeMetaGraph(graph), SerializeMetaGraph(untouched)) << c.name;
  }
}
}  // namespace
}  // namespace equiv::runtime
