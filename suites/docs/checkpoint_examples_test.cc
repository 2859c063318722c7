// The examples of docs/checkpoints.md, each in a folder of its own. docs_test.cc finds them here.
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "kernels/io/file.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/checkpoint_manager.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/checkpoint_state.h"
#include "runtime/checkpoint/checkpoint_utils.h"
#include "runtime/checkpoint/convert.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/core/log.h"
#include "runtime/core/ops.h"
#include "runtime/eager/eager.h"
#include "runtime/graph/graph.h"
#include "runtime/session/session.h"
#include "runtime/variables/variables.h"

namespace equiv {
namespace {
namespace rt = runtime;

class CheckpointExamples : public testing::Test {
 protected:
  CheckpointExamples() : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder_.path());
    rt::EagerContext::Get().Reset();
  }
  ~CheckpointExamples() override { std::filesystem::current_path(before_); }

 private:
  io::TemporaryFolder folder_;
  std::filesystem::path before_;
  rt::ScopedLogSink silent_{[](rt::LogLevel, const std::string&) {}};
};

TEST_F(CheckpointExamples, SaverInAGraph) {
  rt::Graph graph;
  rt::GraphScope scope(graph);
  const rt::Variable w = rt::GetVariable("dense/kernel", {.shape = equiv::PartialShape{20, 10}});
  rt::Saver saver(rt::SaverOptions{.max_to_keep = 3});
  rt::Session session(graph);
  session.Run(rt::GlobalVariablesInitializer());
  const std::string path = saver.Save(&session, "model", {.global_step = 100});  // "model-100"
  saver.Restore(&session, path);
  EXPECT_EQ(path, "model-100");
  for (const char* file : {"model-100.index", "model-100.data-00000-of-00001", "model-100.meta", "checkpoint"})
    EXPECT_TRUE(std::filesystem::exists(file)) << file;
}
TEST_F(CheckpointExamples, SaverInEager) {
  const rt::Variable w = rt::MakeVariable(1.0f, {.name = "w"});
  rt::Saver saver({{"old/name", w}});
  saver.Save(nullptr, "model");
  saver.Restore(nullptr, "model");
  EXPECT_TRUE(rt::CheckpointReader("model").HasTensor("old/name"));
}
TEST_F(CheckpointExamples, Objects) {
  const rt::Variable a = rt::MakeVariable(1.0f), b = rt::MakeVariable(2.0f);
  rt::Checkpoint checkpoint({{"variables", rt::Attribute::List{a, b}}});
  const std::string path = checkpoint.Save("ckpt");  // "ckpt-1"
  checkpoint.Restore(path)->AssertConsumed();
  EXPECT_EQ(path, "ckpt-1");
}
TEST_F(CheckpointExamples, ManagerAndReader) {
  {
    const rt::Variable v = rt::MakeVariable(1.0f);
    rt::Checkpoint checkpoint({{"v", v}});
    rt::CheckpointManager manager(checkpoint, "folder", {.max_to_keep = 2});
    manager.RestoreOrInitialize();
    manager.Save();
    const std::optional<std::string> latest = rt::LatestCheckpoint("folder");  // "folder/ckpt-1"
    EXPECT_EQ(latest, "folder/ckpt-1");
  }
  testing::internal::CaptureStdout();
  const std::unique_ptr<rt::CheckpointReader> reader = rt::LoadCheckpoint("folder");  // or a prefix
  for (const auto& [key, shape] : rt::ListVariables("folder")) fmt::print("{} {}\n", key, fmt::join(shape, ","));
  for (const std::string& key : reader->KeysInMapOrder()) fmt::print("{}\n", key);  // the order of TensorFlow's reader
  const equiv::Array value = reader->GetTensor("v/.ATTRIBUTES/VARIABLE_VALUE");
  const std::optional<rt::ObjectGraph> objects = reader->ReadObjectGraph();  // nullopt: name-based
  EXPECT_NE(testing::internal::GetCapturedStdout().find("save_counter/.ATTRIBUTES/VARIABLE_VALUE"), std::string::npos);
  EXPECT_EQ(value.data<float>()[0], 1.0F);
  EXPECT_TRUE(objects);
}
TEST_F(CheckpointExamples, StateFile) {
  rt::UpdateCheckpointState(".", "ckpt-2", {"ckpt-1"});
  const std::string document = io::ReadFile(EQUIV_SOURCE_DIR "/docs/checkpoints.md");
  std::string indented;
  std::stringstream lines(io::ReadFile("checkpoint"));
  for (std::string line; std::getline(lines, line);) indented += "    " + line + "\n";
  EXPECT_NE(document.find(indented), std::string::npos) << indented;
}
TEST_F(CheckpointExamples, WarmStart) {
  {
    const auto make = [](float v) { return rt::MakeVariable(rt::Tensor(Array::Full<float>({1}, v))); };
    const rt::Variable kernel = make(5), bias = make(6), top = make(7);
    rt::Saver({{"backbone/kernel", kernel}, {"logits/bias", bias}, {"head/top", top}}).Save(nullptr, "pretrained");
  }
  rt::Graph graph;
  rt::GraphScope scope(graph);
  const auto get = [](const char* name) { return rt::GetVariable(name, {.shape = PartialShape{1}}); };
  const rt::Variable kernel = get("model/backbone/kernel"), bias = get("model/bias"), top = get("head/top");
  rt::InitFromCheckpoint("pretrained", {{"backbone/", "model/backbone/"},  // a scope into a scope
                                        {"logits/bias", "model/bias"}});   // one variable
  rt::WarmStart({.ckpt_to_initialize_from = "pretrained", .vars_to_warm_start = "head/.*"});
  rt::Session session(graph);
  session.Run(rt::GlobalVariablesInitializer());
  EXPECT_EQ(session.Run(kernel.value()).data<float>()[0], 5.0F);
  EXPECT_EQ(session.Run(bias.value()).data<float>()[0], 6.0F);
  EXPECT_EQ(session.Run(top.value()).data<float>()[0], 7.0F);
}
TEST_F(CheckpointExamples, Conversion) {
  const rt::Variable v = rt::MakeVariable(3.0f);
  rt::Saver({{"a/v", v}}).Save(nullptr, "names");
  const std::string objects = rt::ConvertTf1ToTf2("names", "objects");  // "objects-1"
  rt::ConvertTf2ToTf1(objects, "names-again");
  EXPECT_EQ(objects, "objects-1");
  EXPECT_EQ(io::ReadFile("names.index"), io::ReadFile("names-again.index"));
}
}  // namespace
}  // namespace equiv
