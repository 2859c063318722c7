// tools/oracle_checkpoints, where there is a TensorFlow to ask.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

TEST(OracleCheckpoints, TensorFlowReadsWhatWasWritten) {
  FILE* pipe = popen(EQUIV_SOURCE_DIR "/tools/oracle_checkpoints 2>&1", "r");
  ASSERT_NE(pipe, nullptr);
  std::string text;
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) text.append(buffer.data(), n);
  const int status = pclose(pipe);
  ASSERT_TRUE(WIFEXITED(status)) << text;
  constexpr int kSkipped = 77, kNoPython = 127;
  if (WEXITSTATUS(status) == kSkipped || WEXITSTATUS(status) == kNoPython) GTEST_SKIP() << text;
  EXPECT_EQ(WEXITSTATUS(status), 0) << text;
}
