#include "equiv/compare/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "equiv/compare/printable.h"
#include "kernels/base/error.h"
#include "kernels/io/file.h"

namespace equiv {
namespace {
constexpr std::int64_t kLargestHeader = 100'000'000;  // the reference implementation's limit
constexpr std::string_view kMetadata = "__metadata__";

struct Code {
  std::string_view name;
  DType dtype;
};
// In the order in which the reference implementation writes them: the widest first.
constexpr Code kCodes[] = {
    {"U64", DType::kUInt64},         {"I64", DType::kInt64},     {"F64", DType::kFloat64},
    {"C64", DType::kComplex64},      {"F32", DType::kFloat32},   {"U32", DType::kUInt32},
    {"I32", DType::kInt32},          {"BF16", DType::kBFloat16}, {"F16", DType::kFloat16},
    {"U16", DType::kUInt16},         {"I16", DType::kInt16},     {"F8_E4M3", DType::kFloat8E4M3FN},
    {"F8_E5M2", DType::kFloat8E5M2}, {"I8", DType::kInt8},       {"U8", DType::kUInt8},
    {"BOOL", DType::kBool}};

// What the header says of one tensor.
struct Entry {
  std::string name;
  DType dtype = DType::kInvalid;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> offsets;
};

// Reads the header without making a tree of it: a damaged one may nest a million deep, and name a key twice.
class HeaderParser final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderParser(const std::string& path) : path_(path) {}
  std::vector<Entry> entries;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string problem;

  bool key(string_t& name) override {
    if (depth_ == 1) {
      if (!names_.insert(name).second) return Fail(fmt::format("two tensors are named '{}'", Printable(name)));
      in_metadata_ = name == kMetadata;
      if (!in_metadata_) entries.push_back({name, DType::kInvalid, {}, {}});
      seen_.clear();
    } else if (depth_ == 2) {
      field_ = name;
      if (!in_metadata_ && !seen_.insert(name).second)
        return Fail(fmt::format("tensor '{}' has two fields '{}'", Where(), Printable(name)));
    }
    return true;
  }
  bool string(string_t& text) override {
    if (depth_ == 2 && in_metadata_) {
      metadata.emplace_back(field_, text);
      return true;
    }
    if (depth_ == 2 && field_ == "dtype") {
      for (const Code& code : kCodes)
        if (code.name == text) entries.back().dtype = code.dtype;
      if (entries.back().dtype == DType::kInvalid)
        throw UnimplementedError(
            fmt::format("'{}': tensor '{}' has dtype '{}', which is not read", path_, Where(), Printable(text)));
      return true;
    }
    return Other("a text");
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (depth_ != 3 || !list_) return Other("a number");
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max()))
      return Fail(fmt::format("tensor '{}' has {} in '{}'", Where(), value, field_));
    list_->push_back(static_cast<std::int64_t>(value));
    if (list_->size() > 64) return Fail(fmt::format("tensor '{}' has more than 64 dimensions", Where()));
    return true;
  }
  bool number_integer(number_integer_t) override { return Other("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return Other("a fraction"); }
  bool boolean(bool) override { return Other("a truth value"); }
  bool null() override { return Other("null"); }
  bool binary(binary_t&) override { return Other("binary data"); }
  bool start_object(std::size_t) override {
    if (depth_ >= 2 && !Other("an object")) return false;
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ < 2) return Fail("the header is no object of objects");
    list_ = nullptr;
    if (depth_ == 2 && !in_metadata_ && field_ == "shape") list_ = &entries.back().shape;
    if (depth_ == 2 && !in_metadata_ && field_ == "data_offsets") list_ = &entries.back().offsets;
    if (!list_ && !Other("a list")) return false;
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    list_ = nullptr;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return Fail(fmt::format("the header is no JSON at byte {}", position));
  }
  // Which of the three fields each tensor must have is known at its end only.
  void RequireFields() {
    for (const Entry& e : entries)
      if (e.dtype == DType::kInvalid || e.offsets.size() != 2) {
        problem = fmt::format("tensor '{}' lacks dtype, shape or data_offsets", Printable(e.name));
        return;
      }
  }

 private:
  std::string Where() const { return in_metadata_ ? std::string(kMetadata) : Printable(entries.back().name); }
  bool Fail(std::string why) {
    if (problem.empty()) problem = std::move(why);
    return false;
  }
  // Fields beyond the three may hold anything, as in the reference implementation.
  bool Other(const char* what) {
    if (depth_ < 2) return Fail("the header is no object of objects");
    const bool known = in_metadata_ || field_ == "dtype" || field_ == "shape" || field_ == "data_offsets";
    if (!known) return true;
    return Fail(fmt::format("'{}' of '{}' is {}", Printable(field_), Where(), what));
  }

  const std::string& path_;
  std::set<std::string> names_, seen_;
  std::string field_;
  int depth_ = 0;
  bool in_metadata_ = false;
  std::vector<std::int64_t>* list_ = nullptr;
};

class SafetensorsSource final : public TensorSource {
 public:
  explicit SafetensorsSource(const std::string& path) : TensorSource("safetensors", path), file_(path) {
    files_.push_back(path);
    const auto damaged = [&](const std::string& why) {
      return DataLossError(fmt::format("'{}' is no safetensors file, or damaged: {}", path, why));
    };
    std::uint64_t size = 0;
    if (file_.size() < static_cast<std::int64_t>(sizeof size))
      throw damaged(fmt::format("it has {} bytes, and the length of the header takes 8", file_.size()));
    file_.Read(0, &size, sizeof size);
    if (size > static_cast<std::uint64_t>(kLargestHeader))
      throw damaged(fmt::format("it claims a header of {} bytes, more than {}", size, kLargestHeader));
    if (size > static_cast<std::uint64_t>(file_.size()) - sizeof size)
      throw damaged(fmt::format("it claims a header of {} bytes, but has {} in all", size, file_.size()));
    std::string header(size, '\0');
    file_.Read(sizeof size, header.data(), header.size());
    HeaderParser parser(path);
    if (nlohmann::json::sax_parse(header, &parser)) parser.RequireFields();
    if (!parser.problem.empty()) throw damaged(parser.problem);
    std::vector<Entry>& entries = parser.entries;
    std::ranges::stable_sort(entries, {}, &Entry::offsets);
    start_ = static_cast<std::int64_t>(sizeof size + size);
    std::int64_t at = 0;
    for (Entry& e : entries) {
      TensorInfo info{.name = std::move(e.name), .dtype = e.dtype, .shape = std::move(e.shape)};
      const std::string shown = Printable(info.name);
      const std::optional<std::int64_t> elements = info.NumElements();
      std::int64_t bytes = 0;
      if (!elements || __builtin_mul_overflow(*elements, static_cast<std::int64_t>(SizeOf(e.dtype)), &bytes))
        throw damaged(fmt::format("tensor '{}' has shape {}, which is too large", shown, info.ShapeText()));
      if (e.offsets[0] != at)
        throw damaged(
            fmt::format("tensor '{}' starts at byte {}, where {} was expected: tensors overlap or leave a hole", shown,
                        e.offsets[0], at));
      if (e.offsets[1] < at || e.offsets[1] - at != bytes)
        throw damaged(fmt::format("tensor '{}' takes bytes {} to {}, but {}{} needs {}", shown, at, e.offsets[1],
                                  Name(e.dtype), info.ShapeText(), bytes));
      offsets_.push_back(at);
      at = e.offsets[1];
      info.bytes = bytes;
      Add(std::move(info));
    }
    if (at != file_.size() - start_)
      throw damaged(fmt::format("its tensors take {} bytes, but {} follow the header", at, file_.size() - start_));
    for (const auto& [key, value] : parser.metadata)
      notes_.push_back(fmt::format("metadata {}: {}", Printable(key), Printable(value)));
  }

  using TensorSource::Read;
  Array Read(const TensorInfo& info) const override {
    const std::size_t i = IndexOf(info);
    if (info.shape.size() > static_cast<std::size_t>(kMaxRank))
      throw UnimplementedError(fmt::format("'{}': tensor '{}' has {} dimensions; at most {} are supported", path_,
                                           Printable(info.name), info.shape.size(), kMaxRank));
    Array array(info.dtype, Shape(info.shape));
    file_.Read(start_ + offsets_[i], array.raw(), array.num_bytes());
    if (info.dtype == DType::kBool)
      for (std::size_t k = 0; k < array.num_bytes(); ++k)
        array.raw()[k] = static_cast<std::byte>(array.raw()[k] != std::byte{0});
    return array;
  }

 private:
  io::InputFile file_;
  std::int64_t start_ = 0;
  std::vector<std::int64_t> offsets_;  // of each tensor
};

std::size_t RankOf(DType dtype) {
  return static_cast<std::size_t>(std::ranges::find(kCodes, dtype, &Code::dtype) - std::begin(kCodes));
}
}  // namespace

std::unique_ptr<TensorSource> OpenSafetensors(const std::string& path) {
  return std::make_unique<SafetensorsSource>(path);
}

void WriteSafetensors(const std::string& path, std::span<const LazyTensor> tensors,
                      const std::function<void(const std::string& name)>& progress,
                      const std::map<std::string, std::string>& metadata) {
  std::vector<const LazyTensor*> sorted;
  for (const LazyTensor& t : tensors) {
    if (RankOf(t.dtype) == std::size(kCodes))
      throw UnimplementedError(
          fmt::format("'{}': tensor '{}' is {}, which safetensors cannot hold; .npz or a checkpoint "
                      "can",
                      path, Printable(t.name), Name(t.dtype)));
    if (t.name == kMetadata || !IsUtf8(t.name))
      throw InvalidArgumentError(fmt::format("'{}': safetensors cannot name a tensor '{}'", path, Printable(t.name)));
    sorted.push_back(&t);
  }
  std::ranges::sort(sorted, [](const LazyTensor* a, const LazyTensor* b) {
    return std::pair(RankOf(a->dtype), std::string_view(a->name)) <
           std::pair(RankOf(b->dtype), std::string_view(b->name));
  });
  const auto quoted = [](const std::string& text) { return nlohmann::json(text).dump(); };
  std::string header = "{";
  if (!metadata.empty()) {
    for (const auto& [key, value] : metadata)
      header += fmt::format("{}{}:{}", header.size() == 1 ? "\"__metadata__\":{" : ",", quoted(key), quoted(value));
    header += "}";
  }
  std::set<std::string_view> names;
  std::uint64_t at = 0;
  for (const LazyTensor* t : sorted) {
    if (!names.insert(t->name).second)
      throw InvalidArgumentError(fmt::format("'{}': two tensors are named '{}'", path, Printable(t->name)));
    std::uint64_t bytes = SizeOf(t->dtype);
    for (const std::int64_t d : t->shape)
      if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(d), &bytes))
        throw InvalidArgumentError(fmt::format("'{}': tensor '{}' has too many elements", path, Printable(t->name)));
    header +=
        fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", header.size() == 1 ? "" : ",",
                    quoted(t->name), kCodes[RankOf(t->dtype)].name, fmt::join(t->shape, ","), at, at + bytes);
    at += bytes;
  }
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  if (header.size() > static_cast<std::size_t>(kLargestHeader))
    throw InvalidArgumentError(fmt::format("'{}': a header of {} bytes is more than {}: too many tensors for one file",
                                           path, header.size(), kLargestHeader));
  io::OutputFile file(path);
  const std::uint64_t size = header.size();
  file.Append(&size, sizeof size);
  file.Append(header);
  for (const LazyTensor* t : sorted) {
    if (progress) progress(t->name);
    const Array array = ReadChecked(*t);
    file.Append(array.raw(), array.num_bytes());
  }
  file.Commit();
}
}  // namespace equiv
