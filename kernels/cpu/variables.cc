#include "kernels/cpu/variables.h"

#include <fmt/format.h>

#include "kernels/cpu/arrays_index.h"
#include "kernels/cpu/index_args.h"
#include "kernels/cpu/strings_moved.h"

namespace equiv::cpu {
namespace {
constexpr std::int64_t kBlock = 1 << 15;

// Readers may hold the old buffer, so the result goes to a new one.
template <class Op>
void Update(KernelContext& ctx, bool reference, Op op) {
  Variable& variable = *ctx.input(0).variable();
  const Array old = ReadForUpdate(ctx, variable, reference), delta = ctx.input(1);
  if (old.dtype() != delta.dtype())
    throw InvalidArgumentError(fmt::format("{}variable '{}' holds {}, got a value of dtype {}", ctx.Where(),
                                           variable.name(), Name(old.dtype()), Name(delta.dtype())));
  if (old.shape() != delta.shape())
    throw InvalidArgumentError(
        fmt::format("{}Cannot update variable '{}' with shape {} using a Tensor with shape {}, shapes must be equal.",
                    ctx.Where(), variable.name(), old.shape().ToString(), delta.shape().ToString()));
  Array fresh(old.dtype(), old.shape());
  ForReal(ctx, old.dtype(), [&]<class T>() {
    const T *a = old.data<T>(), *b = delta.data<T>();
    T* out = fresh.mutable_data<T>();
    ctx.pool().ParallelRanges(old.num_elements(), kBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) out[i] = op(a[i], b[i]);
    });
  });
  variable.Assign(std::move(fresh), ctx.node_name());
}
constexpr auto kPlus = []<class T>(T a, T b) { return Plus(a, b); };
constexpr auto kMinus = []<class T>(T a, T b) { return Minus(a, b); };

void Count(KernelContext& ctx, bool reference) {
  Variable& variable = *ctx.input(0).variable();
  const Array old = ReadForUpdate(ctx, variable, reference);
  const std::int64_t limit = ctx.attrs().Get<std::int64_t>("limit");
  if (old.rank() != 0) throw InvalidArgumentError(ctx.Where() + "input is not a scalar: " + old.shape().ToString());
  if (old.dtype() != ctx.output_dtype(0))
    throw InvalidArgumentError(fmt::format("{}variable '{}' holds {}, attribute T is {}", ctx.Where(), variable.name(),
                                           Name(old.dtype()), Name(ctx.output_dtype(0))));
  const std::int64_t count = old.AsInt64Vector()[0];
  if (count >= limit) throw OutOfRangeError(fmt::format("{}Reached limit of {}", ctx.Where(), limit));
  Array next(old.dtype(), Shape{});
  PutInt(next, 0, count + 1);
  variable.Assign(std::move(next), ctx.node_name());
  ctx.set_output(0, old);
}
// Runs `kernel` with the variable's value in place of its handle.
void OnValue(KernelContext& ctx, void (*kernel)(KernelContext&)) {
  const Array value = ReadForUpdate(ctx, *ctx.input(0).variable(), false);
  if (value.dtype() != ctx.output_dtype(0))
    throw InvalidArgumentError(fmt::format("{}Trying to read variable '{}' with wrong dtype. Expected {} got {}",
                                           ctx.Where(), ctx.input(0).variable()->name(), Name(ctx.output_dtype(0)),
                                           Name(value.dtype())));
  std::vector<Array> inputs{value, ctx.input(1)}, outputs(1);
  const DType dtype = ctx.output_dtype(0);
  KernelContext inner(ctx.def(), ctx.attrs(), ctx.node_name(), inputs, outputs, std::span(&dtype, 1), ctx.resources(),
                      ctx.pool());
  kernel(inner);
  ctx.set_output(0, outputs[0]);
}
}  // namespace

Array ReadForUpdate(KernelContext& ctx, const Variable& variable, bool reference) {
  if (variable.initialized()) return variable.Read(ctx.node_name());
  if (reference)
    throw FailedPreconditionError(
        fmt::format("{}Attempting to use uninitialized value {}", ctx.Where(), variable.name()));
  throw NotFoundError(
      fmt::format("{}Resource localhost/{} does not exist: the variable is uninitialized. Run its initializer in this "
                  "session first",
                  ctx.Where(), variable.name()));
}

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
void AssignAddVariableOp(KernelContext& ctx) { Update(ctx, false, kPlus); }
void AssignSubVariableOp(KernelContext& ctx) { Update(ctx, false, kMinus); }
void Assign(KernelContext& ctx) {
  AssignVariableOp(ctx);
  ctx.set_output(0, ctx.input(0));
}
void AssignAdd(KernelContext& ctx) {
  Update(ctx, true, kPlus);
  ctx.set_output(0, ctx.input(0));
}
void AssignSub(KernelContext& ctx) {
  Update(ctx, true, kMinus);
  ctx.set_output(0, ctx.input(0));
}
void VarIsInitializedOp(KernelContext& ctx) {
  ctx.set_output(0, Array::Scalar(ctx.input(0).variable()->initialized()));
}
void VariableShape(KernelContext& ctx) {
  const std::vector<std::int64_t> dims = ReadForUpdate(ctx, *ctx.input(0).variable(), false).shape().vector();
  Array& out = ctx.Allocate(0, Shape{static_cast<std::int64_t>(dims.size())});
  for (std::size_t i = 0; i < dims.size(); ++i) PutInt(out, static_cast<std::int64_t>(i), dims[i]);
}
void DestroyResourceOp(KernelContext& ctx) {
  Variable& variable = *ctx.input(0).variable();
  if (!ctx.attrs().Get<bool>("ignore_lookup_error")) ReadForUpdate(ctx, variable, false);
  variable.Clear();
}
void CountUpTo(KernelContext& ctx) { Count(ctx, true); }
void ResourceCountUpTo(KernelContext& ctx) { Count(ctx, false); }
void ResourceGather(KernelContext& ctx) { OnValue(ctx, WithStrings<GatherBatches>); }
void ResourceGatherNd(KernelContext& ctx) { OnValue(ctx, WithStrings<GatherNd>); }
}  // namespace equiv::cpu
