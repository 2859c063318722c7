// kernels/cpu/optimizer_step.h - the frame around every optimiser: reads variables, checks, applies a rule, writes.
//
// A rule is a struct over T, made from StepArgs, that updates one element of every variable from one gradient. Results
// go to new buffers, because readers may hold the old ones.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "kernels/base/flush.h"
#include "kernels/base/op_def.h"
#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {

// Position of the input with this name.
inline int InputNamed(KernelContext& ctx, std::string_view name) {
  const auto& args = ctx.def().input_args;
  const auto it = std::ranges::find(args, name, &ArgDef::name);
  EQUIV_CHECK(it != args.end());
  return static_cast<int>(it - args.begin());
}

// Scalar inputs and flags by name. tf: training_ops.cc
template <class T>
class StepArgs {
 public:
  explicit StepArgs(KernelContext& ctx) : ctx_(ctx) {}
  T operator()(std::string_view name) const { return Read<T>(name, ""); }
  std::int64_t Integer(std::string_view name) const { return Read<std::int64_t>(name, ""); }
  T Positive(std::string_view name) const {
    const T value = Read<T>(name, "positive ");
    if (!(value > T{0})) Refuse(name, "positive ");
    return value;
  }
  T NonNegative(std::string_view name) const {
    const T value = Read<T>(name, "non-negative ");
    if (!(value >= T{0})) Refuse(name, "non-negative ");
    return value;
  }
  T NonPositive(std::string_view name) const {
    const T value = Read<T>(name, "non-positive ");
    if (!(value <= T{0})) Refuse(name, "non-positive ");
    return value;
  }
  bool Flag(std::string_view name) const { return ctx_.attrs().Get<bool>(name); }

 private:
  template <class S>
  S Read(std::string_view name, std::string_view kind) const {
    const Array& a = ctx_.input(InputNamed(ctx_, name));
    if (a.rank() != 0) Refuse(name, kind);
    return a.data<S>()[0];
  }
  [[noreturn]] void Refuse(std::string_view name, std::string_view kind) const {
    throw InvalidArgumentError(fmt::format("{}{} is not a {}scalar: {}", ctx_.Where(), name, kind,
                                           ctx_.input(InputNamed(ctx_, name)).shape().ToString()));
  }
  KernelContext& ctx_;
};

// The first N inputs: variables of one dtype and shape, their old values and the new ones.
template <class T, int N>
class StepVariables {
 public:
  explicit StepVariables(KernelContext& ctx) : ctx_(ctx) {
    for (int i = 0; i < N; ++i) {
      const Variable& variable = *ctx.input(i).variable();
      if (!variable.initialized())
        throw FailedPreconditionError(
            fmt::format("{}Attempting to use uninitialized value {}", ctx.Where(), variable.name()));
      const Array value = variable.Read(ctx.node_name());
      if (value.dtype() != kDTypeOf<T>)
        throw InvalidArgumentError(fmt::format("{}variable '{}' holds {}, expected {}", ctx.Where(), variable.name(),
                                               Name(value.dtype()), Name(kDTypeOf<T>)));
      if (i > 0 && !(value.shape() == old_[0].shape())) RefuseShape(InputName(i), value.shape());
      old_[static_cast<std::size_t>(i)] = value;
    }
  }
  const Shape& shape() const { return old_[0].shape(); }
  void RefuseShape(const std::string& name, const Shape& other) const {
    throw InvalidArgumentError(fmt::format("{}{} and {} do not have the same shape{} {}", ctx_.Where(), InputName(0),
                                           name, shape().ToString(), other.ToString()));
  }
  const std::string& InputName(int i) const { return ctx_.def().input_args[static_cast<std::size_t>(i)].name; }
  std::array<const T*, N> old_values() const {
    std::array<const T*, N> p;
    for (std::size_t i = 0; i < N; ++i) p[i] = old_[i].template data<T>();
    return p;
  }
  // New buffers: uninitialised, or holding the old values.
  std::array<T*, N> NewValues(bool copied) {
    std::array<T*, N> p;
    for (std::size_t i = 0; i < N; ++i) {
      fresh_[i] = copied ? old_[i].Copy() : Array(kDTypeOf<T>, shape());
      p[i] = fresh_[i].template mutable_data<T>();
    }
    return p;
  }
  // The variables take the new values; a reference op hands its first variable on.
  void Assign() {
    for (int i = 0; i < N; ++i)
      ctx_.input(i).variable()->Assign(std::move(fresh_[static_cast<std::size_t>(i)]), ctx_.node_name());
    if (ctx_.num_outputs() > 0) ctx_.set_output(0, ctx_.input(0));
  }

 private:
  KernelContext& ctx_;
  std::array<Array, N> old_, fresh_;
};

// Rule<T>: kVariables; Rule(const StepArgs<T>&); void operator()(T gradient, std::array<T, kVariables>& values) const.
template <template <class> class Rule>
void ApplyDense(KernelContext& ctx, std::string_view gradient = "grad") {
  ForFloating(ctx, ctx.attrs().Get<DType>("T"), [&]<class T>() {
    const ScopedFlushDenormals flush;
    constexpr int kCount = Rule<T>::kVariables;
    StepVariables<T, kCount> variables(ctx);
    const Array& grad = ctx.input(InputNamed(ctx, gradient));
    if (!(grad.shape() == variables.shape())) variables.RefuseShape(std::string(gradient), grad.shape());
    const Rule<T> rule{StepArgs<T>(ctx)};
    const auto old = variables.old_values();
    const auto fresh = variables.NewValues(false);
    const T* g = grad.data<T>();
    constexpr std::int64_t kBlock = 1 << 14;
    ctx.pool().ParallelRanges(grad.num_elements(), kBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        std::array<T, kCount> values;
        for (std::size_t k = 0; k < kCount; ++k) values[k] = old[k][i];
        rule(g[i], values);
        for (std::size_t k = 0; k < kCount; ++k) fresh[k][i] = values[k];
      }
    });
    variables.Assign();
  });
}

// Rows `indices` of the variables, one after the other: an index that comes again meets the result of the first.
// Rule as above; made with (args, elements of a row).
template <template <class> class Rule>
void ApplySparse(KernelContext& ctx) {
  ForFloating(ctx, ctx.attrs().Get<DType>("T"), [&]<class T>() {
    const ScopedFlushDenormals flush;
    constexpr int kCount = Rule<T>::kVariables;
    StepVariables<T, kCount> variables(ctx);
    const Shape shape = variables.shape();
    const Array &grad = ctx.input(InputNamed(ctx, "grad")), &index_array = ctx.input(InputNamed(ctx, "indices"));
    const auto refuse = [&](const std::string& text) { throw InvalidArgumentError(ctx.Where() + text); };
    if (shape.rank() < 1) refuse("var must be at least 1 dimensional");
    if (index_array.rank() != 1) refuse("indices must be one-dimensional");
    if (grad.rank() != shape.rank())
      refuse(fmt::format("grad must have the rank of var, got {} and {}", grad.shape().ToString(), shape.ToString()));
    std::int64_t width = 1;
    for (int d = 1; d < shape.rank(); ++d) {
      if (shape[d] != grad.dim(d)) refuse(fmt::format("var and grad must match in dimension {}", d));
      width *= shape[d];
    }
    const std::vector<std::int64_t> indices = index_array.AsInt64Vector();
    if (grad.dim(0) != static_cast<std::int64_t>(indices.size()))
      refuse("grad must be the same size as indices in the first dimension.");
    if (width == 0) refuse("Inner dimension should be greater than zero.");
    for (std::size_t i = 0; i < indices.size(); ++i)
      if (indices[i] < 0 || indices[i] >= shape[0])
        refuse(fmt::format("Index {} at offset {} in indices is out of range", indices[i], i));
    const Rule<T> rule(StepArgs<T>(ctx), width);
    const auto values = variables.NewValues(true);
    const T* g = grad.data<T>();
    // Columns are independent of one another; rows are not.
    const std::int64_t rows = static_cast<std::int64_t>(indices.size());
    ctx.pool().ParallelRanges(width, RowsPerBlock(rows), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t at = indices[static_cast<std::size_t>(row)] * width;
        for (std::int64_t i = begin; i < end; ++i) {
          std::array<T, kCount> element;
          for (std::size_t k = 0; k < kCount; ++k) element[k] = values[k][at + i];
          rule(g[row * width + i], element);
          for (std::size_t k = 0; k < kCount; ++k) values[k][at + i] = element[k];
        }
      }
    });
    variables.Assign();
  });
}

}  // namespace equiv::cpu
