// kernels/cpu/image_window.h - windows over images that are not convolutions: patches and grey dilation. NHWC.
#pragma once
#include "kernels/base/kernel.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

// The window of ExtractImagePatches, from attributes ksizes, strides, rates and padding.
Window2D MakePatchWindow(const FailFn& fail, const AttrMap& attrs, const PartialShape& image);
// The window of Dilation2D over `image` with `filter` [kh, kw, c].
Window2D MakeDilationWindow(const FailFn& fail, const AttrMap& attrs, const PartialShape& image,
                            const PartialShape& filter);

// images [n,h,w,c] -> [n,h',w',kh*kw*c], cells row by row, zeros outside. Any dtype of a fixed size.
void ExtractImagePatches(KernelContext& ctx);
// input, filter: the largest of cell + filter under the window. Any number type.
void Dilation2D(KernelContext& ctx);
// input, filter, out_backprop: to the first largest cell, and to the filter's value there.
void Dilation2DBackpropInput(KernelContext& ctx);
void Dilation2DBackpropFilter(KernelContext& ctx);

}  // namespace equiv::cpu
