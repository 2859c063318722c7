// Every way to damage a little: one bit, or the end missing.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "kernels/base/error.h"

namespace equiv::test {

// Calls `look` for the bytes with each single bit flipped in turn.
void EveryFlip(std::string_view sound,
               const std::function<void(const std::string& bytes, std::size_t at, int bit)>& look);
// Calls `look` for each proper beginning of the bytes, the empty one included.
void EveryLength(std::string_view sound, const std::function<void(const std::string& bytes)>& look);

// "Kind: text" of what `action` throws; "nothing was thrown".
template <class Action>
std::string Caught(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.Describe();
  }
  return "nothing was thrown";
}
inline std::string KindOf(const std::string& described) { return described.substr(0, described.find(':')); }

}  // namespace equiv::test
