// kernels/base/function_library.h - bodies of the functions that call ops name. tf: FunctionLibraryRuntime
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "kernels/base/array.h"

namespace equiv {

// One call of a function: its inputs to its outputs. Holds what lives as long as the calling kernel: random state,
// plans.
using FunctionBody = std::function<std::vector<Array>(const std::vector<Array>& inputs)>;

// Functions of this process by name. Thread-safe.
class FunctionLibrary {
 public:
  // Registers a maker of bodies under a name starting with `prefix` and returns the name.
  static std::string Add(const std::string& prefix, std::function<FunctionBody()> make);
  static void Remove(const std::string& name);
  // A body of its own for one kernel; NotFoundError.
  static FunctionBody Instantiate(const std::string& name);
  // The backend of the session that runs kernels in this thread: what a body computes with. "cpu" outside one.
  static const std::string& Backend();
  class ScopedBackend {
   public:
    explicit ScopedBackend(const std::string& name);
    ~ScopedBackend();
    ScopedBackend(const ScopedBackend&) = delete;
    ScopedBackend& operator=(const ScopedBackend&) = delete;

   private:
    const std::string* saved_;
  };
};

}  // namespace equiv
