#include "equiv/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace equiv::report {
namespace {
using testing::HasSubstr;
using testing::Not;

TEST(Html, EscapesEveryText) {
  Document d{.title = "<script>",
             .verdict = "A & B",
             .passed = true,
             .environment = {{"<k>", "\"v\""}},
             .stages = {},
             .tables = {}};
  d.stages.push_back({.id = "s",
                      .title = "t<",
                      .verdict = "DIFFERENT",
                      .lines = {"<b>"},
                      .figures = {{"<f>", "1", "0x1p+0"}},
                      .failure = "<i>",
                      .phases = {{"<p>", 1}}});
  d.tables.push_back({.title = "<t>", .columns = {"<c>"}, .rows = {{"<r>"}}});
  const std::string html = ToHtml(d);
  for (const char* raw : {"<script>", "<k>", "t<<", "<b>", "<f>", "<i>", "<p>:", "<t>", "<c>", "<r>"})
    EXPECT_THAT(html, Not(HasSubstr(raw)));
  EXPECT_THAT(html, HasSubstr("A &amp; B"));
}
TEST(Html, LoadsNothingFromOutside) {
  const std::string html =
      ToHtml({.title = "t", .verdict = "EQUIVALENT", .passed = true, .environment = {}, .stages = {}, .tables = {}});
  for (const char* outside : {"http:", "https:", "src=", "<link", "@import", "url("})
    EXPECT_THAT(html, Not(HasSubstr(outside)));
}
TEST(Html, AVerdictIsMoreThanAColour) {
  EXPECT_THAT(
      ToHtml({.title = "t", .verdict = "DIFFERENT", .passed = false, .environment = {}, .stages = {}, .tables = {}}),
      HasSubstr("\u2717 DIFFERENT"));
}
}  // namespace
}  // namespace equiv::report
