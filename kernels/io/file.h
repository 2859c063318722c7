// kernels/io/file.h - files that appear whole or not at all, and files read at any place.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace equiv::io {

// A file being written under a temporary name beside its own; a device or pipe is written as it stands. Errors name the
// path: NotFoundError where the folder is missing, PermissionDeniedError, ResourceExhaustedError where the disk is
// full, FailedPreconditionError where a folder has the file's name. After a failure nothing more can be appended or
// committed.
class OutputFile {
 public:
  explicit OutputFile(std::string path);
  ~OutputFile();  // removes the temporary file unless committed
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void Append(const void* data, std::size_t size);
  void Append(std::string_view text) { Append(text.data(), text.size()); }
  std::int64_t size() const { return size_; }
  // All bytes are handed to the system, and nothing more can be appended.
  void Close();
  // Closes and gives the file its name, replacing what had it.
  void Commit();
  // The same under another name in the same folder.
  void CommitAs(const std::string& path);

 private:
  void RequireSound() const;
  void Flush();
  void Write(const void* data, std::size_t size);
  std::string path_, temporary_;
  std::string buffer_;
  std::int64_t size_ = 0;
  int descriptor_ = -1, lock_ = -1;
  bool failed_ = false;
};

// Removes the temporary files that killed writers left in `folder`: those of files whose names `ours` accepts. What a
// living process is writing stays.
void RemoveAbandoned(const std::string& folder, const std::function<bool(std::string_view name)>& ours);

// An existing file, read at any place. Thread-safe.
class InputFile {
 public:
  // NotFoundError "PATH; No such file or directory", or where it is a folder, device or pipe; PermissionDeniedError.
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  const std::string& path() const { return path_; }
  std::int64_t size() const { return size_; }
  // Fills `into` from `offset`. OutOfRangeError "Read less bytes than requested" where the file ends before.
  void Read(std::int64_t offset, void* into, std::size_t size) const;

 private:
  std::string path_;
  std::int64_t size_ = 0;
  int descriptor_ = -1;
};

// A new folder, removed with everything in it at the end of the object's life.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string ReadFile(const std::string& path);
// The file appears whole or not at all; temporary files of its name that nobody writes any more disappear.
void WriteFile(const std::string& path, std::string_view text);
// The folder a path is in, "." where it names none.
std::string FolderOf(const std::string& path);
bool IsUtf8(std::string_view bytes);
// For error texts: control characters, and what is no UTF-8, as \x00.
std::string Printable(std::string_view bytes);

}  // namespace equiv::io
