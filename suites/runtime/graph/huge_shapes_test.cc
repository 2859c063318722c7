// Shapes near the end of what 63 bits hold, declared and computed: a typed error or a graph, never an overflow.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/graph/graph_def.h"
#include "suites/runtime/damage/damage.h"

namespace equiv::runtime {
namespace {
constexpr std::int64_t kHuge = std::int64_t{1} << 62, kMost = INT64_MAX;

std::string Placeholder(const std::string& name, const std::vector<std::int64_t>& dims) {
  std::string text = fmt::format(
      "node {{ name: \"{}\" op: \"Placeholder\" attr {{ key: \"dtype\" value {{ type: DT_FLOAT }} }} attr {{ key: "
      "\"shape\" value {{ shape {{",
      name);
  for (const std::int64_t d : dims) text += fmt::format(" dim {{ size: {} }}", d);
  return text + " } } } }\n";
}
std::string Ints(const std::string& name, const std::vector<std::int64_t>& values,
                 const std::vector<std::int64_t>& dims, const char* type = "DT_INT64") {
  std::string text = fmt::format(
      "node {{ name: \"{}\" op: \"Const\" attr {{ key: \"dtype\" value {{ type: {} }} }} attr {{ key: \"value\" value "
      "{{ "
      "tensor {{ dtype: {} tensor_shape {{",
      name, type, type);
  for (const std::int64_t d : dims) text += fmt::format(" dim {{ size: {} }}", d);
  text += " }";
  for (const std::int64_t v : values)
    text += fmt::format(" {}: {}", std::string_view(type) == "DT_INT64" ? "int64_val" : "int_val", v);
  return text + " } } } }\n";
}
// "name: value" pairs, where a value is the text of an AttrValue.
std::string Node(const std::string& op, const std::vector<std::string>& inputs,
                 const std::vector<std::pair<std::string, std::string>>& attrs) {
  std::string text = fmt::format("node {{ name: \"y\" op: \"{}\"", op);
  for (const std::string& input : inputs) text += fmt::format(" input: \"{}\"", input);
  for (const auto& [name, value] : attrs) text += fmt::format(" attr {{ key: \"{}\" value {{ {} }} }}", name, value);
  return text + " }\n";
}
const std::string kFloat = "type: DT_FLOAT", kLong = "type: DT_INT64", kInt = "type: DT_INT32";
std::string List(const std::vector<std::int64_t>& values) {
  return fmt::format("list {{ i: [{}] }}", fmt::join(values, ", "));
}

struct Huge {
  const char* name;
  std::string graph;
};
void PrintTo(const Huge& huge, std::ostream* out) { *out << huge.name; }
std::vector<Huge> Cases() {
  const std::string a = Placeholder("a", {kHuge}), b = Placeholder("b", {kHuge}),
                    zero = Ints("zero", {0}, {}, "DT_INT32");
  const std::string image = Placeholder("a", {1, std::int64_t{1} << 31, std::int64_t{1} << 30, 1});
  const std::string window = List({1, 3, 3, 1}), padding = "s: \"SAME\"";
  return {
      {"Concat", a + b + zero + Node("ConcatV2", {"a", "b", "zero"}, {{"T", kFloat}, {"Tidx", kInt}, {"N", "i: 2"}})},
      {"Pack", a + b + Node("Pack", {"a", "b"}, {{"T", kFloat}, {"N", "i: 2"}})},
      {"AddOuter",
       Placeholder("a", {kHuge, 1}) + Placeholder("b", {1, kHuge}) + Node("AddV2", {"a", "b"}, {{"T", kFloat}})},
      {"MatMul",
       Placeholder("a", {kHuge, 1}) + Placeholder("b", {1, kHuge}) + Node("MatMul", {"a", "b"}, {{"T", kFloat}})},
      {"BatchMatMul", Placeholder("a", {3, std::int64_t{1} << 60, 1}) +
                          Placeholder("b", {3, 1, std::int64_t{1} << 60}) +
                          Node("BatchMatMulV2", {"a", "b"}, {{"T", kFloat}})},
      {"Pad", a + Ints("p", {kHuge, kHuge}, {1, 2}) + Node("Pad", {"a", "p"}, {{"T", kFloat}, {"Tpaddings", kLong}})},
      {"PadNegative",
       a + Ints("p", {INT64_MIN, INT64_MIN}, {1, 2}) + Node("Pad", {"a", "p"}, {{"T", kFloat}, {"Tpaddings", kLong}})},
      {"Tile", a + Ints("m", {8}, {1}) + Node("Tile", {"a", "m"}, {{"T", kFloat}, {"Tmultiples", kLong}})},
      {"Fill", Placeholder("v", {}) + Ints("d", {kHuge, 8}, {2}) +
                   Node("Fill", {"d", "v"}, {{"T", kFloat}, {"index_type", kLong}})},
      {"Reshape", a + Ints("s", {kHuge, kHuge}, {2}) + Node("Reshape", {"a", "s"}, {{"T", kFloat}, {"Tshape", kLong}})},
      {"ReshapeRest",
       a + Ints("s", {kHuge, 4, -1}, {3}) + Node("Reshape", {"a", "s"}, {{"T", kFloat}, {"Tshape", kLong}})},
      {"BroadcastTo", Placeholder("a", {1}) + Ints("s", {kHuge, kHuge, 1}, {3}) +
                          Node("BroadcastTo", {"a", "s"}, {{"T", kFloat}, {"Tidx", kLong}})},
      {"Range", Ints("l", {INT64_MIN}, {}) + Ints("h", {kMost}, {}) + Ints("d", {1}, {}) +
                    Node("Range", {"l", "h", "d"}, {{"Tidx", kLong}})},
      {"Slice", a + Ints("o", {kMost}, {1}) + Ints("s", {kMost}, {1}) +
                    Node("Slice", {"a", "o", "s"}, {{"T", kFloat}, {"Index", kLong}})},
      {"StridedSlice", a + Ints("o", {INT64_MIN}, {1}) + Ints("e", {kMost}, {1}) + Ints("s", {INT64_MIN}, {1}) +
                           Node("StridedSlice", {"a", "o", "e", "s"}, {{"T", kFloat}, {"Index", kLong}})},
      {"Split", a + zero + Node("Split", {"zero", "a"}, {{"T", kFloat}, {"num_split", "i: 3"}})},
      {"OneHot", Placeholder("v", {}) + Ints("i", {0}, {1}) + Ints("d", {2147483647}, {}, "DT_INT32") +
                     Node("OneHot", {"i", "d", "v", "v"}, {{"T", kFloat}, {"TI", kLong}})},
      {"Conv2D",
       image + Placeholder("f", {3, 3, 1, kHuge / 16}) +
           Node("Conv2D", {"a", "f"}, {{"T", kFloat}, {"strides", List({1, 1, 1, 1})}, {"padding", padding}})},
      {"Conv2DDilated", image + Placeholder("f", {3, 3, 1, 1}) +
                            Node("Conv2D", {"a", "f"},
                                 {{"T", kFloat},
                                  {"strides", List({1, kMost, kMost, 1})},
                                  {"dilations", List({1, kMost, kMost, 1})},
                                  {"padding", padding}})},
      {"Conv2DExplicit", image + Placeholder("f", {3, 3, 1, 1}) +
                             Node("Conv2D", {"a", "f"},
                                  {{"T", kFloat},
                                   {"strides", List({1, 1, 1, 1})},
                                   {"padding", "s: \"EXPLICIT\""},
                                   {"explicit_paddings", List({0, 0, kMost, kMost, kMost, kMost, 0, 0})}})},
      {"DepthwiseConv2D", image + Placeholder("f", {3, 3, 1, kHuge / 16}) +
                              Node("DepthwiseConv2dNative", {"a", "f"},
                                   {{"T", kFloat}, {"strides", List({1, 1, 1, 1})}, {"padding", padding}})},
      {"MaxPool",
       image + Node("MaxPool", {"a"},
                    {{"T", kFloat}, {"ksize", List({1, kMost, kMost, 1})}, {"strides", window}, {"padding", padding}})},
      {"AvgPoolStrides",
       image + Node("AvgPool", {"a"},
                    {{"T", kFloat}, {"ksize", window}, {"strides", List({1, kMost, kMost, 1})}, {"padding", padding}})},
      {"SpaceToDepth", image + Node("SpaceToDepth", {"a"}, {{"T", kFloat}, {"block_size", "i: 1073741824"}})},
      {"DepthToSpace", Placeholder("a", {1, 1, 1, kHuge}) +
                           Node("DepthToSpace", {"a"}, {{"T", kFloat}, {"block_size", fmt::format("i: {}", kMost)}})},
      {"SpaceToBatch",
       Placeholder("a", {4, kHuge / 4}) + Ints("s", {kMost}, {1}) + Ints("p", {kMost, kMost}, {1, 2}) +
           Node("SpaceToBatchND", {"a", "s", "p"}, {{"T", kFloat}, {"Tblock_shape", kLong}, {"Tpaddings", kLong}})},
      {"BatchToSpace",
       Placeholder("a", {4, kHuge / 4}) + Ints("s", {kMost}, {1}) + Ints("c", {kMost, kMost}, {1, 2}) +
           Node("BatchToSpaceND", {"a", "s", "c"}, {{"T", kFloat}, {"Tblock_shape", kLong}, {"Tcrops", kLong}})},
      {"Einsum", Placeholder("a", {kHuge, 1}) + Placeholder("b", {1, kHuge}) +
                     Node("Einsum", {"a", "b"}, {{"T", kFloat}, {"N", "i: 2"}, {"equation", "s: \"ab,bc->ac\""}})},
      {"Squeeze",
       Placeholder("a", {1, kHuge}) + Node("Squeeze", {"a"}, {{"T", kFloat}, {"squeeze_dims", List({INT64_MIN})}})},
      {"ExpandDims", a + Ints("d", {INT64_MIN}, {}) + Node("ExpandDims", {"a", "d"}, {{"T", kFloat}, {"Tdim", kLong}})},
      {"Sum", Placeholder("a", {1, kHuge}) + Ints("d", {INT64_MIN, kMost}, {2}) +
                  Node("Sum", {"a", "d"}, {{"T", kFloat}, {"Tidx", kLong}, {"keep_dims", "b: false"}})},
      {"Unpack",
       Placeholder("a", {1, kHuge}) +
           Node("Unpack", {"a"}, {{"T", kFloat}, {"num", "i: 1"}, {"axis", fmt::format("i: {}", INT64_MIN)}})},
      {"GatherV2", a + Ints("i", {0}, {1}) + Ints("x", {INT64_MIN}, {}) +
                       Node("GatherV2", {"a", "i", "x"},
                            {{"Tparams", kFloat},
                             {"Tindices", kLong},
                             {"Taxis", kLong},
                             {"batch_dims", fmt::format("i: {}", INT64_MIN)}})},
      {"ResizeBilinear", image + Ints("s", {2147483647, 2147483647}, {2}, "DT_INT32") +
                             Node("ResizeBilinear", {"a", "s"}, {{"T", kFloat}})}};
}

class HugeShapes : public testing::TestWithParam<Huge> {};
INSTANTIATE_TEST_SUITE_P(Graph, HugeShapes, testing::ValuesIn(Cases()),
                         [](const auto& info) { return std::string(info.param.name); });
TEST_P(HugeShapes, AreShapesOrErrors) {
  Graph graph;
  const std::string error = equiv::test::Caught([&] { ImportGraph(graph, GetParam().graph, "graph.pbtxt"); });
  if (error == "nothing was thrown") {
    for (const PartialShape& shape : {graph.FindTensor("y:0").shape()})
      for (const std::int64_t d : shape.dims()) EXPECT_GE(d, -1) << shape.ToString();
  } else {
    EXPECT_THAT(error, testing::StartsWith("InvalidArgumentError: graph.pbtxt: "));
    EXPECT_THAT(error, testing::HasSubstr("'y'"));
  }
}
}  // namespace
}  // namespace equiv::runtime
