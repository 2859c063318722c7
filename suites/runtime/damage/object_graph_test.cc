// The object graph of a checkpoint, damaged behind its checksum: an error or a graph, all of whose numbers are nodes.
#include "runtime/checkpoint/object_graph.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "suites/runtime/damage/damage.h"

namespace equiv::runtime {
namespace {
using equiv::test::Caught;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

ObjectGraph Sound() {
  const auto variable = [](const std::string& key) {
    return ObjectGraph::Node{.attributes = {{"VARIABLE_VALUE", "model/" + key, key + "/.ATTRIBUTES/VARIABLE_VALUE"}},
                             .has_checkpoint_values = true};
  };
  ObjectGraph graph;
  graph.nodes = {{.children = {{1, "w"}, {2, "optimizer"}, {0, "root"}}, .has_checkpoint_values = true},
                 variable("w"),
                 {.slots = {{1, "m", 3}}, .has_checkpoint_values = true},
                 variable("w/.OPTIMIZER_SLOT/optimizer/m"),
                 {.saver_name = "saver", .saver_object = "object"}};
  return graph;
}
void ExpectWellFormed(const ObjectGraph& graph) {
  const int n = static_cast<int>(graph.nodes.size());
  ASSERT_GT(n, 0);
  for (const ObjectGraph::Node& node : graph.nodes) {
    for (const auto& child : node.children) ASSERT_TRUE(child.node >= 0 && child.node < n);
    for (const auto& slot : node.slots)
      ASSERT_TRUE(slot.variable >= 0 && slot.variable < n && slot.slot >= 0 && slot.slot < n);
  }
  ASSERT_EQ(graph.Paths().size(), graph.nodes.size());
  ASSERT_EQ(ObjectGraph::Parse(graph.Serialize(), "again"), graph);
}

TEST(DamagedObjectGraph, EveryFlipAndEveryLength) {
  const std::string sound = Sound().Serialize();
  ASSERT_EQ(ObjectGraph::Parse(sound, "p"), Sound());
  std::map<std::string, int> kinds;
  const auto look = [&](const std::string& bytes) {
    ObjectGraph graph;
    const std::string error = Caught([&] { graph = ObjectGraph::Parse(bytes, "folder/ckpt-1"); });
    ++kinds[equiv::test::KindOf(error)];
    if (error == "nothing was thrown")
      ExpectWellFormed(graph);
    else
      ASSERT_THAT(error, AllOf(HasSubstr("folder/ckpt-1"), HasSubstr("_CHECKPOINTABLE_OBJECT_GRAPH")));
  };
  equiv::test::EveryFlip(sound, [&](const std::string& bytes, std::size_t, int) { look(bytes); });
  equiv::test::EveryLength(sound, look);
  EXPECT_EQ(kinds.size(), 3u) << "all of a graph, DataLossError and IndexError";
}

TEST(DamagedObjectGraph, TextsOfErrors) {
  const auto error = [](std::string_view bytes) { return Caught([&] { ObjectGraph::Parse(bytes, "d/c-1"); }); };
  const std::string start = "d/c-1: key _CHECKPOINTABLE_OBJECT_GRAPH: ";
  EXPECT_EQ(error("\x0a\xff"), "DataLossError: " + start + "Error parsing message: no object graph");
  EXPECT_EQ(error(""), "IndexError: " + start + "list index out of range: the root is node 0, but there are 0 nodes");
  ObjectGraph graph = Sound();
  graph.nodes[0].children[0].node = 9;
  EXPECT_EQ(error(graph.Serialize()),
            "IndexError: " + start + "list index out of range: child 'w' is node 9, but there are 5 nodes");
  graph.nodes[0].children[0].node = -1;
  EXPECT_EQ(error(graph.Serialize()),
            "IndexError: " + start + "list index out of range: child 'w' is node -1, but there are 5 nodes");
  graph = Sound();
  graph.nodes[2].slots[0].variable = 5;
  EXPECT_EQ(
      error(graph.Serialize()),
      "IndexError: " + start + "list index out of range: the variable of slot 'm' is node 5, but there are 5 nodes");
  graph = Sound();
  graph.nodes[2].slots[0].slot = 5;
  EXPECT_EQ(error(graph.Serialize()),
            "IndexError: " + start + "list index out of range: slot 'm' is node 5, but there are 5 nodes");
}

TEST(DamagedObjectGraph, InACheckpoint) {
  const io::TemporaryFolder folder;
  const auto with = [&](const Array& value) {
    io::BundleWriter writer(folder / "c");
    writer.Add(kObjectGraphKey, value);
    writer.Finish();
    return Caught([&] { CheckpointReader(folder / "c").ReadObjectGraph(); });
  };
  const std::string start = fmt::format("DataLossError: {}: key _CHECKPOINTABLE_OBJECT_GRAPH", folder / "c");
  EXPECT_EQ(with(Array::Scalar(1.0F)), start + " holds float32[], not one string");
  EXPECT_EQ(with(Array::Strings({2}, {"", ""})), start + " holds string[2], not one string");
  EXPECT_EQ(with(Array::Strings({}, {"\x0a\xff"})), start + ": Error parsing message: no object graph");
  EXPECT_EQ(with(Array::Strings({}, {Sound().Serialize()})), "nothing was thrown");
}
// A deep chain: paths are found without recursion.
TEST(DamagedObjectGraph, AChainOfAHundredThousandNodes) {
  ObjectGraph graph;
  graph.nodes.resize(100000);
  for (std::size_t i = 0; i + 1 < graph.nodes.size(); ++i) graph.nodes[i].children = {{static_cast<int>(i) + 1, ""}};
  const ObjectGraph again = ObjectGraph::Parse(graph.Serialize(), "deep");
  EXPECT_EQ(again.nodes.size(), graph.nodes.size());
}
}  // namespace
}  // namespace equiv::runtime
