// kernels/cpu/non_max_suppression.h - boxes of high score that do not overlap. float32.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

// boxes [n,4], scores [n], max_output_size -> indices of the boxes taken, best first; equal scores in the order of the
// boxes. A box goes when its overlap with one already taken is above iou_threshold.
void NonMaxSuppression(KernelContext& ctx);    // attribute iou_threshold
void NonMaxSuppressionV2(KernelContext& ctx);  // iou_threshold as input
void NonMaxSuppressionV3(KernelContext& ctx);  // and score_threshold: only scores above it
void NonMaxSuppressionV4(KernelContext& ctx);  // maybe padded with zeros, and the number that counts
void NonMaxSuppressionV5(KernelContext& ctx);  // and soft_nms_sigma: overlap lowers scores; also gives the scores
// boxes [b,n,q,4], scores [b,n,classes]: the same for every class, then the best of all classes.
void CombinedNonMaxSuppression(KernelContext& ctx);

}  // namespace equiv::cpu
