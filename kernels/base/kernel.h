// kernels/base/kernel.h - a kernel's life: created once per graph node or eager cache entry, then run many times.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/base/array.h"
#include "kernels/base/attr.h"
#include "kernels/base/resource.h"
#include "kernels/base/thread_pool.h"

namespace equiv {

struct OpDef;

// What a kernel may know when it is created.
struct KernelInit {
  const OpDef& def;
  const AttrMap& attrs;              // complete: defaults filled in, types inferred
  const std::string& node_name;      // for error texts; empty in eager
  std::string_view backend = "cpu";  // that runs the kernel, for the functions it calls
};

// One run of a kernel: inputs in, outputs out. Outputs are allocated through the context.
class KernelContext {
 public:
  KernelContext(const OpDef& def, const AttrMap& attrs, const std::string& node_name, std::vector<Array>& inputs,
                std::vector<Array>& outputs, std::span<const DType> output_dtypes, ResourceManager& resources,
                ThreadPool& pool)
      : def_(def),
        attrs_(attrs),
        node_name_(node_name),
        inputs_(inputs),
        outputs_(outputs),
        output_dtypes_(output_dtypes),
        resources_(resources),
        pool_(pool) {}

  const OpDef& def() const { return def_; }
  const AttrMap& attrs() const { return attrs_; }
  const std::string& node_name() const { return node_name_; }
  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  const Array& input(int i) const { return inputs_[static_cast<std::size_t>(i)]; }
  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  DType output_dtype(int i) const { return output_dtypes_[static_cast<std::size_t>(i)]; }
  // Allocates output i (dtype from the op's definition), uninitialised.
  Array& Allocate(int i, const Shape& shape);
  void set_output(int i, Array value) { outputs_[static_cast<std::size_t>(i)] = std::move(value); }
  Array& output(int i) { return outputs_[static_cast<std::size_t>(i)]; }
  // Makes output i the buffer of input j when nobody else holds it and dtype and element count fit; else allocates.
  // Elementwise kernels may then read and write the same memory. Returns the output. Reads after it must use the
  // pointer taken from input j BEFORE the call, or the output's own.
  Array& AllocateOrForward(int i, int j, const Shape& shape);
  ResourceManager& resources() { return resources_; }
  ThreadPool& pool() { return pool_; }
  // "[Conv2D] 'scope/Conv2D': " ; "[Conv2D] " in eager. Starts every error text.
  std::string Where() const;

 private:
  const OpDef& def_;
  const AttrMap& attrs_;
  const std::string& node_name_;
  std::vector<Array>& inputs_;
  std::vector<Array>& outputs_;
  std::span<const DType> output_dtypes_;
  ResourceManager& resources_;
  ThreadPool& pool_;
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void Run(KernelContext& ctx) = 0;
};
using KernelFactory = std::function<std::unique_ptr<Kernel>(const KernelInit&)>;

namespace internal {
class FunctionKernel final : public Kernel {
 public:
  using Function = void (*)(KernelContext&);
  explicit FunctionKernel(Function f) : f_(f) {}
  void Run(KernelContext& ctx) override { f_(ctx); }

 private:
  Function f_;
};
}  // namespace internal

// A kernel without state: one function, reading its attributes from the context.
inline KernelFactory Stateless(void (*f)(KernelContext&)) {
  return [f](const KernelInit&) { return std::make_unique<internal::FunctionKernel>(f); };
}
// A kernel class constructed from KernelInit.
template <class K>
KernelFactory Stateful() {
  return [](const KernelInit& init) { return std::make_unique<K>(init); };
}

}  // namespace equiv
