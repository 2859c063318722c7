// Short names for the tests of checkpoints.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/base/error.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/core/ops.h"
#include "runtime/layers/module.h"
#include "runtime/random/initializers.h"
#include "suites/runtime/checkpoint/checkpoint_files.h"

namespace equiv::runtime {

// Everything logged while it lives, a line each.
class Logged {
 public:
  const std::vector<std::string>& lines() const { return lines_; }
  std::string text() const {
    std::string all;
    for (const std::string& line : lines_) all += line + "\n";
    return all;
  }

 private:
  std::vector<std::string> lines_;
  ScopedLogSink sink_{[this](LogLevel level, const std::string& line) {
    const char* const names[] = {"INFO", "WARNING", "ERROR"};
    lines_.push_back(fmt::format("{}: {}", names[static_cast<std::size_t>(level)], line));
  }};
};

inline Variable V(const std::vector<float>& values, const std::string& name = {}) {
  return MakeVariable(Tensor(Array::Of<float>(Shape{std::ssize(values)}, values)), {.name = name});
}
inline Variable V(double value, const std::string& name = {}) { return MakeVariable(value, {.name = name}); }
inline std::vector<float> ValuesOf(const Variable& v) {
  const Array array = v.Read().array();
  return {array.data<float>(), array.data<float>() + array.num_elements()};
}
inline float ValueOf(const Variable& v) { return ValuesOf(v).at(0); }

inline std::shared_ptr<Module> Mod(const Attribute::Dict& attributes = {}) {
  auto module = std::make_shared<Module>("M");
  for (const auto& [name, value] : attributes) module->SetAttribute(name, value);
  return module;
}

// "ok", or "Kind: text" of the error.
template <class F>
std::string Attempt(F&& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.Describe();
  }
  return "ok";
}

inline std::vector<std::string> KeysOf(const std::string& prefix) {
  std::vector<std::string> keys;
  for (const auto& [key, shape] : ListVariables(prefix)) keys.push_back(key);
  return keys;
}
inline std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path().filename());
  std::ranges::sort(files);
  return files;
}

// The three assertions of a status in one text.
inline std::vector<std::string> Asserts(LoadStatus& status) {
  return {Attempt([&] { status.AssertConsumed(); }), Attempt([&] { status.AssertExistingObjectsMatched(); }),
          Attempt([&] { status.AssertNontrivialMatch(); })};
}

}  // namespace equiv::runtime
