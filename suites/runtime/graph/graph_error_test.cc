// Graphs that are refused: a typed error that names the file and the node, and a graph that stays as it was.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/core/ops.h"
#include "runtime/graph/graph_def.h"
#include "suites/runtime/graph/graph_cases.h"

namespace equiv::runtime {
namespace {
using equiv::test::GraphCase;

class BadGraph : public testing::TestWithParam<GraphCase> {};
INSTANTIATE_TEST_SUITE_P(Graph, BadGraph, testing::ValuesIn(equiv::test::GraphCases(true)),
                         [](const auto& info) { return info.param.name.substr(4); });
TEST_P(BadGraph, IsRefused) {
  const GraphCase& c = GetParam();
  for (const std::string& bytes : {c.text, equiv::test::AsBinary(c.text)}) {
    Graph graph;
    try {
      ImportGraph(graph, bytes, "{file}");
      ADD_FAILURE() << "imported, expected " << c.error;
    } catch (const Error& error) {
      EXPECT_EQ(error.Describe(), c.error);
    }
  }
}
}  // namespace
}  // namespace equiv::runtime
