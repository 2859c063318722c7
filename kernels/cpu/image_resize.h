// kernels/cpu/image_resize.h - other ways to resize images, gradients of resizing, and cutting out boxes. NHWC.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// images [n,h,w,c] of any number type, size [h', w'] -> float32.
void ResizeBicubic(KernelContext& ctx);
void ResizeArea(KernelContext& ctx);  // the mean of the part of the original that a cell covers
// grads [n,h',w',c] float32, original_image [n,h,w,c] -> its type, float32 or float64 (bilinear also 16-bit floats).
// Contributions are added in the order of the resized cells.
void ResizeBilinearGrad(KernelContext& ctx);
void ResizeBicubicGrad(KernelContext& ctx);
void ResizeNearestNeighborGrad(KernelContext& ctx);  // grads, size [h, w] of the original; any number type

// image [n,h,w,c], boxes [m,4] (y1, x1, y2, x2 in parts of the image), box_ind [m], crop_size [2] -> [m,h',w',c].
void CropAndResize(KernelContext& ctx);
void CropAndResizeGradImage(KernelContext& ctx);  // grads, boxes, box_ind, image_size [4]
void CropAndResizeGradBoxes(KernelContext& ctx);  // grads, image, boxes, box_ind

}  // namespace equiv::cpu
