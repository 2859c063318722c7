#include "equiv/programs/conformance.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "equiv/programs/interpreter.h"
#include "kernels/base/error.h"

namespace equiv::programs {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string Short(const json& v) {
  std::string text = v.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() <= 160 ? text : text.substr(0, 157) + "...";
}

// Results of graph_v1 that are stored as "same as graph": reference names and kinds stand for resource ones.
json WithoutReferences(const json& v) {
  if (v.is_string()) {
    std::string s = v.get<std::string>();
    if (s == "ref") return "resource";
    if (s.ends_with("_ref")) s.resize(s.size() - 4);
    return s;
  }
  if (v.is_array()) {
    json out = json::array();
    for (const json& item : v) out.push_back(WithoutReferences(item));
    return out;
  }
  if (v.is_object()) {
    json out = json::object();
    for (const auto& [key, item] : v.items())
      if (key != "op_names") out[key] = WithoutReferences(item);
    return out;
  }
  return v;
}

bool IsTensor(const json& v) { return v.is_object() && v.contains("shape") && v.contains("dtype"); }

bool Close(double expected, double got) {
  if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got);
  if (expected == got) return true;
  return std::abs(got - expected) <= 1e-5 + 1e-6 * std::abs(expected);
}
double Number(const json& v) {
  if (v.is_boolean()) return v.get<bool>() ? 1 : 0;
  return v.is_number() ? v.get<double>() : std::nan("");
}

std::string CompareTensor(const json& expected, const json& got, bool& exact) {
  if (!IsTensor(got)) return fmt::format("expected a tensor, got {}", Short(got));
  if (expected["shape"] != got["shape"] || expected["dtype"] != got["dtype"])
    return fmt::format("expected {} {}, got {} {}", expected["dtype"].dump(), expected["shape"].dump(),
                       got["dtype"].dump(), got["shape"].dump());
  if (expected.contains("sha256") && got.contains("sha256") && expected["sha256"] == got["sha256"]) return {};
  exact = false;
  if (expected.contains("values")) {
    const json& a = expected["values"];
    const json b = got.value("values", json::array());
    if (a.size() != b.size()) return fmt::format("expected {} values, got {}", a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i].is_string() ? a[i] != b[i] : !Close(Number(a[i]), Number(b[i])))
        return fmt::format("value {}: expected {}, got {}", i, a[i].dump(), b[i].dump());
    }
    return {};
  }
  if (!got.contains("first8")) return "too few values to compare";
  for (std::size_t i = 0; i < expected["first8"].size(); ++i)
    if (!Close(Number(expected["first8"][i]), Number(got["first8"][i])))
      return fmt::format("value {}: expected {}, got {}", i, expected["first8"][i].dump(), got["first8"][i].dump());
  for (const char* key : {"sum_f64", "sumsq_f64"})
    if (!Close(Number(expected[key]), Number(got[key])))
      return fmt::format("{}: expected {}, got {}", key, expected[key].dump(), got[key].dump());
  return {};
}

// Names in quotes, shapes and dtypes of a message, in order. Object reprs and other Python wording stay out.
std::vector<std::string> Tokens(const std::string& message) {
  static const RE2 token(
      R"re(('[A-Za-z0-9_.:/ ]{1,80}'|"[A-Za-z0-9_.:/ ]{1,80}"|\((?:(?:[0-9]+|None)(?:, (?:[0-9]+|None))*,?)?\)|<dtype: '[a-z0-9_]+'>))re");
  std::vector<std::string> tokens;
  re2::StringPiece rest(message);
  std::string found;
  while (RE2::FindAndConsume(&rest, token, &found))
    if (!found.starts_with("'tensorflow."))
      tokens.push_back(found);  // where Python keeps a function is its own business
  return tokens;
}

std::string CompareError(const json& expected, const json& got) {
  if (!got.is_object() || !got.contains("error"))
    return fmt::format("expected {} ({}), got {}", expected["error"].get<std::string>(), Short(expected["message"]),
                       Short(got));
  if (expected["error"] != got["error"])
    return fmt::format("expected {} ({}), got {} ({})", expected["error"].get<std::string>(),
                       Short(expected["message"]), got["error"].get<std::string>(), Short(got["message"]));
  const std::string text = expected.value("message", ""), ours = got.value("message", "");
  // Python's own wording: missing arguments and the like.
  if (text.find("positional argument") != std::string::npos ||
      text.find("unexpected keyword argument") != std::string::npos || text.find("object at") != std::string::npos ||
      text.find("has no attribute") != std::string::npos)
    return {};
  std::size_t at = 0;
  for (const std::string& token : Tokens(text)) {
    const std::size_t found = ours.find(token, at);
    if (found == std::string::npos)
      return fmt::format("the message lacks {}: expected {}, got {}", token, Short(text), Short(ours));
    at = found + token.size();
  }
  return {};
}

std::string CompareValue(const json& expected, const json& got, bool& exact) {
  if (IsTensor(expected)) return CompareTensor(expected, got, exact);
  if (expected.is_object() && expected.contains("error")) return CompareError(expected, got);
  if (expected.is_array() && !expected.empty() && IsTensor(expected[0])) {
    if (!got.is_array() || got.size() != expected.size())
      return fmt::format("expected {} tensors, got {}", expected.size(), Short(got));
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (std::string why = CompareTensor(expected[i], got[i], exact); !why.empty())
        return fmt::format("tensor {}: {}", i, why);
    return {};
  }
  if (expected == got) return {};
  if (expected.is_number_float() || (got.is_number_float() && expected.is_number()))
    if (got.is_number() && Close(Number(expected), Number(got))) return {};
  return fmt::format("expected {}, got {}", Short(expected), Short(got));
}

// The first entry in which two lists differ.
std::string CompareList(const std::string& what, const json& expected, const json& got) {
  if (expected == got) return {};
  const std::size_t n = std::min(expected.size(), got.size());
  for (std::size_t i = 0; i < n; ++i)
    if (expected[i] != got[i])
      return fmt::format("{}[{}]: expected {}, got {}", what, i, Short(expected[i]), Short(got[i]));
  return fmt::format("{}: expected {} entries, got {}; {}", what, expected.size(), got.size(),
                     expected.size() > n ? "missing " + Short(expected[n]) : "extra " + Short(got[n]));
}

// Where `got` differs from `expected` by the pass rule of the goldens' README; empty when it does not. `exact` is
// cleared when a tensor agrees within the tolerance only.
std::string CompareResults(const json& expected, const json& got, bool& exact) {
  const bool raised = expected.contains("raised");
  if (raised != got.contains("raised"))
    return raised ? fmt::format("expected to be stopped by {}", Short(expected["raised"]))
                  : fmt::format("stopped by {}", Short(got["raised"]));
  if (raised)
    if (std::string why = CompareError(expected["raised"], got["raised"]); !why.empty()) return "raised: " + why;
  const json& a = expected["observations"];
  const json& b = got["observations"];
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (std::string why = CompareValue(a[i][1], b[i][1], exact); !why.empty())
      return fmt::format("observation {} ({}): {}", i, a[i][0].get<std::string>(), why);
  if (a.size() != b.size())
    return fmt::format("expected {} observations, got {}{}", a.size(), b.size(),
                       a.size() > b.size() ? ", missing " + a[b.size()][0].get<std::string>() : "");
  if (std::string why = CompareList("variables", expected["variables"], got["variables"]); !why.empty()) return why;
  for (const char* key : {"regularization_losses", "update_ops", "losses", "op_names"}) {
    if (key == std::string_view("op_names") && !expected.contains(key)) continue;
    if (std::string why = CompareList(key, expected.value(key, json::array()), got.value(key, json::array()));
        !why.empty())
      return why;
  }
  return {};
}

}  // namespace

bool RunPrograms(const fs::path& folder, const ConformanceOptions& options, ConformanceRun& run) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::ranges::sort(files);
  bool any = false;
  for (const fs::path& file : files) {
    std::ifstream in(file);
    const nlohmann::ordered_json cases = nlohmann::ordered_json::parse(in, nullptr, /*allow_exceptions=*/false);
    if (cases.is_discarded()) throw DataLossError(fmt::format("'{}' is not valid JSON", file.string()));
    if (!cases.is_array() || cases.empty() || !cases[0].is_object() || !cases[0].contains("program")) continue;
    any = true;
    for (const nlohmann::ordered_json& c : cases) {
      const std::string id = c.value("id", "?");
      if (options.progress) options.progress(id);
      for (const Mode mode : {Mode::kGraph, Mode::kEager, Mode::kGraphV1}) {
        const std::string key(ModeName(mode));
        if (!c.contains(key)) continue;
        CaseResult result{.id = id + "/" + key, .bit_exact = true};
        try {
          const bool same = c[key].is_string();
          const json stored = json::parse((same ? c.at("graph") : c[key]).dump());
          json got = RunProgram(c.at("program"), mode, stored.contains("op_names"),
                                options.backend == "auto" ? "cpu" : options.backend);
          json expected = stored;
          if (same) {
            expected = WithoutReferences(expected);
            got = WithoutReferences(got);
          }
          result.why = CompareResults(expected, got, result.bit_exact);
          if (!result.why.empty()) result.outcome = CaseResult::Outcome::kFail;
        } catch (const UnknownPath& error) {
          result.outcome = CaseResult::Outcome::kSkip;
          result.why = error.what();
        } catch (const json::exception& error) {
          result.outcome = CaseResult::Outcome::kFail;
          result.why = fmt::format("the case is malformed: {}", error.what());
        } catch (const std::exception& error) {
          result.outcome = CaseResult::Outcome::kFail;
          result.why = fmt::format("stopped by an unexpected error: {}", error.what());
        }
        run.results.push_back(std::move(result));
      }
    }
  }
  if (any && run.suite.empty()) run.suite = "naming";
  return any;
}

}  // namespace equiv::programs
