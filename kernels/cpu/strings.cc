#include "kernels/cpu/strings.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>

#include "kernels/cpu/elementwise_loops.h"

namespace equiv::cpu {
namespace {

template <class F>
void ForStrings(KernelContext& ctx, F f) {
  const Array in = ctx.input(0);
  std::vector<std::string> out;
  for (const std::string& text : in.strings()) out.push_back(f(text));
  ctx.set_output(0, Array::Strings(in.shape(), std::move(out)));
}
void RequireEncoding(KernelContext& ctx) {
  const std::string& encoding = ctx.attrs().Get<std::string>("encoding");
  if (encoding.empty()) return;
  if (encoding == "utf-8") throw UnimplementedError(ctx.Where() + "changes letters of ASCII only; encoding is utf-8");
  throw InvalidArgumentError(ctx.Where() + "only utf-8 or '' (no encoding) is supported, received " + encoding);
}

std::string_view Trimmed(std::string_view text) {
  const char* const kSpace = " \t\n\v\f\r";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}
// tf: SafeStringToNumeric: space around a number is allowed, a plus only before floating ones, which may be
// hexadecimal
template <class T>
bool Parse(std::string_view text, T& value) {
  text = Trimmed(text);
  if constexpr (std::is_integral_v<T>) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
  } else {
    const bool negative = text.starts_with('-');
    std::string_view digits = negative || text.starts_with('+') ? text.substr(1) : text;
    if (digits.starts_with('+') || digits.starts_with('-')) return false;
    const char first = digits.empty() ? ' ' : digits[0];
    if ((first == 'i' || first == 'I' || first == 'n' || first == 'N') && digits.size() != 3) return false;
    const bool hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
    if (hexadecimal) digits.remove_prefix(2);
    if (hexadecimal && digits.find_first_of("pP") != std::string_view::npos) return false;
    const char* const end_of_text = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), end_of_text, value,
                                              hexadecimal ? std::chars_format::hex : std::chars_format::general);
    if (digits.empty() || end != end_of_text) return false;
    if (error == std::errc::result_out_of_range)  // too large or too small: strtod knows which
      value = static_cast<T>(
          std::strtod((hexadecimal ? "0x" + std::string(digits) : std::string(digits)).c_str(), nullptr));
    else if (error != std::errc{})
      return false;
    if (negative) value = -value;
    return true;
  }
}
}  // namespace

void ConcatenateStrings(KernelContext& ctx) {
  const Array a = ctx.input(0), b = ctx.input(1);
  const Shape out = BroadcastShape(ctx, a.shape(), b.shape());
  const std::array strides = {StretchedStrides(a.shape(), out), StretchedStrides(b.shape(), out)};
  std::vector<std::string> joined(static_cast<std::size_t>(out.num_elements()));
  for (std::size_t i = 0; i < joined.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), from[2] = {0, 0};
    for (int d = out.rank() - 1; d >= 0; --d) {
      for (std::size_t k : {0, 1}) from[k] += rest % out[d] * strides[k][static_cast<std::size_t>(d)];
      rest /= out[d];
    }
    joined[i] = a.strings()[static_cast<std::size_t>(from[0])] + b.strings()[static_cast<std::size_t>(from[1])];
  }
  ctx.set_output(0, Array::Strings(out, std::move(joined)));
}

void StringJoin(KernelContext& ctx) {
  const std::string& separator = ctx.attrs().Get<std::string>("separator");
  Shape shape;
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    const Shape& own = ctx.input(i).shape();
    if (own.rank() == 0) continue;
    if (shape.rank() != 0 && !(shape == own))
      throw InvalidArgumentError(
          fmt::format("{}Input shapes do not match: {} vs. {}", ctx.Where(), shape.ToString(), own.ToString()));
    shape = own;
  }
  std::vector<std::string> joined(static_cast<std::size_t>(shape.num_elements()));
  for (std::size_t k = 0; k < joined.size(); ++k)
    for (int i = 0; i < ctx.num_inputs(); ++i) {
      if (i > 0) joined[k] += separator;
      joined[k] += ctx.input(i).strings()[ctx.input(i).rank() == 0 ? 0 : k];
    }
  ctx.set_output(0, Array::Strings(shape, std::move(joined)));
}
void StringToNumber(KernelContext& ctx) {
  const Array in = ctx.input(0);
  ForNumeric(ctx, ctx.output_dtype(0), [&]<class T>() {
    T* out = ctx.Allocate(0, in.shape()).template mutable_data<T>();
    for (const std::string& text : in.strings())
      if (!Parse(text, *out++))
        throw InvalidArgumentError(ctx.Where() + "StringToNumberOp could not correctly convert string: " + text);
  });
}
void StringLength(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const bool characters = ctx.attrs().Get<std::string>("unit") == "UTF8_CHAR";
  std::int32_t* out = ctx.Allocate(0, in.shape()).mutable_data<std::int32_t>();
  for (const std::string& text : in.strings())
    *out++ = static_cast<std::int32_t>(
        characters ? std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; })
                   : static_cast<std::ptrdiff_t>(text.size()));
}
void StringLower(KernelContext& ctx) {
  RequireEncoding(ctx);
  ForStrings(ctx, [](std::string text) {
    for (char& c : text)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
  });
}
void StringUpper(KernelContext& ctx) {
  RequireEncoding(ctx);
  ForStrings(ctx, [](std::string text) {
    for (char& c : text)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
  });
}

namespace {
// Text brought to a width: after a sign for zeros, behind the text for "-".
std::string Filled(std::string text, std::int64_t width, char fill) {
  const auto missing = width - static_cast<std::int64_t>(text.size());
  if (missing <= 0) return text;
  const auto n = static_cast<std::size_t>(missing);
  if (fill == '-') return text + std::string(n, ' ');
  if (fill != '0') return std::string(n, ' ') + text;
  const bool sign = text.starts_with('-') || text.starts_with('+');
  return text.insert(sign ? 1 : 0, n, '0');
}
}  // namespace
// tf: AsStringOp builds a format for printf
void AsString(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const DType dtype = in.dtype();
  const auto precision = ctx.attrs().Get<std::int64_t>("precision"), width = ctx.attrs().Get<std::int64_t>("width");
  const bool scientific = ctx.attrs().Get<bool>("scientific"), shortest = ctx.attrs().Get<bool>("shortest"),
             floating = IsFloating(dtype) || IsComplex(dtype);
  const std::string& fill = ctx.attrs().Get<std::string>("fill");
  const auto fail = [&](const std::string& message) { throw InvalidArgumentError(ctx.Where() + message); };
  if (fill.size() > 1) fail("Fill string must be one or fewer characters");
  const char filler = fill.empty() ? '\0' : fill[0];
  if (std::string_view("+0- ").find(filler) == std::string_view::npos && filler)
    fail("Fill argument not supported: \"" + fill + "\"");
  if (scientific && shortest) fail("Cannot select both scientific and shortest notation");
  if (!floating && (scientific || shortest))
    fail(fmt::format("scientific and shortest format not supported for datatype {}", Name(dtype)));
  if (!floating && dtype != DType::kString && precision >= 0)
    fail(fmt::format("precision not supported for datatype {}", Name(dtype)));
  constexpr std::int64_t kMost = 1 << 16;
  if (width > kMost || precision > kMost) fail(fmt::format("width and precision must be at most {}", kMost));
  std::vector<std::string> out;
  const auto signed_text = [&](std::string text) {
    if ((filler == '+' || filler == ' ') && !text.starts_with('-')) text.insert(text.begin(), filler);
    return text;
  };
  const auto real = [&](double v) {
    const int digits = static_cast<int>(precision < 0 ? 6 : precision);
    const std::string text = shortest     ? fmt::format("{:.{}g}", v, digits)
                             : scientific ? fmt::format("{:.{}e}", v, digits)
                                          : fmt::format("{:.{}f}", v, digits);
    return Filled(signed_text(text), width, std::isfinite(v) || filler == '-' ? filler : '\0');
  };
  const auto count = static_cast<std::size_t>(in.num_elements());
  if (dtype == DType::kString) {
    for (const std::string& text : in.strings()) out.push_back(Filled(text, width, filler == '-' ? '-' : '\0'));
  } else if (dtype == DType::kBool) {
    for (bool v : in.span<bool>()) out.emplace_back(v ? "true" : "false");
  } else if (dtype == DType::kComplex64 || dtype == DType::kComplex128) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto part = [&](std::size_t k) {
        return dtype == DType::kComplex64 ? static_cast<double>(reinterpret_cast<const float*>(in.raw())[2 * i + k])
                                          : reinterpret_cast<const double*>(in.raw())[2 * i + k];
      };
      out.push_back("(" + real(part(0)) + "," + real(part(1)) + ")");
    }
  } else {
    ForReal(ctx, dtype, [&]<class T>() {
      for (T v : in.span<T>()) {
        if constexpr (std::is_integral_v<T>)
          out.push_back(
              Filled(std::is_signed_v<T> ? signed_text(fmt::format("{}", v)) : fmt::format("{}", v), width, filler));
        else
          out.push_back(
              real(static_cast<double>(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(v))));
      }
    });
  }
  ctx.set_output(0, Array::Strings(in.shape(), std::move(out)));
}

}  // namespace equiv::cpu
