// kernels/ops/volume.cc - Conv3D with its gradients.
#include "kernels/cpu/volume.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/volume_geometry.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {

cpu::VolumeConv Geometry(ShapeContext& c, const PartialShape& volume, const PartialShape& filter) {
  for (const PartialShape* s : {&volume, &filter})
    if (s->rank() != 5) c.Fail("sizes must be 5 values, but got shape " + s->ToString());
  return cpu::MakeVolumeConv(FailThrough(c), "Conv3D", c.attrs(), volume, filter);
}
void GradShape(ShapeContext& c, const PartialShape& volume, const PartialShape& filter, const PartialShape& result) {
  const PartialShape grad = c.WithRank(2, 5), output = Geometry(c, volume, filter).output;
  if (!output.IsCompatibleWith(grad))
    c.Fail(fmt::format("Size of out_backprop doesn't match computed: actual = {}, computed = {}, input {}, filter {}",
                       grad.ToString(), output.ToString(), volume.ToString(), filter.ToString()));
  c.set_output(0, result);
}
// tf: Conv3DBackpropInputV2; constant sizes give the shape
void InputGradShape(ShapeContext& c) {
  const PartialShape volume = ShapeFromInput(c, 0);
  if (!volume.has_rank()) return c.set_output(0, PartialShape::UnknownOfRank(5));
  GradShape(c, volume, c.WithRank(1, 5), volume);
}
void FilterGradShape(ShapeContext& c) {
  const PartialShape filter = ShapeFromInput(c, 1);
  if (!filter.has_rank()) return c.set_output(0, PartialShape::UnknownOfRank(5));
  GradShape(c, c.WithRank(0, 5), filter, filter);
}

constexpr const char* kFormat = "data_format: {'NDHWC', 'NCDHW'} = 'NDHWC'";
constexpr const char* kDilations = "dilations: list(int) = [1, 1, 1, 1, 1]";
constexpr const char* kPadding = "padding: {'SAME', 'VALID'}";
}  // namespace

void RegisterVolume(OpRegistry& r) {
  r.Add({.name = "Conv3D",
         .doc = "3-D correlation of a volume with a filter.",
         .inputs = {"input: T", "filter: T"},
         .outputs = {"output: T"},
         .attrs = {Types("T", kFloats), "strides: list(int) >= 5", kPadding, kFormat, kDilations},
         .shape = [](ShapeContext& c) { c.set_output(0, Geometry(c, c.WithRank(0, 5), c.WithRank(1, 5)).output); },
         .kernel = Stateless(cpu::Conv3D)});
  r.Add({.name = "Conv3DBackpropInputV2",
         .doc = "Gradient of Conv3D by its input: the transposed convolution.",
         .inputs = {"input_sizes: Tshape", "filter: T", "out_backprop: T"},
         .outputs = {"output: T"},
         .attrs = {Types("T", kFloats), "strides: list(int) >= 5", kPadding, kFormat, kDilations,
                   "Tshape: {int32, int64} = int32"},
         .shape = InputGradShape,
         .kernel = Stateless(cpu::Conv3DBackpropInputV2)});
  r.Add({.name = "Conv3DBackpropFilterV2",
         .doc = "Gradient of Conv3D by its filter.",
         .inputs = {"input: T", "filter_sizes: int32", "out_backprop: T"},
         .outputs = {"output: T"},
         .attrs = {Types("T", kFloats), "strides: list(int) >= 5", kPadding, kFormat, kDilations},
         .shape = FilterGradShape,
         .kernel = Stateless(cpu::Conv3DBackpropFilterV2)});
}

}  // namespace equiv::ops
