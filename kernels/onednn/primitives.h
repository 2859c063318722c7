// kernels/onednn/primitives.h - what the overrides share. Private to kernels/onednn.
#pragma once
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <string>

#include "kernels/base/kernel.h"

namespace equiv::onednn {

KernelFactory Conv2D();
KernelFactory MatMul();

dnnl::engine& Engine();
dnnl::stream& Stream();
// A memory over an array's own bytes. oneDNN does not write what it is given as an input.
dnnl::memory Wrap(const dnnl::memory::desc& desc, const Array& array);
// `weights`, described by `plain`, in the layout `wanted`. Variables keep the result beside their value, so it is made
// once per value; others are packed on every call.
dnnl::memory Packed(const Array& weights, const dnnl::memory::desc& plain, const dnnl::memory::desc& wanted);
// Rethrows oneDNN's errors as InternalError naming op and node.
void Execute(KernelContext& ctx, const dnnl::primitive& primitive,
             const std::unordered_map<int, dnnl::memory>& arguments);

}  // namespace equiv::onednn
