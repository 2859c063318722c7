// kernels/cpu/strings_summary.cc - values as text, and the kernels that write them.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>

#include "kernels/cpu/index_args.h"
#include "kernels/cpu/strings.h"

namespace equiv::cpu {
namespace {

// tf: absl::CEscape
std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else if (c == '"' || c == '\'' || c == '\\')
      out += {'\\', c};
    else if (byte < 0x20 || byte >= 0x7f)
      out += fmt::format("\\{:03o}", byte);
    else
      out += c;
  }
  return out;
}
// As few of two numbers of digits as give the value back. tf: FloatToBuffer, DoubleToBuffer
template <class T>
std::string Digits(T value, int few, int all) {
  const std::string text = fmt::format("{:.{}g}", value, few);
  T read{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (value != value || (error == std::errc{} && end == text.data() + text.size() && read == value)) return text;
  return fmt::format("{:.{}g}", value, all);
}
std::string Number(float value) { return value != value ? "nan" : Digits(value, 6, 9); }
std::string Number(double value) { return value != value ? "nan" : Digits(value, 15, 17); }

std::string ElementText(const Array& a, std::int64_t i, bool quoted) {
  switch (a.dtype()) {
    case DType::kFloat32:
      return Number(a.data<float>()[i]);
    case DType::kFloat64:
      return Number(a.data<double>()[i]);
    case DType::kFloat16:
      return Number(static_cast<float>(a.data<Float16>()[i]));
    case DType::kBFloat16:
      return Number(static_cast<float>(a.data<BFloat16>()[i]));
    case DType::kInt8:
      return std::to_string(a.data<std::int8_t>()[i]);
    case DType::kInt16:
      return std::to_string(a.data<std::int16_t>()[i]);
    case DType::kInt32:
      return std::to_string(a.data<std::int32_t>()[i]);
    case DType::kInt64:
      return std::to_string(a.data<std::int64_t>()[i]);
    case DType::kUInt8:
      return std::to_string(a.data<std::uint8_t>()[i]);
    case DType::kUInt16:
      return std::to_string(a.data<std::uint16_t>()[i]);
    case DType::kUInt32:
      return std::to_string(a.data<std::uint32_t>()[i]);
    case DType::kUInt64:
      return std::to_string(a.data<std::uint64_t>()[i]);
    case DType::kBool:
      return a.data<bool>()[i] ? "1" : "0";
    case DType::kString: {
      const std::string text = Escaped(a.strings()[static_cast<std::size_t>(i)]);
      return quoted ? "\"" + text + "\"" : text;
    }
    default:
      return "?";  // tf: so are complex numbers
  }
}

// Dimension `d` of the first `limit` elements, from element `next` on.
void PrintFirst(const Array& a, int d, std::int64_t limit, std::int64_t& next, std::string& out) {
  if (next >= limit) return;
  const std::int64_t n = a.dim(d);
  if (d == a.rank() - 1) {
    for (std::int64_t i = 0; i < n; ++i) {
      if (next >= limit) {
        if (d > 0) out += "...";
        return;
      }
      out += (i > 0 ? " " : "") + ElementText(a, next++, false);
    }
    return;
  }
  for (std::int64_t i = 0; i < n && next < limit; ++i) {
    out += "[";
    PrintFirst(a, d + 1, limit, next, out);
    out += "]";
  }
}
void PrintEnds(const Array& a, int d, std::int64_t at, std::int64_t ends, std::string& out) {
  if (d == a.rank()) {
    out += ElementText(a, at, true);
    return;
  }
  const std::int64_t n = a.dim(d), step = Product(a.shape(), d + 1, a.rank());
  const auto space = [&] {
    if (d == a.rank() - 1)
      out += " ";
    else
      out += std::string(static_cast<std::size_t>(a.rank() - d - 1), '\n') +
             std::string(static_cast<std::size_t>(d + 1), ' ');
  };
  out += "[";
  for (std::int64_t i = 0; i < std::min(ends, n); ++i) {
    if (i > 0) space();
    PrintEnds(a, d + 1, at + i * step, ends, out);
  }
  if (n > 2 * ends) {
    space();
    out += "...";
  }
  for (std::int64_t i = std::max(ends, n - ends); i < n; ++i) {
    space();
    PrintEnds(a, d + 1, at + i * step, ends, out);
  }
  out += "]";
}
std::int64_t LimitOf(const Array& value, std::int64_t limit) {
  return limit < 0 ? value.num_elements() : std::min(limit, value.num_elements());
}
// "[...] [...]" of the inputs from `first` on.
std::string SummarizeInputs(KernelContext& ctx, int first, std::int64_t limit, const char* between) {
  std::string text;
  for (int i = first; i < ctx.num_inputs(); ++i)
    text += (i > first ? between : "") + ("[" + Summarize(ctx.input(i), limit)) + "]";
  return text;
}
void Write(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

class PrintKernel final : public Kernel {
 public:
  explicit PrintKernel(const KernelInit& init)
      : message_(init.attrs.Get<std::string>("message")),
        first_n_(init.attrs.Get<std::int64_t>("first_n")),
        summarize_(init.attrs.Get<std::int64_t>("summarize")) {}
  void Run(KernelContext& ctx) override {
    const Array input = ctx.input(0);
    if (first_n_ < 0 || calls_.fetch_add(1) < first_n_)
      Write(stderr, message_ + SummarizeInputs(ctx, 1, summarize_, "") + "\n");
    ctx.set_output(0, input);
  }

 private:
  std::string message_;
  std::int64_t first_n_, summarize_;
  std::atomic<std::int64_t> calls_{0};
};
}  // namespace

std::string Summarize(const Array& value, std::int64_t limit) {
  const std::int64_t most = LimitOf(value, limit);
  std::string text;
  if (value.rank() == 0) {
    if (most > 0) text = ElementText(value, 0, false);
  } else {
    std::int64_t next = 0;
    PrintFirst(value, 0, most, next, text);
  }
  return value.num_elements() > most ? text + "..." : text;
}
std::string SummarizeEnds(const Array& value, std::int64_t limit) {
  const std::int64_t most = LimitOf(value, limit);
  if (most == 0 && value.dtype() == DType::kBool) return "";
  if (most == 0 && value.rank() == 0) return "...";
  std::string text;
  PrintEnds(value, 0, 0, most, text);
  return text;
}

void Assert(KernelContext& ctx) {
  const Array& condition = ctx.input(0);
  if (condition.rank() != 0)
    throw InvalidArgumentError(ctx.Where() + "In[0] should be a scalar: " + condition.shape().ToString());
  if (condition.data<bool>()[0]) return;
  throw InvalidArgumentError(
      ctx.Where() + "assertion failed: " + SummarizeInputs(ctx, 1, ctx.attrs().Get<std::int64_t>("summarize"), " "));
}
// tf: StringFormatOp: the pieces of the template around its placeholders
void StringFormat(KernelContext& ctx) {
  const std::string &format = ctx.attrs().Get<std::string>("template"),
                    &placeholder = ctx.attrs().Get<std::string>("placeholder");
  const std::int64_t summarize = ctx.attrs().Get<std::int64_t>("summarize");
  std::vector<std::string> pieces{""};
  for (std::size_t i = 0; i < format.size();) {
    if (!placeholder.empty() && format.compare(i, placeholder.size(), placeholder) == 0) {
      pieces.emplace_back();
      i += placeholder.size();
    } else {
      pieces.back() += format[i++];
    }
  }
  if (static_cast<int>(pieces.size()) - 1 != ctx.num_inputs())
    throw InvalidArgumentError(fmt::format("{}num placeholders in template and num inputs must match: {} vs. {}",
                                           ctx.Where(), pieces.size() - 1, ctx.num_inputs()));
  std::string text = pieces[0];
  for (int i = 0; i < ctx.num_inputs(); ++i)
    text += SummarizeEnds(ctx.input(i), summarize) + pieces[static_cast<std::size_t>(i) + 1];
  ctx.set_output(0, Array::Strings(Shape{}, {std::move(text)}));
}
void PrintV2(KernelContext& ctx) {
  const Array& input = ctx.input(0);
  const std::string& stream = ctx.attrs().Get<std::string>("output_stream");
  if (input.rank() != 0)
    throw InvalidArgumentError(ctx.Where() + "Input is expected to be scalar, but got " + input.shape().ToString());
  const std::string text = input.strings()[0] + ctx.attrs().Get<std::string>("end");
  if (stream == "stdout") return Write(stdout, text);
  if (stream == "stderr" || stream == "log(info)" || stream == "log(warning)" || stream == "log(error)")
    return Write(stderr, text);
  if (stream.starts_with("file://"))
    throw UnimplementedError(ctx.Where() + "does not write files; output_stream is " + stream);
  throw InvalidArgumentError(
      fmt::format("{}Unknown output stream: {}, Valid streams are: stdout stderr log(info) log(warning) log(error)",
                  ctx.Where(), stream));
}
KernelFactory Print() { return Stateful<PrintKernel>(); }

}  // namespace equiv::cpu
