// The main job in its parts. Peer: TensorFlow on the same work, see tools/bench_tensorflow. Threads: EQUIV_NUM_THREADS,
// else all cores. Work: Inception-ResNet-v2, batch 1, 299x299, 13.2 G multiply-adds, 59.3 M values.
#include <benchmark/benchmark.h>

#include "equiv/compare/compare.h"
#include "equiv/harness/random_tool.h"
#include "equiv/harness/stages.h"
#include "fixtures/models/inception_resnet_v2.h"
#include "fixtures/models/registry.h"
#include "runtime/core/ops.h"
#include "runtime/eager/eager.h"
#include "runtime/graph/graph.h"
#include "runtime/layers/layer.h"
#include "runtime/session/session.h"
#include "runtime/variables/variables.h"

namespace equiv {
namespace {
namespace rt = runtime;

Array Image() { return Array::Full<float>({1, 299, 299, 3}, 1.0f); }
std::string BackendName(const benchmark::State& state) { return state.range(0) == 0 ? "cpu" : "onednn"; }
bool Present(benchmark::State& state) {
  for (const Backend& b : OpRegistry::Global().backends())
    if (b.name == BackendName(state)) {
      state.SetLabel(b.name);
      return true;
    }
  state.SkipWithError("backend not built");
  return false;
}

struct Model {
  rt::Graph graph;
  rt::Tensor input, logits;
  rt::Node* initializer;
  Model() {
    rt::GraphScope scope(graph);
    DeterministicRandomTestTool tool(42, "num_random_ops");
    const auto seeds = tool.Scope();
    input = rt::Placeholder(DType::kFloat32, PartialShape{1, 299, 299, 3});
    logits = fixtures::InceptionResnetV2({{input}, false}).output;
    initializer = rt::GlobalVariablesInitializer();
  }
};

void BuildGraph(benchmark::State& state) {
  for (auto _ : state) Model model;
}
BENCHMARK(BuildGraph)->Unit(benchmark::kMillisecond);

void Initialise(benchmark::State& state) {
  Model model;
  for (auto _ : state) {
    rt::Session session(model.graph);
    session.Run(model.initializer);
  }
  state.SetItemsProcessed(state.iterations() * 59273456);
}
BENCHMARK(Initialise)->Unit(benchmark::kMillisecond)->UseRealTime();

void SessionInference(benchmark::State& state) {
  if (!Present(state)) return;
  Model model;
  rt::Session session(model.graph, {.backend = BackendName(state)});
  session.Run(model.initializer);
  const Array image = Image();
  session.Run(model.logits, {{model.input, image}});
  for (auto _ : state) benchmark::DoNotOptimize(session.Run(model.logits, {{model.input, image}}));
}
BENCHMARK(SessionInference)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

void EagerInference(benchmark::State& state) {
  if (!Present(state)) return;
  rt::EagerContext::Get().Reset();
  rt::EagerContext::Get().SetBackend(BackendName(state));
  rt::ShimLayer layer("InceptionResnetV2", [](const rt::CallArgs& args) { return fixtures::InceptionResnetV2(args); });
  const rt::Tensor image = Image();
  layer(image, false);
  for (auto _ : state) benchmark::DoNotOptimize(layer(image, false).output);
}
BENCHMARK(EagerInference)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

void CompareWeights(benchmark::State& state) {
  Array a(DType::kFloat32, Shape{59273456}), b(DType::kFloat32, Shape{59273456});
  for (std::int64_t i = 0; i < a.num_elements(); ++i) {
    a.mutable_data<float>()[i] = static_cast<float>(i % 1000) * 0.001f;
    b.mutable_data<float>()[i] = a.data<float>()[i];
  }
  if (state.range(0) == 1) b.mutable_data<float>()[12345] += 1e-7f;
  for (auto _ : state) benchmark::DoNotOptimize(Compare(a, b, Tolerance::Allclose(1e-6, 1e-5)));
}
BENCHMARK(CompareWeights)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

void EagerAddOfScalars(benchmark::State& state) {
  rt::EagerScope eager;
  const rt::Tensor a = rt::Constant(1.0f), b = rt::Constant(2.0f);
  for (auto _ : state) benchmark::DoNotOptimize(rt::Add(a, b));
}
BENCHMARK(EagerAddOfScalars);
}  // namespace
}  // namespace equiv

BENCHMARK_MAIN();
