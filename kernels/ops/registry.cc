// kernels/ops/registry.cc - the one registry, filled from the one list.
#include "kernels/base/op_registry.h"

#if defined(EQUIV_HAVE_ONEDNN)
#include "kernels/onednn/backend.h"
#endif

namespace equiv {
namespace ops {
#define EQUIV_OP_FAMILY(Name) void Register##Name(OpRegistry&);
#include "kernels/ops/families.inc"
#undef EQUIV_OP_FAMILY
}  // namespace ops

const OpRegistry& OpRegistry::Global() {
  static const OpRegistry* registry = [] {
    auto* r = new OpRegistry;
#define EQUIV_OP_FAMILY(Name) ops::Register##Name(*r);
#include "kernels/ops/families.inc"
#undef EQUIV_OP_FAMILY
    r->AddBackend({.name = "cpu",
                   .description = "reference kernels, fixed order of every sum",
                   .speed = 0,
                   .kernels = {},
                   .prepare = {}});
#if defined(EQUIV_HAVE_ONEDNN)
    onednn::AddBackend(*r);
#endif
    return r;
  }();
  return *registry;
}
}  // namespace equiv
