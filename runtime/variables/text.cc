// How Python and NumPy print values: error texts and guards repeat them to the letter.
#include <fmt/format.h>

#include <cctype>
#include <cmath>

#include "kernels/base/flush.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime::internal {

std::string DTypeText(DType dtype) { return fmt::format("tf.{}", Name(dtype)); }
std::string DTypeRepr(DType dtype) { return fmt::format("<dtype: '{}'>", Name(dtype)); }

std::string CamelCase(std::string_view snake) {
  std::string camel;
  bool upper = true;
  for (char c : snake) {
    if (c == '_') {
      upper = true;
      continue;
    }
    camel += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return camel;
}

// Python switches to an exponent below 1e-4 and from 1e16; fmt's own limits are the same.
std::string FloatRepr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

namespace {

constexpr std::int64_t kThreshold = 1000, kEdge = 3;
constexpr std::size_t kLineWidth = 75, kPrecision = 8;

struct Digits {
  std::string whole, fraction, exponent;  // "-1", "25", "e-05"
};

template <class T>
Digits FloatDigits(T value, bool scientific) {
  if (std::isnan(value)) return {"nan", "", ""};
  if (std::isinf(value)) return {value < 0 ? "-inf" : "inf", "", ""};
  std::string text;
  if (scientific) {
    text = fmt::format("{:e}", value);
    // The shortest digits that still identify the value, at most kPrecision of them.
    for (int p = 0; p <= static_cast<int>(kPrecision); ++p) {
      text = fmt::format("{:.{}e}", value, p);
      if (static_cast<T>(std::stod(text)) == value) break;
    }
  } else {
    for (int p = 0; p <= static_cast<int>(kPrecision); ++p) {
      text = fmt::format("{:.{}f}", value, p);
      if (static_cast<T>(std::stod(text)) == value) break;
    }
  }
  Digits digits;
  const auto e = text.find('e');
  if (e != std::string::npos) {
    digits.exponent = text.substr(e);
    text.resize(e);
  }
  const auto dot = text.find('.');
  digits.whole = text.substr(0, dot);
  if (dot != std::string::npos) {
    digits.fraction = text.substr(dot + 1);
    while (!digits.fraction.empty() && digits.fraction.back() == '0') digits.fraction.pop_back();
  }
  return digits;
}

// The flat indices NumPy prints: all, or the edges of every axis.
void Shown(const Shape& shape, int axis, std::int64_t base, bool summarise, std::vector<std::int64_t>& out) {
  if (axis == shape.rank()) {
    out.push_back(base);
    return;
  }
  for (std::int64_t i = 0, n = shape.dim(axis); i < n; ++i) {
    if (summarise && n > 2 * kEdge && i == kEdge) i = n - kEdge;
    Shown(shape, axis + 1, base * n + i, summarise, out);
  }
}

template <class T>
std::vector<std::string> FloatItems(const T* data, const std::vector<std::int64_t>& shown) {
  T largest = 0, smallest = 0;
  for (std::int64_t i : shown) {
    const T magnitude = std::abs(data[i]);
    if (!std::isfinite(magnitude) || magnitude == 0) continue;
    largest = std::max(largest, magnitude);
    smallest = smallest == 0 ? magnitude : std::min(smallest, magnitude);
  }
  const bool scientific = largest >= T(1e8) || (smallest != 0 && (smallest < T(1e-4) || largest / smallest > T(1000)));
  std::vector<Digits> digits;
  std::size_t whole = 0, fraction = 0;
  for (std::int64_t i : shown) {
    digits.push_back(FloatDigits(data[i], scientific));
    const Digits& d = digits.back();
    if (!std::isfinite(data[i])) continue;
    whole = std::max(whole, d.whole.size());
    fraction = std::max(fraction, d.fraction.size());
  }
  std::vector<std::string> items;
  for (std::size_t k = 0; k < digits.size(); ++k) {
    const Digits& d = digits[k];
    if (!std::isfinite(data[shown[k]])) {
      items.push_back(fmt::format("{:>{}}", d.whole, whole + 1 + fraction));
      continue;
    }
    const char pad = scientific ? '0' : ' ';
    std::string tail = d.fraction;
    tail.resize(fraction, pad);
    items.push_back(fmt::format("{:>{}}.{}{}", d.whole, whole, tail, d.exponent));
  }
  return items;
}

// Real and imaginary parts in columns of their own, the imaginary ones with their signs. T: of the parts.
template <class T>
std::vector<std::string> ComplexItems(const Array& array, const std::vector<std::int64_t>& shown) {
  const T* parts = reinterpret_cast<const T*>(array.raw());
  std::vector<std::int64_t> real, imaginary;
  for (const std::int64_t i : shown) {
    real.push_back(2 * i);
    imaginary.push_back(2 * i + 1);
  }
  std::vector<std::string> items = FloatItems(parts, real), tails = FloatItems(parts, imaginary);
  const bool widen = std::any_of(tails.begin(), tails.end(), [](const auto& t) { return t[0] != ' ' && t[0] != '-'; });
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::string tail = (widen ? " " : "") + tails[i];
    const auto digit = tail.find_first_not_of(' ');
    if (tail[digit] != '-') tail[digit - 1] = '+';
    tail.insert(tail.find_last_not_of(' ') + 1, "j");
    items[i] += tail;
  }
  return items;
}

// A single number: "(1+2j)", "2j".
template <class T>
std::string ComplexRepr(const T* parts) {
  const std::string real = fmt::format("{}", parts[0]), imaginary = fmt::format("{:+}j", parts[1]);
  if (parts[0] == 0 && !std::signbit(parts[0])) return imaginary.substr(imaginary[0] == '+' ? 1 : 0);
  return "(" + real + imaginary + ")";
}

std::vector<std::string> Items(const Array& array, const std::vector<std::int64_t>& shown) {
  if (array.dtype() == DType::kComplex64) return ComplexItems<float>(array, shown);
  if (array.dtype() == DType::kComplex128) return ComplexItems<double>(array, shown);
  if (array.dtype() == DType::kFloat32) return FloatItems(array.data<float>(), shown);
  if (array.dtype() == DType::kFloat64) return FloatItems(array.data<double>(), shown);
  std::vector<std::string> items;
  std::size_t width = 0;
  for (std::int64_t i : shown) {
    if (array.dtype() == DType::kString) {
      items.push_back("b'" + array.strings()[static_cast<std::size_t>(i)] + "'");
    } else if (array.dtype() == DType::kBool) {
      items.push_back(array.data<bool>()[i] ? "True" : "False");
    } else if (array.dtype() == DType::kInt64) {
      items.push_back(std::to_string(array.data<std::int64_t>()[i]));
    } else {
      items.push_back(fmt::format("{}", array.ElementAsDouble(i)));
    }
    width = std::max(width, items.back().size());
  }
  for (std::string& item : items) item = fmt::format("{:>{}}", item, width);
  return items;
}

// Nested lists, wrapped and indented as NumPy does.
std::string Nest(const Shape& shape, int axis, bool summarise, const std::vector<std::string>& items, std::size_t& next,
                 std::size_t indent) {
  if (axis == shape.rank()) return items[next++];
  const std::int64_t n = shape.dim(axis);
  const bool gap = summarise && n > 2 * kEdge;
  const bool last = axis + 1 == shape.rank();
  const std::string pad(indent + 1, ' ');
  const std::string rows = "," + std::string(static_cast<std::size_t>(shape.rank() - axis - 1), '\n') + pad;
  std::string text = "[";
  std::size_t column = indent + 1;
  auto add = [&](const std::string& part, bool first) {
    if (!last) {
      text += (first ? "" : rows) + part;
      return;
    }
    if (!first) {
      // One column is kept for the comma or bracket that follows, as NumPy does.
      if (column + 2 + part.size() + static_cast<std::size_t>(shape.rank()) > kLineWidth) {
        text += ",\n" + pad;
        column = indent + 1;
      } else {
        text += ", ";
        column += 2;
      }
    }
    text += part;
    column += part.size();
  };
  for (std::int64_t i = 0; i < n; ++i) {
    if (gap && i == kEdge) {
      add("...", false);
      i = n - kEdge;
    }
    add(Nest(shape, axis + 1, summarise, items, next, indent + 1), i == 0);
  }
  return text + "]";
}

}  // namespace

std::string NumpyRepr(const Array& array) {
  ScopedKeepDenormals keep;
  const Shape& shape = array.shape();
  if (shape.rank() == 0) {
    if (array.dtype() == DType::kFloat32) {
      // fmt prints the shortest digits of a float; Python's limits for an exponent are those of a double.
      std::string text = FloatRepr(array.data<float>()[0]);
      const std::string shortest = fmt::format("{}", array.data<float>()[0]);
      if (std::isfinite(array.data<float>()[0]))
        text = shortest.find_first_of(".e") == std::string::npos ? shortest + ".0" : shortest;
      return text;
    }
    if (array.dtype() == DType::kFloat64) return FloatRepr(array.data<double>()[0]);
    if (array.dtype() == DType::kComplex64) return ComplexRepr(reinterpret_cast<const float*>(array.raw()));
    if (array.dtype() == DType::kComplex128) return ComplexRepr(reinterpret_cast<const double*>(array.raw()));
    return Items(array, {0})[0];
  }
  const bool summarise = array.num_elements() > kThreshold;
  std::vector<std::int64_t> shown;
  Shown(shape, 0, 0, summarise, shown);
  constexpr std::string_view kOpen = "array(";
  std::size_t next = 0;
  std::string text =
      array.num_elements() == 0 ? "[]" : Nest(shape, 0, summarise, Items(array, shown), next, kOpen.size());
  if (array.num_elements() == 0 && shape.rank() > 1) text += ", shape=" + shape.ToTuple();
  // NumPy leaves out the dtype it would infer from the list.
  const DType dtype = array.dtype();
  const bool implied =
      array.num_elements() > 0 && (dtype == DType::kFloat64 || dtype == DType::kInt64 || dtype == DType::kBool);
  if (implied) return fmt::format("{}{})", kOpen, text);
  const std::string type = dtype == DType::kString ? "object" : std::string(Name(dtype));
  const auto line = text.rfind('\n');
  const std::size_t column = (line == std::string::npos ? kOpen.size() + text.size() : text.size() - line - 1);
  const bool wrap = column + 2 + 6 + type.size() + 1 > kLineWidth;
  return fmt::format("{}{},{}dtype={})", kOpen, text, wrap ? "\n      " : " ", type);
}

}  // namespace equiv::runtime::internal
