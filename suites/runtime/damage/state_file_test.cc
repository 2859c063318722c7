// The state file of a folder, damaged. No checksum covers it: what remains a state is taken as one, what does not is
// ignored with a warning, and nothing crashes.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/checkpoint_state.h"
#include "runtime/core/log.h"
#include "suites/runtime/damage/damage.h"

namespace equiv::runtime {
namespace {
using equiv::test::Caught;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kSound =
    "model_checkpoint_path: \"ckpt-3\"\n"
    "all_model_checkpoint_paths: \"ckpt-\\303\\274 2\"\n"
    "all_model_checkpoint_paths: \"ckpt-3\"\n"
    "all_model_checkpoint_timestamps: 1700000000.25\n"
    "all_model_checkpoint_timestamps: 1700000001.5\n"
    "last_preserved_timestamp: 1699999999.75\n";

// How many values differ.
int Differences(const CheckpointState& a, const CheckpointState& b) {
  int count = a.model_checkpoint_path != b.model_checkpoint_path;
  count += a.last_preserved_timestamp != b.last_preserved_timestamp;
  const auto list = [&](const auto& x, const auto& y) {
    if (x.size() != y.size()) return 1;
    int n = 0;
    for (std::size_t i = 0; i < x.size(); ++i) n += x[i] != y[i];
    return n;
  };
  return count + list(a.all_model_checkpoint_paths, b.all_model_checkpoint_paths) +
         list(a.all_model_checkpoint_timestamps, b.all_model_checkpoint_timestamps);
}

TEST(StateFile, EveryFlipIsAnErrorOrChangesOneValue) {
  const CheckpointState sound = CheckpointState::Parse(kSound, "state");
  ASSERT_EQ(sound.ToText(), kSound);
  int accepted = 0, refused = 0;
  equiv::test::EveryFlip(kSound, [&](const std::string& text, std::size_t at, int bit) {
    CheckpointState state;
    const std::string error = Caught([&] { state = CheckpointState::Parse(text, "folder/checkpoint"); });
    if (error != "nothing was thrown") {
      ++refused;
      ASSERT_THAT(error, StartsWith("DataLossError: folder/checkpoint: no checkpoint state: ")) << at << " " << bit;
      return;
    }
    ++accepted;
    ASSERT_LE(Differences(sound, state), 1) << "byte " << at << " bit " << bit;
    ASSERT_EQ(Differences(CheckpointState::Parse(state.ToText(), "again"), state), 0)
        << "byte " << at << " bit " << bit;
  });
  // tf: Python's text_format accepts 261 of these, and 7 more that the C++ parser refuses (a zero byte, octal numbers)
  EXPECT_EQ(accepted, 261);
  EXPECT_GT(refused, accepted);
}
TEST(StateFile, EveryLengthIsAnErrorOrABeginning) {
  const CheckpointState sound = CheckpointState::Parse(kSound, "state");
  equiv::test::EveryLength(kSound, [&](const std::string& text) {
    CheckpointState state;
    const std::string error = Caught([&] { state = CheckpointState::Parse(text, "folder/checkpoint"); });
    if (error != "nothing was thrown") {
      ASSERT_THAT(error, StartsWith("DataLossError: folder/checkpoint: no checkpoint state: "));
      return;
    }
    ASSERT_TRUE(state.model_checkpoint_path.empty() || state.model_checkpoint_path == "ckpt-3") << text;
    ASSERT_LE(state.all_model_checkpoint_paths.size(), 2u);
  });
}

// What a program sees of it. The path may have become another one; then there is no such checkpoint.
TEST(StateFile, LatestCheckpointOfADamagedFolder) {
  const io::TemporaryFolder folder;
  io::BundleWriter(folder / "ckpt-3").Finish();
  std::vector<std::string> log;
  const ScopedLogSink sink([&](LogLevel, const std::string& text) { log.push_back(text); });
  int found = 0, none = 0, invalid = 0;
  equiv::test::EveryLength(std::string(kSound) + " ", [&](const std::string& text) {
    io::WriteFile(folder / "checkpoint", text);
    log.clear();
    std::optional<std::string> latest;
    const std::string error = Caught([&] { latest = LatestCheckpoint(folder.path()); });
    if (error != "nothing was thrown") {
      ++invalid;
      ASSERT_EQ(error, fmt::format("ValueError: Invalid checkpoint state loaded from {}", folder.path()));
    } else if (latest) {
      ++found;
      ASSERT_EQ(*latest, folder / "ckpt-3");
    } else {
      ++none;
      ASSERT_FALSE(log.empty()) << "nothing is ignored in silence";
      ASSERT_THAT(log.front(), HasSubstr(folder.path()));
    }
  });
  EXPECT_GT(found, 0);
  EXPECT_GT(none, 0);
  EXPECT_GT(invalid, 0) << "an empty file is a state without a checkpoint";
}

struct Bad {
  const char* text;
  const char* error;
};
TEST(StateFile, TextsOfErrors) {
  const Bad cases[] = {
      {"model_checkpoint_path: ckpt", "1:24: Expected string, got: ckpt"},
      {"model_path: \"x\"", "1:11: Message type \"equiv.proto.CheckpointState\" has no field named \"model_path\"."},
      {"model_checkpoint_path: \"x", "1:26: Unexpected end of string."},
      {"model_checkpoint_path: \"x\" model_checkpoint_path: \"y\"",
       "1:49: Non-repeated field \"model_checkpoint_path\" is specified multiple times."},
      {"model_checkpoint_path: \"\\377\"", "path \"\\xff\" is not UTF-8"},
      {"all_model_checkpoint_timestamps: x", "1:34: Expected double, got: x"},
      {"\x01", "1:1: Invalid control characters encountered in text."}};
  for (const auto& [text, error] : cases)
    EXPECT_EQ(Caught([&, text = text] { CheckpointState::Parse(text, "d/checkpoint"); }),
              fmt::format("DataLossError: d/checkpoint: no checkpoint state: {}", error));
}
}  // namespace
}  // namespace equiv::runtime
