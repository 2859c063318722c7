// kernels/ops/strings.cc - ops on strings, and what writes values as text.
#include "kernels/cpu/strings.h"

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
// tf: the shape function of StringJoin: scalars, and arrays of one shape
void JoinShape(ShapeContext& c) {
  PartialShape shape{};
  bool scalars = true;
  for (int i = 0; i < c.num_inputs(); ++i) {
    if (!c.input(i).has_rank()) {
      scalars = false;
    } else if (c.input(i).rank() > 0) {
      scalars = false;
      shape = Merge(c, shape, i);
    }
  }
  c.set_output(0, scalars ? PartialShape(Shape{}) : shape);
}
}  // namespace

void RegisterStrings(OpRegistry& r) {
  r.Add({.name = "Assert",
         .doc = "Fails with its data unless the condition holds.",
         .inputs = {"condition: bool", "data: T"},
         .attrs = {"T: list(type) >= 1", "summarize: int = 3"},
         .stateful = true,
         .shape = [](ShapeContext&) {},
         .kernel = Stateless(cpu::Assert)});
  r.Add({.name = "Print",
         .doc = "Its input; writes its data to standard error.",
         .inputs = {"input: T", "data: U"},
         .outputs = {"output: T"},
         .attrs = {"T: type", "U: list(type) >= 0", "message: string = ''", "first_n: int = -1", "summarize: int = 3"},
         .stateful = true,
         .shape = SameAsFirst,
         .kernel = cpu::Print()});
  r.Add({.name = "PrintV2",
         .doc = "Writes a string.",
         .inputs = {"input: string"},
         .attrs = {"output_stream: string = 'stderr'", "end: string = '\n'"},
         .stateful = true,
         .shape = [](ShapeContext& c) { c.WithRank(0, 0); },
         .kernel = Stateless(cpu::PrintV2)});
  r.Add({.name = "StringFormat",
         .doc = "A template with its placeholders replaced by the inputs.",
         .inputs = {"inputs: T"},
         .outputs = {"output: string"},
         .attrs = {"T: list(type) >= 0", "template: string = '%s'", "placeholder: string = '%s'", "summarize: int = 3"},
         .shape = [](ShapeContext& c) { c.set_output(0, Shape{}); },
         .kernel = Stateless(cpu::StringFormat)});
  r.Add({.name = "StringJoin",
         .doc = "Strings joined element by element.",
         .inputs = {"inputs: N * string"},
         .outputs = {"output: string"},
         .attrs = {"N: int >= 0", "separator: string = ''"},
         .shape = JoinShape,
         .kernel = Stateless(cpu::StringJoin)});
  r.Add({.name = "AsString",
         .doc = "Numbers as strings.",
         .inputs = {"input: T"},
         .outputs = {"output: string"},
         .attrs = {"T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, "
                   "complex64, complex128, bool, variant, string}",
                   "precision: int = -1", "scientific: bool = false", "shortest: bool = false", "width: int = -1",
                   "fill: string = ''"},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::AsString)});
  r.Add({.name = "StringToNumber",
         .doc = "Strings read as numbers.",
         .inputs = {"string_tensor: string"},
         .outputs = {"output: out_type"},
         .attrs = {"out_type: {float, double, int32, int64} = float"},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::StringToNumber)});
  r.Add({.name = "StringLength",
         .doc = "Bytes or characters of strings.",
         .inputs = {"input: string"},
         .outputs = {"output: int32"},
         .attrs = {"unit: {'BYTE', 'UTF8_CHAR'} = 'BYTE'"},
         .shape = SameAsFirst,
         .kernel = Stateless(cpu::StringLength)});
  for (const bool lower : {true, false})
    r.Add({.name = lower ? "StringLower" : "StringUpper",
           .doc = lower ? "Strings in small letters." : "Strings in capital letters.",
           .inputs = {"input: string"},
           .outputs = {"output: string"},
           .attrs = {"encoding: string = ''"},
           .shape = SameAsFirst,
           .kernel = Stateless(lower ? cpu::StringLower : cpu::StringUpper)});
  for (const bool fixed : {true, false}) {
    const std::vector<std::string> pattern = {"input: string", "pattern: string"},
                                   rewrite = {"input: string", "pattern: string", "rewrite: string"};
    r.Add({.name = fixed ? "StaticRegexFullMatch" : "RegexFullMatch",
           .doc = "Whether a regular expression matches all of a string.",
           .inputs = fixed ? std::vector<std::string>{"input: string"} : pattern,
           .outputs = {"output: bool"},
           .attrs = fixed ? std::vector<std::string>{"pattern: string"} : std::vector<std::string>{},
           .shape = SameAsFirst,
           .kernel = Stateless(cpu::RegexFullMatch)});
    r.Add({.name = fixed ? "StaticRegexReplace" : "RegexReplace",
           .doc = "Strings with what a regular expression matches replaced.",
           .inputs = fixed ? std::vector<std::string>{"input: string"} : rewrite,
           .outputs = {"output: string"},
           .attrs = fixed
                        ? std::vector<std::string>{"pattern: string", "rewrite: string", "replace_global: bool = true"}
                        : std::vector<std::string>{"replace_global: bool = true"},
           .shape = SameAsFirst,
           .kernel = Stateless(cpu::RegexReplace)});
  }
}

}  // namespace equiv::ops
