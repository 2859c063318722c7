// Writes what tools/oracle_checkpoints gives to TensorFlow: checkpoints of every kind and exported graphs, with the
// values that TensorFlow must find in them.
//
// usage: oracle_artifacts FOLDER
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "equiv/compare/npy.h"
#include "equiv/harness/graph_side.h"
#include "fixtures/models/registry.h"
#include "kernels/base/error.h"
#include "kernels/io/file.h"
#include "runtime/checkpoint/checkpoint_manager.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/core/log.h"
#include "runtime/core/ops.h"
#include "runtime/graph/graph_def.h"
#include "runtime/layers/keras.h"
#include "runtime/layers/model.h"
#include "runtime/random/initializers.h"
#include "runtime/random/seeds.h"
#include "runtime/training/optimizer.h"

namespace {
using namespace equiv;           // NOLINT: a program, not a header
using namespace equiv::runtime;  // NOLINT
using Variable = equiv::runtime::Variable;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}
// {"dtype": ..., "shape": ..., "data": hex of the bytes, of strings one each}
Json Described(const Array& array) {
  Json json = {{"dtype", std::string(Name(array.dtype()))}, {"shape", array.shape().vector()}};
  if (array.dtype() == DType::kString) {
    json["data"] = Json::array();
    for (std::int64_t i = 0; i < array.num_elements(); ++i) json["data"].push_back(Hex(array.strings()[i]));
  } else {
    json["data"] = Hex({reinterpret_cast<const char*>(array.raw()), array.num_bytes()});
  }
  return json;
}
// Every tensor of a checkpoint but its object graph.
Json Contents(const std::string& prefix) {
  Json tensors = Json::object();
  const CheckpointReader reader(prefix);
  for (const io::BundleEntry& entry : reader.bundle().entries())
    if (entry.key != kObjectGraphKey) tensors[entry.key] = Described(reader.GetTensor(entry.key));
  return tensors;
}
void WriteJson(const std::string& path, const Json& json) { io::WriteFile(path, json.dump(1) + "\n"); }

// One value of every dtype that a variable of TensorFlow may have.
std::vector<std::pair<std::string, Array>> EveryDtype() {
  std::vector<std::pair<std::string, Array>> values;
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16, DType::kInt8,
                            DType::kUInt8, DType::kInt16, DType::kUInt16, DType::kInt32, DType::kUInt32, DType::kInt64,
                            DType::kUInt64, DType::kComplex64, DType::kComplex128, DType::kBool}) {
    Array array(dtype, Shape{2, 3});
    auto* bytes = reinterpret_cast<unsigned char*>(array.raw());
    for (std::size_t i = 0; i < array.num_bytes(); ++i)
      bytes[i] = static_cast<unsigned char>(dtype == DType::kBool ? i % 2 : (i * 37 + 11) % 120);
    values.emplace_back(std::string(Name(dtype)), array);
  }
  values.emplace_back("strings", Array::Strings(Shape{2}, {"text", std::string("\0\xff", 2)}));
  values.emplace_back("empty", Array(DType::kFloat32, Shape{0, 3}));
  values.emplace_back("scalar", Array::Scalar(2.5F));
  return values;
}

void WriteNames(const std::string& folder) {
  Graph graph;
  GraphScope scope(graph);
  Session session(graph);
  for (const auto& [name, value] : EveryDtype()) MakeVariable(Constant(value), {.name = "every/" + name});
  GetVariableOrTensor(
      "parts", {.shape = PartialShape{5, 3}, .initializer = GlorotUniform(7), .partitioner = FixedSizePartitioner(2)});
  session.Run(GlobalVariablesInitializer());
  Saver().Save(&session, folder + "/names", {.global_step = 3});
  Saver(SaverOptions{.name = "save_sharded", .sharded = true}).Save(&session, folder + "/sharded");
  WriteJson(folder + "/names.json", Contents(folder + "/names-3"));
}

void WriteEagerNames(const std::string& folder) {
  Saver::VarDict variables;
  for (const auto& [name, value] : EveryDtype()) variables.emplace_back("eager/" + name, MakeVariable(Tensor(value)));
  Saver(variables).Save(nullptr, folder + "/eager");
  WriteJson(folder + "/eager.json", Contents(folder + "/eager"));
}

std::shared_ptr<Sequential> Net() {
  auto first = std::make_shared<keras::Dense>(4, keras::DenseOptions{.name = "first"});
  first->set_input_shape(PartialShape{3});
  return std::make_shared<Sequential>(std::vector<std::shared_ptr<Layer>>{
      first, std::make_shared<keras::BatchNormalization>(keras::BatchNormOptions{.name = "bn"}),
      std::make_shared<keras::Dropout>(0.5), std::make_shared<keras::Dense>(2, keras::DenseOptions{.name = "last"})});
}
void WriteObjects(const std::string& folder) {
  const Tensor x(Array::Of<float>(Shape{2, 3}, {1, 2, 3, -1, 0.5F, 0}));
  Json outputs;
  for (const bool legacy : {false, true}) {
    const auto net = Net();
    const auto optimizer =
        std::make_shared<Optimizer>(Optimizer::Kind::kAdam, Optimizer::Options{.learning_rate = 0.1, .legacy = legacy});
    for (int step = 0; step < 3; ++step) {
      std::vector<std::pair<Tensor, Variable>> gradients;
      for (const Variable& v : net->trainable_variables())
        gradients.emplace_back(Tensor(Array::Full<float>(v.shape().Require(), 0.25F)), v);
      optimizer->ApplyGradients(gradients);
    }
    const std::string name = legacy ? "legacy_adam" : "adam";
    Checkpoint checkpoint({{"model", net}, {"optimizer", optimizer}});
    checkpoint.Save(folder + "/" + name);
    WriteJson(folder + "/" + name + ".json", Contents(folder + "/" + name + "-1"));
    outputs[name] = Described((*net)(x).output.array());
    if (legacy) continue;
    net->SaveWeights(folder + "/weights");
    CheckpointManager manager(checkpoint, folder + "/managed", {.max_to_keep = 2});
    for (int i = 0; i < 3; ++i) manager.Save();
  }
  WriteJson(folder + "/outputs.json", outputs);
}

// A model's inference graph with its checkpoint: MetaGraphDef, GraphDef, input and logits.
void WriteModel(const std::string& folder, const std::string& name) {
  const fixtures::ModelEntry* entry = fixtures::FindModel(name);
  if (!entry) throw NotFoundError("no model " + name);
  fs::create_directories(folder);
  Graph graph;
  GraphScope scope(graph);
  SetRandomSeed(42);
  std::vector<std::int64_t> dims = entry->input_shape.vector();
  dims[0] = -1;
  const Tensor input = Placeholder(DType::kFloat32, PartialShape(dims), "input");
  const Outputs outputs = entry->model({{input}, false});
  const Tensor logits = Identity(outputs.output, "logits");
  Array image(DType::kFloat32, entry->input_shape);
  for (std::int64_t i = 0; i < image.num_elements(); ++i)
    image.mutable_data<float>()[i] = static_cast<float>((i * 2654435761U) % 1000) / 500 - 1;
  Session session(graph);
  session.Run(GlobalVariablesInitializer());
  Saver().Save(&session, folder + "/model.ckpt");
  WriteGraph(graph, folder, "graph.pb", /*as_text=*/false);
  WriteGraph(graph, folder, "graph.pbtxt", /*as_text=*/true);
  WriteNpy(folder + "/input.npy", image);
  WriteNpy(folder + "/logits.npy", session.Run(logits, {{input, image}}));
}

// Graphs that TensorFlow made, read and written again.
void WriteGoldens(const std::string& folder) {
  for (const auto& golden : fs::directory_iterator(fs::path(EQUIV_FIXTURES_DIR) / "goldens" / "graphs")) {
    if (!golden.is_directory()) continue;
    const std::string out = folder + "/" + golden.path().filename().string();
    fs::create_directories(out);
    Graph graph;
    const MetaGraph meta = ImportGraphFile(graph, (golden.path() / "graph.pb.gz").string());
    if (meta.has_meta)
      ExportMetaGraph(graph, out + "/graph.meta", meta.saver);
    else
      WriteGraph(graph, out, "graph.pb", /*as_text=*/false);
  }
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: oracle_artifacts FOLDER\n", stderr);
    return 2;
  }
  try {
    const std::string folder = argv[1];
    fs::create_directories(folder);
    const ScopedLogSink quiet([](LogLevel, const std::string&) {});
    WriteNames(folder);
    WriteEagerNames(folder);
    WriteObjects(folder);
    WriteModel(folder + "/inception_resnet_v2", "inception_resnet_v2");
    WriteGoldens(folder + "/goldens");
  } catch (const std::exception& error) {
    std::fputs(fmt::format("oracle_artifacts: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
  return 0;
}
