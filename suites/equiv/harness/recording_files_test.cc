#include "equiv/harness/recording_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "equiv/harness/open_source.h"
#include "equiv/harness/stages.h"
#include "fixtures/models/registry.h"
#include "kernels/base/error.h"
#include "kernels/io/file.h"

namespace equiv {
namespace {
using testing::HasSubstr;
namespace fs = std::filesystem;

const std::string kCheckpoint = EQUIV_FIXTURES_DIR "/goldens/checkpoints/name_based_session/tf1-ckpt";

// Every field holds something that is not its default.
StoredRecording Everything() {
  StoredRecording s{"eager (functional model)", {}, {}};
  RunRequest& q = s.request;
  q.inputs = {Array::Of<float>({2}, {1, std::nanf("")}), Array::Strings({1}, {"text"})};
  q.training = true;
  q.random = NumRandomOps(7);
  q.set_variables = 0.1f;
  q.values = {{"a/w:0", Array::Scalar(3.0)}};
  q.checkpoint = kCheckpoint;
  q.save = SaveRequest{"run/\xff", CheckpointKind::kObjectBased};
  q.backend = "cpu";
  q.passes.disable_meta_optimizer = true;
  q.passes.off = {"remapping"};
  q.build_only = true;
  q.calls = 3;
  Recording& r = s.recording;
  r.environment = {"eager (functional model)", "onednn", 5, {"remapping", "common_subgraph_elimination"}};
  r.variables = {{"a/w:0", DType::kBFloat16, PartialShape{2}, false, "model.cc:12",
                  Array::Of<BFloat16>({2}, {BFloat16(1), BFloat16(-0.0f)})},
                 {"same:0", DType::kFloat32, PartialShape::Unknown(), true, "", Array()},
                 {"same:0", DType::kInt64, PartialShape{-1, 3}, true, "m.cc:1", Array::Of<std::int64_t>({0, 3}, {})},
                 {std::string("\xff odd\n"), DType::kFloat64, PartialShape{}, true, "", Array::Scalar(2.5)}};
  r.listed_variables = {"same:0", "a/w:0"};
  r.outputs = {{"output", Array::Scalar(1.5f)}, {"../x", Array::Scalar(2)}, {"output", Array::Scalar(9)}};
  r.losses = {{"", Array::Scalar(0.25f)}, {"loss/a:0", Array::Scalar(0.5f)}};
  r.total_loss = Array::Scalar(0.75f);
  r.draws = {{12,
              "TruncatedNormal",
              -1,
              1LL << 40,
              DType::kFloat64,
              PartialShape{3, 2},
              "a/w",
              "m.cc:3",
              {0.1, std::nan(""), -INFINITY, 5e-324},
              0xfedcba9876543210u}};
  r.effects = {
      {EffectRecord::Kind::kCreate, "a/w"}, {EffectRecord::Kind::kRead, "b"}, {EffectRecord::Kind::kWrite, "c"}};
  r.ops_executed = 1LL << 41;
  r.operation_seed_after = 17;
  r.phases = {{"forward", 0.1}, {"fetch", 1e-9}};
  return s;
}
void ExpectSame(const Array& a, const Array& b) { EXPECT_TRUE(BitwiseEqual(a, b)); }
void ExpectSame(const std::vector<NamedArray>& a, const std::vector<NamedArray>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    ExpectSame(a[i].array, b[i].array);
  }
}
void ExpectSame(const StoredRecording& a, const StoredRecording& b) {
  EXPECT_EQ(a.side, b.side);
  const RunRequest &p = a.request, &q = b.request;
  ASSERT_EQ(p.inputs.size(), q.inputs.size());
  for (std::size_t i = 0; i < p.inputs.size(); ++i) ExpectSame(p.inputs[i], q.inputs[i]);
  EXPECT_EQ(p.training, q.training);
  ASSERT_EQ(p.random.has_value(), q.random.has_value());
  if (p.random) {
    EXPECT_EQ(p.random->mode, q.random->mode);
    EXPECT_EQ(p.random->seed, q.random->seed);
  }
  EXPECT_EQ(p.set_variables, q.set_variables);
  ASSERT_EQ(p.values.size(), q.values.size());
  for (const auto& [name, value] : p.values) ExpectSame(value, q.values.at(name));
  EXPECT_EQ(p.checkpoint, q.checkpoint);
  ASSERT_EQ(p.save.has_value(), q.save.has_value());
  if (p.save) {
    EXPECT_EQ(p.save->prefix, q.save->prefix);
    EXPECT_EQ(p.save->kind, q.save->kind);
  }
  EXPECT_EQ(p.backend, q.backend);
  EXPECT_EQ(p.passes.disable_meta_optimizer, q.passes.disable_meta_optimizer);
  EXPECT_EQ(p.passes.off, q.passes.off);
  EXPECT_EQ(p.build_only, q.build_only);
  EXPECT_EQ(p.calls, q.calls);
  const Recording &r = a.recording, &t = b.recording;
  EXPECT_EQ(r.environment.executor, t.environment.executor);
  EXPECT_EQ(r.environment.backend, t.environment.backend);
  EXPECT_EQ(r.environment.threads, t.environment.threads);
  EXPECT_EQ(r.environment.passes, t.environment.passes);
  ASSERT_EQ(r.variables.size(), t.variables.size());
  for (std::size_t i = 0; i < r.variables.size(); ++i) {
    const VariableRecord &v = r.variables[i], &w = t.variables[i];
    EXPECT_EQ(v.name, w.name);
    EXPECT_EQ(v.dtype, w.dtype);
    EXPECT_EQ(v.shape, w.shape);
    EXPECT_EQ(v.trainable, w.trainable);
    EXPECT_EQ(v.created_at, w.created_at);
    ExpectSame(v.value, w.value);
  }
  EXPECT_EQ(r.listed_variables, t.listed_variables);
  ExpectSame(r.outputs, t.outputs);
  ExpectSame(r.losses, t.losses);
  ExpectSame(r.total_loss, t.total_loss);
  ASSERT_EQ(r.draws.size(), t.draws.size());
  for (std::size_t i = 0; i < r.draws.size(); ++i) {
    const DrawRecord &d = r.draws[i], &e = t.draws[i];
    EXPECT_EQ(std::tie(d.sequence, d.kind, d.seed, d.seed2, d.dtype, d.owner, d.call_site, d.hash),
              std::tie(e.sequence, e.kind, e.seed, e.seed2, e.dtype, e.owner, e.call_site, e.hash));
    EXPECT_EQ(d.shape, e.shape);
    EXPECT_THAT(d.first_values, testing::Pointwise(testing::NanSensitiveDoubleEq(), e.first_values));
  }
  ASSERT_EQ(r.effects.size(), t.effects.size());
  for (std::size_t i = 0; i < r.effects.size(); ++i) {
    EXPECT_EQ(r.effects[i].kind, t.effects[i].kind);
    EXPECT_EQ(r.effects[i].variable, t.effects[i].variable);
  }
  EXPECT_EQ(r.ops_executed, t.ops_executed);
  EXPECT_EQ(r.operation_seed_after, t.operation_seed_after);
  ASSERT_EQ(r.phases.size(), t.phases.size());
  for (std::size_t i = 0; i < r.phases.size(); ++i) {
    EXPECT_EQ(r.phases[i].name, t.phases[i].name);
    EXPECT_EQ(r.phases[i].seconds, t.phases[i].seconds);
  }
}

TEST(RecordingFiles, EveryFieldComesBack) {
  const io::TemporaryFolder folder;
  const StoredRecording stored = Everything();
  SaveRecording(folder / "r/s", stored);
  ExpectSame(LoadRecording(folder / "r/s"), stored);
  SaveRecording(folder / "r/s", {"empty", {}, {}});  // replaces it
  ExpectSame(LoadRecording(folder / "r/s"), {"empty", {}, {}});
}
TEST(RecordingFiles, AreSourcesOfTensors) {
  const io::TemporaryFolder folder;
  SaveRecording(folder.path(), Everything());
  const auto source = OpenTensorSource(folder.path());
  EXPECT_EQ(source->kind(), "recording");
  ASSERT_EQ(source->tensors().size(), 9u);  // no inputs, no forced values, no variable without value
  const TensorInfo* w = source->Find("variables/a/w:0");
  ASSERT_TRUE(w);
  EXPECT_EQ(w->variable, "a/w");
  EXPECT_EQ(source->Read("outputs/output#2").data<std::int32_t>()[0], 9);
  EXPECT_EQ(source->Read("losses/1").data<float>()[0], 0.5f);
}
TEST(RecordingFiles, DamageIsNamed) {
  const io::TemporaryFolder folder;
  SaveRecording(folder.path(), Everything());
  const std::string file = folder / "recording.json", good = io::ReadFile(file);
  const auto why = [&](const std::string& from, const std::string& to) -> std::string {
    std::string text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    io::WriteFile(file, text);
    try {
      LoadRecording(folder.path());
    } catch (const Error& error) {
      return error.Describe();
    }
    return "it was accepted";
  };
  EXPECT_THAT(why("\"training\": true", "\"training\": 1"), HasSubstr("'training' is 1"));
  EXPECT_THAT(why("\"training\": true", "\"trained\": true"), HasSubstr("there is no 'training'"));
  EXPECT_THAT(why("bfloat16", "float99"), HasSubstr("'float99' is no dtype"));
  EXPECT_THAT(why("bfloat16", "float32"), HasSubstr("variable 'a/w:0' is float32[2], but its value"));
  EXPECT_THAT(why("variables/a/w:0", "variables/b"), HasSubstr("has no tensor 'variables/b'"));
  EXPECT_THAT(why("fedcba9876543210", "x"), HasSubstr("hash"));
  EXPECT_THAT(why("\"checksum\": \"", "\"checksum\": \"g"), HasSubstr("'checksum' is no 64-bit number"));
  EXPECT_THAT(why("object-based", "other"), HasSubstr("a checkpoint's kind is 'other'"));
  EXPECT_THAT(why("\"threads\": 5", "\"threads\": 99999999999"), HasSubstr("'threads' is 99999999999"));
  EXPECT_THAT(why("\"create\"", "\"destroy\""), HasSubstr("effect 'destroy'"));
  EXPECT_THAT(why("\"schema_version\": 1", "\"schema_version\": 2"), HasSubstr("UnimplementedError"));
  EXPECT_THAT(why("equiv recording", "other"), HasSubstr("is no recording"));
  for (std::size_t n = 0; n + 2 < good.size(); n += 7) {
    io::WriteFile(file, good.substr(0, n));
    EXPECT_THROW(LoadRecording(folder.path()), DataLossError) << n;
  }
  io::WriteFile(file, good);
  fs::remove(folder / "arrays.npz");
  EXPECT_THROW(LoadRecording(folder.path()), NotFoundError);
  EXPECT_THROW(LoadRecording(folder / "absent"), NotFoundError);
}
TEST(RecordingFiles, AnArrayThatCannotBeStoredLeavesNoRecording) {
  const io::TemporaryFolder folder;
  SaveRecording(folder.path(), Everything());
  StoredRecording bad = Everything();
  bad.recording.outputs[0].array = Array::Strings({}, {std::string("x\0", 2)});
  EXPECT_THROW(SaveRecording(folder.path(), bad), UnimplementedError);
  EXPECT_THROW(LoadRecording(folder.path()), NotFoundError);
}

RunRequest ConvnetRequest() {
  RunRequest request;
  request.inputs = {Array::Full<float>(fixtures::FindModel("convnet")->input_shape, 1.0f)};
  request.random = NumRandomOps(42);
  return request;
}
TEST(FromRecording, StandsInForTheSideThatRan) {
  const io::TemporaryFolder folder;
  const fixtures::ModelEntry& entry = *fixtures::FindModel("convnet");
  Options options;
  options.inputs = {runtime::Tensor(Array::Full<float>(entry.input_shape, 1.0f))};
  options.recorded = [&](const std::string& stage, const Side& side, const RunRequest& request,
                         const Recording& recording) {
    SaveRecording(folder / (stage + "/" + side.name()), {side.name(), request, recording});
  };
  const SidePtr session = InSession(entry.model), eager = InEager(entry.model, {.class_name = entry.class_name});
  ASSERT_TRUE(CheckEquivalence(*session, *eager, options).ok());
  options.recorded = {};
  for (const char* stage : {"step2", "step3", "step4-inference", "step4-training"}) {
    options.stages = {stage};
    const SidePtr recorded = FromRecording(folder / (std::string(stage) + "/session"));
    EXPECT_EQ(recorded->name(), "session");
    const Verdict verdict = CheckEquivalence(*recorded, *eager, options);
    EXPECT_TRUE(verdict.ok()) << verdict.FailureText();
  }
}
TEST(FromRecording, StandsInWhereRunsStartFromACheckpoint) {
  const io::TemporaryFolder folder;
  const fixtures::ModelEntry& entry = *fixtures::FindModel("convnet");
  const SidePtr session = InSession(entry.model), eager = InEager(entry.model, {.class_name = entry.class_name});
  RunRequest writing = ConvnetRequest();
  for (const char* name : {"a", "again", "other"}) {
    writing.save = SaveRequest{folder / name, CheckpointKind::kNameBased};
    writing.random = NumRandomOps(std::string(name) == "other" ? 2 : 1);
    session->Run(writing);
  }
  Options options;
  options.inputs = {runtime::Tensor(writing.inputs[0])};
  options.checkpoint = folder / "a";
  options.stages = {"step3b-name-based", "step4b-name-based"};
  options.recorded = [&](const std::string& stage, const Side& side, const RunRequest& request,
                         const Recording& recording) {
    if (side.name() == "session") SaveRecording(folder / stage, {side.name(), request, recording});
  };
  ASSERT_TRUE(CheckEquivalence(*session, *eager, options).ok());
  options.recorded = {};
  for (const std::string& stage : std::vector<std::string>(options.stages)) {
    options.stages = {stage};
    const SidePtr recorded = FromRecording(folder / stage);
    options.checkpoint = folder / "again";
    const Verdict verdict = CheckEquivalence(*recorded, *eager, options);
    EXPECT_TRUE(verdict.ok()) << verdict.FailureText();
    options.checkpoint = folder / "other";
    EXPECT_THROW(CheckEquivalence(*recorded, *eager, options), InvalidArgumentError);
  }
}
TEST(FromRecording, RefusesWhatWasNotRecorded) {
  const io::TemporaryFolder folder;
  const fixtures::ModelEntry& entry = *fixtures::FindModel("convnet");
  const RunRequest request = ConvnetRequest();
  SaveRecording(folder.path(), {"session", request, InSession(entry.model)->Run(request)});
  const SidePtr side = FromRecording(folder.path());
  const auto why = [&](const std::function<void(RunRequest&)>& change) -> std::string {
    RunRequest other = ConvnetRequest();
    change(other);
    try {
      side->Run(other);
    } catch (const InvalidArgumentError& error) {
      return error.what();
    }
    return "answered";
  };
  EXPECT_EQ(why([](RunRequest&) {}), "answered");
  EXPECT_EQ(why([](RunRequest& r) { r.backend = "cpu"; }), "answered");
  EXPECT_EQ(why([](RunRequest& r) {
              r.build_only = true;
              r.random.reset();
            }),
            "answered");
  EXPECT_THAT(why([](RunRequest& r) { r.training = true; }), HasSubstr("training, recorded in inference"));
  EXPECT_THAT(why([](RunRequest& r) { r.inputs[0].mutable_data<float>()[3] = 2; }), HasSubstr("another input 0"));
  EXPECT_THAT(why([](RunRequest& r) { r.inputs.clear(); }), HasSubstr("0 inputs, recorded with 1"));
  EXPECT_THAT(why([](RunRequest& r) { r.random = ConstantSeeds(42); }), HasSubstr("random mode constant with seed 42"));
  EXPECT_THAT(why([](RunRequest& r) { r.random.reset(); }), HasSubstr("no random mode"));
  EXPECT_THAT(why([](RunRequest& r) { r.set_variables = 0.5f; }), HasSubstr("set to another value"));
  EXPECT_THAT(why([](RunRequest& r) { r.values["w:0"] = Array::Scalar(1.0f); }), HasSubstr("1 variables forced"));
  EXPECT_THAT(why([](RunRequest& r) { r.checkpoint = kCheckpoint; }),
              HasSubstr("tf1-ckpt', recorded with a start without checkpoint"));
  EXPECT_THAT(why([](RunRequest& r) { r.save = SaveRequest{}; }), HasSubstr("a checkpoint to be written"));
}
}  // namespace
}  // namespace equiv
