#include "kernels/base/attr.h"

#include <fmt/format.h>

#include <algorithm>

namespace equiv {
namespace {
template <class T>
void Raw(std::string& key, const T& value) {
  key.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void Put(std::string& key, const PartialShape& s) {
  Raw(key, s.rank());
  for (std::int64_t d : s.dims()) Raw(key, d);
}
void Put(std::string& key, const std::string& s) {
  Raw(key, s.size());
  key += s;
}
void Put(std::string& key, const Array& a) {
  Raw(key, a.dtype());
  Put(key, PartialShape(a.shape()));
  if (a.dtype() == DType::kString) {
    for (const std::string& s : a.strings()) Put(key, s);
  } else if (a.num_bytes()) {
    key.append(reinterpret_cast<const char*>(a.raw()), a.num_bytes());
  }
}
void Put(std::string& key, std::int64_t v) { Raw(key, v); }
void Put(std::string& key, float v) { Raw(key, v); }
void Put(std::string& key, bool v) { Raw(key, v); }
void Put(std::string& key, DType v) { Raw(key, v); }
void Put(std::string& key, const FunctionRef& f) {
  Put(key, f.name);
  Raw(key, f.function ? f.function->id() : 0);
}
template <class T>
void Put(std::string& key, const std::vector<T>& list) {
  Raw(key, list.size());
  for (const auto& v : list) Put(key, static_cast<const T&>(v));
}
std::string Text(std::int64_t v) { return std::to_string(v); }
std::string Text(float v) { return fmt::format("{}", v); }
std::string Text(bool v) { return v ? "true" : "false"; }
std::string Text(const std::string& v) { return "'" + v + "'"; }
std::string Text(DType v) { return std::string(Name(v)); }
std::string Text(const PartialShape& v) { return v.ToString(); }
std::string Text(const FunctionRef& v) { return v.name; }
std::string Text(const Array& v) { return fmt::format("{}{}", Name(v.dtype()), v.shape().ToString()); }
template <class T>
std::string Text(const std::vector<T>& list) {
  std::string text = "[";
  for (std::size_t i = 0; i < list.size(); ++i) text += (i ? ", " : "") + Text(static_cast<const T&>(list[i]));
  return text + "]";
}
}  // namespace

void AttrMap::Set(std::string_view name, AttrValue value) {
  auto it = std::lower_bound(items_.begin(), items_.end(), name,
                             [](const auto& item, std::string_view n) { return item.first < n; });
  if (it != items_.end() && it->first == name)
    it->second = std::move(value);
  else
    items_.emplace(it, std::string(name), std::move(value));
}
const AttrValue* AttrMap::Find(std::string_view name) const {
  for (const auto& item : items_)
    if (item.first == name) return &item.second;
  return nullptr;
}
void AttrMap::Missing(std::string_view name) {
  throw InternalError("attribute '" + std::string(name) + "' is missing or of another kind");
}
bool AttrEqual(const AttrValue& a, const AttrValue& b) {
  if (a.index() != b.index()) return false;
  std::string ka, kb;
  std::visit([&](const auto& v) { Put(ka, v); }, a);
  std::visit([&](const auto& v) { Put(kb, v); }, b);
  return ka == kb;
}
void AppendKey(const AttrMap& attrs, std::string& key) {
  for (const auto& [name, value] : attrs) {
    Put(key, name);
    Raw(key, value.index());
    std::visit([&](const auto& v) { Put(key, v); }, value);
  }
}
std::string ToString(const AttrValue& value) {
  return std::visit([](const auto& v) { return Text(v); }, value);
}
}  // namespace equiv
