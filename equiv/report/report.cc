#include "equiv/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <kainjow/mustache.hpp>

namespace equiv::report {
namespace {
using kainjow::mustache::data;
using kainjow::mustache::mustache;

constexpr const char* kPage = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}: {{verdict}}</title>
<style>
:root { color-scheme: light dark; --line: #8884; --good: #14713b; --bad: #b3261e; --soft: #8882; }
@media (prefers-color-scheme: dark) { :root { --good: #6fd19a; --bad: #ff8a80; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 1.6rem 0 .3rem; }
.verdict { font-weight: 700; } .good { color: var(--good); } .bad { color: var(--bad); }
.box { overflow-x: auto; } table { border-collapse: collapse; margin: .5rem 0; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
code, pre, .num { font-family: ui-monospace, monospace; font-size: .9em; }
pre { background: var(--soft); padding: .7rem; overflow-x: auto; }
.bar { display: inline-block; height: .7rem; background: currentColor; opacity: .55; }
ul { padding-left: 1.2rem; }
</style>
</head>
<body>
<h1>{{title}}</h1>
<p class="verdict {{tone}}">{{mark}} {{verdict}}</p>
<div class="box"><table>
{{#environment}}<tr><th scope="row">{{key}}</th><td>{{value}}</td></tr>
{{/environment}}</table></div>
{{#stages}}
<section>
<h2 id="{{id}}">{{id}}: {{title}}</h2>
<p class="verdict {{tone}}">{{verdict}}</p>
{{#has_lines}}<ul>
{{#lines}}<li>{{text}}</li>
{{/lines}}</ul>
{{/has_lines}}{{#has_figures}}<div class="box"><table>
<tr><th scope="col">figure</th><th scope="col">value</th><th scope="col">bits</th></tr>
{{#figures}}<tr><td>{{name}}</td><td class="num">{{decimal}}</td><td class="num">{{hex}}</td></tr>
{{/figures}}</table></div>
{{/has_figures}}{{#has_failure}}<pre>{{failure}}</pre>
{{/has_failure}}{{#has_phases}}<details><summary>time by phase</summary>
<div class="box"><table>
{{#phases}}<tr><td>{{name}}</td><td class="num">{{seconds}} s</td><td><span class="bar" style="width:{{width}}px"></span></td></tr>
{{/phases}}</table></div></details>
{{/has_phases}}</section>
{{/stages}}
{{#tables}}
<section>
<h2>{{title}}</h2>
<div class="box"><table>
<tr>{{#columns}}<th scope="col">{{text}}</th>{{/columns}}</tr>
{{#rows}}<tr>{{#cells}}<td class="num">{{text}}</td>{{/cells}}</tr>
{{/rows}}</table></div>
</section>
{{/tables}}
</body>
</html>
)";

data Texts(const std::vector<std::string>& texts) {
  data list{data::type::list};
  for (const std::string& t : texts) list << data("text", t);
  return list;
}
const char* Tone(const std::string& verdict) {
  return verdict == "DIFFERENT" || verdict == "UNTRUSTED" ? "bad" : "good";
}

data StageData(const Stage& stage) {
  data d;
  d.set("id", stage.id);
  d.set("title", stage.title);
  d.set("verdict", stage.verdict);
  d.set("tone", std::string(Tone(stage.verdict)));
  d.set("has_lines", data(!stage.lines.empty()));
  d.set("lines", Texts(stage.lines));
  data figures{data::type::list};
  for (const Figure& f : stage.figures) {
    data one;
    one.set("name", f.name);
    one.set("decimal", f.decimal);
    one.set("hex", f.hex);
    figures << one;
  }
  d.set("has_figures", data(!stage.figures.empty()));
  d.set("figures", figures);
  d.set("has_failure", data(!stage.failure.empty()));
  d.set("failure", stage.failure);
  double longest = 1e-9;
  for (const Phase& p : stage.phases) longest = std::max(longest, p.seconds);
  data phases{data::type::list};
  for (const Phase& p : stage.phases) {
    data one;
    one.set("name", p.name);
    one.set("seconds", fmt::format("{:.3f}", p.seconds));
    one.set("width", fmt::format("{:.0f}", 160 * p.seconds / longest));
    phases << one;
  }
  d.set("has_phases", data(!stage.phases.empty()));
  d.set("phases", phases);
  return d;
}
}  // namespace

std::string ToHtml(const Document& document) {
  data page;
  page.set("title", document.title);
  page.set("verdict", document.verdict);
  page.set("tone", std::string(document.passed ? "good" : "bad"));
  page.set("mark", std::string(document.passed ? "\u2713" : "\u2717"));
  data environment{data::type::list};
  for (const auto& [key, value] : document.environment) {
    data one;
    one.set("key", key);
    one.set("value", value);
    environment << one;
  }
  page.set("environment", environment);
  data stages{data::type::list};
  for (const Stage& stage : document.stages) stages << StageData(stage);
  page.set("stages", stages);
  data tables{data::type::list};
  for (const Table& table : document.tables) {
    data one;
    one.set("title", table.title);
    one.set("columns", Texts(table.columns));
    data rows{data::type::list};
    for (const auto& row : table.rows) rows << data("cells", Texts(row));
    one.set("rows", rows);
    tables << one;
  }
  page.set("tables", tables);
  mustache tmpl(kPage);
  return tmpl.render(page);
}
}  // namespace equiv::report
