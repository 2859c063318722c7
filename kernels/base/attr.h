// kernels/base/attr.h - attribute values of ops. tf: AttrValue.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/base/array.h"
#include "kernels/base/dtype.h"
#include "kernels/base/function.h"
#include "kernels/base/shape.h"

namespace equiv {

using AttrValue =
    std::variant<std::int64_t, float, bool, std::string, DType, PartialShape, Array, std::vector<std::int64_t>,
                 std::vector<float>, std::vector<bool>, std::vector<std::string>, std::vector<DType>,
                 std::vector<PartialShape>, std::vector<Array>, FunctionRef, std::vector<FunctionRef>>;

// Attributes by name, kept sorted; a handful per op, so a flat vector.
class AttrMap {
 public:
  AttrMap() = default;
  AttrMap(std::initializer_list<std::pair<std::string_view, AttrValue>> items) {
    for (const auto& [name, value] : items) Set(name, value);
  }
  void Set(std::string_view name, AttrValue value);
  const AttrValue* Find(std::string_view name) const;  // null when absent
  // The value, or InternalError (the registry has checked names and kinds before any kernel or shape function runs).
  template <class T>
  const T& Get(std::string_view name) const {
    const AttrValue* value = Find(name);
    const T* typed = value ? std::get_if<T>(value) : nullptr;
    if (!typed) Missing(name);
    return *typed;
  }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  std::size_t size() const { return items_.size(); }

 private:
  [[noreturn]] static void Missing(std::string_view name);
  std::vector<std::pair<std::string, AttrValue>> items_;
};

bool AttrEqual(const AttrValue& a, const AttrValue& b);  // arrays by bits
// A key equal exactly for equal maps: eager kernels are cached under it.
void AppendKey(const AttrMap& attrs, std::string& key);
std::string ToString(const AttrValue& value);

}  // namespace equiv
