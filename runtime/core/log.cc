#include "runtime/core/log.h"

#include <cstdio>

namespace equiv::runtime {
namespace {
thread_local const LogSink* current_sink = nullptr;
}

void Log(LogLevel level, const std::string& text) {
  if (current_sink) {
    (*current_sink)(level, text);
  } else if (level != LogLevel::kInfo) {
    std::fprintf(stderr, "%s: %s\n", level == LogLevel::kWarning ? "WARNING" : "ERROR", text.c_str());
  }
}
ScopedLogSink::ScopedLogSink(LogSink sink) : sink_(std::move(sink)), outer_(current_sink) { current_sink = &sink_; }
ScopedLogSink::~ScopedLogSink() { current_sink = outer_; }
}  // namespace equiv::runtime
