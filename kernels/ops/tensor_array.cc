// kernels/ops/tensor_array.cc - arrays of tensors behind a handle: what loops of TensorFlow 1 read and write.
#include "kernels/cpu/tensor_array.h"

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
void FlowOutput(ShapeContext& c) { c.set_output(0, Shape{}); }
void HandleAndFlow(ShapeContext& c) {
  c.set_output(0, Shape{});
  c.set_output(1, Shape{});
}
// Values of attribute `name`'s shape along a first axis of `n`.
void AlongFirstAxis(ShapeContext& c, const char* name, std::int64_t n) {
  const auto& element = c.attr<PartialShape>(name);
  if (!element.has_rank()) return c.set_output(0, PartialShape::Unknown());
  std::vector<std::int64_t> dims = {n};
  dims.insert(dims.end(), element.dims().begin(), element.dims().end());
  c.set_output(0, PartialShape(std::move(dims)));
}
void Add(OpRegistry& r, const char* name, const char* doc, std::vector<std::string> inputs,
         std::vector<std::string> outputs, std::vector<std::string> attrs, void (*kernel)(KernelContext&),
         ShapeFn shape) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = std::move(inputs),
         .outputs = std::move(outputs),
         .attrs = std::move(attrs),
         .stateful = true,
         .shape = std::move(shape),
         .kernel = Stateless(kernel)});
}
}  // namespace

void RegisterTensorArray(OpRegistry& r) {
  Add(r, "TensorArrayV3", "An array of tensors, nothing written.", {"size: int32"}, {"handle: resource", "flow: float"},
      {"dtype: type", "element_shape: shape = unknown", "dynamic_size: bool = false", "clear_after_read: bool = true",
       "identical_element_shapes: bool = false", "tensor_array_name: string = ''"},
      cpu::TensorArray, HandleAndFlow);
  Add(r, "TensorArrayGradV3", "The gradients of an array, all zero at first; what is written adds up.",
      {"handle: resource", "flow_in: float"}, {"grad_handle: resource", "flow_out: float"}, {"source: string"},
      cpu::TensorArrayGrad, HandleAndFlow);
  Add(r, "TensorArrayGradWithShape", "The gradients of an array, with dimensions in front.",
      {"handle: resource", "flow_in: float", "shape_to_prepend: int32"}, {"grad_handle: resource", "flow_out: float"},
      {"source: string"}, cpu::TensorArrayGradWithShape, HandleAndFlow);
  Add(r, "TensorArrayWriteV3", "Writes one element.",
      {"handle: resource", "index: int32", "value: T", "flow_in: float"}, {"flow_out: float"}, {"T: type"},
      cpu::TensorArrayWrite, FlowOutput);
  Add(r, "TensorArrayReadV3", "Reads one element.", {"handle: resource", "index: int32", "flow_in: float"},
      {"value: dtype"}, {"dtype: type"}, cpu::TensorArrayRead,
      [](ShapeContext& c) { c.set_output(0, PartialShape::Unknown()); });
  Add(r, "TensorArrayGatherV3", "Some elements, along a new first axis.",
      {"handle: resource", "indices: int32", "flow_in: float"}, {"value: dtype"},
      {"dtype: type", "element_shape: shape = unknown"}, cpu::TensorArrayGather, [](ShapeContext& c) {
        const PartialShape indices = c.WithRank(1, 1);
        AlongFirstAxis(c, "element_shape", indices.has_rank() ? indices[0] : -1);
      });
  Add(r, "TensorArrayScatterV3", "Writes the parts along the first axis to some elements.",
      {"handle: resource", "indices: int32", "value: T", "flow_in: float"}, {"flow_out: float"}, {"T: type"},
      cpu::TensorArrayScatter, [](ShapeContext& c) {
        c.WithRank(1, 1);
        FlowOutput(c);
      });
  Add(r, "TensorArrayConcatV3", "All elements along their first axis, and how long each was.",
      {"handle: resource", "flow_in: float"}, {"value: dtype", "lengths: int64"},
      {"dtype: type", "element_shape_except0: shape = unknown"}, cpu::TensorArrayConcat, [](ShapeContext& c) {
        AlongFirstAxis(c, "element_shape_except0", -1);
        c.set_output(1, PartialShape{-1});
      });
  Add(r, "TensorArraySplitV3", "Writes parts of the given lengths to the elements.",
      {"handle: resource", "value: T", "lengths: int64", "flow_in: float"}, {"flow_out: float"}, {"T: type"},
      cpu::TensorArraySplit, [](ShapeContext& c) {
        c.WithRank(2, 1);
        FlowOutput(c);
      });
  Add(r, "TensorArraySizeV3", "The number of elements.", {"handle: resource", "flow_in: float"}, {"size: int32"}, {},
      cpu::TensorArraySize, FlowOutput);
  Add(r, "TensorArrayCloseV3", "Lets go of what an array holds.", {"handle: resource"}, {}, {}, cpu::TensorArrayClose,
      [](ShapeContext&) {});
}
}  // namespace equiv::ops
