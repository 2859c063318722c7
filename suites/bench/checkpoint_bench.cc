// Checkpoints of Inception-ResNet-v2: 59.3 M values, 226 MiB. Peer: the same bytes written and read plainly with a
// CRC-32C, in turns in one loop; `ratio` is the median of ours by the median of the plain way. For TensorFlow's Saver
// see tools/bench_tensorflow.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>

#include "equiv/harness/random_tool.h"
#include "fixtures/models/inception_resnet_v2.h"
#include "kernels/io/crc32c.h"
#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/core/ops.h"
#include "runtime/graph/graph.h"
#include "runtime/session/session.h"
#include "runtime/variables/variables.h"

namespace equiv {
namespace {
namespace rt = runtime;

// The initialised model, made once.
struct Model {
  rt::Graph graph;
  std::unique_ptr<rt::Session> session;
  std::unique_ptr<rt::Saver> saver;
  std::vector<std::string> names;
  std::vector<Array> values;
  std::size_t bytes = 0;

  static Model& Get() {
    static Model model;
    return model;
  }

 private:
  Model() {
    const rt::GraphScope scope(graph);
    DeterministicRandomTestTool tool(42, "num_random_ops");
    const auto seeds = tool.Scope();
    fixtures::InceptionResnetV2({{rt::Placeholder(DType::kFloat32, PartialShape{1, 299, 299, 3})}, false});
    rt::Node* initializer = rt::GlobalVariablesInitializer();
    saver = std::make_unique<rt::Saver>(rt::SaverOptions{.max_to_keep = 1});
    session = std::make_unique<rt::Session>(graph);
    session->Run(initializer);
    std::vector<rt::Tensor> reads;
    for (const rt::Variable& v : rt::GlobalVariables()) {
      names.push_back(v.op_name());
      reads.push_back(v.value());
    }
    values = session->Run(reads);
    for (const Array& value : values) bytes += value.num_bytes();
  }
};

// The plain way: one file, a quarter of a MiB at a time, one checksum per tensor.
constexpr std::size_t kChunk = std::size_t{256} << 10;
void Require(bool done) {
  if (!done) throw std::runtime_error("the plain file cannot be written or read");
}
std::uint32_t WritePlain(const std::string& path, const std::vector<Array>& values) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  Require(file >= 0);
  std::uint32_t crcs = 0;
  for (const Array& value : values) {
    std::uint32_t crc = 0;
    for (std::size_t done = 0; done < value.num_bytes(); done += kChunk) {
      const std::size_t n = std::min(kChunk, value.num_bytes() - done);
      crc = io::ExtendCrc32c(crc, value.raw() + done, n);
      Require(write(file, value.raw() + done, n) == static_cast<ssize_t>(n));
    }
    crcs ^= crc;
  }
  Require(close(file) == 0);
  return crcs;
}
std::uint32_t ReadPlain(const std::string& path, const std::vector<Array>& like, std::vector<Array>& values) {
  const int file = open(path.c_str(), O_RDONLY);
  Require(file >= 0);
  std::uint32_t crcs = 0;
  for (const Array& shape : like) {
    Array value(shape.dtype(), shape.shape());
    std::uint32_t crc = 0;
    for (std::size_t done = 0; done < value.num_bytes(); done += kChunk) {
      const std::size_t n = std::min(kChunk, value.num_bytes() - done);
      Require(read(file, value.raw() + done, n) == static_cast<ssize_t>(n));
      crc = io::ExtendCrc32c(crc, value.raw() + done, n);
    }
    crcs ^= crc;
    values.push_back(std::move(value));
  }
  Require(close(file) == 0);
  return crcs;
}

double Seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
double Median(std::vector<double> times) {
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  return times[times.size() / 2];
}
// Both ways in turns; the time of the benchmark is that of `ours`.
void InTurns(benchmark::State& state, const std::function<void()>& plain, const std::function<void()>& ours) {
  std::vector<double> plain_times, our_times;
  plain();
  ours();
  for (auto _ : state) {
    plain_times.push_back(Seconds(plain));
    our_times.push_back(Seconds(ours));
    state.SetIterationTime(our_times.back());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(Model::Get().bytes));
  state.counters["median_ms"] = 1e3 * Median(our_times);
  state.counters["plain_ms"] = 1e3 * Median(plain_times);
  state.counters["ratio"] = Median(our_times) / Median(plain_times);
}

void WriteBundle(const Model& model, const std::string& prefix) {
  io::BundleWriter writer(prefix);
  for (std::size_t i = 0; i < model.values.size(); ++i) writer.Add(model.names[i], model.values[i]);
  writer.Finish();
}

void CheckpointWrite(benchmark::State& state) {
  const Model& model = Model::Get();
  const io::TemporaryFolder folder;
  InTurns(
      state, [&] { benchmark::DoNotOptimize(WritePlain(folder / "plain", model.values)); },
      [&] { WriteBundle(model, folder / "model"); });
}
BENCHMARK(CheckpointWrite)->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(15);

void CheckpointRead(benchmark::State& state) {
  const Model& model = Model::Get();
  const io::TemporaryFolder folder;
  WritePlain(folder / "plain", model.values);
  WriteBundle(model, folder / "model");
  InTurns(
      state,
      [&] {
        std::vector<Array> values;
        benchmark::DoNotOptimize(ReadPlain(folder / "plain", model.values, values));
      },
      [&] {
        const io::BundleReader reader(folder / "model");
        std::vector<Array> values;
        for (const io::BundleEntry& entry : reader.entries()) values.push_back(reader.Read(entry));
        benchmark::DoNotOptimize(values);
      });
}
BENCHMARK(CheckpointRead)->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(15);

// The whole of Saver: also the graph's ops, the .meta file and the state file.
void SaverSave(benchmark::State& state) {
  Model& model = Model::Get();
  const io::TemporaryFolder folder;
  InTurns(
      state, [&] { benchmark::DoNotOptimize(WritePlain(folder / "plain", model.values)); },
      [&] { model.saver->Save(model.session.get(), folder / "model", {.write_meta_graph = state.range(0) == 1}); });
  state.SetLabel(state.range(0) == 1 ? "with .meta" : "");
}
BENCHMARK(SaverSave)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(15);

void SaverRestore(benchmark::State& state) {
  Model& model = Model::Get();
  const io::TemporaryFolder folder;
  WritePlain(folder / "plain", model.values);
  model.saver->Save(model.session.get(), folder / "model");
  InTurns(
      state,
      [&] {
        std::vector<Array> values;
        benchmark::DoNotOptimize(ReadPlain(folder / "plain", model.values, values));
      },
      [&] { model.saver->Restore(model.session.get(), folder / "model"); });
}
BENCHMARK(SaverRestore)->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(15);
}  // namespace
}  // namespace equiv
