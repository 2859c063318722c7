#include "equiv/harness/conformance/golden_files.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <cstdlib>
#include <fstream>

#include "kernels/base/error.h"

namespace equiv {

nlohmann::json ReadJson(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw NotFoundError(fmt::format("cannot read '{}'", file.string()));
  try {
    return nlohmann::json::parse(in);
  } catch (const nlohmann::json::exception& error) {
    throw DataLossError(fmt::format("'{}' is not valid JSON: {}", file.string(), error.what()));
  }
}
double HexNumber(const nlohmann::json& value) {
  if (value.is_number()) return value.get<double>();
  const std::string text = value.get<std::string>();
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (text.empty() || *end) throw InvalidArgumentError("'" + text + "' is not a number");
  return number;
}
std::string Sha256(std::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  std::string text;
  for (unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}
std::string Sha256(const Array& array) {
  return Sha256(std::string_view(reinterpret_cast<const char*>(array.raw()), array.num_bytes()));
}
}  // namespace equiv
