#include "equiv/harness/recording.h"

#include <xxhash.h>

#include <algorithm>

namespace equiv {

const VariableRecord* Recording::FindVariable(std::string_view name) const {
  auto it = std::ranges::find(variables, name, &VariableRecord::name);
  return it == variables.end() ? nullptr : &*it;
}
const Array* Recording::FindOutput(std::string_view name) const {
  auto it = std::ranges::find(outputs, name, &NamedArray::name);
  return it == outputs.end() ? nullptr : &it->array;
}

std::string SiteText(const std::source_location& site) {
  std::string_view path(site.file_name());
  if (path.empty()) return {};
  if (const auto slash = path.rfind('/'); slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return std::string(path) + ":" + std::to_string(site.line());
}

void RecordingObserver::OnOpDone(runtime::OpEvent& event) {
  if (event.def.random) {
    DrawRecord draw{.sequence = event.sequence,
                    .kind = event.def.name,
                    .shape = {},
                    .owner = event.owner,
                    .call_site = SiteText(event.call_site),
                    .first_values = {}};
    if (const AttrValue* seed = event.attrs.Find("seed")) draw.seed = std::get<std::int64_t>(*seed);
    if (const AttrValue* seed2 = event.attrs.Find("seed2")) draw.seed2 = std::get<std::int64_t>(*seed2);
    const Array& drawn = event.outputs.at(0);
    draw.dtype = drawn.dtype();
    draw.shape = drawn.shape();
    if (drawn.raw()) {
      for (std::int64_t i = 0; i < std::min<std::int64_t>(4, drawn.num_elements()); ++i)
        draw.first_values.push_back(drawn.ElementAsDouble(i));
      draw.hash = XXH3_64bits(drawn.raw(), drawn.num_bytes());
    }
    // A session runs initialisers in an order of its own; the program's order is that of creation.
    auto at = std::ranges::upper_bound(recording_.draws, draw.sequence, {}, &DrawRecord::sequence);
    recording_.draws.insert(at, std::move(draw));
    return;
  }
  const std::string& op = event.def.name;
  const bool read = op == "ReadVariableOp";
  if (!read && !(op.starts_with("Assign") && op.ends_with("VariableOp"))) return;
  if (event.inputs.empty() || event.inputs[0].dtype() != DType::kResource || !event.inputs[0].variable()) return;
  recording_.effects.push_back(
      {read ? EffectRecord::Kind::kRead : EffectRecord::Kind::kWrite, event.inputs[0].variable()->name()});
}
}  // namespace equiv
