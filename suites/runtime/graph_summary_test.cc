// What is told of a graph file before, or without, importing it.
#include "runtime/graph/graph_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/base/error.h"
#include "kernels/io/file.h"

namespace equiv::runtime {
namespace {
using testing::ElementsAre;

std::vector<std::string> Names(const std::vector<GraphSummary::Item>& items) {
  std::vector<std::string> names;
  for (const GraphSummary::Item& item : items) names.push_back(item.name);
  return names;
}

TEST(GraphSummary, OfAMetaGraph) {
  const GraphSummary s = SummarizeGraphFile(EQUIV_FIXTURES_DIR "/goldens/graphs/resnet_v1_50/graph.pb.gz");
  EXPECT_TRUE(s.has_meta);
  EXPECT_EQ(s.tensorflow_version, "2.15.1");
  EXPECT_EQ(s.nodes, s.node_names.size());
  ASSERT_EQ(s.inputs.size(), 1u);
  EXPECT_EQ(s.inputs[0].name, "input");
  EXPECT_EQ(s.inputs[0].shape, (PartialShape{1, 65, 65, 3}));
  EXPECT_EQ(s.variables.size(), 267u);
  EXPECT_THAT(s.initializers, ElementsAre("init"));
  EXPECT_THAT(Names(s.outputs), testing::Contains("logits"));
  EXPECT_TRUE(s.missing_ops.empty());
}
TEST(GraphSummary, NamesOpsThatAreNotKnown) {
  const io::TemporaryFolder folder;
  io::WriteFile(folder / "g.pbtxt",
                "node { name: 'x' op: 'Placeholder' attr { key: 'dtype' value { type: DT_FLOAT } } }\n"
                "node { name: 'a' op: 'NoSuchOp' input: 'x' }\n"
                "node { name: 'b' op: 'NoSuchOp' input: 'a' }\n"
                "node { name: 'y' op: 'Identity' input: 'b' attr { key: 'T' value { type: DT_FLOAT } } }\n"
                "node { name: 'h' op: 'Identity' input: 'b' attr { key: 'T' value { type: DT_VARIANT } } }\n"
                "library { function { signature { name: 'f' } node_def { name: 'n' op: 'Other' } } }\n");
  const GraphSummary s = SummarizeGraphFile(folder / "g.pbtxt");
  EXPECT_FALSE(s.has_meta);
  EXPECT_EQ(s.functions, 1u);
  EXPECT_THAT(Names(s.inputs), ElementsAre("x"));
  EXPECT_THAT(Names(s.outputs), ElementsAre("y")) << "a handle is no output";
  ASSERT_EQ(s.missing_ops.size(), 2u);
  EXPECT_EQ(s.missing_ops[0].op, "NoSuchOp");
  EXPECT_EQ(s.missing_ops[0].nodes, 2u);
  EXPECT_EQ(s.missing_ops[0].first_node, "a");
  EXPECT_EQ(s.missing_ops[1].first_node, "n in function f");
}
TEST(GraphSummary, Errors) {
  const io::TemporaryFolder folder;
  EXPECT_THROW(SummarizeGraphFile(folder / "absent"), NotFoundError);
  io::WriteFile(folder / "text", "no graph");
  EXPECT_THROW(SummarizeGraphFile(folder / "text"), DataLossError);
}
}  // namespace
}  // namespace equiv::runtime
