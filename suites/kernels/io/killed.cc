#include "suites/kernels/io/killed.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>

#include "kernels/base/error.h"

namespace equiv::io::test {

Fate RunUntil(int stop, const std::function<void()>& work) {
  const pid_t child = fork();
  if (child < 0) throw RuntimeError(std::strerror(errno));
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(2);
    raise(SIGSTOP);
    try {
      work();
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  const auto kill_child = [&] {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  };
  waitpid(child, &status, 0);
  if (!WIFSTOPPED(status)) return Fate::kFailed;
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  for (int seen = 0;;) {
    if (ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) != 0) {
      kill_child();
      return Fate::kFailed;
    }
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) return WEXITSTATUS(status) == 0 ? Fate::kFinished : Fate::kFailed;
    if (!WIFSTOPPED(status)) return Fate::kFailed;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {  // a signal of the child's own
      kill_child();
      return Fate::kFailed;
    }
    if (++seen == stop) {
      kill_child();
      return Fate::kKilled;
    }
  }
}

std::string WhyNotTraced() {
  return RunUntil(1, [] { getppid(); }) == Fate::kKilled ? "" : "ptrace is not permitted here";
}

std::string InChild(const std::function<std::string()>& work) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) throw RuntimeError(std::strerror(errno));
  const pid_t child = fork();
  if (child < 0) throw RuntimeError(std::strerror(errno));
  if (child == 0) {
    std::string said;
    constexpr unsigned kNobody = 65534;
    if (getuid() == 0 && (setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0)) {
      said = "privileges cannot be dropped";
    } else {
      try {
        said = work();
      } catch (const std::exception& error) {
        said = std::string("a foreign exception: ") + error.what();
      }
    }
    const auto written = write(pipe_ends[1], said.data(), said.size());
    _exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  close(pipe_ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t n; (n = read(pipe_ends[0], buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<std::size_t>(n));
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? said : "the child crashed";
}
}  // namespace equiv::io::test
