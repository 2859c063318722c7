// Small graphs in every form of file: what they compute, and that they are the same after a round trip.
#include "suites/runtime/graph/graph_cases.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/io/file.h"
#include "runtime/graph/graph_def.h"
#include "runtime/session/session.h"

namespace equiv::runtime {
namespace {
using equiv::test::GraphCase;
using equiv::test::GraphRun;

void ExpectRuns(const std::string& bytes, const GraphCase& c) {
  Graph graph;
  ImportGraph(graph, bytes, c.name);
  Session session(graph);
  for (const GraphRun& run : c.runs) {
    SCOPED_TRACE(run.text);
    std::vector<Feed> feeds;
    for (const auto& [name, value] : run.feeds) feeds.push_back({name, value});
    if (!run.operation.empty()) {
      session.Run(graph.FindNode(run.operation), feeds);
    } else if (!run.failing.empty()) {
      try {
        session.Run(graph.FindTensor(run.failing), feeds);
        ADD_FAILURE() << "a value, expected " << run.error;
      } catch (const Error& error) {
        EXPECT_THAT(error.Describe(), testing::StartsWith(run.error));
      }
    } else {
      std::vector<Tensor> fetches;
      for (const auto& [name, value] : run.fetches) fetches.push_back(graph.FindTensor(name));
      const std::vector<Array> got = session.Run(fetches, feeds);
      for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_TRUE(BitwiseEqual(got[i], run.fetches[i].second)) << run.fetches[i].first;
    }
  }
  EXPECT_GT(session.ops_executed(), 0);
}

class GraphCasesTest : public testing::TestWithParam<GraphCase> {};
INSTANTIATE_TEST_SUITE_P(Graph, GraphCasesTest, testing::ValuesIn(equiv::test::GraphCases(false)),
                         [](const auto& info) { return info.param.name; });

TEST_P(GraphCasesTest, ComputesTheSameInEveryFormOfFile) {
  const GraphCase& c = GetParam();
  ASSERT_FALSE(c.runs.empty());
  const std::string binary = equiv::test::AsBinary(c.text);
  for (const std::string& form : {c.text, binary, equiv::test::Zipped(c.text), equiv::test::Zipped(binary)})
    ExpectRuns(form, c);
}
TEST_P(GraphCasesTest, IsTheSameAfterARoundTrip) {
  const GraphCase& c = GetParam();
  Graph graph;
  const MetaGraph read = ImportGraph(graph, c.text, c.name);
  EXPECT_FALSE(read.has_meta);
  const std::string exported = SerializeGraph(graph);
  EXPECT_EQ(equiv::test::Differences(c.text, exported), "");
  for (const std::string& form : {exported, SerializeGraph(graph, /*as_text=*/true), SerializeMetaGraph(graph),
                                  SerializeMetaGraph(graph, {}, /*as_text=*/true)}) {
    ExpectRuns(form, c);
    Graph again;
    ImportGraph(again, form, c.name);
    EXPECT_EQ(SerializeGraph(again), exported) << "what was exported once does not change any more";
  }
}
}  // namespace
}  // namespace equiv::runtime
