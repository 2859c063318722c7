// tools/names_filter.h - which tensors the options --key and --ignore mean.
#pragma once
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "equiv/compare/tensor_source.h"

namespace equiv::tools {

// One of several patterns. "*" stands for any text and "?" for any character, and the whole name must match; after
// "re:" a regular expression (RE2's) that some part of the name must match.
class NamesFilter {
 public:
  NamesFilter() = default;  // matches nothing
  // UsageError for what is no regular expression.
  explicit NamesFilter(const std::vector<std::string>& patterns);
  bool empty() const { return patterns_.empty(); }
  bool Matches(std::string_view name) const;
  // By name or by variable's name.
  bool Matches(const TensorInfo& info) const;
  // UsageError when a pattern matches no tensor of any source: `option` names it.
  void RequireUse(std::initializer_list<const TensorSource*> sources, const char* option) const;

 private:
  struct Pattern {
    std::string text;
    std::function<bool(std::string_view)> matches;
  };
  std::vector<Pattern> patterns_;
};

// How a pattern is written, for help texts.
inline constexpr const char* kPatternHelp = "* is any text, ? any character; re:X a regular expression; repeatable";

}  // namespace equiv::tools
