// equiv compare: whether two files hold the same tensors.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "equiv/compare/decimal.h"
#include "equiv/compare/printable.h"
#include "equiv/compare/source_comparison.h"
#include "equiv/harness/open_source.h"
#include "kernels/base/error.h"
#include "kernels/io/file.h"
#include "tools/names_filter.h"
#include "tools/tensor_json.h"
#include "tools/verb.h"

namespace equiv::tools {
namespace {
using Json = nlohmann::ordered_json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Flags {
  std::string a, b, mapping, sort = "worst";
  std::vector<std::string> ignore;
  std::optional<double> rtol, atol;
  std::optional<std::int64_t> ulp;
  bool bitwise = false, by_order = false, json = false, only_differences = false;
};

Tolerance ToleranceOf(const Flags& flags) {
  if (flags.bitwise) return Tolerance::Bitwise();
  if (flags.ulp) return Tolerance::Ulp(*flags.ulp);
  return Tolerance::Allclose(flags.rtol.value_or(1e-5), flags.atol.value_or(1e-8));
}

std::string_view Trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

// Keeps the order, and sees a name that is there twice, of which a tree would keep the last.
class MappingParser final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Pairs pairs;
  bool key(string_t& name) override {
    name_ = name;
    return depth_ == 1;
  }
  bool string(string_t& text) override {
    pairs.emplace_back(name_, text);
    return depth_ == 1;
  }
  bool start_object(std::size_t) override { return ++depth_ == 1; }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool number_integer(number_integer_t) override { return false; }
  bool number_unsigned(number_unsigned_t) override { return false; }
  bool number_float(number_float_t, const string_t&) override { return false; }
  bool binary(binary_t&) override { return false; }
  bool start_array(std::size_t) override { return false; }
  bool end_array() override { return false; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  std::string name_;
  int depth_ = 0;
};

Pairs ReadMapping(const std::string& path) {
  const std::string text = io::ReadFile(path);
  Pairs pairs;
  if (Trimmed(std::string_view(text).substr(0, text.find_first_not_of(" \t\r\n") + 1)).ends_with('{')) {
    MappingParser parser;
    if (!nlohmann::json::sax_parse(text, &parser))
      throw DataLossError(fmt::format("'{}' is no JSON object of texts: {{\"name in A\": \"name in B\"}}", path));
    pairs = std::move(parser.pairs);
  } else {
    int number = 0;
    for (std::string_view rest = text; !rest.empty();) {
      const auto end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = Trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(rest.size(), end + 1));
      ++number;
      if (line.empty() || line.starts_with('#')) continue;
      const auto arrow = line.find(" -> "), tab = line.find('\t');
      const auto at = std::min(arrow, tab);
      if (at == std::string_view::npos)
        throw DataLossError(
            fmt::format("'{}' line {}: expected NAME_IN_A -> NAME_IN_B, or a tab between the names, got '{}'", path,
                        number, Printable(line.substr(0, 80))));
      pairs.emplace_back(Trimmed(line.substr(0, at)), Trimmed(line.substr(at + (at == arrow ? 4 : 1))));
    }
  }
  std::set<std::string> from, to;
  for (const auto& [a, b] : pairs)
    if (!from.insert(a).second || !to.insert(b).second)
      throw InvalidArgumentError(fmt::format("'{}' maps '{}' or to '{}' twice", path, Printable(a), Printable(b)));
  if (pairs.empty()) throw DataLossError(fmt::format("'{}' maps no name", path));
  return pairs;
}

std::string Index(const std::vector<std::int64_t>& shape, std::int64_t flat) {
  std::string text;
  for (std::size_t d = shape.size(); d-- > 0; flat /= shape[d])
    text = std::to_string(flat % shape[d]) + (text.empty() ? "" : ",") + text;
  return "[" + text + "]";
}

// The verdict's reason, on one line.
std::string Detail(const TensorRow& row) {
  const auto type = [](const TensorInfo& i) { return fmt::format("{}{}", Name(i.dtype), i.ShapeText()); };
  const Report& r = row.report;
  switch (row.verdict) {
    case TensorVerdict::kOnlyInA:
      return type(*row.a);
    case TensorVerdict::kOnlyInB:
      return type(*row.b);
    case TensorVerdict::kDtype:
    case TensorVerdict::kShape:
      return fmt::format("A {}, B {}", type(*row.a), type(*row.b));
    case TensorVerdict::kWithin:
      return fmt::format("{}  largest |A-B| {}{}", type(*row.a), FormatDouble(r.max_abs_error),
                         r.ulp.index >= 0 && r.ulp.error < 1e6 ? fmt::format(", {:.0f} ULP", r.ulp.error) : "");
    case TensorVerdict::kDiffers:
      break;
    default:
      return type(*row.a);
  }
  std::string text = fmt::format("{}  {} of {} differ", type(*row.a), r.differing, r.compared);
  if (r.dtype == DType::kString) return fmt::format("{}, first at {}", text, Index(row.a->shape, r.first_differing));
  if (r.absolute.index >= 0) {
    const auto value = [&](double v, double imaginary) {
      if (IsComplex(r.dtype)) return fmt::format("{:.6g}{:+.6g}j", v, imaginary);
      return fmt::format("{:.9g}", v);
    };
    text += fmt::format(", worst |A-B| {:.6g} at {} (A {}, B {})", r.absolute.error,
                        Index(row.a->shape, r.absolute.index), value(r.absolute.expected, r.absolute.expected_imag),
                        value(r.absolute.actual, r.absolute.actual_imag));
  } else {
    text += fmt::format(", first at {}", Index(row.a->shape, r.first_differing));
  }
  if (r.expected_nan + r.actual_nan > 0) text += fmt::format(", NaN {} in A, {} in B", r.expected_nan, r.actual_nan);
  if (r.expected_inf != r.actual_inf) text += fmt::format(", infinite {} in A, {} in B", r.expected_inf, r.actual_inf);
  return text;
}

std::string NameText(const TensorRow& row) {
  if (!row.b) return Printable(row.a->name);
  if (!row.a || row.a->name == row.b->name) return Printable(row.b->name);
  return fmt::format("{} -> {}", Printable(row.a->name), Printable(row.b->name));
}

Json RowJson(const TensorRow& row) {
  Json out = {{"verdict", Name(row.verdict)}};
  if (row.a) out["a"] = TensorJson(*row.a);
  if (row.b) out["b"] = TensorJson(*row.b);
  if (!row.matched_by.empty()) out["matched_by"] = row.matched_by;
  const Report& r = row.report;
  if (r.compared == 0) return out;
  out["elements"] = r.compared;
  out["differing"] = r.differing;
  if (r.first_differing >= 0) out["first_differing"] = r.first_differing;
  if (r.dtype == DType::kString) return out;
  const auto worst = [&](const Report::Worst& w) -> Json {
    if (w.index < 0) return nullptr;
    Json at = {
        {"error", NumberJson(w.error)}, {"index", w.index}, {"a", NumberJson(w.expected)}, {"b", NumberJson(w.actual)}};
    if (IsComplex(r.dtype)) {
      at["a_imaginary"] = NumberJson(w.expected_imag);
      at["b_imaginary"] = NumberJson(w.actual_imag);
    }
    return at;
  };
  out["max_abs_error"] = NumberJson(r.max_abs_error);
  out["worst_absolute"] = worst(r.absolute);
  out["worst_relative"] = worst(r.relative);
  out["worst_ulp"] = worst(r.ulp);
  out["nan"] = {{"a", r.expected_nan}, {"b", r.actual_nan}};
  out["inf"] = {{"a", r.expected_inf}, {"b", r.actual_inf}};
  if (!r.ok()) out["needed"] = NumberJson(r.needed);
  return out;
}

int Run(const Flags& flags) {
  if (flags.bitwise + flags.ulp.has_value() + (flags.rtol || flags.atol) > 1)
    throw UsageError("--bitwise, --ulp and --rtol/--atol are three ways to say how near is near enough: give one");
  if (flags.by_order && !flags.mapping.empty()) throw UsageError("--by-order and --mapping exclude each other");
  SourceComparisonOptions options;
  options.tolerance = ToleranceOf(flags);
  options.by_order = flags.by_order;
  if (!flags.mapping.empty()) options.mapping = ReadMapping(flags.mapping);
  const NamesFilter ignore(flags.ignore);
  if (!ignore.empty()) options.ignore = [&](std::string_view name) { return ignore.Matches(name); };
  Progress progress;
  options.progress = [&](const std::string& text) { progress.Show(text); };
  progress.Show("opening " + Printable(flags.a));
  const std::unique_ptr<TensorSource> a = OpenTensorSource(flags.a), b = OpenTensorSource(flags.b);
  ignore.RequireUse({a.get(), b.get()}, "--ignore");
  SourceComparison result = CompareSources(*a, *b, options);
  progress.Clear();
  if (flags.sort == "name")
    std::ranges::stable_sort(result.rows, {}, [](const TensorRow& r) { return r.a ? r.a->name : r.b->name; });

  std::string verdict = result.ok() ? "EQUIVALENT" : "DIFFERENT", reason;
  if (result.ok() && result.compared == 0) {
    verdict = "UNTRUSTED";
    reason = a->tensors().empty() && b->tensors().empty() ? "neither file holds a tensor"
             : result.rows.empty()                        ? "every tensor was ignored or set aside"
                                                          : "the tensors have no elements";
    reason = "nothing was compared: " + reason;
  }
  const int code = verdict == "EQUIVALENT" ? kEquivalent : kNotEquivalent;
  constexpr TensorVerdict kAll[] = {TensorVerdict::kEqualBits, TensorVerdict::kEmpty,  TensorVerdict::kWithin,
                                    TensorVerdict::kDiffers,   TensorVerdict::kDtype,  TensorVerdict::kShape,
                                    TensorVerdict::kOnlyInA,   TensorVerdict::kOnlyInB};
  if (flags.json) {
    Json out = {{"schema_version", 1}, {"verdict", verdict}};
    if (!reason.empty()) out["reason"] = reason;
    for (const auto& [key, source] : {std::pair("a", a.get()), {"b", b.get()}}) {
      out[key] = Json::object();
      PutName(out[key], "path", source->path());
      out[key]["kind"] = source->kind();
      out[key]["tensors"] = source->tensors().size();
    }
    out["tolerance"] = options.tolerance.ToString();
    Json counts = Json::object();
    for (const TensorVerdict v : kAll) counts[std::string(Name(v))] = result.Count(v);
    counts["ignored"] = result.ignored;
    out["counts"] = std::move(counts);
    out["elements"] = result.compared;
    out["notes"] = result.notes;
    out["tensors"] = Json::array();
    for (const TensorRow& row : result.rows)
      if (!flags.only_differences || !row.ok()) out["tensors"].push_back(RowJson(row));
    PrintJson(out);
    return code;
  }
  fmt::print("A {} ({}, {} tensors)\nB {} ({}, {} tensors)\n", Printable(a->path()), a->kind(), a->tensors().size(),
             Printable(b->path()), b->kind(), b->tensors().size());
  std::size_t width = 0;
  for (const TensorRow& row : result.rows) width = std::max(width, std::min<std::size_t>(70, NameText(row).size()));
  for (const TensorRow& row : result.rows)
    if (!flags.only_differences || !row.ok())
      fmt::print("{} {:<16}  {:<{}}  {}\n", row.ok() ? ' ' : '!', Name(row.verdict), NameText(row), width, Detail(row));
  for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
  std::string summary;
  for (const TensorVerdict v : kAll)
    if (const std::size_t n = result.Count(v); n > 0)
      summary += fmt::format("{}{} {}", summary.empty() ? "" : ", ", n, Name(v));
  if (result.ignored > 0) summary += fmt::format("{}{} ignored", summary.empty() ? "" : ", ", result.ignored);
  fmt::print("{} elements compared within {}: {}\n", result.compared, options.tolerance.ToString(),
             summary.empty() ? "no tensor" : summary);
  fmt::print("{}{}{}\n", verdict, reason.empty() ? "" : ": ", reason);
  return code;
}
}  // namespace

std::function<int()> AddCompare(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "compare", "Compares the tensors of two checkpoints, .npz, .safetensors or recordings; A is what is expected.");
  auto flags = std::make_shared<Flags>();
  command->add_option("a", flags->a, "what is expected: a checkpoint's prefix, a folder, or a file")->required();
  command->add_option("b", flags->b, "what is to be judged")->required();
  command->add_option("--mapping", flags->mapping,
                      "file of lines NAME_IN_A -> NAME_IN_B, or a JSON object; other tensors match by name");
  command->add_flag("--by-order", flags->by_order,
                    "match the tensors of each shape in their order, whatever their names");
  command->add_option("--rtol", flags->rtol, "relative tolerance, 1e-05 if not given")->check(CLI::NonNegativeNumber);
  command->add_option("--atol", flags->atol, "absolute tolerance, 1e-08 if not given")->check(CLI::NonNegativeNumber);
  command->add_option("--ulp", flags->ulp, "representable values in between, in the place of --rtol and --atol")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--bitwise", flags->bitwise, "the same bits, in the place of a tolerance");
  command->add_option("--ignore", flags->ignore, fmt::format("leave these tensors out: {}", kPatternHelp))
      ->allow_extra_args(false);
  command->add_option("--sort", flags->sort, "worst (first) or name")
      ->check(CLI::IsMember({"worst", "name"}))
      ->capture_default_str();
  command->add_flag("--only-differences", flags->only_differences, "leave out the lines of tensors that agree");
  command->add_flag("--json", flags->json, "print one JSON object");
  return [flags] {
    try {
      return Run(*flags);
    } catch (const UnimplementedError& error) {
      throw UnimplementedError(fmt::format("{} (--ignore leaves a tensor out)", error.what()));
    }
  };
}
}  // namespace equiv::tools
