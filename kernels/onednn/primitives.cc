#include "kernels/onednn/primitives.h"

#include <fmt/format.h>

#include "kernels/base/error.h"

namespace equiv::onednn {

dnnl::engine& Engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}
dnnl::stream& Stream() {
  static thread_local dnnl::stream stream(Engine());
  return stream;
}
dnnl::memory Wrap(const dnnl::memory::desc& desc, const Array& array) {
  return {desc, Engine(), const_cast<std::byte*>(array.raw())};
}

dnnl::memory Packed(const Array& weights, const dnnl::memory::desc& plain, const dnnl::memory::desc& wanted) {
  dnnl::memory given = Wrap(plain, weights);
  if (plain == wanted) return given;
  const auto pack = [&] {
    auto packed = std::make_shared<dnnl::memory>(wanted, Engine());
    dnnl::reorder(given, *packed).execute(Stream(), given, *packed);
    Stream().wait();
    return packed;
  };
  const std::shared_ptr<Buffer>& buffer = weights.buffer();
  if (!buffer->persistent()) return *pack();
  const std::string key = "onednn/" + std::string(reinterpret_cast<const char*>(&wanted.data), sizeof wanted.data);
  return *std::static_pointer_cast<dnnl::memory>(
      buffer->Attachment(key, [&]() -> std::shared_ptr<void> { return pack(); }));
}

void Execute(KernelContext& ctx, const dnnl::primitive& primitive,
             const std::unordered_map<int, dnnl::memory>& arguments) {
  try {
    primitive.execute(Stream(), arguments);
    Stream().wait();
  } catch (const dnnl::error& error) {
    throw InternalError(fmt::format("{}oneDNN failed: {}", ctx.Where(), error.what()));
  }
}
}  // namespace equiv::onednn
