// What the tests of checkpoints share: a folder to work in, and files compared with TensorFlow's.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "kernels/io/file.h"
#include "runtime/core/log.h"
#include "runtime/eager/eager.h"

namespace equiv {

// Each test works in a folder of its own, with relative paths, as the guide does.
class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() : before_(std::filesystem::current_path()) { std::filesystem::current_path(folder_.path()); }
  ~CheckpointTest() override { std::filesystem::current_path(before_); }
  void SetUp() override { runtime::EagerContext::Get().Reset(); }
  const std::filesystem::path& source_folder() const { return before_; }

 private:
  io::TemporaryFolder folder_;
  std::filesystem::path before_;
};

inline std::string GoldenFolder(const std::string& name) {
  return std::string(EQUIV_SOURCE_DIR) + "/fixtures/goldens/checkpoints/" + name;
}

// All files of a golden folder whose name starts with `start` are here too, in `folder`, with the same bytes; the state
// file as well when `state` says so.
inline void ExpectSameFiles(const std::string& golden, const std::string& start, const std::string& folder = ".",
                            bool state = true) {
  int compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GoldenFolder(golden))) {
    const std::string name = entry.path().filename().string();
    if (!(name.starts_with(start) && !name.ends_with(".meta")) && !(state && name == "checkpoint")) continue;
    ++compared;
    const std::string ours = folder + "/" + name;
    ASSERT_TRUE(std::filesystem::exists(ours)) << ours;
    const std::string expected = io::ReadFile(entry.path().string()), actual = io::ReadFile(ours);
    EXPECT_EQ(expected.size(), actual.size()) << name;
    const auto [a, b] = std::mismatch(expected.begin(), expected.end(), actual.begin(), actual.end());
    EXPECT_TRUE(expected == actual) << name << " differs at byte " << (a - expected.begin());
  }
  EXPECT_GE(compared, 2) << golden;
}

}  // namespace equiv
