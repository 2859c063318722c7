// kernels/ops/pool.cc - MaxPool, AvgPool.
#include "kernels/cpu/pool.h"

#include "kernels/base/op_registry.h"
#include "kernels/cpu/conv_geometry.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {

// tf: MaxPoolShapeWithExplicitPadding, AvgPoolShape
ShapeFn PoolShape(const char* op) {
  return [op](ShapeContext& c) {
    const PartialShape image = c.WithRank(0, 4);
    const cpu::FailFn fail = [&c](const std::string& message) { c.Fail(message); };
    const cpu::Window2D window = cpu::MakePoolWindow(fail, op, c.attrs(), image);
    c.set_output(0, cpu::ImageShape(window.layout, image.dim(window.layout.batch), window.h.out, window.w.out,
                                    image.dim(window.layout.depth)));
  };
}
}  // namespace

void RegisterPool(OpRegistry& r) {
  r.Add({.name = "MaxPool",
         .doc = "Largest value under a sliding window.",
         .inputs = {"input: T"},
         .outputs = {"output: T"},
         .attrs = {"T: {half, bfloat16, float, double, int32, int64, uint8, int16, int8, uint16} = float",
                   "ksize: list(int) >= 4", "strides: list(int) >= 4", "padding: {'SAME', 'VALID', 'EXPLICIT'}",
                   "explicit_paddings: list(int) = []", "data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'"},
         .shape = PoolShape("MaxPool"),
         .kernel = Stateless(cpu::MaxPool)});
  r.Add({.name = "AvgPool",
         .doc = "Mean of the cells of the image under a sliding window.",
         .inputs = {"value: T"},
         .outputs = {"output: T"},
         .attrs = {"ksize: list(int) >= 4", "strides: list(int) >= 4", "padding: {'SAME', 'VALID'}",
                   "data_format: {'NHWC', 'NCHW'} = 'NHWC'", Types("T", kFloats)},
         .shape = PoolShape("AvgPool"),
         .kernel = Stateless(cpu::AvgPool)});
}

}  // namespace equiv::ops
