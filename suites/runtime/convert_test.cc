// Checkpoints from names to objects and back, beside what TensorFlow wrote.
#include "runtime/checkpoint/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "kernels/base/error.h"
#include "kernels/io/file.h"

namespace equiv::runtime {
namespace {
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;
const std::string kGoldens = EQUIV_FIXTURES_DIR "/goldens/checkpoints/";

void ExpectSameFiles(const std::string& folder, const std::string& golden, const std::string& prefix) {
  for (const std::string& file : {prefix + ".index", prefix + ".data-00000-of-00001", std::string("checkpoint")})
    EXPECT_TRUE(io::ReadFile(folder + "/" + file) == io::ReadFile(kGoldens + golden + "/" + file)) << file;
}

// Relative paths, as the guide has them: the state file holds what it was given.
class Convert : public testing::Test {
 protected:
  void SetUp() override {
    home_ = fs::current_path();
    fs::current_path(folder_.path());
  }
  void TearDown() override { fs::current_path(home_); }
  io::TemporaryFolder folder_;
  fs::path home_;
};

TEST_F(Convert, FromNamesToObjectsAsTheGuide) {
  EXPECT_EQ(ConvertTf1ToTf2(kGoldens + "name_based_eager/tf1-ckpt-saved-in-eager", "converted-tf1-to-tf2"),
            "converted-tf1-to-tf2-1");
  ExpectSameFiles(folder_.path(), "converted_to_object_based", "converted-tf1-to-tf2-1");
}
TEST_F(Convert, FromObjectsToNamesAsTheGuide) {
  EXPECT_EQ(ConvertTf2ToTf1(kGoldens + "var_list_dict_session/tf2-ckpt-saved-in-session-1", "converted-tf2-to-tf1"),
            "converted-tf2-to-tf1");
  ExpectSameFiles(folder_.path(), "converted_to_name_based", "converted-tf2-to-tf1");
}
TEST_F(Convert, ThereAndBackGivesTheSameNamesAndBits) {
  for (const char* prefix : {"partitioned/parts", "many_keys/many", "sharded/sharded", "v1_adam_slots/by_name"}) {
    const CheckpointReader before(kGoldens + prefix);
    ASSERT_FALSE(before.ReadObjectGraph()) << prefix;
    const CheckpointReader after(ConvertTf2ToTf1(ConvertTf1ToTf2(kGoldens + prefix, "there"), "back"));
    ASSERT_EQ(after.bundle().entries().size(), before.bundle().entries().size());
    for (const io::BundleEntry& entry : before.bundle().entries())
      EXPECT_TRUE(BitwiseEqual(before.GetTensor(entry.key), after.GetTensor(entry.key))) << entry.key;
  }
}
TEST_F(Convert, TheStateFileIsReplacedOnlyWhenAsked) {
  const std::vector<ValueToSave> values = {{"a", [] { return Array::Scalar(1.0f); }}};
  WriteObjectBased("objects", values, StateFile::kKeep);
  WriteNameBased("names", values, StateFile::kKeep);
  EXPECT_FALSE(fs::exists("checkpoint"));
  WriteObjectBased("objects", values, StateFile::kReplace);
  WriteNameBased("names", values, StateFile::kKeep);
  EXPECT_EQ(io::ReadFile("checkpoint"),
            "model_checkpoint_path: \"objects\"\nall_model_checkpoint_paths: \"objects\"\n");
}
TEST_F(Convert, AFolderMeansItsLatestCheckpoint) {
  EXPECT_EQ(ConvertTf1ToTf2(kGoldens + "name_based_session", "made/folder/x"), "made/folder/x-1");
  EXPECT_TRUE(fs::exists("made/folder/x-1.index"));
}
TEST_F(Convert, NamesComeFromDictionariesThenVariablesThenPaths) {
  ObjectGraph graph;
  graph.nodes.resize(9);
  graph.nodes[0].children = {{1, "var_list"}, {2, "net"}, {3, "vars"}};
  graph.nodes[1].children = {{4, "a/b.c"}};
  graph.nodes[2].children = {{5, "w"}, {6, "v"}, {7, "u"}};
  graph.nodes[3].children = {{8, "0"}};  // a list
  const auto attribute = [&](std::size_t node, const char* full_name, const std::string& key) {
    graph.nodes[node].attributes = {{std::string(kVariableValue), full_name, key}};
    return key;
  };
  const std::vector<std::string> keys = {
      attribute(4, "other", "var_list/a.Sb..c/.ATTRIBUTES/VARIABLE_VALUE"),
      attribute(5, "dense/w", "net/w/.ATTRIBUTES/VARIABLE_VALUE"),
      attribute(6, "Variable", "net/v/.ATTRIBUTES/VARIABLE_VALUE"),
      attribute(7, "Variable", "net/u/.ATTRIBUTES/VARIABLE_VALUE"),
      attribute(8, "x", "vars/0/.ATTRIBUTES/VARIABLE_VALUE"),
      "net/w/.OPTIMIZER_SLOT/opt/m/.ATTRIBUTES/VARIABLE_VALUE",
      "table/.ATTRIBUTES/table-keys",
      "save_counter/.ATTRIBUTES/VARIABLE_VALUE",
      std::string(kObjectGraphKey),
  };
  EXPECT_THAT(NamesOfKeys(graph, keys),
              UnorderedElementsAre(Pair(keys[0], "a/b.c"), Pair(keys[1], "dense/w"), Pair(keys[2], "net/v"),
                                   Pair(keys[3], "net/u"), Pair(keys[4], "x"), Pair(keys[5], "net/w/opt/m"),
                                   Pair(keys[6], "table/table-keys")));
}
TEST_F(Convert, WhoSharesANameTakesTheNext) {
  ObjectGraph graph;
  graph.nodes.resize(4);
  graph.nodes[0].children = {{1, "n/w"}, {2, "n"}};
  graph.nodes[2].children = {{3, "w"}};
  graph.nodes[1].attributes = {{std::string(kVariableValue), "Variable", "n.Sw/.ATTRIBUTES/VARIABLE_VALUE"}};
  graph.nodes[3].attributes = {{std::string(kVariableValue), "Variable", "n/w/.ATTRIBUTES/VARIABLE_VALUE"}};
  EXPECT_THAT(NamesOfKeys(graph, {"n.Sw/.ATTRIBUTES/VARIABLE_VALUE", "n/w/.ATTRIBUTES/VARIABLE_VALUE"}),
              ElementsAre(Pair("n.Sw/.ATTRIBUTES/VARIABLE_VALUE", "n.Sw/.ATTRIBUTES/VARIABLE_VALUE"),
                          Pair("n/w/.ATTRIBUTES/VARIABLE_VALUE", "n/w/.ATTRIBUTES/VARIABLE_VALUE")));
}
TEST_F(Convert, WhatCannotBeConvertedLeavesNothing) {
  EXPECT_THROW(ConvertTf2ToTf1(kGoldens + "name_based_session", "x"), ValueError);
  EXPECT_THROW(ConvertTf2ToTf1(kGoldens + "variables_list_eager", "absent/x"), ValueError);
  EXPECT_THROW(ConvertTf1ToTf2("absent", "x"), NotFoundError);
  const Array one = Array::Scalar(1.0f);
  const auto value = [&](std::string name) { return ValueToSave{std::move(name), [&] { return one; }}; };
  EXPECT_THROW(WriteObjectBased("x", std::vector{value("\xff")}, StateFile::kReplace), InvalidArgumentError);
  EXPECT_THROW(WriteObjectBased("x", std::vector{value("a"), value("a")}, StateFile::kReplace), InvalidArgumentError);
  EXPECT_THROW(WriteNameBased("x", {value("a"), value("a")}, StateFile::kReplace), InvalidArgumentError);
  EXPECT_THROW(WriteNameBased("x", {value("")}, StateFile::kReplace), InvalidArgumentError);
  EXPECT_THROW(
      WriteNameBased("x", {{"a", []() -> Array { throw DataLossError("from the source"); }}}, StateFile::kReplace),
      DataLossError);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}
}  // namespace
}  // namespace equiv::runtime
