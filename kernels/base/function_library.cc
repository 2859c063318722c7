#include "kernels/base/function_library.h"

#include <map>
#include <mutex>

#include "kernels/base/error.h"

namespace equiv {
namespace {
struct Library {
  std::mutex mutex;
  std::map<std::string, std::function<FunctionBody()>> makers;
  int added = 0;
};
Library& Get() {
  static auto* library = new Library;
  return *library;
}
}  // namespace

namespace {
thread_local const std::string* current_backend = nullptr;
}  // namespace
const std::string& FunctionLibrary::Backend() {
  static const std::string cpu = "cpu";
  return current_backend ? *current_backend : cpu;
}
FunctionLibrary::ScopedBackend::ScopedBackend(const std::string& name) : saved_(current_backend) {
  current_backend = &name;
}
FunctionLibrary::ScopedBackend::~ScopedBackend() { current_backend = saved_; }

std::string FunctionLibrary::Add(const std::string& prefix, std::function<FunctionBody()> make) {
  Library& library = Get();
  std::lock_guard lock(library.mutex);
  std::string name = "__" + prefix + "_" + std::to_string(library.added++);
  library.makers.emplace(name, std::move(make));
  return name;
}
void FunctionLibrary::Remove(const std::string& name) {
  Library& library = Get();
  std::lock_guard lock(library.mutex);
  library.makers.erase(name);
}
FunctionBody FunctionLibrary::Instantiate(const std::string& name) {
  Library& library = Get();
  std::function<FunctionBody()> make;
  {
    std::lock_guard lock(library.mutex);
    auto it = library.makers.find(name);
    if (it == library.makers.end()) throw NotFoundError("no function '" + name + "' in the library");
    make = it->second;
  }
  return make();
}
}  // namespace equiv
