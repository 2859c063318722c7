#include "equiv/compare/tensor_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equiv/compare/printable.h"
#include "kernels/base/error.h"

namespace equiv {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
const std::string kCheckpoints = EQUIV_FIXTURES_DIR "/goldens/checkpoints/";

TEST(CheckpointSource, ListsKeysWithoutTheRowsOfSlices) {
  EXPECT_EQ(CheckpointSource(kCheckpoints + "dtypes/dtypes").kind(), "object-based checkpoint");
  const CheckpointSource source(kCheckpoints + "partitioned/parts");
  EXPECT_EQ(source.kind(), "name-based checkpoint");
  EXPECT_FALSE(source.object_based());
  EXPECT_FALSE(source.bundle().slice_entries().empty());
  EXPECT_EQ(source.tensors().size(), source.bundle().entries().size());
  for (const TensorInfo& info : source.tensors())
    EXPECT_TRUE(BitwiseEqual(source.Read(info), source.bundle().Read(info.name))) << info.name;
}
TEST(TensorInfo, TooManyElementsAreNoNumber) {
  EXPECT_EQ((TensorInfo{.shape = {std::int64_t{1} << 40, std::int64_t{1} << 40}}).NumElements(), std::nullopt);
  EXPECT_EQ((TensorInfo{.shape = {std::int64_t{1} << 40, std::int64_t{1} << 40, 0}}).NumElements(), 0);
  EXPECT_EQ((TensorInfo{.shape = {}}).NumElements(), 1);
}
TEST(NearestNames, PrefersFewEditsAndParts) {
  const std::vector<std::string> names = {"conv1/kernel", "conv2/kernel", "conv1/bias", "logits"};
  EXPECT_THAT(NearestNames("conv1/kernl", names, 1), ElementsAre("conv1/kernel"));
  EXPECT_THAT(NearestNames("bias", names, 1), ElementsAre("conv1/bias"));
  EXPECT_THAT(NearestNames("zzzzzzzz", names, 3), ElementsAre());
}
TEST(Printable, KeepsTextAndShowsTheRest) {
  EXPECT_EQ(Printable("a b/\u00e9\u65e5\U0001f600"), "a b/\u00e9\u65e5\U0001f600");
  EXPECT_EQ(Printable("a\nb\t\x1b[31m\x7f\\"), "a\\nb\\t\\x1b[31m\\x7f\\\\");
  EXPECT_EQ(Printable("\xff\xc2\x9bx\xc3"), "\\xff\\xc2\\x9bx\\xc3");
  EXPECT_EQ(Printable("\xc2"), "\\xc2");
}
TEST(Printable, KnowsUtf8) {
  EXPECT_TRUE(IsUtf8("\u0080\u07ff\u0800\uffff\U00010000\U0010ffff"));
  for (const char* bad : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80",
                          "\xe2\x82", "\xf0\x9f\x98"})
    EXPECT_FALSE(IsUtf8(bad));
}
}  // namespace
}  // namespace equiv
