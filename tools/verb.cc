#include "tools/verb.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "equiv/compare/npy.h"
#include "kernels/base/error.h"
#include "kernels/base/op_registry.h"
#include "kernels/base/thread_pool.h"
#include "kernels/io/file.h"
#include "runtime/eager/eager.h"

namespace equiv::tools {
void RunOptions::AddTo(CLI::App& command) {
  command.add_option("--backend", backend, "cpu, onednn, or auto (the fastest present)")->capture_default_str();
  command.add_option("--threads", threads, "threads to compute with; results do not depend on it")
      ->check(CLI::Range(1, 1024));
}
void RunOptions::Apply() const {
  try {
    if (threads > 0) ThreadPool::SetDefaultThreads(threads);
    runtime::EagerContext::Get().SetBackend(backend);
  } catch (const ValueError& error) {
    throw UsageError(error.what());
  }
}

void ModelOptions::AddTo(CLI::App& command) {
  command.add_option("model", model, "model to run; `equiv list models` names them")->required();
  command.add_option("--size", size, "height and width of the input")->check(CLI::Range(1, 8192));
  command.add_option("--batch", batch, "images in the input")->check(CLI::Range(1, 4096))->capture_default_str();
  command.add_option("--input", input, "ones, uniform (seeded, in [-1, 1)), or a .npy file")->capture_default_str();
}
const fixtures::ModelEntry& ModelOptions::Entry() const {
  if (const fixtures::ModelEntry* entry = fixtures::FindModel(model)) return *entry;
  std::string names;
  for (const fixtures::ModelEntry& entry : fixtures::Models()) names += (names.empty() ? "" : ", ") + entry.name;
  throw UsageError(fmt::format("unknown model '{}'; models are: {}", model, names));
}
Array ModelOptions::MakeInput() const {
  const fixtures::ModelEntry& entry = Entry();
  std::vector<std::int64_t> dims = entry.input_shape.vector();
  dims[0] = batch;
  if (size > 0 && dims.size() == 4) dims[1] = dims[2] = size;
  if (size > 0 && dims.size() != 4)
    throw UsageError(fmt::format("--size is for image models; '{}' takes an input of shape {}", model,
                                 entry.input_shape.ToString()));
  const Shape shape(dims);
  if (input == "ones") return Array::Full<float>(shape, 1.0f);
  if (input == "uniform") {
    runtime::EagerScope eager_scope;
    runtime::EagerContext& eager = runtime::EagerContext::Get();
    eager.ClearKernelCache();
    const Array dims_array = Array::Of<std::int64_t>(Shape{shape.rank()}, shape.dims());
    Array u = eager
                  .Add1("RandomUniform", {Value(dims_array)},
                        {{"dtype", DType::kFloat32}, {"seed", std::int64_t{7}}, {"seed2", std::int64_t{3}}})
                  .array()
                  .Copy();
    float* p = u.mutable_data<float>();
    for (std::int64_t i = 0; i < u.num_elements(); ++i) p[i] = 2.0f * p[i] - 1.0f;
    return u;
  }
  if (!input.ends_with(".npy")) throw UsageError("--input is 'ones', 'uniform' or a .npy file, got '" + input + "'");
  Array array = ReadNpy(input);
  if (array.rank() != shape.rank())
    throw InvalidArgumentError(
        fmt::format("'{}' holds shape {}, the model takes rank {}", input, array.shape().ToString(), shape.rank()));
  return array;
}

Progress::Progress() : terminal_(isatty(STDERR_FILENO) != 0) {}
Progress::~Progress() { Clear(); }
void Progress::Show(const std::string& text) {
  if (!terminal_) return;
  std::fputs(fmt::format("\r\033[K  {} ...", text).c_str(), stderr);
  std::fflush(stderr);
  shown_ = true;
}
void Progress::Clear() {
  if (shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

void WriteFile(const std::string& path, const std::string& text) {
  try {
    io::WriteFile(path, text);
  } catch (const Error& error) {
    throw UsageError(
        fmt::format("cannot write '{}': {}; check that its folder exists and is writable", path, error.what()));
  }
}

double PeakMemoryMiB() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}
}  // namespace equiv::tools
