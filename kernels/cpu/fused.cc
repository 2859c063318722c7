#include "kernels/cpu/fused.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "kernels/cpu/batch_norm.h"
#include "kernels/cpu/bias.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/conv.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/gemm_matmul.h"

namespace equiv::cpu {
namespace {
using KernelFunction = void (*)(KernelContext&);

// Output 0 of another kernel, run under this op's name.
Array Call(KernelContext& ctx, KernelFunction kernel, std::vector<Array> inputs, const AttrMap& attrs,
           int outputs = 1) {
  std::vector<Array> results(static_cast<std::size_t>(outputs));
  const std::vector<DType> dtypes(results.size(), ctx.output_dtype(0));
  KernelContext inner(ctx.def(), attrs, ctx.node_name(), inputs, results, dtypes, ctx.resources(), ctx.pool());
  kernel(inner);
  return std::move(results[0]);
}

KernelFunction Activation(const std::string& name) {
  static const std::pair<const char*, KernelFunction> kKernels[] = {
      {"Relu", Relu}, {"Relu6", Relu6}, {"Elu", Elu}, {"Tanh", Tanh}, {"LeakyRelu", LeakyRelu}, {"Sigmoid", Sigmoid}};
  for (const auto& [known, kernel] : kKernels)
    if (name == known) return kernel;
  return nullptr;
}

void Fused(KernelContext& ctx, KernelFunction contraction) {
  const auto& fused = ctx.attrs().Get<std::vector<std::string>>("fused_ops");
  const KernelFunction activation = fused.size() == 2 ? Activation(fused[1]) : nullptr;
  const bool norm = !fused.empty() && fused[0] == "FusedBatchNorm", bias = !fused.empty() && fused[0] == "BiasAdd";
  if ((!norm && !bias) || fused.size() > 2 || (fused.size() == 2 && !activation))
    throw UnimplementedError(fmt::format("{}fused_ops [{}] have no CPU kernel", ctx.Where(), fmt::join(fused, ", ")));
  if (ctx.num_inputs() != 2 + (norm ? 4 : 1))
    throw InvalidArgumentError(
        fmt::format("{}{} needs {} further inputs, got {}", ctx.Where(), fused[0], norm ? 4 : 1, ctx.num_inputs() - 2));
  const AttrValue* format = ctx.attrs().Find("data_format");
  const AttrMap attrs{{"data_format", format ? *format : AttrValue(std::string("NHWC"))},
                      {"is_training", false},
                      {"epsilon", ctx.attrs().Get<float>("epsilon")},
                      {"exponential_avg_factor", 1.0F},
                      {"alpha", ctx.attrs().Get<float>("leakyrelu_alpha")}};
  Array out = Call(ctx, contraction, {ctx.input(0), ctx.input(1)}, ctx.attrs());
  if (bias)
    out = Call(ctx, BiasAdd, {std::move(out), ctx.input(2)}, attrs);
  else
    out = Call(ctx, FusedBatchNorm, {std::move(out), ctx.input(2), ctx.input(3), ctx.input(4), ctx.input(5)}, attrs, 5);
  if (activation) out = Call(ctx, activation, {std::move(out)}, attrs);
  ctx.set_output(0, std::move(out));
}
}  // namespace

void FusedConv2D(KernelContext& ctx) {
  if (ctx.attrs().Get<std::string>("filter_format") != "HWIO" ||
      ctx.attrs().Get<std::string>("data_format") == "NCHW_VECT_C")
    throw UnimplementedError(ctx.Where() + "only filter_format HWIO and data_format NHWC or NCHW have a CPU kernel");
  Fused(ctx, Conv2D);
}
void FusedDepthwiseConv2dNative(KernelContext& ctx) { Fused(ctx, DepthwiseConv2dNative); }
void FusedMatMul(KernelContext& ctx) { Fused(ctx, MatMul); }

}  // namespace equiv::cpu
