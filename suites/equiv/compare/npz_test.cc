#include "equiv/compare/npz.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <complex>
#include <cstring>
#include <filesystem>

#include "kernels/base/error.h"
#include "kernels/io/file.h"

namespace equiv {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
const std::string kData = EQUIV_SOURCE_DIR "/suites/equiv/compare/data/";

std::string Path(const std::string& name) { return testing::TempDir() + "/" + name; }

// What data/generate.py stores under n/DTYPE.
Array Numbers(DType dtype) {
  Array a(dtype, {2, 3});
  for (std::int64_t i = 0; i < 6; ++i) {
    const auto v = static_cast<double>(i - 2);
    const auto set = [&](auto value) {
      std::memcpy(a.raw() + static_cast<std::size_t>(i) * sizeof value, &value, sizeof value);
    };
    if (dtype == DType::kFloat32) set(static_cast<float>(v));
    if (dtype == DType::kFloat64) set(v);
    if (dtype == DType::kFloat16) set(Float16(static_cast<float>(v)));
    if (dtype == DType::kBFloat16) set(BFloat16(static_cast<float>(v)));
    if (dtype == DType::kBool) set(v != 0);
    if (dtype == DType::kComplex64) set(std::complex<float>(static_cast<float>(v), static_cast<float>(i) / 2));
    if (dtype == DType::kComplex128) set(std::complex<double>(v, static_cast<double>(i) / 2));
    if (IsInteger(dtype)) {
      const std::int64_t wide = i - 2;
      std::memcpy(a.raw() + static_cast<std::size_t>(i) * SizeOf(dtype), &wide, SizeOf(dtype));
    }
  }
  return a;
}

TEST(Npz, ReadsWhatNumPyWrites) {
  const auto source = OpenNpz(kData + "numpy.npz");
  EXPECT_EQ(source->kind(), "npz");
  for (const char* name : {"float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8",
                           "uint16", "uint32", "uint64", "bool", "complex64", "complex128"}) {
    const TensorInfo* info = source->Find(std::string("n/") + name);
    ASSERT_TRUE(info) << name;
    EXPECT_EQ(Name(info->dtype), name);
    EXPECT_EQ(info->ShapeText(), "[2,3]");
    EXPECT_TRUE(BitwiseEqual(source->Read(*info), Numbers(info->dtype))) << name;
  }
  EXPECT_TRUE(BitwiseEqual(source->Read("fortran"), Numbers(DType::kFloat32)));
  EXPECT_TRUE(BitwiseEqual(source->Read("big"), Numbers(DType::kFloat64)));
  EXPECT_TRUE(BitwiseEqual(source->Read("big_complex"), Numbers(DType::kComplex64)));
  EXPECT_TRUE(BitwiseEqual(source->Read("scalar"), Array::Scalar(1.5f)));
  EXPECT_TRUE(BitwiseEqual(source->Read("empty"), Array::Of<std::int32_t>({0, 3}, {})));
  EXPECT_THAT(source->Read("bytes").strings(), ElementsAre("abc", "", std::string("a\0b", 3)));
  EXPECT_THAT(source->Read("fortran_strings").strings(), ElementsAre("a", "b", "c", "d", "e", "f"));
  EXPECT_THAT(source->Read("text").strings(), ElementsAre("h\u00e9", "\u65e5\u672c", "\U0001f600", ""));
  EXPECT_EQ(source->Read("no_text").num_elements(), 0);
}
TEST(Npz, NamesAreThoseNumPyShows) {
  const auto source = OpenNpz(kData + "numpy.npz");
  const std::pair<const char*, std::int64_t> names[] = {
      {"x.npy", 1}, {"../up", 2}, {"\u00e9 space", 3}, {"dot.", 4}, {"", 5}};
  for (const auto& [name, value] : names) EXPECT_EQ(source->Read(name).data<std::int64_t>()[0], value) << name;
  EXPECT_EQ(source->tensors().front().name, "n/float32");
}
TEST(Npz, ReadsDeflatedMembers) {
  const auto source = OpenNpz(kData + "numpy_deflated.npz");
  EXPECT_TRUE(BitwiseEqual(source->Read("zeros"), Array::Full<float>({300, 300}, 0)));
  EXPECT_EQ(source->Read("ramp").data<std::int32_t>()[49], 47);
}
TEST(Npz, RoundTripsEveryTensor) {
  const auto source = OpenNpz(kData + "numpy.npz");
  std::vector<LazyTensor> tensors;
  for (const TensorInfo& info : source->tensors())
    tensors.push_back({info.name, info.dtype, info.shape, [&source, &info] { return source->Read(info); }});
  std::vector<std::string> told;
  WriteNpz(Path("again.npz"), tensors, [&](const std::string& name) { told.push_back(name); });
  EXPECT_EQ(told.size(), tensors.size());
  const auto again = OpenNpz(Path("again.npz"));
  ASSERT_EQ(again->tensors().size(), source->tensors().size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(again->tensors()[i].name, source->tensors()[i].name);
    EXPECT_TRUE(BitwiseEqual(again->Read(again->tensors()[i]), source->Read(source->tensors()[i]))) << tensors[i].name;
  }
  const std::string first = io::ReadFile(Path("again.npz"));
  WriteNpz(Path("again.npz"), tensors);
  EXPECT_TRUE(io::ReadFile(Path("again.npz")) == first) << "the same tensors give other bytes";
}
TEST(Npz, AnEmptyArchiveHoldsNothing) {
  WriteNpz(Path("none.npz"), {});
  EXPECT_TRUE(OpenNpz(Path("none.npz"))->tensors().empty());
}
TEST(Npz, EveryTruncationIsNoticed) {
  const std::string whole = io::ReadFile(kData + "numpy_deflated.npz");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    io::WriteFile(Path("cut.npz"), whole.substr(0, n));
    EXPECT_THROW(OpenNpz(Path("cut.npz")), DataLossError) << n;
  }
}
// A flipped byte is an error, or lies where nothing depends on it: never a crash, never other numbers.
TEST(Npz, EveryFlippedByteIsNoticedOrHarmless) {
  const auto good = OpenNpz(kData + "numpy_deflated.npz");
  const std::string whole = io::ReadFile(kData + "numpy_deflated.npz");
  int noticed = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x55);
    io::WriteFile(Path("flipped.npz"), bytes);
    try {
      const auto source = OpenNpz(Path("flipped.npz"));
      for (const TensorInfo& info : source->tensors()) {
        const Array value = source->Read(info);
        if (const TensorInfo* same = good->Find(info.name)) {
          EXPECT_TRUE(BitwiseEqual(value, good->Read(*same))) << i;
        }
      }
    } catch (const Error&) {
      ++noticed;
    }
  }
  EXPECT_GT(noticed, static_cast<int>(whole.size() / 2));
}
TEST(Npz, DataAreCheckedAgainstTheirChecksum) {
  WriteNpz(Path("sum.npz"), std::vector{Lazy("a", Array::Of<float>({4}, {1, 2, 3, 4}))});
  std::string bytes = io::ReadFile(Path("sum.npz"));
  const float two = 2;
  bytes[bytes.find(std::string_view(reinterpret_cast<const char*>(&two), 4)) + 1] ^= 1;
  io::WriteFile(Path("sum.npz"), bytes);
  const auto source = OpenNpz(Path("sum.npz"));
  EXPECT_THROW(source->Read("a"), DataLossError);
}
TEST(Npz, WhatIsNoArrayIsLeftOutAndNamed) {
  // A member without ".npy": numpy.load gives its bytes, and takes it for an array when it is one.
  WriteNpz(Path("odd.npz"), std::vector{Lazy("readme.txt", Array::Scalar(1.0f)), Lazy("b", Array::Scalar(2.0f))});
  std::string bytes = io::ReadFile(Path("odd.npz"));
  for (std::size_t at = 0; (at = bytes.find("readme.txt.npy", at)) != std::string::npos; ++at)
    bytes.replace(at, 14, "readme.npy.txt");
  io::WriteFile(Path("odd.npz"), bytes);
  EXPECT_EQ(OpenNpz(Path("odd.npz"))->Read("readme.npy.txt").data<float>()[0], 1.0f);
  bytes[bytes.find("\x93NUMPY")] = 'x';
  io::WriteFile(Path("odd.npz"), bytes);
  const auto source = OpenNpz(Path("odd.npz"));
  ASSERT_EQ(source->tensors().size(), 1u);
  EXPECT_THAT(source->notes(), ElementsAre(HasSubstr("1 member is no array: readme.npy.txt")));
}
TEST(Npz, RefusesBeforeAnythingIsWritten) {
  std::filesystem::remove(Path("refused.npz"));
  const auto write = [](std::vector<LazyTensor> tensors) { WriteNpz(Path("refused.npz"), tensors); };
  const Array one = Array::Scalar(1.0f);
  EXPECT_THROW(write({Lazy("a", one), Lazy("a", one)}), InvalidArgumentError);
  EXPECT_THROW(write({Lazy(std::string("a\0b", 3), one)}), InvalidArgumentError);
  EXPECT_THROW(write({Lazy("\xff", one)}), InvalidArgumentError);
  EXPECT_THROW(write({Lazy(std::string(70000, 'a'), one)}), InvalidArgumentError);
  EXPECT_THROW(write({Lazy("a", Array(DType::kInt4, {2}))}), UnimplementedError);
  EXPECT_THROW(write({Lazy("a", one), Lazy("s", Array::Strings({}, {std::string("x\0", 2)}))}), UnimplementedError);
  EXPECT_THROW(write({{"a", DType::kFloat32, {2}, [&] { return one; }}}), InternalError);
  EXPECT_THROW(write({{"a", DType::kFloat32, {}, []() -> Array { throw DataLossError("from the source"); }}}),
               DataLossError);
  for (const auto& entry : std::filesystem::directory_iterator(testing::TempDir()))
    EXPECT_FALSE(entry.path().filename().string().starts_with("refused.npz")) << entry.path();
  EXPECT_THROW(WriteNpz(Path("absent/x.npz"), std::vector{Lazy("a", one)}), NotFoundError);
  EXPECT_THROW(WriteNpz(testing::TempDir(), std::vector{Lazy("a", one)}), FailedPreconditionError);
}
TEST(Npz, WhatIsNoFileIsNotOpened) {
  EXPECT_THROW(OpenNpz(Path("absent.npz")), NotFoundError);
  EXPECT_THROW(OpenNpz(testing::TempDir()), NotFoundError);
  EXPECT_THROW(OpenNpz("/dev/zero"), NotFoundError);
  io::WriteFile(Path("text.npz"), "hello");
  EXPECT_THROW(OpenNpz(Path("text.npz")), DataLossError);
}
TEST(Npz, AMissingNameIsAnsweredWithTheNearest) {
  const auto source = OpenNpz(kData + "numpy.npz");
  try {
    source->Read("n/flot32");
    FAIL();
  } catch (const NotFoundError& error) {
    EXPECT_THAT(error.what(), HasSubstr("near it: 'n/float32'"));
  }
}
}  // namespace
}  // namespace equiv
