#include "equiv/harness/open_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "equiv/compare/npy.h"
#include "equiv/compare/npz.h"
#include "equiv/compare/safetensors.h"
#include "kernels/base/error.h"
#include "kernels/io/file.h"

namespace equiv {
namespace {
using testing::HasSubstr;
namespace fs = std::filesystem;
const std::string kCheckpoints = EQUIV_FIXTURES_DIR "/goldens/checkpoints/";

std::string Why(const std::string& path) {
  try {
    return "opened " + OpenTensorSource(path)->kind();
  } catch (const Error& error) {
    return error.Describe();
  }
}

TEST(OpenTensorSource, KnowsEveryKind) {
  const io::TemporaryFolder folder;
  const std::vector<LazyTensor> tensors = {Lazy("a", Array::Scalar(1.0f))};
  WriteNpz(folder / "x.npz", tensors);
  WriteSafetensors(folder / "x.safetensors", tensors);
  EXPECT_EQ(Why(folder / "x.npz"), "opened npz");
  EXPECT_EQ(Why(folder / "x.safetensors"), "opened safetensors");
  fs::copy_file(folder / "x.npz", folder / "one");  // by their first bytes
  fs::copy_file(folder / "x.safetensors", folder / "two");
  EXPECT_EQ(Why(folder / "one"), "opened npz");
  EXPECT_EQ(Why(folder / "two"), "opened safetensors");
  WriteNpy(folder / "x.npy", Array::Scalar(1.0f));
  EXPECT_EQ(Why(folder / "x.npy"), "opened npy");
  EXPECT_EQ(OpenTensorSource(folder / "x.npy")->Read("arr_0").data<float>()[0], 1.0f);
  EXPECT_EQ(Why(kCheckpoints + "partitioned/parts"), "opened name-based checkpoint");
  EXPECT_EQ(Why(kCheckpoints + "partitioned/parts.index"), "opened name-based checkpoint");
  EXPECT_EQ(Why(kCheckpoints + "partitioned"), "opened name-based checkpoint");
  EXPECT_EQ(Why(kCheckpoints + "converted_to_object_based/"), "opened object-based checkpoint");
}
TEST(OpenTensorSource, SaysWhatItLookedFor) {
  const io::TemporaryFolder folder;
  EXPECT_THAT(Why(folder / "absent"), HasSubstr("NotFoundError: nothing is at"));
  EXPECT_THAT(Why(folder / "absent"), HasSubstr("absent.index"));
  EXPECT_THAT(Why(""), HasSubstr("empty path"));
  EXPECT_THAT(Why("/dev/null"), HasSubstr("no regular file"));
  EXPECT_THAT(Why(folder.path()), HasSubstr("without the state file 'checkpoint' or 'recording.json'"));
  io::WriteFile(folder / "text", "hello, world");
  EXPECT_THAT(Why(folder / "text"), HasSubstr("neither an .npz, .npy nor .safetensors file"));
  io::WriteFile(folder / "empty", "");
  EXPECT_THAT(Why(folder / "empty"), HasSubstr("neither"));
  io::WriteFile(folder / "bad.npz", "hello, world");
  EXPECT_THAT(Why(folder / "bad.npz"), HasSubstr("DataLossError"));
  EXPECT_THAT(Why(kCheckpoints + "partitioned/part"), HasSubstr("checkpoints like it: '"));
  EXPECT_THAT(Why(kCheckpoints + "partitioned/part"), HasSubstr("partitioned/parts'"));
}
TEST(OpenTensorSource, AStateFileMayNameNothing) {
  const io::TemporaryFolder folder;
  io::WriteFile(folder / "checkpoint", "model_checkpoint_path: \"gone-1\"\n");
  EXPECT_THAT(Why(folder.path()), HasSubstr("names no checkpoint that is there"));
  for (const char* file : {"parts.index", "parts.data-00000-of-00001"})
    fs::copy_file(kCheckpoints + "partitioned/" + file, folder / file);
  EXPECT_THAT(Why(folder.path()), HasSubstr("checkpoints in it: '" + (folder / "parts") + "'"));
}
TEST(OpenTensorSource, TwoThingsAreOneTooMany) {
  const io::TemporaryFolder folder;
  for (const char* file : {"parts.index", "parts.data-00000-of-00001"})
    fs::copy_file(kCheckpoints + "partitioned/" + file, folder / file);
  fs::create_directory(folder / "parts");
  EXPECT_EQ(Why(folder / "parts"), "opened name-based checkpoint");  // a folder without tensors is in nobody's way
  fs::copy_file(kCheckpoints + "partitioned/checkpoint", folder / "parts/checkpoint");
  EXPECT_THAT(Why(folder / "parts"), HasSubstr("InvalidArgumentError"));
  EXPECT_THAT(Why(folder / "parts"), HasSubstr("both a folder"));
  EXPECT_EQ(Why(folder / "parts.index"), "opened name-based checkpoint");
  io::WriteFile(folder / "parts/recording.json", "{}");
  EXPECT_THAT(Why(folder / "parts/"), HasSubstr("both a state file"));
}
TEST(OpenTensorSource, VariablesOfObjectBasedCheckpointsHaveNames) {
  const auto source = OpenTensorSource(kCheckpoints + "converted_to_object_based");
  EXPECT_EQ(source->Find("vars/scoped.Sc/.ATTRIBUTES/VARIABLE_VALUE")->variable, "scoped/c");
  EXPECT_EQ(source->Find("save_counter/.ATTRIBUTES/VARIABLE_VALUE")->variable, "");
  const auto list = OpenTensorSource(kCheckpoints + "variables_list_eager");
  for (const TensorInfo& info : list->tensors())
    if (info.name.starts_with("variables/")) {
      EXPECT_THAT(info.variable, testing::AnyOf("a", "b", "scoped/c", "variables/2", "variables/3")) << info.name;
    }
}
}  // namespace
}  // namespace equiv
