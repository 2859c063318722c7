// equiv/compare/compare_text.cc - what a person reads when two tensors differ.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "equiv/compare/compare.h"
#include "equiv/compare/decimal.h"
#include "equiv/compare/printable.h"

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
std::string ValueText(DType dtype, double value, double imaginary) {
  if (dtype == DType::kComplex64 || dtype == DType::kComplex128) {
    const auto part = [&](double v) {
      return dtype == DType::kComplex64 ? FormatFloat(static_cast<float>(v)) : FormatDouble(v);
    };
    return fmt::format("({}{}{}j)", part(value), std::signbit(imaginary) ? "-" : "+", part(std::abs(imaginary)));
  }
  if (dtype == DType::kFloat64) return FormatDouble(value);
  if (IsFloating(dtype) || dtype == DType::kFloat8E5M2 || dtype == DType::kFloat8E4M3FN)
    return FormatFloat(static_cast<float>(value));
  if (dtype == DType::kBool) return value != 0 ? "true" : "false";
  return fmt::format("{:.0f}", value);
}
std::string Line(const Report& r, std::string_view what, const Report::Worst& w, std::string_view unit) {
  if (w.index < 0) return "";
  return fmt::format("  worst {} error: {}{} at {}: expected {}, actual {}\n", what, FormatDouble(w.error), unit,
                     IndexText(r.shape, w.index), ValueText(r.dtype, w.expected, w.expected_imag),
                     ValueText(r.dtype, w.actual, w.actual_imag));
}
// Where two strings part, with a little of both around that byte.
std::string StringsText(const Report& r) {
  const auto at =
      static_cast<std::size_t>(std::ranges::mismatch(r.expected_text, r.actual_text).in1 - r.expected_text.begin());
  const std::size_t start = at > 24 ? at - 24 : 0;
  const auto part = [&](const std::string& text) {
    return fmt::format("{}'{}'{} ({} bytes)", start > 0 ? "..." : "", Printable(text.substr(start, 60)),
                       text.size() > start + 60 ? "..." : "", text.size());
  };
  return fmt::format("{} of {} strings ({}) differ\n  first difference at {}, byte {}: expected {}, actual {}\n",
                     r.differing, r.compared, r.shape.ToString(), IndexText(r.shape, r.first_differing), at,
                     part(r.expected_text), part(r.actual_text));
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
  if (dtype == DType::kString) return StringsText(*this);
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
