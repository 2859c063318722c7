#include "kernels/io/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "kernels/base/error.h"

namespace equiv::io {
namespace {
constexpr std::size_t kBuffer = std::size_t{256} << 10;

[[noreturn]] void Fail(const std::string& path, const char* doing, int code) {
  const std::string text = fmt::format("{}; {} ({})", path, std::strerror(code), doing);
  if (code == EACCES || code == EPERM || code == EROFS) throw PermissionDeniedError(text);
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) throw ResourceExhaustedError(text);
  if (code == ENOENT || code == ENOTDIR) throw NotFoundError(text);
  throw FailedPreconditionError(text);
}
}  // namespace

OutputFile::OutputFile(std::string path) : path_(std::move(path)) {
  struct stat status {};
  const bool exists = stat(path_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode))
    throw FailedPreconditionError(fmt::format("{}; Is a directory (opening it for writing)", path_));
  // A rename would put a file in the place of /dev/null.
  if (exists && !S_ISREG(status.st_mode)) {
    descriptor_ = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    static std::atomic<unsigned> made{0};
    temporary_ = fmt::format("{}.tempstate{}-{}", path_, getpid(), made.fetch_add(1));
    descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  }
  if (descriptor_ < 0) Fail(path_, "opening it for writing", errno);
}
OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}
void OutputFile::Write(const void* data, std::size_t size) {
  const auto* p = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = write(descriptor_, p, std::min<std::size_t>(size, std::size_t{1} << 30));
    if (n < 0) {
      if (errno == EINTR) continue;
      Fail(path_, "writing", errno);
    }
    p += n;
    size -= static_cast<std::size_t>(n);
  }
}
void OutputFile::Flush() {
  Write(buffer_.data(), buffer_.size());
  buffer_.clear();
}
void OutputFile::Append(const void* data, std::size_t size) {
  size_ += static_cast<std::int64_t>(size);
  if (buffer_.size() + size > kBuffer) Flush();
  if (size >= kBuffer)
    Write(data, size);
  else
    buffer_.append(static_cast<const char*>(data), size);
}
void OutputFile::Close() {
  if (descriptor_ < 0) return;
  Flush();
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (close(descriptor) != 0) Fail(path_, "closing", errno);
}
void OutputFile::Commit() { CommitAs(path_); }
void OutputFile::CommitAs(const std::string& path) {
  Close();
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), path.c_str()) != 0) Fail(path, "renaming to it", errno);
  temporary_.clear();
}

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  // Not blocking: opening a pipe would wait for its writer.
  descriptor_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) Fail(path_, "opening it", errno);
  struct stat status {};
  if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    const char* what = S_ISDIR(status.st_mode) ? "Is a directory" : "Is no regular file";
    close(descriptor_);
    throw NotFoundError(fmt::format("{}; {} (opening it)", path_, what));
  }
  size_ = status.st_size;
}
InputFile::~InputFile() { close(descriptor_); }
void InputFile::Read(std::int64_t offset, void* into, std::size_t size) const {
  auto* p = static_cast<char*>(into);
  while (size > 0) {
    const ssize_t n = pread(descriptor_, p, std::min<std::size_t>(size, std::size_t{1} << 30), offset);
    if (n < 0) {
      if (errno == EINTR) continue;
      Fail(path_, "reading", errno);
    }
    if (n == 0) throw OutOfRangeError(fmt::format("{}: Read less bytes than requested", path_));
    p += n;
    offset += n;
    size -= static_cast<std::size_t>(n);
  }
}

TemporaryFolder::TemporaryFolder() {
  path_ = (std::filesystem::temp_directory_path() / "equiv-XXXXXX").string();
  if (!mkdtemp(path_.data())) Fail(path_, "making a folder", errno);
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ReadFile(const std::string& path) {
  const InputFile file(path);
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.Read(0, text.data(), text.size());
  return text;
}
void WriteFile(const std::string& path, std::string_view text) {
  OutputFile file(path);
  file.Append(text);
  file.Commit();
}
}  // namespace equiv::io
