#include "tools/tensor_json.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "equiv/compare/decimal.h"
#include "equiv/compare/printable.h"

namespace equiv::tools {
using Json = nlohmann::ordered_json;

Json NumberJson(double value) {
  if (std::isfinite(value)) return value;
  return FormatDouble(value);
}
void PutName(Json& object, const std::string& key, const std::string& name) {
  if (IsUtf8(name)) {
    object[key] = name;
    return;
  }
  object[key] = Printable(name);
  std::string hex;
  for (const char c : name) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  object[key + "_hex"] = std::move(hex);
}
Json TensorJson(const TensorInfo& info) {
  Json out = Json::object();
  PutName(out, "name", info.name);
  out["dtype"] = Name(info.dtype);
  out["shape"] = info.shape;
  out["bytes"] = info.bytes;
  if (!info.variable.empty()) PutName(out, "variable", info.variable);
  if (info.slices > 0) out["slices"] = info.slices;
  return out;
}
void PrintJson(const Json& json) {
  std::fputs((json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n").c_str(), stdout);
}
std::string BytesText(std::int64_t bytes) {
  if (bytes < 4096) return fmt::format("{} bytes", bytes);
  const char* const units[] = {"KiB", "MiB", "GiB", "TiB"};
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < std::size(units); ++unit) size /= 1024;
  return fmt::format("{:.1f} {}", size, units[unit]);
}
}  // namespace equiv::tools
