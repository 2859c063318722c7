// equiv/compare/compare_text.cc - what a person reads when two tensors differ.
#include <fmt/format.h>

#include <cmath>

#include "equiv/compare/compare.h"
#include "equiv/compare/decimal.h"

namespace equiv {
namespace {
std::string IndexText(const Shape& shape, std::int64_t flat) {
  std::string text;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    text = std::to_string(flat % shape[d]) + (text.empty() ? "" : ",") + text;
    flat /= shape[d];
  }
  return "[" + text + "]";
}
// Shortest decimals of the dtype tell any two values apart.
std::string ValueText(DType dtype, double value) {
  if (dtype == DType::kFloat64) return FormatDouble(value);
  if (IsFloating(dtype)) return FormatFloat(static_cast<float>(value));
  if (dtype == DType::kBool) return value != 0 ? "true" : "false";
  return fmt::format("{:.0f}", value);
}
std::string Line(const Report& r, std::string_view what, const Report::Worst& w, std::string_view unit) {
  if (w.index < 0) return "";
  return fmt::format("  worst {} error: {}{} at {}: expected {}, actual {}\n", what, FormatDouble(w.error), unit,
                     IndexText(r.shape, w.index), ValueText(r.dtype, w.expected), ValueText(r.dtype, w.actual));
}
}  // namespace

std::string Report::ToString() const {
  if (!mismatch.empty()) return mismatch + "\n";
  if (nothing_compared)
    return fmt::format("no element was compared: both tensors are empty, shape {}\n", shape.ToString());
  const std::string_view where = Name(dtype);
  if (differing == 0) {
    std::string text =
        fmt::format("{} elements ({} {}) agree within {}", compared, where, shape.ToString(), tolerance.ToString());
    return text + (bitwise_equal ? ", bit for bit\n"
                                 : fmt::format("; largest absolute error {}\n", FormatDouble(max_abs_error)));
  }
  std::string text = fmt::format(
      "{} of {} elements ({} {}, {:.3g} %) differ beyond {}\n", differing, compared, where, shape.ToString(),
      100.0 * static_cast<double>(differing) / static_cast<double>(compared), tolerance.ToString());
  text += Line(*this, "absolute", absolute, "");
  text += Line(*this, "relative", relative, "");
  text += Line(*this, "ULP", ulp, "");
  text += fmt::format("  first difference at {}\n", IndexText(shape, first_differing));
  if (expected_nan + actual_nan > 0) text += fmt::format("  NaN: {} expected, {} actual\n", expected_nan, actual_nan);
  if (expected_inf + actual_inf > 0)
    text += fmt::format("  infinities: {} expected, {} actual\n", expected_inf, actual_inf);
  if (tolerance.kind == Tolerance::Kind::kBitwise) return text;
  const std::string_view unit = tolerance.kind == Tolerance::Kind::kUlp ? "ULP" : "atol";
  text += std::isinf(needed)
              ? fmt::format("  needed: no {} would pass, NaN or infinities differ; allowed {}\n", unit,
                            FormatDouble(allowed))
              : fmt::format("  needed {} {}, allowed {}\n", unit, FormatDouble(needed), FormatDouble(allowed));
  return text;
}
}  // namespace equiv
