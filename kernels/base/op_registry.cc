#include "kernels/base/op_registry.h"

#include <fmt/format.h>

#include <algorithm>

namespace equiv {

void OpRegistry::Add(OpDef def) {
  ParseNotation(def);
  auto owned = std::make_unique<OpDef>(std::move(def));
  const std::string name = owned->name;
  if (!ops_.emplace(name, std::move(owned)).second) throw InternalError("op '" + name + "' is registered twice");
}
void OpRegistry::SetGradient(std::string_view name, GradFn grad) {
  auto it = ops_.find(name);
  if (it == ops_.end()) throw InternalError("gradient of an op that does not exist: " + std::string(name));
  it->second->grad = std::move(grad);
}
const OpDef* OpRegistry::Find(std::string_view name) const {
  auto it = ops_.find(name);
  return it == ops_.end() ? nullptr : it->second.get();
}
const OpDef& OpRegistry::Get(std::string_view name) const {
  if (const OpDef* def = Find(name)) return *def;
  auto lower = [](std::string_view s) {
    std::string t(s);
    std::ranges::transform(t, t.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return t;
  };
  std::string close;
  for (const auto& [known, def] : ops_)
    if (lower(known).find(lower(name)) != std::string::npos || lower(name).find(lower(known)) != std::string::npos)
      close += (close.empty() ? "; did you mean " : ", ") + known;
  throw NotFoundError(fmt::format("Op type not registered '{}'{}. `equiv list ops` names all of them.", name, close));
}
std::vector<const OpDef*> OpRegistry::All() const {
  std::vector<const OpDef*> all;
  for (const auto& [name, def] : ops_) all.push_back(def.get());
  return all;
}
void OpRegistry::AddBackend(Backend backend) { backends_.push_back(std::move(backend)); }
const Backend& OpRegistry::GetBackend(std::string_view name) const {
  const Backend* best = nullptr;
  for (const Backend& b : backends_) {
    if (b.name == name) return b;
    if (!best || b.speed > best->speed) best = &b;
  }
  if (name == "auto" && best) return *best;
  std::string present = "auto";
  for (const Backend& b : backends_) present += ", " + b.name;
  throw ValueError(fmt::format("unknown backend '{}'; this build has: {}", name, present));
}
const KernelFactory& OpRegistry::FindKernel(const OpDef& def, const Backend& backend) const {
  auto it = backend.kernels.find(def.name);
  if (it != backend.kernels.end()) return it->second;
  if (!def.kernel)
    throw UnimplementedError(fmt::format("[{}] has no kernel on backend '{}' nor on 'cpu'", def.name, backend.name));
  return def.kernel;
}
}  // namespace equiv
