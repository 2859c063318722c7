#include "equiv/compare/npz.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <mutex>
#include <unordered_set>

#include "equiv/compare/npy_format.h"
#include "equiv/compare/printable.h"
#include "kernels/base/error.h"
#include "kernels/io/file.h"

namespace equiv {
namespace {
using internal::NpyHeader;
constexpr std::string_view kSuffix = ".npy";
constexpr std::string_view kEmptyArchive("PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);

struct Closer {
  void operator()(zip_t* zip) const { zip_discard(zip); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Zip = std::unique_ptr<zip_t, Closer>;
using Member = std::unique_ptr<zip_file_t, Closer>;

[[noreturn]] void Fail(const std::string& what, zip_error_t* error) {
  const std::string text = fmt::format("'{}': {}", what, zip_error_strerror(error));
  if (zip_error_system_type(error) == ZIP_ET_SYS) {
    switch (zip_error_code_system(error)) {
      case EACCES:
      case EPERM:
      case EROFS:
        throw PermissionDeniedError(text);
      case ENOSPC:
      case EDQUOT:
      case EFBIG:
        throw ResourceExhaustedError(text);
      case ENOENT:
      case ENOTDIR:
        throw NotFoundError(text);
      default:
        break;
    }
  }
  switch (zip_error_code_zip(error)) {
    case ZIP_ER_MEMORY:
      throw ResourceExhaustedError(text);
    case ZIP_ER_COMPNOTSUPP:
    case ZIP_ER_ENCRNOTSUPP:
    case ZIP_ER_NOPASSWD:
    case ZIP_ER_WRONGPASSWD:
      throw UnimplementedError(text + "; stored and deflated members are read");
    default:
      throw DataLossError(text);
  }
}

class NpzSource final : public TensorSource {
 public:
  explicit NpzSource(const std::string& path) : TensorSource("npz", path) {
    // Refuses folders, devices and pipes, which libzip would open.
    const std::int64_t file_size = io::InputFile(path).size();
    files_.push_back(path);
    int code = 0;
    zip_.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
    if (!zip_) {
      zip_error_t error;
      zip_error_init_with_code(&error, code);
      const std::string text = zip_error_strerror(&error);
      zip_error_fini(&error);
      throw DataLossError(fmt::format("'{}' is no .npz file, or damaged: {}", path, text));
    }
    std::vector<std::string> others;
    const zip_int64_t count = zip_get_num_entries(zip_.get(), 0);
    for (zip_int64_t i = 0; i < count; ++i) AddMember(static_cast<zip_uint64_t>(i), file_size, others);
    if (!others.empty()) {
      const std::size_t shown = std::min<std::size_t>(others.size(), 5);
      notes_.push_back(fmt::format("{} member{} no array: {}{}", others.size(), others.size() == 1 ? " is" : "s are",
                                   fmt::join(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                                   others.size() > shown ? ", ..." : ""));
    }
  }

  using TensorSource::Read;
  Array Read(const TensorInfo& info) const override {
    const std::size_t at = IndexOf(info);
    const std::lock_guard lock(mutex_);
    const std::string what = What(info.name);
    const Member member = Open(members_[at].index, what);
    std::string header(members_[at].header.size, '\0');
    ReadBytes(*member, header.data(), header.size(), what);
    Array array = internal::ReadNpyData(
        members_[at].header, [&](void* into, std::size_t size) { ReadBytes(*member, into, size, what); }, what);
    // The checksum is looked at where the member ends.
    char rest;
    const zip_int64_t n = zip_fread(member.get(), &rest, 1);
    if (n < 0) Fail(what, zip_file_get_error(member.get()));
    if (n > 0) throw DataLossError(fmt::format("'{}' is longer than the archive says", what));
    return array;
  }

 private:
  struct Place {
    zip_uint64_t index;
    NpyHeader header;
  };
  std::string What(std::string_view name) const { return fmt::format("{}: {}", path_, Printable(name)); }
  Member Open(zip_uint64_t index, const std::string& what) const {
    Member member(zip_fopen_index(zip_.get(), index, 0));
    if (!member) Fail(what, zip_get_error(zip_.get()));
    return member;
  }
  static std::size_t ReadSome(zip_file_t& member, void* into, std::size_t size, const std::string& what) {
    std::size_t done = 0;
    while (done < size) {
      const zip_int64_t n = zip_fread(&member, static_cast<char*>(into) + done, size - done);
      if (n < 0) Fail(what, zip_file_get_error(&member));
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }
  static void ReadBytes(zip_file_t& member, void* into, std::size_t size, const std::string& what) {
    const std::size_t n = ReadSome(member, into, size, what);
    if (n < size) throw DataLossError(fmt::format("'{}' is cut short: {} bytes are missing", what, size - n));
  }

  void AddMember(zip_uint64_t index, std::int64_t file_size, std::vector<std::string>& others) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(zip_.get(), index, 0, &stat) != 0) Fail(path_, zip_get_error(zip_.get()));
    std::string name = stat.name ? stat.name : "";
    if (name.ends_with('/')) return;  // a folder
    const std::string what = What(name);
    // An archive may claim any size. Deflate makes at most 1032 bytes of one.
    const auto there = static_cast<std::uint64_t>(file_size);
    if (!(stat.valid & ZIP_STAT_SIZE) || !(stat.valid & ZIP_STAT_COMP_SIZE) || stat.comp_size > there ||
        (stat.comp_method == ZIP_CM_STORE && stat.size > stat.comp_size) || stat.size / 1040 > stat.comp_size + 1)
      throw DataLossError(fmt::format("'{}' is damaged: the archive says {} bytes, stored in {}, but has {} in all",
                                      what, stat.size, stat.comp_size, file_size));
    const bool named_array = name.ends_with(kSuffix);
    std::string start(std::min<std::uint64_t>(internal::kNpyPrefix, stat.size), '\0');
    const Member member = Open(index, what);
    start.resize(ReadSome(*member, start.data(), start.size(), what));
    if (!named_array && !internal::IsNpy(start)) {
      others.push_back(Printable(name));
      return;
    }
    const std::size_t header_size = internal::NpyHeaderSize(start, what), had = start.size();
    if (header_size > stat.size) throw DataLossError(fmt::format("'{}' is cut short inside its header", what));
    start.resize(std::max(header_size, had));
    ReadBytes(*member, start.data() + had, start.size() - had, what);
    NpyHeader header = internal::ParseNpyHeader(start, what);
    const std::uint64_t data = internal::NpyDataSize(header, what);
    if (data != stat.size - header.size)
      throw DataLossError(fmt::format("'{}' is damaged: its shape needs {} bytes of {}, {} are there", what, data,
                                      Name(header.dtype), stat.size - header.size));
    if (named_array) name.resize(name.size() - kSuffix.size());
    Add({.name = std::move(name),
         .dtype = header.dtype,
         .shape = header.shape,
         .bytes = static_cast<std::int64_t>(data)});
    members_.push_back({index, std::move(header)});
  }

  Zip zip_;
  std::vector<Place> members_;  // of each tensor
  mutable std::mutex mutex_;    // an archive has one place to read from
};

// One member being written: libzip asks for its bytes when it closes the archive.
class Feeder {
 public:
  Feeder(const LazyTensor& tensor, std::string what, const std::function<void(const std::string&)>& progress,
         std::exception_ptr& error)
      : tensor_(tensor), what_(std::move(what)), progress_(progress), error_(error) {
    zip_error_init(&state_);
  }
  ~Feeder() { zip_error_fini(&state_); }

  // Exceptions do not cross libzip: they wait in `error`.
  static zip_int64_t Call(void* self, void* data, zip_uint64_t size, zip_source_cmd_t command) noexcept {
    auto& feeder = *static_cast<Feeder*>(self);
    try {
      return feeder.Answer(data, size, command);
    } catch (...) {
      if (!feeder.error_) feeder.error_ = std::current_exception();
      zip_error_set(&feeder.state_, ZIP_ER_READ, EIO);
      return -1;
    }
  }

 private:
  zip_int64_t Answer(void* data, zip_uint64_t size, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
                                              ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
      case ZIP_SOURCE_STAT: {
        Prepare();
        auto* stat = static_cast<zip_stat_t*>(data);
        zip_stat_init(stat);
        stat->size = header_.size() + data_size_;
        stat->valid = ZIP_STAT_SIZE;
        return sizeof(zip_stat_t);
      }
      case ZIP_SOURCE_OPEN:
        Prepare();
        if (progress_) progress_(tensor_.name);
        if (!array_.has_value()) array_ = ReadChecked(tensor_);
        at_ = 0;
        return 0;
      case ZIP_SOURCE_READ:
        return Give(static_cast<char*>(data), size);
      case ZIP_SOURCE_CLOSE:
        array_ = Array();
        return 0;
      case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&state_, data, size);
      case ZIP_SOURCE_FREE:
        return 0;
      default:
        zip_error_set(&state_, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
  }
  void Prepare() {
    if (!header_.empty()) return;
    std::size_t width;
    if (tensor_.dtype == DType::kString) {  // as wide as the longest one, which only the strings know
      array_ = ReadChecked(tensor_);
      width = internal::NpyWidth(array_, what_);
    } else {
      width = internal::NpyWidth(tensor_.dtype, what_);
    }
    width_ = width;
    header_ = internal::NpyHeaderText(tensor_.dtype, tensor_.shape, width, what_);
    data_size_ = width;
    for (const std::int64_t d : tensor_.shape)
      if (__builtin_mul_overflow(data_size_, static_cast<std::uint64_t>(d), &data_size_))
        throw InvalidArgumentError(fmt::format("'{}': its shape has too many elements", what_));
  }
  zip_int64_t Give(char* into, std::uint64_t size) {
    const std::uint64_t n = std::min(size, header_.size() + data_size_ - at_);
    std::uint64_t done = 0;
    if (at_ < header_.size()) {
      done = std::min<std::uint64_t>(n, header_.size() - at_);
      std::memcpy(into, header_.data() + at_, done);
    }
    if (done < n) {
      const std::uint64_t from = at_ + done - header_.size();
      if (tensor_.dtype == DType::kString)
        internal::CopyNpyStrings(array_, width_, from, into + done, n - done);
      else
        std::memcpy(into + done, array_.raw() + from, n - done);
    }
    at_ += n;
    return static_cast<zip_int64_t>(n);
  }

  const LazyTensor& tensor_;
  const std::string what_;
  const std::function<void(const std::string&)>& progress_;
  std::exception_ptr& error_;
  zip_error_t state_;
  Array array_;
  std::string header_;
  std::size_t width_ = 0;
  std::uint64_t data_size_ = 0, at_ = 0;
};

void RequireNames(const std::string& path, std::span<const LazyTensor> tensors) {
  std::unordered_set<std::string_view> names;
  for (const LazyTensor& t : tensors) {
    const auto refuse = [&](const char* why) {
      throw InvalidArgumentError(fmt::format("'{}': a tensor named '{}' {}", path, Printable(t.name), why));
    };
    if (!names.insert(t.name).second) refuse("is there twice");
    if (t.name.find('\0') != std::string::npos) refuse("has a zero byte in its name, which zip archives cannot hold");
    if (!IsUtf8(t.name)) refuse("has a name that is no UTF-8, which zip archives cannot hold");
    if (t.name.size() + kSuffix.size() > 0xffff) refuse("has a longer name than zip archives can hold");
  }
}
}  // namespace

std::unique_ptr<TensorSource> OpenNpz(const std::string& path) { return std::make_unique<NpzSource>(path); }

void WriteNpz(const std::string& path, std::span<const LazyTensor> tensors,
              const std::function<void(const std::string& name)>& progress) {
  RequireNames(path, tensors);
  for (const LazyTensor& t : tensors)
    if (t.dtype != DType::kString) internal::NpyWidth(t.dtype, fmt::format("{}: {}", path, Printable(t.name)));
  // libzip deletes an archive without members.
  if (tensors.empty()) return io::WriteFile(path, kEmptyArchive);
  struct stat status {};
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    throw FailedPreconditionError(fmt::format("'{}' is there already and is no file", path));
  std::exception_ptr error;
  std::vector<std::unique_ptr<Feeder>> feeders;  // outlive the archive's sources
  int code = 0;
  Zip zip(zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (!zip) {
    zip_error_t why;
    zip_error_init_with_code(&why, code);
    Fail(path, &why);
  }
  for (const LazyTensor& t : tensors) {
    feeders.push_back(std::make_unique<Feeder>(t, fmt::format("{}: {}", path, Printable(t.name)), progress, error));
    zip_source_t* source = zip_source_function(zip.get(), &Feeder::Call, feeders.back().get());
    if (!source) Fail(path, zip_get_error(zip.get()));
    const std::string member = t.name + std::string(kSuffix);
    const zip_int64_t index = zip_file_add(zip.get(), member.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      Fail(path, zip_get_error(zip.get()));
    }
    const auto at = static_cast<zip_uint64_t>(index);
    constexpr zip_uint16_t kMidnight = 0, kFirstDay = 0x21;  // 1 January 1980, as numpy.savez has it
    if (zip_set_file_compression(zip.get(), at, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(zip.get(), at, kMidnight, kFirstDay, 0) != 0 ||
        zip_file_set_external_attributes(zip.get(), at, 0, ZIP_OPSYS_UNIX, 0600u << 16) != 0)
      Fail(path, zip_get_error(zip.get()));
  }
  if (zip_close(zip.get()) != 0) {
    if (error) std::rethrow_exception(error);
    Fail(path, zip_get_error(zip.get()));
  }
  (void)zip.release();  // closed
}
}  // namespace equiv
