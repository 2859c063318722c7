#include "kernels/base/error.h"

namespace equiv {
std::string Error::Describe() const { return std::string(kind_) + ": " + what(); }

void CheckFailed(const char* condition, const char* file, int line) {
  std::string_view path(file);
  const auto slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  throw CheckError("internal check failed: " + std::string(condition) + " (" + std::string(path) + ":" +
                   std::to_string(line) + "); please report this with the command that caused it");
}
}  // namespace equiv
