// What the disk refuses: a typed error, the old checkpoint as it was, nothing left behind.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>

#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"
#include "suites/kernels/io/hand_made.h"
#include "suites/kernels/io/killed.h"

namespace equiv::io {
namespace {
namespace fs = std::filesystem;
using test::Caught;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

void Write(const std::string& prefix, int shards, std::int64_t elements, float mark) {
  BundleWriter writer(prefix, shards);
  for (int i = 0; i < 4; ++i) writer.Add(fmt::format("key{}", i), Array::Full<float>({elements}, mark), i % shards);
  writer.Finish();
}
// Names with content, of all files of a folder.
std::map<std::string, std::string> Snapshot(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder))
    files[entry.path().filename().string()] = entry.is_directory() ? "(a folder)" : ReadFile(entry.path().string());
  return files;
}

// RLIMIT_FSIZE: no file may become longer. For a large checkpoint the data is too long, for one of many keys the index.
class DiskFull : public testing::TestWithParam<std::pair<int, int>> {};
INSTANTIATE_TEST_SUITE_P(Bundle, DiskFull, testing::Values(std::pair(1, 1), std::pair(2, 2), std::pair(2, 1)),
                         [](const auto& info) { return fmt::format("{}To{}", info.param.first, info.param.second); });
std::string WithFilesUpTo(std::size_t bytes, const std::function<void()>& work) {
  return test::InChild([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return std::string("setrlimit failed");
    return Caught(work);
  });
}
TEST_P(DiskFull, LeavesTheOldCheckpointAndNothingElse) {
  const auto [old_shards, new_shards] = GetParam();
  const TemporaryFolder folder;
  const std::string prefix = folder / "m";
  Write(prefix, old_shards, 10, 1);
  ASSERT_EQ(chmod(folder.path().c_str(), 0777), 0);
  const std::map<std::string, std::string> before = Snapshot(folder.path());
  const std::string data = WithFilesUpTo(100000, [&, shards = new_shards] { Write(prefix, shards, 100000, 2); });
  EXPECT_EQ(data,
            fmt::format("ResourceExhaustedError: {}; File too large (writing)", DataFileName(prefix, 0, new_shards)));
  EXPECT_EQ(Snapshot(folder.path()), before);
  const std::string index = WithFilesUpTo(1000, [&, shards = new_shards] {
    BundleWriter writer(prefix, shards);
    for (int i = 0; i < 100; ++i) writer.Add(fmt::format("key{}", i), Array::Scalar(std::int8_t{1}), i % shards);
    writer.Finish();
  });
  EXPECT_EQ(index, fmt::format("ResourceExhaustedError: {}.index; File too large (writing)", prefix));
  EXPECT_EQ(Snapshot(folder.path()), before);
}
// The old index, longer than the new one, is what does not fit when it is written again to set the old data aside.
TEST(DiskFull, WhileTheOldDataIsSetAside) {
  const TemporaryFolder folder;
  const std::string prefix = folder / "m";
  {
    BundleWriter writer(prefix);
    for (int i = 0; i < 100; ++i) writer.Add(fmt::format("key{}", i), Array::Scalar(1.0F));
    writer.Finish();
  }
  ASSERT_EQ(chmod(folder.path().c_str(), 0777), 0);
  const std::map<std::string, std::string> before = Snapshot(folder.path());
  EXPECT_EQ(WithFilesUpTo(1000, [&] { Write(prefix, 1, 10, 2); }),
            fmt::format("ResourceExhaustedError: {}.index; File too large (writing)", prefix));
  EXPECT_EQ(Snapshot(folder.path()), before);
}
// A writer that failed once does not finish, even if there is room again: its files lack bytes.
TEST(DiskFull, AWriterThatFailedDoesNotFinish) {
  const TemporaryFolder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 0777), 0);
  const std::string prefix = folder / "m";
  const std::string said = test::InChild([&]() -> std::string {
    signal(SIGXFSZ, SIG_IGN);
    rlimit limit{100000, RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return "setrlimit failed";
    BundleWriter writer(prefix);
    const std::string first = Caught([&] { writer.Add("a", Array::Full<float>({200000}, 1)); });
    limit.rlim_cur = RLIM_INFINITY;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return "setrlimit failed";
    return first + "\n" + Caught([&] { writer.Add("b", Array::Full<float>({200000}, 1)); }) + "\n" +
           Caught([&] { writer.Finish(); });
  });
  const std::string file = DataFileName(prefix, 0, 1);
  EXPECT_EQ(said, fmt::format("ResourceExhaustedError: {0}; File too large (writing)\n"
                              "FailedPreconditionError: {0}; an earlier write to it failed\n"
                              "FailedPreconditionError: {0}; an earlier write to it failed",
                              file));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Disk, ReadOnlyFolder) {
  const TemporaryFolder folder;
  Write(folder / "m", 1, 10, 1);
  const std::map<std::string, std::string> before = Snapshot(folder.path());
  ASSERT_EQ(chmod(folder.path().c_str(), 0555), 0);
  const std::string said = test::InChild([&] { return Caught([&] { Write(folder / "m", 1, 10, 2); }); });
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  EXPECT_EQ(said, fmt::format("PermissionDeniedError: {}; Permission denied (opening it for writing)",
                              folder / "m.data-00000-of-00001"));
  EXPECT_EQ(Snapshot(folder.path()), before);
}
TEST(Disk, UnreadableFiles) {
  const TemporaryFolder folder;
  Write(folder / "m", 1, 10, 1);
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  const auto read = [&] {
    return test::InChild([&] { return Caught([&] { BundleReader(folder / "m").Read("key0"); }); });
  };
  for (const char* name : {"m.data-00000-of-00001", "m.index"}) {
    ASSERT_EQ(chmod((folder / name).c_str(), 0), 0);
    EXPECT_EQ(read(), fmt::format("PermissionDeniedError: {}; Permission denied (opening it)", folder / name));
  }
}
TEST(Disk, MissingFolder) {
  const TemporaryFolder folder;
  EXPECT_EQ(
      Caught([&] { Write(folder / "no/m", 1, 10, 1); }),
      fmt::format("NotFoundError: {0}; No such file or directory: the folder of checkpoint '{0}/m'", folder / "no"));
  WriteFile(folder / "file", "x");
  EXPECT_EQ(
      Caught([&] { Write(folder / "file/m", 1, 10, 1); }),
      fmt::format("NotFoundError: {0}; No such file or directory: the folder of checkpoint '{0}/m'", folder / "file"));
  EXPECT_THAT(Caught([&] { MergeBundles(std::vector<std::string>{folder / "a"}, folder / "no/m"); }),
              AllOf(StartsWith("NotFoundError: "), HasSubstr(folder / "a.index")));
  EXPECT_EQ(Caught([&] { WriteFile(folder / "no/file", "x"); }),
            fmt::format("NotFoundError: {}; No such file or directory (opening it for writing)", folder / "no/file"));
}
TEST(Disk, FoldersInThePlaceOfFiles) {
  for (const char* name : {"m.data-00000-of-00001", "m.data-00001-of-00002", "m.index"}) {
    const TemporaryFolder folder;
    const std::string prefix = folder / "m";
    const bool one = std::string_view(name).ends_with("00001");
    const bool index = std::string_view(name).ends_with("index");
    if (!index) Write(prefix, one ? 2 : 1, 10, 1);
    fs::create_directory(folder / name);
    const std::map<std::string, std::string> before = Snapshot(folder.path());
    EXPECT_EQ(Caught([&] { Write(prefix, one ? 1 : 2, 10, 2); }),
              fmt::format("FailedPreconditionError: {}; Is a directory (opening it for writing)", folder / name));
    EXPECT_EQ(Snapshot(folder.path()), before) << name;
    Write(folder / "part", 1, 10, 3);
    const std::map<std::string, std::string> with_part = Snapshot(folder.path());
    if (one || index) {
      EXPECT_THAT(Caught([&] { MergeBundles(std::vector<std::string>{folder / "part"}, prefix); }),
                  AllOf(StartsWith("FailedPreconditionError: " + (folder / name)), HasSubstr("; Is a directory")));
      EXPECT_EQ(Snapshot(folder.path()), with_part) << name;
    }
  }
}
// A file that only looks like part of the checkpoint is nobody's to delete.
TEST(Disk, StrangersStay) {
  const TemporaryFolder folder;
  const char* const strangers[] = {
      "m.data-00000-of-00001.backup", "m.data-1-of-2", "m.data-00000-of-0000x",   "m.meta",
      "m.index.tempstate.txt",        "n.index",       "m-1.data-00000-of-00003", "xm.data-00000-of-00003",
      "m.index2.tempstate1-1"};
  for (const char* name : strangers) WriteFile(folder / name, name);
  Write(folder / "m", 2, 10, 1);
  Write(folder / "m", 1, 10, 2);
  for (const char* name : strangers) EXPECT_EQ(ReadFile(folder / name), name);
  EXPECT_EQ(Snapshot(folder.path()).size(), std::size(strangers) + 2);
}
}  // namespace
}  // namespace equiv::io
