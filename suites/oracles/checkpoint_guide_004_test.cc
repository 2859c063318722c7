// Every listing of the checkpoint guide (guide 004), in its order: what it prints, and the files themselves.
#include <gmock/gmock.h>

#include "equiv/compare/decimal.h"
#include "equiv/equiv.h"
#include "kernels/base/error.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/checkpoint_state.h"
#include "runtime/checkpoint/checkpoint_utils.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/training/estimator.h"
#include "runtime/training/training_util.h"
#include "suites/runtime/checkpoint/checkpoint_files.h"

namespace equiv {
namespace {

namespace rt = equiv::runtime;
using rt::Attribute;
using rt::Variable;
using testing::ElementsAre;

// Python's repr of bytes.
std::string BytesRepr(const std::string& bytes) {
  const bool double_quotes = bytes.find('\'') != std::string::npos && bytes.find('"') == std::string::npos;
  std::string text = double_quotes ? "b\"" : "b'";
  for (const char c : bytes) {
    if (c == '\n')
      text += "\\n";
    else if (c == '\r')
      text += "\\r";
    else if (c == '\t')
      text += "\\t";
    else if (c == '\\' || (c == '\'' && !double_quotes))
      text += std::string("\\") + c;
    else if (c < 0x20 || c >= 0x7f)
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      text += c;
  }
  return text + (double_quotes ? '"' : '\'');
}

// The guide's print_checkpoint, as text.
std::string Printed(const std::string& path) {
  const auto reader = rt::LoadCheckpoint(path);
  std::string text = fmt::format("Checkpoint at '{}':\n", path);
  for (const std::string& key : reader->KeysInMapOrder()) {
    const Array value = reader->GetTensor(key);
    std::string shown;
    if (value.dtype() == DType::kString)
      shown = BytesRepr(value.strings()[0]);
    else if (value.dtype() == DType::kInt64)
      shown = std::to_string(value.data<std::int64_t>()[0]);
    else
      shown = FormatFloat(value.data<float>()[0]);
    text += fmt::format("  (key='{}', shape={}, dtype={}, value={})\n", key, "[]", Name(value.dtype()), shown);
    EXPECT_EQ(value.shape().rank(), 0) << key;
  }
  return text;
}

template <class T>
rt::Tensor Scalar(T value) {
  return rt::Constant(Array::Scalar(value));
}
float Value(const Variable& v) { return v.Read().array().data<float>()[0]; }
std::vector<float> Values(const std::vector<Variable>& variables) {
  std::vector<float> values;
  for (const Variable& v : variables) values.push_back(Value(v));
  return values;
}
std::vector<float> Values(rt::Session& session, const std::vector<Variable>& variables) {
  std::vector<float> values;
  for (const Variable& v : variables) values.push_back(session.Run(v.value()).data<float>()[0]);
  return values;
}

// a, b and scoped/c, made by get_variable.
std::vector<Variable> GetAbc(const std::vector<double>& initial = {0, 0, 0}) {
  const auto get = [&](const char* name, double value) {
    return rt::GetVariable(name, {.shape = PartialShape(Shape{}), .initializer = rt::ConstantInitializer(value)});
  };
  return {get("a", initial[0]), get("b", initial[1]), get("scoped/c", initial[2])};
}
// The same as tf.Variable.
std::vector<Variable> MakeAbc(const std::vector<double>& initial = {0, 0, 0}) {
  const Variable a = rt::MakeVariable(initial[0], {.name = "a"}), b = rt::MakeVariable(initial[1], {.name = "b"});
  rt::NameScope scope("scoped");
  return {a, b, rt::MakeVariable(initial[2], {.name = "c"})};
}
Attribute::List ListOf(const std::vector<Variable>& variables) {
  return Attribute::List(variables.begin(), variables.end());
}

// "WARNING: ..." of everything logged.
class Logged {
 public:
  std::string text() const { return text_; }

 private:
  std::string text_;
  rt::ScopedLogSink sink_{[this](rt::LogLevel level, const std::string& line) {
    text_ += fmt::format("{}:tensorflow:{}\n", level == rt::LogLevel::kInfo ? "INFO" : "WARNING", line);
  }};
};
constexpr const char* kSaverIsDeprecated =
    "WARNING:tensorflow:Saver is deprecated, please switch to tf.train.Checkpoint or tf.keras.Model.save_weights for "
    "training checkpoints. When executing eagerly variables do not necessarily have unique names, and so the "
    "variable.name-based lookups Saver performs are error-prone.\n";

constexpr const char* kAbc =
    "  (key='scoped/c', shape=[], dtype=float32, value=3.0)\n"
    "  (key='b', shape=[], dtype=float32, value=2.0)\n"
    "  (key='a', shape=[], dtype=float32, value=1.0)\n";

class Guide004 : public CheckpointTest {
 protected:
  // with tf.Graph().as_default(): a, b, c = 1, 2, 3; saver.save(sess, 'tf1-ckpt')
  static std::string SaveTf1() {
    rt::Graph graph;
    rt::GraphScope scope(graph);
    const std::vector<Variable> abc = GetAbc();
    rt::Session session(graph);
    rt::Saver saver;
    for (std::size_t i = 0; i < 3; ++i) session.Run(abc[i].Assign(Scalar(static_cast<float>(i) + 1)));
    return saver.Save(&session, "tf1-ckpt");
  }
};

TEST_F(Guide004, NameBasedFromASession) {
  SaveTf1();
  EXPECT_EQ(Printed("tf1-ckpt"), std::string("Checkpoint at 'tf1-ckpt':\n") + kAbc);
  ExpectSameFiles("name_based_session", "tf1-ckpt");
  EXPECT_TRUE(std::filesystem::exists("tf1-ckpt.meta"));
}

TEST_F(Guide004, ObjectBasedFromEager) {
  rt::Checkpoint ckpt({{"variables", ListOf(MakeAbc({5, 6, 7}))}});
  const std::string path = ckpt.Save("tf2-ckpt");
  EXPECT_EQ(
      Printed(path),
      "Checkpoint at 'tf2-ckpt-1':\n"
      "  (key='variables/2/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=7.0)\n"
      "  (key='variables/1/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=6.0)\n"
      "  (key='variables/0/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=5.0)\n"
      "  (key='save_counter/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=int64, value=1)\n"
      R"(  (key='_CHECKPOINTABLE_OBJECT_GRAPH', shape=[], dtype=string, value=b"\n%\n\r\x08\x01\x12\tvariables\n\x10\x08\x02\x12\x0csave_counter*\x02\x08\x01\n\x19\n\x05\x08\x03\x12\x010\n\x05\x08\x04\x12\x011\n\x05\x08\x05\x12\x012*\x02\x08\x01\nM\x12G\n\x0eVARIABLE_VALUE\x12\x0csave_counter\x1a'save_counter/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\nA\x12;\n\x0eVARIABLE_VALUE\x12\x01a\x1a&variables/0/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\nA\x12;\n\x0eVARIABLE_VALUE\x12\x01b\x1a&variables/1/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\nH\x12B\n\x0eVARIABLE_VALUE\x12\x08scoped/c\x1a&variables/2/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01"))"
      "\n");
  ExpectSameFiles("variables_list_eager", "tf2-ckpt");
}

TEST_F(Guide004, RootOfACheckpoint) {
  const std::vector<Variable> abc = {rt::MakeVariable(0.0), rt::MakeVariable(0.0), rt::MakeVariable(0.0)};
  rt::Checkpoint root({{"variables", ListOf(abc)}});
  const std::vector<rt::TrackableChild> children = root.TrackableChildren();
  ASSERT_EQ(children.size(), 1U);
  EXPECT_EQ(children[0].name, "variables");
  EXPECT_EQ(children[0].ref.object()->Describe(), "ListWrapper");
  const std::vector<rt::TrackableChild> items = children[0].ref.object()->TrackableChildren();
  ASSERT_EQ(items.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(items[i].ref.variable().Describe(), "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=0.0>");

  auto module = std::make_shared<rt::Module>("Module");
  module->SetAttribute("d", rt::MakeVariable(0.0));
  rt::Checkpoint test({{"v", Attribute::Dict{{"a", abc[0]}, {"b", abc[1]}}}, {"c", abc[2]}, {"module", module}});
  const std::string path = test.Save("root-tf2-ckpt");
  EXPECT_EQ(
      Printed(path),
      "Checkpoint at 'root-tf2-ckpt-1':\n"
      "  (key='v/b/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=0.0)\n"
      "  (key='v/a/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=0.0)\n"
      "  (key='module/d/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=0.0)\n"
      "  (key='save_counter/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=int64, value=1)\n"
      "  (key='c/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=0.0)\n"
      R"(  (key='_CHECKPOINTABLE_OBJECT_GRAPH', shape=[], dtype=string, value=b"\n0\n\x05\x08\x01\x12\x01c\n\n\x08\x02\x12\x06module\n\x05\x08\x03\x12\x01v\n\x10\x08\x04\x12\x0csave_counter*\x02\x08\x01\n>\x128\n\x0eVARIABLE_VALUE\x12\x08Variable\x1a\x1cc/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\n\x0b\n\x05\x08\x05\x12\x01d*\x02\x08\x01\n\x12\n\x05\x08\x06\x12\x01a\n\x05\x08\x07\x12\x01b*\x02\x08\x01\nM\x12G\n\x0eVARIABLE_VALUE\x12\x0csave_counter\x1a'save_counter/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\nE\x12?\n\x0eVARIABLE_VALUE\x12\x08Variable\x1a#module/d/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\n@\x12:\n\x0eVARIABLE_VALUE\x12\x08Variable\x1a\x1ev/a/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\n@\x12:\n\x0eVARIABLE_VALUE\x12\x08Variable\x1a\x1ev/b/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01"))"
      "\n");
  ExpectSameFiles("nested_objects_eager", "root-tf2-ckpt");
}

TEST_F(Guide004, SaverInEager) {
  const std::string path = SaveTf1();
  EXPECT_EQ(Printed(path), std::string("Checkpoint at 'tf1-ckpt':\n") + kAbc);
  const std::vector<Variable> abc = MakeAbc();
  const Logged log;
  rt::Saver saver(rt::Saver::VarList(abc.begin(), abc.end()));
  saver.Restore(nullptr, path);
  EXPECT_THAT(Values(abc), ElementsAre(1, 2, 3));
  const std::string saved = saver.Save(nullptr, "tf1-ckpt-saved-in-eager");
  EXPECT_EQ(log.text(), std::string(kSaverIsDeprecated) + "INFO:tensorflow:Restoring parameters from tf1-ckpt\n");
  EXPECT_EQ(Printed(saved), std::string("Checkpoint at 'tf1-ckpt-saved-in-eager':\n") + kAbc);
  ExpectSameFiles("name_based_eager", "tf1-ckpt-saved-in-eager");
}

TEST_F(Guide004, CheckpointReadsNames) {
  const std::string path = SaveTf1();
  std::vector<Variable> abc = MakeAbc();
  abc.push_back(rt::MakeVariable(0.0, {.name = "scoped/c"}));
  EXPECT_EQ(abc[0].name(), "a:0");
  EXPECT_EQ(abc[1].name(), "b:0");
  EXPECT_EQ(abc[2].name(), "scoped/c:0");
  EXPECT_EQ(abc[3].name(), "scoped/c:0");
  const Logged log;
  rt::Checkpoint ckpt({{"variables", ListOf(abc)}});
  ckpt.Restore(path);
  EXPECT_THAT(Values(abc), ElementsAre(1, 2, 3, 3));
  EXPECT_THAT(log.text(), testing::HasSubstr("This mode uses global names to match variables, and so is somewhat "
                                             "fragile."));
}

std::vector<Variable> GetAbcInNewScope() {
  rt::VariableScope scope("new_scope");
  return GetAbc();
}

TEST_F(Guide004, InitFromCheckpoint) {
  SaveTf1();
  rt::Graph graph;
  rt::GraphScope scope(graph);
  const std::vector<Variable> abc = GetAbcInNewScope();
  rt::Session session(graph);
  rt::InitFromCheckpoint("tf1-ckpt", {{"/", "new_scope/"}});
  session.Run(rt::GlobalVariablesInitializer());
  EXPECT_THAT(Values(session, abc), ElementsAre(1, 2, 3));
}

TEST_F(Guide004, SaverWithOldNames) {
  SaveTf1();
  const std::vector<Variable> abc = GetAbcInNewScope();
  const Logged log;
  rt::Saver saver(rt::Saver::VarDict{{"a", abc[0]}, {"b", abc[1]}, {"scoped/c", abc[2]}});
  saver.Restore(nullptr, "tf1-ckpt");
  EXPECT_THAT(Values(abc), ElementsAre(1, 2, 3));
  EXPECT_EQ(log.text(), std::string(kSaverIsDeprecated) + "INFO:tensorflow:Restoring parameters from tf1-ckpt\n");
}

TEST_F(Guide004, LoadCheckpointByHand) {
  SaveTf1();
  rt::Graph graph;
  rt::GraphScope scope(graph);
  const std::vector<Variable> abc = GetAbcInNewScope();
  rt::Session session(graph);
  const auto reader = rt::LoadCheckpoint("tf1-ckpt");
  session.Run(abc[0].Assign(rt::Constant(reader->GetTensor("a"))));
  session.Run(abc[1].Assign(rt::Constant(reader->GetTensor("b"))));
  session.Run(abc[2].Assign(rt::Constant(reader->GetTensor("scoped/c"))));
  EXPECT_THAT(Values(session, abc), ElementsAre(1, 2, 3));
}

std::string SaveUnscopedScoped() {
  rt::Graph graph;
  rt::GraphScope scope(graph);
  const std::vector<Variable> abc = GetAbc({1, 2, 3});
  rt::Session session(graph);
  rt::SessionScope in_session(session);
  session.Run(rt::GlobalVariablesInitializer());
  EXPECT_THAT(Values(session, abc), ElementsAre(1, 2, 3));
  rt::Checkpoint ckpt({{"unscoped", Attribute::List{abc[0], abc[1]}}, {"scoped", Attribute::List{abc[2]}}});
  return ckpt.Save("tf2-ckpt");
}

TEST_F(Guide004, SameCheckpointOtherNames) {
  const std::string path = SaveUnscopedScoped();
  EXPECT_EQ(
      Printed(path),
      "Checkpoint at 'tf2-ckpt-1':\n"
      "  (key='unscoped/1/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=2.0)\n"
      "  (key='unscoped/0/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=1.0)\n"
      "  (key='scoped/0/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=3.0)\n"
      "  (key='save_counter/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=int64, value=1)\n"
      R"(  (key='_CHECKPOINTABLE_OBJECT_GRAPH', shape=[], dtype=string, value=b"\n0\n\n\x08\x01\x12\x06scoped\n\x0c\x08\x02\x12\x08unscoped\n\x10\x08\x03\x12\x0csave_counter*\x02\x08\x01\n\x0b\n\x05\x08\x04\x12\x010*\x02\x08\x01\n\x12\n\x05\x08\x05\x12\x010\n\x05\x08\x06\x12\x011*\x02\x08\x01\nM\x12G\n\x0eVARIABLE_VALUE\x12\x0csave_counter\x1a'save_counter/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\nE\x12?\n\x0eVARIABLE_VALUE\x12\x08scoped/c\x1a#scoped/0/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\n@\x12:\n\x0eVARIABLE_VALUE\x12\x01a\x1a%unscoped/0/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\n@\x12:\n\x0eVARIABLE_VALUE\x12\x01b\x1a%unscoped/1/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01"))"
      "\n");
  ExpectSameFiles("unscoped_scoped_session", "tf2-ckpt");

  {
    rt::Graph graph;
    rt::GraphScope scope(graph);
    const auto zero = [](const char* name) {
      return rt::GetVariable(name, {.shape = PartialShape(Shape{}), .initializer = rt::ZerosInitializer()});
    };
    std::vector<Variable> abc = {zero("a_different_name"), zero("b_different_name")};
    {
      rt::VariableScope different("different_scope");
      abc.push_back(zero("c"));
    }
    rt::Session session(graph);
    rt::SessionScope in_session(session);
    session.Run(rt::GlobalVariablesInitializer());
    EXPECT_THAT(Values(session, abc), ElementsAre(0, 0, 0));
    rt::Checkpoint ckpt({{"unscoped", Attribute::List{abc[0], abc[1]}}, {"scoped", Attribute::List{abc[2]}}});
    ckpt.Restore(path)->AssertConsumed()->RunRestoreOps();
    EXPECT_THAT(Values(session, abc), ElementsAre(1, 2, 3));
  }

  const std::vector<Variable> abc = {rt::MakeVariable(0.0), rt::MakeVariable(0.0), rt::MakeVariable(0.0)};
  EXPECT_THAT(Values(abc), ElementsAre(0, 0, 0));
  rt::Checkpoint ckpt({{"unscoped", Attribute::List{abc[0], abc[1]}}, {"scoped", Attribute::List{abc[2]}}});
  ckpt.Restore(path)->AssertConsumed()->RunRestoreOps();
  EXPECT_THAT(Values(abc), ElementsAre(1, 2, 3));
}

rt::EstimatorSpec AddTwoEachStep(bool object_based) {
  const Variable step = rt::GetOrCreateGlobalStep();
  const Variable v =
      rt::GetVariable("var", {.shape = PartialShape(Shape{}), .initializer = rt::ConstantInitializer(0)});
  rt::EstimatorSpec spec;
  if (object_based) {
    using Keywords = rt::Checkpoint::Keywords;
    spec.checkpoint =
        std::make_shared<rt::Checkpoint>(Keywords{{"var_list", Attribute::Dict{{"var", v}}}, {"step", step}});
  }
  spec.predictions = v;
  spec.train_op = rt::Group({v.AssignAdd(Scalar(2.0F)), step.AssignAdd(Scalar(std::int64_t{1}))});
  spec.loss = Scalar(1.0F);
  return spec;
}
std::vector<rt::Example> TrainFn() {
  std::vector<rt::Example> examples;
  for (std::int32_t i = 1; i <= 3; ++i) examples.push_back({Array::Scalar(i), Array::Scalar(i + 3)});
  return examples;
}

TEST_F(Guide004, Estimators) {
  const rt::ModelFn tf1 = [](const rt::Tensor&, const rt::Tensor&, rt::ModeKeys) { return AddTwoEachStep(false); };
  const rt::ModelFn tf2 = [](const rt::Tensor&, const rt::Tensor&, rt::ModeKeys) { return AddTwoEachStep(true); };
  {
    const Logged log;
    rt::Estimator(tf1, "est-tf1").Train(TrainFn, 1);
    EXPECT_EQ(log.text(),
              "INFO:tensorflow:Calling model_fn.\n"
              "INFO:tensorflow:Done calling model_fn.\n"
              "INFO:tensorflow:Create CheckpointSaverHook.\n"
              "INFO:tensorflow:Graph was finalized.\n"
              "INFO:tensorflow:Running local_init_op.\n"
              "INFO:tensorflow:Done running local_init_op.\n"
              "INFO:tensorflow:Calling checkpoint listeners before saving checkpoint 0...\n"
              "INFO:tensorflow:Saving checkpoints for 0 into est-tf1/model.ckpt.\n"
              "INFO:tensorflow:Calling checkpoint listeners after saving checkpoint 0...\n"
              "INFO:tensorflow:loss = 1.0, step = 0\n"
              "INFO:tensorflow:Calling checkpoint listeners before saving checkpoint 1...\n"
              "INFO:tensorflow:Saving checkpoints for 1 into est-tf1/model.ckpt.\n"
              "INFO:tensorflow:Calling checkpoint listeners after saving checkpoint 1...\n"
              "INFO:tensorflow:Loss for final step: 1.0.\n");
  }
  EXPECT_EQ(Printed(rt::LatestCheckpoint("est-tf1").value()),
            "Checkpoint at 'est-tf1/model.ckpt-1':\n"
            "  (key='var', shape=[], dtype=float32, value=2.0)\n"
            "  (key='global_step', shape=[], dtype=int64, value=1)\n");
  ExpectSameFiles("estimator_name_based", "model.ckpt", "est-tf1");

  rt::Estimator est(tf2, "est-tf2", {.warm_start_from = rt::WarmStartSettings{.ckpt_to_initialize_from = "est-tf1"}});
  {
    const Logged log;
    est.Train(TrainFn, 1);
    EXPECT_THAT(log.text(),
                testing::HasSubstr(
                    "INFO:tensorflow:Warm-starting with WarmStartSettings: WarmStartSettings(ckpt_to_initialize_from="
                    "'est-tf1', vars_to_warm_start='.*', var_name_to_vocab_info={}, var_name_to_prev_var_name={})\n"
                    "INFO:tensorflow:Warm-starting from: est-tf1\n"
                    "INFO:tensorflow:Warm-starting variables only in TRAINABLE_VARIABLES.\n"
                    "INFO:tensorflow:Warm-started 1 variables.\n"
                    "INFO:tensorflow:Create CheckpointSaverHook.\n"));
  }
  EXPECT_EQ(
      Printed(rt::LatestCheckpoint("est-tf2").value()),
      "Checkpoint at 'est-tf2/model.ckpt-1':\n"
      "  (key='var_list/var/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=4.0)\n"
      "  (key='step/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=int64, value=1)\n"
      R"(  (key='_CHECKPOINTABLE_OBJECT_GRAPH', shape=[], dtype=string, value=b"\n\x1c\n\x08\x08\x01\x12\x04step\n\x0c\x08\x02\x12\x08var_list*\x02\x08\x01\nD\x12>\n\x0eVARIABLE_VALUE\x12\x0bglobal_step\x1a\x1fstep/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\n\r\n\x07\x08\x03\x12\x03var*\x02\x08\x01\nD\x12>\n\x0eVARIABLE_VALUE\x12\x03var\x1a'var_list/var/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01"))"
      "\n");
  EXPECT_EQ(est.GetVariableValue("var_list/var/.ATTRIBUTES/VARIABLE_VALUE").data<float>()[0], 4);
  ExpectSameFiles("estimator_object_based", "model.ckpt", "est-tf2");
}

// m = YourKerasModel(); status = m.load_weights(path); m.predict(inputs); status.assert_consumed()
TEST_F(Guide004, KerasRestoresWhenBuilt) {
  const auto make = [] {
    return std::make_shared<rt::Sequential>(std::vector<std::shared_ptr<rt::Layer>>{
        std::make_shared<rt::keras::Dense>(2), std::make_shared<rt::keras::Dense>(1)});
  };
  const rt::Tensor x(Array::Full<float>({4, 3}, 1));
  const auto saved = make();
  const Array expected = (*saved)(x).output.array();
  saved->SaveWeights("weights");
  // Checkpoint(model).write is equivalent to save_weights.
  rt::Checkpoint(*saved).Write("written");
  EXPECT_EQ(io::ReadFile("weights.index"), io::ReadFile("written.index"));
  EXPECT_EQ(io::ReadFile("weights.data-00000-of-00001"), io::ReadFile("written.data-00000-of-00001"));

  const auto m = make();
  const auto status = m->LoadWeights("weights");
  const Array actual = (*m)(x).output.array();
  status->AssertConsumed();
  EXPECT_TRUE(BitwiseEqual(actual, expected));
  // Checkpoint(model) is not Checkpoint(model=model).
  const auto other = make();
  (*other)(x);
  rt::Checkpoint keyword({{"model", other}});
  const auto unmatched = keyword.Read("weights");
  unmatched->ExpectPartial();
  EXPECT_THROW(unmatched->AssertNontrivialMatch(), AssertionError);
}

TEST_F(Guide004, SaveTf1InTf2AndLoadIt) {
  {
    const Logged log;
    const std::vector<Variable> abc = MakeAbc({1, 2, 3});
    rt::Saver saver(rt::Saver::VarList(abc.begin(), abc.end()));
    const std::string path = saver.Save(nullptr, "tf1-ckpt-saved-in-eager");
    EXPECT_EQ(log.text(), kSaverIsDeprecated);
    EXPECT_EQ(Printed(path), std::string("Checkpoint at 'tf1-ckpt-saved-in-eager':\n") + kAbc);
  }
  const Logged log;
  const std::vector<Variable> abc = MakeAbc();
  EXPECT_THAT(Values(abc), ElementsAre(0, 0, 0));
  rt::Saver saver(rt::Saver::VarList(abc.begin(), abc.end()));
  saver.Restore(nullptr, "tf1-ckpt-saved-in-eager");
  EXPECT_EQ(log.text(),
            std::string(kSaverIsDeprecated) + "INFO:tensorflow:Restoring parameters from tf1-ckpt-saved-in-eager\n");
  EXPECT_THAT(Values(abc), ElementsAre(1, 2, 3));
}

// var_list={v.name.split(':')[0]: v for v in tf1.global_variables()}
Attribute::Dict ByName() {
  Attribute::Dict dict;
  for (const Variable& v : rt::GlobalVariables()) dict.emplace_back(v.op_name(), v);
  return dict;
}
std::string SaveTf2InTf1() {
  rt::Graph graph;
  rt::GraphScope scope(graph);
  GetAbc({1, 2, 3});
  rt::Session session(graph);
  rt::SessionScope in_session(session);
  session.Run(rt::GlobalVariablesInitializer());
  rt::Checkpoint ckpt({{"var_list", ByName()}});
  return ckpt.Save("tf2-ckpt-saved-in-session");
}

TEST_F(Guide004, SaveTf2InTf1AndLoadIt) {
  EXPECT_EQ(
      Printed(SaveTf2InTf1()),
      "Checkpoint at 'tf2-ckpt-saved-in-session-1':\n"
      "  (key='var_list/scoped.Sc/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=3.0)\n"
      "  (key='var_list/b/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=2.0)\n"
      "  (key='var_list/a/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=1.0)\n"
      "  (key='save_counter/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=int64, value=1)\n"
      R"(  (key='_CHECKPOINTABLE_OBJECT_GRAPH', shape=[], dtype=string, value=b"\n$\n\x0c\x08\x01\x12\x08var_list\n\x10\x08\x02\x12\x0csave_counter*\x02\x08\x01\n \n\x05\x08\x03\x12\x01a\n\x05\x08\x04\x12\x01b\n\x0c\x08\x05\x12\x08scoped/c*\x02\x08\x01\nM\x12G\n\x0eVARIABLE_VALUE\x12\x0csave_counter\x1a'save_counter/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\n@\x12:\n\x0eVARIABLE_VALUE\x12\x01a\x1a%var_list/a/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\n@\x12:\n\x0eVARIABLE_VALUE\x12\x01b\x1a%var_list/b/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\nO\x12I\n\x0eVARIABLE_VALUE\x12\x08scoped/c\x1a-var_list/scoped.Sc/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01"))"
      "\n");
  ExpectSameFiles("var_list_dict_session", "tf2-ckpt-saved-in-session");

  rt::Graph graph;
  rt::GraphScope scope(graph);
  const std::vector<Variable> abc = GetAbc();
  rt::Session session(graph);
  rt::SessionScope in_session(session);
  session.Run(rt::GlobalVariablesInitializer());
  EXPECT_THAT(Values(session, abc), ElementsAre(0, 0, 0));
  rt::Checkpoint ckpt({{"var_list", ByName()}});
  ckpt.Restore("tf2-ckpt-saved-in-session-1")->RunRestoreOps();
  EXPECT_THAT(Values(session, abc), ElementsAre(1, 2, 3));
}

// The guide's convert_tf1_to_tf2, with this library's names.
std::string ConvertTf1ToTf2ByHand(const std::string& path, const std::string& prefix) {
  Attribute::Dict vars;
  const auto reader = rt::LoadCheckpoint(path);
  for (const std::string& key : reader->KeysInMapOrder())
    vars.emplace_back(key, rt::MakeVariable(rt::Tensor(reader->GetTensor(key))));
  return rt::Checkpoint({{"vars", vars}}).Save(prefix);
}

TEST_F(Guide004, ConvertTf1ToTf2) {
  {
    const Logged log;
    const std::vector<Variable> abc = MakeAbc({1, 2, 3});
    rt::Saver(rt::Saver::VarList(abc.begin(), abc.end())).Save(nullptr, "tf1-ckpt-saved-in-eager");
  }
  EXPECT_EQ(Printed("tf1-ckpt-saved-in-eager"), std::string("Checkpoint at 'tf1-ckpt-saved-in-eager':\n") + kAbc);
  const std::string converted = ConvertTf1ToTf2ByHand("tf1-ckpt-saved-in-eager", "converted-tf1-to-tf2");
  EXPECT_EQ(
      Printed(converted),
      "Checkpoint at 'converted-tf1-to-tf2-1':\n"
      "  (key='vars/scoped.Sc/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=3.0)\n"
      "  (key='vars/b/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=2.0)\n"
      "  (key='vars/a/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=float32, value=1.0)\n"
      "  (key='save_counter/.ATTRIBUTES/VARIABLE_VALUE', shape=[], dtype=int64, value=1)\n"
      R"(  (key='_CHECKPOINTABLE_OBJECT_GRAPH', shape=[], dtype=string, value=b"\n \n\x08\x08\x01\x12\x04vars\n\x10\x08\x02\x12\x0csave_counter*\x02\x08\x01\n \n\x0c\x08\x03\x12\x08scoped/c\n\x05\x08\x04\x12\x01b\n\x05\x08\x05\x12\x01a*\x02\x08\x01\nM\x12G\n\x0eVARIABLE_VALUE\x12\x0csave_counter\x1a'save_counter/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\nK\x12E\n\x0eVARIABLE_VALUE\x12\x08Variable\x1a)vars/scoped.Sc/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\nC\x12=\n\x0eVARIABLE_VALUE\x12\x08Variable\x1a!vars/b/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01\nC\x12=\n\x0eVARIABLE_VALUE\x12\x08Variable\x1a!vars/a/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01"))"
      "\n");
  ExpectSameFiles("converted_to_object_based", "converted-tf1-to-tf2");
  const std::vector<Variable> abc = {rt::MakeVariable(0.0), rt::MakeVariable(0.0), rt::MakeVariable(0.0)};
  rt::Checkpoint ckpt({{"vars", Attribute::Dict{{"a", abc[0]}, {"b", abc[1]}, {"scoped/c", abc[2]}}}});
  ckpt.Restore(converted)->AssertConsumed();
  EXPECT_THAT(Values(abc), ElementsAre(1, 2, 3));
}

TEST_F(Guide004, ConvertTf2ToTf1) {
  const auto reader = rt::LoadCheckpoint(SaveTf2InTf1());
  rt::Saver::VarDict vars;
  for (const std::string& key : reader->KeysInMapOrder()) {
    if (!key.starts_with("var_list/")) continue;
    std::string name = key.substr(9, key.find('/', 9) - 9);
    for (std::size_t at; (at = name.find(".S")) != std::string::npos;) name.replace(at, 2, "/");
    vars.emplace_back(name, rt::MakeVariable(rt::Tensor(reader->GetTensor(key))));
  }
  const Logged log;
  const std::string converted = rt::Saver(vars).Save(nullptr, "converted-tf2-to-tf1");
  EXPECT_EQ(Printed(converted), std::string("Checkpoint at 'converted-tf2-to-tf1':\n") + kAbc);
  ExpectSameFiles("converted_to_name_based", "converted-tf2-to-tf1");

  rt::Graph graph;
  rt::GraphScope scope(graph);
  const std::vector<Variable> abc = GetAbc();
  rt::Session session(graph);
  rt::Saver({{"a", abc[0]}, {"b", abc[1]}, {"scoped/c", abc[2]}}).Restore(&session, "converted-tf2-to-tf1");
  EXPECT_THAT(Values(session, abc), ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace equiv
