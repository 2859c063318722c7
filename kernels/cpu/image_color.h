// kernels/cpu/image_color.h - colours of images: contrast, hue, saturation, HSV. The channels are the last dimension.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// images, contrast_factor: mean + (x - mean) * factor, with the mean of each image and channel. float32.
void AdjustContrast(KernelContext& ctx);
// images of three channels, delta: hue turned by delta. float32.
void AdjustHue(KernelContext& ctx);
// images of three channels, scale: saturation times scale, cut to [0, 1]. float32.
void AdjustSaturation(KernelContext& ctx);
// images of three channels in [0, 1]. float32, float64.
void RGBToHSV(KernelContext& ctx);
void HSVToRGB(KernelContext& ctx);

}  // namespace equiv::cpu
