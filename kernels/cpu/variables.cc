#include "kernels/cpu/variables.h"

#include <fmt/format.h>

#include <functional>

#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {
namespace {
constexpr std::int64_t kBlock = 1 << 15;

// Readers may hold the old buffer, so the result goes to a new one.
template <class Op>
void Update(KernelContext& ctx, Op op) {
  Variable& variable = *ctx.input(0).variable();
  const Array old = variable.Read(ctx.node_name()), delta = ctx.input(1);
  if (old.dtype() != delta.dtype())
    throw InvalidArgumentError(fmt::format("{}variable '{}' holds {}, got a value of dtype {}", ctx.Where(),
                                           variable.name(), Name(old.dtype()), Name(delta.dtype())));
  if (old.shape() != delta.shape())
    throw InvalidArgumentError(
        fmt::format("{}Cannot update variable '{}' with shape {} using a Tensor with shape {}, shapes must be equal.",
                    ctx.Where(), variable.name(), old.shape().ToString(), delta.shape().ToString()));
  Array fresh(old.dtype(), old.shape());
  ForNumeric(ctx, old.dtype(), [&]<class T>() {
    const T *a = old.data<T>(), *b = delta.data<T>();
    T* out = fresh.mutable_data<T>();
    ctx.pool().ParallelRanges(old.num_elements(), kBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) out[i] = op(a[i], b[i]);
    });
  });
  variable.Assign(std::move(fresh), ctx.node_name());
}
}  // namespace

void VarHandleOp(KernelContext& ctx) {
  const std::string& shared = ctx.attrs().Get<std::string>("shared_name");
  const std::string& name = shared.empty() ? ctx.node_name() : shared;
  ctx.set_output(0, Array::Resource(ctx.resources().LookupOrCreate(name, ctx.attrs().Get<DType>("dtype"),
                                                                   ctx.attrs().Get<PartialShape>("shape"))));
}
void ReadVariableOp(KernelContext& ctx) {
  Array value = ctx.input(0).variable()->Read(ctx.node_name());
  if (value.dtype() != ctx.output_dtype(0))
    throw InvalidArgumentError(fmt::format("{}Trying to read variable '{}' with wrong dtype. Expected {} got {}",
                                           ctx.Where(), ctx.input(0).variable()->name(), Name(ctx.output_dtype(0)),
                                           Name(value.dtype())));
  ctx.set_output(0, std::move(value));
}
void AssignVariableOp(KernelContext& ctx) { ctx.input(0).variable()->Assign(ctx.input(1), ctx.node_name()); }
void AssignAddVariableOp(KernelContext& ctx) { Update(ctx, std::plus<>()); }
void AssignSubVariableOp(KernelContext& ctx) { Update(ctx, std::minus<>()); }
void Assign(KernelContext& ctx) {
  AssignVariableOp(ctx);
  ctx.set_output(0, ctx.input(0));
}
void AssignAdd(KernelContext& ctx) {
  AssignAddVariableOp(ctx);
  ctx.set_output(0, ctx.input(0));
}
void AssignSub(KernelContext& ctx) {
  AssignSubVariableOp(ctx);
  ctx.set_output(0, ctx.input(0));
}
void VarIsInitializedOp(KernelContext& ctx) {
  ctx.set_output(0, Array::Scalar(ctx.input(0).variable()->initialized()));
}
}  // namespace equiv::cpu
