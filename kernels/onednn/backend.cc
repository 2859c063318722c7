#include "kernels/onednn/backend.h"

#include <fmt/format.h>
#include <omp.h>

#include "kernels/onednn/primitives.h"

namespace equiv::onednn {

void AddBackend(OpRegistry& registry) {
  const dnnl_version_t* version = dnnl::version();
  registry.AddBackend(
      {.name = "onednn",
       .description = fmt::format("oneDNN {}.{}.{} for convolutions and matrix products, cpu for the rest",
                                  version->major, version->minor, version->patch),
       .speed = 10,
       .kernels = {{"Conv2D", Conv2D()}, {"MatMul", MatMul()}},
       .prepare = [](int threads) { omp_set_num_threads(threads); }});
}
}  // namespace equiv::onednn
