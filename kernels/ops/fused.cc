// kernels/ops/fused.cc - contractions with what follows them, as optimised graphs hold them.
#include "kernels/cpu/fused.h"

#include "kernels/base/op_registry.h"
#include "kernels/cpu/conv_geometry.h"
#include "kernels/cpu/gemm_matmul.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
constexpr const char* kFusedOps = "fused_ops: list(string) = []";
constexpr const char* kEpsilon = "epsilon: float = 0.0001";
constexpr const char* kAlpha = "leakyrelu_alpha: float = 0.2";
constexpr const char* kDilations = "dilations: list(int) = [1, 1, 1, 1]";

using MakeGeometry = cpu::ConvGeometry(const cpu::FailFn&, const AttrMap&, const PartialShape&, const PartialShape&);
ShapeFn ConvShape(MakeGeometry make) {
  return [make](ShapeContext& c) {
    c.set_output(0, make(FailThrough(c), c.attrs(), c.WithRank(0, 4), c.WithRank(1, 4)).output);
  };
}
}  // namespace

void RegisterFused(OpRegistry& r) {
  // tf: _FusedConv2D takes a list of types, and arguments on the host for other devices; on the CPU there are none.
  r.Add({.name = "_FusedConv2D",
         .doc = "Conv2D, then a bias or batch norm, then maybe an activation.",
         .inputs = {"input: T", "filter: T", "args: num_args * T"},
         .outputs = {"output: T"},
         .attrs = {"T: {float, double}", "TArgs: list(type) = []", "num_args: int >= 0", "num_host_args: int >= 0 = 0",
                   "strides: list(int)", "padding: {'SAME', 'VALID', 'EXPLICIT'}", "explicit_paddings: list(int) = []",
                   "data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'",
                   "filter_format: {'HWIO', 'OIHW', 'OIHW_VECT_I'} = 'HWIO'", kDilations,
                   "use_cudnn_on_gpu: bool = true", kFusedOps, kEpsilon, kAlpha},
         .shape = ConvShape(cpu::MakeConvGeometry),
         .kernel = Stateless(cpu::FusedConv2D)});
  r.Add({.name = "_FusedDepthwiseConv2dNative",
         .doc = "DepthwiseConv2dNative, then a bias or batch norm, then maybe an activation.",
         .inputs = {"input: T", "filter: T", "args: num_args * T"},
         .outputs = {"output: T"},
         .attrs = {"T: {float, double}", "num_args: int >= 0", "strides: list(int)", "padding: {'SAME', 'VALID'}",
                   "data_format: {'NHWC', 'NCHW'} = 'NHWC'", kDilations, kFusedOps, kEpsilon, kAlpha},
         .shape = ConvShape(cpu::MakeDepthwiseGeometry),
         .kernel = Stateless(cpu::FusedDepthwiseConv2dNative)});
  r.Add({.name = "_FusedMatMul",
         .doc = "MatMul, then a bias, then maybe an activation.",
         .inputs = {"a: T", "b: T", "args: num_args * T"},
         .outputs = {"product: T"},
         .attrs = {"transpose_a: bool = false", "transpose_b: bool = false", "T: {float}", "num_args: int >= 0",
                   kFusedOps, kEpsilon, kAlpha},
         .shape =
             [](ShapeContext& c) {
               c.set_output(0, cpu::MatMulShape(FailThrough(c), c.WithRank(0, 2), c.WithRank(1, 2),
                                                c.attr<bool>("transpose_a"), c.attr<bool>("transpose_b")));
             },
         .kernel = Stateless(cpu::FusedMatMul)});
}

}  // namespace equiv::ops
