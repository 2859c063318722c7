// kernels/base/error.h - one hierarchy of exceptions, with TensorFlow's kinds and the Python kinds its users know.
//
//   throw InvalidArgumentError(fmt::format("[Conv2D] '{}': input depth {} is not a multiple of filter depth {}", ...));
//
// Every text names op and node, what was expected, what came, and where possible the next step.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

namespace equiv {

class Error : public std::runtime_error {
 public:
  Error(std::string_view kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  // "InvalidArgumentError", "ValueError", ...
  std::string_view kind() const { return kind_; }
  // "InvalidArgumentError: message".
  std::string Describe() const;
  // Throws an error of the same kind with another text.
  [[noreturn]] virtual void Raise(const std::string& message) const { throw Error(kind_, message); }

 private:
  std::string_view kind_;  // points at a literal
};

#define EQUIV_ERROR_KIND(Kind)                                                            \
  class Kind : public Error {                                                             \
   public:                                                                                \
    explicit Kind(const std::string& message) : Error(#Kind, message) {}                  \
    [[noreturn]] void Raise(const std::string& text) const override { throw Kind(text); } \
  };
// tf: tensorflow.errors
EQUIV_ERROR_KIND(InvalidArgumentError)
EQUIV_ERROR_KIND(NotFoundError)
EQUIV_ERROR_KIND(AlreadyExistsError)
EQUIV_ERROR_KIND(FailedPreconditionError)
EQUIV_ERROR_KIND(OutOfRangeError)
EQUIV_ERROR_KIND(UnimplementedError)
EQUIV_ERROR_KIND(InternalError)
EQUIV_ERROR_KIND(DataLossError)
EQUIV_ERROR_KIND(ResourceExhaustedError)
EQUIV_ERROR_KIND(PermissionDeniedError)
// Python's own
EQUIV_ERROR_KIND(ValueError)
EQUIV_ERROR_KIND(TypeError)
EQUIV_ERROR_KIND(KeyError)
EQUIV_ERROR_KIND(IndexError)
EQUIV_ERROR_KIND(RuntimeError)
EQUIV_ERROR_KIND(AttributeError)
EQUIV_ERROR_KIND(AssertionError)
EQUIV_ERROR_KIND(OverflowError)
#undef EQUIV_ERROR_KIND

// A fault of this program, whatever the input was: what EQUIV_CHECK throws.
class CheckError final : public InternalError {
 public:
  explicit CheckError(const std::string& message) : InternalError(message) {}
  [[noreturn]] void Raise(const std::string& text) const override { throw CheckError(text); }
};

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace equiv

// For our own bugs only; never reachable from user input. Throws CheckError.
#define EQUIV_CHECK(condition)                                              \
  do {                                                                      \
    if (!(condition)) ::equiv::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)
