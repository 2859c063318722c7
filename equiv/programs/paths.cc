// The table of API paths, and how Python arguments are bound to a function's parameters.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "equiv/programs/interpreter.h"
#include "kernels/base/error.h"

namespace equiv::programs {
namespace {

std::map<std::string, Value>& Paths() {
  static std::map<std::string, Value>* paths = [] {
    auto* made = new std::map<std::string, Value>;
    return made;
  }();
  return *paths;
}
void EnsureRegistered() {
  static const bool done = [] {
    PathTable table;
    RegisterTensorFlow(table);
    RegisterVariables(table);
    RegisterLayers(table);
    RegisterSlim(table);
    RegisterTraining(table);
    RegisterHelpers(table);
    return true;
  }();
  (void)done;
}

}  // namespace

Value FindPath(const std::string& path) {
  EnsureRegistered();
  auto it = Paths().find(path);
  if (it == Paths().end()) throw UnknownPath(path);
  return it->second;
}
Value FindPathForRegistration(const std::string& path) { return Paths().at(path); }
std::vector<std::string> KnownPaths() {
  EnsureRegistered();
  std::vector<std::string> names;
  for (const auto& [path, value] : Paths())
    if (!path.starts_with("__")) names.push_back(path);
  return names;
}

Bound::Bound(const std::string& path, const std::vector<std::string>& names, Arguments& arguments) : path_(path) {
  std::size_t i = 0;
  bool more = false, rest = false;
  for (const std::string& name : names) {
    if (name == "*") {
      more = true;
    } else if (name == "**") {
      rest = true;
    } else {
      values_.emplace_back(name, Value());
      if (!more && i < arguments.positional.size()) {
        values_.back().second = arguments.positional[i++];
        given_.push_back(name);
      }
    }
  }
  if (i < arguments.positional.size()) {
    if (!more)
      throw TypeError(fmt::format("{}() takes {} positional arguments but {} were given", path, values_.size(),
                                  arguments.positional.size()));
    more_.assign(arguments.positional.begin() + static_cast<std::ptrdiff_t>(i), arguments.positional.end());
  }
  for (const auto& [key, value] : arguments.named) {
    auto it = std::ranges::find_if(values_, [&](const auto& item) { return item.first == key; });
    if (it != values_.end()) {
      it->second = value;
      given_.push_back(key);
    } else if (rest) {
      rest_.emplace_back(key, value);
    } else {
      throw TypeError(fmt::format("{}() got an unexpected keyword argument '{}'", path, key));
    }
  }
}
const Value& Bound::operator[](const char* name) const {
  for (const auto& [key, value] : values_)
    if (key == name) return value;
  throw InternalError(fmt::format("{} has no parameter '{}'", path_, name));
}
bool Bound::Given(const char* name) const { return std::ranges::find(given_, name) != given_.end(); }
bool Bound::Bool(const char* name, bool fallback) const { return Has(name) ? ToBool((*this)[name], name) : fallback; }
std::int64_t Bound::Int(const char* name, std::int64_t fallback) const {
  return Has(name) ? ToInt((*this)[name], name) : fallback;
}
double Bound::Double(const char* name, double fallback) const {
  return Has(name) ? ToDouble((*this)[name], name) : fallback;
}
std::string Bound::Text(const char* name, const std::string& fallback) const {
  return Has(name) ? ToText((*this)[name], name) : fallback;
}
rt::Tensor Bound::Tensor(const char* name) const {
  if (!Given(name)) throw TypeError(fmt::format("{}() missing 1 required positional argument: '{}'", path_, name));
  return ToTensor((*this)[name], name);
}

void PathTable::Add(const std::string& path, const std::string& signature, Body body) {
  std::vector<std::string> names;
  std::string name;
  for (char c : signature + ",") {
    if (c == ',') {
      if (!name.empty()) names.push_back(name);
      name.clear();
    } else if (c != ' ') {
      name += c;
    }
  }
  Paths()[path] = Value::Callable(path, [path, names, body](Arguments& arguments) {
    Bound bound(path, names, arguments);
    return body(bound);
  });
}
void PathTable::AddConstant(const std::string& path, Value value) { Paths()[path] = std::move(value); }

}  // namespace equiv::programs
