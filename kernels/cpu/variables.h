// kernels/cpu/variables.h - variables as resources.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

void VarHandleOp(KernelContext& ctx);          // attributes shared_name, dtype, shape -> handle
void ReadVariableOp(KernelContext& ctx);       // shares the variable's buffer
void AssignVariableOp(KernelContext& ctx);     // takes over the value's buffer
void AssignAddVariableOp(KernelContext& ctx);  // float32, float64, int32, int64; writes a new buffer
void AssignSubVariableOp(KernelContext& ctx);
void Assign(KernelContext& ctx);
void AssignAdd(KernelContext& ctx);
void AssignSub(KernelContext& ctx);
void VarIsInitializedOp(KernelContext& ctx);

}  // namespace equiv::cpu
