// kernels/onednn/matmul.cc - MatMul in float32.
#include <map>
#include <mutex>
#include <tuple>

#include "kernels/base/op_def.h"
#include "kernels/cpu/gemm_matmul.h"
#include "kernels/onednn/primitives.h"

namespace equiv::onednn {
namespace {
using dnnl::memory;

struct Plan {
  memory::desc a, b, c;
  dnnl::matmul::primitive_desc desc;
  dnnl::matmul primitive;
};

class MatMulKernel final : public Kernel {
 public:
  explicit MatMulKernel(const KernelInit& init)
      : transpose_a_(init.attrs.Get<bool>("transpose_a")), transpose_b_(init.attrs.Get<bool>("transpose_b")) {}
  void Run(KernelContext& ctx) override {
    const Array &a = ctx.input(0), &b = ctx.input(1);
    const bool matrices =
        a.dtype() == DType::kFloat32 && a.rank() == 2 && b.rank() == 2 && a.num_elements() > 0 && b.num_elements() > 0;
    if (!matrices) return cpu::MatMul(ctx);
    const std::int64_t m = a.dim(transpose_a_ ? 1 : 0), k = a.dim(transpose_a_ ? 0 : 1),
                       n = b.dim(transpose_b_ ? 0 : 1);
    if (k != b.dim(transpose_b_ ? 1 : 0)) return cpu::MatMul(ctx);  // which reports it
    const Plan& plan = PlanFor(m, k, n);
    Array& out = ctx.Allocate(0, Shape{m, n});
    Execute(ctx, plan.primitive,
            {{DNNL_ARG_SRC, Wrap(plan.a, a)},
             {DNNL_ARG_WEIGHTS, Packed(b, plan.b, plan.desc.weights_desc())},
             {DNNL_ARG_DST, Wrap(plan.c, out)}});
  }

 private:
  const Plan& PlanFor(std::int64_t m, std::int64_t k, std::int64_t n) {
    std::lock_guard lock(mutex_);
    const auto [it, inserted] = plans_.try_emplace({m, k, n});
    Plan& p = it->second;
    if (inserted) {
      const auto f32 = memory::data_type::f32;
      p.a = {{m, k}, f32, transpose_a_ ? memory::format_tag::ba : memory::format_tag::ab};
      p.b = {{k, n}, f32, transpose_b_ ? memory::format_tag::ba : memory::format_tag::ab};
      p.c = {{m, n}, f32, memory::format_tag::ab};
      const memory::desc any({k, n}, f32, memory::format_tag::any);
      p.desc = {dnnl::matmul::desc(p.a, any, p.c), Engine()};
      p.primitive = dnnl::matmul(p.desc);
    }
    return p;
  }

  bool transpose_a_, transpose_b_;
  std::mutex mutex_;
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, Plan> plans_;
};
}  // namespace

KernelFactory MatMul() { return Stateful<MatMulKernel>(); }
}  // namespace equiv::onednn
