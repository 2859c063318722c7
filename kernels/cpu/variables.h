// kernels/cpu/variables.h - variables as resources, and reference variables, which are handles here.
#pragma once
#include "kernels/base/kernel.h"

namespace equiv::cpu {

void VarHandleOp(KernelContext& ctx);          // attributes shared_name, dtype, shape -> handle
void ReadVariableOp(KernelContext& ctx);       // shares the variable's buffer
void AssignVariableOp(KernelContext& ctx);     // takes over the value's buffer
void AssignAddVariableOp(KernelContext& ctx);  // floating types and integers; writes a new buffer
void AssignSubVariableOp(KernelContext& ctx);
void Assign(KernelContext& ctx);
void AssignAdd(KernelContext& ctx);
void AssignSub(KernelContext& ctx);
void VarIsInitializedOp(KernelContext& ctx);
void VariableShape(KernelContext& ctx);      // attribute out_type
void DestroyResourceOp(KernelContext& ctx);  // attribute ignore_lookup_error
// The value before it was raised by one; OutOfRangeError at attribute limit.
void CountUpTo(KernelContext& ctx);
void ResourceCountUpTo(KernelContext& ctx);
// Gather and GatherNd of a variable's value.
void ResourceGather(KernelContext& ctx);
void ResourceGatherNd(KernelContext& ctx);

// The variable's value. tf: FailedPreconditionError when a reference has none, NotFoundError when a resource has not
Array ReadForUpdate(KernelContext& ctx, const Variable& variable, bool reference);

}  // namespace equiv::cpu
