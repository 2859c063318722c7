// kernels/cpu/image.h - resizing of images, and local response normalisation. NHWC.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// images [n,h,w,c], size [h', w']; attributes align_corners, half_pixel_centers.
void ResizeNearestNeighbor(KernelContext& ctx);
void ResizeBilinear(KernelContext& ctx);  // of any number type, to float32
// x / (bias + alpha * sum of the squares of the neighbouring channels)^beta; attribute depth_radius.
void Lrn(KernelContext& ctx);
void LrnGrad(KernelContext& ctx);  // input_grads, input_image, output_image

}  // namespace equiv::cpu
