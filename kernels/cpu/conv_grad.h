// kernels/cpu/conv_grad.h - gradients of Conv2D and DepthwiseConv2dNative. float32 and float64, in every layout.
#pragma once
#include <string>
#include <vector>

#include "kernels/base/kernel.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

// input_sizes: [n,h,w,c], or [h,w] with the rest from the other inputs; filter; out_backprop. Groups as in Conv2D.
void Conv2DBackpropInput(KernelContext& ctx);
void Conv2DBackpropFilter(KernelContext& ctx);                 // input, filter_sizes, out_backprop
void DepthwiseConv2dNativeBackpropInput(KernelContext& ctx);   // input_sizes, filter, out_backprop
void DepthwiseConv2dNativeBackpropFilter(KernelContext& ctx);  // input, filter_sizes, out_backprop; sums in double

// What Conv2DBackpropInput's input_sizes stand for.
Shape ImageSizes(const FailFn& fail, const std::string& data_format, const std::vector<std::int64_t>& sizes,
                 const PartialShape& filter, const PartialShape& grad);

}  // namespace equiv::cpu
