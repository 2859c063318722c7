// Convolutions.
#include <fmt/format.h>

#include <algorithm>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/layers/keras.h"
#include "runtime/layers/layer_scope.h"

namespace equiv::runtime::keras {
namespace {

constexpr const char* kConvNames[] = {"Conv1D", "Conv2D", "Conv3D"};

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}
// {1, ..., 1} around the spatial values.
std::vector<std::int64_t> Around(const std::vector<std::int64_t>& spatial) {
  std::vector<std::int64_t> all = {1};
  all.insert(all.end(), spatial.begin(), spatial.end());
  all.push_back(1);
  return all;
}
Tensor ExpandDims(const Tensor& x, std::int32_t axis) {
  NameScope scope("ExpandDims");
  const Tensor dim = Constant(Array::Scalar(axis), "dim");
  return Current().Add1("ExpandDims", {ReadOperand(x), dim}, {}, scope.path() + "/");
}

}  // namespace

Conv::Conv(int rank, std::int64_t filters, std::vector<std::int64_t> kernel_size, const ConvOptions& options)
    : Conv(kConvNames[rank - 1], rank, filters, std::move(kernel_size), options) {}

Conv::Conv(const char* class_name, int rank, std::int64_t filters, std::vector<std::int64_t> kernel_size,
           const ConvOptions& options)
    : KerasLayer(class_name, CommonOf(options)), rank_(rank), filters_(filters), options_(options) {
  kernel_size_ = Spatial(kernel_size, rank, 1, "kernel_size");
  strides_ = Spatial(options.strides, rank, 1, "strides");
  dilations_ = Spatial(options.dilation_rate, rank, 1, "dilation_rate");
  options_.padding = Upper(options.padding);
  if (options_.padding != "VALID" && options_.padding != "SAME")
    throw ValueError(
        fmt::format("The `padding` argument must be one of 'valid' or 'same'. Received: {}", options.padding));
  if (filters < 0)
    throw ValueError(fmt::format(
        "Invalid value for argument `filters`. Expected a strictly positive value. Received filters={}.", filters));
}

void Conv::Build(const std::vector<PartialShape>& input_shapes) {
  RequireRank(input_shapes.at(0), rank_ + 2);
  const std::int64_t channels = internal::StaticChannels(input_shapes.at(0), name());
  if (channels % options_.groups != 0)
    throw ValueError(
        fmt::format("The number of input channels must be evenly divisible by the number of groups. "
                    "Received groups={}, but the input has {} channels (full input shape is {}).",
                    options_.groups, channels, input_shapes[0].ToTuple()));
  std::vector<std::int64_t> dims = kernel_size_;
  dims.push_back(channels / options_.groups);
  dims.push_back(filters_);
  kernel_ = AddWeight({.name = "kernel",
                       .shape = Shape(dims),
                       .initializer = internal::OrKernelDefault(options_.kernel_initializer, is_v1_style()),
                       .regularizer = options_.kernel_regularizer,
                       .trainable = true,
                       .constraint = options_.kernel_constraint});
  if (options_.use_bias) bias_ = AddWeight(internal::BiasOf(options_, filters_));
}

Tensor Conv::Finish(Tensor y) const {
  if (bias_) {
    if (rank_ == 3) {
      y = y + bias_;
    } else {
      y = internal::BiasAddWithWeight(y, bias_);
    }
  }
  return options_.activation ? options_.activation(y) : y;
}

Outputs Conv::Call(const CallArgs& args) {
  const Tensor& x = args.inputs.at(0);
  RequireRank(x.shape(), rank_ + 2);
  const int last = x.shape().rank() - 1;
  if (x.shape().dim(last) != kernel_.shape().dim(rank_) * options_.groups)
    throw ValueError(
        fmt::format("Input 0 of layer \"{}\" is incompatible with the layer: expected axis -1 of input "
                    "shape to have value {}, but received input with shape {}",
                    name(), kernel_.shape().dim(rank_) * options_.groups, x.shape().ToTuple()));
  if (rank_ == 2)
    return Finish(
        Conv2D(x, kernel_, {.strides = strides_, .padding = options_.padding, .dilations = dilations_}, "Conv2D"));
  Context& context = Current();
  if (rank_ == 1) {
    Tensor y;
    {
      NameScope scope("Conv1D");
      const Tensor wide = ExpandDims(x, -3);
      const Tensor kernel = ExpandDims(kernel_, 0);
      y = Squeeze(Conv2D(wide, kernel,
                         {.strides = {1, strides_[0]}, .padding = options_.padding, .dilations = {1, dilations_[0]}}),
                  {-3});
    }
    return Finish(y);
  }
  return Finish(context.Add1(
      "Conv3D", {x, kernel_.operand()},
      {{"strides", Around(strides_)}, {"padding", options_.padding}, {"dilations", Around(dilations_)}}, "Conv3D"));
}

ConvTranspose::ConvTranspose(int rank, std::int64_t filters, std::vector<std::int64_t> kernel_size,
                             const ConvOptions& options)
    : Conv(rank == 2 ? "Conv2DTranspose" : "Conv3DTranspose", rank, filters, std::move(kernel_size), options) {}

void ConvTranspose::Build(const std::vector<PartialShape>& input_shapes) {
  RequireRank(input_shapes.at(0), 0, rank_ + 2);
  const std::int64_t channels = internal::StaticChannels(input_shapes.at(0), name());
  std::vector<std::int64_t> dims = kernel_size_;
  dims.push_back(filters_);
  dims.push_back(channels);
  kernel_ = AddWeight({.name = "kernel",
                       .shape = Shape(dims),
                       .initializer = internal::OrKernelDefault(options_.kernel_initializer, is_v1_style()),
                       .regularizer = options_.kernel_regularizer,
                       .trainable = true});
  if (options_.use_bias) bias_ = AddWeight(internal::BiasOf(options_, filters_));
}

Outputs ConvTranspose::Call(const CallArgs& args) {
  const Tensor& x = args.inputs.at(0);
  RequireRank(x.shape(), 0, rank_ + 2);
  const PartialShape shape = x.shape();
  std::vector<std::int32_t> dims = {static_cast<std::int32_t>(shape.dim(0))};
  for (int i = 0; i < rank_; ++i) {
    const auto k = static_cast<std::size_t>(i);
    if (shape.dim(i + 1) < 0 || shape.dim(0) < 0)
      throw ValueError(fmt::format("layer '{}' needs a static input shape, got {}", name(), shape.ToTuple()));
    // tf: conv_utils.deconv_output_length
    const std::int64_t size =
        shape.dim(i + 1) * strides_[k] +
        (options_.padding == "VALID" ? std::max<std::int64_t>(kernel_size_[k] - strides_[k], 0) : 0);
    dims.push_back(static_cast<std::int32_t>(size));
  }
  dims.push_back(static_cast<std::int32_t>(filters_));
  const Tensor sizes = Constant(Array::Of<std::int32_t>(Shape{rank_ + 2}, dims), "stack");
  const bool flat = rank_ == 2;
  NameScope scope(flat ? "conv2d_transpose" : "conv3d_transpose");
  Tensor y =
      Current().Add1(flat ? "Conv2DBackpropInput" : "Conv3DBackpropInputV2", {sizes, kernel_.operand(), x},
                     {{"strides", Around(strides_)}, {"padding", options_.padding}, {"dilations", Around(dilations_)}},
                     scope.path() + "/");
  return Finish(std::move(y));
}

DepthwiseConv2D::DepthwiseConv2D(std::vector<std::int64_t> kernel_size, const ConvOptions& options)
    : Conv("DepthwiseConv2D", 2, 0, std::move(kernel_size), options) {}

void DepthwiseConv2D::Build(const std::vector<PartialShape>& input_shapes) {
  RequireRank(input_shapes.at(0), 0, 4);
  const std::int64_t channels = internal::StaticChannels(input_shapes.at(0), name());
  filters_ = channels * options_.depth_multiplier;
  kernel_ = AddWeight({.name = "depthwise_kernel",
                       .shape = Shape{kernel_size_[0], kernel_size_[1], channels, options_.depth_multiplier},
                       .initializer = options_.depthwise_initializer ? options_.depthwise_initializer
                                                                     : internal::DefaultKernelInitializer(),
                       .regularizer = options_.depthwise_regularizer});
  if (options_.use_bias) bias_ = AddWeight(internal::BiasOf(options_, filters_));
}

Outputs DepthwiseConv2D::Call(const CallArgs& args) {
  RequireRank(args.inputs.at(0).shape(), 0, 4);
  NameScope scope("depthwise");
  Tensor y =
      Current().Add1("DepthwiseConv2dNative", {args.inputs.at(0), kernel_.operand()},
                     {{"strides", Around(strides_)}, {"padding", options_.padding}, {"dilations", Around(dilations_)}},
                     scope.path() + "/");
  return Finish(std::move(y));
}

SeparableConv::SeparableConv(int rank, std::int64_t filters, std::vector<std::int64_t> kernel_size,
                             const ConvOptions& options)
    : Conv(rank == 1 ? "SeparableConv1D" : "SeparableConv2D", rank, filters, std::move(kernel_size), options) {}

void SeparableConv::Build(const std::vector<PartialShape>& input_shapes) {
  RequireRank(input_shapes.at(0), 0, rank_ + 2);
  const std::int64_t channels = internal::StaticChannels(input_shapes.at(0), name());
  std::vector<std::int64_t> depthwise = kernel_size_;
  depthwise.push_back(channels);
  depthwise.push_back(options_.depth_multiplier);
  std::vector<std::int64_t> pointwise(static_cast<std::size_t>(rank_), 1);
  pointwise.push_back(channels * options_.depth_multiplier);
  pointwise.push_back(filters_);
  kernel_ = AddWeight({.name = "depthwise_kernel",
                       .shape = Shape(depthwise),
                       .initializer = internal::OrKernelDefault(options_.depthwise_initializer, is_v1_style()),
                       .regularizer = options_.depthwise_regularizer,
                       .trainable = true});
  pointwise_ = AddWeight({.name = "pointwise_kernel",
                          .shape = Shape(pointwise),
                          .initializer = internal::OrKernelDefault(options_.pointwise_initializer, is_v1_style()),
                          .regularizer = options_.pointwise_regularizer,
                          .trainable = true});
  if (options_.use_bias) bias_ = AddWeight(internal::BiasOf(options_, filters_));
}

Outputs SeparableConv::Call(const CallArgs& args) {
  RequireRank(args.inputs.at(0).shape(), 0, rank_ + 2);
  Tensor x = args.inputs.at(0);
  Tensor depthwise = kernel_, pointwise = pointwise_;
  std::vector<std::int64_t> strides = strides_;
  if (rank_ == 1) {
    x = ExpandDims(x, 1);
    depthwise = ExpandDims(depthwise, 0);
    pointwise = ExpandDims(pointwise, 0);
    strides = {strides_[0], strides_[0]};
  }
  Tensor y;
  {
    NameScope scope(rank_ == 1 ? "separable_conv1d" : "separable_conv2d");
    depthwise = ReadOperand(depthwise);
    pointwise = ReadOperand(pointwise);
    const Tensor middle = Current().Add1("DepthwiseConv2dNative", {x, depthwise},
                                         {{"strides", Around(strides)}, {"padding", options_.padding}}, "depthwise");
    y = Conv2D(middle, pointwise, {.strides = {1, 1}, .padding = "VALID"}, scope.path() + "/");
  }
  if (rank_ == 1) y = Squeeze(y, {1});
  return Finish(std::move(y));
}

}  // namespace equiv::runtime::keras
