// What the documents claim, read from the documents themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "kernels/io/file.h"
#include "kernels/io/tensor_bundle.h"

namespace equiv {
namespace {
const std::string kRoot = EQUIV_SOURCE_DIR;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::stringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}
// Without spaces and comments: formatting differs between a page and a function.
std::string Code(const std::string& text) {
  std::string code;
  for (std::string line : Lines(text)) {
    line = line.substr(0, line.find("//"));
    std::erase_if(line, [](char c) { return c == ' '; });
    code += line;
  }
  return code;
}

// Every example of these documents stands in a test here, which compiles and runs it.
TEST(Docs, ExamplesAreTested) {
  std::string tested;
  for (const auto& entry : std::filesystem::directory_iterator(kRoot + "/suites/docs"))
    if (entry.path().string().ends_with("_examples_test.cc")) tested += Code(io::ReadFile(entry.path().string()));
  for (const char* name : {"checkpoints.md", "graphs.md"}) {
    const std::string text = io::ReadFile(kRoot + "/docs/" + name);
    int examples = 0;
    for (std::size_t at = 0; (at = text.find("```cpp\n", at)) != std::string::npos; ++examples) {
      at += 7;
      const std::string example = text.substr(at, text.find("```", at) - at);
      EXPECT_NE(tested.find(Code(example)), std::string::npos) << name << ":\n" << example;
    }
    EXPECT_GE(examples, 3) << name;
  }
}

// Files by name, from lines "    00000000: 00 00 06 ...  text" below a line with the name.
std::map<std::string, std::string> Dumps(const std::string& document) {
  std::map<std::string, std::string> files;
  std::string name;
  for (const std::string& line : Lines(document)) {
    if (line.starts_with("    m.")) name = line.substr(4);
    if (name.empty() || !line.starts_with("    000")) continue;
    std::stringstream bytes(line.substr(14, 3 * 16));
    for (std::string byte; bytes >> byte;) files[name] += static_cast<char>(std::stoi(byte, nullptr, 16));
  }
  return files;
}
TEST(Docs, TheDumpedCheckpointIsReadAndWritten) {
  const std::map<std::string, std::string> files = Dumps(io::ReadFile(kRoot + "/docs/checkpoints.md"));
  ASSERT_EQ(files.size(), 2u);
  const io::TemporaryFolder shown, ours;
  for (const auto& [name, bytes] : files) io::WriteFile(shown / name, bytes);
  const io::BundleReader reader(shown / "m");
  ASSERT_EQ(reader.entries().size(), 2u);
  EXPECT_TRUE(BitwiseEqual(reader.Read("a"), Array::Of<float>({2}, {1, 2})));
  EXPECT_THAT(reader.Read("s").strings(), testing::ElementsAre("hi"));
  io::BundleWriter writer(ours / "m");
  writer.Add("a", Array::Of<float>({2}, {1, 2}));
  writer.Add("s", Array::Strings({}, {"hi"}));
  writer.Finish();
  for (const auto& [name, bytes] : files) EXPECT_EQ(io::ReadFile(ours / name), bytes) << name;
}

// Links between documents lead somewhere.
TEST(Docs, LinksLeadToFiles) {
  std::vector<std::filesystem::path> pages = {kRoot + "/README.md"};
  for (const auto& entry : std::filesystem::directory_iterator(kRoot + "/docs"))
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  for (const std::filesystem::path& page : pages) {
    const std::string text = io::ReadFile(page.string());
    for (std::size_t at = 0; (at = text.find("](", at)) != std::string::npos;) {
      at += 2;
      const std::string target = text.substr(at, text.find_first_of(")#", at) - at);
      if (target.find("://") != std::string::npos || !target.ends_with(".md")) continue;
      EXPECT_TRUE(std::filesystem::exists(page.parent_path() / target)) << page << " links to " << target;
    }
  }
}
}  // namespace
}  // namespace equiv
