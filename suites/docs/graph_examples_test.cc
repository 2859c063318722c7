// The examples of docs/graphs.md. docs_test.cc finds them here.
#include <gtest/gtest.h>

#include <filesystem>

#include "equiv/equiv.h"
#include "kernels/io/file.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/core/log.h"
#include "runtime/graph/graph_def.h"

namespace equiv {
namespace {
namespace rt = runtime;

rt::Tensor Model(const rt::Tensor& x) {
  const rt::Variable w =
      rt::GetVariable("w", {.shape = PartialShape{2, 3}, .initializer = rt::RandomUniformInitializer(-1, 1)});
  return rt::MatMul(x, w);
}

class GraphExamples : public testing::Test {
 protected:
  GraphExamples() : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder_.path());
    rt::Graph graph;
    rt::GraphScope scope(graph);
    const rt::Tensor x = rt::Placeholder(DType::kFloat32, PartialShape{1, 2}, "x");
    rt::Identity(Model(x), "logits");
    rt::Saver saver;
    rt::Session session(graph);
    session.Run(rt::GlobalVariablesInitializer());
    saver.Save(&session, "model");
    std::filesystem::create_directory("folder");
    rt::WriteGraph(graph, "folder", "model.pb", /*as_text=*/false);
    rt::ExportMetaGraph(graph, "model.meta", saver.AsSaverDef());
  }
  ~GraphExamples() override { std::filesystem::current_path(before_); }

 private:
  io::TemporaryFolder folder_;
  std::filesystem::path before_;
  rt::ScopedLogSink silent_{[](rt::LogLevel, const std::string&) {}};
};

TEST_F(GraphExamples, In) {
  const Array image = Array::Of<float>({1, 2}, {1, 2});
  rt::Graph graph;
  const rt::MetaGraph meta = rt::ImportGraphFile(graph, "model.meta");
  rt::Session session(graph);
  session.Run(graph.FindNode("init"));
  const equiv::Array logits = session.Run(graph.FindTensor("logits:0"), {{"x:0", image}});
  EXPECT_EQ(logits.shape(), Shape({1, 3}));
  EXPECT_EQ(meta.variables.size(), 1u);
}
TEST_F(GraphExamples, WithItsSaver) {
  rt::Graph graph;
  rt::GraphScope scope(graph);
  const std::unique_ptr<rt::Saver> saver = rt::ImportMetaGraph("model.meta");
  rt::Session session(graph);
  saver->Restore(&session, "model");
  EXPECT_EQ(session.Run(rt::GlobalVariables().at(0).value()).shape(), Shape({2, 3}));
}
TEST_F(GraphExamples, AsASide) {
  const rt::Tensor x = Array::Of<float>({1, 2}, {1, 2});
  EXPECT_NUMERICALLY_EQUIVALENT(equiv::FromGraphDef("model.meta", "model"), equiv::InEager(Model),
                                {.inputs = {x}, .stages = {"step3"}});
}
}  // namespace
}  // namespace equiv
