// kernels/cpu/tensor_array.h - arrays of tensors behind a handle, written and read one index at a time.
// tf: TensorArrayV3 and its family. `flow` is a float that orders the ops of one array and is handed on unchanged.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

void TensorArray(KernelContext& ctx);               // size -> handle, flow; attributes dtype, element_shape, ...
void TensorArrayGrad(KernelContext& ctx);           // handle, flow -> handle of the gradients called `source`, flow
void TensorArrayGradWithShape(KernelContext& ctx);  // ... whose elements have more dimensions in front
void TensorArrayWrite(KernelContext& ctx);          // handle, index, value, flow -> flow
void TensorArrayRead(KernelContext& ctx);           // handle, index, flow -> value
void TensorArrayGather(KernelContext& ctx);         // handle, indices [n], flow -> values [n, ...]
void TensorArrayScatter(KernelContext& ctx);        // handle, indices [n], values [n, ...], flow -> flow
void TensorArrayConcat(KernelContext& ctx);         // handle, flow -> values along axis 0, their lengths
void TensorArraySplit(KernelContext& ctx);          // handle, values, lengths, flow -> flow
void TensorArraySize(KernelContext& ctx);           // handle, flow -> size
void TensorArrayClose(KernelContext& ctx);          // handle; lets go of what the array holds

}  // namespace equiv::cpu
