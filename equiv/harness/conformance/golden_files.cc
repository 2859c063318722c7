#include "equiv/harness/conformance/golden_files.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cmath>
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

std::string ScaledFailure(const nlohmann::json& stored, const std::vector<std::pair<std::int64_t, double>>& samples,
                          const Array& got, double bound) {
  const auto shape = stored.at("shape").get<std::vector<std::int64_t>>();
  if (got.shape().vector() != shape)
    return fmt::format("expected shape {}, got {}", PartialShape(shape).ToString(), got.shape().ToString());
  const std::int64_t n = got.num_elements();
  double sum = 0, squares = 0, lowest = INFINITY, highest = -INFINITY;
  for (std::int64_t i = 0; i < n; ++i) {
    const double v = got.ElementAsDouble(i);
    if (std::isnan(v)) return fmt::format("NaN at flat index {}", i);
    sum += v;
    squares += v * v;
    lowest = std::min(lowest, v);
    highest = std::max(highest, v);
  }
  const double scale = std::max(std::abs(HexNumber(stored.at("min"))), std::abs(HexNumber(stored.at("max"))));
  const double l2 = HexNumber(stored.at("l2"));
  std::string failure;
  const auto compare = [&](const std::string& what, double expected, double value, double largest) {
    if (!failure.empty() || std::abs(expected - value) <= bound * largest) return;
    failure = fmt::format("{}: expected {:.9g}, got {:.9g}, scaled error {:.3g}, allowed {:.3g}", what, expected, value,
                          std::abs(expected - value) / (largest > 0 ? largest : 1), bound);
  };
  for (const auto& [index, value] : samples) {
    if (index < 0 || index >= n) return fmt::format("there is no element {}", index);
    compare(fmt::format("flat index {}", index), value, got.ElementAsDouble(index), scale);
  }
  if (n > 0) {
    compare("min", HexNumber(stored.at("min")), lowest, scale);
    compare("max", HexNumber(stored.at("max")), highest, scale);
    compare("mean", HexNumber(stored.at("mean")), sum / static_cast<double>(n), scale);
    compare("l2", l2, std::sqrt(squares), l2);
  }
  return failure;
}
}  // namespace equiv
