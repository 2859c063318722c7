// kernels/ops/conv_grad.cc - gradients of Conv2D, DepthwiseConv2dNative; Conv2DBackpropInput is also Conv2DTranspose.
#include "kernels/cpu/conv_grad.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {

using MakeGeometry = cpu::ConvGeometry(const cpu::FailFn&, const AttrMap&, const PartialShape&, const PartialShape&);

// out_backprop must be what the forward op gives for these shapes.
void RequireGrad(ShapeContext& c, MakeGeometry make, const PartialShape& image, const PartialShape& filter) {
  const PartialShape grad = c.WithRank(2, 4), output = make(FailThrough(c), c.attrs(), image, filter).output;
  if (!output.IsCompatibleWith(grad))
    c.Fail(fmt::format("Size of out_backprop doesn't match computed: actual = {}, computed = {}, input {}, filter {}",
                       grad.ToString(), output.ToString(), image.ToString(), filter.ToString()));
}
// tf: Conv2DBackpropInputShape; constant input_sizes give the shape
ShapeFn InputGradShape(MakeGeometry make) {
  return [make](ShapeContext& c) {
    const PartialShape filter = c.WithRank(1, 4), grad = c.WithRank(2, 4);
    const Array* sizes = c.constant(0);
    if (!sizes) return c.set_output(0, PartialShape::UnknownOfRank(4));
    PartialShape image = PartialShape::UnknownOfRank(4);
    const std::string& format = c.attr<std::string>("data_format");
    std::vector<std::int64_t> dims = sizes->AsInt64Vector();
    if (dims.size() == 2 && dims[0] >= 0 && dims[1] >= 0)
      image = cpu::ImageShape(cpu::LayoutOf(format), grad[0], dims[0], dims[1], filter[2]);
    else if (dims.size() == 4)
      image = PartialShape(std::move(dims));
    else
      c.Fail("input_sizes must be 4 values, or a height and a width, but got shape " + c.input(0).ToString());
    RequireGrad(c, make, image, filter);
    c.set_output(0, image);
  };
}
ShapeFn FilterGradShape(MakeGeometry make) {
  return [make](ShapeContext& c) {
    const PartialShape filter = ShapeFromInput(c, 1), image = c.WithRank(0, 4);
    if (!filter.has_rank()) return c.set_output(0, PartialShape::UnknownOfRank(4));
    if (filter.rank() != 4) c.Fail("filter_sizes must be 4 values, but got shape " + filter.ToString());
    RequireGrad(c, make, image, filter);
    c.set_output(0, filter);
  };
}

OpDef Gradient(const char* name, const char* doc, bool of_input, MakeGeometry make, bool cudnn,
               void (*kernel)(KernelContext&)) {
  // tf: Conv2DBackpropInput alone takes int32
  const bool integers = cudnn && of_input;
  std::vector<std::string> attrs{integers ? "T: {half, bfloat16, float, double, int32}" : Types("T", kFloats),
                                 "strides: list(int)"};
  if (cudnn) attrs.emplace_back("use_cudnn_on_gpu: bool = true");
  attrs.insert(attrs.end(), {"padding: {'SAME', 'VALID', 'EXPLICIT'}", "explicit_paddings: list(int) = []",
                             "data_format: {'NHWC', 'NCHW'} = 'NHWC'", "dilations: list(int) = [1, 1, 1, 1]"});
  using Names = std::vector<std::string>;
  return {.name = name,
          .doc = doc,
          .inputs = of_input ? Names{"input_sizes: int32", "filter: T", "out_backprop: T"}
                             : Names{"input: T", "filter_sizes: int32", "out_backprop: T"},
          .outputs = {"output: T"},
          .attrs = attrs,
          .shape = of_input ? InputGradShape(make) : FilterGradShape(make),
          .kernel = Stateless(kernel)};
}
}  // namespace

void RegisterConvGrad(OpRegistry& r) {
  r.Add(Gradient("Conv2DBackpropInput", "Gradient of Conv2D by its input: the transposed convolution.", true,
                 cpu::MakeConvGeometry, true, cpu::Conv2DBackpropInput));
  r.Add(Gradient("Conv2DBackpropFilter", "Gradient of Conv2D by its filter.", false, cpu::MakeConvGeometry, true,
                 cpu::Conv2DBackpropFilter));
  r.Add(Gradient("DepthwiseConv2dNativeBackpropInput", "Gradient of DepthwiseConv2dNative by its input.", true,
                 cpu::MakeDepthwiseGeometry, false, cpu::DepthwiseConv2dNativeBackpropInput));
  r.Add(Gradient("DepthwiseConv2dNativeBackpropFilter", "Gradient of DepthwiseConv2dNative by its filter.", false,
                 cpu::MakeDepthwiseGeometry, false, cpu::DepthwiseConv2dNativeBackpropFilter));
}

}  // namespace equiv::ops
