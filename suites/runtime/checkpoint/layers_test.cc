// Layers, models and optimisers in checkpoints: deferred restoration through building, and weights in files.
// Expectations recorded from TensorFlow 2.15.1 with Keras 2.15.
#include <gmock/gmock.h>

#include "runtime/checkpoint/checkpoint_state.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/layers/keras.h"
#include "runtime/layers/model.h"
#include "runtime/training/optimizer.h"
#include "suites/runtime/checkpoint/objects.h"

namespace equiv::runtime {
namespace {
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

using LayerPtr = std::shared_ptr<Layer>;

LayerPtr Dense(std::int64_t units, const std::string& name = {}, bool use_bias = true,
               std::optional<PartialShape> input_shape = std::nullopt) {
  auto layer = std::make_shared<keras::Dense>(units, keras::DenseOptions{.use_bias = use_bias, .name = name});
  if (input_shape) layer->set_input_shape(*input_shape);
  return layer;
}
std::shared_ptr<Sequential> Seq(std::vector<LayerPtr> layers, const std::string& name = {}) {
  return std::make_shared<Sequential>(layers, name);
}
// Two dense layers, built.
std::shared_ptr<Sequential> Two(bool third = false, bool bias = true) {
  std::vector<LayerPtr> layers = {Dense(2, "d0", true, PartialShape{3}), Dense(1, "d1", bias)};
  if (third) layers.push_back(Dense(1, "d2"));
  return Seq(layers, "m");
}
const Tensor& Ones13() {
  static const Tensor x(Array::Full<float>(Shape{1, 3}, 1));
  return x;
}
// Gives variable i the value i + 1.
void Fill(const Layer& layer) {
  float value = 1;
  for (const Variable& v : layer.weights()) v.Assign(Tensor(Array::Full<float>(v.shape().Require(), value++)));
}
std::vector<float> Firsts(const Layer& layer) {
  std::vector<float> values;
  for (const Variable& v : layer.weights()) values.push_back(ValueOf(v));
  return values;
}

class LayersInCheckpoints : public CheckpointTest {};

TEST_F(LayersInCheckpoints, ALayerIsBuiltWithItsValues) {
  const LayerPtr d = Dense(2);
  (*d)(Ones13());
  Fill(*d);
  Checkpoint({{"d", d}}).Write("ck");
  const LayerPtr e = Dense(2);
  const auto status = Checkpoint({{"d", e}}).Read("ck");
  EXPECT_THAT(Asserts(*status)[0], StartsWith("AssertionError: Unresolved object in checkpoint (root).d.kernel: "));
  EXPECT_EQ(Asserts(*status)[1], "ok");
  (*e)(Ones13());
  EXPECT_THAT(Firsts(*e), ElementsAre(1, 2));
  EXPECT_THAT(Asserts(*status), ElementsAre("ok", "ok", "ok"));
}

TEST_F(LayersInCheckpoints, ALayerOfAnotherShape) {
  const LayerPtr d = Dense(2);
  (*d)(Ones13());
  Checkpoint({{"d", d}}).Write("ck");
  const LayerPtr e = Dense(2);
  const auto status = Checkpoint({{"d", e}}).Read("ck");
  status->ExpectPartial();
  EXPECT_THAT(
      Attempt([&] {
        (*e)(Tensor(Array::Full<float>(Shape{1, 4}, 1)));
      }),
      AllOf(StartsWith("ValueError"),
            HasSubstr("In this `tf.Variable` creation, the initial value's shape ((3, 2)) is not compatible with "
                      "the explicitly supplied `shape` argument ((4, 2)).")));
}

TEST_F(LayersInCheckpoints, SequentialModels) {
  const auto m = Seq({Dense(2, "d0"), Dense(1, "d1")});
  (*m)(Ones13());
  Fill(*m);
  Checkpoint({{"m", m}}).Write("ck");

  const auto n = Seq({Dense(2, "d0"), Dense(1, "d1")});
  const auto status = Checkpoint({{"m", n}}).Read("ck");
  EXPECT_THAT(Asserts(*status)[0],
              StartsWith("AssertionError: Unresolved object in checkpoint (root).m.layer_with_weights-0.kernel: "));
  (*n)(Ones13());
  EXPECT_THAT(Firsts(*n), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Asserts(*status), ElementsAre("ok", "ok", "ok"));

  const auto grown = Seq({Dense(2)});
  const auto of_grown = Checkpoint({{"m", grown}}).Read("ck");
  grown->Add(Dense(1));
  (*grown)(Ones13());
  EXPECT_THAT(Firsts(*grown), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Asserts(*of_grown), ElementsAre("ok", "ok", "ok"));

  // Layers without weights may come and go.
  const auto other = Seq({Dense(2), std::make_shared<keras::Dropout>(0.5), Dense(1)});
  (*other)(Ones13());
  const auto of_other = Checkpoint({{"m", other}}).Read("ck");
  EXPECT_THAT(Firsts(*other), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Asserts(*of_other), ElementsAre("ok", "ok", "ok"));
}

// A model that is attached to a checkpoint after the restoration and built after that.
class Net : public Model {
 public:
  Net() : Model("Net") { SetAttribute("a", dense_); }
  Outputs Call(const CallArgs& args) override { return (*dense_)(args.inputs.at(0)); }

 private:
  std::shared_ptr<keras::Dense> dense_ = std::make_shared<keras::Dense>(1, keras::DenseOptions{.name = "a"});
};

TEST_F(LayersInCheckpoints, AModelAttachedLater) {
  const auto m = std::make_shared<Net>();
  (*m)(Ones13());
  Fill(*m);
  Checkpoint({{"net", m}}).Save("ck");
  Checkpoint c;
  const auto status = c.Restore("ck-1");
  EXPECT_THAT(Asserts(*status)[0], HasSubstr("full_name: \"net/a/kernel\""));
  const auto n = std::make_shared<Net>();
  c.Track("net", n);
  (*n)(Ones13());
  EXPECT_THAT(Firsts(*n), ElementsAre(1, 2));
  EXPECT_THAT(Asserts(*status), ElementsAre("ok", "ok", "ok"));
}

TEST_F(LayersInCheckpoints, RecurrentLayersKeepACell) {
  const auto lstm = std::make_shared<keras::RecurrentLayer>(keras::Recurrent::kLstm, 2);
  (*lstm)(Tensor(Array::Full<float>(Shape{1, 2, 3}, 1)));
  Checkpoint({{"l", lstm}}).Write("ck");
  const auto graph = CheckpointReader("ck").ReadObjectGraph();
  ASSERT_TRUE(graph);
  std::vector<std::string> paths;
  for (const auto& path : graph->Paths()) paths.push_back(fmt::format("{}", fmt::join(path.names, "/")));
  EXPECT_THAT(paths, ElementsAre("", "l", "l/cell", "l/state_spec", "l/cell/state_size", "l/cell/kernel",
                                 "l/cell/recurrent_kernel", "l/cell/bias"));
  Fill(*lstm);
  Checkpoint({{"l", lstm}}).Write("ck");
  const auto other = std::make_shared<keras::RecurrentLayer>(keras::Recurrent::kLstm, 2);
  const auto status = Checkpoint({{"l", other}}).Read("ck");
  (*other)(Tensor(Array::Full<float>(Shape{1, 2, 3}, 1)));
  EXPECT_THAT(Firsts(*other), ElementsAre(1, 2, 3));
  status->AssertConsumed();
}

void Apply(Optimizer& optimizer, const Variable& v, float gradient) {
  optimizer.ApplyGradients({{Tensor(Array::Full<float>(v.shape().Require(), gradient)), v}});
}

TEST_F(LayersInCheckpoints, SlotsAreMadeWhenRestored) {
  const Variable x = V({1, 2}, "x");
  const auto make = [](double rate, double momentum) {
    return std::make_shared<Optimizer>(Optimizer::Kind::kSgd,
                                       Optimizer::Options{.learning_rate = rate, .momentum = momentum, .legacy = true});
  };
  const auto o = make(0.1, 0.5);
  Apply(*o, x, 1);
  Checkpoint({{"x", x}, {"o", o}}).Save("ck");
  const Variable y = V({0, 0}, "y");
  const auto q = make(0.5, 0.25);
  const auto status = Checkpoint({{"x", y}, {"o", q}}).Restore("ck-1");
  ASSERT_TRUE(q->Slot(y, "momentum"));
  EXPECT_THAT(Asserts(*status)[0], StartsWith("AssertionError: Unresolved object in checkpoint (root).o.iter: "));
  Apply(*q, y, 0);
  EXPECT_THAT(ValuesOf(y), ElementsAre(0.84999996F, 1.85F));
  EXPECT_THAT(ValuesOf(q->Slot(y, "momentum")), ElementsAre(-0.05F, -0.05F));
  EXPECT_THAT(Asserts(*status), ElementsAre("ok", "ok", "ok"));
}

TEST_F(LayersInCheckpoints, VariablesOfAnOptimizerWait) {
  const Variable x = V({1, 2}, "x"), y = V({0, 0}, "y");
  const auto adam = [](double rate, bool legacy = false) {
    return std::make_shared<Optimizer>(Optimizer::Kind::kAdam,
                                       Optimizer::Options{.learning_rate = rate, .legacy = legacy});
  };
  const auto o = adam(0.1), q = adam(0.5);
  Apply(*o, x, 1);
  Checkpoint({{"x", x}, {"o", o}}).Save("ck");
  const auto status = Checkpoint({{"x", y}, {"o", q}}).Restore("ck-1");
  EXPECT_THAT(Asserts(*status)[0],
              AllOf(StartsWith("AssertionError: Unresolved object in checkpoint (root).o._variables.1: "),
                    HasSubstr("full_name: \"Adam/m/x\"")));
  q->Build({y});
  std::vector<std::vector<float>> values;
  for (const Variable& v : q->variables())
    if (v.dtype() == DType::kFloat32) values.push_back(ValuesOf(v));
  EXPECT_THAT(values, ElementsAre(ElementsAre(0.1F, 0.1F), ElementsAre(0.001F, 0.001F)));
  EXPECT_THAT(Asserts(*status), ElementsAre("ok", "ok", "ok"));

  const auto legacy = adam(0.1, true);
  Apply(*legacy, x, 1);
  Checkpoint({{"x", x}, {"o", legacy}}).Save("legacy");
  const Logged quiet;
  EXPECT_THAT(
      Attempt([&] {
        Checkpoint({{"x", y}, {"o", adam(0.5)}}).Restore("legacy-1");
      }),
      StartsWith("ValueError: You are trying to restore a checkpoint from a legacy Keras optimizer into a v2.11+ "
                 "Optimizer"));
}

TEST_F(LayersInCheckpoints, AMissingOptimizerIsNamed) {
  const Variable x = V({1, 2}, "x");
  const auto o = std::make_shared<Optimizer>(Optimizer::Kind::kAdam, Optimizer::Options{.legacy = true});
  Apply(*o, x, 1);
  Checkpoint({{"x", x}, {"o", o}}).Write("ck");
  const Logged log;
  Checkpoint({{"x", V({0, 0})}}).Read("ck");
  EXPECT_THAT(log.text(), HasSubstr("(root).o's state 'm' for (root).x"));
}

class ModelWeights : public CheckpointTest {};

TEST_F(ModelWeights, SaveAndLoad) {
  const auto m = Two();
  Fill(*m);
  m->SaveWeights("w");
  EXPECT_THAT(FilesIn("."), ElementsAre("checkpoint", "w.data-00000-of-00001", "w.index"));
  EXPECT_EQ(io::ReadFile("checkpoint"), "model_checkpoint_path: \"w\"\nall_model_checkpoint_paths: \"w\"\n");
  const auto n = Two();
  n->LoadWeights("w")->AssertConsumed();
  EXPECT_THAT(Firsts(*n), ElementsAre(1, 2, 3, 4));
  // Names of layers do not matter, the order of those with weights does.
  const auto renamed = Seq({Dense(2, "q", true, PartialShape{3}), Dense(1, "r")});
  renamed->LoadWeights("w")->AssertConsumed();
  EXPECT_THAT(Firsts(*renamed), ElementsAre(1, 2, 3, 4));
  const auto unbuilt = Seq({Dense(2, "d0"), Dense(1, "d1")});
  unbuilt->LoadWeights("w");
  (*unbuilt)(Ones13());
  EXPECT_THAT(Firsts(*unbuilt), ElementsAre(1, 2, 3, 4));
  m->SaveWeights("sub/w3");
  EXPECT_EQ(LatestCheckpoint("sub"), "sub/w3");
}

TEST_F(ModelWeights, OtherLayers) {
  const auto m = Two();
  Fill(*m);
  m->SaveWeights("w");
  const auto longer = Two(/*third=*/true);
  const auto status = longer->LoadWeights("w");
  EXPECT_THAT(Asserts(*status)[0], HasSubstr("Found 2 Python objects that were not bound to checkpointed values"));
  Two(true)->SaveWeights("long");
  const auto shorter = Two();
  const auto partial = shorter->LoadWeights("long");
  partial->ExpectPartial();
  EXPECT_THAT(Asserts(*partial)[0],
              StartsWith("AssertionError: Unresolved object in checkpoint (root).layer_with_weights-2.kernel: "));
  const auto wide = Seq({Dense(5, "d0", true, PartialShape{3}), Dense(1, "d1")});
  EXPECT_THAT(Attempt([&] { wide->LoadWeights("w"); }),
              StartsWith("ValueError: Received incompatible tensor with shape "));
  const auto net = std::make_shared<Net>();
  (*net)(Ones13());
  net->SaveWeights("net");
  const Logged quiet;
  EXPECT_THAT(Attempt([&] { Two()->LoadWeights("net"); }),
              StartsWith("AssertionError: Nothing except the root object matched a checkpointed value."));
}

TEST_F(ModelWeights, Refusals) {
  const auto m = Two();
  EXPECT_THAT(Attempt([&] { m->SaveWeights("w.h5"); }), AllOf(StartsWith("UnimplementedError"), HasSubstr("HDF5")));
  EXPECT_THAT(Attempt([&] { Seq({Dense(2)}, "seq")->SaveWeights("w"); }),
              StartsWith("ValueError: Weights for model 'seq' have not yet been created."));
  for (const char* path : {"nope", "dir/nope", ""})
    EXPECT_THAT(
        Attempt([&] { m->LoadWeights(path); }),
        StartsWith("NotFoundError: Unsuccessful TensorSliceReader constructor: Failed to find any matching files "
                   "for " +
                   std::string(path)));
  m->SaveWeights("d/w");
  EXPECT_THAT(Attempt([&] { m->LoadWeights("d"); }), HasSubstr("LatestCheckpoint"));
}

TEST_F(ModelWeights, FromANameBasedFile) {
  const Logged quiet;
  const auto m = Two();
  Fill(*m);
  const std::vector<Variable> weights = m->weights();
  Saver(Saver::VarList(weights.begin(), weights.end())).Save(nullptr, "n");
  const auto n = Two();
  n->LoadWeights("n")->AssertConsumed();
  EXPECT_THAT(Firsts(*n), ElementsAre(1, 2, 3, 4));
  const auto other = Seq({Dense(2, "q", true, PartialShape{3}), Dense(1, "r")});
  EXPECT_THAT(Attempt([&] { other->LoadWeights("n"); }),
              StartsWith("AssertionError: Some objects had attributes which were not restored: "));
}

TEST_F(ModelWeights, InAGraph) {
  Graph graph;
  GraphScope scope(graph);
  Session session(graph);
  const auto m = Two();
  EXPECT_THAT(Attempt([&] { m->SaveWeights("w"); }), StartsWith("RuntimeError"));
  SessionScope in_session(session);
  session.Run(GlobalVariablesInitializer());
  for (const Variable& v : m->weights()) session.Run(v.Assign(Constant(Array::Full<float>(v.shape().Require(), 5))));
  m->SaveWeights("w");
  EXPECT_THAT(KeysOf("w"),
              ElementsAre("_CHECKPOINTABLE_OBJECT_GRAPH", "layer_with_weights-0/bias/.ATTRIBUTES/VARIABLE_VALUE",
                          "layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE",
                          "layer_with_weights-1/bias/.ATTRIBUTES/VARIABLE_VALUE",
                          "layer_with_weights-1/kernel/.ATTRIBUTES/VARIABLE_VALUE"));
  session.Run(GlobalVariablesInitializer());
  m->LoadWeights("w");
  EXPECT_EQ(session.Run(m->weights()[0].value()).data<float>()[0], 5);
}

}  // namespace
}  // namespace equiv::runtime
