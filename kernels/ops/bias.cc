// kernels/ops/bias.cc - BiasAdd and its gradient.
#include "kernels/cpu/bias.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
constexpr const char* kFormat = "data_format: {'NHWC', 'NCHW'} = 'NHWC'";

bool SecondIsChannels(ShapeContext& c) {
  const AttrValue* format = c.attrs().Find("data_format");
  return format && std::get<std::string>(*format) == "NCHW";
}
// tf: BiasAddShape
void BiasAddShape(ShapeContext& c) {
  const bool second = SecondIsChannels(c);
  const PartialShape value = c.WithRankAtLeast(0, second ? 3 : 2), bias = c.WithRank(1, 1);
  if (!value.has_rank()) return c.set_output(0, value);
  std::vector<std::int64_t> dims = value.dims();
  std::int64_t& depth = second ? dims[1] : dims.back();
  if (depth >= 0 && bias.dim(0) >= 0 && depth != bias.dim(0))
    c.Fail(fmt::format(
        "Dimensions must be equal, but are {} and {}: value {} needs as many biases as it has channels, got {}", depth,
        bias.dim(0), value.ToString(), bias.ToString()));
  if (depth < 0) depth = bias.dim(0);
  c.set_output(0, PartialShape(std::move(dims)));
}
// tf: BiasAddGradShape
void BiasAddGradShape(ShapeContext& c) {
  const bool second = SecondIsChannels(c);
  const PartialShape in = c.WithRankAtLeast(0, second ? 3 : 2);
  c.set_output(0, PartialShape{in.has_rank() ? in[second ? 1 : in.rank() - 1] : -1});
}
void Add(OpRegistry& r, const char* name, std::vector<std::string> attrs) {
  r.Add({.name = name,
         .doc = "Adds a vector along the channels.",
         .inputs = {"value: T", "bias: T"},
         .outputs = {"output: T"},
         .attrs = std::move(attrs),
         .shape = BiasAddShape,
         .kernel = Stateless(cpu::BiasAdd)});
}
}  // namespace

void RegisterBias(OpRegistry& r) {
  Add(r, "BiasAdd", {Types("T", kNumbers), kFormat});
  Add(r, "BiasAddV1", {Types("T", kNumbers)});
  r.Add({.name = "BiasAddGrad",
         .doc = "Sum over all axes but the channels.",
         .inputs = {"out_backprop: T"},
         .outputs = {"output: T"},
         .attrs = {Types("T", kNumbers), kFormat},
         .shape = BiasAddGradShape,
         .kernel = Stateless(cpu::BiasAddGrad)});
}

}  // namespace equiv::ops
