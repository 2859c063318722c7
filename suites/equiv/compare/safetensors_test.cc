#include "equiv/compare/safetensors.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "kernels/base/error.h"
#include "kernels/io/file.h"

namespace equiv {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
const std::string kPython = EQUIV_SOURCE_DIR "/suites/equiv/compare/data/python.safetensors";

std::string Path(const std::string& name) { return testing::TempDir() + "/" + name; }
std::unique_ptr<TensorSource> Open(const std::string& header, const std::string& data) {
  const std::uint64_t size = header.size();
  io::WriteFile(Path("x.safetensors"), std::string(reinterpret_cast<const char*>(&size), sizeof size) + header + data);
  return OpenSafetensors(Path("x.safetensors"));
}
std::string Why(const std::string& header, const std::string& data = "1234") {
  try {
    Open(header, data);
  } catch (const DataLossError& error) {
    return error.what();
  }
  return "it was accepted";
}
const std::string kA = R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";

TEST(Safetensors, ReadsWhatPythonWrites) {
  const auto source = OpenSafetensors(kPython);
  EXPECT_EQ(source->tensors().size(), 34u);
  for (const char* name : {"float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8",
                           "uint16", "uint32", "uint64", "bool"}) {
    const Array value = source->Read(std::string("b/") + name);
    EXPECT_EQ(Name(value.dtype()), name);
    EXPECT_EQ(value.shape(), Shape({2, 3}));
    EXPECT_EQ(value.ElementAsDouble(5), value.dtype() == DType::kBool ? 1 : 3) << name;
  }
  EXPECT_EQ(source->Find("a complex64")->dtype, DType::kComplex64);
  EXPECT_EQ(source->Find("b/float8_e4m3fn")->dtype, DType::kFloat8E4M3FN);
  EXPECT_EQ(source->Find("b/float8_e5m2")->dtype, DType::kFloat8E5M2);
  EXPECT_EQ(source->Read("empty").shape(), Shape({0, 3}));
  EXPECT_EQ(source->Read("a int64").data<std::int64_t>()[0], -2);
}
TEST(Safetensors, WritesTheBytesThatPythonWrites) {
  const auto source = OpenSafetensors(kPython);
  std::vector<LazyTensor> tensors;
  for (const TensorInfo& info : source->tensors())
    tensors.push_back({info.name, info.dtype, info.shape, [&source, &info] { return source->Read(info); }});
  std::ranges::reverse(tensors);  // the order is the format's
  WriteSafetensors(Path("again.safetensors"), tensors);
  EXPECT_TRUE(io::ReadFile(Path("again.safetensors")) == io::ReadFile(kPython));
}
TEST(Safetensors, MetadataAreNotes) {
  WriteSafetensors(Path("m.safetensors"), std::vector{Lazy("w", Array::Scalar(1.0f))}, {}, {{"b", "2"}, {"a", "\"\n"}});
  EXPECT_THAT(OpenSafetensors(Path("m.safetensors"))->notes(), ElementsAre("metadata a: \"\\n", "metadata b: 2"));
}
TEST(Safetensors, NoTensorsAtAll) {
  WriteSafetensors(Path("none.safetensors"), {});
  EXPECT_EQ(io::ReadFile(Path("none.safetensors")), std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
  EXPECT_TRUE(OpenSafetensors(Path("none.safetensors"))->tensors().empty());
}
TEST(Safetensors, OrderSpacesAndOtherFieldsAreFree) {
  EXPECT_EQ(Open(" {" + kA + "} \n", "1234")->tensors().size(), 1u);
  EXPECT_EQ(Open(R"({"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]},)" + kA + "}", "12345678")->tensors()[0].name,
            "a");
  EXPECT_EQ(Open(R"({"a":{"x":[[{"y":[1]}],-1.5,null],"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "1234")
                ->tensors()
                .size(),
            1u);
  EXPECT_EQ(Open(R"({"e":{"dtype":"F32","shape":[0,9223372036854775807,9],"data_offsets":[0,0]},)" + kA + "}", "1234")
                ->tensors()[0]
                .name,
            "e");
}
TEST(Safetensors, OffsetsMustCoverTheFileOnce) {
  EXPECT_THAT(Why("{" + kA + "}", "12345"), HasSubstr("tensors take 4 bytes, but 5 follow"));
  EXPECT_THAT(Why("{" + kA + "}", "123"), HasSubstr("tensors take 4 bytes, but 3 follow"));
  EXPECT_THAT(Why(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "12345678"),
              HasSubstr("'a' starts at byte 4, where 0 was expected"));
  EXPECT_THAT(Why("{" + kA + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})"), HasSubstr("overlap"));
  EXPECT_THAT(Why(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})"), HasSubstr("needs 8"));
  EXPECT_THAT(Why(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})"), HasSubstr("'a'"));
  EXPECT_THAT(Why(R"({"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,4]}})"),
              HasSubstr("too large"));
}
TEST(Safetensors, HeadersThatMakeNoSense) {
  EXPECT_THAT(Why("{" + kA + "," + kA + "}"), HasSubstr("two tensors are named 'a'"));
  EXPECT_THAT(Why(R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})"), HasSubstr("two fields"));
  EXPECT_THAT(Why(R"({"a":{"shape":[1],"data_offsets":[0,4]}})"), HasSubstr("lacks"));
  EXPECT_THAT(Why(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})"), HasSubstr("lacks"));
  EXPECT_THAT(Why(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})"), HasSubstr("negative"));
  EXPECT_THAT(Why(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})"), HasSubstr("fraction"));
  EXPECT_THAT(Why(R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})"), HasSubstr("list"));
  EXPECT_THAT(Why(R"({"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}})"), HasSubstr("number"));
  EXPECT_THAT(Why(R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}})"), HasSubstr("'a'"));
  EXPECT_THAT(Why(R"({"__metadata__":{"k":1},)" + kA + "}"), HasSubstr("'k' of '__metadata__' is a number"));
  EXPECT_THAT(Why(R"({"__metadata__":{"k":{}},)" + kA + "}"), HasSubstr("object"));
  EXPECT_THAT(Why("[]"), HasSubstr("no object"));
  EXPECT_THAT(Why("{\"a\":1}"), HasSubstr("no object"));
  EXPECT_THAT(Why("7"), HasSubstr("no object"));
  EXPECT_THAT(Why(""), HasSubstr("no JSON"));
  EXPECT_THAT(Why("{" + kA), HasSubstr("no JSON"));
  EXPECT_THAT(Why("{\"\xff\":{}}"), HasSubstr("no JSON"));
  EXPECT_THAT(Why(std::string(1000000, '[')), HasSubstr("no object"));
  EXPECT_THAT(Why(R"({"a":{"x":)" + std::string(1000000, '[')), HasSubstr("no JSON"));
  EXPECT_THROW(Open(R"({"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}})", "1"), UnimplementedError);
}
TEST(Safetensors, TheHeadersLengthIsBounded) {
  const auto open = [](const std::string& bytes) {
    io::WriteFile(Path("x.safetensors"), bytes);
    return OpenSafetensors(Path("x.safetensors"));
  };
  EXPECT_THROW(open(""), DataLossError);
  EXPECT_THROW(open("1234567"), DataLossError);
  EXPECT_THROW(open(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10)), DataLossError);
  EXPECT_THROW(open(std::string("\x00\xe0\xf5\x05\0\0\0\0{}", 10)), DataLossError);
  EXPECT_THROW(open(std::string("\x03\0\0\0\0\0\0\0{}", 10)), DataLossError);
  EXPECT_THROW(OpenSafetensors(Path("absent.safetensors")), NotFoundError);
  EXPECT_THROW(OpenSafetensors(testing::TempDir()), NotFoundError);
  EXPECT_THROW(OpenSafetensors("/dev/zero"), NotFoundError);
}
TEST(Safetensors, RefusesBeforeAnythingIsWritten) {
  std::filesystem::remove(Path("refused.safetensors"));
  const auto write = [](std::vector<LazyTensor> tensors) { WriteSafetensors(Path("refused.safetensors"), tensors); };
  const Array one = Array::Scalar(1.0f);
  EXPECT_THROW(write({Lazy("s", Array::Strings({}, {"x"}))}), UnimplementedError);
  EXPECT_THROW(write({Lazy("z", Array(DType::kComplex128, {1}))}), UnimplementedError);
  EXPECT_THROW(write({Lazy("a", one), Lazy("a", one)}), InvalidArgumentError);
  EXPECT_THROW(write({Lazy("a", one), Lazy("a", Array::Scalar(1))}), InvalidArgumentError);
  EXPECT_THROW(write({Lazy("__metadata__", one)}), InvalidArgumentError);
  EXPECT_THROW(write({Lazy("\xff", one)}), InvalidArgumentError);
  EXPECT_THROW(write({{"a", DType::kFloat32, {2}, [&] { return one; }}}), InternalError);
  for (const auto& entry : std::filesystem::directory_iterator(testing::TempDir()))
    EXPECT_FALSE(entry.path().filename().string().starts_with("refused.")) << entry.path();
}
}  // namespace
}  // namespace equiv
