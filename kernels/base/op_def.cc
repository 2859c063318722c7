#include "kernels/base/op_def.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

#include "kernels/base/error.h"

namespace equiv {
namespace {

std::string_view Trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}
std::vector<std::string_view> Split(std::string_view s) {
  std::vector<std::string_view> parts;
  while (!s.empty()) {
    const auto comma = s.find(',');
    if (const auto part = Trim(s.substr(0, comma)); !part.empty()) parts.push_back(part);
    s = comma == std::string_view::npos ? std::string_view{} : s.substr(comma + 1);
  }
  return parts;
}
std::string Unquote(std::string_view s) {
  if (s.size() >= 2 && s.front() == '\'' && s.back() == '\'') s = s.substr(1, s.size() - 2);
  return std::string(s);
}
[[noreturn]] void Malformed(std::string_view text) {
  throw InternalError(fmt::format("malformed op definition: \"{}\"", text));
}

ArgDef ParseArg(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) Malformed(text);
  ArgDef arg{.name = std::string(Trim(text.substr(0, colon)))};
  std::string_view type = Trim(text.substr(colon + 1));
  if (const auto star = type.find('*'); star != std::string_view::npos) {
    arg.number_attr = Trim(type.substr(0, star));
    type = Trim(type.substr(star + 1));
  }
  if (type.starts_with("Ref(") && type.ends_with(")")) {
    arg.is_ref = true;
    type = type.substr(4, type.size() - 5);
  }
  if (const auto dtype = ParseDType(type))
    arg.type = *dtype;
  else
    arg.type_attr = type;  // may name a list(type) attribute; fixed up once the attributes are known
  return arg;
}

AttrKind KindFromName(std::string_view name, std::string_view text) {
  static const std::pair<std::string_view, AttrKind> kNames[] = {{"int", AttrKind::kInt},
                                                                 {"float", AttrKind::kFloat},
                                                                 {"bool", AttrKind::kBool},
                                                                 {"string", AttrKind::kString},
                                                                 {"type", AttrKind::kType},
                                                                 {"shape", AttrKind::kShape},
                                                                 {"tensor", AttrKind::kTensor},
                                                                 {"list(int)", AttrKind::kListInt},
                                                                 {"list(float)", AttrKind::kListFloat},
                                                                 {"list(bool)", AttrKind::kListBool},
                                                                 {"list(string)", AttrKind::kListString},
                                                                 {"list(type)", AttrKind::kListType},
                                                                 {"list(shape)", AttrKind::kListShape},
                                                                 {"list(tensor)", AttrKind::kListTensor},
                                                                 {"func", AttrKind::kFunc},
                                                                 {"list(func)", AttrKind::kListFunc}};
  for (const auto& [n, kind] : kNames)
    if (n == name) return kind;
  Malformed(text);
}
std::int64_t ParseInt(std::string_view s) { return std::strtoll(std::string(s).c_str(), nullptr, 10); }

AttrValue ParseDefault(AttrKind kind, std::string_view s, std::string_view text) {
  const std::string_view items = s.size() >= 2 && s.front() == '[' ? s.substr(1, s.size() - 2) : s;
  switch (kind) {
    case AttrKind::kInt:
      return ParseInt(s);
    case AttrKind::kFloat:
      return std::strtof(std::string(s).c_str(), nullptr);
    case AttrKind::kBool:
      return s == "true";
    case AttrKind::kString:
      return Unquote(s);
    case AttrKind::kType:
      if (auto d = ParseDType(s)) return *d;
      Malformed(text);
    case AttrKind::kShape:
      if (s == "unknown") return PartialShape::Unknown();
      Malformed(text);
    case AttrKind::kListInt: {
      std::vector<std::int64_t> v;
      for (auto p : Split(items)) v.push_back(ParseInt(p));
      return v;
    }
    case AttrKind::kListString: {
      std::vector<std::string> v;
      for (auto p : Split(items)) v.push_back(Unquote(p));
      return v;
    }
    case AttrKind::kListFloat:
      return std::vector<float>{};
    case AttrKind::kListBool:
      return std::vector<bool>{};
    case AttrKind::kListType:
      return std::vector<DType>{};
    case AttrKind::kListShape:
      return std::vector<PartialShape>{};
    case AttrKind::kListTensor:
      return std::vector<Array>{};
    case AttrKind::kListFunc:
      return std::vector<FunctionRef>{};
    case AttrKind::kTensor:
    case AttrKind::kFunc:
      break;
  }
  Malformed(text);
}

AttrDef ParseAttr(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) Malformed(text);
  AttrDef attr{.name = std::string(Trim(text.substr(0, colon)))};
  std::string_view rest = Trim(text.substr(colon + 1)), default_text;
  // A default follows the first '=' that is not part of ">=" and stands outside braces.
  int depth = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '{') ++depth;
    if (rest[i] == '}') --depth;
    if (rest[i] == '=' && depth == 0 && (i == 0 || rest[i - 1] != '>')) {
      default_text = Trim(rest.substr(i + 1));
      rest = Trim(rest.substr(0, i));
      break;
    }
  }
  if (const auto at_least = rest.find(">="); at_least != std::string_view::npos) {
    attr.minimum = ParseInt(Trim(rest.substr(at_least + 2)));
    rest = Trim(rest.substr(0, at_least));
  }
  bool list = false;
  if (rest.starts_with("list({") && rest.ends_with("})")) {
    list = true;
    rest = rest.substr(5, rest.size() - 6);
  }
  if (rest.starts_with('{') && rest.ends_with('}')) {
    const auto parts = Split(rest.substr(1, rest.size() - 2));
    if (parts.empty()) Malformed(text);
    if (parts[0].front() == '\'') {
      attr.kind = AttrKind::kString;
      for (auto p : parts) attr.allowed_strings.push_back(Unquote(p));
    } else {
      attr.kind = list ? AttrKind::kListType : AttrKind::kType;
      for (auto p : parts) {
        const auto d = ParseDType(p);
        if (!d) Malformed(text);
        attr.allowed_types.push_back(*d);
      }
    }
  } else {
    attr.kind = KindFromName(rest, text);
  }
  if (!default_text.empty()) attr.default_value = ParseDefault(attr.kind, default_text, text);
  return attr;
}

std::string_view KindName(AttrKind kind) {
  static constexpr std::string_view kNames[] = {
      "int",         "float",      "bool",         "string",     "type",        "shape",        "tensor", "list(int)",
      "list(float)", "list(bool)", "list(string)", "list(type)", "list(shape)", "list(tensor)", "func",   "list(func)"};
  return kNames[static_cast<std::size_t>(kind)];
}

const AttrDef* FindAttr(const OpDef& def, std::string_view name) {
  for (const AttrDef& a : def.attr_defs)
    if (a.name == name) return &a;
  return nullptr;
}
}  // namespace

static bool HasKind(const AttrValue& value, AttrKind kind) {
  switch (kind) {
    case AttrKind::kInt:
      return std::holds_alternative<std::int64_t>(value);
    case AttrKind::kFloat:
      return std::holds_alternative<float>(value);
    case AttrKind::kBool:
      return std::holds_alternative<bool>(value);
    case AttrKind::kString:
      return std::holds_alternative<std::string>(value);
    case AttrKind::kType:
      return std::holds_alternative<DType>(value);
    case AttrKind::kShape:
      return std::holds_alternative<PartialShape>(value);
    case AttrKind::kTensor:
      return std::holds_alternative<Array>(value);
    case AttrKind::kListInt:
      return std::holds_alternative<std::vector<std::int64_t>>(value);
    case AttrKind::kListFloat:
      return std::holds_alternative<std::vector<float>>(value);
    case AttrKind::kListBool:
      return std::holds_alternative<std::vector<bool>>(value);
    case AttrKind::kListString:
      return std::holds_alternative<std::vector<std::string>>(value);
    case AttrKind::kListType:
      return std::holds_alternative<std::vector<DType>>(value);
    case AttrKind::kListShape:
      return std::holds_alternative<std::vector<PartialShape>>(value);
    case AttrKind::kListTensor:
      return std::holds_alternative<std::vector<Array>>(value);
    case AttrKind::kFunc:
      return std::holds_alternative<FunctionRef>(value);
    case AttrKind::kListFunc:
      return std::holds_alternative<std::vector<FunctionRef>>(value);
  }
  return false;
}

static std::optional<std::size_t> ListLength(const AttrValue& value) {
  return std::visit(
      []<class T>(const T& v) -> std::optional<std::size_t> {
        if constexpr (requires {
                        v.front();
                        v.capacity();
                      } &&
                      !std::is_same_v<T, std::string>)
          return v.size();
        else
          return std::nullopt;
      },
      value);
}

void ParseNotation(OpDef& def) {
  for (const std::string& text : def.attrs) def.attr_defs.push_back(ParseAttr(text));
  auto parse_args = [&](const std::vector<std::string>& texts, std::vector<ArgDef>& args) {
    for (const std::string& text : texts) {
      ArgDef arg = ParseArg(text);
      if (!arg.type_attr.empty()) {
        const AttrDef* attr = FindAttr(def, arg.type_attr);
        if (!attr) Malformed(def.name + ": " + text);
        if (attr->kind == AttrKind::kListType) arg.type_list_attr = std::exchange(arg.type_attr, {});
      }
      args.push_back(std::move(arg));
    }
  };
  parse_args(def.inputs, def.input_args);
  parse_args(def.outputs, def.output_args);
}

std::string OpWhere(std::string_view op, std::string_view node) {
  return node.empty() ? fmt::format("[{}] ", op) : fmt::format("[{}] '{}': ", op, node);
}

static std::string Names(const std::vector<DType>& types) {
  std::string names;
  for (const DType type : types) names += (names.empty() ? "" : ", ") + std::string(Name(type));
  return names;
}

static constexpr std::int64_t kMostOutputs = 1 << 20;  // an attribute costs nothing, each output memory

std::vector<DType> CompleteAttrs(const OpDef& def, std::span<const DType> input_dtypes, AttrMap& attrs,
                                 std::string_view node) {
  const auto where = [&] { return OpWhere(def.name, node); };
  for (const auto& [name, value] : attrs) {
    const AttrDef* attr = FindAttr(def, name);
    if (!attr) {
      if (name.starts_with('_')) continue;  // tf: attributes starting with an underscore are for tools
      throw ValueError(fmt::format("{}has no attribute '{}'", where(), name));
    }
    if (!HasKind(value, attr->kind))
      throw ValueError(
          fmt::format("{}attribute '{}' must be a {}, got {}", where(), name, KindName(attr->kind), ToString(value)));
  }
  // Infer T, N and lists of types from the inputs.
  std::size_t next = 0;
  for (std::size_t i = 0; i < def.input_args.size(); ++i) {
    const ArgDef& arg = def.input_args[i];
    std::size_t count = 1;
    if (!arg.number_attr.empty()) {
      if (const AttrValue* n = attrs.Find(arg.number_attr)) {
        count = static_cast<std::size_t>(std::get<std::int64_t>(*n));
      } else {
        std::size_t fixed = 0;  // inputs still owed to the other arguments
        for (std::size_t j = i + 1; j < def.input_args.size(); ++j) fixed += 1;
        count = input_dtypes.size() >= next + fixed ? input_dtypes.size() - next - fixed : 0;
        attrs.Set(arg.number_attr, static_cast<std::int64_t>(count));
      }
    } else if (!arg.type_list_attr.empty()) {
      const std::size_t fixed = def.input_args.size() - i - 1;
      count = input_dtypes.size() >= next + fixed ? input_dtypes.size() - next - fixed : 0;
      std::vector<DType> types(input_dtypes.begin() + static_cast<std::ptrdiff_t>(next),
                               input_dtypes.begin() + static_cast<std::ptrdiff_t>(next + count));
      if (const AttrValue* given = attrs.Find(arg.type_list_attr))
        if (const auto& wanted = std::get<std::vector<DType>>(*given); wanted != types)
          throw InvalidArgumentError(fmt::format("{}the inputs '{}' are of types ({}), attribute '{}' says ({})",
                                                 where(), arg.name, Names(types), arg.type_list_attr, Names(wanted)));
      attrs.Set(arg.type_list_attr, std::move(types));
      next += count;
      continue;
    }
    for (std::size_t k = 0; k < count; ++k, ++next) {
      if (next >= input_dtypes.size())
        throw TypeError(fmt::format("{}expected {} inputs ({}), got {}", where(), def.input_args.size(),
                                    fmt::join(def.inputs, ", "), input_dtypes.size()));
      const DType got = input_dtypes[next];
      DType want = arg.type;
      if (want == DType::kInvalid) {
        if (const AttrValue* t = attrs.Find(arg.type_attr))
          want = std::get<DType>(*t);
        else
          attrs.Set(arg.type_attr, want = got);
      }
      if (want != got)
        throw InvalidArgumentError(fmt::format(
            "{}cannot compute {} as input #{}(zero-based) was expected to be a {} tensor but is a {} tensor; "
            "cast one of them",
            where(), def.name, next, Name(want), Name(got)));
    }
  }
  if (next != input_dtypes.size())
    throw TypeError(fmt::format("{}expected {} inputs ({}), got {}", where(), next, fmt::join(def.inputs, ", "),
                                input_dtypes.size()));
  for (const AttrDef& attr : def.attr_defs) {
    const AttrValue* value = attrs.Find(attr.name);
    if (!value) {
      if (!attr.default_value)
        throw ValueError(fmt::format("{}attribute '{}' ({}) is required", where(), attr.name, KindName(attr.kind)));
      attrs.Set(attr.name, *attr.default_value);
      value = attrs.Find(attr.name);
    }
    if (attr.kind == AttrKind::kType && !attr.allowed_types.empty()) {
      const DType got = std::get<DType>(*value);
      if (std::ranges::find(attr.allowed_types, got) == attr.allowed_types.end()) {
        std::string allowed;
        for (DType d : attr.allowed_types) allowed += (allowed.empty() ? "" : ", ") + std::string(Name(d));
        for (const ArgDef& arg : def.input_args)
          if (arg.type_attr == attr.name)
            throw TypeError(
                fmt::format("{}Value passed to parameter '{}' has DataType {} not in list of allowed values: "
                            "{} (attr '{}')",
                            where(), arg.name, Name(got), allowed, attr.name));
        throw TypeError(fmt::format("{}value for attr '{}' of {} is not in the list of allowed values: {}", where(),
                                    attr.name, Name(got), allowed));
      }
    }
    if (attr.kind == AttrKind::kString && !attr.allowed_strings.empty()) {
      const std::string& got = std::get<std::string>(*value);
      if (std::ranges::find(attr.allowed_strings, got) == attr.allowed_strings.end())
        throw ValueError(fmt::format("{}attribute '{}' must be one of \"{}\", got \"{}\"", where(), attr.name,
                                     fmt::join(attr.allowed_strings, "\", \""), got));
    }
    if (attr.minimum) {
      if (attr.kind == AttrKind::kInt && std::get<std::int64_t>(*value) < *attr.minimum)
        throw ValueError(fmt::format("{}attribute '{}' must be at least {}, got {}", where(), attr.name, *attr.minimum,
                                     std::get<std::int64_t>(*value)));
      if (const std::optional<std::size_t> length = ListLength(*value);
          length && static_cast<std::int64_t>(*length) < *attr.minimum)
        throw ValueError(fmt::format("{}attribute '{}' needs at least {} value{}, got {}", where(), attr.name,
                                     *attr.minimum, *attr.minimum == 1 ? "" : "s", *length));
    }
  }
  std::vector<DType> outputs;
  for (const ArgDef& arg : def.output_args) {
    if (!arg.type_list_attr.empty()) {
      const auto& types = attrs.Get<std::vector<DType>>(arg.type_list_attr);
      outputs.insert(outputs.end(), types.begin(), types.end());
      continue;
    }
    const std::int64_t count = arg.number_attr.empty() ? 1 : attrs.Get<std::int64_t>(arg.number_attr);
    if (count < 0 || count > kMostOutputs)
      throw ValueError(fmt::format("{}attribute '{}' is {}, a node has at most {} outputs", where(), arg.number_attr,
                                   count, kMostOutputs));
    const DType dtype = arg.type != DType::kInvalid ? arg.type : attrs.Get<DType>(arg.type_attr);
    outputs.insert(outputs.end(), static_cast<std::size_t>(count), dtype);
  }
  return outputs;
}

static const ArgDef* ArgOf(const std::vector<ArgDef>& args, const AttrMap& attrs, std::size_t i) {
  for (const ArgDef& arg : args) {
    const std::size_t count = !arg.type_list_attr.empty() ? attrs.Get<std::vector<DType>>(arg.type_list_attr).size()
                              : !arg.number_attr.empty()
                                  ? static_cast<std::size_t>(attrs.Get<std::int64_t>(arg.number_attr))
                                  : 1;
    if (i < count) return &arg;
    i -= count;
  }
  return nullptr;
}
const ArgDef* InputArg(const OpDef& def, const AttrMap& attrs, std::size_t i) {
  return ArgOf(def.input_args, attrs, i);
}
const ArgDef* OutputArg(const OpDef& def, const AttrMap& attrs, std::size_t i) {
  return ArgOf(def.output_args, attrs, i);
}

std::vector<PartialShape> InferShapes(const OpDef& def, const AttrMap& attrs, std::string_view node,
                                      std::span<const PartialShape> inputs, std::span<const Array* const> constants,
                                      std::size_t num_outputs) {
  std::vector<PartialShape> outputs(num_outputs);
  if (def.shape) {
    ShapeContext context(def, attrs, node, inputs, constants, outputs);
    try {
      def.shape(context);
    } catch (const InvalidArgumentError& error) {  // of a shape itself, which knows no node
      const std::string where = OpWhere(def.name, node);
      if (std::string_view(error.what()).starts_with(where)) throw;
      throw InvalidArgumentError(where + error.what());
    }
  }
  return outputs;
}

PartialShape ShapeContext::WithRank(int i, int rank) const {
  const PartialShape& shape = input(i);
  if (!shape.has_rank()) return PartialShape::UnknownOfRank(rank);
  if (shape.rank() != rank)
    Fail(fmt::format(
        "Shape must be rank {} but is rank {} for input {} ('{}') with shape {}", rank, shape.rank(), i,
        i < static_cast<int>(def_.input_args.size()) ? def_.input_args[static_cast<std::size_t>(i)].name : "",
        shape.ToString()));
  return shape;
}
PartialShape ShapeContext::WithRankAtLeast(int i, int rank) const {
  const PartialShape& shape = input(i);
  if (shape.has_rank() && shape.rank() < rank)
    Fail(fmt::format("Shape must be at least rank {} but is rank {} for input {} with shape {}", rank, shape.rank(), i,
                     shape.ToString()));
  return shape;
}
void ShapeContext::Fail(const std::string& message) const {
  throw InvalidArgumentError(OpWhere(def_.name, node_name_) + message);
}
}  // namespace equiv
