// Rules about the source tree itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {
namespace fs = std::filesystem;
const fs::path kRoot = EQUIV_SOURCE_DIR;

std::string Read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
std::vector<fs::path> Sources(std::initializer_list<const char*> folders) {
  std::vector<fs::path> files;
  for (const char* folder : folders)
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder))
      if (entry.is_regular_file() && (entry.path().extension() == ".h" || entry.path().extension() == ".cc"))
        files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}
const auto kAll = {"kernels", "runtime", "equiv", "fixtures", "tools", "suites"};
std::string Relative(const fs::path& path) { return fs::relative(path, kRoot).generic_string(); }

struct Layer {
  std::string folder;
  std::vector<std::string> may_include;
};
// design: tools -> equiv/harness -> runtime -> kernels/ops -> kernels/{cpu,onednn} -> kernels/base; comparators stand
// alone.
const std::vector<Layer> kLayers = {
    {"kernels/base/", {"kernels/base/"}},
    {"kernels/io/", {"kernels/io/", "kernels/proto/", "kernels/base/"}},
    {"kernels/cpu/", {"kernels/cpu/", "kernels/base/"}},
    {"kernels/onednn/", {"kernels/onednn/", "kernels/cpu/", "kernels/base/"}},
    {"kernels/ops/", {"kernels/ops/", "kernels/onednn/", "kernels/cpu/", "kernels/io/", "kernels/base/"}},
    {"runtime/", {"runtime/", "kernels/ops/", "kernels/io/", "kernels/proto/", "kernels/base/"}},
    {"equiv/compare/", {"equiv/compare/", "kernels/io/", "kernels/base/"}},
    {"equiv/report/", {"equiv/report/", "equiv/compare/", "kernels/base/"}},
    {"equiv/harness/", {"equiv/harness/", "equiv/compare/", "runtime/", "kernels/io/", "kernels/base/"}},
    {"equiv/programs/", {"equiv/programs/", "equiv/harness/", "runtime/", "kernels/base/"}},
    {"equiv/gtest/", {"equiv/gtest/", "equiv/harness/", "equiv/report/", "equiv/compare/", "kernels/base/"}},
    {"fixtures/", {"fixtures/", "runtime/", "equiv/harness/", "kernels/base/"}},
    {"tools/", {"tools/", "fixtures/", "equiv/", "runtime/", "kernels/io/", "kernels/base/"}},
};

TEST(Repository, IncludesFollowTheLayers) {
  const std::regex include("(^|\n)#include \"([^\"]+)\"");
  for (const fs::path& file : Sources({"kernels", "runtime", "equiv", "fixtures", "tools"})) {
    const std::string name = Relative(file), text = Read(file);
    if (name == "equiv/equiv.h") continue;  // the one header of users includes all it offers
    const auto layer = std::ranges::find_if(kLayers, [&](const Layer& l) { return name.starts_with(l.folder); });
    ASSERT_NE(layer, kLayers.end()) << name << " lies in no known layer";
    for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it) {
      const std::string target = (*it)[2];
      EXPECT_TRUE(std::ranges::any_of(layer->may_include, [&](const std::string& f) { return target.starts_with(f); }))
          << name << " includes " << target;
    }
  }
}
TEST(Repository, PublicHeadersNameNoForeignType) {
  const std::regex foreign(
      "#include <(Eigen|google/protobuf|leveldb|snappy|zip|oneapi|dnnl|cudnn|cuda|nlohmann|fmt|kainjow|re2)");
  for (const fs::path& file : Sources({"kernels/base", "kernels/io", "kernels/ops", "runtime", "equiv"}))
    if (file.extension() == ".h") {
      const std::string text = Read(file);
      if (text.find("Private to equiv/") != std::string::npos) continue;
      EXPECT_FALSE(std::regex_search(text, foreign)) << Relative(file);
    }
}
TEST(Repository, FilesStayReadable) {
  for (const fs::path& file : Sources(kAll)) {
    const std::string text = Read(file);
    EXPECT_LE(std::ranges::count(text, '\n'), 600) << Relative(file);
    if (file.extension() == ".h") {
      EXPECT_NE(text.find("#pragma once"), std::string::npos) << Relative(file);
    }
  }
}
TEST(Repository, ContractionIsOffAndFastMathStaysOut) {
  EXPECT_NE(Read(kRoot / "cmake/EquivOptions.cmake").find("-ffp-contract=off"), std::string::npos);
  const std::regex fast("-ffast-math|-Ofast|-funsafe-math|-fassociative-math|-ffp-contract=(fast|on)");
  for (const auto& entry : fs::recursive_directory_iterator(kRoot)) {
    const std::string name = Relative(entry.path());
    if (name.starts_with("build") || name.starts_with(".git/")) continue;
    if (entry.path().filename() == "CMakeLists.txt" || entry.path().extension() == ".cmake") {
      EXPECT_FALSE(std::regex_search(Read(entry.path()), fast)) << name;
    }
  }
}
TEST(Repository, SkippedTestsSayWhy) {
  const std::regex bare("GTEST_SKIP\\(\\)\\s*;");
  for (const fs::path& file : Sources({"suites"})) {
    if (file.filename() == "repo_test.cc") continue;
    EXPECT_FALSE(std::regex_search(Read(file), bare)) << Relative(file);
  }
}
TEST(Repository, NoPathOfAMachine) {
  const std::regex path("(\"|'| )/(home|root|work|Users)/");
  for (const fs::path& file : Sources(kAll)) {
    if (file.filename() == "repo_test.cc") continue;
    EXPECT_FALSE(std::regex_search(Read(file), path)) << Relative(file);
  }
}
TEST(Repository, TheReadmeShowsTheExampleThatIsTested) {
  const std::string readme = Read(kRoot / "README.md"), example = Read(kRoot / "suites/consumer/dense_test.cc");
  const auto begin = example.find("namespace rt"), end = example.rfind("}") + 1;
  ASSERT_NE(begin, std::string::npos);
  EXPECT_NE(readme.find(example.substr(begin, end - begin)), std::string::npos)
      << "README.md and suites/consumer/dense_test.cc differ";
}
}  // namespace
