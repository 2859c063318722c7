// kernels/ops/conv.cc - Conv2D, DepthwiseConv2dNative.
#include "kernels/cpu/conv.h"

#include "kernels/base/op_registry.h"
#include "kernels/cpu/conv_geometry.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {

cpu::FailFn FailOf(ShapeContext& c) {
  return [&c](const std::string& message) { c.Fail(message); };
}
// tf: Conv2DShape
void Conv2DShape(ShapeContext& c) {
  c.set_output(0, cpu::MakeConvGeometry(FailOf(c), c.attrs(), c.WithRank(0, 4), c.WithRank(1, 4)).output);
}
// tf: DepthwiseConv2DNativeShape
void DepthwiseShape(ShapeContext& c) {
  c.set_output(0, cpu::MakeDepthwiseGeometry(FailOf(c), c.attrs(), c.WithRank(0, 4), c.WithRank(1, 4)).output);
}
}  // namespace

void RegisterConv(OpRegistry& r) {
  r.Add({.name = "Conv2D",
         .doc = "2-D correlation of an image with a filter; several groups when the filter is shallower.",
         .inputs = {"input: T", "filter: T"},
         .outputs = {"output: T"},
         .attrs = {"T: {half, bfloat16, float, double, int32}", "strides: list(int)", "use_cudnn_on_gpu: bool = true",
                   "padding: {'SAME', 'VALID', 'EXPLICIT'}", "explicit_paddings: list(int) = []",
                   "data_format: {'NHWC', 'NCHW'} = 'NHWC'", "dilations: list(int) = [1, 1, 1, 1]"},
         .shape = Conv2DShape,
         .kernel = Stateless(cpu::Conv2D)});
  r.Add({.name = "DepthwiseConv2dNative",
         .doc = "2-D correlation of each channel with its own filters.",
         .inputs = {"input: T", "filter: T"},
         .outputs = {"output: T"},
         .attrs = {Types("T", kFloats), "strides: list(int)", "padding: {'SAME', 'VALID', 'EXPLICIT'}",
                   "explicit_paddings: list(int) = []", "data_format: {'NHWC', 'NCHW'} = 'NHWC'",
                   "dilations: list(int) = [1, 1, 1, 1]"},
         .shape = DepthwiseShape,
         .kernel = Stateless(cpu::DepthwiseConv2dNative)});
}

}  // namespace equiv::ops
