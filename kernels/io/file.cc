#include "kernels/io/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "kernels/base/error.h"

namespace equiv::io {
namespace {
constexpr std::size_t kBuffer = std::size_t{256} << 10;
constexpr std::string_view kTemporary = ".tempstate";  // tf: the mark of a file that is not finished

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
  if (exists && S_ISDIR(status.st_mode)) Fail(path_, "opening it for writing", EISDIR);
  // A rename would put a file in the place of /dev/null.
  if (exists && !S_ISREG(status.st_mode)) {
    descriptor_ = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) Fail(path_, "opening it for writing", errno);
    return;
  }
  static std::atomic<unsigned> made{0};
  do {
    if (descriptor_ >= 0) close(descriptor_);
    temporary_ = fmt::format("{}{}{}-{}", path_, kTemporary, getpid(), made.fetch_add(1));
    descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor_ < 0) Fail(path_, "opening it for writing", errno);
    // The lock says that this file is being written; it ends with the process. Somebody tidying up may have been
    // faster.
  } while (flock(descriptor_, LOCK_EX) == 0 && fstat(descriptor_, &status) == 0 && status.st_nlink == 0);
}
OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
  if (lock_ >= 0) close(lock_);
}
void OutputFile::Write(const void* data, std::size_t size) {
  const auto* p = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = write(descriptor_, p, std::min<std::size_t>(size, std::size_t{1} << 30));
    if (n < 0) {
      if (errno == EINTR) continue;
      failed_ = true;
      Fail(path_, "writing", errno);
    }
    p += n;
    size -= static_cast<std::size_t>(n);
  }
}
void OutputFile::RequireSound() const {
  if (failed_) throw FailedPreconditionError(fmt::format("{}; an earlier write to it failed", path_));
}
void OutputFile::Flush() {
  Write(buffer_.data(), buffer_.size());
  buffer_.clear();
}
void OutputFile::Append(const void* data, std::size_t size) {
  RequireSound();
  size_ += static_cast<std::int64_t>(size);
  if (buffer_.size() + size > kBuffer) Flush();
  if (size >= kBuffer)
    Write(data, size);
  else
    buffer_.append(static_cast<const char*>(data), size);
}
void OutputFile::Close() {
  RequireSound();
  if (descriptor_ < 0) return;
  Flush();
  lock_ = fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (close(descriptor) == 0) return;
  failed_ = true;
  Fail(path_, "closing", errno);
}
void OutputFile::Commit() { CommitAs(path_); }
void OutputFile::CommitAs(const std::string& path) {
  Close();
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), path.c_str()) != 0) Fail(path, "renaming to it", errno);
  temporary_.clear();
}

void RemoveAbandoned(const std::string& folder, const std::function<bool(std::string_view name)>& ours) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const auto at = name.rfind(kTemporary);
    if (at == std::string::npos || !ours(std::string_view(name).substr(0, at))) continue;
    const std::string_view rest = std::string_view(name).substr(at + kTemporary.size());
    if (rest.find_first_not_of("0123456789-") == std::string_view::npos) found.push_back(entry.path().string());
  }
  for (const std::string& path : found) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) continue;
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) unlink(path.c_str());
    close(descriptor);
  }
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
  const std::string own = std::filesystem::path(path).filename().string();
  RemoveAbandoned(FolderOf(path), [&](std::string_view name) { return name == own; });
}
std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}
bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto first = static_cast<unsigned char>(bytes.front());
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xc2 ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf5 ? 4
                                              : 0;
    if (length == 0 || length > bytes.size()) return false;
    for (std::size_t i = 1; i < length; ++i)
      if ((static_cast<unsigned char>(bytes[i]) & 0xc0) != 0x80) return false;
    bytes.remove_prefix(length);
  }
  return true;
}
std::string Printable(std::string_view bytes) {
  const bool utf8 = IsUtf8(bytes);
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8))
      text += fmt::format("\\x{:02x}", byte);
    else
      text += c;
  }
  return text;
}
}  // namespace equiv::io
