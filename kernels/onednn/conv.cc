// kernels/onednn/conv.cc - Conv2D in float32, NHWC in and out.
#include "kernels/cpu/conv.h"

#include <map>
#include <mutex>
#include <optional>

#include "kernels/base/op_def.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/conv_geometry.h"
#include "kernels/onednn/primitives.h"

namespace equiv::onednn {
namespace {
using dnnl::memory;

struct Plan {
  Shape output;
  memory::desc source, weights, destination;
  dnnl::convolution_forward::primitive_desc desc;
  dnnl::convolution_forward primitive;
};

Plan MakePlan(const cpu::ConvGeometry& g) {
  const cpu::WindowAxis &h = g.window.h, &w = g.window.w;
  const auto f32 = memory::data_type::f32;
  Plan p;
  p.output = g.output.Require();
  p.source = {{g.batch, g.in_depth, h.in, w.in}, f32, memory::format_tag::nhwc};
  p.weights = {{g.out_depth, g.in_depth, h.size, w.size}, f32, memory::format_tag::hwio};
  p.destination = {{g.batch, g.out_depth, h.out, w.out}, f32, memory::format_tag::nhwc};
  const memory::desc any({g.out_depth, g.in_depth, h.size, w.size}, f32, memory::format_tag::any);
  const dnnl::convolution_forward::desc conv(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, p.source, any, p.destination,
      {h.stride, w.stride}, {h.dilation - 1, w.dilation - 1}, {h.before, w.before}, {h.after, w.after});
  p.desc = {conv, Engine()};
  p.primitive = dnnl::convolution_forward(p.desc);
  return p;
}

class ConvKernel final : public Kernel {
 public:
  explicit ConvKernel(const KernelInit&) {}
  void Run(KernelContext& ctx) override {
    const Array &x = ctx.input(0), &w = ctx.input(1);
    const bool usable = x.dtype() == DType::kFloat32 && x.rank() == 4 && w.rank() == 4 && x.num_elements() > 0 &&
                        w.num_elements() > 0 && x.dim(3) == w.dim(2) &&
                        ctx.attrs().Get<std::string>("data_format") == "NHWC";
    if (!usable) return cpu::Conv2D(ctx);
    const Plan* plan = FindPlan(ctx);
    if (!plan) return cpu::Conv2D(ctx);
    Array& out = ctx.Allocate(0, plan->output);
    Execute(ctx, plan->primitive,
            {{DNNL_ARG_SRC, Wrap(plan->source, x)},
             {DNNL_ARG_WEIGHTS, Packed(w, plan->weights, plan->desc.weights_desc())},
             {DNNL_ARG_DST, Wrap(plan->destination, out)}});
  }

 private:
  // Null when the output is empty or oneDNN has no implementation.
  const Plan* FindPlan(KernelContext& ctx) {
    const auto x = ctx.input(0).shape().vector(), w = ctx.input(1).shape().vector();
    std::vector<std::int64_t> key = x;
    key.insert(key.end(), w.begin(), w.end());
    std::lock_guard lock(mutex_);
    auto it = plans_.find(key);
    if (it == plans_.end()) {
      const cpu::ConvGeometry g =
          cpu::MakeConvGeometry(cpu::FailOf(ctx), ctx.attrs(), ctx.input(0).shape(), ctx.input(1).shape());
      std::optional<Plan> plan;
      if (g.output.Require().num_elements() > 0) {
        try {
          plan = MakePlan(g);
        } catch (const dnnl::error&) {  // no implementation for these sizes
        }
      }
      it = plans_.emplace(std::move(key), std::move(plan)).first;
    }
    return it->second ? &*it->second : nullptr;
  }

  std::mutex mutex_;
  std::map<std::vector<std::int64_t>, std::optional<Plan>> plans_;
};
}  // namespace

KernelFactory Conv2D() { return Stateful<ConvKernel>(); }
}  // namespace equiv::onednn
