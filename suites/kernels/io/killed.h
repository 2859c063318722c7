// Runs something in a child process and kills it in the middle.
#pragma once
#include <functional>
#include <string>

namespace equiv::io::test {

enum class Fate { kKilled, kFinished, kFailed };
// Runs `work` in a child that is killed (SIGKILL) at its `stop`-th entry into or return from a system call, counted
// from 1; kFinished when it ends before that, kFailed when it threw or crashed.
Fate RunUntil(int stop, const std::function<void()>& work);
// Why processes cannot be stopped at system calls here; empty when they can.
std::string WhyNotTraced();
// Runs `work` in a child without privileges and answers with what it says.
std::string InChild(const std::function<std::string()>& work);

}  // namespace equiv::io::test
