// CheckpointManager: what it keeps, deletes and records. Expectations recorded from TensorFlow 2.15.1.
#include "runtime/checkpoint/checkpoint_manager.h"

#include <gmock/gmock.h>

#include "runtime/checkpoint/checkpoint_state.h"
#include "suites/runtime/checkpoint/objects.h"

namespace equiv::runtime {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class CheckpointManagerTest : public CheckpointTest {
 protected:
  CheckpointManagerTest() : v_(V(0)), checkpoint_({{"v", v_}}) {}
  CheckpointManagerOptions Options(std::optional<int> max_to_keep) {
    return {.max_to_keep = max_to_keep, .clock = [this] { return now_; }};
  }
  static std::vector<std::string> Indices(const std::string& folder = ".") {
    std::vector<std::string> names;
    for (const std::string& file : FilesIn(folder))
      if (file.ends_with(".index")) names.push_back(file.substr(0, file.size() - 6));
    return names;
  }
  Variable v_;
  Checkpoint checkpoint_;
  double now_ = 1700000000;
};

TEST_F(CheckpointManagerTest, KeepsTheNewest) {
  CheckpointManager manager(checkpoint_, ".", Options(2));
  EXPECT_EQ(manager.latest_checkpoint(), std::nullopt);
  for (int i = 0; i < 4; ++i) {
    now_ += 100;
    EXPECT_EQ(manager.Save(), fmt::format("./ckpt-{}", i + 1));
  }
  EXPECT_THAT(Indices(), ElementsAre("ckpt-3", "ckpt-4"));
  EXPECT_THAT(manager.checkpoints(), ElementsAre("./ckpt-3", "./ckpt-4"));
  EXPECT_EQ(io::ReadFile("checkpoint"),
            "model_checkpoint_path: \"ckpt-4\"\n"
            "all_model_checkpoint_paths: \"ckpt-3\"\n"
            "all_model_checkpoint_paths: \"ckpt-4\"\n"
            "all_model_checkpoint_timestamps: 1700000300.0\n"
            "all_model_checkpoint_timestamps: 1700000400.0\n"
            "last_preserved_timestamp: 1699999999.0\n");
}

TEST_F(CheckpointManagerTest, KeepsOneEveryNHours) {
  CheckpointManagerOptions options = Options(1);
  options.keep_checkpoint_every_n_hours = 1;
  CheckpointManager manager(checkpoint_, ".", options);
  for (int i = 0; i < 8; ++i) {
    now_ += 1500;
    manager.Save();
  }
  // Written at 4500 and 9000 seconds after the start.
  EXPECT_THAT(Indices(), ElementsAre("ckpt-3", "ckpt-6", "ckpt-8"));
  EXPECT_THAT(manager.checkpoints(), ElementsAre("./ckpt-8"));
  EXPECT_THAT(io::ReadFile("checkpoint"), HasSubstr("last_preserved_timestamp: 1700009000.0\n"));
}

TEST_F(CheckpointManagerTest, GoesOnWhereAnotherStopped) {
  {
    CheckpointManager manager(checkpoint_, "d", Options(5));
    for (int i = 0; i < 5; ++i) {
      now_ += 1;
      manager.Save();
    }
  }
  CheckpointManager manager(checkpoint_, "d", Options(2));
  EXPECT_EQ(manager.latest_checkpoint(), "d/ckpt-5");
  EXPECT_THAT(manager.checkpoints(), ElementsAre("d/ckpt-1", "d/ckpt-2", "d/ckpt-3", "d/ckpt-4", "d/ckpt-5"));
  now_ += 1;
  manager.Save();
  EXPECT_THAT(Indices("d"), ElementsAre("ckpt-5", "ckpt-6"));
}

TEST_F(CheckpointManagerTest, TimeThatRunsBackwards) {
  {
    CheckpointManager manager(checkpoint_, ".", Options(5));
    now_ += 1;
    manager.Save();
  }
  now_ -= 1000;
  const Logged log;
  CheckpointManager manager(checkpoint_, ".", Options(5));
  EXPECT_THAT(log.text(),
              HasSubstr("WARNING: time.time() returned a value 998.000000 seconds behind the last preserved "
                        "checkpoint timestamp."));
}

TEST_F(CheckpointManagerTest, StateWithoutTimes) {
  checkpoint_.Save("./ckpt");
  checkpoint_.Save("./ckpt");
  CheckpointManager manager(checkpoint_, ".", Options(2));
  EXPECT_TRUE(manager.checkpoints().empty());
  now_ += 1;
  manager.Save();
  EXPECT_EQ(io::ReadFile("checkpoint"),
            "model_checkpoint_path: \"ckpt-3\"\nall_model_checkpoint_paths: \"ckpt-3\"\n"
            "all_model_checkpoint_timestamps: 1700000001.0\n");
  EXPECT_THAT(Indices(), ElementsAre("ckpt-1", "ckpt-2", "ckpt-3"));
}

TEST_F(CheckpointManagerTest, NamesAndNumbers) {
  CheckpointManagerOptions options = Options(2);
  options.checkpoint_name = "my.model";
  CheckpointManager manager(checkpoint_, "d", options);
  EXPECT_EQ(manager.Save(), "d/my.model-1");
  EXPECT_EQ(manager.Save({.checkpoint_number = 10}), "d/my.model-10");
  EXPECT_EQ(manager.Save({.checkpoint_number = 10}), "d/my.model-10");
  EXPECT_EQ(manager.Save(), "d/my.model-4") << "the counter counts every save";
  EXPECT_THAT(Indices("d"), ElementsAre("my.model-10", "my.model-4"));
}

TEST_F(CheckpointManagerTest, Interval) {
  const Variable step = MakeVariable(Tensor(Array::Scalar(std::int64_t{0})));
  CheckpointManagerOptions options = Options(10);
  options.step_counter = step;
  options.checkpoint_interval = 3;
  CheckpointManager manager(checkpoint_, ".", options);
  std::vector<std::string> saved;
  for (std::int64_t i = 0; i < 8; ++i) {
    step.Assign(Tensor(Array::Scalar(i)));
    for (int twice = 0; twice < 2; ++twice)
      if (const auto path = manager.Save()) saved.push_back(fmt::format("{} {}", i, *path));
  }
  EXPECT_THAT(saved, ElementsAre("0 ./ckpt-1", "3 ./ckpt-2", "6 ./ckpt-3"));
  EXPECT_EQ(manager.Save({.check_interval = false}), "./ckpt-4");
  EXPECT_EQ(manager.Save({.check_interval = false}), std::nullopt) << "never twice for one step";
}

TEST_F(CheckpointManagerTest, RestoresOrInitialises) {
  CheckpointManagerOptions options = Options(2);
  options.init_fn = [&] { v_.Assign(Tensor(Array::Scalar(8.0F))); };
  CheckpointManager manager(checkpoint_, "d", options);
  const Logged log;
  EXPECT_EQ(manager.RestoreOrInitialize(), std::nullopt);
  EXPECT_EQ(ValueOf(v_), 8);
  EXPECT_EQ(log.text(), "INFO: Customized initialization is done through the passed `init_fn`.\n");
  manager.Save();
  v_.Assign(Tensor(Array::Scalar(1.0F)));
  EXPECT_EQ(manager.RestoreOrInitialize(), "d/ckpt-1");
  EXPECT_EQ(ValueOf(v_), 8);
  ASSERT_TRUE(manager.last_status());
  manager.last_status()->AssertConsumed();
}

TEST_F(CheckpointManagerTest, Refusals) {
  for (const int keep : {0, -1})
    EXPECT_EQ(Attempt([&] { CheckpointManager(checkpoint_, ".", Options(keep)); }),
              fmt::format("ValueError: Expected a positive integer or `None` for `max_to_keep`, got {}.", keep));
  EXPECT_EQ(Attempt([&] { CheckpointManager(checkpoint_, ".", {.checkpoint_interval = 3}); }),
            "ValueError: `step_counter` should be passed if `checkpoint_interval` is not None.");
  io::WriteFile("f", "x");
  CheckpointManager manager(checkpoint_, "f", Options(1));
  EXPECT_THAT(Attempt([&] { manager.Save(); }), testing::Not(testing::StrEq("ok")));
  EXPECT_EQ(io::ReadFile("f"), "x");
}

TEST_F(CheckpointManagerTest, AStateOfNonsenseIsIgnored) {
  io::WriteFile("checkpoint", "nonsense");
  const Logged log;
  CheckpointManager manager(checkpoint_, ".", Options(1));
  EXPECT_EQ(manager.latest_checkpoint(), std::nullopt);
  EXPECT_THAT(log.text(), HasSubstr("Checkpoint ignored"));
  EXPECT_EQ(manager.Save(), "./ckpt-1");
}

TEST_F(CheckpointManagerTest, AStateWhoseFilesAreGone) {
  {
    CheckpointManager manager(checkpoint_, ".", Options(5));
    for (int i = 0; i < 2; ++i) {
      now_ += 1;
      manager.Save();
    }
  }
  std::filesystem::remove("ckpt-2.index");
  CheckpointManager manager(checkpoint_, ".", Options(5));
  EXPECT_EQ(manager.latest_checkpoint(), "./ckpt-2");
  EXPECT_THAT(Attempt([&] { manager.RestoreOrInitialize(); }),
              StartsWith("NotFoundError: Error when restoring from checkpoint or SavedModel at ./ckpt-2"));
  EXPECT_EQ(LatestCheckpoint("."), std::nullopt);
}

TEST_F(CheckpointManagerTest, InAGraph) {
  Graph graph;
  GraphScope scope(graph);
  Session session(graph);
  SessionScope in_session(session);
  const Variable x = GetVariable("x", {.initial_value = Constant(Array::Scalar(3.0F))});
  Checkpoint checkpoint({{"x", x}});
  CheckpointManager manager(checkpoint, ".", Options(1));
  session.Run(x.initializer());
  EXPECT_EQ(manager.Save(), "./ckpt-1");
  EXPECT_EQ(manager.Save(), "./ckpt-2");
  session.Run(x.Assign(Constant(Array::Scalar(0.0F))));
  EXPECT_EQ(manager.RestoreOrInitialize(), "./ckpt-2");
  manager.last_status()->AssertConsumed()->RunRestoreOps();
  EXPECT_EQ(session.Run(x.value()).data<float>()[0], 3);
}

}  // namespace
}  // namespace equiv::runtime
