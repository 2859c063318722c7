// suites/tools/equiv_binary.h - runs the binary `equiv`.
#pragma once
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

namespace equiv::suites {

struct Ran {
  int code = -1;
  std::string text;  // stdout and stderr
};
// `before`: what the shell does first.
inline Ran Equiv(const std::string& arguments, const std::string& before = {}) {
  Ran ran;
  FILE* pipe = popen((before + EQUIV_BINARY + " " + arguments + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) ran.text.append(buffer.data(), n);
  const int status = pclose(pipe);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

// A folder of the test's own, which is empty when it starts.
class ToolFolder : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string In(const std::string& name) const { return (folder_ / name).string(); }
  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("equiv_") + testing::UnitTest::GetInstance()->current_test_info()->test_suite_name() + "_" +
       testing::UnitTest::GetInstance()->current_test_info()->name());
};

}  // namespace equiv::suites
