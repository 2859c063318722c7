// runtime/core/log.h - what the runtime has to say beside results and errors. tf: the logger `tensorflow`
#pragma once
#include <functional>
#include <string>

namespace equiv::runtime {

enum class LogLevel { kInfo, kWarning, kError };
// Default: warnings and errors to stderr, as "WARNING: ...".
using LogSink = std::function<void(LogLevel, const std::string& text)>;
void Log(LogLevel level, const std::string& text);

// Takes everything logged by this thread during its life.
class ScopedLogSink {
 public:
  explicit ScopedLogSink(LogSink sink);
  ~ScopedLogSink();
  ScopedLogSink(const ScopedLogSink&) = delete;
  ScopedLogSink& operator=(const ScopedLogSink&) = delete;

 private:
  LogSink sink_;
  const LogSink* outer_;
};

}  // namespace equiv::runtime
