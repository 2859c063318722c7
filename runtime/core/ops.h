// runtime/core/ops.h - the functions model code calls. Each adds one op to the current context (or runs it at once).
// Names, attributes and defaults are TensorFlow's; see kernels/ops for what each op does and accepts.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/core/context.h"

namespace equiv::runtime {

Tensor Constant(Array value, std::string_view name = {});
Tensor Constant(float value, std::string_view name = {});
// A number as a scalar constant of `dtype`. TypeError when an integer dtype cannot hold it.
Tensor ScalarConstant(double value, DType dtype, std::string_view name = {});
Tensor Zeros(const Shape& shape, DType dtype = DType::kFloat32, std::string_view name = {});
Tensor Ones(const Shape& shape, DType dtype = DType::kFloat32, std::string_view name = {});
Tensor OnesLike(const Tensor& x, std::string_view name = {});
Tensor Placeholder(DType dtype, const PartialShape& shape = PartialShape::Unknown(), std::string_view name = {});
Tensor Identity(const Tensor& x, std::string_view name = {});

struct Conv2DOptions {
  std::vector<std::int64_t> strides = {1, 1};  // height, width
  std::string_view padding = "SAME";           // SAME, VALID or EXPLICIT
  std::vector<std::int64_t> dilations = {1, 1};
  std::vector<std::int64_t> explicit_paddings = {};
};
// x: [n,h,w,cin], filter: [kh,kw,cin/groups,cout].
Tensor Conv2D(const Tensor& x, const Tensor& filter, const Conv2DOptions& options = {}, std::string_view name = {});
Tensor BiasAdd(const Tensor& x, const Tensor& bias, std::string_view name = {});
struct PoolOptions {
  std::vector<std::int64_t> ksize = {2, 2}, strides = {2, 2};
  std::string_view padding = "VALID";
};
Tensor MaxPool(const Tensor& x, const PoolOptions& options, std::string_view name = {});
Tensor AvgPool(const Tensor& x, const PoolOptions& options, std::string_view name = {});
Tensor MatMul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false,
              std::string_view name = {});
struct BatchNormResult {
  Tensor y, mean, variance;
};
BatchNormResult FusedBatchNorm(const Tensor& x, const Tensor& scale, const Tensor& offset, const Tensor& mean,
                               const Tensor& variance, float epsilon, bool is_training,
                               float exponential_avg_factor = 1.0f, std::string_view name = {});

Tensor Relu(const Tensor& x, std::string_view name = {});
Tensor Softmax(const Tensor& x, std::string_view name = {});
Tensor Add(const Tensor& a, const Tensor& b, std::string_view name = {});  // op AddV2, named Add. tf: tf.add
Tensor Sub(const Tensor& a, const Tensor& b, std::string_view name = {});
Tensor Multiply(const Tensor& a, const Tensor& b, std::string_view name = {});
Tensor Divide(const Tensor& a, const Tensor& b, std::string_view name = {});
Tensor AddN(const std::vector<Tensor>& inputs, std::string_view name = {});
Tensor Concat(const std::vector<Tensor>& inputs, std::int64_t axis, std::string_view name = {});
Tensor Reshape(const Tensor& x, const std::vector<std::int64_t>& shape, std::string_view name = {});
Tensor Squeeze(const Tensor& x, const std::vector<std::int64_t>& axes = {}, std::string_view name = {});
Tensor ReduceSum(const Tensor& x, const std::vector<std::int64_t>& axes, bool keepdims = false,
                 std::string_view name = {});
Tensor ReduceMean(const Tensor& x, const std::vector<std::int64_t>& axes, bool keepdims = false,
                  std::string_view name = {});
Tensor L2Loss(const Tensor& x, std::string_view name = {});
Tensor Pad(const Tensor& x, const std::vector<std::pair<std::int64_t, std::int64_t>>& paddings,
           std::string_view name = {});
Tensor Cast(const Tensor& x, DType dtype, std::string_view name = {});
Tensor Fill(const Shape& shape, const Tensor& value, std::string_view name = {});
Tensor GreaterEqual(const Tensor& a, const Tensor& b, std::string_view name = {});
Tensor Where(const Tensor& condition, const Tensor& x, const Tensor& y, std::string_view name = {});  // SelectV2

// Python's operators: the op is named add, sub, mul, truediv; a number becomes a constant `<op>/y` (`/x` on the left).
}  // namespace equiv::runtime

namespace equiv {  // where argument-dependent lookup finds them
runtime::Tensor operator+(const runtime::Tensor& a, const runtime::Tensor& b);
runtime::Tensor operator-(const runtime::Tensor& a, const runtime::Tensor& b);
runtime::Tensor operator*(const runtime::Tensor& a, const runtime::Tensor& b);
runtime::Tensor operator/(const runtime::Tensor& a, const runtime::Tensor& b);
runtime::Tensor operator+(const runtime::Tensor& a, double b);
runtime::Tensor operator-(const runtime::Tensor& a, double b);
runtime::Tensor operator*(const runtime::Tensor& a, double b);
runtime::Tensor operator/(const runtime::Tensor& a, double b);
runtime::Tensor operator*(double a, const runtime::Tensor& b);
runtime::Tensor operator+(double a, const runtime::Tensor& b);
runtime::Tensor operator-(double a, const runtime::Tensor& b);
}  // namespace equiv
