// Regular expressions over strings. tf: RE2 with its default options, as here.
#include <fmt/format.h>
#include <re2/re2.h>

#include "kernels/base/error.h"
#include "kernels/cpu/strings.h"

namespace equiv::cpu {
namespace {
// Attribute `name`, or input i, which must be a scalar.
const std::string& AttrOrScalar(KernelContext& ctx, const char* name, int i) {
  if (ctx.attrs().Find(name)) return ctx.attrs().Get<std::string>(name);
  const Array& array = ctx.input(i);
  if (array.rank() != 0)
    throw InvalidArgumentError(
        fmt::format("{}{} must be scalar, but received {}", ctx.Where(), name, array.shape().ToString()));
  return array.strings()[0];
}
struct Pattern {
  explicit Pattern(KernelContext& ctx)
      : text(AttrOrScalar(ctx, "pattern", 1)), regex(re2::StringPiece(text.data(), text.size()), RE2::Quiet) {
    if (!regex.ok())
      throw InvalidArgumentError(fmt::format("{}Invalid pattern: {}, error: {}", ctx.Where(), text, regex.error()));
  }
  const std::string& text;
  const RE2 regex;
};
}  // namespace

void RegexFullMatch(KernelContext& ctx) {
  const Pattern pattern(ctx);
  Array out(DType::kBool, ctx.input(0).shape());
  bool* to = out.mutable_data<bool>();
  for (const std::string& text : ctx.input(0).strings())
    *to++ = RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern.regex);
  ctx.set_output(0, std::move(out));
}
void RegexReplace(KernelContext& ctx) {
  const Pattern pattern(ctx);
  const std::string& rewrite = AttrOrScalar(ctx, "rewrite", 2);
  std::string why;
  if (!pattern.regex.CheckRewriteString(rewrite, &why))
    throw InvalidArgumentError(
        fmt::format("{}Invalid rewrite string: {}, with pattern {}: {}", ctx.Where(), rewrite, pattern.text, why));
  const bool global = ctx.attrs().Get<bool>("replace_global");
  std::vector<std::string> values = ctx.input(0).strings();
  for (std::string& text : values) {
    if (global)
      RE2::GlobalReplace(&text, pattern.regex, rewrite);
    else
      RE2::Replace(&text, pattern.regex, rewrite);
  }
  ctx.set_output(0, Array::Strings(ctx.input(0).shape(), std::move(values)));
}

}  // namespace equiv::cpu
