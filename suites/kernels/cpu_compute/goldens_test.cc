// Every stored case of TensorFlow whose op belongs to these families, by the pass rule of the goldens' README.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {
namespace {
using nlohmann::json;

std::string ReadFile(const std::string& name) {
  std::ifstream in(std::string(EQUIV_FIXTURES_DIR) + "/goldens/ops/" + name, std::ios::binary);
  if (!in) throw NotFoundError("fixture goldens/ops/" + name + " is missing");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
Array Tensor(const json& record) {
  static const std::string data = ReadFile("ops_data.npy").substr(128);
  const DType dtype = ParseDType(record.at("dtype").get<std::string>()).value();
  Array a(dtype, Shape(record.at("shape").get<Ints>()));
  const auto offset = record.at("offset").get<std::size_t>(), bytes = record.at("nbytes").get<std::size_t>();
  if (bytes != a.num_bytes() || offset + bytes > data.size()) throw DataLossError("damaged golden record");
  if (bytes > 0) std::memcpy(a.raw(), data.data() + offset, bytes);
  return a;
}

// Reductions and products of TensorFlow's that are one op of these families.
const std::map<std::string, std::string>& Reductions() {
  static const std::map<std::string, std::string> map{{"reduce_sum", "Sum"},
                                                      {"reduce_mean", "Mean"},
                                                      {"reduce_max", "Max"},
                                                      {"reduce_min", "Min"},
                                                      {"reduce_prod", "Prod"}};
  return map;
}
bool LastAxis(const json& c) {
  const auto rank = static_cast<int>(c.at("inputs")[0].at("shape").size());
  const int axis = c.at("attrs").value("axis", -1);
  return axis == -1 || axis == rank - 1;
}
bool Ours(const json& c) {
  const std::string op = c.at("op");
  if (op == "softmax" || op == "log_softmax") return LastAxis(c);  // other axes need a Transpose
  static const char* const kOps[] = {"conv2d",
                                     "depthwise_conv2d",
                                     "matmul",
                                     "bias_add",
                                     "max_pool",
                                     "avg_pool",
                                     "l2_loss",
                                     "fused_batch_norm_infer",
                                     "fused_batch_norm_train"};
  return Reductions().contains(op) || std::ranges::find(kOps, op) != std::end(kOps);
}
std::vector<json> Cases() {
  std::vector<json> cases;
  const json manifest = json::parse(ReadFile("manifest.json"));
  for (const json& c : manifest.at("cases"))
    if (Ours(c)) cases.push_back(c);
  return cases;
}

Ints Four(const json& attrs, const char* name) {
  const auto two = attrs.value(name, std::vector<std::int64_t>{1, 1});
  return {1, two.at(0), two.at(1), 1};
}
// The outputs of the case by the golden's names.
std::map<std::string, Array> Compute(const json& c) {
  const std::string op = c.at("op");
  const json& attrs = c.at("attrs");
  std::map<std::string, Array> in;
  for (const json& input : c.at("inputs")) in[input.at("name")] = Tensor(input);
  if (auto it = Reductions().find(op); it != Reductions().end()) {
    std::vector<std::int32_t> axes;
    if (attrs.contains("axis") && !attrs["axis"].is_null())
      axes = attrs["axis"].get<std::vector<std::int32_t>>();
    else
      for (int i = 0; i < in.at("x").rank(); ++i) axes.push_back(i);
    return {{"y", RunOp(it->second, {in.at("x"), Axes(axes)}, {{"keep_dims", attrs.value("keepdims", false)}})[0]}};
  }
  if (op == "conv2d" || op == "depthwise_conv2d") {
    const std::string padding = attrs.value("padding", "VALID");
    Ints pads;
    if (padding == "EXPLICIT") {
      pads = {0, 0};
      for (const json& side : attrs.at("explicit_paddings"))
        for (const json& p : side) pads.push_back(p);
      pads.insert(pads.end(), {0, 0});
    }
    return {{"y", RunOp(op == "conv2d" ? "Conv2D" : "DepthwiseConv2dNative", {in.at("x"), in.at("w")},
                        {{"strides", Four(attrs, "strides")},
                         {"dilations", Four(attrs, "dilations")},
                         {"padding", padding},
                         {"explicit_paddings", pads}})[0]}};
  }
  if (op == "matmul") {
    const bool ta = attrs.value("ta", false), tb = attrs.value("tb", false);
    if (in.at("a").rank() == 2)
      return {{"y", RunOp("MatMul", {in.at("a"), in.at("b")}, {{"transpose_a", ta}, {"transpose_b", tb}})[0]}};
    return {{"y", RunOp("BatchMatMulV2", {in.at("a"), in.at("b")}, {{"adj_x", ta}, {"adj_y", tb}})[0]}};
  }
  if (op == "max_pool" || op == "avg_pool")
    return {{"y", RunOp(op == "max_pool" ? "MaxPool" : "AvgPool", {in.at("x")},
                        {{"ksize", Four(attrs, "ksize")},
                         {"strides", Four(attrs, "strides")},
                         {"padding", attrs.at("padding").get<std::string>()}})[0]}};
  if (op == "bias_add") return {{"y", RunOp("BiasAdd", {in.at("x"), in.at("b")})[0]}};
  if (op == "l2_loss") return {{"y", RunOp("L2Loss", {in.at("x")})[0]}};
  if (op == "softmax") return {{"y", RunOp("Softmax", {in.at("x")})[0]}};
  if (op == "log_softmax") return {{"y", RunOp("LogSoftmax", {in.at("x")})[0]}};
  const Array none(DType::kFloat32, Shape{0});
  const auto given = [&](const char* name) { return in.contains(name) ? in.at(name) : none; };
  const auto out =
      RunOp("FusedBatchNormV3", {in.at("x"), in.at("scale"), in.at("offset"), given("mean"), given("variance")},
            {{"epsilon", attrs.at("epsilon").get<float>()},
             {"exponential_avg_factor", attrs.value("exponential_avg_factor", 1.0F)},
             {"is_training", op == "fused_batch_norm_train"}});
  return {{"y", out[0]}, {"batch_mean", out[1]}, {"batch_variance", out[2]}};
}

std::int64_t UlpDistance(float a, float b) {
  const auto key = [](float x) {
    const auto bits = std::bit_cast<std::int32_t>(x);
    return bits < 0 ? std::int64_t{std::numeric_limits<std::int32_t>::min()} - bits : std::int64_t{bits};
  };
  return std::abs(key(a) - key(b));
}

// Ops done in TensorFlow's own order of operations: bit for bit.
bool SameOrder(const std::string& op) {
  return Reductions().contains(op) || op == "max_pool" || op == "avg_pool" || op == "bias_add" ||
         op == "depthwise_conv2d" || op.starts_with("fused_batch_norm") || op == "log_softmax";
}
// Equal bits, any NaN for any NaN.
bool SameBits(const Array& a, const Array& b) {
  for (std::int64_t i = 0; i < a.num_elements(); ++i) {
    const float x = a.data<float>()[i], y = b.data<float>()[i];
    if (std::bit_cast<std::uint32_t>(x) != std::bit_cast<std::uint32_t>(y) && !(std::isnan(x) && std::isnan(y)))
      return false;
  }
  return true;
}

class Golden : public testing::TestWithParam<json> {};

TEST_P(Golden, AgreesWithTensorFlow) {
  const json& c = GetParam();
  const std::map<std::string, Array> got = Compute(c);
  int compared = 0;
  for (const json& output : c.at("outputs")) {
    const std::string name = output.at("name");
    if (name.starts_with("grad/")) continue;
    ASSERT_TRUE(got.contains(name)) << name;
    // What stock TensorFlow gives to oneDNN (batch norm; softmax of inf and NaN) is compared with its own kernels.
    const bool own = output.contains("without_onednn") && (SameOrder(c.at("op")) || c.at("id") == "softmax/inf_nan");
    const Array expected = Tensor(own ? output.at("without_onednn") : output);
    const Array& actual = got.at(name);
    ASSERT_EQ(actual.dtype(), expected.dtype());
    ASSERT_EQ(actual.shape(), expected.shape());
    ++compared;
    if (SameOrder(c.at("op"))) {
      EXPECT_TRUE(SameBits(actual, expected)) << name;
    }
    const double abs = output.at("bound").at("abs");
    const std::int64_t ulp = output.at("bound").at("ulp");
    for (std::int64_t i = 0; i < expected.num_elements(); ++i) {
      const float want = expected.data<float>()[i], have = actual.data<float>()[i];
      if (std::isnan(want)) {
        EXPECT_TRUE(std::isnan(have)) << name << " at " << i << ": " << have;
      } else if (want != have) {
        EXPECT_TRUE(std::isfinite(want) &&
                    (std::fabs(double{have} - double{want}) <= abs || UlpDistance(have, want) <= ulp))
            << fmt::format("{} at {}: {} for {}", name, i, have, want);
      }
    }
  }
  EXPECT_GT(compared, 0);
}

INSTANTIATE_TEST_SUITE_P(Ops, Golden, testing::ValuesIn(Cases()), [](const auto& info) {
  std::string name = info.param.at("id");
  for (char& ch : name)
    if (!std::isalnum(static_cast<unsigned char>(ch))) ch = '_';
  return name;
});

TEST(Goldens, HoldTheWholeSet) { EXPECT_EQ(Cases().size(), 147U); }

}  // namespace
}  // namespace equiv::test
