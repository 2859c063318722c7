// A writer killed at any system call: the checkpoint of the same name stays whole, old or new.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <set>

#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"
#include "suites/kernels/io/hand_made.h"
#include "suites/kernels/io/killed.h"

namespace equiv::io {
namespace {
namespace fs = std::filesystem;
using test::Caught;
using test::Fate;

constexpr int kKeys = 5;
// Every value says which checkpoint it is of; the sizes differ, so that no file fits another index.
void Write(const std::string& prefix, int shards, float mark) {
  BundleWriter writer(prefix, shards);
  for (int i = 0; i < kKeys; ++i)
    writer.Add(fmt::format("key{}", i), Array::Full<float>({10 + i + static_cast<int>(mark)}, mark), i % shards);
  writer.Finish();
}
// The mark of the checkpoint; throws unless it is whole and of one piece.
float MarkOf(const std::string& prefix) {
  const BundleReader reader(prefix);
  if (reader.entries().size() != kKeys) throw RuntimeError(fmt::format("{} keys", reader.entries().size()));
  std::set<float> marks;
  for (const BundleEntry& entry : reader.entries()) {
    const Array value = reader.Read(entry);
    marks.insert(value.span<float>().begin(), value.span<float>().end());
  }
  if (marks.size() != 1) throw RuntimeError(fmt::format("a mixture of {} checkpoints", marks.size()));
  return *marks.begin();
}
std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}
std::vector<std::string> FilesOf(int shards) {
  std::vector<std::string> names;
  for (int i = 0; i < shards; ++i) names.push_back(DataFileName("m", i, shards));
  names.push_back("m.index");
  return names;
}
void Copy(const std::string& from, const std::string& to) {
  fs::remove_all(to);
  fs::copy(from, to);
}

struct Change {
  int old_shards, new_shards;
  friend void PrintTo(const Change& c, std::ostream* out) { *out << c.old_shards << " to " << c.new_shards; }
};
class KilledWriter : public testing::TestWithParam<Change> {
 protected:
  void SetUp() override {
    if (const std::string why = test::WhyNotTraced(); !why.empty()) GTEST_SKIP() << why;
  }
};
INSTANTIATE_TEST_SUITE_P(Bundle, KilledWriter,
                         testing::Values(Change{1, 1}, Change{2, 2}, Change{2, 1}, Change{1, 2}, Change{3, 2},
                                         Change{2, 3}),
                         [](const auto& info) {
                           return fmt::format("{}To{}", info.param.old_shards, info.param.new_shards);
                         });

TEST_P(KilledWriter, LeavesTheOldOrTheNewCheckpoint) {
  const auto [old_shards, new_shards] = GetParam();
  const TemporaryFolder folder;
  const std::string start = folder / "start", now = folder / "now", prefix = now + "/m";
  fs::create_directory(start);
  Write(start + "/m", old_shards, 1);
  int old_seen = 0, new_seen = 0, with_leftovers = 0;
  for (int stop = 1;; ++stop) {
    Copy(start, now);
    const Fate fate = test::RunUntil(stop, [&, shards = new_shards] { Write(prefix, shards, 2); });
    ASSERT_NE(fate, Fate::kFailed) << stop;
    float mark = 0;
    ASSERT_EQ(Caught([&] { mark = MarkOf(prefix); }), "nothing was thrown") << "after stop " << stop;
    ASSERT_TRUE(mark == 1 || mark == 2) << mark;
    (mark == 1 ? old_seen : new_seen) += 1;
    if (fate == Fate::kFinished) {
      EXPECT_EQ(mark, 2);
      EXPECT_EQ(FilesIn(now), FilesOf(new_shards));
      break;
    }
    ASSERT_LT(mark, new_seen > 0 ? 3 : 2 + (mark == 2)) << "never back to the old one";
    with_leftovers += FilesIn(now) != FilesOf(mark == 1 ? old_shards : new_shards);
    // A later writer finishes, whichever number of shards it has, and tidies up.
    const int later = stop % 2 ? new_shards : old_shards;
    ASSERT_EQ(Caught([&] { Write(prefix, later, 3); }), "nothing was thrown") << "after stop " << stop;
    ASSERT_EQ(MarkOf(prefix), 3) << "after stop " << stop;
    ASSERT_EQ(FilesIn(now), FilesOf(later)) << "after stop " << stop;
  }
  EXPECT_GT(old_seen, 10) << "killed before the change";
  EXPECT_GT(new_seen, 2) << "killed after the change";
  EXPECT_GT(with_leftovers, 10) << "there was something to tidy up";
}
// Two writers killed one after the other, at places drawn by chance.
TEST_P(KilledWriter, TwiceInARow) {
  const auto [old_shards, new_shards] = GetParam();
  const TemporaryFolder folder;
  const std::string start = folder / "start", now = folder / "now", prefix = now + "/m";
  fs::create_directory(start);
  Write(start + "/m", old_shards, 1);
  std::mt19937 random(7);
  std::set<float> seen;
  for (int round = 0; round < 60; ++round) {
    Copy(start, now);
    const int first = static_cast<int>(random() % 130), second = static_cast<int>(random() % 130);
    test::RunUntil(first + 1, [&, shards = new_shards] { Write(prefix, shards, 2); });
    test::RunUntil(second + 1, [&, shards = round % 2 ? new_shards : old_shards] { Write(prefix, shards, 3); });
    float mark = 0;
    ASSERT_EQ(Caught([&] { mark = MarkOf(prefix); }), "nothing was thrown") << first << ", " << second;
    seen.insert(mark);
    Write(prefix, new_shards, 4);
    ASSERT_EQ(MarkOf(prefix), 4) << first << ", " << second;
    ASSERT_EQ(FilesIn(now), FilesOf(new_shards)) << first << ", " << second;
  }
  EXPECT_EQ(seen.size(), 3u) << "the first, the second and the third checkpoint were each met";
}

// The last step of a sharded save, over a checkpoint of the same number of shards and of another one.
class KilledMerge : public KilledWriter {};
INSTANTIATE_TEST_SUITE_P(Bundle, KilledMerge, testing::Values(Change{1, 2}, Change{2, 2}, Change{3, 2}),
                         [](const auto& info) {
                           return fmt::format("{}To{}", info.param.old_shards, info.param.new_shards);
                         });
TEST_P(KilledMerge, LeavesTheOldOrTheNewCheckpoint) {
  const int old_shards = GetParam().old_shards;
  const TemporaryFolder folder;
  const std::string start = folder / "start", now = folder / "now", prefix = now + "/m";
  const std::vector<std::string> parts = {now + "/part-0", now + "/part-1"};
  const auto write_parts = [](const std::string& where, float mark) {
    BundleWriter zero(where + "/part-0"), one(where + "/part-1");
    for (int i = 0; i < kKeys; ++i)
      (i % 2 ? one : zero).Add(fmt::format("key{}", i), Array::Full<float>({20 + i + static_cast<int>(mark)}, mark));
    zero.Finish();
    one.Finish();
  };
  fs::create_directory(start);
  Write(start + "/m", old_shards, 1);
  write_parts(start, 2);
  std::set<float> seen;
  for (int stop = 1;; ++stop) {
    Copy(start, now);
    const Fate fate = test::RunUntil(stop, [&] { MergeBundles(parts, prefix); });
    ASSERT_NE(fate, Fate::kFailed) << stop;
    float mark = 0;
    ASSERT_EQ(Caught([&] { mark = MarkOf(prefix); }), "nothing was thrown") << "after stop " << stop;
    ASSERT_TRUE(mark == 1 || mark == 2) << mark;
    seen.insert(mark);
    if (fate == Fate::kFinished) {
      EXPECT_EQ(mark, 2);
      EXPECT_EQ(FilesIn(now), FilesOf(2));
      break;
    }
    ASSERT_EQ(Caught([&] {
                write_parts(now, 3);
                MergeBundles(parts, prefix);
              }),
              "nothing was thrown");
    ASSERT_EQ(MarkOf(prefix), 3) << "after stop " << stop;
    ASSERT_EQ(FilesIn(now), FilesOf(2)) << "after stop " << stop;
  }
  EXPECT_EQ(seen.size(), 2u);
}

// Files of one piece: the state of a folder, exported graphs.
TEST(KilledFile, IsOldOrNew) {
  if (const std::string why = test::WhyNotTraced(); !why.empty()) GTEST_SKIP() << why;
  const TemporaryFolder folder;
  const std::string path = folder / "checkpoint", old(300000, 'o'), fresh(310000, 'n');
  std::set<std::string> seen;
  for (int stop = 1;; ++stop) {
    WriteFile(path, old);
    const Fate fate = test::RunUntil(stop, [&] { WriteFile(path, fresh); });
    ASSERT_NE(fate, Fate::kFailed);
    const std::string got = ReadFile(path);
    ASSERT_TRUE(got == old || got == fresh) << got.size() << " bytes after stop " << stop;
    seen.insert(got);
    WriteFile(path, "later");
    ASSERT_THAT(FilesIn(folder.path()), testing::ElementsAre("checkpoint")) << "after stop " << stop;
    if (fate == Fate::kFinished) break;
  }
  EXPECT_EQ(seen.size(), 2u);
}
// What another process is writing at this moment is no leftover.
TEST(KilledFile, FilesBeingWrittenStay) {
  const TemporaryFolder folder;
  OutputFile open(folder / "f"), closed(folder / "f");
  open.Append("open");
  closed.Append("closed");
  closed.Close();
  WriteFile(folder / "f", "third");
  EXPECT_EQ(FilesIn(folder.path()).size(), 3u);
  open.Commit();
  EXPECT_EQ(ReadFile(folder / "f"), "open");
  closed.Commit();
  EXPECT_EQ(ReadFile(folder / "f"), "closed");
  EXPECT_EQ(FilesIn(folder.path()).size(), 1u);
}
}  // namespace
}  // namespace equiv::io
