#include "runtime/graph/graph_calls.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "kernels/base/error.h"
#include "runtime/function/graph_function.h"

namespace equiv::runtime {
namespace {

using Types = std::vector<DType>;
std::string Text(const Types& types) {
  std::vector<std::string_view> names;
  for (const DType type : types) names.push_back(Name(type));
  return fmt::format("({})", fmt::join(names, ", "));
}

// An attribute holding a function or a list of them, and the attributes with its types; null: a single value, any.
struct Callee {
  std::string_view op, attr;
  const char *inputs, *outputs;
};
constexpr std::array kCallees = {
    Callee{"PartitionedCall", "f", "Tin", "Tout"}, Callee{"If", "then_branch", "Tin", "Tout"},
    Callee{"If", "else_branch", "Tin", "Tout"},    Callee{"Case", "branches", "Tin", "Tout"},
    Callee{"While", "cond", "T", nullptr},         Callee{"While", "body", "T", "T"}};

void Check(const FunctionRef& ref, const Callee& callee, const AttrMap& attrs, const std::string& where) {
  const auto* function = dynamic_cast<const GraphFunction*>(ref.function.get());
  if (!function) return;
  const auto fail = [&](const char* verb, const Types& got, const Types& wanted) {
    throw InvalidArgumentError(fmt::format("{}attribute '{}': function '{}' {} {}, the node says {}", where,
                                           callee.attr, ref.name, verb, Text(got), Text(wanted)));
  };
  Types inputs, outputs;
  for (const Tensor& t : function->inputs) inputs.push_back(t.dtype());
  for (const Tensor& t : function->outputs) outputs.push_back(t.dtype());
  // Absent types are taken from the inputs of the node, which are checked when it is made.
  if (const auto* wanted = attrs.Find(callee.inputs) ? &attrs.Get<Types>(callee.inputs) : nullptr;
      wanted && inputs != *wanted)
    fail("takes", inputs, *wanted);
  if (!callee.outputs && outputs.size() != 1)
    throw InvalidArgumentError(fmt::format("{}attribute '{}': function '{}' gives {}, a condition gives one value",
                                           where, callee.attr, ref.name, Text(outputs)));
  if (callee.outputs)
    if (const auto* wanted = attrs.Find(callee.outputs) ? &attrs.Get<Types>(callee.outputs) : nullptr;
        wanted && outputs != *wanted)
      fail("gives", outputs, *wanted);
}
}  // namespace

void CheckFunctionTypes(const std::string& op, const AttrMap& attrs, const std::string& where) {
  std::string_view plain = op;
  for (const std::string_view prefix : {"Stateless", "Stateful"})
    if (plain.starts_with(prefix)) plain.remove_prefix(prefix.size());
  for (const Callee& callee : kCallees) {
    const AttrValue* value = callee.op == plain ? attrs.Find(callee.attr) : nullptr;
    if (!value) continue;
    if (const auto* ref = std::get_if<FunctionRef>(value)) Check(*ref, callee, attrs, where);
    if (const auto* refs = std::get_if<std::vector<FunctionRef>>(value))
      for (const FunctionRef& ref : *refs) Check(ref, callee, attrs, where);
  }
}
}  // namespace equiv::runtime
