// Checkpoints that this library's Saver, Checkpoint and models write have TensorFlow's bytes. Programs of
// fixtures/goldens/checkpoints/generate.py, in its order.
#include "suites/runtime/checkpoint/checkpoint_files.h"

#include <gmock/gmock.h>

#include <numeric>

#include "equiv/equiv.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/training/optimizer.h"

namespace equiv {
namespace {

namespace rt = equiv::runtime;
using rt::Attribute;
using rt::Variable;

class CheckpointFiles : public CheckpointTest {};

std::shared_ptr<rt::keras::Dense> OnesDense(std::int64_t units, const std::string& name,
                                            std::optional<PartialShape> input_shape = std::nullopt) {
  auto layer = std::make_shared<rt::keras::Dense>(
      units, rt::keras::DenseOptions{.kernel_initializer = rt::OnesInitializer(), .name = name});
  if (input_shape) layer->set_input_shape(*input_shape);
  return layer;
}
std::shared_ptr<rt::keras::Dropout> Dropout() { return std::make_shared<rt::keras::Dropout>(0.5); }

void ApplyHalves(rt::Optimizer& optimizer, const rt::Layer& model) {
  std::vector<std::pair<rt::Tensor, Variable>> gradients;
  for (const Variable& v : model.trainable_variables())
    gradients.emplace_back(rt::Tensor(Array::Full<float>(v.shape().Require(), 0.5F)), v);
  optimizer.ApplyGradients(gradients);
}

TEST_F(CheckpointFiles, LegacyAdamSlots) {
  const auto model = std::make_shared<rt::Sequential>(std::vector<std::shared_ptr<rt::Layer>>{
      OnesDense(2, "first", PartialShape{3}), Dropout(),
      std::make_shared<rt::keras::BatchNormalization>(rt::keras::BatchNormOptions{.name = "bn"}),
      OnesDense(1, "last")});
  const auto optimizer = std::make_shared<rt::Optimizer>(
      rt::Optimizer::Kind::kAdam, rt::Optimizer::Options{.learning_rate = 0.125, .legacy = true});
  ApplyHalves(*optimizer, *model);
  rt::Checkpoint({{"model", model}, {"optimizer", optimizer}}).Save("ckpt");
  ExpectSameFiles("keras_legacy_adam_slots", "ckpt");
}

TEST_F(CheckpointFiles, AdamVariables) {
  const auto model = std::make_shared<rt::Sequential>(
      std::vector<std::shared_ptr<rt::Layer>>{OnesDense(2, "first", PartialShape{3}), OnesDense(1, "last")});
  const auto optimizer =
      std::make_shared<rt::Optimizer>(rt::Optimizer::Kind::kAdam, rt::Optimizer::Options{.learning_rate = 0.125});
  ApplyHalves(*optimizer, *model);
  rt::Checkpoint({{"model", model}, {"optimizer", optimizer}}).Save("ckpt");
  ExpectSameFiles("keras_adam_variables", "ckpt");
}

TEST_F(CheckpointFiles, SaveWeights) {
  const rt::Tensor input = rt::Input({3});
  const rt::Tensor hidden = (*Dropout())((*OnesDense(2, "h"))(input).output).output;
  rt::Functional model({input}, {(*OnesDense(1, "o"))(hidden).output});
  model.SaveWeights("weights");
  ExpectSameFiles("keras_save_weights", "weights");
}

TEST_F(CheckpointFiles, EscapedNames) {
  const auto inner = std::make_shared<rt::Module>("Module");
  inner->SetAttribute("plain", rt::MakeVariable(rt::Tensor(Array::Of<std::int32_t>(Shape{2}, {1, 2})), {.name = "p"}));
  const Variable shared = rt::MakeVariable(rt::Tensor(Array::Of<float>(Shape{1}, {0.5F})), {.name = "shared"});
  const auto number = [](double value) { return Attribute(rt::MakeVariable(value)); };
  rt::Checkpoint checkpoint(
      {{"d",
        Attribute::Dict{
            {"a/b", number(1)}, {"x.y", number(2)}, {"./", number(3)}, {"", number(4)}, {"\u00e9", number(5)}}},
       {"l", Attribute::List{inner, Attribute::List{shared, Attribute::List{number(6)}}}},
       {"z", shared}});
  checkpoint.Write("names");
  ExpectSameFiles("escaped_names", "names", ".", /*state=*/false);
}

TEST_F(CheckpointFiles, Partitioned) {
  rt::Graph graph;
  rt::GraphScope scope(graph);
  const auto get = [](const char* name, Shape shape, rt::Partitioner partitioner, rt::GetVariableOptions options = {}) {
    options.shape = PartialShape(shape);
    options.partitioner = std::move(partitioner);
    return rt::GetVariableOrTensor(name, options).partitioned;
  };
  const rt::PartitionedVariable p = get("emb/table", {5, 3}, rt::FixedSizePartitioner(2));
  const rt::PartitionedVariable q = get("cols", {2, 4}, rt::FixedSizePartitioner(4, 1),
                                        {.dtype = DType::kInt32, .initializer = rt::ZerosInitializer()});
  const rt::PartitionedVariable one = get("whole", {2, 2}, rt::FixedSizePartitioner(1));
  rt::Session session(graph);
  session.Run(rt::GlobalVariablesInitializer());
  std::vector<float> full(15);
  std::iota(full.begin(), full.end(), 0.0F);
  const auto assign = [&](const Variable& v, const Array& value) { session.Run(v.Assign(rt::Constant(value))); };
  assign(p.parts[0], Array::Of<float>(Shape{3, 3}, std::vector<float>(full.begin(), full.begin() + 9)));
  assign(p.parts[1], Array::Of<float>(Shape{2, 3}, std::vector<float>(full.begin() + 9, full.end())));
  assign(one.parts[0], Array::Of<float>(Shape{2, 2}, {1, 2, 3, 4}));
  for (std::int32_t i = 0; i < 4; ++i)
    assign(q.parts[static_cast<std::size_t>(i)], Array::Of<std::int32_t>(Shape{2, 1}, {i, i + 10}));
  rt::Saver().Save(&session, "parts", {.write_meta_graph = false});
  ExpectSameFiles("partitioned", "parts");
}

TEST_F(CheckpointFiles, Sharded) {
  rt::Graph graph;
  rt::GraphScope scope(graph);
  for (int i = 0; i < 5; ++i) {
    rt::DeviceScope device(fmt::format("/cpu:{}", i % 2));
    const float x = static_cast<float>(i);
    rt::GetVariable(fmt::format("v{}", i), {.initial_value = rt::Constant(Array::Of<float>(Shape{2}, {x, x + 0.5F}))});
  }
  rt::Session session(graph);
  session.Run(rt::GlobalVariablesInitializer());
  rt::Saver(rt::SaverOptions{.sharded = true}).Save(&session, "sharded", {.write_meta_graph = false});
  ExpectSameFiles("sharded", "sharded");
}

}  // namespace
}  // namespace equiv
