#include "equiv/harness/conformance/ops_cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "equiv/compare/compare.h"
#include "equiv/compare/decimal.h"
#include "kernels/base/error.h"

namespace equiv {
namespace {
using nlohmann::json;
using Ints = std::vector<std::int64_t>;
using Tensors = std::map<std::string, Array>;

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw NotFoundError(fmt::format("cannot open '{}'", path.string()));
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

constexpr std::size_t kPackHeader = 128;  // the .npy header before the first tensor
class Packs {
 public:
  Packs(const std::filesystem::path& folder, const json& manifest) {
    data_ = ReadAll(folder / manifest.at("packs").at("ops").get<std::string>());
  }
  Array Tensor(const json& record) const {
    const std::optional<DType> dtype = ParseDType(record.at("dtype").get<std::string>());
    if (!dtype) throw DataLossError("manifest.json: unknown dtype " + record.at("dtype").dump());
    Array a(*dtype, Shape(record.at("shape").get<Ints>()));
    const auto offset = record.at("offset").get<std::size_t>(), bytes = record.at("nbytes").get<std::size_t>();
    if (bytes != a.num_bytes() || data_.size() < kPackHeader || offset > data_.size() - kPackHeader ||
        bytes > data_.size() - kPackHeader - offset)
      throw DataLossError(fmt::format("manifest.json: tensor '{}' lies outside its pack", record.value("name", "?")));
    if (bytes > 0) std::memcpy(a.raw(), data_.data() + kPackHeader + offset, bytes);
    return a;
  }

 private:
  std::string data_;
};

Array Ints32(const Ints& values) {
  const std::vector<std::int32_t> narrow(values.begin(), values.end());
  return Array::Of<std::int32_t>(Shape{static_cast<std::int64_t>(narrow.size())}, narrow);
}
Array Scalar32(std::int64_t value) { return Array::Scalar(static_cast<std::int32_t>(value)); }
Ints Four(const json& attrs, const char* name) {
  const Ints two = attrs.value(name, Ints{1, 1});
  return {1, two.at(0), two.at(1), 1};
}

struct Call {
  const json& attrs;
  const Tensors& in;
  OpBuilder& builder;
  const Array& at(const char* name) const { return in.at(name); }
  std::vector<Value> Run(std::string_view op, const std::vector<Array>& inputs, const AttrMap& a = {}) const {
    const std::vector<Value> values(inputs.begin(), inputs.end());
    return builder.AddOp(op, values, a);
  }
  Array One(std::string_view op, const std::vector<Array>& inputs, const AttrMap& a = {}) const {
    return Run(op, inputs, a).at(0).array();
  }
  std::string Text(const char* name) const { return attrs.at(name).get<std::string>(); }
  std::int64_t Int(const char* name) const { return attrs.at(name).get<std::int64_t>(); }
  // Axes of a reduction: attribute `axis`, all when absent.
  Array Axes() const {
    if (attrs.contains("axis") && attrs["axis"].is_number()) return Ints32({attrs["axis"].get<std::int64_t>()});
    if (attrs.contains("axis") && attrs["axis"].is_array()) return Ints32(attrs["axis"].get<Ints>());
    Ints all(static_cast<std::size_t>(at("x").rank()));
    std::iota(all.begin(), all.end(), 0);
    return Ints32(all);
  }
};
using Runner = std::function<Tensors(const Call&)>;

Runner Unary(const char* op) {
  return [op](const Call& c) -> Tensors { return {{"y", c.One(op, {c.at("x")})}}; };
}
Runner Binary(const char* op) {
  return [op](const Call& c) -> Tensors { return {{"y", c.One(op, {c.at("a"), c.at("b")})}}; };
}
Runner Reduction(const char* op) {
  return [op](const Call& c) -> Tensors {
    return {{"y", c.One(op, {c.at("x"), c.Axes()}, {{"keep_dims", c.attrs.value("keepdims", false)}})}};
  };
}
Runner Convolution(const char* op) {
  return [op](const Call& c) -> Tensors {
    const std::string padding = c.attrs.value("padding", "VALID");
    Ints pads;
    if (padding == "EXPLICIT") {
      pads = {0, 0};
      for (const json& side : c.attrs.at("explicit_paddings"))
        for (const json& p : side) pads.push_back(p.get<std::int64_t>());
      pads.insert(pads.end(), {0, 0});
    }
    return {{"y", c.One(op, {c.at("x"), c.at("w")},
                        {{"strides", Four(c.attrs, "strides")},
                         {"dilations", Four(c.attrs, "dilations")},
                         {"padding", padding},
                         {"explicit_paddings", pads}})}};
  };
}
Runner Pool(const char* op) {
  return [op](const Call& c) -> Tensors {
    return {{"y", c.One(op, {c.at("x")},
                        {{"ksize", Four(c.attrs, "ksize")},
                         {"strides", Four(c.attrs, "strides")},
                         {"padding", c.attrs.at("padding").get<std::string>()}})}};
  };
}
// tf: nn.softmax over another axis moves it last and back
Runner SoftmaxOver(const char* op) {
  return [op](const Call& c) -> Tensors {
    const int rank = c.at("x").rank();
    const auto axis = static_cast<int>((c.attrs.value("axis", -1) + rank) % rank);
    if (axis == rank - 1) return {{"y", c.One(op, {c.at("x")})}};
    Ints perm(static_cast<std::size_t>(rank));
    std::iota(perm.begin(), perm.end(), 0);
    std::swap(perm[static_cast<std::size_t>(axis)], perm.back());
    const Array swapped = c.One("Transpose", {c.at("x"), Ints32(perm)});
    return {{"y", c.One("Transpose", {c.One(op, {swapped}), Ints32(perm)})}};
  };
}
Runner BatchNorm(bool training) {
  return [training](const Call& c) -> Tensors {
    const Array none(DType::kFloat32, Shape{0});
    const auto given = [&](const char* name) { return c.in.contains(name) ? c.at(name) : none; };
    const std::vector<Value> out =
        c.Run("FusedBatchNormV3", {c.at("x"), c.at("scale"), c.at("offset"), given("mean"), given("variance")},
              {{"epsilon", c.attrs.at("epsilon").get<float>()},
               {"exponential_avg_factor", c.attrs.value("exponential_avg_factor", 1.0F)},
               {"is_training", training}});
    return {{"y", out[0].array()}, {"batch_mean", out[1].array()}, {"batch_variance", out[2].array()}};
  };
}
// Python functions of TensorFlow's that are several ops.
Array Number(float v) { return Array::Scalar(v); }
// tf: nn.moments, math.reduce_variance: both with the reduced axes kept
std::pair<Array, Array> Moments(const Call& c, const Array& axes) {
  const AttrMap keep{{"keep_dims", true}};
  const Array mean = c.One("Mean", {c.at("x"), axes}, keep);
  return {mean, c.One("Mean", {c.One("SquaredDifference", {c.at("x"), mean}), axes}, keep)};
}
Array DropAxes(const Call& c, const Array& reduced, const Array& axes) {
  if (c.attrs.value("keepdims", false) || axes.num_elements() == 0) return reduced;
  return c.One("Squeeze", {reduced}, {{"squeeze_dims", axes.AsInt64Vector()}});
}
Tensors Variance(const Call& c) { return {{"y", DropAxes(c, Moments(c, c.Axes()).second, c.Axes())}}; }
Tensors StandardDeviation(const Call& c) { return {{"y", c.One("Sqrt", {Variance(c).at("y")})}}; }
Tensors MomentsCase(const Call& c) {
  const Array axes = Ints32(c.attrs.at("axes").get<Ints>());
  const auto [mean, variance] = Moments(c, axes);
  return {{"mean", DropAxes(c, mean, axes)}, {"variance", DropAxes(c, variance, axes)}};
}
Tensors LogSumExp(const Call& c) {
  const AttrMap keep{{"keep_dims", true}};
  const Array axes = c.Axes(), max = c.One("Max", {c.at("x"), axes}, keep);
  const Array shift = c.One("SelectV2", {c.One("IsFinite", {max}), max, Number(0)});
  const Array sum = c.One("Sum", {c.One("Exp", {c.One("Sub", {c.at("x"), shift})}), axes}, keep);
  return {{"y", DropAxes(c, c.One("AddV2", {c.One("Log", {sum}), shift}), axes)}};
}
Tensors Gelu(const Call& c) {
  const Array& x = c.at("x");
  const auto times = [&](const Array& a, const Array& b) { return c.One("Mul", {a, b}); };
  if (!c.attrs.value("approximate", false)) {
    const Array erf = c.One("Erf", {c.One("RealDiv", {x, Number(1.4142135623730951F)})});
    return {{"y", times(times(Number(0.5F), x), c.One("AddV2", {Number(1), erf}))}};
  }
  const Array inner = c.One("AddV2", {x, times(Number(0.044715F), c.One("Pow", {x, Number(3)}))});
  const Array tanh = c.One("Tanh", {times(Number(0.7978845608028654F), inner)});
  return {{"y", times(times(Number(0.5F), x), c.One("AddV2", {Number(1), tanh}))}};
}
Tensors BatchNormalization(const Call& c) {
  const Array epsilon = Number(c.attrs.at("epsilon").get<float>());
  Array factor = c.One("Rsqrt", {c.One("AddV2", {c.at("variance"), epsilon})});
  if (c.in.contains("scale")) factor = c.One("Mul", {factor, c.at("scale")});
  const Array shift = c.One("Mul", {c.at("mean"), factor}), scaled = c.One("Mul", {c.at("x"), factor});
  const Array offset = c.in.contains("offset") ? c.One("Sub", {c.at("offset"), shift}) : c.One("Neg", {shift});
  return {{"y", c.One("AddV2", {scaled, offset})}};
}
Tensors SigmoidCrossEntropy(const Call& c) {
  const Array &logits = c.at("logits"), zero = Number(0), negative = c.One("Neg", {logits});
  const Array positive = c.One("GreaterEqual", {logits, zero});
  const Array linear =
      c.One("Sub", {c.One("SelectV2", {positive, logits, zero}), c.One("Mul", {logits, c.at("labels")})});
  const Array power = c.One("Exp", {c.One("SelectV2", {positive, negative, logits})});
  return {{"loss", c.One("AddV2", {linear, c.One("Log1p", {power})})}};
}
std::vector<Array> Sorted(const Tensors& in) {
  std::vector<Array> list;
  for (const auto& [name, array] : in) list.push_back(array);
  return list;
}

// What each case's op is called here.
const std::map<std::string, Runner>& Runners() {
  static const auto* runners = [] {
    auto* m = new std::map<std::string, Runner>{
        {"conv2d", Convolution("Conv2D")},
        {"depthwise_conv2d", Convolution("DepthwiseConv2dNative")},
        {"conv2d_transpose",
         [](const Call& c) -> Tensors {
           const Array sizes = Ints32(c.attrs.at("output_shape").get<Ints>());
           return {{"y", c.One("Conv2DBackpropInput", {sizes, c.at("w"), c.at("x")},
                               {{"strides", Four(c.attrs, "strides")}, {"padding", c.Text("padding")}})}};
         }},
        {"separable_conv2d",
         [](const Call& c) -> Tensors {
           const Array depthwise = c.One("DepthwiseConv2dNative", {c.at("x"), c.at("dw")},
                                         {{"strides", Four(c.attrs, "strides")},
                                          {"dilations", Four(c.attrs, "dilations")},
                                          {"padding", c.Text("padding")}});
           return {{"y", c.One("Conv2D", {depthwise, c.at("pw")},
                               {{"strides", Ints{1, 1, 1, 1}}, {"padding", std::string("VALID")}})}};
         }},
        {"max_pool", Pool("MaxPool")},
        {"avg_pool", Pool("AvgPool")},
        {"fused_batch_norm_train", BatchNorm(true)},
        {"fused_batch_norm_infer", BatchNorm(false)},
        {"softmax", SoftmaxOver("Softmax")},
        {"log_softmax", SoftmaxOver("LogSoftmax")},
        {"leaky_relu",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("LeakyRelu", {c.at("x")}, {{"alpha", c.attrs.at("alpha").get<float>()}})}};
         }},
        {"swish",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("Mul", {c.at("x"), c.One("Sigmoid", {c.at("x")})})}};
         }},
        {"log_sigmoid",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("Neg", {c.One("Softplus", {c.One("Neg", {c.at("x")})})})}};
         }},
        {"softmax_cross_entropy_with_logits",
         [](const Call& c) -> Tensors {
           return {{"loss", c.One("SoftmaxCrossEntropyWithLogits", {c.at("logits"), c.at("labels")})}};
         }},
        {"sparse_softmax_cross_entropy_with_logits",
         [](const Call& c) -> Tensors {
           const Array& logits = c.at("logits");
           if (logits.rank() == 2)
             return {{"loss", c.One("SparseSoftmaxCrossEntropyWithLogits", {logits, c.at("labels")})}};
           // tf: flattened to rows and back
           const Array rows = c.One("Reshape", {logits, Ints32({-1, logits.dim(logits.rank() - 1)})});
           const Array labels = c.One("Reshape", {c.at("labels"), Ints32({-1})});
           return {
               {"loss", c.One("SparseSoftmaxCrossEntropyWithLogits", {rows, labels}).Reshaped(c.at("labels").shape())}};
         }},
        {"reduce_variance", Variance},
        {"reduce_std", StandardDeviation},
        {"reduce_logsumexp", LogSumExp},
        {"moments", MomentsCase},
        {"batch_normalization", BatchNormalization},
        {"gelu", Gelu},
        {"sigmoid_cross_entropy_with_logits", SigmoidCrossEntropy},
        {"in_top_k",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("InTopKV2", {c.at("x"), c.at("targets"), Scalar32(c.Int("k"))})}};
         }},
        {"unsorted_segment_sum",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("UnsortedSegmentSum", {c.at("x"), c.at("i"), Scalar32(c.Int("n"))})}};
         }},
        {"bias_add",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("BiasAdd", {c.at("x"), c.at("b")})}};
         }},
        {"matmul",
         [](const Call& c) -> Tensors {
           const bool ta = c.attrs.value("ta", false), tb = c.attrs.value("tb", false);
           if (c.at("a").rank() == 2)
             return {{"y", c.One("MatMul", {c.at("a"), c.at("b")}, {{"transpose_a", ta}, {"transpose_b", tb}})}};
           return {{"y", c.One("BatchMatMulV2", {c.at("a"), c.at("b")}, {{"adj_x", ta}, {"adj_y", tb}})}};
         }},
        {"add_n",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("AddN", Sorted(c.in))}};
         }},
        {"concat",
         [](const Call& c) -> Tensors {
           std::vector<Array> values = Sorted(c.in);
           values.push_back(Scalar32(c.attrs.at("axis").get<std::int64_t>()));
           return {{"y", c.One("ConcatV2", values)}};
         }},
        {"stack",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("Pack", Sorted(c.in), {{"axis", c.Int("axis")}})}};
         }},
        {"cumsum",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("Cumsum", {c.at("x"), Scalar32(c.Int("axis"))},
                               {{"exclusive", c.attrs.value("exclusive", false)},
                                {"reverse", c.attrs.value("reverse", false)}})}};
         }},
        {"gather",
         [](const Call& c) -> Tensors {
           const Array axis = Scalar32(c.attrs.value("axis", 0));
           return {{"y", c.One("GatherV2", {c.at("x"), c.at("i"), axis},
                               {{"batch_dims", c.attrs.value("batch_dims", std::int64_t{0})}})}};
         }},
        {"gather_nd",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("GatherNd", {c.at("x"), c.at("i")})}};
         }},
        {"one_hot",
         [](const Call& c) -> Tensors {
           const Array on = Array::Scalar(c.attrs.value("on", 1.0F)), off = Array::Scalar(c.attrs.value("off", 0.0F));
           return {{"y", c.One("OneHot", {c.at("i"), Scalar32(c.Int("depth")), on, off},
                               {{"axis", c.attrs.value("axis", std::int64_t{-1})}})}};
         }},
        {"argmax",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("ArgMax", {c.at("x"), Scalar32(c.Int("axis"))})}};
         }},
        {"argmin",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("ArgMin", {c.at("x"), Scalar32(c.Int("axis"))})}};
         }},
        {"strided_slice",
         [](const Call& c) -> Tensors {
           std::vector<Array> inputs{c.at("x")};
           for (const char* name : {"begin", "end", "strides"}) inputs.push_back(Ints32(c.attrs.at(name).get<Ints>()));
           return {{"y", c.One("StridedSlice", inputs)}};
         }},
        {"tile",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("Tile", {c.at("x"), Ints32(c.attrs.at("multiples").get<Ints>())})}};
         }},
        {"top_k",
         [](const Call& c) -> Tensors {
           const std::vector<Value> out = c.Run("TopKV2", {c.at("x"), Scalar32(c.Int("k"))});
           return {{"values", out[0].array()}, {"indices", out[1].array()}};
         }},
        {"lrn",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("LRN", {c.at("x")},
                               {{"depth_radius", c.Int("depth_radius")},
                                {"bias", c.attrs.at("bias").get<float>()},
                                {"alpha", c.attrs.at("alpha").get<float>()},
                                {"beta", c.attrs.at("beta").get<float>()}})}};
         }},
        {"clip_by_value",
         [](const Call& c) -> Tensors {
           const Array low = Array::Scalar(c.attrs.at("lo").get<float>()),
                       high = Array::Scalar(c.attrs.at("hi").get<float>());
           return {{"y", c.One("Maximum", {c.One("Minimum", {c.at("x"), high}), low})}};
         }},
        {"reshape",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("Reshape", {c.at("x"), Ints32(c.attrs.at("shape").get<Ints>())})}};
         }},
        {"transpose",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("Transpose", {c.at("x"), Ints32(c.attrs.at("perm").get<Ints>())})}};
         }},
        {"where",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("SelectV2", {c.at("c"), c.at("a"), c.at("b")})}};
         }},
        {"cast_to_int32",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("Cast", {c.at("x")}, {{"DstT", DType::kInt32}})}};
         }},
        {"cast_to_bool",
         [](const Call& c) -> Tensors {
           return {{"y", c.One("Cast", {c.at("x")}, {{"DstT", DType::kBool}})}};
         }},
    };
    for (const auto& [name, op] : {std::pair<const char*, const char*>{"relu", "Relu"},
                                   {"relu6", "Relu6"},
                                   {"elu", "Elu"},
                                   {"sigmoid", "Sigmoid"},
                                   {"tanh", "Tanh"},
                                   {"softplus", "Softplus"},
                                   {"exp", "Exp"},
                                   {"log", "Log"},
                                   {"sqrt", "Sqrt"},
                                   {"rsqrt", "Rsqrt"},
                                   {"square", "Square"},
                                   {"abs", "Abs"},
                                   {"neg", "Neg"},
                                   {"sign", "Sign"},
                                   {"floor", "Floor"},
                                   {"ceil", "Ceil"},
                                   {"round", "Round"},
                                   {"rint", "Rint"},
                                   {"selu", "Selu"},
                                   {"softsign", "Softsign"},
                                   {"log1p", "Log1p"},
                                   {"expm1", "Expm1"},
                                   {"reciprocal", "Reciprocal"},
                                   {"erf", "Erf"},
                                   {"sin", "Sin"},
                                   {"cos", "Cos"},
                                   {"l2_loss", "L2Loss"}})
      m->emplace(name, Unary(op));
    for (const auto& [name, op] : {std::pair<const char*, const char*>{"add", "AddV2"},
                                   {"sub", "Sub"},
                                   {"mul", "Mul"},
                                   {"div", "RealDiv"},
                                   {"maximum", "Maximum"},
                                   {"minimum", "Minimum"},
                                   {"pow", "Pow"},
                                   {"squared_difference", "SquaredDifference"},
                                   {"floormod", "FloorMod"},
                                   {"floordiv", "FloorDiv"},
                                   {"div_no_nan", "DivNoNan"},
                                   {"less", "Less"},
                                   {"less_equal", "LessEqual"},
                                   {"equal", "Equal"},
                                   {"not_equal", "NotEqual"},
                                   {"greater", "Greater"},
                                   {"greater_equal", "GreaterEqual"}})
      m->emplace(name, Binary(op));
    for (const auto& [name, op] : {std::pair<const char*, const char*>{"reduce_sum", "Sum"},
                                   {"reduce_mean", "Mean"},
                                   {"reduce_max", "Max"},
                                   {"reduce_min", "Min"},
                                   {"reduce_prod", "Prod"},
                                   {"reduce_euclidean_norm", "EuclideanNorm"}})
      m->emplace(name, Reduction(op));
    m->emplace("pad", [](const Call& c) -> Tensors {
      Ints flat;
      for (const json& side : c.attrs.at("paddings"))
        for (const json& p : side) flat.push_back(p.get<std::int64_t>());
      const Array pads = Ints32(flat).Reshaped(Shape{static_cast<std::int64_t>(flat.size() / 2), 2});
      const std::string mode = c.attrs.value("mode", "CONSTANT");
      if (mode != "CONSTANT") return {{"y", c.One("MirrorPad", {c.at("x"), pads}, {{"mode", mode}})}};
      if (!c.attrs.contains("value")) return {{"y", c.One("Pad", {c.at("x"), pads})}};
      return {{"y", c.One("PadV2", {c.at("x"), pads, Array::Scalar(c.attrs["value"].get<float>())})}};
    });
    return m;
  }();
  return *runners;
}
bool Supported(const json& c) { return Runners().contains(c.at("op").get<std::string>()); }

bool IsNaN(const Array& a, std::int64_t i) { return IsFloating(a.dtype()) && std::isnan(a.ElementAsDouble(i)); }
// The folder's pass rule. Empty when `got` passes; else what is wrong.
std::string Judge(const Array& got, const Array& expected, const json& bound) {
  if (got.dtype() != expected.dtype() || got.shape() != expected.shape())
    return fmt::format("expected {} {}, got {} {}", Name(expected.dtype()), expected.shape().ToString(),
                       Name(got.dtype()), got.shape().ToString());
  if (bound.value("exact", false)) {
    for (std::int64_t i = 0; i < got.num_elements(); ++i) {
      const std::size_t size = SizeOf(got.dtype()), at = static_cast<std::size_t>(i) * size;
      if (std::memcmp(got.raw() + at, expected.raw() + at, size) != 0 && !(IsNaN(got, i) && IsNaN(expected, i)))
        return fmt::format("bits differ at {}: expected {}, got {}", i, FormatDouble(expected.ElementAsDouble(i)),
                           FormatDouble(got.ElementAsDouble(i)));
    }
    return {};
  }
  const double abs = bound.value("abs", 0.0);
  const std::int64_t ulp = bound.value("ulp", std::int64_t{0});
  for (std::int64_t i = 0; i < got.num_elements(); ++i) {
    const double e = expected.ElementAsDouble(i), g = got.ElementAsDouble(i);
    if (e == g || (std::isnan(e) && std::isnan(g))) continue;
    const std::int64_t steps =
        got.dtype() == DType::kFloat64 ? UlpDistance(e, g) : UlpDistance(static_cast<float>(e), static_cast<float>(g));
    if (!std::isfinite(e) || !std::isfinite(g) || (std::abs(g - e) > abs && steps > ulp))
      return fmt::format("element {}: expected {}, got {}; {} ULP apart, allowed {} or {} absolute", i, FormatDouble(e),
                         FormatDouble(g), steps, ulp, abs);
  }
  return {};
}

CaseResult RunCase(const json& c, const Packs& packs, OpBuilder& builder) {
  CaseResult result{.id = c.at("id").get<std::string>()};
  if (!Supported(c)) {
    result.outcome = CaseResult::Outcome::kSkip;
    result.why = "no op for '" + c.at("op").get<std::string>() + "'";
    return result;
  }
  try {
    Tensors in;
    for (const json& input : c.at("inputs")) in[input.at("name").get<std::string>()] = packs.Tensor(input);
    const Tensors got = Runners().at(c.at("op").get<std::string>())({c.at("attrs"), in, builder});
    result.bit_exact = true;
    int compared = 0, gradients = 0;
    for (const json& output : c.at("outputs")) {
      const std::string name = output.at("name");
      if (name.starts_with("grad/")) {
        ++gradients;
        continue;
      }
      if (!got.contains(name)) throw DataLossError("unknown output '" + name + "'");
      const Array& actual = got.at(name);
      // The folder allows either of TensorFlow's two kernel sets.
      const Array expected = packs.Tensor(output);
      std::string why = Judge(actual, expected, output.at("bound"));
      bool exact = BitwiseEqual(actual, expected);
      if (output.contains("without_onednn") && output["without_onednn"].contains("offset")) {
        const Array plain = packs.Tensor(output["without_onednn"]);
        if (!why.empty()) why = Judge(actual, plain, output.at("bound"));
        exact |= BitwiseEqual(actual, plain);
      }
      result.bit_exact &= exact;
      ++compared;
      if (!why.empty() && result.outcome == CaseResult::Outcome::kPass) {
        result.outcome = CaseResult::Outcome::kFail;
        result.why = name + ": " + why;
      }
    }
    if (compared == 0) {
      result.outcome = CaseResult::Outcome::kSkip;
      result.why = "only gradients are stored";
    } else if (gradients > 0 && result.outcome == CaseResult::Outcome::kPass) {
      result.why = fmt::format("{} gradient{} not computed", gradients, gradients == 1 ? "" : "s");
    }
  } catch (const DataLossError&) {
    throw;
  } catch (const Error& error) {
    result.outcome = CaseResult::Outcome::kFail;
    result.why = error.Describe();
  }
  return result;
}
}  // namespace

std::vector<CaseResult> RunOpCases(const std::filesystem::path& folder, OpBuilder& builder) {
  json manifest;
  std::vector<CaseResult> results;
  try {
    manifest = json::parse(ReadAll(folder / "manifest.json"));
    const Packs packs(folder, manifest);
    for (const json& c : manifest.at("cases")) results.push_back(RunCase(c, packs, builder));
    if (manifest.contains("sequences"))
      for (const json& s : manifest["sequences"])
        results.push_back({.id = s.at("id").get<std::string>(),
                           .outcome = CaseResult::Outcome::kSkip,
                           .why = "no runner for sequences of kind '" + s.at("kind").get<std::string>() + "'"});
  } catch (const json::exception& error) {
    throw DataLossError(fmt::format("'{}' is damaged: {}", (folder / "manifest.json").string(), error.what()));
  }
  return results;
}
}  // namespace equiv
