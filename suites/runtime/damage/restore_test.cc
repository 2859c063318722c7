// What programs meet when they restore a damaged checkpoint: through Saver in a graph and eagerly, and through
// Checkpoint. The error is of TensorFlow's kind and names the file, and no variable has changed.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/object_graph.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/core/log.h"
#include "runtime/core/ops.h"
#include "runtime/eager/eager.h"
#include "suites/runtime/damage/damage.h"

namespace equiv::runtime {
namespace {
using equiv::test::Caught;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

struct Damage {
  const char* name;
  std::function<void(const std::string& prefix)> make;
  const char* saver;       // how its error starts; {P}: the prefix
  const char* checkpoint;  // null: the same
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

void Change(const std::string& path, const std::function<void(std::string&)>& change) {
  std::string bytes = io::ReadFile(path);
  change(bytes);
  io::WriteFile(path, bytes);
}
std::function<void(const std::string&)> ChangeIndex(std::function<void(std::string&)> change) {
  return [change = std::move(change)](const std::string& prefix) { Change(io::IndexFileName(prefix), change); };
}
std::function<void(const std::string&)> ChangeData(std::function<void(std::string&)> change) {
  return [change = std::move(change)](const std::string& prefix) { Change(io::DataFileName(prefix, 0, 1), change); };
}

// The checkpoint holds a = 1, 2 and then b = 3: damage to the data is damage to b.
const Damage kDamages[] = {
    {"NoFiles",
     [](const std::string& prefix) {
       std::filesystem::remove(io::IndexFileName(prefix));
       std::filesystem::remove(io::DataFileName(prefix, 0, 1));
     },
     "ValueError: The passed save_path is not a valid checkpoint: {P}",
     "NotFoundError: Unsuccessful TensorSliceReader constructor: Failed to find any matching files for {P}"},
    {"OnlyData", [](const std::string& prefix) { std::filesystem::remove(io::IndexFileName(prefix)); },
     "ValueError: The passed save_path is not a valid checkpoint: {P}",
     "NotFoundError: Unsuccessful TensorSliceReader constructor: Failed to find any matching files for {P}"},
    {"IndexEmpty", ChangeIndex([](std::string& bytes) { bytes.clear(); }),
     "DataLossError: {P}.index: file is too short to be an sstable", nullptr},
    {"IndexCut", ChangeIndex([](std::string& bytes) { bytes.pop_back(); }),
     "DataLossError: {P}.index: not an sstable (bad magic number)", nullptr},
    {"IndexFlipped", ChangeIndex([](std::string& bytes) { bytes[10] ^= 4; }),
     "DataLossError: Unable to read file ({P}.index). Perhaps the file is corrupt", nullptr},
    {"ShardMissing", [](const std::string& prefix) { std::filesystem::remove(io::DataFileName(prefix, 0, 1)); },
     "NotFoundError: {P}.data-00000-of-00001; No such file or directory", nullptr},
    {"DataShort", ChangeData([](std::string& bytes) { bytes.resize(10); }),
     "OutOfRangeError: Read less bytes than requested: TensorBundle at {P} shard 0 (4 bytes), key b", nullptr},
    {"DataFlipped", ChangeData([](std::string& bytes) { bytes[9] ^= 1; }),
     "DataLossError: TensorBundle at {P} shard 0 (4 bytes), key b, file {P}.data-00000-of-00001: Checksum does not "
     "match",
     nullptr}};

class DamagedRestore : public testing::TestWithParam<Damage> {
 protected:
  DamagedRestore() {
    EagerContext::Get().Reset();
    io::BundleWriter writer(prefix_);
    writer.Add("a", Array::Of<float>({2}, {1, 2}));
    writer.Add("b", Array::Scalar(3.0F));
    writer.Finish();
    GetParam().make(prefix_);
  }
  void ExpectError(const std::string& error, const char* start) const {
    // Errors of ops name the node first; in a graph, more text says what was being done.
    const std::string wanted = fmt::format(fmt::runtime(start), fmt::arg("P", prefix_));
    const auto colon = wanted.find(": ");
    EXPECT_THAT(error, AllOf(StartsWith(wanted.substr(0, colon + 2)), HasSubstr(wanted.substr(colon + 2))));
  }
  const io::TemporaryFolder folder_;
  const std::string prefix_ = folder_ / "m";
  const ScopedLogSink silent_{[](LogLevel, const std::string&) {}};
};
INSTANTIATE_TEST_SUITE_P(Checkpoint, DamagedRestore, testing::ValuesIn(kDamages),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(DamagedRestore, SaverInAGraph) {
  Graph graph;
  const GraphScope scope(graph);
  Session session(graph);
  const Variable a = GetVariable("a", {.initial_value = Constant(Array::Of<float>({2}, {7, 8}))});
  const Variable b = GetVariable("b", {.initial_value = Constant(9.0F)});
  session.Run(GlobalVariablesInitializer());
  Saver saver;
  ExpectError(Caught([&] { saver.Restore(&session, prefix_); }), GetParam().saver);
  EXPECT_TRUE(BitwiseEqual(session.Run(a.value()), Array::Of<float>({2}, {7, 8})));
  EXPECT_TRUE(BitwiseEqual(session.Run(b.value()), Array::Scalar(9.0F)));
}
TEST_P(DamagedRestore, SaverInEager) {
  const Variable a = MakeVariable(Tensor(Array::Of<float>({2}, {7, 8})), {.name = "a"});
  const Variable b = MakeVariable(Tensor(Array::Scalar(9.0F)), {.name = "b"});
  Saver saver(Saver::VarList{a, b});
  ExpectError(Caught([&] { saver.Restore(nullptr, prefix_); }), GetParam().saver);
  EXPECT_TRUE(BitwiseEqual(a.Read().array(), Array::Of<float>({2}, {7, 8})));
  EXPECT_TRUE(BitwiseEqual(b.Read().array(), Array::Scalar(9.0F)));
}
TEST_P(DamagedRestore, CheckpointByName) {
  const Variable a = MakeVariable(Tensor(Array::Of<float>({2}, {7, 8})), {.name = "a"});
  const Variable b = MakeVariable(Tensor(Array::Scalar(9.0F)), {.name = "b"});
  Checkpoint checkpoint({{"a", a}, {"b", b}});
  ExpectError(Caught([&] { checkpoint.Read(prefix_); }),
              GetParam().checkpoint ? GetParam().checkpoint : GetParam().saver);
  EXPECT_TRUE(BitwiseEqual(a.Read().array(), Array::Of<float>({2}, {7, 8})));
  EXPECT_TRUE(BitwiseEqual(b.Read().array(), Array::Scalar(9.0F)));
}

// The same of an object-based one: every byte of the data in turn.
TEST(DamagedRestoreOfObjects, EveryByteOfTheData) {
  EagerContext::Get().Reset();
  const io::TemporaryFolder folder;
  const ScopedLogSink silent{[](LogLevel, const std::string&) {}};
  const auto variables = [](float x, float y) {
    return std::pair(MakeVariable(Tensor(Array::Full<float>({2}, x))), MakeVariable(Tensor(Array::Scalar(y))));
  };
  const auto [x, y] = variables(1, 2);
  const std::string path = Checkpoint({{"x", x}, {"y", y}}).Write(folder / "c");
  const std::string file = io::DataFileName(path, 0, 1), sound = io::ReadFile(file);
  for (std::size_t i = 0; i < sound.size(); ++i) {
    std::string bytes = sound;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x10);
    io::WriteFile(file, bytes);
    const auto [a, b] = variables(7, 8);
    Checkpoint checkpoint({{"x", a}, {"y", b}});
    ASSERT_THAT(Caught([&] { checkpoint.Read(path); }), AllOf(StartsWith("DataLossError: "), HasSubstr(file))) << i;
    ASSERT_TRUE(BitwiseEqual(a.Read().array(), Array::Full<float>({2}, 7.0F))) << "byte " << i;
    ASSERT_TRUE(BitwiseEqual(b.Read().array(), Array::Scalar(8.0F))) << "byte " << i;
  }
}
// Object graphs that are wrong behind right checksums.
TEST(DamagedRestoreOfObjects, TheObjectGraph) {
  EagerContext::Get().Reset();
  const io::TemporaryFolder folder;
  const ScopedLogSink silent{[](LogLevel, const std::string&) {}};
  const auto error = [&](const std::string& objects) {
    io::BundleWriter writer(folder / "c");
    writer.Add("other", Array::Scalar(1.0F));
    writer.Add(kObjectGraphKey, Array::Strings({}, {objects}));
    writer.Finish();
    const Variable x = MakeVariable(Tensor(Array::Scalar(7.0F)));
    Checkpoint checkpoint({{"x", x}});
    const std::string text = Caught([&] { checkpoint.Read(folder / "c"); });
    EXPECT_EQ(x.Read().array().data<float>()[0], 7.0F);
    EXPECT_THAT(text, HasSubstr(folder / "c"));
    return text;
  };
  ObjectGraph graph;
  graph.nodes = {
      {.children = {{1, "x"}}, .has_checkpoint_values = true},
      {.attributes = {{"VARIABLE_VALUE", "x", "x/.ATTRIBUTES/VARIABLE_VALUE"}}, .has_checkpoint_values = true}};
  EXPECT_THAT(error(graph.Serialize()), AllOf(StartsWith("NotFoundError: "),
                                              HasSubstr("Key x/.ATTRIBUTES/VARIABLE_VALUE not found in checkpoint")));
  EXPECT_THAT(error("\x0a\xff"), AllOf(StartsWith("DataLossError: "), HasSubstr("Error parsing message")));
  EXPECT_THAT(error(""), AllOf(StartsWith("IndexError: "), HasSubstr("list index out of range")));
  graph.nodes[0].children[0].node = 9;
  EXPECT_THAT(error(graph.Serialize()), AllOf(StartsWith("IndexError: "), HasSubstr("list index out of range")));
}
}  // namespace
}  // namespace equiv::runtime
