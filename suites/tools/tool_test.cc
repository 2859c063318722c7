// The binary `equiv` as a user meets it: output, files, exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "suites/tools/equiv_binary.h"

namespace {
using equiv::suites::Equiv;
using equiv::suites::Ran;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class Tool : public equiv::suites::ToolFolder {
 protected:
  std::string Outputs() const { return " --html " + In("r.html") + " --json " + In("r.json"); }
};

TEST_F(Tool, ValidateWritesBothReports) {
  const Ran ran = Equiv("validate convnet" + Outputs());
  EXPECT_EQ(ran.code, 0) << ran.text;
  for (const char* stage : {"step1", "step2", "step3", "step4-inference", "step4-training", "step4-constant"})
    EXPECT_THAT(ran.text, HasSubstr(stage));
  const nlohmann::json json = nlohmann::json::parse(std::ifstream(In("r.json")));
  EXPECT_EQ(json.at("verdict"), "EQUIVALENT");
  EXPECT_EQ(json.at("stages").size(), 6u);
  EXPECT_TRUE(fs::exists(In("r.html")));
}
TEST_F(Tool, StagesCanBeChosen) {
  const Ran ran = Equiv("validate convnet --stage step2 --stage step3 --threads 1 --backend cpu" + Outputs());
  EXPECT_EQ(ran.code, 0) << ran.text;
  EXPECT_THAT(ran.text, HasSubstr("step2"));
  EXPECT_THAT(ran.text, Not(HasSubstr("step4")));
}
TEST_F(Tool, UsageErrorsExitWithTwo) {
  for (const char* arguments : {"validate nosuchmodel", "validate convnet --backend gpu",
                                "validate convnet --stage step9", "validate convnet --nosuchflag", "nosuchverb",
                                "validate convnet --threads 0", "validate convnet --rtol -1", "conformance", ""}) {
    const Ran ran = Equiv(arguments);
    EXPECT_EQ(ran.code, 2) << arguments << "\n" << ran.text;
    EXPECT_FALSE(ran.text.empty());
  }
  EXPECT_THAT(Equiv("validate nosuchmodel").text, HasSubstr("inception_resnet_v2"));
  EXPECT_THAT(Equiv("validate convnet --backend gpu").text, HasSubstr("cpu"));
}
TEST_F(Tool, UnreadableInputExitsWithThree) {
  EXPECT_EQ(Equiv("conformance " + In("absent")).code, 3);
  EXPECT_EQ(Equiv("conformance " + folder_.string()).code, 3);  // an empty folder
  std::ofstream(In("index.tsv")) << "nonsense\n";
  EXPECT_EQ(Equiv("conformance " + folder_.string()).code, 3);
  fs::remove(In("index.tsv"));
  std::ofstream(In("manifest.json")) << "{\"packs\": {";
  EXPECT_EQ(Equiv("conformance " + folder_.string()).code, 3);
  std::ofstream(In("manifest.json")) << "{\"packs\": {\"ops\": \"gone.npy\"}, \"cases\": []}";
  EXPECT_EQ(Equiv("conformance " + folder_.string()).code, 3);
  std::ofstream(In("config.json")) << "{\"model\": 7}";
  EXPECT_EQ(Equiv("conformance " + folder_.string()).code, 3);
  std::ofstream(In("x.npy")) << "not numpy";
  EXPECT_EQ(Equiv("ablate convnet --fix input=" + In("x.npy")).code, 3);
}
TEST_F(Tool, AChangedGoldenFails) {
  fs::copy(EQUIV_FIXTURES_DIR "/goldens/random", folder_,
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  std::string index;
  {
    std::ifstream in(In("index.tsv"));
    index.assign(std::istreambuf_iterator<char>(in), {});
  }
  index.replace(index.find("f6aebe8ea91d060f"), 4, "0000");
  std::ofstream(In("index.tsv")) << index;
  const Ran ran = Equiv("conformance " + folder_.string());
  EXPECT_EQ(ran.code, 1) << ran.text;
  EXPECT_THAT(ran.text, HasSubstr("1 failed"));
}
TEST_F(Tool, TracePrintsBothLedgers) {
  const Ran ran = Equiv("trace convnet --html " + In("t.html"));
  EXPECT_EQ(ran.code, 0) << ran.text;
  EXPECT_THAT(ran.text, HasSubstr("RandomUniform"));
  EXPECT_THAT(ran.text, HasSubstr("ConvNet/Conv1/weights"));
  EXPECT_TRUE(fs::exists(In("t.html")));
}
TEST_F(Tool, AblateListsEveryOp) {
  const Ran ran = Equiv("ablate convnet --all");
  EXPECT_EQ(ran.code, 0) << ran.text;
  EXPECT_THAT(ran.text, HasSubstr("Conv2D"));
  EXPECT_EQ(Equiv("ablate convnet --from nosuchop").code, 2);
}
TEST_F(Tool, ListNamesModelsBackendsAndOps) {
  const Ran ran = Equiv("list");
  EXPECT_EQ(ran.code, 0);
  for (const char* name : {"inception_resnet_v2", "cpu", "FusedBatchNormV3"}) EXPECT_THAT(ran.text, HasSubstr(name));
}
TEST_F(Tool, AnUnwritableReportIsOneError) {
  const Ran ran = Equiv("validate convnet --stage step2 --html /nonexistent/r.html --json " + In("r.json"));
  EXPECT_EQ(ran.code, 2) << ran.text;
  EXPECT_THAT(ran.text, HasSubstr("/nonexistent/r.html"));
}
}  // namespace
