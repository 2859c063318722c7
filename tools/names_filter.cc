#include "tools/names_filter.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "equiv/compare/printable.h"
#include "tools/verb.h"

namespace equiv::tools {
namespace {
// Linear in practice: only the last star is ever tried again.
bool Glob(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, mark = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
      // A character may be several bytes.
      n += pattern[p] == '?' ? std::max<std::size_t>(1, Utf8Length(name.substr(n))) : 1;
      ++p;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}
}  // namespace

NamesFilter::NamesFilter(const std::vector<std::string>& patterns) {
  for (const std::string& text : patterns) {
    if (!text.starts_with("re:")) {
      patterns_.push_back({text, [text](std::string_view name) { return Glob(text, name); }});
      continue;
    }
    RE2::Options options;
    options.set_log_errors(false);
    const auto regex = std::make_shared<RE2>(text.substr(3), options);
    if (!regex->ok())
      throw UsageError(fmt::format("'{}' is no regular expression: {}", text.substr(3), regex->error()));
    patterns_.push_back({text, [regex](std::string_view name) {
                           return RE2::PartialMatch(re2::StringPiece(name.data(), name.size()), *regex);
                         }});
  }
}
bool NamesFilter::Matches(std::string_view name) const {
  return std::ranges::any_of(patterns_, [&](const Pattern& p) { return p.matches(name); });
}
bool NamesFilter::Matches(const TensorInfo& info) const {
  return Matches(info.name) || (!info.variable.empty() && Matches(info.variable));
}
void NamesFilter::RequireUse(std::initializer_list<const TensorSource*> sources, const char* option) const {
  for (const Pattern& p : patterns_) {
    const auto uses = [&](const TensorInfo& t) {
      return p.matches(t.name) || (!t.variable.empty() && p.matches(t.variable));
    };
    if (std::ranges::any_of(sources, [&](const TensorSource* s) { return std::ranges::any_of(s->tensors(), uses); }))
      continue;
    std::string where;
    for (const TensorSource* s : sources)
      where += fmt::format("{}the {} tensors of '{}'", where.empty() ? "" : " and ", s->tensors().size(), s->path());
    throw UsageError(fmt::format("{} '{}' matches none of {}; the whole name must match: '*{}*' is wherever it stands",
                                 option, p.text, where, p.text));
  }
}
}  // namespace equiv::tools
