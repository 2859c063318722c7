// equiv inspect, compare, convert and run as a user meets them: output, files, exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "equiv/compare/npy.h"
#include "equiv/compare/npz.h"
#include "equiv/compare/safetensors.h"
#include "kernels/io/file.h"
#include "runtime/checkpoint/convert.h"
#include "suites/tools/equiv_binary.h"

namespace equiv {
namespace {
using nlohmann::json;
using suites::Equiv;
using suites::Ran;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;
const std::string kGoldens = EQUIV_FIXTURES_DIR "/goldens/checkpoints/";
const std::string kDtypes = kGoldens + "dtypes/dtypes";
const std::string kNames = kGoldens + "v1_adam_slots/by_name";
const std::string kObjects = kGoldens + "v1_adam_slots/by_object-1";

class FilesTool : public suites::ToolFolder {
 protected:
  using Tensors = std::vector<std::pair<std::string, Array>>;
  std::string Npz(const std::string& name, const Tensors& tensors) const {
    std::vector<LazyTensor> lazy;
    for (const auto& [key, array] : tensors) lazy.push_back(Lazy(key, array));
    WriteNpz(In(name), lazy);
    return In(name);
  }
  std::string Text(const std::string& name, const std::string& text) const {
    io::WriteFile(In(name), text);
    return In(name);
  }
  std::size_t FilesLeft() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  static json Json(const std::string& arguments, int code = 0) {
    const Ran ran = Equiv(arguments + " --json");
    EXPECT_EQ(ran.code, code) << ran.text;
    return json::parse(ran.text, nullptr, false);
  }
};
using Inspect = FilesTool;
using CompareTool = FilesTool;
using ConvertTool = FilesTool;

const Array kVector = Array::Of<float>({2}, {1, 2});
template <class T>
Array Complex(DType dtype, std::complex<T> value) {
  Array array(dtype, Shape{1});
  std::memcpy(array.raw(), &value, sizeof value);
  return array;
}

TEST_F(Inspect, ListsKeysShapesAndStatistics) {
  const std::string file = Npz("a.npz", {{"net/w", Array::Of<float>({2, 2}, {1, 2, 3, 6})},
                                         {"step", Array::Scalar(std::int64_t{7})},
                                         {"odd", Array::Of<float>({3}, {0, std::nanf(""), -INFINITY})},
                                         {"none", Array::Of<double>({0, 3}, {})},
                                         {"text", Array::Strings({2}, {"ab", ""})}});
  const Ran ran = Equiv("inspect " + file);
  EXPECT_EQ(ran.code, 0);
  for (const char* line : {"a.npz: npz\n", "  net/w  float32[2,2]  min 1.0  max 6.0  mean 3.0  std 1.8708287\n",
                           "  step   int64[]       min 7  max 7  mean 7.0  std 0.0\n",
                           "  odd    float32[3]    min 0.0  max 0.0  mean 0.0  std 0.0  1 zeros  1 NaN  1 infinite\n",
                           "  none   float64[0,3]  no elements\n",
                           "  text   string[2]     2 strings of 0 to 2 bytes  1 empty\n", "5 tensors, "})
    EXPECT_THAT(ran.text, HasSubstr(line));
  const Ran some = Equiv("inspect --no-statistics --key 'net/*' " + file);
  EXPECT_THAT(some.text,
              AllOf(HasSubstr("  net/w  float32[2,2]\n"), Not(HasSubstr("step")), HasSubstr("1 tensor, 16 bytes")));
}
TEST_F(Inspect, ShowsTheObjectsOfACheckpoint) {
  const Ran ran = Equiv("inspect " + kObjects);
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.text, AllOf(HasSubstr("by_object-1: object-based checkpoint\n  1 shard, little-endian, producer 1\n"),
                              HasSubstr("_CHECKPOINTABLE_OBJECT_GRAPH"), HasSubstr("\nobjects ("),
                              HasSubstr("\n  (root) #0\n"), HasSubstr("slot m of #"), HasSubstr("save_counter #")));
  EXPECT_THAT(Equiv("inspect " + kNames).text, AllOf(HasSubstr("name-based checkpoint"), Not(HasSubstr("objects ("))));
}
TEST_F(Inspect, JsonHasEverything) {
  const json objects = Json("inspect " + kObjects);
  EXPECT_EQ(objects.at("kind"), "object-based checkpoint");
  EXPECT_EQ(objects.at("checkpoint").at("shards"), 1);
  EXPECT_EQ(objects.at("objects").at(0).at("id"), 0);
  EXPECT_FALSE(objects.at("objects").at(0).at("children").empty());
  EXPECT_EQ(objects.at("totals").at("tensors"), objects.at("tensors").size());
  for (const json& tensor : objects.at("tensors"))
    for (const char* key : {"name", "dtype", "shape", "bytes", "statistics"}) EXPECT_TRUE(tensor.contains(key)) << key;
  const json types = Json("inspect " + kNames);
  EXPECT_EQ(types.at("kind"), "name-based checkpoint");
  EXPECT_FALSE(types.contains("objects"));
  const json bytes = Json("inspect " + Npz("b.npz", {{"x", Array::Of<std::uint64_t>({2}, {0, ~std::uint64_t{0}})}}));
  EXPECT_EQ(bytes.at("tensors").at(0).at("statistics").at("max"), ~std::uint64_t{0});
}
TEST_F(Inspect, OtherFiles) {
  WriteNpy(In("x.npy"), kVector);
  EXPECT_THAT(Equiv("inspect " + In("x.npy")).text, AllOf(HasSubstr("x.npy: npy\n"), HasSubstr("arr_0  float32[2]")));
  const std::vector<LazyTensor> tensors = {Lazy("x", kVector)};
  WriteSafetensors(In("x.safetensors"), tensors, {}, {{"format", "pt"}});
  EXPECT_THAT(Equiv("inspect " + In("x.safetensors")).text, AllOf(HasSubstr("safetensors"), HasSubstr("pt")));
  const std::string graph = EQUIV_FIXTURES_DIR "/goldens/graphs/resnet_v1_50/graph.pb.gz";
  EXPECT_THAT(Equiv("inspect " + graph).text,
              AllOf(HasSubstr("MetaGraphDef"), HasSubstr("inputs (1)"), HasSubstr("every op is known")));
  const json listed = Json("inspect " + graph);
  EXPECT_EQ(listed.at("kind"), "MetaGraphDef");
  EXPECT_EQ(listed.at("inputs").at(0).at("op"), "Placeholder");
  EXPECT_THAT(Equiv("inspect " + kGoldens + "v1_adam_slots").text, HasSubstr("by_object-1: object-based"))
      << "a folder means its latest checkpoint";
}
TEST_F(Inspect, SaysWhatIsWrong) {
  const Ran absent = Equiv("inspect " + In("absent"));
  EXPECT_EQ(absent.code, 3);
  EXPECT_THAT(absent.text, AllOf(HasSubstr("equiv: NotFoundError"), HasSubstr("nothing is at '" + In("absent"))));
  const Ran near = Equiv("inspect " + kGoldens + "dtypes/dtype");
  EXPECT_THAT(near.text, HasSubstr("checkpoints like it: '" + kDtypes + "'"));
  const Ran text = Equiv("inspect " + Text("notes.txt", "hello"));
  EXPECT_EQ(text.code, 3);
  EXPECT_THAT(text.text, HasSubstr("neither an .npz, .npy nor .safetensors file"));
  EXPECT_EQ(Equiv("inspect " + Text("empty", "")).code, 3);
  const Ran pattern = Equiv("inspect --key nope " + kDtypes);
  EXPECT_EQ(pattern.code, 2);
  EXPECT_THAT(pattern.text, HasSubstr("--key 'nope' matches none of the"));
  EXPECT_EQ(Equiv("inspect --key 're:(' " + kDtypes).code, 2);
  EXPECT_EQ(Equiv("inspect").code, 2);

  // One damaged tensor is named and hides no other.
  for (const char* end : {".index", ".data-00000-of-00001"}) fs::copy_file(kNames + end, In(std::string("d") + end));
  std::string data = io::ReadFile(In("d.data-00000-of-00001"));
  data[0] = static_cast<char>(data[0] ^ 1);
  Text("d.data-00000-of-00001", data);
  const Ran damaged = Equiv("inspect " + In("d"));
  EXPECT_EQ(damaged.code, 3);
  EXPECT_THAT(damaged.text,
              AllOf(HasSubstr("UNREADABLE: DataLossError"), HasSubstr("Checksum does not match"), HasSubstr("mean")));
  const json row = Json("inspect " + In("d"), 3).at("tensors").at(0);
  EXPECT_TRUE(row.contains("error"));
}

TEST_F(CompareTool, EqualAndWithinTolerance) {
  const std::string a = Npz("a.npz", {{"x", kVector}, {"n", Array::Scalar(std::int32_t{1})}});
  const std::string b =
      Npz("b.npz", {{"n", Array::Scalar(std::int32_t{1})}, {"x", Array::Of<float>({2}, {1, 2.000001f})}});
  const Ran same = Equiv("compare --bitwise " + a + " " + a);
  EXPECT_EQ(same.code, 0);
  EXPECT_THAT(same.text,
              AllOf(HasSubstr("equal bits        x"), HasSubstr("3 elements compared"), HasSubstr("\nEQUIVALENT\n")));
  const Ran near = Equiv("compare " + a + " " + b);
  EXPECT_EQ(near.code, 0);
  EXPECT_THAT(near.text, HasSubstr("within tolerance  x  float32[2]  largest |A-B| 9.5367431640625e-07, 4 ULP"));
  for (const char* strict : {"--bitwise ", "--ulp 3 ", "--rtol 0 --atol 0 ", "--rtol 1e-8 "})
    EXPECT_EQ(Equiv(std::string("compare ") + strict + a + " " + b).code, 1) << strict;
  EXPECT_EQ(Equiv("compare --ulp 4 " + a + " " + b).code, 0);
}
TEST_F(CompareTool, EveryVerdictHasItsLine) {
  const std::string a = Npz("a.npz", {{"values", Array::Of<float>({2, 2}, {1, 2, 3, 4})},
                                      {"type", kVector},
                                      {"shape", kVector},
                                      {"gone", kVector},
                                      {"text", Array::Strings({2}, {"a", "b"})},
                                      {"empty", Array::Of<float>({0}, {})}});
  const std::string b = Npz("b.npz", {{"values", Array::Of<float>({2, 2}, {1, 2, 3.5f, 4})},
                                      {"type", Array::Of<double>({2}, {1, 2})},
                                      {"shape", Array::Of<float>({2, 1}, {1, 2})},
                                      {"new", Array::Scalar(1.0f)},
                                      {"text", Array::Strings({2}, {"a", "c"})},
                                      {"empty", Array::Of<float>({0}, {})}});
  const Ran ran = Equiv("compare " + a + " " + b);
  EXPECT_EQ(ran.code, 1);
  for (const char* line :
       {"! differs           values  float32[2,2]  1 of 4 differ, worst |A-B| 0.5 at [1,0] (A 3, B 3.5)\n",
        "! dtype             type    A float32[2], B float64[2]\n",
        "! shape             shape   A float32[2], B float32[2,1]\n", "! only in A         gone    float32[2]\n",
        "! only in B         new     float32[]\n",
        "! differs           text    string[2]  1 of 2 differ, first at [1]\n",
        "  empty             empty   float32[0]\n",
        "1 empty, 2 differs, 1 dtype, 1 shape, 1 only in A, 1 only in B\nDIFFERENT\n"})
    EXPECT_THAT(ran.text, HasSubstr(line));
  const json all = Json("compare " + a + " " + b, 1);
  EXPECT_EQ(all.at("verdict"), "DIFFERENT");
  EXPECT_EQ(all.at("counts").at("differs"), 2);
  EXPECT_EQ(all.at("tensors").size(), 7u);
  EXPECT_EQ(Json("compare --only-differences " + a + " " + b, 1).at("tensors").size(), 6u);
  const json one = Json("compare --ignore 't*' --ignore 're:^[^tv]' " + a + " " + b, 1);
  EXPECT_EQ(one.at("counts").at("ignored"), 10);
  EXPECT_EQ(one.at("tensors").at(0).at("worst_absolute").at("index"), 2);
}
TEST_F(CompareTool, NothingComparedIsNoAgreement) {
  const std::string a = Npz("a.npz", {{"empty", Array::Of<float>({0}, {})}});
  const Ran ran = Equiv("compare " + a + " " + a);
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.text, HasSubstr("UNTRUSTED: nothing was compared: the tensors have no elements"));
  const std::string none = Npz("none.npz", {});
  EXPECT_THAT(Equiv("compare " + none + " " + none).text, HasSubstr("neither file holds a tensor"));
}
TEST_F(CompareTool, AnyMixOfKinds) {
  // The same variables by names, by objects, and by the names of the objects.
  const Ran mixed = Equiv("compare --bitwise " + kGoldens + "name_based_session/tf1-ckpt " + kGoldens +
                          "converted_to_object_based/converted-tf1-to-tf2-1");
  EXPECT_EQ(mixed.code, 0) << mixed.text;
  EXPECT_THAT(mixed.text,
              AllOf(HasSubstr("matched by the names of variables"), HasSubstr("the checkpoint's own and set aside")));
  ASSERT_EQ(Equiv("validate convnet --stage step4-inference --record " + In("runs") + " --html " + In("r.html") +
                  " --json " + In("r.json"))
                .code,
            0);
  const std::string session = In("runs/step4-inference/session"), eager = In("runs/step4-inference/eager");
  EXPECT_EQ(Equiv("compare " + session + " " + eager + " --rtol 1e-4 --atol 1e-5").code, 0);
  ASSERT_EQ(Equiv("convert " + session + " " + In("r.safetensors")).code, 0);
  const Ran recorded = Equiv("compare --bitwise " + session + " " + In("r.safetensors"));
  EXPECT_EQ(recorded.code, 0) << recorded.text;
}
TEST_F(CompareTool, ByMappingAndByOrder) {
  const Array other = Array::Of<float>({2}, {3, 4});
  const std::string a = Npz("a.npz", {{"w", kVector}, {"v", other}, {"same", Array::Scalar(1.0f)}});
  const std::string b = Npz("b.npz", {{"layer/0", kVector}, {"layer/1", other}, {"same", Array::Scalar(1.0f)}});
  const Ran lost = Equiv("compare " + a + " " + b);
  EXPECT_EQ(lost.code, 1);
  EXPECT_THAT(lost.text, HasSubstr("note: 2 unmatched tensors of A have a namesake in shape only in B"));
  EXPECT_EQ(Equiv("compare --by-order " + a + " " + b).code, 0);
  const std::string lines = Text("m.txt", "# A -> B\nw -> layer/0\n\nv\tlayer/1\n");
  const Ran mapped = Equiv("compare --mapping " + lines + " " + a + " " + b);
  EXPECT_EQ(mapped.code, 0) << mapped.text;
  EXPECT_THAT(mapped.text, HasSubstr("w -> layer/0"));
  EXPECT_EQ(
      Equiv("compare --mapping " + Text("m.json", R"({"w": "layer/0", "v": "layer/1"})") + " " + a + " " + b).code, 0);
  EXPECT_EQ(Equiv("compare --mapping " + Text("swap", "w -> layer/1\nv -> layer/0") + " " + a + " " + b).code, 1);
  const auto why = [&](const std::string& mapping) {
    const Ran ran = Equiv("compare --mapping " + Text("bad", mapping) + " " + a + " " + b);
    EXPECT_EQ(ran.code, 3) << ran.text;
    return ran.text;
  };
  EXPECT_THAT(why("w layer/0\n"), HasSubstr("line 1: expected NAME_IN_A -> NAME_IN_B"));
  EXPECT_THAT(why("ww -> layer/0\n"), AllOf(HasSubstr("the mapping names 'ww'"), HasSubstr("near it: 'w'")));
  EXPECT_THAT(why("w -> layer/0\nw -> layer/1\n"), HasSubstr("twice"));
  EXPECT_THAT(why("{\"w\": 3}"), HasSubstr("is no JSON object of texts"));
  EXPECT_THAT(why("# nothing\n"), HasSubstr("maps no name"));
}
TEST_F(CompareTool, UsageAndUnreadableFiles) {
  const std::string a = Npz("a.npz", {{"w", kVector}});
  EXPECT_EQ(Equiv("compare " + a).code, 2);
  EXPECT_EQ(Equiv("compare --bitwise --ulp 3 " + a + " " + a).code, 2);
  EXPECT_EQ(Equiv("compare --by-order --mapping m " + a + " " + a).code, 2);
  EXPECT_EQ(Equiv("compare --rtol -1 " + a + " " + a).code, 2);
  const Ran unused = Equiv("compare --ignore v " + a + " " + a);
  EXPECT_EQ(unused.code, 2);
  EXPECT_THAT(unused.text, HasSubstr("--ignore 'v' matches none of the 1 tensors of"));
  const Ran absent = Equiv("compare " + a + " " + In("absent"));
  EXPECT_EQ(absent.code, 3);
  EXPECT_THAT(absent.text, HasSubstr(In("absent")));
  std::string damaged = io::ReadFile(a);
  damaged[damaged.find("\x80?")] ^= 1;  // in the float 1
  const Ran crc = Equiv("compare " + a + " " + Text("d.npz", damaged));
  EXPECT_EQ(crc.code, 3);
  EXPECT_THAT(crc.text, AllOf(HasSubstr("DataLossError"), HasSubstr("d.npz: w"), HasSubstr("CRC")));
}

TEST_F(ConvertTool, ThereAndBackInEveryDirection) {
  const Tensors tensors = {{"half", Array::Of<Float16>({2}, {Float16(1.5f), Float16(-0.0f)})},
                           {"brain", Array::Of<BFloat16>({1, 2}, {BFloat16(3), BFloat16(0.5f)})},
                           {"f", Array::Of<float>({2}, {std::nanf("7"), -INFINITY})},
                           {"d", Array::Scalar(1e-300)},
                           {"b", Array::Of<bool>({3}, {true, false, true})},
                           {"c", Complex<float>(DType::kComplex64, {1, -2})},
                           {"i8", Array::Of<std::int8_t>({2}, {-128, 127})},
                           {"u16", Array::Of<std::uint16_t>({1}, {65535})},
                           {"u64", Array::Of<std::uint64_t>({1}, {~std::uint64_t{0}})},
                           {"a/b.c", Array::Of<std::int64_t>({0, 2}, {})}};
  const std::string start = Npz("start.npz", tensors);
  for (const std::string first : {"name-based", "object-based", "npz", "safetensors"})
    for (const std::string second : {"name-based", "object-based", "npz", "safetensors"}) {
      if (first == second && first == "object-based") continue;
      const std::string one = In(first), two = In(first + "_" + second);
      const Ran to = Equiv("convert --overwrite " + start + " " + one + " --to " + first);
      ASSERT_EQ(to.code, 0) << to.text;
      EXPECT_THAT(to.text, HasSubstr("wrote " + one));
      const Ran on = Equiv("convert " + one + " " + two + " --to " + second);
      ASSERT_EQ(on.code, 0) << on.text;
      const Ran back = Equiv("convert --overwrite " + two + " " + In("back.npz"));
      ASSERT_EQ(back.code, 0) << back.text;
      const auto source = OpenNpz(In("back.npz"));
      ASSERT_EQ(source->tensors().size(), tensors.size());
      for (const auto& [name, array] : tensors)
        EXPECT_TRUE(BitwiseEqual(source->Read(name), array)) << first << " " << second << " " << name;
    }
}
TEST_F(ConvertTool, StringsAndComplexDoublesWhereTheyFit) {
  const std::string strings =
      Npz("s.npz", {{"s", Array::Strings({2}, {"", "text"})}, {"z", Complex<double>(DType::kComplex128, {1, 2})}});
  for (const char* to : {"name-based", "object-based"}) {
    ASSERT_EQ(Equiv("convert " + strings + " " + In(to) + " --to " + to).code, 0);
    EXPECT_EQ(Equiv("compare --bitwise " + strings + " " + In(to)).code, 0);
  }
  const std::size_t before = FilesLeft();
  const Ran refused = Equiv("convert " + strings + " " + In("s.safetensors"));
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.text, AllOf(HasSubstr("UnimplementedError"), HasSubstr("'s'"), HasSubstr("string")));
  EXPECT_EQ(FilesLeft(), before);
  EXPECT_EQ(Equiv("convert --ignore s --ignore z " + Npz("t.npz", {{"s", kVector}, {"z", kVector}, {"x", kVector}}) +
                  " " + In("t.safetensors"))
                .code,
            0);
  // NumPy drops zero bytes at the end of a string.
  runtime::WriteNameBased(In("zero"), {{"s", [] { return Array::Strings({1}, {std::string("a\0", 2)}); }}},
                          runtime::StateFile::kKeep);
  const Ran zero = Equiv("convert " + In("zero") + " " + In("zero.npz"));
  EXPECT_EQ(zero.code, 3);
  EXPECT_THAT(zero.text,
              AllOf(HasSubstr("UnimplementedError"), HasSubstr("zero.npz: s'"), HasSubstr("ends in a zero byte")));
  EXPECT_FALSE(fs::exists(In("zero.npz")));
}
TEST_F(ConvertTool, ObjectsTakeTheNamesOfTheirVariables) {
  const Ran ran = Equiv("convert " + kObjects + " " + In("names") + " --to name-based");
  EXPECT_EQ(ran.code, 0) << ran.text;
  EXPECT_THAT(ran.text, AllOf(HasSubstr("under the names of their variables"),
                              HasSubstr("left out 2: '_CHECKPOINTABLE_OBJECT_GRAPH', 'save_counter/")));
  EXPECT_EQ(Equiv("compare --bitwise " + kNames + " " + In("names")).code, 0);
  EXPECT_EQ(io::ReadFile(In("checkpoint")),
            "model_checkpoint_path: \"" + In("names") + "\"\nall_model_checkpoint_paths: \"" + In("names") + "\"\n");
  const Ran again = Equiv("convert " + kObjects + " " + In("more") + " --to name-based");
  EXPECT_THAT(again.text,
              HasSubstr("the state file '" + In("checkpoint") + "' was there and names what it named before"));
  EXPECT_THAT(io::ReadFile(In("checkpoint")), Not(HasSubstr("more")));
  ASSERT_EQ(Equiv("convert --raw-keys " + kObjects + " " + In("raw.npz")).code, 0);
  EXPECT_TRUE(OpenNpz(In("raw.npz"))->Find("save_counter/.ATTRIBUTES/VARIABLE_VALUE"));
}
TEST_F(ConvertTool, RefusesBeforeAnythingIsWritten) {
  const std::string a = Npz("a.npz", {{"w", kVector}});
  const auto why = [&](const std::string& arguments) {
    const Ran ran = Equiv("convert " + arguments);
    EXPECT_EQ(ran.code, 2) << ran.text;
    return ran.text;
  };
  EXPECT_THAT(why(a + " " + In("out")), HasSubstr("give --to name-based or --to object-based"));
  EXPECT_THAT(why(a + " " + In("x.npz") + " --to safetensors"), HasSubstr("its name says npz"));
  EXPECT_THAT(why(a + " " + In("no/x.npz")), HasSubstr("there is no folder"));
  EXPECT_THAT(why(a + " " + In("x") + " --to tensorflow"), HasSubstr("tensorflow"));
  EXPECT_THAT(why(a + " " + a + " --overwrite"), HasSubstr("is read from and cannot be written to"));
  EXPECT_THAT(why(kObjects + " " + In("x") + " --to object-based"), HasSubstr("object-based already"));
  EXPECT_THAT(why(a + " " + In("x.safetensors") + " --key nope"), HasSubstr("matches none"));
  EXPECT_THAT(why(a + " " + In("x.safetensors") + " --ignore w"), HasSubstr("no tensor of"));
  EXPECT_THAT(why(a + " " + In("x") + " --to name-based --raw-keys"), HasSubstr("--raw-keys is for"));
  EXPECT_EQ(FilesLeft(), 1u);
  Text("b.npz", "precious");
  EXPECT_THAT(why(a + " " + In("b.npz")), HasSubstr("is there already; --overwrite replaces it"));
  EXPECT_EQ(io::ReadFile(In("b.npz")), "precious");
  EXPECT_EQ(Equiv("convert --overwrite " + a + " " + In("b.npz")).code, 0);
  EXPECT_EQ(Equiv("compare --bitwise " + a + " " + In("b.npz")).code, 0);
}
}  // namespace
}  // namespace equiv
