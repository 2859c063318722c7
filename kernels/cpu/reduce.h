// kernels/cpu/reduce.h - Sum, Mean, Max, Min, Prod over axes, and L2Loss.
//
// Floating types and integers (L2Loss: floating). Sums and products follow TensorFlow's own order on one thread
// (reduce_order.h), at any number of threads. Empty reductions: sum 0, prod 1, max -inf, min inf, mean NaN.
#pragma once
#include <vector>

#include "kernels/base/kernel.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

// input, reduction_indices (int32 or int64, negative counts from the end); attribute keep_dims.
void Sum(KernelContext& ctx);
// The sum divided once by the number of elements (integers truncate).
void Mean(KernelContext& ctx);
void Max(KernelContext& ctx);  // NaN if any is
void Min(KernelContext& ctx);
void Prod(KernelContext& ctx);
void EuclideanNorm(KernelContext& ctx);  // integers wrap around before the root
// sum(t * t) / 2, accumulated in double and rounded once.
void L2Loss(KernelContext& ctx);

// [rows, n] -> [rows], as Sum over the last axis does. Any type Sum takes.
Array SumOfRows(KernelContext& ctx, const Array& matrix);

// Which of `rank` axes `axes` names; fails on an axis out of range or named twice.
std::vector<bool> ReducedAxes(const FailFn& fail, const std::vector<std::int64_t>& axes, int rank);

// Sum of n values in TensorFlow's order.
template <class T>
T SumInOrder(const T* x, std::int64_t n);  // any floating type

}  // namespace equiv::cpu
