#include "suites/runtime/damage/damage.h"

namespace equiv::test {

void EveryFlip(std::string_view sound,
               const std::function<void(const std::string& bytes, std::size_t at, int bit)>& look) {
  std::string bytes(sound);
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      bytes[at] = static_cast<char>(sound[at] ^ (1 << bit));
      look(bytes, at, bit);
      bytes[at] = sound[at];
    }
}
void EveryLength(std::string_view sound, const std::function<void(const std::string& bytes)>& look) {
  for (std::size_t length = 0; length < sound.size(); ++length) look(std::string(sound.substr(0, length)));
}
}  // namespace equiv::test
